#include "store/catalogue.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "race/upper.h"

#define SORTS     3
#define WORDS_MAX 16

struct item {
	const cJSON *entry;
	struct lt_str name, uuid; /* borrowed from the entry; empty when it has none */
	double start_s, duration_s;
	bool is_hidden, is_private;
	char *folded; /* name and description in upper case, a line each */
	size_t folded_bytes;
	size_t place; /* in the index */
};

struct lt_catalogue {
	cJSON *index;
	struct item *items;
	size_t count;
	const struct item **by[SORTS]; /* ascending */
	const struct item **by_uuid;
};

/* --- making --- */

static struct lt_str text_of(const cJSON *entry, const char *key)
{
	const cJSON *value = lt_json_get(entry, key);

	return cJSON_IsString(value) ? lt_str_from(value->valuestring) : LT_STR("");
}

static double number_of(const cJSON *entry, const char *key)
{
	const cJSON *value = lt_json_get(entry, key);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

static void make_item(struct item *item, const cJSON *entry, size_t place)
{
	struct lt_buf folded = { 0 };

	*item = (struct item){
		.entry = entry,
		.name = text_of(entry, "name"),
		.uuid = text_of(entry, "uuid"),
		.start_s = number_of(entry, "startTime"),
		.duration_s = number_of(entry, "duration"),
		.is_hidden = cJSON_IsTrue(lt_json_get(entry, "hidden")),
		.is_private = cJSON_IsTrue(lt_json_get(entry, "private")),
		.place = place,
	};
	lt_upper(&folded, item->name);
	lt_buf_add_char(&folded, '\n');
	lt_upper(&folded, text_of(entry, "description"));
	item->folded_bytes = folded.n;
	item->folded = lt_buf_steal(&folded);
}

/* Of equal ones the later in the index is first, so that backwards it is the order of the index. */
static int by_place(const struct item *a, const struct item *b)
{
	return a->place > b->place ? -1 : a->place < b->place;
}

static int compare_start(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left;
	const struct item *b = *(const struct item *const *)right;

	return a->start_s < b->start_s ? -1 : a->start_s > b->start_s ? 1 : by_place(a, b);
}

static int compare_duration(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left;
	const struct item *b = *(const struct item *const *)right;

	return a->duration_s < b->duration_s            ? -1
			: a->duration_s > b->duration_s ? 1
							: compare_start(left, right);
}

static int compare_name(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left;
	const struct item *b = *(const struct item *const *)right;
	int order = lt_str_cmp(a->name, b->name);

	return order ? order : compare_start(left, right);
}

static int compare_uuid(const void *left, const void *right)
{
	const struct item *a = *(const struct item *const *)left;
	const struct item *b = *(const struct item *const *)right;
	int order = lt_str_cmp(a->uuid, b->uuid);

	return order ? order : compare_start(left, right);
}

static const struct item **sorted(
		const struct lt_catalogue *catalogue, int (*compare)(const void *, const void *))
{
	const struct item **list = lt_calloc(catalogue->count + 1, sizeof(*list));

	for (size_t i = 0; i < catalogue->count; i++) {
		list[i] = &catalogue->items[i];
	}
	qsort(list, catalogue->count, sizeof(*list), compare);
	return list;
}

struct lt_catalogue *lt_catalogue_create_take(cJSON *index)
{
	struct lt_catalogue *catalogue = lt_zalloc(sizeof(*catalogue));
	const cJSON *entry;

	catalogue->index = index;
	catalogue->items =
			lt_calloc((size_t)cJSON_GetArraySize(index) + 1, sizeof(*catalogue->items));
	cJSON_ArrayForEach(entry, index) {
		make_item(&catalogue->items[catalogue->count], entry, catalogue->count);
		catalogue->count++;
	}
	catalogue->by[LT_SORT_START] = sorted(catalogue, compare_start);
	catalogue->by[LT_SORT_NAME] = sorted(catalogue, compare_name);
	catalogue->by[LT_SORT_DURATION] = sorted(catalogue, compare_duration);
	catalogue->by_uuid = sorted(catalogue, compare_uuid);
	return catalogue;
}

void lt_catalogue_destroy(struct lt_catalogue *catalogue)
{
	if (!catalogue) {
		return;
	}
	for (size_t i = 0; i < catalogue->count; i++) {
		lt_free(catalogue->items[i].folded);
	}
	for (size_t i = 0; i < SORTS; i++) {
		lt_free(catalogue->by[i]);
	}
	lt_free(catalogue->by_uuid);
	lt_free(catalogue->items);
	cJSON_Delete(catalogue->index);
	lt_free(catalogue);
}

size_t lt_catalogue_count(const struct lt_catalogue *catalogue)
{
	return catalogue->count;
}

/* --- questions --- */

/* The words of a query in upper case. */
struct words {
	struct lt_buf text;
	struct lt_str word[WORDS_MAX];
	size_t count;
};

static void words_init(struct words *words, struct lt_str text)
{
	struct lt_str rest;

	*words = (struct words){ .count = 0 };
	text.n = LT_MIN(text.n, (size_t)LT_CATALOGUE_TEXT_MAX);
	text.n = lt_utf8_prefix(text);
	lt_upper(&words->text, text);
	rest = lt_buf_str(&words->text);
	while (rest.p && words->count < WORDS_MAX) {
		struct lt_str word = lt_str_trim(lt_str_split(&rest, ' '));

		if (word.n > 0) {
			words->word[words->count++] = word;
		}
	}
}

static bool matches(const struct item *item, const struct lt_catalogue_query *query,
		const struct words *words)
{
	if ((item->is_hidden && !query->show_hidden) ||
			(item->is_private && !query->show_private) ||
			(query->name.p && !lt_str_eq(query->name, item->name))) {
		return false;
	}
	if (query->from_s != 0 && item->start_s < (double)query->from_s) {
		return false;
	}
	if (query->until_s != 0 && item->start_s >= (double)query->until_s) {
		return false;
	}
	for (size_t i = 0; i < words->count; i++) {
		if (!memmem(item->folded, item->folded_bytes, words->word[i].p, words->word[i].n)) {
			return false;
		}
	}
	return true;
}

cJSON *lt_catalogue_search(
		const struct lt_catalogue *catalogue, const struct lt_catalogue_query *query)
{
	int64_t per_page = query->per_page > 0
			? LT_MIN(query->per_page, (int64_t)LT_CATALOGUE_PER_PAGE_MAX)
			: LT_CATALOGUE_PAGE;
	/* No page is before the first, and none beyond what can be counted. */
	bool is_page = query->page >= 1 && query->page <= INT64_MAX / per_page;
	int64_t first = is_page ? (query->page - 1) * per_page : INT64_MAX;
	int64_t total = 0;
	cJSON *list = cJSON_CreateArray(), *result = cJSON_CreateObject();
	struct words words;

	words_init(&words, query->text);
	for (size_t i = 0; i < catalogue->count; i++) {
		size_t at = query->ascending ? i : catalogue->count - 1 - i;
		const struct item *item = catalogue->by[query->sort][at];

		if (!matches(item, query, &words)) {
			continue;
		}
		if (total >= first && total - first < per_page) {
			cJSON_AddItemToArray(list, cJSON_Duplicate(item->entry, true));
		}
		total++;
	}
	lt_buf_finish(&words.text);
	lt_json_set_take(result, "recordings", list);
	lt_json_add_int(result, "pages", (total + per_page - 1) / per_page);
	lt_json_add_int(result, "total", total);
	return result;
}

cJSON *lt_catalogue_page(const struct lt_catalogue *catalogue, int64_t page, struct lt_str name,
		bool show_hidden)
{
	struct lt_catalogue_query query = {
		.name = name,
		.page = page,
		.show_hidden = show_hidden,
	};

	return lt_catalogue_search(catalogue, &query);
}

cJSON *lt_catalogue_names(const struct lt_catalogue *catalogue, bool show_hidden, bool show_private)
{
	cJSON *names = cJSON_CreateArray();
	const struct item *last = NULL;

	for (size_t i = 0; i < catalogue->count; i++) {
		const struct item *item = catalogue->by[LT_SORT_NAME][i];

		if ((item->is_hidden && !show_hidden) || (item->is_private && !show_private) ||
				(last && lt_str_eq(last->name, item->name))) {
			continue;
		}
		cJSON_AddItemToArray(names, lt_json_new_str(item->name));
		last = item;
	}
	return names;
}

const cJSON *lt_catalogue_manifest(const struct lt_catalogue *catalogue, struct lt_str uuid)
{
	size_t low = 0, high = catalogue->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lt_str_cmp(catalogue->by_uuid[middle]->uuid, uuid) <= 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	/* The newest of those that share it. */
	return low > 0 && lt_str_eq(catalogue->by_uuid[low - 1]->uuid, uuid)
			? catalogue->by_uuid[low - 1]->entry
			: NULL;
}

bool lt_catalogue_sort_parse(struct lt_str text, enum lt_catalogue_sort *ret, struct lt_err *err)
{
	static const char *const names[SORTS] = {
		[LT_SORT_START] = "startTime",
		[LT_SORT_NAME] = "name",
		[LT_SORT_DURATION] = "duration",
	};
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < SORTS; i++) {
		if (lt_str_eq_c(text, names[i])) {
			*ret = (enum lt_catalogue_sort)i;
			return true;
		}
	}
	return lt_err_set(err, LT_E_INVALID,
			"cannot sort by %s, only by startTime, name or duration",
			lt_str_quote(text, quoted));
}
