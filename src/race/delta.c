#include "race/delta.h"

#include "race/frame_diff.h"
#include "race/state.h"

static const char *const parts[] = { "cars", "session", "messages", "highlight" };

static bool is_part(const char *name)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(parts); i++) {
		if (strcmp(parts[i], name) == 0) {
			return true;
		}
	}
	return false;
}

void lt_delta_complete(cJSON *state)
{
	static const char *const lists[] = { "messages", "highlight" };

	for (size_t i = 0; i < LT_ARRAY_LEN(lists); i++) {
		if (!cJSON_IsArray(lt_json_get(state, lists[i]))) {
			lt_json_set_take(state, lists[i], cJSON_CreateArray());
		}
	}
}

/* --- equality --- */

/*
 * As a reader in any language sees it: unlike lt_json_equal, true is not 1.
 * Only called for trees that lt_json_equal finds equal, so shapes agree, and
 * members may differ in their order.
 */
static bool same_kinds(const cJSON *a, const cJSON *b)
{
	const cJSON *left, *right;

	if (cJSON_IsBool(a) != cJSON_IsBool(b)) {
		return false;
	}
	if (cJSON_IsObject(a)) {
		cJSON_ArrayForEach(left, a) {
			if (!same_kinds(left, lt_json_get(b, left->string))) {
				return false;
			}
		}
		return true;
	}
	for (left = a->child, right = b->child; left && right;
			left = left->next, right = right->next) {
		if (!same_kinds(left, right)) {
			return false;
		}
	}
	return true;
}

static bool is_same(const cJSON *a, const cJSON *b)
{
	return lt_json_equal(a, b) && same_kinds(a, b);
}

/* --- making --- */

static void blank(cJSON *list, int index)
{
	cJSON_ReplaceItemInArray(list, index, cJSON_CreateNull());
}

/* Nobody reads old values. */
static void drop_old_values(cJSON *diff)
{
	cJSON *entry, *pair;

	cJSON_ArrayForEach(entry, diff) {
		const char *action = entry->child->valuestring;
		cJSON *changes = cJSON_GetArrayItem(entry, 2);

		if (strcmp(action, "change") == 0) {
			blank(changes, 0);
		} else if (strcmp(action, "remove") == 0) {
			cJSON_ArrayForEach(pair, changes) {
				blank(pair, 1);
			}
		}
	}
}

static void drop_empty_parts(cJSON *diff)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(parts); i++) {
		const cJSON *part = lt_json_get(diff, parts[i]);

		if (part && !part->child) {
			cJSON_DeleteItemFromObjectCaseSensitive(diff, parts[i]);
		}
	}
}

static void add_other_members(cJSON *diff, const cJSON *old_state, const cJSON *new_state)
{
	cJSON *set = cJSON_CreateObject(), *unset = cJSON_CreateArray();
	const cJSON *member, *old;

	cJSON_ArrayForEach(member, new_state) {
		if (is_part(member->string)) {
			continue;
		}
		old = lt_json_get(old_state, member->string);
		if (!old || !is_same(old, member)) {
			lt_json_set_take(set, member->string, cJSON_Duplicate(member, true));
		}
	}
	cJSON_ArrayForEach(old, old_state) {
		if (!is_part(old->string) && !lt_json_get(new_state, old->string)) {
			cJSON_AddItemToArray(unset, lt_json_new_str(lt_str_from(old->string)));
		}
	}
	if (set->child) {
		lt_json_set_take(diff, "set", LT_STEAL(set));
	}
	if (unset->child) {
		lt_json_set_take(diff, "unset", LT_STEAL(unset));
	}
	cJSON_Delete(set);
	cJSON_Delete(unset);
}

static cJSON *make(const cJSON *old_state, const cJSON *new_state)
{
	cJSON *diff = lt_frame_diff(old_state, new_state);

	if (!diff) {
		return NULL;
	}
	drop_old_values(lt_json_get(diff, "cars"));
	drop_old_values(lt_json_get(diff, "session"));
	drop_empty_parts(diff);
	add_other_members(diff, old_state, new_state);
	return diff;
}

cJSON *lt_delta_step_take(cJSON **shown, cJSON *state)
{
	LT_AUTO(cJSON_Delete) cJSON *before = LT_STEAL(*shown);
	LT_AUTO(cJSON_Delete) cJSON *diff = before ? make(before, state) : NULL;

	*shown = state;
	/* differences take true for 1, and numbers that are very close for equal */
	if (diff && (!lt_delta_apply(before, diff, NULL) || !is_same(before, state))) {
		return NULL;
	}
	return LT_STEAL(diff);
}

/* --- applying --- */

static bool check_others(const cJSON *set, const cJSON *unset, struct lt_err *err)
{
	const cJSON *item;

	if ((set && !cJSON_IsObject(set)) || (unset && !cJSON_IsArray(unset))) {
		return lt_err_set(err, LT_E_FORMAT, "set or unset has the wrong type");
	}
	cJSON_ArrayForEach(item, set) {
		if (is_part(item->string)) {
			return lt_err_set(err, LT_E_FORMAT, "set: not for %s", item->string);
		}
	}
	cJSON_ArrayForEach(item, unset) {
		if (!cJSON_IsString(item) || is_part(item->valuestring)) {
			return lt_err_set(err, LT_E_FORMAT, "unset: not a name it is for");
		}
	}
	return true;
}

bool lt_delta_apply(cJSON *state, const cJSON *diff, struct lt_err *err)
{
	const cJSON *set = lt_json_get(diff, "set"), *unset = lt_json_get(diff, "unset"), *item;

	if (!cJSON_IsObject(diff)) {
		return lt_err_set(err, LT_E_FORMAT, "a difference is not an object");
	}
	LT_AUTO(cJSON_Delete) cJSON *frame = cJSON_CreateObject();
	for (size_t i = 0; i < LT_ARRAY_LEN(parts); i++) {
		const cJSON *part = lt_json_get(diff, parts[i]);

		lt_json_set_take(frame, parts[i],
				part ? cJSON_Duplicate(part, true) : cJSON_CreateArray());
	}
	if (!lt_state_apply(state, frame, err) || !check_others(set, unset, err)) {
		return false;
	}
	cJSON_ArrayForEach(item, set) {
		lt_json_set_take(state, item->string, cJSON_Duplicate(item, true));
	}
	cJSON_ArrayForEach(item, unset) {
		cJSON_DeleteItemFromObjectCaseSensitive(state, item->valuestring);
	}
	return true;
}
