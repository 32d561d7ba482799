#include "race/state.h"

#include "race/dictdiff.h"
#include "race/flag.h"
#include "race/message.h"

cJSON *lt_state_initial(void)
{
	cJSON *state = cJSON_CreateObject(), *session = cJSON_CreateObject();

	lt_json_set_take(state, "messages", cJSON_CreateArray());
	lt_json_set_take(state, "cars", cJSON_CreateArray());
	lt_json_add_c(session, "flagState", lt_flag_name(LT_GREEN));
	lt_json_add_int(session, "timeElapsed", 0);
	lt_json_add_int(session, "timeRemain", 0);
	lt_json_set_take(state, "session", session);
	return state;
}

static bool check_lists(const cJSON *lists, const char *key, struct lt_err *err)
{
	const cJSON *list;
	size_t index = 0;

	if (!cJSON_IsArray(lists)) {
		return lt_err_set(
				err, LT_E_FORMAT, "%s: %s", key, lists ? "not a list" : "missing");
	}
	cJSON_ArrayForEach(list, lists) {
		if (!cJSON_IsArray(list)) {
			return lt_err_set(err, LT_E_FORMAT, "%s[%zu]: not a list", key, index);
		}
		index++;
	}
	return true;
}

bool lt_state_check(const cJSON *state, struct lt_err *err)
{
	const cJSON *session = lt_json_get(state, "session");
	const cJSON *messages = lt_json_get(state, "messages");

	if (!cJSON_IsObject(state)) {
		return lt_err_set(err, LT_E_FORMAT, "a state is not an object");
	}
	if (!check_lists(lt_json_get(state, "cars"), "cars", err)) {
		return false;
	}
	if (!cJSON_IsObject(session)) {
		return lt_err_set(err, LT_E_FORMAT, "session: %s",
				session ? "not an object" : "missing");
	}
	return !messages || check_lists(messages, "messages", err);
}

static bool apply_to_member(
		cJSON *state, const cJSON *difference_frame, const char *key, struct lt_err *err)
{
	const cJSON *diff = lt_json_get(difference_frame, key);
	cJSON *value = lt_json_get(state, key);
	bool ok;

	if (!diff || !value) {
		return lt_err_set(err, LT_E_FORMAT, "%s: missing in the %s", key,
				diff ? "state" : "difference");
	}
	/* Out of its parent, since a change of the root replaces it. */
	value = cJSON_DetachItemViaPointer(state, value);
	ok = lt_dictdiff_apply(&value, diff, err);
	lt_json_set_take(state, key, value);
	return ok || lt_err_prefix(err, "%s", key);
}

/* Keeps the order of a state: cars, session, messages, highlight. */
static void move_to_end(cJSON *state, const char *key)
{
	cJSON *value = cJSON_DetachItemViaPointer(state, lt_json_get(state, key));

	lt_json_set_take(state, key, value);
}

static cJSON *copy_list(const cJSON *frame, const char *key, struct lt_err *err)
{
	const cJSON *list = lt_json_get(frame, key);

	if (list && !cJSON_IsArray(list)) {
		lt_err_set(err, LT_E_FORMAT, "%s: not a list", key);
		return NULL;
	}
	return list ? cJSON_Duplicate(list, true) : cJSON_CreateArray();
}

bool lt_state_apply(cJSON *state, const cJSON *difference_frame, struct lt_err *err)
{
	cJSON *messages, *highlight;

	if (!cJSON_IsObject(difference_frame)) {
		return lt_err_set(err, LT_E_FORMAT, "a difference frame is not an object");
	}
	if (!apply_to_member(state, difference_frame, "cars", err) ||
			!apply_to_member(state, difference_frame, "session", err)) {
		return false;
	}
	messages = copy_list(difference_frame, "messages", err);
	if (!messages) {
		return false;
	}
	highlight = copy_list(difference_frame, "highlight", err);
	if (!highlight) {
		cJSON_Delete(messages);
		return false;
	}
	lt_messages_apply_take(state, state, messages);
	/* The frame has its own, which need not be that of its messages. */
	lt_json_set_take(state, "highlight", highlight);
	move_to_end(state, "messages");
	move_to_end(state, "highlight");
	return lt_state_check(state, err);
}
