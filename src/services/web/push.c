#include "services/web/push.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/table.h"
#include "race/envelope.h"
#include "race/feed_json.h"
#include "router/http.h"
#include "router/local.h"
#include "router/router.h"

#define PATH        "/push/"
#define TIMEOUT_MS  15000
#define PENDING_MAX 256

/* A message on its way. */
struct pending {
	struct pending *prev, *next;
	struct lt_push *push;
	struct lt_http_req *req;
	uint64_t call;
};

struct lt_push {
	struct lt_push_env env;
	struct lt_local *local; /* NULL: stopped */
	struct pending *pending;
	size_t pending_count;
};

/* --- answers --- */

static void reply(struct lt_http_req *req, int status, struct lt_str body)
{
	static const char *const ask[] = { "WWW-Authenticate", "Bearer realm=\"push\"", NULL };
	static const char *const wait[] = { "Retry-After", "1", NULL };

	lt_http_reply(req,
			&(struct lt_http_reply){
					.status = status,
					.content_type = "application/json; charset=utf-8",
					.cache_control = "no-store",
					.headers = status == 401        ? ask
							: status == 429 ? wait
									: NULL,
					.body = body,
			});
}

static void refuse(struct lt_http_req *req, int status, struct lt_str sentence)
{
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };

	lt_buf_add_c(&body, "{\"error\":");
	lt_json_write_str(&body, sentence);
	lt_buf_add_c(&body, "}\n");
	reply(req, status, lt_buf_str(&body));
}

static int status_of(const char *uri)
{
	static const struct {
		const char *uri;
		int status;
	} statuses[] = {
		{ "wamp.error.invalid_argument", 400 },
		{ "livetiming.error.denied", 401 },
		{ "wamp.error.no_such_procedure", 404 },
		{ "livetiming.error.too_often", 429 },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(statuses); i++) {
		if (strcmp(uri, statuses[i].uri) == 0) {
			return statuses[i].status;
		}
	}
	return 503;
}

static void free_pending(struct pending *pending)
{
	DL_DELETE(pending->push->pending, pending);
	pending->push->pending_count--;
	lt_free(pending);
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct pending *pending = arg;
	struct lt_http_req *req = pending->req;
	LT_AUTO(cJSON_Delete)
	cJSON *args = result->args.n > 0 ? lt_json_parse(result->args, NULL) : NULL;
	const cJSON *first = cJSON_GetArrayItem(args, 0);

	free_pending(pending);
	if (result->ok) {
		LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };

		lt_json_print(&body, first, LT_JSON_UTF8);
		lt_buf_add_char(&body, '\n');
		reply(req, 200, lt_buf_str(&body));
		return;
	}
	int status = status_of(result->error);

	refuse(req, status,
			status == 404 ? LT_STR("this service takes no messages")
					: cJSON_IsString(first)
					? lt_str_from(first->valuestring)
					: LT_STR("the service does not answer"));
}

static void on_gone(void *arg)
{
	free_pending(arg); /* the message was sent: it counts */
}

/* --- requests --- */

static bool is_json(const struct lt_http_req *req)
{
	struct lt_str type = lt_http_header(req, "content-type");

	/* curl -d says the second one for whatever it sends. */
	struct lt_str first = lt_str_trim(lt_str_split(&type, ';'));

	return first.n == 0 || lt_str_eq_c(first, "application/json") ||
			lt_str_eq_c(first, "application/x-www-form-urlencoded");
}

/* "Bearer TOKEN"; p NULL: there is none. */
static struct lt_str token_of(const struct lt_http_req *req)
{
	static const char scheme[] = "bearer ";
	struct lt_str value = lt_http_header(req, "authorization");

	if (value.n < strlen(scheme)) {
		return (struct lt_str){ NULL, 0 };
	}
	for (size_t i = 0; i < strlen(scheme); i++) {
		char c = value.p[i];

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != scheme[i]) {
			return (struct lt_str){ NULL, 0 };
		}
	}
	return lt_str_trim(lt_str_skip(value, strlen(scheme)));
}

static bool check_body(struct lt_str body, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice value;

	return lt_json_scan_init(&scan, body, LT_FEED_JSON_DEPTH, err) &&
			lt_json_scan_value(&scan, &value, err) && lt_json_scan_end(&scan, err);
}

