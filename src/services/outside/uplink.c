#include "services/outside/uplink.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "net/net_env.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/outside/router_link.h"
#include "services/outside/wamp_peer.h"

#define QUEUE_SOFT     ((size_t)1024 * 1024) /* bytes on their way before topics are conflated */
#define DRAIN_MS       50
#define STOP_MS        2000
#define CALL_MS        30000
#define CALLS_MAX      256
#define WAITING_MAX    8192 /* topics */
#define TOPIC_ANALYSIS "livetiming.analysis/"

/* What a service offers to everybody. What operators alone may do is not carried over: the
 * caller's role is known to the router, and not here. */
static const char *const procedures[] = { LT_RPC_IS_ALIVE, LT_RPC_REQUEST_STATE,
	LT_RPC_REQUEST_ANALYSIS, "livetiming.service.requestAnalysisManifest.",
	"livetiming.service.requestAnalysisCarList." };

/* An event that waits for the connection to take more: the newest of its topic. */
struct waiting {
	UT_hash_handle hh;
	char *topic;
	struct lt_buf args;
};

/* A call on its way through the realm of the process. */
struct call {
	struct lt_uplink *uplink;
	uint64_t invocation, session; /* of the router, and its session then */
	struct call *prev, *next;
};

struct lt_uplink {
	struct lt_uplink_env env;
	char *url, *uuid;
	struct lt_link *link;
	struct lt_peer *peer;
	struct lt_local *local;
	uint64_t session;          /* 0: not joined */
	uint64_t states, analyses; /* subscriptions in our realm while joined */
	struct lt_buf manifest;    /* payload of the newest one; empty: none yet */
	bool has_joined;           /* ever */
	bool is_down_told;         /* the log knows that the router is away */
	bool is_stopping;
	bool is_refused; /* and the owner is told */
	struct waiting *waiting;
	struct call *calls;
	size_t call_count;
	struct lt_timer drain, stop_timer;
	struct lt_deferred refused_call, lost_call;
	char reason[240];
	void (*done)(void *arg);
	void *done_arg;
};

/* --- events out --- */

static bool is_retained(struct lt_str topic)
{
	return !lt_str_ends(topic, LT_STR("/lap")) && !lt_str_ends(topic, LT_STR("/stint"));
}

static void send(void *arg, struct lt_str message)
{
	struct lt_uplink *uplink = arg;
	struct lt_err err;

	if (!lt_link_send(uplink->link, message, &err) && err.code != LT_E_UNAVAILABLE) {
		lt_log(&uplink->env.log, LT_WARN, "message to the router left out", "reason=\"%s\"",
				err.msg);
	}
}

static void free_waiting(struct lt_uplink *uplink)
{
	struct waiting *waiting, *next;

	HASH_ITER(hh, uplink->waiting, waiting, next) {
		HASH_DEL(uplink->waiting, waiting);
		lt_buf_finish(&waiting->args);
		lt_free(waiting->topic);
		lt_free(waiting);
	}
	lt_timer_cancel(&uplink->drain);
}

static void on_drain(void *arg)
{
	struct lt_uplink *uplink = arg;
	struct waiting *waiting, *next;

	HASH_ITER(hh, uplink->waiting, waiting, next) {
		if (lt_link_queued(uplink->link) >= QUEUE_SOFT) {
			return;
		}
		struct lt_str topic = lt_str_from(waiting->topic);

		lt_peer_publish(uplink->peer, topic, is_retained(topic),
				lt_buf_str(&waiting->args));
		HASH_DEL(uplink->waiting, waiting);
		lt_buf_finish(&waiting->args);
		lt_free(waiting->topic);
		lt_free(waiting);
	}
	lt_timer_cancel(&uplink->drain);
}

static void publish_later(struct lt_uplink *uplink, struct lt_str topic, struct lt_str args)
{
	struct waiting *waiting;

	HASH_FIND(hh, uplink->waiting, topic.p, (unsigned)topic.n, waiting);
	if (waiting == NULL) {
		if (HASH_COUNT(uplink->waiting) >= WAITING_MAX) {
			return; /* the next event of that topic tries again */
		}
		waiting = lt_zalloc(sizeof(*waiting));
		waiting->topic = lt_str_dup(topic);
		HASH_ADD_KEYPTR(hh, uplink->waiting, waiting->topic, (unsigned)topic.n, waiting);
	}
	lt_buf_clear(&waiting->args);
	lt_buf_add_str(&waiting->args, args);
	if (!lt_timer_is_armed(&uplink->drain)) {
		lt_timer_every(&uplink->drain, uplink->env.loop, DRAIN_MS, on_drain, uplink);
	}
}

