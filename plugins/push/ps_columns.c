/* Columns of a pushed table: the standard ones by their titles, and the sender's own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ps_int.h"

struct standard {
	struct lt_column column;
	uint32_t source;
};

static const struct standard standards[] = {
	{ LT_COL_NUM, PS_NUM },
	{ LT_COL_STATE, PS_STATE },
	{ LT_COL_CLASS, PS_CLASS },
	{ LT_COL_POS_IN_CLASS, PS_PIC },
	{ LT_COL_TEAM, PS_TEAM },
	{ LT_COL_DRIVER, PS_DRIVER },
	{ LT_COL_CAR, PS_CAR },
	{ LT_COL_TYRE, PS_TYRE },
	{ LT_COL_LAPS, PS_LAPS },
	{ LT_COL_GAP, PS_GAP },
	{ LT_COL_INT, PS_INT },
	{ LT_COL_CLASS_GAP, PS_CLASS_GAP },
	{ LT_COL_CLASS_INT, PS_CLASS_INT },
	{ LT_COL_LAST_LAP, PS_LAST },
	{ LT_COL_BEST_LAP, PS_BEST },
	{ LT_COL_PITS, PS_PITS },
	{ LT_COL_S1, PS_S1 },
	{ LT_COL_S2, PS_S1 + 1 },
	{ LT_COL_S3, PS_S1 + 2 },
	{ LT_COL_S4, PS_S1 + 3 },
	{ LT_COL_S5, PS_S1 + 4 },
	{ LT_COL_BS1, PS_BS1 },
	{ LT_COL_BS2, PS_BS1 + 1 },
	{ LT_COL_BS3, PS_BS1 + 2 },
	{ LT_COL_BS4, PS_BS1 + 3 },
	{ LT_COL_BS5, PS_BS1 + 4 },
	/* Nobody can compute these: they come as values. */
	{ LT_COL_TYRE_STINT, PS_OWN },
	{ LT_COL_TYRE_AGE, PS_OWN },
	{ LT_COL_SPEED, PS_OWN },
	{ LT_COL_BEST_SPEED, PS_OWN },
	{ LT_COL_PUSH_TO_PASS, PS_OWN },
	{ LT_COL_DRIVER_1_BEST_LAP, PS_OWN },
	{ LT_COL_DRIVER_2_BEST_LAP, PS_OWN },
	{ LT_COL_AGGREGATE_BEST_LAP, PS_OWN },
	{ LT_COL_T1_SPEED, PS_OWN },
	{ LT_COL_BEST_T1_SPEED, PS_OWN },
	{ LT_COL_T3_SPEED, PS_OWN },
	{ LT_COL_BEST_T3_SPEED, PS_OWN },
	{ LT_COL_NO_TOW_SPEED, PS_OWN },
	{ LT_COL_NO_TOW_RANK, PS_OWN },
};
#define STANDARD_COUNT (sizeof(standards) / sizeof(standards[0]))

static const char *const type_names[] = { [PS_TYPE_TEXT] = "text",
	[PS_TYPE_NUMBER] = "numeric",
	[PS_TYPE_TIME] = "time",
	[PS_TYPE_DELTA] = "delta",
	[PS_TYPE_CLASS] = "class" };

const char *ps_type_name(enum ps_type type)
{
	return type_names[type];
}

static bool parse_type(struct lt_str text, enum ps_type *ret)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (ps_is(text, type_names[i])) {
			*ret = (enum ps_type)i;
			return true;
		}
	}
	return false;
}

static void copy(char *to, size_t size, struct lt_str text)
{
	snprintf(to, size, "%.*s", (int)text.n, text.p != NULL ? text.p : "");
}

static void add_standard(struct ps_columns *columns, const struct standard *standard)
{
	struct ps_column *column = &columns->at[columns->n++];
	const char *description = standard->column.description;

	memset(column, 0, sizeof(*column));
	snprintf(column->title, sizeof(column->title), "%s", standard->column.title);
	snprintf(column->description, sizeof(column->description), "%s",
			description != NULL ? description : "");
	parse_type(lt_text_n(standard->column.type, strlen(standard->column.type)), &column->type);
	column->source = standard->source;
	if (column->source == PS_OWN) {
		column->source = PS_OWN + (uint32_t)columns->own++;
	}
}

