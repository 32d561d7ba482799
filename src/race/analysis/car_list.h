/*
 * The cars of a race, in order of appearance, found by number.
 *
 * Two rows of one update with the same number are two cars (the original melts
 * them into one): the first keeps the number as the key of its data, the other
 * gets NUMBER-CLASS, or NUMBER-2 without a class, and from then on they are
 * told apart by class. A lone car keeps its data when its class is corrected.
 */
#ifndef LT_RACE_ANALYSIS_CAR_LIST_H
#define LT_RACE_ANALYSIS_CAR_LIST_H

#include "race/analysis/car.h"

struct lt_car_list;

/* A row of an update with its car; car NULL: a row without a number. */
struct lt_car_row {
	struct lt_row row;
	struct lt_car *car;
};

struct lt_car_list *lt_car_list_create(void);
void lt_car_list_destroy(struct lt_car_list *list);

/*
 * Find or make the car of each row. *ret_created: cars that are new. The rows of one
 * update get different cars.
 */
void lt_car_list_claim(struct lt_car_list *list, struct lt_car_row *rows, size_t count,
		size_t *ret_created);

/* Take over a car that was read from a file; false when its key is taken. */
bool lt_car_list_add(struct lt_car_list *list, struct lt_car *car);

size_t lt_car_list_count(const struct lt_car_list *list);
struct lt_car *lt_car_list_at(const struct lt_car_list *list, size_t index);
struct lt_car *lt_car_list_find(const struct lt_car_list *list, struct lt_str key);

#endif
