#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "race/dictdiff.h"

#define TOLERANCE 0x1p-52 /* relative; the original's, the distance of doubles at 1 */
#define FEW       16      /* members up to which looking one by one is fastest */

/* One step from the root, linked upwards. `text` NULL: an index. */
struct step {
	const struct step *up;
	const char *text;
	int index;
};

static void diff_values(
		cJSON *diff, const struct step *at, const cJSON *old_value, const cJSON *new_value);

/* --- entries --- */

static bool is_plain(const struct step *at)
{
	for (; at; at = at->up) {
		if (!at->text || strchr(at->text, '.')) {
			return false;
		}
	}
	return true;
}

static void join_path(struct lt_buf *buf, const struct step *at)
{
	if (at->up) {
		join_path(buf, at->up);
		lt_buf_add_char(buf, '.');
	}
	lt_buf_add_c(buf, at->text);
}

static cJSON *key_of(const struct step *at)
{
	return at->text ? lt_json_new_str(lt_str_from(at->text)) : lt_json_new_int(at->index);
}

static void add_parts(cJSON *list, const struct step *at)
{
	if (at) {
		add_parts(list, at->up);
		cJSON_AddItemToArray(list, key_of(at));
	}
}

/* Texts joined with dots where that can be taken apart again, else a list of the parts. */
static cJSON *path_of(const struct step *at)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (is_plain(at)) {
		if (at) {
			join_path(&text, at);
		}
		return lt_json_new_str(lt_buf_str(&text));
	}
	cJSON *list = cJSON_CreateArray();
	add_parts(list, at);
	return list;
}

/* Owns `changes`. */
static void add_entry(cJSON *diff, const char *action, const struct step *at, cJSON *changes)
{
	cJSON *entry = cJSON_CreateArray();

	cJSON_AddItemToArray(entry, lt_json_new_str(lt_str_from(action)));
	cJSON_AddItemToArray(entry, path_of(at));
	cJSON_AddItemToArray(entry, changes);
	cJSON_AddItemToArray(diff, entry);
}

/* Owns `key`. */
static cJSON *new_pair(cJSON *key, const cJSON *value)
{
	cJSON *pair = cJSON_CreateArray();

	cJSON_AddItemToArray(pair, key);
	cJSON_AddItemToArray(pair, cJSON_Duplicate(value, true));
	return pair;
}

static void add_change(
		cJSON *diff, const struct step *at, const cJSON *old_value, const cJSON *new_value)
{
	add_entry(diff, "change", at, new_pair(cJSON_Duplicate(old_value, true), new_value));
}

/* Owns `pairs`; an empty list gives no entry. */
static void add_pairs(cJSON *diff, const char *action, const struct step *at, cJSON *pairs)
{
	if (pairs->child) {
		add_entry(diff, action, at, pairs);
	} else {
		cJSON_Delete(pairs);
	}
}

/* --- objects --- */

/* Members by name: one by one when they are few, else in a sorted list. */
struct lookup {
	const cJSON *object;
	const cJSON **sorted; /* NULL: few */
	size_t count;
};

static int compare_names(const void *a, const void *b)
{
	const cJSON *const *left = a, *const *right = b;

	return strcmp((*left)->string, (*right)->string);
}

static struct lookup lookup_init(const cJSON *object)
{
	struct lookup lookup = { .object = object };
	const cJSON *member;

	cJSON_ArrayForEach(member, object) {
		lookup.count++;
	}
	if (lookup.count > FEW) {
		size_t i = 0;

		lookup.sorted = lt_calloc(lookup.count, sizeof(*lookup.sorted));
		cJSON_ArrayForEach(member, object) {
			lookup.sorted[i++] = member;
		}
		qsort(lookup.sorted, lookup.count, sizeof(*lookup.sorted), compare_names);
	}
	return lookup;
}

static const cJSON *lookup_find(const struct lookup *lookup, const cJSON *named)
{
	if (!lookup->sorted) {
		return lt_json_get(lookup->object, named->string);
	}
	const cJSON *const *found = bsearch(&named, lookup->sorted, lookup->count,
			sizeof(*lookup->sorted), compare_names);
	return found ? *found : NULL;
}

static void lookup_finish(struct lookup *lookup)
{
	lt_free(lookup->sorted);
}