void ps_default_columns(struct ps_columns *columns, uint32_t sectors)
{
	static const uint32_t first[] = { PS_NUM, PS_STATE, PS_CLASS, PS_PIC, PS_DRIVER, PS_TEAM,
		PS_CAR, PS_LAPS, PS_GAP, PS_INT };

	memset(columns, 0, sizeof(*columns));
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		for (size_t s = 0; s < STANDARD_COUNT; s++) {
			if (standards[s].source == first[i]) {
				add_standard(columns, &standards[s]);
			}
		}
	}
	for (size_t s = 0; s < STANDARD_COUNT; s++) {
		uint32_t source = standards[s].source;

		if (source >= PS_S1 && source < PS_S1 + sectors && source < PS_BS1) {
			add_standard(columns, &standards[s]);
		}
	}
	for (size_t s = 0; s < STANDARD_COUNT; s++) {
		if (standards[s].source >= PS_LAST && standards[s].source <= PS_PITS) {
			add_standard(columns, &standards[s]);
		}
	}
}

/* --- columns of a message --- */

static const struct standard *find_standard(struct lt_str title)
{
	for (size_t i = 0; i < STANDARD_COUNT; i++) {
		if (ps_is(title, standards[i].column.title)) {
			return &standards[i];
		}
	}
	return NULL;
}

static bool has_title(const struct ps_columns *columns, struct lt_str title)
{
	for (size_t i = 0; i < columns->n; i++) {
		if (ps_is(title, columns->at[i].title)) {
			return true;
		}
	}
	return false;
}

static bool read_own(struct ps_reader *reader, const struct lt_value *value)
{
	struct ps_columns *columns = &reader->message->columns;
	struct lt_str title = { NULL, 0 }, type = { NULL, 0 }, description = { NULL, 0 };
	const struct lt_value *member = reader->json->first(value);
	struct ps_column *column;

	for (; member != NULL; member = reader->json->next(member)) {
		struct lt_str name = reader->json->name(member);

		if (ps_is(name, "title")) {
			if (!ps_text(reader, "title", member, PS_VALUE_MAX, &title)) {
				return false;
			}
		} else if (ps_is(name, "type")) {
			type = reader->json->text(member);
		} else if (!ps_is(name, "description")) {
			return ps_wrong(reader, NULL, "expected title, type and description alone");
		} else if (!ps_text(reader, "description", member, PS_TEXT_MAX, &description)) {
			return false;
		}
	}
	if (title.n == 0) {
		return ps_wrong(reader, "title", "expected a text of 1 to 63 bytes");
	}
	if (has_title(columns, title) || find_standard(title) != NULL) {
		return ps_wrong(reader, "title",
				"this title is a standard one, or stands there twice");
	}
	if (columns->own == PS_OWN_MAX) {
		return ps_wrong(reader, NULL, "expected at most 24 columns with values");
	}
	column = &columns->at[columns->n];
	memset(column, 0, sizeof(*column));
	column->type = PS_TYPE_TEXT;
	if (type.p != NULL && !parse_type(type, &column->type)) {
		return ps_wrong(reader, "type", "expected text, numeric, time, delta or class");
	}
	copy(column->title, sizeof(column->title), title);
	copy(column->description, sizeof(column->description), description);
	column->source = PS_OWN + (uint32_t)columns->own++;
	columns->n++;
	return true;
}

