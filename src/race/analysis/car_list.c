#include "race/analysis/car_list.h"

#include <assert.h>

#include "base/table.h"

/* All cars of one number; nearly always one. */
struct namesakes {
	UT_hash_handle hh;
	char *number;
	struct lt_car **cars;
	struct lt_car_row **claims; /* row of this update, by car; NULL: not there */
	size_t count;
	int64_t claimed_in; /* round in which claims were set */
};

struct lt_car_list {
	struct namesakes *by_number;
	struct lt_car **cars;
	size_t count, cap;
	int64_t round;
	struct lt_buf number; /* scratch */
};

struct lt_car_list *lt_car_list_create(void)
{
	return lt_zalloc(sizeof(struct lt_car_list));
}

void lt_car_list_destroy(struct lt_car_list *list)
{
	struct namesakes *group, *next;

	if (!list) {
		return;
	}
	HASH_ITER(hh, list->by_number, group, next) {
		HASH_DEL(list->by_number, group);
		lt_free(group->number);
		lt_free(group->cars);
		lt_free(group->claims);
		lt_free(group);
	}
	for (size_t i = 0; i < list->count; i++) {
		lt_car_destroy(list->cars[i]);
	}
	lt_free(list->cars);
	lt_buf_finish(&list->number);
	lt_free(list);
}

size_t lt_car_list_count(const struct lt_car_list *list)
{
	return list->count;
}

struct lt_car *lt_car_list_at(const struct lt_car_list *list, size_t index)
{
	assert(index < list->count);
	return list->cars[index];
}

struct lt_car *lt_car_list_find(const struct lt_car_list *list, struct lt_str key)
{
	for (size_t i = 0; i < list->count; i++) {
		if (lt_str_eq_c(key, list->cars[i]->key)) {
			return list->cars[i];
		}
	}
	return NULL;
}

static struct namesakes *find_group(struct lt_car_list *list, const char *number, size_t n)
{
	struct namesakes *group;

	HASH_FIND(hh, list->by_number, number, n, group);
	return group;
}

static struct namesakes *get_group(struct lt_car_list *list, const char *number, size_t n)
{
	struct namesakes *group = find_group(list, number, n);

	if (!group) {
		group = lt_zalloc(sizeof(*group));
		group->number = lt_str_dup((struct lt_str){ number, n });
		HASH_ADD_KEYPTR(hh, list->by_number, group->number, n, group);
	}
	return group;
}

static void append(struct lt_car_list *list, struct namesakes *group, struct lt_car *car)
{
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 32;
		list->cars = lt_reallocarray(list->cars, list->cap, sizeof(struct lt_car *));
	}
	list->cars[list->count++] = car;
	group->cars = lt_reallocarray(group->cars, group->count + 1, sizeof(struct lt_car *));
	group->claims = lt_reallocarray(
			group->claims, group->count + 1, sizeof(struct lt_car_row *));
	group->cars[group->count] = car;
	group->claims[group->count++] = NULL;
}

bool lt_car_list_add(struct lt_car_list *list, struct lt_car *car)
{
	if (lt_car_list_find(list, lt_str_from(car->key))) {
		return false;
	}
	append(list, get_group(list, car->number, strlen(car->number)), car);
	return true;
}

/* --- keys --- */

/* Owned, and not the key of another car: the base, or with -2, -3, ... behind it. */
static char *free_key(const struct lt_car_list *list, const char *base)
{
	struct lt_buf key = { 0 };

	lt_buf_add_c(&key, base);
	for (unsigned i = 2; lt_car_list_find(list, lt_buf_str(&key)); i++) {
		lt_buf_clear(&key);
		lt_buf_printf(&key, "%s-%u", base, i);
	}
	return lt_buf_steal(&key);
}

static char *key_of(const struct lt_car_list *list, const struct namesakes *group,
		const struct lt_row *row)
{
	LT_AUTO(lt_buf_finish) struct lt_buf base = { 0 };

	lt_buf_add_c(&base, group->number);
	if (group->count > 0 && cJSON_IsString(row->class_) && row->class_->valuestring[0]) {
		lt_buf_add_char(&base, '-');
		lt_buf_add_c(&base, row->class_->valuestring);
	}
	return free_key(list, base.p);
}

/* --- claiming --- */

static bool is_of_class(const struct lt_car *car, const struct lt_row *row)
{
	LT_AUTO(lt_free) char *class_ = lt_text_of(row->class_);

	return strcmp(car->class_, class_) == 0;
}

/* The car that a row is, among several: its class decides, then whichever is free. */
static size_t choose(const struct namesakes *group, const struct lt_row *row)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct lt_car_row *claim = group->claims[i];

		/* A row of another class may have come first: it has to give way. */
		if (is_of_class(group->cars[i], row) &&
				!(claim && is_of_class(group->cars[i], &claim->row))) {
			return i;
		}
	}
	for (size_t i = 0; i < group->count; i++) {
		if (!group->claims[i]) {
			return i;
		}
	}
	return group->count;
}

static size_t claim_row(struct lt_car_list *list, struct namesakes *group, struct lt_car_row *row)
{
	size_t created = 0;

	if (group->claimed_in != list->round) {
		group->claimed_in = list->round;
		for (size_t i = 0; i < group->count; i++) {
			group->claims[i] = NULL;
		}
	}
	while (row) {
		bool is_lone = group->count == 1 && !group->claims[0];
		size_t place = is_lone ? 0 : choose(group, &row->row);

		if (place == group->count) {
			append(list, group,
					lt_car_create(group->number, key_of(list, group, &row->row),
							&row->row));
			created++;
		}
		struct lt_car_row *evicted = group->claims[place];
		group->claims[place] = row;
		row->car = group->cars[place];
		row = evicted;
	}
	return created;
}

void lt_car_list_claim(struct lt_car_list *list, struct lt_car_row *rows, size_t count,
		size_t *ret_created)
{
	*ret_created = 0;
	list->round++;
	for (size_t i = 0; i < count; i++) {
		rows[i].car = NULL;
		if (lt_row_number(&rows[i].row, &list->number)) {
			struct namesakes *group = get_group(list, list->number.p, list->number.n);

			*ret_created += claim_row(list, group, &rows[i]);
		}
	}
}
