#include "router/http_call.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/table.h"
#include "router/http.h"
#include "router/local.h"
#include "router/router.h"
#include "router/wamp_msg.h"

#define PATH       "/call"
#define BODY_BYTES (1024 * 1024)
#define TIMEOUT_MS 30000

/* A call that runs. */
struct pending {
	struct pending *prev, *next;
	struct lt_http_call *bridge;
	struct lt_http_req *req;
	uint64_t call;
};

struct lt_http_call {
	struct lt_router *router;
	char *realm;
	size_t body_bytes;
	uint32_t timeout_ms;
	struct lt_local *local; /* NULL: stopped */
	struct pending *pending;
};

/* What a request asks for; borrows from its body, but for the procedure. */
struct wish {
	struct lt_buf procedure;
	bool has_procedure;
	struct lt_str args, kwargs;
};

/* --- requests --- */

static bool take_member(struct lt_json_scan *scan, struct lt_str name, struct wish *wish,
		struct lt_err *err)
{
	struct lt_json_slice value;

	if (!lt_json_scan_value(scan, &value, err)) {
		return false;
	}
	if (lt_str_eq_c(name, "procedure")) {
		if (value.kind != LT_JSON_STRING) {
			return lt_err_set(err, LT_E_FORMAT, "procedure: not a text");
		}
		lt_buf_clear(&wish->procedure);
		lt_json_slice_text(&value, &wish->procedure);
		wish->has_procedure = true;
	} else if (value.kind != LT_JSON_NULL && lt_str_eq_c(name, "args")) {
		wish->args = value.raw;
		return value.kind == LT_JSON_ARRAY ||
				lt_err_set(err, LT_E_FORMAT, "args: not a list");
	} else if (value.kind != LT_JSON_NULL && lt_str_eq_c(name, "kwargs")) {
		wish->kwargs = value.raw;
		return value.kind == LT_JSON_OBJECT ||
				lt_err_set(err, LT_E_FORMAT, "kwargs: not an object");
	}
	return true;
}

static bool take_members(struct lt_json_scan *scan, struct wish *wish, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	struct lt_json_slice key;

	while (lt_json_scan_more(scan)) {
		if (!lt_json_scan_key(scan, &key, err)) {
			return false;
		}
		lt_buf_clear(&name);
		lt_json_slice_text(&key, &name);
		if (!take_member(scan, lt_buf_str(&name), wish, err)) {
			return false;
		}
	}
	return true;
}

static bool read_wish(struct lt_http_call *bridge, struct lt_str body, struct wish *wish,
		struct lt_err *err)
{
	uint32_t nesting = lt_router_limits(bridge->router)->nesting;
	struct lt_json_scan scan;

	if (!lt_json_scan_init(&scan, body, LT_MIN(nesting, (uint32_t)LT_JSON_DEPTH_MAX), err) ||
			!lt_json_scan_enter(&scan, LT_JSON_OBJECT, err) ||
			!take_members(&scan, wish, err) || !lt_json_scan_leave(&scan, err) ||
			!lt_json_scan_end(&scan, err)) {
		return false;
	}
	return wish->has_procedure || lt_err_set(err, LT_E_FORMAT, "procedure: missing");
}

/* As the original: a content type may be absent; another one than JSON's is refused. */
static bool is_json(struct lt_http_req *req)
{
	struct lt_str type = lt_http_header(req, "content-type");

	return !type.p || lt_str_eq_c(lt_str_trim(lt_str_split(&type, ';')), "application/json");
}

/* --- answers --- */

static void reply(struct lt_http_req *req, int status, struct lt_buf *body)
{
	lt_http_reply(req,
			&(struct lt_http_reply){
					.status = status,
					.content_type = "application/json; charset=utf-8",
					.cache_control = "no-store",
					.body = lt_buf_str(body),
			});
	lt_buf_finish(body);
}

static void reply_error(struct lt_http_req *req, int status, const char *uri, const char *sentence)
{
	struct lt_buf body = { 0 };

	lt_buf_add_c(&body, "{\"error\":");
	lt_json_write_str(&body, lt_str_from(uri));
	lt_buf_add_c(&body, ",\"args\":[");
	lt_json_write_str(&body, lt_str_from(sentence));
	lt_buf_add_c(&body, "],\"kwargs\":{}}");
	reply(req, status, &body);
}

