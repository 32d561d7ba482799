#include "services/outside/standalone.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "net/ws_server.h"
#include "race/envelope.h"
#include "router/local.h"

#define TOPIC_ANALYSIS "livetiming.analysis/"
#define CALL_MS        30000

struct lt_standalone {
	struct lt_standalone_env env;
	char *uuid;
	struct lt_ws_server *server;
	struct lt_local *local;
	uint64_t states, analyses; /* subscriptions, while there is a client */
	struct lt_buf manifest;    /* the event's arguments; empty: none yet */
	struct lt_deferred greet;
	bool is_asking; /* the analysis is on its way */
};

struct lt_standalone *lt_standalone_create(const struct lt_standalone_env *env)
{
	struct lt_standalone *standalone = lt_zalloc(sizeof(*standalone));

	standalone->env = *env;
	standalone->env.log.module = "standalone";
	standalone->uuid = lt_strdup(env->uuid);
	if (env->manifest != NULL) {
		LT_AUTO(lt_buf_finish) struct lt_buf payload = { 0 };

		lt_json_print(&payload, env->manifest, LT_JSON_UTF8);
		lt_envelope_write(&standalone->manifest, LT_MSG_SERVICE_REGISTRATION,
				lt_loop_wall(env->loop), false, lt_buf_str(&payload));
	}
	standalone->env.manifest = NULL;
	return standalone;
}

/* --- saying --- */

/* [topic, envelope]; args is the array with the one envelope. */
static void say(struct lt_standalone *standalone, struct lt_str topic, struct lt_str args)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (args.n < 2) {
		return;
	}
	lt_buf_add_char(&text, '[');
	lt_json_write_str(&text, topic);
	lt_buf_add_c(&text, ", ");
	lt_buf_add(&text, args.p + 1, args.n - 2);
	lt_buf_add_char(&text, ']');
	lt_ws_server_send_all(standalone->server, lt_buf_str(&text));
}

static void on_event(void *arg, const struct lt_event *event)
{
	say(arg, event->topic, event->args);
}

static void on_control(void *arg, const struct lt_event *event)
{
	struct lt_standalone *standalone = arg;

	lt_buf_clear(&standalone->manifest);
	lt_buf_add_str(&standalone->manifest, event->args);
	say(standalone, event->topic, event->args);
}

/* One part of the whole analysis, as the service publishes it: a retained one has no date. */
static void say_part(struct lt_standalone *standalone, struct lt_str key, struct lt_str payload)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 }, args = { 0 };

	lt_buf_printf(&topic, "%s%s/%.*s", TOPIC_ANALYSIS, standalone->uuid, LT_STR_ARG(key));
	if (lt_str_eq_c(key, "lap") || lt_str_eq_c(key, "stint")) {
		lt_envelope_write(&args, LT_MSG_ANALYSIS_DATA, lt_loop_wall(standalone->env.loop),
				false, payload);
	} else {
		lt_buf_printf(&args, "[{\"msgClass\": %d, \"date\": true, \"payload\": ",
				LT_MSG_ANALYSIS_DATA);
		lt_buf_add_str(&args, payload);
		lt_buf_add_c(&args, "}]");
	}
	say(standalone, lt_buf_str(&topic), lt_buf_str(&args));
}

/* [{"static": ..., ...}] or [null]: cut, not parsed, for it can be a day's. */
static void on_analysis(void *arg, const struct lt_result *result)
{
	struct lt_standalone *standalone = arg;
	struct lt_json_scan scan;
	enum lt_json_kind kind;
	struct lt_err err;

	standalone->is_asking = false;
	if (!result->ok || !lt_json_scan_init(&scan, result->args, LT_JSON_DEPTH_MAX, &err) ||
			!lt_json_scan_enter(&scan, LT_JSON_ARRAY, &err) ||
			!lt_json_scan_more(&scan) || !lt_json_scan_peek(&scan, &kind, &err) ||
			kind != LT_JSON_OBJECT ||
			!lt_json_scan_enter(&scan, LT_JSON_OBJECT, &err)) {
		return;
	}
	while (lt_json_scan_more(&scan)) {
		struct lt_json_slice key, value;

		if (!lt_json_scan_key(&scan, &key, &err) ||
				!lt_json_scan_value(&scan, &value, &err)) {
			return;
		}
		say_part(standalone, lt_json_slice_plain(&key), value.raw);
	}
}

