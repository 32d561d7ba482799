/* Which car of the new state is which of the old one. */
#include "base/alloc.h"
#include "base/table.h"
#include "race/message_generator.h"

/* Cells that identify a car, with a hash of the number to compare first. */
struct identity {
	const cJSON *row;
	const cJSON *num, *car, *class_;
	unsigned hash;
};

/* Equal cells have equal hashes; as values, 1, 1.0 and true are equal. */
static unsigned hash_cell(const cJSON *cell)
{
	double number;

	if (cJSON_IsString(cell)) {
		return lt_table_hash(cell->valuestring, strlen(cell->valuestring));
	}
	if (!cJSON_IsNumber(cell) && !cJSON_IsBool(cell)) {
		return 0;
	}
	number = cJSON_IsNumber(cell) ? cell->valuedouble : cJSON_IsTrue(cell) ? 1 : 0;
	number += 0.0; /* -0.0 equals 0.0 */
	return lt_table_hash(&number, sizeof(number));
}

/* A missing cell is null. */
static bool cells_equal(const cJSON *a, const cJSON *b)
{
	bool a_null = !a || cJSON_IsNull(a), b_null = !b || cJSON_IsNull(b);

	return a_null || b_null ? a_null == b_null : lt_json_equal(a, b);
}

static bool same_car(const struct identity *a, const struct identity *b)
{
	return a->hash == b->hash && cells_equal(a->num, b->num) && cells_equal(a->car, b->car) &&
			cells_equal(a->class_, b->class_);
}

/* Owned array, freed with lt_free; NULL and err for cars that are not a list of lists. */
static struct identity *identities(const struct lt_columns *columns, const cJSON *state,
		const char *which, size_t *ret_count, struct lt_err *err)
{
	const cJSON *cars = lt_json_get(state, "cars"), *row;
	struct identity *list;
	size_t count = 0;

	if (!cJSON_IsArray(cars)) {
		lt_err_set(err, LT_E_FORMAT, "%s state: cars is not a list", which);
		return NULL;
	}
	list = lt_calloc((size_t)cJSON_GetArraySize(cars) + 1, sizeof(*list));
	cJSON_ArrayForEach(row, cars) {
		const cJSON *num = lt_cell_at(row, columns->num);

		if (!cJSON_IsArray(row)) {
			lt_err_set(err, LT_E_FORMAT, "%s state: car %zu is not a list", which,
					count);
			lt_free(list);
			return NULL;
		}
		list[count++] = (struct identity){
			.row = row,
			.num = num,
			.car = lt_cell_at(row, columns->car),
			.class_ = lt_cell_at(row, columns->class_),
			.hash = hash_cell(num),
		};
	}
	*ret_count = count;
	return list;
}

/* The only one that is the same car, or NULL. */
static const struct identity *find_only(
		const struct identity *list, size_t count, const struct identity *wanted)
{
	const struct identity *found = NULL;

	for (size_t i = 0; i < count; i++) {
		if (same_car(&list[i], wanted)) {
			if (found) {
				return NULL;
			}
			found = &list[i];
		}
	}
	return found;
}

bool lt_car_pairs_find(struct lt_message_step *step, struct lt_err *err)
{
	struct identity *old_cars, *new_cars = NULL;
	size_t old_count = 0, new_count = 0;

	if (step->pairs_found || step->columns.num < 0) {
		return true;
	}
	old_cars = identities(&step->columns, step->old_state, "old", &old_count, err);
	if (old_cars) {
		new_cars = identities(&step->columns, step->new_state, "new", &new_count, err);
	}
	if (!new_cars) {
		lt_free(old_cars);
		return false;
	}
	step->pairs = lt_calloc(new_count + 1, sizeof(*step->pairs));
	for (size_t i = 0; i < new_count; i++) {
		const struct identity *old = find_only(old_cars, old_count, &new_cars[i]);

		if (old) {
			step->pairs[step->pair_count++] =
					(struct lt_car_pair){ old->row, new_cars[i].row };
		}
	}
	step->pairs_found = true;
	lt_free(old_cars);
	lt_free(new_cars);
	return true;
}
