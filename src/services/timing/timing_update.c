#include "base/alloc.h"
#include "race/message.h"
#include "race/state.h"
#include "services/timing/timing_priv.h"

static void generator_failed(void *arg, const char *generator, const char *why)
{
	struct lt_timing *timing = arg;

	lt_log(&timing->log, LT_WARN, "message generator failed, its messages are left out",
			"generator=\"%s\" reason=\"%s\"", generator, why);
}

static void append_all_take(cJSON *to, cJSON *from)
{
	while (from != NULL && from->child != NULL) {
		cJSON_AddItemToArray(to, cJSON_DetachItemViaPointer(from, from->child));
	}
	cJSON_Delete(from);
}

/* The new messages, in the order of their generators; race control texts last in, first out. */
static cJSON *make_block(struct lt_timing *timing, const cJSON *old, const cJSON *state)
{
	int64_t now_s = lt_wall_s(lt_loop_wall(timing->env.loop));
	cJSON *block = lt_messages_generate(old, state, lt_json_get(timing->manifest, "colSpec"),
			now_s, timing->generators & (LT_MESSAGES_DEFAULT | LT_MESSAGES_SLOW_ZONE),
			generator_failed, timing);
	int waiting = cJSON_GetArraySize(timing->race_control);

	for (int i = waiting - 1; i >= 0; i--) {
		const cJSON *text = cJSON_GetArrayItem(timing->race_control, i);

		cJSON_AddItemToArray(block,
				lt_message_race_control(lt_str_from(text->valuestring), now_s));
	}
	cJSON_Delete(timing->race_control);
	timing->race_control = cJSON_CreateArray();
	append_all_take(block, timing->messages);
	timing->messages = cJSON_CreateArray();
	return block;
}

void lt_timing_save(struct lt_timing *timing, struct lt_text *text)
{
	if (timing->state_path != NULL) {
		lt_saver_write(timing->env.saver, timing->state_path, text);
	}
}

/* State is in place: observers, file, realm. */
static void hand_on(struct lt_timing *timing, const cJSON *old, const cJSON *messages)
{
	struct lt_timing_update update = { .old_state = old,
		.new_state = timing->state,
		.col_spec = lt_json_get(timing->manifest, "colSpec"),
		.messages = messages,
		.now = lt_loop_wall(timing->env.loop) };
	struct lt_buf plain = { 0 };

	for (size_t i = 0; i < timing->observer_count; i++) {
		if (timing->observers[i].update != NULL) {
			timing->observers[i].update(timing->observers[i].arg, &update);
		}
	}
	timing->updates++;
	timing->last_update_ms = lt_wall_ms(update.now);
	lt_json_print(&plain, timing->state, LT_JSON_SPACED);
	struct lt_text *text = lt_text_take(&plain);

	lt_timing_save(timing, text);
	lt_timing_publish(timing, lt_text_str(text));
	lt_text_unref(text);
}

static bool update_failed(struct lt_timing *timing)
{
	timing->failed_updates++;
	lt_timing_publish(timing, (struct lt_str){ NULL, 0 });
	return false;
}

void lt_timing_drop_due(struct lt_timing *timing)
{
	lt_timer_cancel(&timing->due);
	cJSON_Delete(timing->due_state);
	timing->due_state = NULL;
}

bool lt_timing_update_take(void *arg, cJSON *state, struct lt_err *err)
{
	struct lt_timing *timing = arg;

	lt_timing_drop_due(timing);
	if (!lt_state_check(state, err)) {
		cJSON_Delete(state);
		return update_failed(timing);
	}
	lt_timing_desk_on_state(timing->desk, state);
	LT_AUTO(cJSON_Delete) cJSON *fresh = timing->begins_session ? lt_state_initial() : NULL;
	LT_AUTO(cJSON_Delete) cJSON *old = LT_STEAL(timing->state);
	const cJSON *before = fresh ? fresh : old;
	cJSON *block = make_block(timing, before, state);
	LT_AUTO(cJSON_Delete) cJSON *messages = cJSON_Duplicate(block, true);

	lt_messages_apply_take(state, before, block);
	timing->begins_session = false;
	timing->state = state;
	hand_on(timing, before, messages);
	return true;
}

/* A recording's state has its messages already. */
bool lt_timing_replace_take(void *arg, cJSON *state, struct lt_err *err)
{
	struct lt_timing *timing = arg;

	lt_timing_drop_due(timing);
	if (!lt_state_check(state, err)) {
		cJSON_Delete(state);
		return update_failed(timing);
	}
	lt_timing_desk_on_replaced(timing->desk, state);
	LT_AUTO(cJSON_Delete) cJSON *none = cJSON_CreateArray();
	LT_AUTO(cJSON_Delete) cJSON *old = LT_STEAL(timing->state);

	timing->state = state;
	hand_on(timing, old, none);
	return true;
}

void lt_timing_relay_take(struct lt_timing *timing, cJSON *state, cJSON *messages)
{
	LT_AUTO(cJSON_Delete) cJSON *old = LT_STEAL(timing->state);
	cJSON *block = lt_messages_generate(old, state, lt_json_get(timing->manifest, "colSpec"),
			lt_wall_s(lt_loop_wall(timing->env.loop)),
			timing->generators & (LT_MESSAGES_DEFAULT | LT_MESSAGES_SLOW_ZONE),
			generator_failed, timing);

	append_all_take(block, messages);
	LT_AUTO(cJSON_Delete) cJSON *told = cJSON_Duplicate(block, true);

	lt_messages_apply_take(state, old, block);
	timing->state = state;
	hand_on(timing, old, told);
}

static void on_due(void *arg)
{
	struct lt_timing *timing = arg;
	struct lt_err err;

	if (timing->due_state != NULL &&
			!lt_timing_update_take(timing, LT_STEAL(timing->due_state), &err)) {
		lt_log(&timing->log, LT_WARN, "update failed", "reason=\"%s\"", err.msg);
	}
}

void lt_timing_update_due_take(void *arg, cJSON *state)
{
	struct lt_timing *timing = arg;
	int64_t since_us = lt_loop_now(timing->env.loop).us - timing->last_published_us;
	int64_t wait_ms = LT_DUE_MS - since_us / LT_US_PER_MS;

	cJSON_Delete(timing->due_state);
	timing->due_state = state;
	if (timing->last_published_us == 0 || wait_ms <= 0) {
		on_due(timing);
	} else if (!lt_timer_is_armed(&timing->due)) {
		lt_timer_once(&timing->due, timing->env.loop, wait_ms, on_due, timing);
	}
}
