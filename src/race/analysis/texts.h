/*
 * A list of values that are kept as the JSON text (compact, ASCII) that they
 * are published in. Zero-initialised is empty.
 */
#ifndef LT_RACE_ANALYSIS_TEXTS_H
#define LT_RACE_ANALYSIS_TEXTS_H

#include "base/json.h"

struct lt_texts {
	char **items;
	size_t count;
	size_t cap;
};

void lt_texts_finish(struct lt_texts *texts);

/* NULL is written as null. */
void lt_texts_add(struct lt_texts *texts, const cJSON *value);
void lt_texts_add_take(struct lt_texts *texts, char *text);

/* Position of the first equal value, or -1. */
int lt_texts_find(const struct lt_texts *texts, const cJSON *value);

/* The values in order, with commas between them and no brackets. */
void lt_texts_write(struct lt_buf *buf, const struct lt_texts *texts);

/* Compact ASCII JSON of a value, owned: lt_free. NULL is null. */
char *lt_text_of(const cJSON *value);

#endif
