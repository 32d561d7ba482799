/* Inside of ps_read.c (the message) and ps_columns.c (its columns and their values). */
#ifndef LT_PUSH_PS_INT_H
#define LT_PUSH_PS_INT_H

#include "ps_read.h"

struct ps_reader {
	const struct lt_json_ext *json;
	struct ps_message *message;
	const struct ps_columns *columns; /* that hold for this message */
	char where[96];                   /* "cars[3]"; empty: the message itself */
};

/* Always false. The name may be NULL. */
bool ps_wrong(struct ps_reader *reader, const char *name, const char *expected);

bool ps_is(struct lt_str text, const char *other);
/* A text without control characters; null is "". */
bool ps_text(struct ps_reader *reader, const char *name, const struct lt_value *value, size_t max,
		struct lt_str *ret);

bool ps_read_columns(struct ps_reader *reader, const struct lt_value *value);
bool ps_check_values(struct ps_reader *reader, const struct lt_value *values);

#endif
