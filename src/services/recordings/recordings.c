#include "services/recordings/recordings.h"

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "race/envelope.h"
#include "router/http.h"
#include "router/local.h"
#include "router/router.h"
#include "services/recordings/recordings_index.h"
#include "store/catalogue.h"
#include "store/index.h"

#define PREFIX    "livetiming.recordings."
#define HTTP_PATH "/recordings/"
#define PAGE_MAX  INT64_C(1000000000)
#define TIME_MAX  INT64_C(99999999999)

struct lt_recordings {
	struct lt_recordings_env env;
	char *directory, *authcode;
	struct lt_local *local; /* NULL: stopped */
	struct lt_rec_index *index;
	const struct lt_catalogue *catalogue; /* NULL: not read yet */
};

struct lt_recordings *lt_recordings_create(const struct lt_recordings_env *env)
{
	struct lt_recordings *recordings = lt_zalloc(sizeof(*recordings));

	recordings->env = *env;
	recordings->env.log.module = "recordings";
	recordings->directory = lt_strdup(env->directory);
	recordings->authcode = lt_strdup(env->authcode ? env->authcode : "");
	return recordings;
}

void lt_recordings_destroy(struct lt_recordings *recordings)
{
	if (recordings != NULL) {
		lt_recordings_stop(recordings);
		lt_free(recordings->directory);
		lt_free(recordings->authcode);
		lt_free(recordings);
	}
}

/* --- arguments --- */

/* Of a call: a positional one, or by name, or NULL; null counts as none. */
struct call {
	struct lt_recordings *recordings;
	uint64_t id;
	cJSON *args, *kwargs;
	bool sees_all; /* role services: those of private services, too */
};

static const cJSON *argument(const struct call *call, int position, const char *name)
{
	const cJSON *value = cJSON_GetArrayItem(call->args, position);

	value = value ? value : lt_json_get(call->kwargs, name);
	return cJSON_IsNull(value) ? NULL : value;
}

static bool get_bool(const struct call *call, int position, const char *name, bool *ret,
		struct lt_err *err)
{
	const cJSON *value = argument(call, position, name);

	if (value != NULL && !cJSON_IsBool(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s: expected true or false", name);
	}
	*ret = cJSON_IsTrue(value);
	return true;
}

static bool get_text(const struct call *call, int position, const char *name, struct lt_str *ret,
		struct lt_err *err)
{
	const cJSON *value = argument(call, position, name);