static void on_local_event(void *arg, const struct lt_event *event)
{
	struct lt_uplink *uplink = arg;

	if (uplink->session == 0) {
		return;
	}
	if (uplink->waiting != NULL || lt_link_queued(uplink->link) >= QUEUE_SOFT) {
		publish_later(uplink, event->topic, event->args);
	} else {
		lt_peer_publish(uplink->peer, event->topic, is_retained(event->topic), event->args);
	}
}

static void publish_manifest(struct lt_uplink *uplink)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	if (uplink->manifest.n > 0) {
		lt_envelope_write(&args, LT_MSG_SERVICE_REGISTRATION,
				lt_loop_wall(uplink->env.loop), false,
				lt_buf_str(&uplink->manifest));
		lt_peer_publish(uplink->peer, LT_STR(LT_TOPIC_CONTROL), false, lt_buf_str(&args));
	}
}

static void on_local_control(void *arg, const struct lt_event *event)
{
	struct lt_uplink *uplink = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	struct lt_envelope envelope;

	if (args == NULL ||
			!lt_envelope_read(args, lt_loop_wall(uplink->env.loop), &envelope, NULL) ||
			envelope.msg_class != LT_MSG_SERVICE_REGISTRATION) {
		return;
	}
	lt_buf_clear(&uplink->manifest);
	lt_json_print(&uplink->manifest, envelope.payload, LT_JSON_UTF8);
	if (uplink->states != 0) {
		publish_manifest(uplink); /* else when all is registered */
	}
}

/* --- what the router asks --- */

/* "Who is there?": the service answers in our realm, a second later, once for all that ask. */
static void on_control(void *arg, const struct lt_peer_event *event)
{
	struct lt_uplink *uplink = arg;

	if (event->args.n > 0) {
		lt_local_publish(uplink->local, LT_STR(LT_TOPIC_CONTROL), false, event->args, NULL);
	}
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct call *call = arg;
	struct lt_uplink *uplink = call->uplink;

	if (call->session == uplink->session && uplink->session != 0) {
		if (result->ok) {
			lt_peer_yield(uplink->peer, call->invocation, result->args, result->kwargs);
		} else {
			lt_peer_error(uplink->peer, call->invocation, result->error, result->args);
		}
	}
	DL_DELETE(uplink->calls, call);
	uplink->call_count--;
	lt_free(call);
}

static void on_invocation(void *arg, const struct lt_peer_invocation *invocation)
{
	struct lt_uplink *uplink = arg;
	struct call *call;
	struct lt_err err;

	if (uplink->call_count >= CALLS_MAX) {
		lt_peer_error(uplink->peer, invocation->id, "wamp.error.unavailable",
				LT_STR("[\"too many calls are being answered\"]"));
		return;
	}
	call = lt_zalloc(sizeof(*call));
	*call = (struct call){
		.uplink = uplink, .invocation = invocation->id, .session = uplink->session
	};
	DL_APPEND(uplink->calls, call);
	uplink->call_count++;
	struct lt_local_call local = { .procedure = invocation->procedure,
		.args = invocation->args,
		.kwargs = invocation->kwargs,
		.timeout_ms = CALL_MS,
		.fn = on_result,
		.arg = call };

	if (!lt_local_call_full(uplink->local, &local, NULL, &err)) {
		on_result(call, &(struct lt_result){ .error = "wamp.error.no_such_procedure" });
	}
}

/* --- sessions --- */

static void forget_session(struct lt_uplink *uplink)
{
	if (uplink->states != 0) {
		lt_local_unsubscribe(uplink->local, uplink->states, NULL);
	}
	if (uplink->analyses != 0) {
		lt_local_unsubscribe(uplink->local, uplink->analyses, NULL);
	}
	uplink->states = uplink->analyses = 0;
	uplink->session = 0;
	free_waiting(uplink);
}

static void finish_stop(void *arg)
{
	struct lt_uplink *uplink = arg;

	lt_timer_cancel(&uplink->stop_timer);
	lt_link_stop(uplink->link);
	lt_peer_lost(uplink->peer);
	forget_session(uplink);
	if (uplink->done != NULL) {
		LT_STEAL(uplink->done)(uplink->done_arg);
	}
}

