#include "services/web/web.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/table.h"
#include "race/envelope.h"
#include "router/http.h"
#include "router/local.h"
#include "router/router.h"
#include "services/web/web_doc.h"
#include "services/web/web_static.h"

#define STATE_FRESH_MS   1000
#define STATE_TIMEOUT_MS 5000
#define STATE_PREFIX     "/state/"
#define JSON_SUFFIX      ".json"
#define NESTING_MAX      512

/* A service of the directory, with its state document. */
struct service {
	UT_hash_handle hh; /* by uuid */
	struct lt_web *web;
	char *uuid;
	struct lt_web_doc *doc;
	struct fetch *fetch; /* the call under way, or NULL */
	bool is_listed;      /* scratch of update_services */
};

/* One requestState call; outlives a service that goes meanwhile (service is then NULL). */
struct fetch {
	struct lt_web *web;
	struct service *service;
	struct fetch *prev, *next;
};

struct lt_web {
	struct lt_web_env env;
	struct lt_local *local; /* NULL: stopped */
	struct lt_web_static *files;
	struct lt_web_doc *directory;
	struct lt_buf listing; /* JSON array of the manifests that are not hidden */
	struct service *services;
	struct fetch *fetches;
	cJSON *heard; /* the listing that came last in this turn */
	struct lt_deferred directory_heard;
	struct lt_mono started;
	bool is_draining;
};

struct lt_web *lt_web_create(const struct lt_web_env *env)
{
	struct lt_web *web = lt_zalloc(sizeof(*web));

	web->env = *env;
	web->env.log.module = "web";
	return web;
}

/* --- states --- */

static struct service *find_service(const struct lt_web *web, struct lt_str uuid)
{
	struct service *found = NULL;

	HASH_FIND(hh, web->services, uuid.p, (unsigned)uuid.n, found);
	return found;
}

/* First element of the args array, as it stands in the text. */
static bool first_argument(struct lt_str args, struct lt_str *ret_value, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;

	if (!lt_json_scan_init(&scan, args, NESTING_MAX, err) ||
			!lt_json_scan_enter(&scan, LT_JSON_ARRAY, err)) {
		return false;
	}
	if (!lt_json_scan_more(&scan)) {
		return lt_err_set(err, LT_E_FORMAT, "no value");
	}
	if (!lt_json_scan_value(&scan, &slice, err)) {
		return false;
	}
	if (slice.kind != LT_JSON_OBJECT) {
		return lt_err_set(err, LT_E_FORMAT, "not an object");
	}
	*ret_value = slice.raw;
	return true;
}

static void on_state(void *arg, const struct lt_result *result)
{
	struct fetch *fetch = arg;
	struct service *service = fetch->service;
	struct lt_err err = { 0 };
	struct lt_str state;

	DL_DELETE(fetch->web->fetches, fetch);
	lt_free(fetch);
	if (!service) {
		return;
	}
	service->fetch = NULL;
	if (!result->ok) {
		lt_web_doc_fail(service->doc, 504, "the service does not answer");
	} else if (!first_argument(result->args, &state, &err)) {
		lt_web_doc_fail(service->doc, 502, "the service's answer is not a state");
	} else {
		lt_web_doc_set(service->doc, state);
	}
}

static void fetch_state(void *arg)
{
	struct service *service = arg;
	struct lt_web *web = service->web;
	struct fetch *fetch = lt_zalloc(sizeof(*fetch));
	LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };
	struct lt_err err = { 0 };

	fetch->web = web;
	fetch->service = service;
	service->fetch = fetch;
	DL_APPEND(web->fetches, fetch);
	lt_buf_add_c(&procedure, LT_RPC_REQUEST_STATE);
	lt_buf_add_c(&procedure, service->uuid);
	if (!lt_local_call(web->local, lt_buf_str(&procedure), LT_STR("[]"), STATE_TIMEOUT_MS,
			    on_state, fetch, &err)) {
		DL_DELETE(web->fetches, fetch);
		lt_free(fetch);
		service->fetch = NULL;
		lt_web_doc_fail(service->doc, 502, err.msg);
	}
}