static void diff_objects(cJSON *diff, const struct step *at, const cJSON *old_object,
		const cJSON *new_object)
{
	struct lookup olds = lookup_init(old_object), news = lookup_init(new_object);
	cJSON *added = cJSON_CreateArray(), *removed = cJSON_CreateArray();
	const cJSON *member;

	cJSON_ArrayForEach(member, old_object) {
		const cJSON *other = lookup_find(&news, member);

		if (other) {
			diff_values(diff, &(struct step){ at, member->string, 0 }, member, other);
		} else {
			struct step step = { at, member->string, 0 };

			cJSON_AddItemToArray(removed, new_pair(key_of(&step), member));
		}
	}
	cJSON_ArrayForEach(member, new_object) {
		if (!lookup_find(&olds, member)) {
			struct step step = { at, member->string, 0 };

			cJSON_AddItemToArray(added, new_pair(key_of(&step), member));
		}
	}
	add_pairs(diff, "add", at, added);
	add_pairs(diff, "remove", at, removed);
	lookup_finish(&olds);
	lookup_finish(&news);
}

/* --- lists --- */

static void diff_lists(
		cJSON *diff, const struct step *at, const cJSON *old_list, const cJSON *new_list)
{
	const cJSON *old_item = old_list->child, *new_item = new_list->child;
	cJSON *pairs = cJSON_CreateArray();
	int index = 0;

	for (; old_item && new_item; index++) {
		diff_values(diff, &(struct step){ at, NULL, index }, old_item, new_item);
		old_item = old_item->next;
		new_item = new_item->next;
	}
	if (old_item) {
		/* From the end, so that each index still is right when its turn comes. */
		int last = index - 1;

		for (const cJSON *item = old_item; item; item = item->next) {
			last++;
		}
		for (const cJSON *item = old_list->child->prev; last >= index; item = item->prev) {
			cJSON_AddItemToArray(pairs, new_pair(lt_json_new_int(last--), item));
		}
		add_pairs(diff, "remove", at, pairs);
		return;
	}
	for (; new_item; new_item = new_item->next) {
		cJSON_AddItemToArray(pairs, new_pair(lt_json_new_int(index++), new_item));
	}
	add_pairs(diff, "add", at, pairs);
}

/* --- values --- */

static bool is_numeric(const cJSON *value)
{
	return cJSON_IsNumber(value) || cJSON_IsBool(value);
}

static double number_of(const cJSON *value)
{
	return cJSON_IsNumber(value) ? value->valuedouble : cJSON_IsTrue(value);
}

static bool numbers_equal(double a, double b)
{
	return a == b || fabs(a - b) <= TOLERANCE * fmax(fabs(a), fabs(b));
}

static bool scalars_equal(const cJSON *a, const cJSON *b)
{
	if (is_numeric(a) && is_numeric(b)) {
		return numbers_equal(number_of(a), number_of(b));
	}
	if (cJSON_IsString(a) && cJSON_IsString(b)) {
		return strcmp(a->valuestring, b->valuestring) == 0;
	}
	return cJSON_IsNull(a) && cJSON_IsNull(b);
}

static void diff_values(
		cJSON *diff, const struct step *at, const cJSON *old_value, const cJSON *new_value)
{
	if (cJSON_IsObject(old_value) && cJSON_IsObject(new_value)) {
		diff_objects(diff, at, old_value, new_value);
	} else if (cJSON_IsArray(old_value) && cJSON_IsArray(new_value)) {
		diff_lists(diff, at, old_value, new_value);
	} else if (!scalars_equal(old_value, new_value)) {
		add_change(diff, at, old_value, new_value);
	}
}

cJSON *lt_dictdiff_make(const cJSON *old_value, const cJSON *new_value)
{
	cJSON *diff = cJSON_CreateArray();

	diff_values(diff, NULL, old_value, new_value);
	return diff;
}

bool lt_dictdiff_shortens_list(const cJSON *diff)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, diff) {
		const cJSON *action = entry->child;
		const cJSON *pairs = cJSON_GetArrayItem(entry, 2);

		if (action && strcmp(action->valuestring, "remove") == 0 && pairs && pairs->child &&
				cJSON_IsNumber(pairs->child->child)) {
			return true;
		}
	}
	return false;
}
