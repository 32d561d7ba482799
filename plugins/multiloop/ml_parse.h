/*
 * Multiloop lines to records. Pure: no state, no clock, never fails on any
 * bytes. Fields are the raw bytes between separators; their encoding is the
 * business of whoever shows them.
 */
#ifndef LT_MULTILOOP_ML_PARSE_H
#define LT_MULTILOOP_ML_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include <livetiming/plugin.h>

#define ML_LINE_MAX   8192
#define ML_FIELDS_MAX 200    /* further fields are ignored */
#define ML_NO_NUMBER  (-1LL) /* an empty field where a number may stand */

enum ml_result {
	ML_OK,
	ML_IGNORED, /* not a record, or one that we do not know */
	ML_DAMAGED, /* cut, merged with another line, or fields that make no sense */
};

struct ml_record {
	char command; /* one of H E C S L I N F R T A V */
	char type;    /* N new, R repeated, U updated */
	int64_t sequence;
	struct lt_str preamble;
	size_t count;                       /* of fields after the header */
	struct lt_str field[ML_FIELDS_MAX]; /* borrowed from the line; missing ones are empty */
};

/* line: without its end. lead: the character in front of the command; '\0': none. */
enum ml_result ml_parse(struct lt_str line, char lead, struct ml_record *ret);

/* A hexadecimal number of up to twelve digits; ML_NO_NUMBER when empty; -2: not a number. */
int64_t ml_hex(struct lt_str text);

/* A decimal number such as "2.31"; -1: not one. */
double ml_decimal(struct lt_str text);

#endif
