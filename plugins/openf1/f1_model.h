/*
 * A session as it stood at a moment: events up to it, in a field of the host.
 * Time only goes on; f1_model_begin goes back to the start. Pure.
 */
#ifndef LT_OPENF1_F1_MODEL_H
#define LT_OPENF1_F1_MODEL_H

#include "f1_data.h"

#define F1_CARS_MAX 100

struct f1_model;

struct f1_model *f1_model_create(const struct lt_field_ext *field,
		const struct lt_text_ext *text); /* NULL: no memory */
void f1_model_destroy(struct f1_model *model);   /* NULL is fine */

/* Start with this data, which is borrowed until the next begin or the destroy. */
void f1_model_begin(struct f1_model *model, const struct f1_data *data);

/*
 * Apply at most `max` events up to this moment, or until the flag has changed, so
 * that every flag can be shown. The latter: *ret_flag_ms is when, else INT64_MIN.
 * True: all of them have been.
 */
bool f1_model_play(struct f1_model *model, int64_t until_ms, size_t max, int64_t *ret_flag_ms);
/* Nothing is left to come. */
bool f1_model_is_over(const struct f1_model *model);

/* A race control message that was played and not taken yet; false: none. */
struct f1_message {
	const char *text;
	int32_t driver; /* 0: none */
	int64_t at_ms;
};
bool f1_model_next_message(struct f1_model *model, struct f1_message *ret);

struct f1_view {
	uint32_t flag;
	const int32_t *weather; /* air, track, humidity, wind, rain, in tenths; F1_NONE: not known
				 */
};
/* Also puts the cars in order. */
struct f1_view f1_model_view(struct f1_model *model, int64_t now_ms);
struct lt_field *f1_model_field(struct f1_model *model);
/* Tyres of a car of the field in the lap it is on, and laps on them; NULL: not known. */
const struct f1_stint *f1_model_tyres(
		const struct f1_model *model, const struct lt_field_row *row, int32_t *ret_laps);

#endif