static void add_service(struct lt_web *web, struct lt_str uuid)
{
	struct service *service = lt_zalloc(sizeof(*service));

	service->web = web;
	service->uuid = lt_str_dup(uuid);
	service->is_listed = true;
	service->doc = lt_web_doc_create(&(struct lt_web_doc_opts){
			.loop = web->env.loop,
			.fresh_ms = STATE_FRESH_MS,
			.fetch = fetch_state,
			.arg = service,
	});
	HASH_ADD_KEYPTR(hh, web->services, service->uuid, (unsigned)uuid.n, service);
}

static void remove_service(struct lt_web *web, struct service *service)
{
	if (service->fetch) {
		service->fetch->service = NULL;
	}
	HASH_DEL(web->services, service);
	lt_web_doc_destroy(service->doc);
	lt_free(service->uuid);
	lt_free(service);
}

static void refuse(struct lt_http_req *req, int status)
{
	static const char *const later[] = { "Retry-After", "60", NULL };

	if (status == 429) {
		lt_http_reply(req,
				&(struct lt_http_reply){ .status = 429,
						.content_type = "application/json; charset=utf-8",
						.headers = later,
						.body = LT_STR("{\"error\":\"too many wrong codes; "
							       "wait a minute\"}\n") });
		return;
	}
	lt_web_doc_reply_error(req, status,
			status == 404 ? "no such service"
				      : "no private service fits this UUID and code");
}

/* A private service exists for who has its code; false: answered. NULL: there is none. */
static bool may_read(struct lt_web *web, struct lt_str uuid, struct service *service,
		struct lt_http_req *req)
{
	bool is_closed = web->env.is_closed && web->env.is_closed(web->env.private_arg, uuid);
	int status = service ? 200 : 404;

	if (web->env.gate && (is_closed || !service)) {
		status = web->env.gate(web->env.private_arg, uuid, req);
	}
	if (status == 200 && !service) {
		status = 404; /* the right code of one that does not run */
	}
	if (status != 200) {
		refuse(req, status);
		return false;
	}
	lt_web_doc_set_private(service->doc, is_closed);
	return true;
}

static void handle_state(void *arg, struct lt_http_req *req)
{
	struct lt_web *web = arg;
	struct lt_str name = lt_str_skip(lt_http_path(req), strlen(STATE_PREFIX));
	struct service *service = NULL;

	if (lt_str_ends(name, LT_STR(JSON_SUFFIX))) {
		name.n -= strlen(JSON_SUFFIX);
		service = find_service(web, name);
	}
	if (!may_read(web, name, service, req)) {
		return;
	}
	lt_web_doc_answer(service->doc, req);
}

/* --- directory --- */

static void fetch_directory(void *arg)
{
	struct lt_web *web = arg;

	lt_web_doc_set(web->directory, lt_buf_str(&web->listing));
}

static void update_services(struct lt_web *web, const cJSON *listing)
{
	struct service *service, *next;
	const cJSON *manifest;

	HASH_ITER(hh, web->services, service, next) {
		service->is_listed = false;
	}
	cJSON_ArrayForEach(manifest, listing) {
		struct lt_str uuid;

		if (!lt_json_get_str(manifest, "uuid", &uuid, NULL)) {
			continue;
		}
		service = find_service(web, uuid);
		if (service) {
			service->is_listed = true;
		} else {
			add_service(web, uuid);
		}
	}
	HASH_ITER(hh, web->services, service, next) {
		if (!service->is_listed) {
			remove_service(web, service);
		}
	}
}

static void write_listing(struct lt_web *web, const cJSON *listing)
{
	const cJSON *manifest;

	lt_buf_clear(&web->listing);
	lt_buf_add_char(&web->listing, '[');
	cJSON_ArrayForEach(manifest, listing) {
		if (cJSON_IsTrue(lt_json_get(manifest, "hidden")) ||
				cJSON_IsTrue(lt_json_get(manifest, "private"))) {
			continue;
		}
		if (web->listing.n > 1) {
			lt_buf_add_char(&web->listing, ',');
		}
		lt_json_print(&web->listing, manifest, LT_JSON_UTF8);
	}
	lt_buf_add_c(&web->listing, "]\n");
	lt_web_doc_mark_stale(web->directory);
}

