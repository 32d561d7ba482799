#include "services/web/elsewhere.h"

#include "base/alloc.h"
#include "net/percent.h"
#include "router/http.h"
#include "router/router.h"

struct lt_elsewhere {
	struct lt_http *http;
	char *base;
	const char *const *paths;
};

static void write_path(struct lt_buf *url, struct lt_str path)
{
	do {
		lt_percent_encode(url, lt_str_split(&path, '/'));
		lt_buf_add_c(url, path.p ? "/" : "");
	} while (path.p);
}

static void on_request(void *arg, struct lt_http_req *req)
{
	const struct lt_elsewhere *elsewhere = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 };
	struct lt_str name, value;

	lt_buf_add_c(&url, elsewhere->base);
	write_path(&url, lt_http_path(req));
	for (size_t i = 0; lt_http_query_at(req, i, &name, &value); i++) {
		lt_buf_add_char(&url, i == 0 ? '?' : '&');
		lt_percent_encode(&url, name);
		lt_buf_add_char(&url, '=');
		lt_percent_encode(&url, value);
	}
	lt_buf_add_char(&url, '\0');

	const char *const headers[] = { "Location", url.p, NULL };

	lt_http_reply(req,
			&(struct lt_http_reply){ .status = 307,
					.content_type = "text/plain",
					.headers = headers,
					.body = LT_STR("another server has it\n") });
}

struct lt_elsewhere *lt_elsewhere_create(
		struct lt_router *router, const char *base, const char *const *paths)
{
	struct lt_elsewhere *elsewhere = lt_zalloc(sizeof(*elsewhere));
	struct lt_str trimmed = lt_str_from(base);

	while (trimmed.n > 0 && trimmed.p[trimmed.n - 1] == '/') {
		trimmed.n--;
	}
	elsewhere->http = lt_router_http(router);
	elsewhere->base = lt_str_dup(trimmed);
	elsewhere->paths = paths;
	for (; *paths; paths++) {
		lt_http_add(elsewhere->http,
				&(struct lt_http_route){ .method = "GET",
						.path = *paths,
						.cors = true,
						.fn = on_request,
						.arg = elsewhere });
	}
	return elsewhere;
}

void lt_elsewhere_destroy(struct lt_elsewhere *elsewhere)
{
	const char *const *path;

	if (!elsewhere) {
		return;
	}
	for (path = elsewhere->paths; *path; path++) {
		lt_http_remove(elsewhere->http, "GET", *path);
	}
	lt_free(elsewhere->base);
	lt_free(elsewhere);
}