static void free_pending(struct pending *pending)
{
	DL_DELETE(pending->bridge->pending, pending);
	lt_free(pending);
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct pending *pending = arg;
	struct lt_http_req *req = pending->req;
	struct lt_buf body = { 0 };

	free_pending(pending);
	lt_buf_add_char(&body, '{');
	if (!result->ok) {
		lt_buf_add_c(&body, "\"error\":");
		lt_json_write_str(&body, lt_str_from(result->error));
		lt_buf_add_char(&body, ',');
	}
	lt_buf_add_c(&body, "\"args\":");
	lt_buf_add_str(&body, result->args.n > 0 ? result->args : LT_STR("[]"));
	lt_buf_add_c(&body, ",\"kwargs\":");
	lt_buf_add_str(&body, result->kwargs.n > 0 ? result->kwargs : LT_STR("{}"));
	lt_buf_add_char(&body, '}');
	reply(req, 200, &body);
}

/* The client has gone: the callee need not go on. */
static void on_gone(void *arg)
{
	struct pending *pending = arg;

	lt_local_cancel(pending->bridge->local, pending->call);
	free_pending(pending);
}

static void call(struct lt_http_call *bridge, struct lt_http_req *req, const struct wish *wish)
{
	struct pending *pending = lt_zalloc(sizeof(*pending));
	struct lt_err err = { 0 };
	const struct lt_local_call wanted = {
		.procedure = lt_buf_str(&wish->procedure),
		.args = wish->args,
		.kwargs = wish->kwargs,
		.timeout_ms = bridge->timeout_ms,
		.fn = on_result,
		.arg = pending,
	};

	pending->bridge = bridge;
	pending->req = req;
	DL_APPEND(bridge->pending, pending);
	if (lt_local_call_full(bridge->local, &wanted, &pending->call, &err)) {
		lt_http_on_gone(req, on_gone, pending);
		return;
	}
	free_pending(pending);
	reply_error(req, 200, lt_wamp_error_uri(LT_WAMP_CALL, err.code), err.msg);
}

static void on_request(void *arg, struct lt_http_req *req)
{
	struct lt_http_call *bridge = arg;
	struct wish wish = { .args = LT_STR("[]") };
	struct lt_err err = { 0 };

	if (!is_json(req)) {
		reply_error(req, 400, "wamp.error.invalid_argument",
				"the content type is not application/json");
	} else if (!read_wish(bridge, lt_http_body(req), &wish, &err)) {
		reply_error(req, 400, "wamp.error.invalid_argument", err.msg);
	} else {
		call(bridge, req, &wish);
	}
	lt_buf_finish(&wish.procedure);
}

/* --- public --- */

struct lt_http_call *lt_http_call_create(const struct lt_http_call_opts *opts)
{
	struct lt_http_call *bridge = lt_zalloc(sizeof(*bridge));

	bridge->router = opts->router;
	bridge->realm = lt_strdup(opts->realm);
	bridge->body_bytes = opts->body_bytes ? opts->body_bytes : BODY_BYTES;
	bridge->timeout_ms = opts->timeout_ms ? opts->timeout_ms : TIMEOUT_MS;
	return bridge;
}

void lt_http_call_destroy(struct lt_http_call *bridge)
{
	if (bridge) {
		lt_http_call_stop(bridge);
		lt_free(bridge->realm);
		lt_free(bridge);
	}
}

bool lt_http_call_start(struct lt_http_call *bridge, struct lt_err *err)
{
	bridge->local = lt_local_join(
			bridge->router, lt_str_from(bridge->realm), "http", "anonymous", err);
	if (!bridge->local) {
		return lt_err_prefix(err, "calls over HTTP");
	}
	lt_http_add(lt_router_http(bridge->router),
			&(struct lt_http_route){
					.method = "POST",
					.path = PATH,
					.cors = true,
					.body_max = bridge->body_bytes,
					.fn = on_request,
					.arg = bridge,
			});
	return true;
}

void lt_http_call_stop(struct lt_http_call *bridge)
{
	if (!bridge->local) {
		return;
	}
	lt_http_remove(lt_router_http(bridge->router), "POST", PATH);
	lt_local_leave(LT_STEAL(bridge->local));
	while (bridge->pending) {
		struct lt_http_req *req = bridge->pending->req;

		free_pending(bridge->pending);
		lt_http_on_gone(req, NULL, NULL);
		reply_error(req, 503, "wamp.close.system_shutdown", "the router stops");
	}
}