static void ask_analysis(struct lt_standalone *standalone)
{
	LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };

	if (standalone->is_asking) {
		return; /* the answer goes to all */
	}
	lt_buf_printf(&procedure, "%s%s", LT_RPC_REQUEST_ANALYSIS, standalone->uuid);
	standalone->is_asking = lt_local_call(standalone->local, lt_buf_str(&procedure),
			LT_STR("[]"), CALL_MS, on_analysis, standalone, NULL);
}

/* --- clients --- */

/* While nobody listens no state is encoded. */
static void stop_listening(struct lt_standalone *standalone)
{
	if (standalone->states != 0) {
		lt_local_unsubscribe(standalone->local, standalone->states, NULL);
	}
	if (standalone->analyses != 0) {
		lt_local_unsubscribe(standalone->local, standalone->analyses, NULL);
	}
	standalone->states = standalone->analyses = 0;
}

static void on_greet(void *arg)
{
	struct lt_standalone *standalone = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	struct lt_err err;

	if (standalone->manifest.n > 0) {
		say(standalone, LT_STR(LT_TOPIC_CONTROL), lt_buf_str(&standalone->manifest));
	}
	stop_listening(standalone);
	lt_buf_printf(&topic, "%s%s", LT_TOPIC_SERVICE, standalone->uuid);
	standalone->states = lt_local_subscribe(standalone->local, lt_buf_str(&topic),
			LT_MATCH_EXACT, true, on_event, standalone, &err);
	standalone->analyses = lt_local_subscribe(standalone->local, LT_STR(TOPIC_ANALYSIS),
			LT_MATCH_PREFIX, false, on_event, standalone, &err);
	ask_analysis(standalone);
}

static void on_opened(void *arg, size_t clients)
{
	struct lt_standalone *standalone = arg;

	lt_log(&standalone->env.log, LT_INFO, "client connected", "clients=%zu", clients);
	lt_loop_defer(standalone->env.loop, &standalone->greet, on_greet, standalone);
}

static void on_closed(void *arg, size_t clients)
{
	struct lt_standalone *standalone = arg;

	lt_log(&standalone->env.log, LT_INFO, "client gone", "clients=%zu", clients);
	if (clients == 0) {
		lt_deferred_cancel(&standalone->greet);
		stop_listening(standalone);
	}
}

/* --- life --- */

bool lt_standalone_start(struct lt_standalone *standalone, struct lt_err *err)
{
	standalone->local = lt_local_join(
			standalone->env.router, LT_STR(LT_REALM), "standalone", "services", err);
	if (standalone->local == NULL ||
			!lt_local_subscribe(standalone->local, LT_STR(LT_TOPIC_CONTROL),
					LT_MATCH_EXACT, false, on_control, standalone, err)) {
		return lt_err_prefix(err, "standalone");
	}
	if (standalone->manifest.n == 0) {
		LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

		/* the service may have said it a moment ago; it answers a second later */
		lt_envelope_write(&args, LT_MSG_INITIALISE_DIRECTORY,
				lt_loop_wall(standalone->env.loop), false, LT_STR("null"));
		lt_local_publish(standalone->local, LT_STR(LT_TOPIC_CONTROL), false,
				lt_buf_str(&args), NULL);
	}
	standalone->server = lt_ws_server_create(
			&(struct lt_ws_server_env){ .loop = standalone->env.loop,
					.port = standalone->env.port,
					.opened = on_opened,
					.closed = on_closed,
					.arg = standalone });
	return lt_ws_server_start(standalone->server, err) ||
			lt_err_prefix(err, "LIVETIMING_STANDALONE_PORT");
}

uint16_t lt_standalone_port(const struct lt_standalone *standalone)
{
	return lt_ws_server_port(standalone->server);
}

void lt_standalone_destroy(struct lt_standalone *standalone)
{
	if (standalone == NULL) {
		return;
	}
	lt_deferred_cancel(&standalone->greet);
	lt_local_leave(standalone->local);
	lt_ws_server_destroy(standalone->server);
	lt_buf_finish(&standalone->manifest);
	lt_free(standalone->uuid);
	lt_free(standalone);
}