	if (value != NULL && !cJSON_IsString(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s: expected a text", name);
	}
	*ret = lt_str_from(value ? value->valuestring : NULL);
	return true;
}

/* Leaves *ret alone when there is none. */
static bool get_int(const struct call *call, int position, const char *name, int64_t max,
		int64_t *ret, struct lt_err *err)
{
	const cJSON *value = argument(call, position, name);

	if (value == NULL) {
		return true;
	}
	if (!cJSON_IsNumber(value) || value->valuedouble < -1 || value->valuedouble > (double)max) {
		return lt_err_set(err, LT_E_INVALID, "%s: expected a number up to %lld", name,
				(long long)max);
	}
	*ret = (int64_t)value->valuedouble;
	return true;
}

/* --- procedures --- */

static void yield_json(const struct call *call, const cJSON *result)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	lt_buf_add_char(&args, '[');
	if (result != NULL) {
		lt_json_print(&args, result, LT_JSON_UTF8);
	} else {
		lt_buf_add_c(&args, "null");
	}
	lt_buf_add_char(&args, ']');
	lt_local_yield(call->recordings->local, call->id, lt_buf_str(&args));
}

static bool run_page(const struct call *call, struct lt_err *err)
{
	int64_t page = 1;
	struct lt_str name;
	bool hidden;

	if (!get_int(call, 0, "page_number", PAGE_MAX, &page, err) ||
			!get_text(call, 1, "filter_name", &name, err) ||
			!get_bool(call, 2, "show_hidden", &hidden, err)) {
		return false;
	}
	struct lt_catalogue_query query = {
		.name = name, .page = page, .show_hidden = hidden, .show_private = call->sees_all
	};
	LT_AUTO(cJSON_Delete)
	cJSON *result = lt_catalogue_search(call->recordings->catalogue, &query);
	yield_json(call, result);
	return true;
}

static bool run_names(const struct call *call, struct lt_err *err)
{
	bool hidden;

	if (!get_bool(call, 0, "show_hidden", &hidden, err)) {
		return false;
	}
	LT_AUTO(cJSON_Delete)
	cJSON *result = lt_catalogue_names(call->recordings->catalogue, hidden, call->sees_all);
	yield_json(call, result);
	return true;
}

static bool run_manifest(const struct call *call, struct lt_err *err)
{
	struct lt_str uuid;

	if (!get_text(call, 0, "uuid", &uuid, err)) {
		return false;
	}
	const cJSON *entry = lt_catalogue_manifest(call->recordings->catalogue, uuid);
	bool is_closed = cJSON_IsTrue(lt_json_get(entry, "private")) && !call->sees_all;

	yield_json(call, is_closed ? NULL : entry);
	return true;
}

static bool run_search(const struct call *call, struct lt_err *err)
{
	struct lt_catalogue_query query = { .page = 1, .show_private = call->sees_all };
	struct lt_str sort = { 0 };

	if (!get_text(call, 0, "text", &query.text, err) ||
			!get_text(call, 1, "name", &query.name, err) ||
			!get_int(call, 2, "since", TIME_MAX, &query.from_s, err) ||
			!get_int(call, 3, "until", TIME_MAX, &query.until_s, err) ||
			!get_text(call, 4, "sort", &sort, err) ||
			!get_bool(call, 5, "ascending", &query.ascending, err) ||
			!get_int(call, 6, "page_number", PAGE_MAX, &query.page, err) ||
			!get_int(call, 7, "per_page", LT_CATALOGUE_PER_PAGE_MAX, &query.per_page,
					err) ||
			!get_bool(call, 8, "show_hidden", &query.show_hidden, err) ||
			(sort.p != NULL && !lt_catalogue_sort_parse(sort, &query.sort, err))) {
		return false;
	}
	LT_AUTO(cJSON_Delete)
	cJSON *result = lt_catalogue_search(call->recordings->catalogue, &query);
	yield_json(call, result);
	return true;
}

static bool run_update(const struct call *call, struct lt_err *err)
{
	struct lt_recordings *recordings = call->recordings;
	const cJSON *manifest = argument(call, 0, "manifest");
	struct lt_str code, expected = lt_str_from(recordings->authcode), uuid;

	if (!get_text(call, 1, "authcode", &code, err)) {
		return false;
	}
	if (expected.n == 0 || code.p == NULL || !lt_secret_eq(code, expected)) {
		return lt_err_set(err, LT_E_DENIED, "the authcode is not right");
	}
	if (!lt_json_get_str(manifest, "uuid", &uuid, err)) {
		return lt_err_prefix(err, "manifest");
	}
	if (lt_catalogue_manifest(recordings->catalogue, uuid) == NULL) {
		return lt_err_set(err, LT_E_NOT_FOUND, "no recording has this uuid");
	}
	lt_rec_index_change(recordings->index, manifest, call->id);
	return true; /* answered by on_changed */
}

static const struct {
	const char *name;
	bool (*run)(const struct call *call, struct lt_err *err);
} procedures[] = {
	{ PREFIX "page", run_page },
	{ PREFIX "names", run_names },
	{ PREFIX "manifest", run_manifest },
	{ PREFIX "updateManifest", run_update },
	{ PREFIX "search", run_search },
};

static const char *error_uri(enum lt_errc code)
{
	if (code == LT_E_DENIED) {
		return "wamp.error.not_authorized";
	}
	return code == LT_E_INVALID || code == LT_E_FORMAT ? "wamp.error.invalid_argument"
			: code == LT_E_UNAVAILABLE         ? "wamp.error.unavailable"
							   : "livetiming.error.recordings";
}

static void fail(struct lt_recordings *recordings, uint64_t id, const struct lt_err *err)
{
	lt_local_error(recordings->local, id, error_uri(err->code), err->msg);
}

static void run_call(struct call *call, const struct lt_invocation *invocation)
{
	struct lt_err err = { 0 };

	if (call->recordings->catalogue == NULL) {
		lt_err_set(&err, LT_E_UNAVAILABLE, "the list of recordings is being read");
		fail(call->recordings, call->id, &err);
		return;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(procedures); i++) {
		if (lt_str_eq_c(invocation->procedure, procedures[i].name)) {
			if (!procedures[i].run(call, &err)) {
				fail(call->recordings, call->id, &err);
			}
			return;
		}
	}
}

static void on_call(void *arg, const struct lt_invocation *invocation)
{
	struct call call = { .recordings = arg,
		.id = invocation->id,
		.sees_all = lt_str_eq_c(invocation->caller_role, "services") };
	struct lt_err err = { 0 };

	if ((invocation->args.n > 0 && !(call.args = lt_json_parse(invocation->args, &err))) ||
			(invocation->kwargs.n > 0 &&
					!(call.kwargs = lt_json_parse(invocation->kwargs, &err)))) {
		fail(call.recordings, call.id, &err);
	} else {
		run_call(&call, invocation);
	}
	cJSON_Delete(call.args);
	cJSON_Delete(call.kwargs);
}

/* --- the index --- */

static void on_renewed(void *arg, const struct lt_catalogue *catalogue)
{
	struct lt_recordings *recordings = arg;

	if (recordings->catalogue == NULL) {
		lt_log(&recordings->env.log, LT_INFO, "recordings listed", "count=%zu",
				lt_catalogue_count(catalogue));
	}
	recordings->catalogue = catalogue;
}

static void on_changed(void *arg, uint64_t id, const struct lt_err *err)
{
	struct lt_recordings *recordings = arg;

	if (err != NULL) {
		fail(recordings, id, err);
	} else {
		lt_local_yield(recordings->local, id, LT_STR("[true]"));
	}
}

/* --- downloads --- */

/* "UUID_1.zip" and "UUID_1" name "UUID:1" as well. */
static const cJSON *find(const struct lt_catalogue *catalogue, struct lt_str name)
{
	const cJSON *entry = lt_catalogue_manifest(catalogue, name);
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };

	if (entry == NULL) {
		lt_index_key(&key, name);
		entry = lt_catalogue_manifest(catalogue, lt_buf_str(&key));
	}
	return entry;
}

/* "NAME.zip" or "NAME.json", and nothing that is hidden or ours. */
static bool is_servable(struct lt_str name)
{
	return lt_name_is_safe(name) && name.p[0] != '.' && !lt_str_eq_c(name, LT_INDEX_NAME) &&
			!lt_str_eq_c(name, LT_REMOTE_NAME) &&
			(lt_str_ends(name, LT_STR(".zip")) || lt_str_ends(name, LT_STR(".json")));
}

/* What the archive or analysis of this name belongs to, or NULL: not listed (yet). */
static const cJSON *entry_of_file(const struct lt_recordings *recordings, struct lt_str name)
{
	const char *dot = memrchr(name.p, '.', name.n);

	name.n = (size_t)(dot - name.p); /* is_servable has seen to it */
	return recordings->catalogue ? find(recordings->catalogue, name) : NULL;
}

/*
 * By what its manifest says; a file that is not listed yet by its name, which
 * begins with the UUID of its service.
 */
static bool is_private(const struct lt_recordings *recordings, struct lt_str name)
{
	const cJSON *entry = entry_of_file(recordings, name);

	if (entry) {
		return cJSON_IsTrue(lt_json_get(entry, "private"));
	}
	return recordings->env.owner &&
			recordings->env.owner(recordings->env.owner_arg, name).n > 0;
}

/* 200, or the status of the refusal. */
static int may_download(
		const struct lt_recordings *recordings, struct lt_str name, struct lt_http_req *req)
{
	struct lt_str uuid;

	if (!is_private(recordings, name)) {
		return 200;
	}
	if (!recordings->env.owner) {
		return 404;
	}
	uuid = recordings->env.owner(recordings->env.owner_arg, name);
	return recordings->env.gate(recordings->env.owner_arg, uuid, req);
}

static void refuse_download(struct lt_http_req *req, int status)
{
	static const char *const later[] = { "Retry-After", "60", NULL };
	const char *sentence = status == 404 ? "no such recording\n"
			: status == 429      ? "too many wrong codes; wait a minute\n"
					     : "no private recording fits this name and code\n";

	lt_http_reply(req,
			&(struct lt_http_reply){ .status = status,
					.content_type = "text/plain; charset=utf-8",
					.headers = status == 429 ? later : NULL,
					.body = lt_str_from(sentence) });
}

/* "UUID_1" of its files; is_servable has seen to the ending. */
static struct lt_str base_name(struct lt_str name)
{
	name.n -= lt_str_ends(name, LT_STR(".zip")) ? strlen(".zip") : strlen(".json");
	return name;
}

