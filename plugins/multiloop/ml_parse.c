#include "ml_parse.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 4 /* command, type, sequence, preamble */

/* What stands in a field. */
enum {
	TEXT,   /* anything */
	NAME,   /* anything but nothing */
	HEX,    /* a number, or nothing */
	NEED,   /* a number */
	STATUS, /* one of G Y R W K U C */
	WHERE,  /* T or P */
};

struct shape {
	char command;
	uint8_t count; /* fewer fields: the line was cut */
	uint8_t field[21];
};

static const struct shape shapes[] = {
	{ 'H', 5, { STATUS, HEX, NEED, HEX, HEX } },
	{ 'E', 5, { TEXT, NAME, TEXT, HEX, NEED } },
	{ 'C', 21,
			{ NEED, TEXT, NAME, NEED, NEED, HEX, WHERE, HEX, HEX, HEX, HEX, HEX, HEX,
					HEX, HEX, TEXT, STATUS, HEX, HEX, HEX, HEX } },
	{ 'S', 6, { TEXT, NAME, NAME, NEED, NEED, HEX } },
	{ 'L', 7, { TEXT, NAME, NAME, TEXT, NEED, STATUS, WHERE } },
	{ 'I', 3, { TEXT, NAME, NEED } },
	{ 'N', 5, { TEXT, NAME, HEX, HEX, HEX } },
	{ 'F', 11, { STATUS, HEX, HEX, HEX, HEX, HEX, HEX, HEX, TEXT, HEX, TEXT } },
	{ 'R', 5, { TEXT, TEXT, TEXT, TEXT, HEX } },
	{ 'T', 4, { TEXT, TEXT, TEXT, NEED } },
	{ 'A', 5, { NAME, TEXT, TEXT, HEX, TEXT } },
	{ 'V', 2, { HEX, HEX } },
};
#define SHAPE_COUNT (sizeof(shapes) / sizeof(shapes[0]))

static bool is_one_of(struct lt_str text, const char *letters)
{
	return text.n == 1 && text.p[0] != '\0' && strchr(letters, text.p[0]) != NULL;
}

int64_t ml_hex(struct lt_str text)
{
	int64_t value = 0;

	if (text.n == 0) {
		return ML_NO_NUMBER;
	}
	if (text.n > 12) {
		return -2;
	}
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		int digit = c >= '0' && c <= '9'       ? c - '0'
				: c >= 'A' && c <= 'F' ? c - 'A' + 10
				: c >= 'a' && c <= 'f' ? c - 'a' + 10
						       : -1;

		if (digit < 0) {
			return -2;
		}
		value = value * 16 + digit;
	}
	return value;
}

double ml_decimal(struct lt_str text)
{
	char copy[24], *end;
	double value;

	if (text.n == 0 || text.n >= sizeof(copy)) {
		return -1;
	}
	for (size_t i = 0; i < text.n; i++) {
		if ((text.p[i] < '0' || text.p[i] > '9') && text.p[i] != '.') {
			return -1;
		}
	}
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	value = strtod(copy, &end);
	return *end == '\0' ? value : -1;
}

/*
 * The separator of a line, told by the one behind its command: the byte itself,
 * or what relays made of it. In a line of one kind the others are text, as the
 * last byte of a UTF-8 "ae" ligature is.
 */
static struct lt_str separator_of(struct lt_str line)
{
	static const struct lt_str kinds[] = { { "\xA6", 1 }, { "\xC2\xA6", 2 },
		{ "\xEF\xBF\xBD", 3 } };

