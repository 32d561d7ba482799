#include "race/dictdiff.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"

/*
 * Bounds the depth that a chain of differences can build: values are at most
 * LT_JSON_DEPTH_MAX deep when they come out of the parser.
 */
#define PATH_MAX_PARTS 512

/* One step of a path: a text, or an index (text.p NULL). */
struct part {
	struct lt_str text;
	int64_t index;
};

struct path {
	struct part *parts;
	size_t n;
};

static void path_finish(struct path *path)
{
	lt_free(path->parts);
}

static inline void lt_auto_path_finish(struct path *path)
{
	path_finish(path);
}

/* --- reading paths --- */

static bool is_index(const cJSON *item)
{
	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= INT_MAX &&
			item->valuedouble == floor(item->valuedouble);
}

static bool push_part(struct path *path, struct part part, struct lt_err *err)
{
	if (path->n == PATH_MAX_PARTS) {
		return lt_err_set(err, LT_E_LIMIT, "path of more than %d parts", PATH_MAX_PARTS);
	}
	if (path->n % 16 == 0) {
		path->parts = lt_reallocarray(path->parts, path->n + 16, sizeof(*path->parts));
	}
	path->parts[path->n++] = part;
	return true;
}

static bool read_list_path(const cJSON *list, struct path *path, struct lt_err *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct part part = { { NULL, 0 }, 0 };

		if (cJSON_IsString(item)) {
			part.text = lt_str_from(item->valuestring);
		} else if (is_index(item)) {
			part.index = (int64_t)item->valuedouble;
		} else {
			return lt_err_set(err, LT_E_FORMAT,
					"a part of the path is neither a text nor an index");
		}
		if (!push_part(path, part, err)) {
			return false;
		}
	}
	return true;
}

/* "" is the root; otherwise parts between dots, or a list of parts. Borrows from `item`. */
static bool read_path(const cJSON *item, struct path *path, struct lt_err *err)
{
	struct lt_str rest;

	if (cJSON_IsArray(item)) {
		return read_list_path(item, path, err);
	}
	if (!cJSON_IsString(item)) {
		return lt_err_set(err, LT_E_FORMAT, "the path is neither a text nor a list");
	}
	rest = lt_str_from(item->valuestring);
	if (rest.n == 0) {
		return true;
	}
	while (rest.p) {
		struct part part = { lt_str_split(&rest, '.'), 0 };

		if (!push_part(path, part, err)) {
			return false;
		}
	}
	return true;
}

/* --- following paths --- */

static const char *kind_of(const cJSON *item)
{
	return cJSON_IsArray(item)             ? "a list"
			: cJSON_IsObject(item) ? "an object"
			: cJSON_IsString(item) ? "a text"
			: cJSON_IsNumber(item) ? "a number"
			: cJSON_IsBool(item)   ? "a boolean"
					       : "null";
}

static const char *part_quote(const struct part *part, char buf[LT_QUOTE_MAX])
{
	if (part->text.p) {
		return lt_str_quote(part->text, buf);
	}
	snprintf(buf, LT_QUOTE_MAX, "%lld", (long long)part->index);
	return buf;
}

/* The index that a part means in a list; numeric texts do, as parts of a text path. */
static bool part_index(const struct part *part, int64_t *ret_index, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (!part->text.p) {
		*ret_index = part->index;
		return true;
	}
	return lt_parse_i64(part->text, 0, INT_MAX, ret_index, NULL) ||
			lt_err_set(err, LT_E_FORMAT, "a list has no element %s",
					lt_str_quote(part->text, quoted));
}

/* An element of a list that has to be there. */
static cJSON *list_element(const cJSON *list, const struct part *part, struct lt_err *err)
{
	int64_t index;
	cJSON *element;

	if (!part_index(part, &index, err)) {
		return NULL;
	}
	element = cJSON_GetArrayItem(list, (int)index);
	if (!element) {
		lt_err_set(err, LT_E_FORMAT, "index %lld is out of range, the list has %d elements",
				(long long)index, cJSON_GetArraySize(list));
	}
	return element;
}

/* A member of an object that has to be there. */
static cJSON *object_member(const cJSON *object, const struct part *part, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	cJSON *member;

	if (!part->text.p) {
		lt_err_set(err, LT_E_FORMAT, "index %lld in an object", (long long)part->index);
		return NULL;
	}
	LT_AUTO(lt_free) char *key = lt_str_dup(part->text);
	member = lt_json_get(object, key);
	if (!member) {
		lt_err_set(err, LT_E_NOT_FOUND, "no member %s", lt_str_quote(part->text, quoted));
	}
	return member;
}

