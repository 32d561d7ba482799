#include "race/frame_diff.h"

#include "race/dictdiff.h"
#include "race/message.h"

/* Do the first LT_MESSAGES_MAX elements of both lists agree, and their number? */
static bool same_head(const cJSON *a, const cJSON *b, size_t max)
{
	for (; a && b && max > 0; max--) {
		if (!lt_json_equal(a, b)) {
			return false;
		}
		a = a->next;
		b = b->next;
	}
	return max == 0 || (!a && !b);
}

/*
 * How many messages of the new list stand in front of the old one. A reader
 * puts them there and cuts the list, so that has to give the new list.
 */
static bool count_added(const cJSON *old_list, const cJSON *new_list, size_t *ret_count)
{
	const cJSON *old_first = old_list ? old_list->child : NULL;
	const cJSON *rest = new_list ? new_list->child : NULL;

	for (size_t count = 0; count <= LT_MESSAGES_MAX; count++) {
		if (same_head(rest, old_first, LT_MESSAGES_MAX - count)) {
			*ret_count = count;
			return true;
		}
		if (!rest) {
			break;
		}
		rest = rest->next;
	}
	return false;
}

static cJSON *copy_head(const cJSON *list, size_t count)
{
	cJSON *copy = cJSON_CreateArray();
	const cJSON *item = list ? list->child : NULL;

	for (; item && count > 0; count--) {
		cJSON_AddItemToArray(copy, cJSON_Duplicate(item, true));
		item = item->next;
	}
	return copy;
}

cJSON *lt_frame_diff(const cJSON *old_state, const cJSON *new_state)
{
	const cJSON *messages = lt_json_get(new_state, "messages");
	const cJSON *highlight = lt_json_get(new_state, "highlight");
	size_t added;

	if (!count_added(lt_json_get(old_state, "messages"), messages, &added)) {
		return NULL;
	}
	LT_AUTO(cJSON_Delete)
	cJSON *cars = lt_dictdiff_make(
			lt_json_get(old_state, "cars"), lt_json_get(new_state, "cars"));
	LT_AUTO(cJSON_Delete)
	cJSON *session = lt_dictdiff_make(
			lt_json_get(old_state, "session"), lt_json_get(new_state, "session"));
	if (lt_dictdiff_shortens_list(cars) || lt_dictdiff_shortens_list(session)) {
		return NULL;
	}
	cJSON *frame = cJSON_CreateObject();
	lt_json_set_take(frame, "cars", LT_STEAL(cars));
	lt_json_set_take(frame, "session", LT_STEAL(session));
	lt_json_set_take(frame, "messages", copy_head(messages, added));
	lt_json_set_take(frame, "highlight",
			cJSON_IsArray(highlight) ? cJSON_Duplicate(highlight, true)
						 : cJSON_CreateArray());
	return frame;
}