static void take_listing(void *arg)
{
	struct lt_web *web = arg;

	update_services(web, web->heard);
	write_listing(web, web->heard);
	cJSON_Delete(LT_STEAL(web->heard));
}

/*
 * With private services two listings come one after the other, the second with
 * them: only the last of a turn counts, or their documents would come and go.
 */
static void on_directory(void *arg, const struct lt_event *event)
{
	struct lt_web *web = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	struct lt_envelope envelope;

	if (args && lt_envelope_read(args, lt_loop_wall(web->env.loop), &envelope, NULL) &&
			envelope.msg_class == LT_MSG_DIRECTORY_LISTING) {
		cJSON_Delete(web->heard);
		web->heard = cJSON_Duplicate(envelope.payload, true);
		lt_loop_defer(web->env.loop, &web->directory_heard, take_listing, web);
	}
}

static void handle_directory(void *arg, struct lt_http_req *req)
{
	struct lt_web *web = arg;

	lt_web_doc_answer(web->directory, req);
}

/* --- small routes --- */

/* What may stand in an authority, so that it can be echoed. */
static bool is_host(struct lt_str host)
{
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				    (c != '\0' && strchr(".-_:[]", c)))) {
			return false;
		}
	}
	return host.n > 0 && host.n <= 255;
}

static bool is_secure(const struct lt_web *web, const struct lt_http_req *req)
{
	return lt_http_is_tls(req) ||
			(web->env.trust_proxy &&
					lt_str_eq_c(lt_http_header(req, "x-forwarded-proto"),
							"https"));
}

static void handle_relays(void *arg, struct lt_http_req *req)
{
	struct lt_web *web = arg;
	struct lt_str host = lt_http_header(req, "host");
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };
	struct lt_router_stats stats;

	if (!is_host(host)) {
		lt_http_reply_text(req, 400, "the Host header is missing or malformed");
		return;
	}
	lt_router_report(web->env.router, &stats);
	lt_buf_printf(&body, "{\"args\":[{\"%s://%.*s/ws\":%llu}]}\n",
			is_secure(web, req) ? "wss" : "ws", LT_STR_ARG(host),
			(unsigned long long)stats.connections);
	lt_http_reply(req,
			&(struct lt_http_reply){ .status = 200,
					.content_type = "application/json; charset=utf-8",
					.body = lt_buf_str(&body) });
}

/* Why the daemon is not ready; NULL: it is. */
static const char *not_ready(const struct lt_web *web)
{
	if (web->is_draining) {
		return "stopping";
	}
	return web->env.trouble ? web->env.trouble(web->env.arg) : NULL;
}

static void handle_health(void *arg, struct lt_http_req *req)
{
	struct lt_web *web = arg;
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };
	int64_t uptime_us = lt_loop_now(web->env.loop).us - web->started.us;
	struct lt_router_stats stats;
	const char *reason = not_ready(web);

	lt_router_report(web->env.router, &stats);
	lt_json_add_c(json, "status", web->is_draining ? "stopping" : reason ? "degraded" : "ok");
	lt_json_add_bool(json, "live", true);
	lt_json_add_bool(json, "ready", !reason);
	if (reason) {
		lt_json_add_c(json, "reason", reason);
	}
	lt_json_add_c(json, "version", web->env.version);
	lt_json_add_int(json, "uptime_s", uptime_us / LT_US_PER_S);
	lt_json_add_int(json, "connections", (int64_t)stats.connections);
	lt_json_add_int(json, "sessions", (int64_t)stats.sessions);
	lt_json_add_int(json, "services", HASH_COUNT(web->services));
	lt_json_print(&body, json, LT_JSON_COMPACT);
	lt_buf_add_char(&body, '\n');
	lt_http_reply(req,
			&(struct lt_http_reply){ .status = 200,
					.content_type = "application/json; charset=utf-8",
					.body = lt_buf_str(&body) });
}

