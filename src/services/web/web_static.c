#include "services/web/web_static.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "base/str.h"
#include "base/table.h"
#include "router/http.h"
#include "services/web/gzip.h"

#define FILES_MAX       2000
#define TOTAL_BYTES_MAX (64u * 1024 * 1024)
#define DEPTH_MAX       8
#define ETAG_BYTES      12
#define ETAG_MAX        (2 * ETAG_BYTES + sizeof("\"-gz\""))
#define GZIP_MIN_BYTES  512
#define INDEX           "/index.html"
#define CSP_MAX         1024

/* No inline script or style, nothing from elsewhere. (Old browsers do not count the WebSocket of
 * one's own host as 'self'.) Who may show the page in a frame comes behind. */
static const char csp_page[] =
		"default-src 'self'; connect-src 'self' ws: wss:%s%s; object-src 'none'; base-uri "
		"'none'; form-action 'none'; frame-ancestors %s";

/* Addresses of the page that are not files; index.html is what they give. */
static const struct client_route {
	const char *path;
	bool in_frames; /* made for the pages of others */
} client_routes[] = {
	{ "/", false },
	{ "/service/", false },
	{ "/recordings", false },
	{ "/replay/", false },
	{ "/s/", false },
	{ "/embed/", true },
	{ "/overlay/", true },
};

struct file {
	char *path; /* "/index.html"; the key */
	const char *type;
	bool is_html;
	struct lt_buf body;
	struct lt_buf gzip; /* empty: not worth it */
	char etag[ETAG_MAX], gzip_etag[ETAG_MAX];
	UT_hash_handle hh;
};

struct lt_web_static {
	struct file *files;
	size_t total_bytes;
	char csp[CSP_MAX], csp_frames[CSP_MAX];
};

static const struct type {
	const char *suffix, *type;
	bool compressible;
} types[] = {
	{ ".html", "text/html; charset=utf-8", true },
	{ ".css", "text/css; charset=utf-8", true },
	{ ".js", "text/javascript; charset=utf-8", true },
	{ ".mjs", "text/javascript; charset=utf-8", true },
	{ ".json", "application/json; charset=utf-8", true },
	{ ".map", "application/json; charset=utf-8", true },
	{ ".webmanifest", "application/manifest+json; charset=utf-8", true },
	{ ".svg", "image/svg+xml; charset=utf-8", true },
	{ ".txt", "text/plain; charset=utf-8", true },
	{ ".png", "image/png", false },
	{ ".ico", "image/x-icon", false },
	{ ".jpg", "image/jpeg", false },
	{ ".webp", "image/webp", false },
	{ ".woff2", "font/woff2", false },
};

static void write_csp(char *csp, const char *connect_to, const char *frame_ancestors)
{
	snprintf(csp, CSP_MAX, csp_page, connect_to ? " " : "", connect_to ? connect_to : "",
			frame_ancestors);
}

struct lt_web_static *lt_web_static_create(const char *frame_ancestors, const char *connect_to)
{
	struct lt_web_static *files = lt_zalloc(sizeof(*files));

	write_csp(files->csp, connect_to, "'none'");
	write_csp(files->csp_frames, connect_to, frame_ancestors);
	return files;
}

static struct file *find_file(const struct lt_web_static *files, struct lt_str path)
{
	struct file *file;

	HASH_FIND(hh, files->files, path.p, (unsigned)path.n, file);
	return file;
}

void lt_web_static_destroy(struct lt_web_static *files)
{
	struct file *file, *next;

	if (!files) {
		return;
	}
	HASH_ITER(hh, files->files, file, next) {
		HASH_DELETE(hh, files->files, file);
		lt_free(file->path);
		lt_buf_finish(&file->body);
		lt_buf_finish(&file->gzip);
		lt_free(file);
	}
	lt_free(files);
}

size_t lt_web_static_count(const struct lt_web_static *files)
{
	return HASH_COUNT(files->files);
}

/* --- loading --- */

static const struct type *find_type(struct lt_str path)
{
	static const struct type unknown = { "", "application/octet-stream", false };

	for (size_t i = 0; i < LT_ARRAY_LEN(types); i++) {
		if (lt_str_ends(path, lt_str_from(types[i].suffix))) {
			return &types[i];
		}
	}
	return &unknown;
}

static void add_file(struct lt_web_static *files, const char *path, struct lt_buf *body_steal)
{
	struct file *file = lt_zalloc(sizeof(*file));
	const struct type *type = find_type(lt_str_from(path));
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };
	uint8_t digest[LT_SHA256_BYTES];

	file->path = lt_strdup(path);
	file->type = type->type;
	file->is_html = lt_str_ends(lt_str_from(path), LT_STR(".html"));
	file->body = *body_steal;
	*body_steal = (struct lt_buf){ 0 };
	lt_sha256(lt_buf_str(&file->body), digest);
	lt_hex_encode(&hex, digest, ETAG_BYTES);
	snprintf(file->etag, sizeof(file->etag), "\"%s\"", hex.p);
	snprintf(file->gzip_etag, sizeof(file->gzip_etag), "\"%s-gz\"", hex.p);
	if (type->compressible && file->body.n >= GZIP_MIN_BYTES) {
		lt_gzip(&file->gzip, lt_buf_str(&file->body));
	}
	files->total_bytes += file->body.n;
	HASH_ADD_KEYPTR(hh, files->files, file->path, (unsigned)strlen(file->path), file);
}