static void on_joined(void *arg, uint64_t session)
{
	struct lt_uplink *uplink = arg;

	uplink->session = session;
	for (size_t i = 0; i < LT_ARRAY_LEN(procedures); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_printf(&name, "%s%s", procedures[i], uplink->uuid);
		lt_peer_register(uplink->peer, name.p, on_invocation);
	}
	/* Other routers may let anybody call it. */
	if (lt_peer_is_ours(uplink->peer)) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_printf(&name, "livetiming.service.desk.%s", uplink->uuid);
		lt_peer_register(uplink->peer, name.p, on_invocation);
		lt_buf_clear(&name);
		lt_buf_printf(&name, "%s%s", LT_RPC_PUSH, uplink->uuid);
		lt_peer_register(uplink->peer, name.p, on_invocation);
	}
	lt_peer_subscribe(uplink->peer, LT_TOPIC_CONTROL, on_control);
}

/* The procedures are there: now the directory may hear of us, and ask. */
static void on_settled(void *arg)
{
	struct lt_uplink *uplink = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	struct lt_err err;

	if (uplink->is_refused) {
		return;
	}
	uplink->has_joined = true;
	uplink->is_down_told = false;
	lt_link_good(uplink->link);
	lt_log(&uplink->env.log, LT_INFO, "joined the router", "url=%s uuid=%s session=%" PRIu64,
			uplink->url, uplink->uuid, uplink->session);
	publish_manifest(uplink);
	lt_buf_printf(&topic, "%s%s", LT_TOPIC_SERVICE, uplink->uuid);
	uplink->states = lt_local_subscribe(uplink->local, lt_buf_str(&topic), LT_MATCH_EXACT, true,
			on_local_event, uplink, &err);
	uplink->analyses = lt_local_subscribe(uplink->local, LT_STR(TOPIC_ANALYSIS),
			LT_MATCH_PREFIX, true, on_local_event, uplink, &err);
	if (uplink->states == 0 || uplink->analyses == 0) {
		lt_log(&uplink->env.log, LT_ERROR, "the service cannot be heard", "reason=\"%s\"",
				err.msg);
	}
}

static void tell_refused(void *arg)
{
	struct lt_uplink *uplink = arg;

	uplink->env.refused(uplink->env.arg, uplink->reason);
}

static void refuse(struct lt_uplink *uplink, const char *reason)
{
	uplink->is_down_told = uplink->is_refused = true;
	snprintf(uplink->reason, sizeof(uplink->reason), "%s", reason);
	lt_loop_defer(uplink->env.loop, &uplink->refused_call, tell_refused, uplink);
}

static void on_request_refused(void *arg, const char *what, const char *uri)
{
	struct lt_uplink *uplink = arg;
	char shown[LT_LOG_VALUE_MAX];

	if (uplink->is_refused) {
		return; /* the first one tells all */
	}
	lt_log(&uplink->env.log, LT_ERROR, "the router refuses", "what=%s error=%s", what,
			lt_log_value(lt_str_from(uri), shown));
	if (!uplink->has_joined && strcmp(uri, "wamp.error.not_authorized") == 0) {
		struct lt_err err;

		lt_err_set(&err, LT_E_DENIED,
				"the router does not let this session serve (%s): is LIVETIMING_SHARED_SECRET set?",
				shown);
		refuse(uplink, err.msg);
	}
}

static void tell_down(struct lt_uplink *uplink, struct lt_str reason)
{
	char shown[LT_LOG_VALUE_MAX];

	if (!uplink->is_down_told && !uplink->is_stopping) {
		lt_log(&uplink->env.log, LT_WARN, "not connected to the router, trying again",
				"url=%s reason=%s", uplink->url, lt_log_value(reason, shown));
	}
	uplink->is_down_told = true;
}

/* Out of the callback of the link, which may not be stopped under its feet. */
static void on_session_over(void *arg)
{
	struct lt_uplink *uplink = arg;

	if (uplink->is_stopping) {
		finish_stop(uplink);
	} else {
		lt_link_retry(uplink->link);
	}
}

static void on_session_ended(void *arg, const struct lt_err *reason)
{
	struct lt_uplink *uplink = arg;

	forget_session(uplink);
	if (reason->code == LT_E_DENIED && !uplink->has_joined) {
		refuse(uplink, reason->msg);
		return;
	}
	tell_down(uplink, lt_str_from(reason->msg));
	lt_loop_defer(uplink->env.loop, &uplink->lost_call, on_session_over, uplink);
}

/* --- the connection --- */

static void on_connected(void *arg)
{
	struct lt_uplink *uplink = arg;

	lt_peer_open(uplink->peer);
}

static void on_message(void *arg, struct lt_str message)
{
	struct lt_uplink *uplink = arg;

	lt_peer_receive(uplink->peer, message);
}

