/*
 * What was pushed so far: the cars in a field of the host, and beside it what
 * only the sender knows. A message that was read counts at once. Senders may say
 * the same again as often as they like: only what changed does anything. Pure.
 */
#ifndef LT_PUSH_PS_MODEL_H
#define LT_PUSH_PS_MODEL_H

#include "ps_read.h"

/* A value of an own column. */
struct ps_value {
	uint32_t kind; /* LT_VALUE_NONE, LT_VALUE_NUMBER, LT_VALUE_TEXT */
	double number;
	char text[PS_VALUE_MAX + 1];
};

struct ps_opts {
	const struct lt_field_ext *field;
	const struct lt_json_ext *json;
	uint32_t sectors, pit_settle_ms;
};

struct ps_model;

struct ps_model *ps_model_create(const struct ps_opts *opts); /* NULL: no memory */
void ps_model_destroy(struct ps_model *model);                /* NULL is fine */

/* What a message changed, besides the cars. */
struct ps_change {
	bool is_new_session, is_redescribed;
};

/* Read and apply. False: nothing changed; the sentence is in ps_model_error. */
bool ps_model_push(struct ps_model *model, const struct lt_value *value, int64_t now_ms,
		struct ps_change *ret_change);
const char *ps_model_error(const struct ps_model *model);
/* Of the last message that was taken; borrowed as its document. */
const struct ps_message *ps_model_message(const struct ps_model *model);

/* --- what is shown --- */

struct ps_view {
	const char *series, *description; /* empty: not said */
	uint32_t flag;
	int64_t laps_remain; /* -1: none */
	bool runs;
	const struct ps_columns *columns;
	size_t track_count;
	const char *track_names[PS_TRACK_MAX], *track_values[PS_TRACK_MAX];
};
/* Also puts the cars in order. */
struct ps_view ps_model_view(struct ps_model *model, int64_t now_ms);
struct lt_field *ps_model_field(struct ps_model *model);
size_t ps_model_cars(const struct ps_model *model);
const struct ps_value *ps_model_value(const struct ps_model *model, int32_t car, uint32_t own);

#endif