static cJSON *step_into(const cJSON *container, const struct part *part, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (cJSON_IsArray(container)) {
		return list_element(container, part, err);
	}
	if (cJSON_IsObject(container)) {
		return object_member(container, part, err);
	}
	lt_err_set(err, LT_E_FORMAT, "%s inside of %s", part_quote(part, quoted),
			kind_of(container));
	return NULL;
}

/* What the first `depth` parts lead to. */
static cJSON *follow(cJSON *root, const struct path *path, size_t depth, struct lt_err *err)
{
	cJSON *at = root;

	for (size_t i = 0; at && i < depth; i++) {
		at = step_into(at, &path->parts[i], err);
	}
	return at;
}

/* --- the three actions --- */

/* Owns `new_value`. */
static void set_member_take(cJSON *object, struct lt_str key, cJSON *new_value)
{
	LT_AUTO(lt_free) char *name = lt_str_dup(key);

	lt_json_set_take(object, name, new_value);
}

static bool change_root(cJSON **root, const cJSON *new_value)
{
	cJSON *copy = cJSON_Duplicate(new_value, true);

	/* The path of an empty key in an object is written like that of the root. */
	if (lt_json_get(*root, "")) {
		lt_json_set_take(*root, "", copy);
	} else {
		cJSON_Delete(*root);
		*root = copy;
	}
	return true;
}

static bool apply_change(
		cJSON **root, const struct path *path, const cJSON *change, struct lt_err *err)
{
	const cJSON *new_value = cJSON_IsArray(change) ? cJSON_GetArrayItem(change, 1) : NULL;
	const struct part *last;
	cJSON *container, *element;
	char quoted[LT_QUOTE_MAX];

	if (!new_value || cJSON_GetArraySize(change) != 2) {
		return lt_err_set(err, LT_E_FORMAT, "a change is not [old, new]");
	}
	if (path->n == 0) {
		return change_root(root, new_value);
	}
	last = &path->parts[path->n - 1];
	container = follow(*root, path, path->n - 1, err);
	if (!container) {
		return false;
	}
	if (cJSON_IsObject(container) && last->text.p) {
		set_member_take(container, last->text, cJSON_Duplicate(new_value, true));
		return true;
	}
	if (!cJSON_IsArray(container)) {
		return lt_err_set(err, LT_E_FORMAT, "%s inside of %s", part_quote(last, quoted),
				kind_of(container));
	}
	element = list_element(container, last, err);
	return element &&
			cJSON_ReplaceItemViaPointer(
					container, element, cJSON_Duplicate(new_value, true));
}

/* [key, value] as a part of a path and a value. */
static bool read_pair(const cJSON *pair, struct part *ret_part, const cJSON **ret_value,
		struct lt_err *err)
{
	const cJSON *key = cJSON_IsArray(pair) ? cJSON_GetArrayItem(pair, 0) : NULL;

	if (!key || cJSON_GetArraySize(pair) != 2) {
		return lt_err_set(err, LT_E_FORMAT, "not a list of [key, value]");
	}
	if (!cJSON_IsString(key) && !is_index(key)) {
		return lt_err_set(err, LT_E_FORMAT, "a key is neither a text nor an index");
	}
	*ret_part = cJSON_IsString(key) ? (struct part){ lt_str_from(key->valuestring), 0 }
					: (struct part){ { NULL, 0 }, (int64_t)key->valuedouble };
	*ret_value = key->next;
	return true;
}

/*
 * Insert before the element `index`, or at the end. Owns `value`. Not with
 * cJSON_InsertItemInArray, which Debian's 1.7.15 refuses in the middle of a list.
 */
static void insert_take(cJSON *list, int index, cJSON *value)
{
	cJSON *behind = cJSON_CreateArray();
	cJSON *item = cJSON_GetArrayItem(list, index);

	while (item) {
		cJSON *next = item->next;

		cJSON_AddItemToArray(behind, cJSON_DetachItemViaPointer(list, item));
		item = next;
	}
	cJSON_AddItemToArray(list, value);
	while (behind->child) {
		cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(behind, behind->child));
	}
	cJSON_Delete(behind);
}