static void handle_healthz(void *arg, struct lt_http_req *req)
{
	(void)arg;
	lt_http_reply_text(req, 200, "ok");
}

static void handle_readyz(void *arg, struct lt_http_req *req)
{
	const char *reason = not_ready(arg);

	lt_http_reply_text(req, reason ? 503 : 200, reason ? reason : "ready");
}

/* --- life --- */

static const struct route {
	const char *path;
	bool cors;
	lt_http_fn fn;
} routes[] = {
	{ "/directory.json", true, handle_directory },
	{ STATE_PREFIX, true, handle_state },
	{ "/relays", true, handle_relays },
	{ "/health", true, handle_health },
	{ "/healthz", false, handle_healthz },
	{ "/health/live", false, handle_healthz },
	{ "/readyz", false, handle_readyz },
	{ "/health/ready", false, handle_readyz },
};

static void load_page(struct lt_web *web)
{
	struct lt_err err = { 0 };
	char value[LT_LOG_VALUE_MAX];

	web->files = lt_web_static_create(web->env.frame_ancestors, web->env.connect_to);
	if (!lt_web_static_load(web->files, web->env.dir, &err)) {
		lt_log(&web->env.log, LT_WARN, "the viewer page is not served", "reason=%s",
				lt_log_value(lt_str_from(err.msg), value));
		lt_web_static_destroy(web->files);
		web->files = lt_web_static_create(web->env.frame_ancestors, web->env.connect_to);
	}
}

bool lt_web_start(struct lt_web *web, struct lt_err *err)
{
	struct lt_http *http = lt_router_http(web->env.router);

	web->started = lt_loop_now(web->env.loop);
	web->directory = lt_web_doc_create(&(struct lt_web_doc_opts){
			.loop = web->env.loop,
			.fetch = fetch_directory,
			.arg = web,
	});
	write_listing(web, NULL);
	load_page(web);
	web->local = lt_local_join(web->env.router, LT_STR(LT_REALM), "web", "services", err);
	if (!web->local ||
			!lt_local_subscribe(web->local, LT_STR(LT_TOPIC_DIRECTORY), LT_MATCH_EXACT,
					true, on_directory, web, err)) {
		lt_web_stop(web);
		return lt_err_prefix(err, "web");
	}
	lt_web_static_mount(web->files, http);
	for (size_t i = 0; i < LT_ARRAY_LEN(routes); i++) {
		lt_http_add(http,
				&(struct lt_http_route){
						.method = "GET",
						.path = routes[i].path,
						.cors = routes[i].cors,
						.fn = routes[i].fn,
						.arg = web,
				});
	}
	return true;
}

void lt_web_stop(struct lt_web *web)
{
	struct lt_http *http = lt_router_http(web->env.router);
	struct fetch *fetch, *next;

	if (web->files) {
		lt_web_static_unmount(web->files, http);
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(routes); i++) {
		lt_http_remove(http, "GET", routes[i].path);
	}
	lt_deferred_cancel(&web->directory_heard);
	lt_local_leave(LT_STEAL(web->local));
	while (web->services) {
		remove_service(web, web->services);
	}
	/* after leaving, no result comes any more */
	DL_FOREACH_SAFE(web->fetches, fetch, next) {
		DL_DELETE(web->fetches, fetch);
		lt_free(fetch);
	}
	lt_web_doc_destroy(LT_STEAL(web->directory));
	lt_web_static_destroy(LT_STEAL(web->files));
	lt_buf_finish(&web->listing);
	cJSON_Delete(LT_STEAL(web->heard));
}

void lt_web_destroy(struct lt_web *web)
{
	if (web) {
		lt_web_stop(web);
		lt_free(web);
	}
}

void lt_web_drain(struct lt_web *web)
{
	web->is_draining = true;
}