static bool read_column(struct ps_reader *reader, const struct lt_value *value)
{
	struct ps_columns *columns = &reader->message->columns;
	const struct standard *standard;
	struct lt_str title;

	if (columns->n == PS_COLUMNS_MAX) {
		return ps_wrong(reader, NULL, "expected at most 40 columns");
	}
	if (reader->json->kind(value) == LT_VALUE_OBJECT) {
		return read_own(reader, value);
	}
	if (reader->json->kind(value) != LT_VALUE_TEXT) {
		return ps_wrong(reader, NULL,
				"expected the title of a standard column, or an object");
	}
	title = reader->json->text(value);
	standard = find_standard(title);
	if (standard == NULL) {
		return ps_wrong(reader, NULL, "no standard column has this title");
	}
	if (has_title(columns, title)) {
		return ps_wrong(reader, NULL, "this title stands there twice");
	}
	if (standard->source == PS_OWN && columns->own == PS_OWN_MAX) {
		return ps_wrong(reader, NULL, "expected at most 24 columns with values");
	}
	add_standard(columns, standard);
	return true;
}

bool ps_read_columns(struct ps_reader *reader, const struct lt_value *value)
{
	const struct lt_value *item;
	size_t i = 0;
	bool has_number = false;

	if (reader->json->kind(value) != LT_VALUE_LIST || reader->json->first(value) == NULL) {
		return ps_wrong(reader, "columns", "expected a list with at least Num");
	}
	for (item = reader->json->first(value); item != NULL; item = reader->json->next(item)) {
		snprintf(reader->where, sizeof(reader->where), "columns[%zu]", i++);
		if (!read_column(reader, item)) {
			return false;
		}
	}
	reader->where[0] = '\0';
	for (i = 0; i < reader->message->columns.n; i++) {
		has_number = has_number || reader->message->columns.at[i].source == PS_NUM;
	}
	if (!has_number) {
		return ps_wrong(reader, "columns", "expected Num among them");
	}
	reader->message->has_columns = true;
	reader->columns = &reader->message->columns;
	return true;
}

/* --- values of own columns --- */

static const struct ps_column *find_own(const struct ps_columns *columns, struct lt_str title)
{
	for (size_t i = 0; i < columns->n; i++) {
		if (columns->at[i].source >= PS_OWN && ps_is(title, columns->at[i].title)) {
			return &columns->at[i];
		}
	}
	return NULL;
}

static bool fits(const struct ps_reader *reader, const struct lt_value *value, enum ps_type type)
{
	uint32_t kind = reader->json->kind(value);
	double number = reader->json->number(value);

	if (kind == LT_VALUE_NULL) {
		return true;
	}
	if (kind == LT_VALUE_NUMBER && (!isfinite(number) || fabs(number) > 1e15)) {
		return false;
	}
	switch (type) {
	case PS_TYPE_NUMBER:
		return kind == LT_VALUE_NUMBER;
	case PS_TYPE_TIME:
		return kind == LT_VALUE_NUMBER && number >= 0 && number <= 1e7;
	case PS_TYPE_TEXT:
	case PS_TYPE_CLASS:
	case PS_TYPE_DELTA:
		break;
	}
	return kind == LT_VALUE_NUMBER ||
			(kind == LT_VALUE_TEXT && reader->json->text(value).n <= PS_VALUE_MAX);
}

bool ps_check_values(struct ps_reader *reader, const struct lt_value *values)
{
	static const char *const expected[] = {
		[PS_TYPE_TEXT] = "expected a text of at most 63 bytes",
		[PS_TYPE_NUMBER] = "expected a number",
		[PS_TYPE_TIME] = "expected seconds",
		[PS_TYPE_DELTA] = "expected seconds or a text of at most 63 bytes",
		[PS_TYPE_CLASS] = "expected a text of at most 63 bytes"
	};
	const struct lt_value *member = reader->json->first(values);
	char name[PS_VALUE_MAX + 12];

	if (reader->json->kind(values) != LT_VALUE_OBJECT) {
		return ps_wrong(reader, "values", "expected an object");
	}
	for (; member != NULL; member = reader->json->next(member)) {
		struct lt_str title = reader->json->name(member);
		const struct ps_column *column = find_own(reader->columns, title);

		snprintf(name, sizeof(name), "values.%.*s",
				(int)(title.n > PS_VALUE_MAX ? PS_VALUE_MAX : title.n), title.p);
		if (column == NULL) {
			return ps_wrong(reader, name, "no column has this title");
		}
		if (!fits(reader, member, column->type)) {
			return ps_wrong(reader, name, expected[column->type]);
		}
	}
	return true;
}