static bool add_to_list(
		cJSON *list, const struct part *part, const cJSON *value, struct lt_err *err)
{
	int size = cJSON_GetArraySize(list);
	int64_t index;

	if (!part_index(part, &index, err)) {
		return false;
	}
	if (index > size) {
		return lt_err_set(err, LT_E_FORMAT,
				"cannot add at index %lld, the list has %d elements",
				(long long)index, size);
	}
	insert_take(list, (int)index, cJSON_Duplicate(value, true));
	return true;
}

static bool add_one(
		cJSON *container, const struct part *part, const cJSON *value, struct lt_err *err)
{
	if (cJSON_IsArray(container)) {
		return add_to_list(container, part, value, err);
	}
	if (!part->text.p) {
		return lt_err_set(err, LT_E_FORMAT, "index %lld in an object",
				(long long)part->index);
	}
	set_member_take(container, part->text, cJSON_Duplicate(value, true));
	return true;
}

static bool remove_one(cJSON *container, const struct part *part, const cJSON *value LT_UNUSED,
		struct lt_err *err)
{
	cJSON *element = step_into(container, part, err);

	if (!element) {
		return false;
	}
	cJSON_Delete(cJSON_DetachItemViaPointer(container, element));
	return true;
}

/* "add" or "remove": the path names the container, each pair an element. */
static bool apply_pairs(cJSON *root, const struct path *path, const cJSON *pairs,
		bool (*apply)(cJSON *, const struct part *, const cJSON *, struct lt_err *),
		struct lt_err *err)
{
	cJSON *container = follow(root, path, path->n, err);
	const cJSON *pair;

	if (!container) {
		return false;
	}
	if (!cJSON_IsArray(container) && !cJSON_IsObject(container)) {
		return lt_err_set(err, LT_E_FORMAT, "%s is not a container", kind_of(container));
	}
	if (!cJSON_IsArray(pairs)) {
		return lt_err_set(err, LT_E_FORMAT, "not a list of [key, value]");
	}
	cJSON_ArrayForEach(pair, pairs) {
		const cJSON *value;
		struct part part;

		if (!read_pair(pair, &part, &value, err) || !apply(container, &part, value, err)) {
			return false;
		}
	}
	return true;
}

/* --- entries --- */

static bool apply_action(
		cJSON **root, struct lt_str action, const cJSON *path_item, struct lt_err *err)
{
	LT_AUTO(path_finish) struct path path = { NULL, 0 };
	const cJSON *changes = path_item->next;
	char quoted[LT_QUOTE_MAX];

	if (!read_path(path_item, &path, err)) {
		return false;
	}
	if (lt_str_eq_c(action, "change")) {
		return apply_change(root, &path, changes, err);
	}
	if (lt_str_eq_c(action, "add")) {
		return apply_pairs(*root, &path, changes, add_one, err);
	}
	if (lt_str_eq_c(action, "remove")) {
		return apply_pairs(*root, &path, changes, remove_one, err);
	}
	return lt_err_set(err, LT_E_FORMAT, "unknown action %s", lt_str_quote(action, quoted));
}

/* "change [3,1]", for messages. */
static bool prefix_entry(const cJSON *action, const cJSON *path, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	char quoted[LT_QUOTE_MAX];

	if (cJSON_IsString(path)) {
		return lt_err_prefix(err, "%s %s", action->valuestring,
				lt_str_quote(lt_str_from(path->valuestring), quoted));
	}
	lt_json_print(&text, path, LT_JSON_COMPACT);
	return lt_err_prefix(err, "%s %.*s", action->valuestring, (int)LT_MIN(text.n, 60u), text.p);
}

static bool apply_entry(cJSON **root, const cJSON *entry, struct lt_err *err)
{
	const cJSON *action = cJSON_IsArray(entry) ? cJSON_GetArrayItem(entry, 0) : NULL;

	if (!action || !cJSON_IsString(action) || cJSON_GetArraySize(entry) != 3) {
		return lt_err_set(err, LT_E_FORMAT, "not a list of action, path and changes");
	}
	return apply_action(root, lt_str_from(action->valuestring), action->next, err) ||
			prefix_entry(action, action->next, err);
}

bool lt_dictdiff_apply(cJSON **value, const cJSON *diff, struct lt_err *err)
{
	const cJSON *entry;
	size_t number = 0;

	if (!cJSON_IsArray(diff)) {
		return lt_err_set(err, LT_E_FORMAT, "a difference is not a list");
	}
	cJSON_ArrayForEach(entry, diff) {
		if (!apply_entry(value, entry, err)) {
			return lt_err_prefix(err, "difference %zu", number);
		}
		number++;
	}
	return true;
}