static void on_disconnected(void *arg, struct lt_str reason)
{
	struct lt_uplink *uplink = arg;

	lt_peer_lost(uplink->peer);
	forget_session(uplink);
	tell_down(uplink, reason);
	if (uplink->is_stopping) {
		lt_loop_defer(uplink->env.loop, &uplink->lost_call, on_session_over, uplink);
	}
}

/* --- life --- */

struct lt_uplink *lt_uplink_create(const struct lt_uplink_env *env, struct lt_err *err)
{
	struct lt_uplink *uplink = lt_zalloc(sizeof(*uplink));
	struct lt_link_env link = { .net = { env->loop, env->random },
		.ws_hub = env->ws_hub,
		.url = env->url,
		.waits_ms = env->waits_ms,
		.waits_n = env->waits_n,
		.connected = on_connected,
		.message = on_message,
		.disconnected = on_disconnected,
		.arg = uplink };

	uplink->env = *env;
	uplink->env.log.module = "uplink";
	uplink->url = lt_strdup(env->url);
	uplink->uuid = lt_strdup(env->uuid);
	uplink->peer = lt_peer_create(&(struct lt_peer_env){ .realm = LT_REALM,
			.authid = env->authid,
			.agent = "livetimingd-" LT_VERSION,
			.secret = env->secret,
			.send = send,
			.joined = on_joined,
			.settled = on_settled,
			.refused = on_request_refused,
			.ended = on_session_ended,
			.arg = uplink });
	uplink->env.secret = (struct lt_str){ NULL, 0 };
	if (env->manifest != NULL) {
		lt_json_print(&uplink->manifest, env->manifest, LT_JSON_UTF8);
	}
	uplink->env.manifest = NULL;
	uplink->link = lt_link_create(&link, err);
	if (uplink->link == NULL) {
		lt_uplink_destroy(uplink);
		return NULL;
	}
	return uplink;
}

/* The service may have said it a moment ago. It answers a second later. */
static void ask_manifest(struct lt_uplink *uplink)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	lt_envelope_write(&args, LT_MSG_INITIALISE_DIRECTORY, lt_loop_wall(uplink->env.loop), false,
			LT_STR("null"));
	lt_local_publish(uplink->local, LT_STR(LT_TOPIC_CONTROL), false, lt_buf_str(&args), NULL);
}

bool lt_uplink_start(struct lt_uplink *uplink, struct lt_err *err)
{
	uplink->local = lt_local_join(
			uplink->env.router, LT_STR(LT_REALM), "uplink", "services", err);
	if (uplink->local == NULL ||
			!lt_local_subscribe(uplink->local, LT_STR(LT_TOPIC_CONTROL), LT_MATCH_EXACT,
					false, on_local_control, uplink, err)) {
		return lt_err_prefix(err, "uplink");
	}
	if (uplink->manifest.n == 0) {
		ask_manifest(uplink);
	}
	lt_link_start(uplink->link);
	return true;
}

/* Give what was published last a chance to leave, then say GOODBYE. */
static void on_stop_tick(void *arg)
{
	struct lt_uplink *uplink = arg;

	if (uplink->waiting == NULL && lt_peer_is_joined(uplink->peer)) {
		lt_peer_goodbye(uplink->peer);
		lt_timer_once(&uplink->stop_timer, uplink->env.loop, STOP_MS, finish_stop, uplink);
	} else {
		finish_stop(uplink);
	}
}

void lt_uplink_stop(struct lt_uplink *uplink, void (*done)(void *arg), void *arg)
{
	uplink->is_stopping = true;
	uplink->done = done;
	uplink->done_arg = arg;
	/* a turn later: events of our realm arrive at the end of this one */
	lt_timer_once(&uplink->stop_timer, uplink->env.loop, uplink->session != 0 ? DRAIN_MS : 0,
			on_stop_tick, uplink);
}

void lt_uplink_destroy(struct lt_uplink *uplink)
{
	struct call *call, *next;

	if (uplink == NULL) {
		return;
	}
	lt_deferred_cancel(&uplink->refused_call);
	lt_deferred_cancel(&uplink->lost_call);
	lt_timer_cancel(&uplink->stop_timer);
	free_waiting(uplink);
	lt_local_leave(uplink->local);
	DL_FOREACH_SAFE(uplink->calls, call, next) {
		DL_DELETE(uplink->calls, call);
		lt_free(call);
	}
	lt_link_destroy(uplink->link);
	lt_peer_destroy(uplink->peer);
	lt_buf_finish(&uplink->manifest);
	lt_free(uplink->url);
	lt_free(uplink->uuid);
	lt_free(uplink);
}

bool lt_uplink_is_joined(const struct lt_uplink *uplink)
{
	return uplink->has_joined && uplink->session != 0;
}
