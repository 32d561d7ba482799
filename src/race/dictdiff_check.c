#include "race/dictdiff_check.h"

#include "base/alloc.h"
#include "race/column.h"
#include "race/dictdiff.h"

/* Element of a list or object; NULL: there is none. */
static const cJSON *child_of(const cJSON *container, struct lt_str key)
{
	const cJSON *item;
	int64_t index;

	if (cJSON_IsArray(container)) {
		return lt_parse_i64(key, 0, INT32_MAX, &index, NULL)
				? lt_cell_at(container, (int)index)
				: NULL;
	}
	cJSON_ArrayForEach(item, container) {
		if (cJSON_IsObject(container) && lt_str_eq_c(key, item->string)) {
			return item;
		}
	}
	return NULL;
}

/* The same for a part of a list that is a path, or a key of an addition or removal. */
static const cJSON *child_by(const cJSON *container, const cJSON *key)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (cJSON_IsString(key)) {
		return child_of(container, lt_str_from(key->valuestring));
	}
	lt_json_print(&text, key, LT_JSON_COMPACT);
	return child_of(container, lt_buf_str(&text));
}

static const cJSON *find(const cJSON *value, const cJSON *path)
{
	const cJSON *part;

	if (cJSON_IsString(path)) {
		struct lt_str rest = lt_str_from(path->valuestring);

		while (value && rest.p && path->valuestring[0]) {
			value = child_of(value, lt_str_split(&rest, '.'));
		}
		return value;
	}
	cJSON_ArrayForEach(part, path) {
		value = value ? child_by(value, part) : NULL;
	}
	return value;
}

/* Equal as far as a writer of differences is concerned. */
static bool is_same(const cJSON *a, const cJSON *b)
{
	LT_AUTO(cJSON_Delete) cJSON *diff = NULL;

	if (!a || !b || lt_json_equal(a, b)) {
		return a && b;
	}
	diff = lt_dictdiff_make(a, b);
	return !diff->child;
}

static bool complain(const cJSON *path, const char *what, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	char quoted[LT_QUOTE_MAX];

	lt_json_print(&text, path, LT_JSON_COMPACT);
	return lt_err_set(err, LT_E_FORMAT, "%s %s", lt_str_quote(lt_buf_str(&text), quoted), what);
}

static bool check_change(
		const cJSON *value, const cJSON *path, const cJSON *changes, struct lt_err *err)
{
	const cJSON *target = find(value, path);

	/* The path "" is the root, or a member whose key is empty. */
	if (cJSON_IsString(path) && !path->valuestring[0] &&
			is_same(lt_json_get(value, ""), lt_cell_at(changes, 0))) {
		return true;
	}
	return is_same(target, lt_cell_at(changes, 0)) ||
			complain(path, "was something else before", err);
}

static bool check_removal(
		const cJSON *value, const cJSON *path, const cJSON *changes, struct lt_err *err)
{
	const cJSON *container = find(value, path);
	const cJSON *pair;

	cJSON_ArrayForEach(pair, changes) {
		if (!is_same(child_by(container, lt_cell_at(pair, 0)), lt_cell_at(pair, 1))) {
			return complain(path, "did not hold what is taken away", err);
		}
	}
	return true;
}

/* A list grows at its end. */
static bool check_addition(
		const cJSON *value, const cJSON *path, const cJSON *changes, struct lt_err *err)
{
	const cJSON *container = find(value, path);
	const cJSON *pair;
	int length = cJSON_IsArray(container) ? cJSON_GetArraySize(container) : 0;

	if (!container) {
		return complain(path, "was not there before", err);
	}
	cJSON_ArrayForEach(pair, changes) {
		const cJSON *key = lt_cell_at(pair, 0);

		if (cJSON_IsArray(container) ? !cJSON_IsNumber(key) ||
								key->valuedouble != (double)length
					     : child_by(container, key) != NULL) {
			return complain(path, "is added to where it has something", err);
		}
		length++;
	}
	return true;
}

bool lt_dictdiff_check(const cJSON *value, const cJSON *diff, struct lt_err *err)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, diff) {
		const cJSON *action = lt_cell_at(entry, 0);
		const cJSON *path = lt_cell_at(entry, 1), *changes = lt_cell_at(entry, 2);
		struct lt_str name = lt_str_from(cJSON_IsString(action) ? action->valuestring : "");
		bool ok = true;

		if (lt_str_eq_c(name, "change")) {
			ok = check_change(value, path, changes, err);
		} else if (lt_str_eq_c(name, "remove")) {
			ok = check_removal(value, path, changes, err);
		} else if (lt_str_eq_c(name, "add")) {
			ok = check_addition(value, path, changes, err);
		}
		if (!ok) {
			return false;
		}
	}
	return true;
}