static bool load_dir(struct lt_web_static *files, const char *dir, const char *path, int depth,
		struct lt_err *err);

static bool load_entry(struct lt_web_static *files, const char *file_path, const char *path,
		int depth, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };
	struct stat info;

	if (stat(file_path, &info) != 0) {
		return lt_err_errno(err, "%s", file_path);
	}
	if (S_ISDIR(info.st_mode)) {
		return load_dir(files, file_path, path, depth + 1, err);
	}
	if (!S_ISREG(info.st_mode)) {
		return true;
	}
	if (lt_web_static_count(files) >= FILES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "%s: more than %d files", file_path, FILES_MAX);
	}
	if (!lt_file_read(file_path, TOTAL_BYTES_MAX - files->total_bytes, &body, err)) {
		return false;
	}
	add_file(files, path, &body);
	return true;
}

static bool load_dir(struct lt_web_static *files, const char *dir, const char *path, int depth,
		struct lt_err *err)
{
	DIR *handle;
	const struct dirent *entry;
	bool ok = true;

	if (depth > DEPTH_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "%s: more than %d levels", dir, DEPTH_MAX);
	}
	handle = opendir(dir);
	if (!handle) {
		return lt_err_errno(err, "%s", dir);
	}
	while (ok && (entry = readdir(handle))) {
		LT_AUTO(lt_free) char *file_path = NULL;
		LT_AUTO(lt_free) char *web_path = NULL;
		struct lt_buf text = { 0 };

		if (entry->d_name[0] == '.') {
			continue;
		}
		file_path = lt_path_join(dir, entry->d_name);
		lt_buf_printf(&text, "%s/%s", path, entry->d_name);
		web_path = lt_buf_steal(&text);
		ok = load_entry(files, file_path, web_path, depth, err);
	}
	closedir(handle);
	return ok;
}

bool lt_web_static_load(struct lt_web_static *files, const char *dir, struct lt_err *err)
{
	if (!load_dir(files, dir, "", 0, err)) {
		return lt_err_prefix(err, "page");
	}
	return find_file(files, LT_STR(INDEX)) != NULL ||
			lt_err_set(err, LT_E_NOT_FOUND, "page: %s has no index.html", dir);
}

/* --- serving --- */

static const struct client_route *find_client_route(struct lt_str path)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(client_routes); i++) {
		struct lt_str known = lt_str_from(client_routes[i].path);
		bool is_prefix = known.n > 1 && known.p[known.n - 1] == '/';

		if (is_prefix ? lt_str_starts(path, known) : lt_str_eq_c(path, known.p)) {
			return &client_routes[i];
		}
	}
	return NULL;
}

static void answer(void *arg, struct lt_http_req *req)
{
	const struct lt_web_static *files = arg;
	struct lt_str path = lt_http_path(req);
	const struct client_route *route = find_client_route(path);
	const char *const html_headers[] = { "Vary", "Accept-Encoding", "Referrer-Policy",
		"no-referrer", "Content-Security-Policy",
		route && route->in_frames ? files->csp_frames : files->csp, NULL };
	static const char *const other_headers[] = { "Vary", "Accept-Encoding", NULL };
	const struct file *file;
	bool gzip;

	if (route) {
		path = LT_STR(INDEX);
	}
	file = find_file(files, path);
	if (!file) {
		lt_http_reply_text(req, 404,
				files->files ? "not found" : "the viewer page is not installed");
		return;
	}
	gzip = file->gzip.n > 0 && lt_gzip_is_accepted(lt_http_header(req, "accept-encoding"));
	lt_http_reply(req,
			&(struct lt_http_reply){
					.status = 200,
					.content_type = file->type,
					.cache_control = "no-cache",
					.etag = gzip ? file->gzip_etag : file->etag,
					.encoding = gzip ? "gzip" : NULL,
					.headers = file->is_html ? html_headers : other_headers,
					.body = lt_buf_str(gzip ? &file->gzip : &file->body),
			});
}

static void add_route(struct lt_web_static *files, struct lt_http *http, const char *path)
{
	lt_http_add(http,
			&(struct lt_http_route){ .method = "GET",
					.path = path,
					.fn = answer,
					.arg = files });
}

void lt_web_static_mount(struct lt_web_static *files, struct lt_http *http)
{
	const struct file *file, *next;

	for (size_t i = 0; i < LT_ARRAY_LEN(client_routes); i++) {
		add_route(files, http, client_routes[i].path);
	}
	HASH_ITER(hh, files->files, file, next) {
		add_route(files, http, file->path);
	}
}

void lt_web_static_unmount(struct lt_web_static *files, struct lt_http *http)
{
	const struct file *file, *next;

	for (size_t i = 0; i < LT_ARRAY_LEN(client_routes); i++) {
		lt_http_remove(http, "GET", client_routes[i].path);
	}
	HASH_ITER(hh, files->files, file, next) {
		lt_http_remove(http, "GET", file->path);
	}
}
