#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "race/envelope.h"
#include "race/lzstring.h"
#include "router/local.h"
#include "services/timing/timing_priv.h"

static void name_of(const struct lt_timing *timing, struct lt_buf *buf, const char *prefix)
{
	lt_buf_clear(buf);
	lt_buf_printf(buf, "%s%s", prefix, timing->uuid);
}

/* --- procedures --- */

static void on_is_alive(void *arg, const struct lt_invocation *invocation)
{
	struct lt_timing *timing = arg;

	lt_local_yield(timing->local, invocation->id, LT_STR("[true]"));
}

static void on_request_state(void *arg, const struct lt_invocation *invocation)
{
	struct lt_timing *timing = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	lt_buf_add_char(&args, '[');
	if (timing->published != NULL) {
		lt_buf_add_str(&args, lt_text_str(timing->published));
	} else {
		lt_json_print(&args, timing->state, LT_JSON_SPACED);
	}
	lt_buf_add_char(&args, ']');
	lt_local_yield(timing->local, invocation->id, lt_buf_str(&args));
}

/* --- control channel --- */

void lt_timing_announce_now(struct lt_timing *timing)
{
	LT_AUTO(lt_buf_finish) struct lt_buf manifest = { 0 }, args = { 0 };
	struct lt_err err;

	if (timing->local == NULL || timing->manifest == NULL) {
		return;
	}
	lt_json_print(&manifest, timing->manifest, LT_JSON_UTF8);
	lt_envelope_write(&args, LT_MSG_SERVICE_REGISTRATION, lt_loop_wall(timing->env.loop), false,
			lt_buf_str(&manifest));
	if (!lt_local_publish(timing->local, LT_STR(LT_TOPIC_CONTROL), false, lt_buf_str(&args),
			    &err)) {
		lt_log(&timing->log, LT_WARN, "manifest not published", "reason=\"%s\"", err.msg);
	}
}

static void on_manifest_due(void *arg)
{
	lt_timing_announce_now(arg);
}

void lt_timing_announce(struct lt_timing *timing)
{
	if (!lt_timer_is_armed(&timing->manifest_timer) && timing->local != NULL) {
		lt_timer_once(&timing->manifest_timer, timing->env.loop, LT_MANIFEST_MS,
				on_manifest_due, timing);
	}
}

static void on_control(void *arg, const struct lt_event *event)
{
	struct lt_timing *timing = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	struct lt_envelope envelope;

	if (args != NULL &&
			lt_envelope_read(args, lt_loop_wall(timing->env.loop), &envelope, NULL) &&
			envelope.msg_class == LT_MSG_INITIALISE_DIRECTORY) {
		lt_timing_announce(timing);
	}
}

/* --- state --- */

static void encode_state(void *arg, struct lt_buf *buf)
{
	struct lt_text *envelope = arg; /* date, then the state: "1778936400000 {...}" */
	struct lt_str state = lt_text_str(envelope), date = lt_str_split(&state, ' ');
	LT_AUTO(lt_buf_finish) struct lt_buf compressed = { 0 }, payload = { 0 };
	int64_t ms = 0;

	lt_parse_i64(date, 0, INT64_MAX / LT_US_PER_MS, &ms, NULL);
	lt_lzstring_compress(&compressed, state);
	lt_json_write_str(&payload, lt_buf_str(&compressed));
	lt_envelope_write(buf, LT_MSG_SERVICE_DATA_COMPRESSED,
			(struct lt_wall){ ms * LT_US_PER_MS }, true, lt_buf_str(&payload));
}

static void release_state(void *arg)
{
	lt_text_unref(arg);
}

static struct lt_text *dated(struct lt_str state, int64_t now_ms)
{
	struct lt_buf buf = { 0 };

	lt_buf_reserve(&buf, state.n + 24);
	lt_buf_printf(&buf, "%" PRId64 " ", now_ms);
	lt_buf_add_str(&buf, state);
	return lt_text_take(&buf);
}

/* What only viewers get: when it was, and that nothing comes any more. */
static struct lt_text *viewer_text(struct lt_timing *timing, struct lt_str plain)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };

	if (timing->stale || plain.p == NULL) {
		cJSON *session = lt_json_get(timing->state, "session");

		if (timing->stale && cJSON_IsObject(session)) {
			lt_json_add_bool(session, "stale", true);
		}
		lt_json_print(&buf, timing->state, LT_JSON_SPACED);
		if (timing->stale && cJSON_IsObject(session)) {
			cJSON_DeleteItemFromObjectCaseSensitive(session, "stale");
		}
	} else {
		lt_buf_add_str(&buf, plain);
	}
	if (timing->last_update_ms != 0) {
		buf.n--; /* the closing brace; a state is never an empty object */
		lt_buf_printf(&buf, ", \"lastUpdated\": %" PRId64 "}", timing->last_update_ms);
	}
	return lt_text_take(&buf);
}

void lt_timing_publish(struct lt_timing *timing, struct lt_str plain)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	int64_t now_ms = lt_wall_ms(lt_loop_wall(timing->env.loop));
	struct lt_err err;

	if (timing->local == NULL || timing->manifest == NULL) {
		return;
	}
	lt_text_unref(timing->published);
	timing->published = viewer_text(timing, plain);
	timing->last_published_us = lt_loop_now(timing->env.loop).us;
	snprintf(timing->etag, sizeof(timing->etag), "\"%" PRIx64 "-%" PRIx64 "\"", now_ms,
			++timing->publications);
	name_of(timing, &topic, LT_TOPIC_SERVICE);
	if (!lt_local_publish_lazy(timing->local, lt_buf_str(&topic), encode_state, release_state,
			    dated(lt_text_str(timing->published), now_ms), &err)) {
		lt_log(&timing->log, LT_WARN, "state not published", "reason=\"%s\"", err.msg);
	}
	for (size_t i = 0; i < timing->observer_count; i++) {
		if (timing->observers[i].published != NULL) {
			timing->observers[i].published(timing->observers[i].arg,
					lt_text_str(timing->published), now_ms);
		}
	}
}

/* --- membership --- */

static bool offer(struct lt_timing *timing, const char *prefix, lt_invocation_fn fn,
		uint64_t *ret_registration, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	name_of(timing, &name, prefix);
	return lt_local_register(
			timing->local, lt_buf_str(&name), true, fn, timing, ret_registration, err);
}

bool lt_timing_join(struct lt_timing *timing, struct lt_err *err)
{
	timing->local = lt_local_join(
			timing->env.router, LT_STR(LT_REALM), "services", "services", err);
	return timing->local != NULL &&
			offer(timing, LT_RPC_IS_ALIVE, on_is_alive, &timing->is_alive, err) &&
			offer(timing, LT_RPC_REQUEST_STATE, on_request_state,
					&timing->request_state, err) &&
			offer(timing, LT_RPC_DESK, lt_timing_desk_on_call, &timing->desk_orders,
					err) &&
			lt_local_subscribe(timing->local, LT_STR(LT_TOPIC_CONTROL), LT_MATCH_EXACT,
					false, on_control, timing, err);
}

void lt_timing_leave(struct lt_timing *timing)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };

	lt_timer_cancel(&timing->manifest_timer);
	lt_timing_desk_leave(timing->desk);
	if (timing->local != NULL) {
		name_of(timing, &topic, LT_TOPIC_SERVICE);
		lt_local_unretain(timing->local, lt_buf_str(&topic));
		lt_local_leave(LT_STEAL(timing->local));
	}
}