	for (size_t i = 0; i < 3; i++) {
		if (line.n > kinds[i].n && memcmp(line.p + 1, kinds[i].p, kinds[i].n) == 0) {
			return kinds[i];
		}
	}
	return lt_text_n(NULL, 0);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct lt_str trim(struct lt_str text)
{
	while (text.n > 0 && is_space(text.p[text.n - 1])) {
		text.n--;
	}
	while (text.n > 0 && is_space(text.p[0])) {
		text.p++;
		text.n--;
	}
	return text;
}

/* Takes the field in front off what is left of a line. False: it was the last one. */
static bool next_field(struct lt_str *rest, struct lt_str separator, struct lt_str *ret)
{
	const char *end = memmem(rest->p, rest->n, separator.p, separator.n);
	size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;

	*ret = trim(lt_text_n(rest->p, n));
	n += end != NULL ? separator.n : 0;
	rest->p += n;
	rest->n -= n;
	return end != NULL;
}

static const struct shape *shape_of(char command)
{
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		if (shapes[i].command == command) {
			return &shapes[i];
		}
	}
	return NULL;
}

/* A field that ends as a record begins, before a type: another line was joined to this one. */
static bool is_merged(const struct ml_record *record, char lead)
{
	for (size_t i = 0; lead != '\0' && i + 1 < record->count; i++) {
		struct lt_str f = record->field[i];

		if (f.n >= 2 && f.p[f.n - 2] == lead && shape_of(f.p[f.n - 1]) != NULL &&
				is_one_of(record->field[i + 1], "NRU")) {
			return true;
		}
	}
	return false;
}

static bool fits(struct lt_str text, uint8_t what)
{
	switch (what) {
	case NAME:
		return text.n > 0;
	case HEX:
		return ml_hex(text) >= ML_NO_NUMBER;
	case NEED:
		return ml_hex(text) >= 0;
	case STATUS:
		return is_one_of(text, "GYRWKUC");
	case WHERE:
		return is_one_of(text, "TP");
	default:
		return true;
	}
}

/* Groups that a record announces: $E has n free fields and then one more, $T n groups of four. */
static bool has_groups(const struct ml_record *record)
{
	int64_t n;

	if (record->command == 'E') {
		n = ml_hex(record->field[4]);
		return n <= 64 && record->count >= (size_t)(6 + n);
	}
	if (record->command == 'T') {
		n = ml_hex(record->field[3]);
		return n <= 48 && record->count >= (size_t)(4 + 4 * n);
	}
	return true;
}

static bool is_sound(const struct ml_record *record, const struct shape *shape, char lead)
{
	if (record->count < shape->count || is_merged(record, lead)) {
		return false;
	}
	for (size_t i = 0; i < shape->count; i++) {
		if (!fits(record->field[i], shape->field[i])) {
			return false;
		}
	}
	return has_groups(record);
}

enum ml_result ml_parse(struct lt_str line, char lead, struct ml_record *ret)
{
	struct lt_str head[HEADER], separator;
	const struct shape *shape;
	size_t n = 0;
	bool more = true;

	memset(ret, 0, sizeof(*ret));
	if (line.n >= 3 && memcmp(line.p, "\xEF\xBB\xBF", 3) == 0) { /* byte order mark */
		line = lt_text_n(line.p + 3, line.n - 3);
	}
	line = trim(line);
	if (lead != '\0') {
		if (line.n == 0 || line.p[0] != lead) {
			return ML_IGNORED;
		}
		line = lt_text_n(line.p + 1, line.n - 1);
	}
	separator = separator_of(line);
	if (separator.n == 0) {
		return ML_IGNORED;
	}
	while (n < HEADER && more) {
		more = next_field(&line, separator, &head[n++]);
	}
	shape = shape_of(head[0].p[0]);
	if (shape == NULL) {
		return ML_IGNORED;
	}
	if (n < HEADER || !more || !is_one_of(head[1], "NRU") || ml_hex(head[2]) < 0) {
		return ML_DAMAGED;
	}
	ret->command = shape->command;
	ret->type = head[1].p[0];
	ret->sequence = ml_hex(head[2]);
	ret->preamble = head[3];
	while (more && ret->count < ML_FIELDS_MAX) {
		more = next_field(&line, separator, &ret->field[ret->count++]);
	}
	return is_sound(ret, shape, lead) ? ML_OK : ML_DAMAGED;
}