static void on_http(void *arg, struct lt_http_req *req)
{
	struct lt_recordings *recordings = arg;
	struct lt_str name = lt_str_skip(lt_http_path(req), strlen(HTTP_PATH));

	if (!is_servable(name)) {
		lt_http_reply_text(req, 404, "no such recording");
		return;
	}
	/* the desk knows what is private here; of what came from elsewhere, the list alone */
	if (recordings->env.hold && !recordings->catalogue) {
		lt_http_reply_text(req, 503, "the recordings are not listed yet; ask again soon");
		return;
	}
	int status = may_download(recordings, name, req);

	if (status != 200) {
		refuse_download(req, status);
		return;
	}
	if (recordings->env.hold &&
			recordings->env.hold(recordings->env.hold_arg, req, base_name(name),
					is_private(recordings, name), on_http, recordings)) {
		return;
	}
	bool is_zip = lt_str_ends(name, LT_STR(".zip"));
	LT_AUTO(lt_free) char *text = lt_str_dup(name);
	LT_AUTO(lt_free) char *path = lt_path_join(recordings->directory, text);

	lt_http_reply_file(req,
			&(struct lt_http_file){
					.path = path,
					.content_type = is_zip ? "application/zip"
							       : "application/json",
					.download_name = is_zip ? text : NULL,
					.cache_control = is_private(recordings, name)
							? "private, no-store"
							: NULL,
			});
}

/* --- life --- */

static bool join(struct lt_recordings *recordings, struct lt_err *err)
{
	uint64_t id;

	recordings->local = lt_local_join(
			recordings->env.router, LT_STR(LT_REALM), "recordings", "services", err);
	if (recordings->local == NULL) {
		return false;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(procedures); i++) {
		if (!lt_local_register(recordings->local, lt_str_from(procedures[i].name), true,
				    on_call, recordings, &id, err)) {
			return false;
		}
	}
	return true;
}

bool lt_recordings_start(struct lt_recordings *recordings, struct lt_err *err)
{
	if (!join(recordings, err)) {
		lt_local_leave(LT_STEAL(recordings->local));
		return lt_err_prefix(err, "recordings");
	}
	lt_http_add(lt_router_http(recordings->env.router),
			&(struct lt_http_route){ .method = "GET",
					.path = HTTP_PATH,
					.cors = true,
					.fn = on_http,
					.arg = recordings });
	recordings->index = lt_rec_index_create(&(struct lt_rec_index_env){
			.loop = recordings->env.loop,
			.log = recordings->env.log,
			.directory = recordings->directory,
			.reindex = recordings->env.reindex,
			.generate_analysis = recordings->env.generate_analysis,
			.renewed = on_renewed,
			.changed = on_changed,
			.arg = recordings,
	});
	lt_rec_index_start(recordings->index);
	return true;
}

void lt_recordings_stop(struct lt_recordings *recordings)
{
	if (recordings->local == NULL) {
		return;
	}
	lt_http_remove(lt_router_http(recordings->env.router), "GET", HTTP_PATH);
	lt_local_leave(LT_STEAL(recordings->local));
	recordings->catalogue = NULL;
	lt_rec_index_destroy(LT_STEAL(recordings->index));
}

/* --- for the control socket --- */

cJSON *lt_recordings_list(const struct lt_recordings *recordings, struct lt_str text, int64_t page,
		bool show_hidden)
{
	struct lt_catalogue_query query = {
		.text = text, .page = page, .show_hidden = show_hidden, .show_private = true
	};

	return recordings->catalogue ? lt_catalogue_search(recordings->catalogue, &query)
				     : cJSON_CreateObject();
}

cJSON *lt_recordings_show(
		const struct lt_recordings *recordings, struct lt_str name, struct lt_err *err)
{
	const cJSON *entry = recordings->catalogue ? find(recordings->catalogue, name) : NULL;
	char quoted[LT_QUOTE_MAX];

	if (entry == NULL) {
		lt_err_set(err, LT_E_NOT_FOUND, "there is no recording %s",
				lt_str_quote(name, quoted));
		return NULL;
	}
	return cJSON_Duplicate(entry, true);
}

size_t lt_recordings_count(const struct lt_recordings *recordings)
{
	return recordings->catalogue ? lt_catalogue_count(recordings->catalogue) : 0;
}