static void send(struct lt_push *push, struct lt_http_req *req, struct lt_str uuid,
		struct lt_str token)
{
	LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf kwargs = { 0 };
	struct pending *pending = lt_zalloc(sizeof(*pending));
	struct lt_err err = { 0 };

	lt_buf_printf(&procedure, "%s%.*s", LT_RPC_PUSH, LT_STR_ARG(uuid));
	lt_buf_add_char(&args, '[');
	lt_buf_add_str(&args, lt_http_body(req));
	lt_buf_add_char(&args, ']');
	lt_buf_add_c(&kwargs, "{\"token\":");
	lt_json_write_str(&kwargs, token);
	lt_buf_add_char(&kwargs, '}');
	*pending = (struct pending){ .push = push, .req = req };
	DL_APPEND(push->pending, pending);
	push->pending_count++;
	const struct lt_local_call call = { .procedure = lt_buf_str(&procedure),
		.args = lt_buf_str(&args),
		.kwargs = lt_buf_str(&kwargs),
		.timeout_ms = TIMEOUT_MS,
		.fn = on_result,
		.arg = pending };

	if (lt_local_call_full(push->local, &call, &pending->call, &err)) {
		lt_http_on_gone(req, on_gone, pending);
	} else {
		free_pending(pending);
		refuse(req, 404, LT_STR("there is no such service"));
	}
}

/* A name of a service here; anything else may be the UUID of one elsewhere. */
static bool find(const struct lt_push *push, struct lt_str name, struct lt_str *ret_uuid,
		struct lt_err *err)
{
	if (push->env.find(push->env.arg, name, ret_uuid, err)) {
		return true;
	}
	*ret_uuid = name;
	return err->code == LT_E_NOT_FOUND;
}

static void on_request(void *arg, struct lt_http_req *req)
{
	struct lt_push *push = arg;
	struct lt_str name = lt_str_skip(lt_http_path(req), strlen(PATH)), uuid;
	struct lt_str token = token_of(req);
	struct lt_err err = { 0 };

	if (token.n == 0) {
		refuse(req, 401, LT_STR("expected Authorization: Bearer TOKEN"));
	} else if (!is_json(req)) {
		refuse(req, 415, LT_STR("the content type is not application/json"));
	} else if (name.n == 0 || name.n > 128 || !lt_utf8_valid(name) ||
			!find(push, name, &uuid, &err)) {
		refuse(req, 404,
				err.msg[0] ? lt_str_from(err.msg)
					   : LT_STR("there is no such service"));
	} else if (!lt_utf8_valid(token)) {
		refuse(req, 401, LT_STR("the token of this service is missing or wrong"));
	} else if (!check_body(lt_http_body(req), &err)) {
		refuse(req, 400, lt_str_from(err.msg));
	} else if (push->pending_count >= PENDING_MAX) {
		refuse(req, 503, LT_STR("too many messages are on their way"));
	} else {
		send(push, req, uuid, token);
	}
}

/* --- life --- */

struct lt_push *lt_push_create(const struct lt_push_env *env)
{
	struct lt_push *push = lt_zalloc(sizeof(*push));

	push->env = *env;
	lt_router_reserve(env->router, LT_STR(LT_RPC_PUSH), LT_RESERVE_CALL);
	return push;
}

void lt_push_destroy(struct lt_push *push)
{
	if (push) {
		lt_push_stop(push);
		lt_free(push);
	}
}

bool lt_push_start(struct lt_push *push, struct lt_err *err)
{
	push->local = lt_local_join(push->env.router, LT_STR(LT_REALM), "push", "services", err);
	if (!push->local) {
		return lt_err_prefix(err, "messages over HTTP");
	}
	lt_http_add(lt_router_http(push->env.router),
			&(struct lt_http_route){
					.method = "POST",
					.path = PATH,
					.body_max = LT_PUSH_BYTES_MAX,
					.fn = on_request,
					.arg = push,
			});
	return true;
}

void lt_push_stop(struct lt_push *push)
{
	if (!push->local) {
		return;
	}
	lt_http_remove(lt_router_http(push->env.router), "POST", PATH);
	lt_local_leave(LT_STEAL(push->local));
	while (push->pending) {
		struct lt_http_req *req = push->pending->req;

		free_pending(push->pending);
		lt_http_on_gone(req, NULL, NULL);
		refuse(req, 503, LT_STR("the daemon stops"));
	}
}
