#include "services/check/plugin_check_state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "race/column.h"
#include "race/flag.h"

/* The worst so far; of two that are equally bad the first. */
struct verdict {
	enum lt_check_verdict worst;
	char *text; /* LT_CHECK_STATE_TEXT bytes */
};

static void find(struct verdict *verdict, enum lt_check_verdict how_bad, const char *fmt, ...)
		LT_PRINTF(3, 4);

static void find(struct verdict *verdict, enum lt_check_verdict how_bad, const char *fmt, ...)
{
	va_list ap;

	if (how_bad <= verdict->worst) {
		return;
	}
	verdict->worst = how_bad;
	va_start(ap, fmt);
	vsnprintf(verdict->text, LT_CHECK_STATE_TEXT, fmt, ap);
	va_end(ap);
}

/* A value as it is written, cut when long. */
static const char *written(const cJSON *value, char buf[LT_QUOTE_MAX])
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_json_print(&text, value, LT_JSON_COMPACT);
	snprintf(buf, LT_QUOTE_MAX, "%.60s%s", text.p, text.n > 60 ? "..." : "");
	return buf;
}

static bool is_number(const cJSON *value)
{
	return cJSON_IsNumber(value) && isfinite(value->valuedouble);
}

static bool is_empty(const cJSON *value)
{
	return cJSON_IsNull(value) || (cJSON_IsString(value) && value->valuestring[0] == '\0');
}

static bool is_mark(const cJSON *value)
{
	static const char *const marks[] = { "", "pb", "sb", "sb-new", "old" };

	for (size_t i = 0; cJSON_IsString(value) && i < LT_ARRAY_LEN(marks); i++) {
		if (strcmp(value->valuestring, marks[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_time(const cJSON *value)
{
	const cJSON *seconds = cJSON_IsArray(value) ? value->child : NULL;

	return is_empty(value) ||
			(seconds && cJSON_GetArraySize(value) == 2 && is_mark(seconds->next) &&
					(is_empty(seconds) ||
							(is_number(seconds) &&
									seconds->valuedouble >=
											0)));
}

static bool is_numeric(const cJSON *value)
{
	double number;

	return is_empty(value) || is_number(value) ||
			(cJSON_IsString(value) &&
					lt_parse_double(lt_str_from(value->valuestring), &number,
							NULL));
}

static const char *expected(const cJSON *value, const char *type)
{
	if (strcmp(type, "time") == 0) {
		return is_time(value) ? NULL : "[seconds, mark]";
	}
	if (strcmp(type, "numeric") == 0) {
		return is_numeric(value) ? NULL : "a number";
	}
	if (cJSON_IsNumber(value)) {
		return is_number(value) ? NULL : "a number that is finite";
	}
	if (strcmp(type, "delta") == 0) {
		return is_empty(value) || cJSON_IsString(value) ? NULL : "seconds or a text";
	}
	return is_empty(value) || cJSON_IsString(value) || cJSON_IsArray(value) ? NULL : "a text";
}

static void check_word(struct verdict *verdict, const cJSON *row, int column, int place)
{
	static const char *const words[] = { "RUN", "PIT", "OUT", "STOP", "RET", "FUEL", "N/S",
		"FIN", "" };
	const cJSON *state = lt_cell_at(row, column);
	char quoted[LT_QUOTE_MAX];

	if (!cJSON_IsString(state)) {
		return;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(words); i++) {
		if (strcmp(words[i], state->valuestring) == 0) {
			return;
		}
	}
	find(verdict, LT_CHECK_WARNING,
			"car %d, column \"State\": %s is no state that viewers know", place,
			written(state, quoted));
}

/* Its number in words: messages and viewers know cars by it. */
static void check_number(struct verdict *verdict, const cJSON *row, int column, int place)
{
	const cJSON *num = lt_cell_at(row, column), *other = row->prev;
	char quoted[LT_QUOTE_MAX];

	if (column < 0) {
		return;
	}
	if (num == NULL || is_empty(num)) {
		find(verdict, LT_CHECK_WARNING, "car %d has no number in \"Num\"", place);
		return;
	}
	/* The first one's prev is the last of the list. */
	for (int i = place - 1; i > 0; i--, other = other->prev) {
		if (lt_json_equal(lt_cell_at(other, column), num)) {
			find(verdict, LT_CHECK_WARNING, "cars %d and %d both have the number %s", i,
					place, written(num, quoted));
			return;
		}
	}
}

static void check_row(struct verdict *verdict, const cJSON *col_spec,
		const struct lt_columns *columns, const cJSON *row, int place)
{
	const cJSON *column = col_spec->child, *cell = row->child;
	char number[LT_QUOTE_MAX], value[LT_QUOTE_MAX];
	const cJSON *num = lt_cell_at(row, columns->num);

	if (cJSON_GetArraySize(row) > cJSON_GetArraySize(col_spec)) {
		find(verdict, LT_CHECK_FAILED, "car %d has %d cells for %d columns", place,
				cJSON_GetArraySize(row), cJSON_GetArraySize(col_spec));
		return;
	}
	for (; cell != NULL; cell = cell->next, column = column->next) {
		const char *type = column->child->next->valuestring;
		const char *wanted = expected(cell, type);

		if (wanted != NULL) {
			find(verdict, LT_CHECK_FAILED,
					"car %d%s%s%s, column \"%.40s\": expected %s, not %s",
					place, num ? " (" : "", num ? written(num, number) : "",
					num ? ")" : "", column->child->valuestring, wanted,
					written(cell, value));
			return;
		}
	}
	check_number(verdict, row, columns->num, place);
	check_word(verdict, row, columns->state, place);
}

static void check_session(struct verdict *verdict, const cJSON *session, const cJSON *headings)
{
	static const char *const clocks[] = { "timeElapsed", "timeRemain", "lapsRemain" };
	const cJSON *flag = lt_json_get(session, "flagState");
	const cJSON *track = lt_json_get(session, "trackData");
	char value[LT_QUOTE_MAX];
	enum lt_flag known;

	if (!cJSON_IsString(flag) || !lt_flag_parse(lt_str_from(flag->valuestring), &known)) {
		find(verdict, LT_CHECK_FAILED, "session, flagState: expected a flag, not %s",
				flag ? written(flag, value) : "nothing");
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(clocks); i++) {
		const cJSON *clock = lt_json_get(session, clocks[i]);

		if (clock != NULL && !is_number(clock)) {
			find(verdict, LT_CHECK_FAILED, "session, %s: expected a number, not %s",
					clocks[i], written(clock, value));
		}
	}
	if (track != NULL && cJSON_GetArraySize(track) != cJSON_GetArraySize(headings)) {
		find(verdict, LT_CHECK_FAILED, "session, trackData: %d texts for %d headings",
				cJSON_GetArraySize(track), cJSON_GetArraySize(headings));
	}
}

enum lt_check_verdict lt_check_state(
		const cJSON *description, const cJSON *state, char ret_text[LT_CHECK_STATE_TEXT])
{
	const cJSON *col_spec = lt_json_get(description, "colSpec"), *row;
	const cJSON *cars = lt_json_get(state, "cars"), *session = lt_json_get(state, "session");
	struct verdict verdict = { LT_CHECK_OK, ret_text };
	struct lt_columns columns;
	int place = 0;

	ret_text[0] = '\0';
	if (col_spec == NULL) {
		find(&verdict, LT_CHECK_FAILED,
				"it was published before the service was described");
		return verdict.worst;
	}
	if (!cJSON_IsArray(cars) || !cJSON_IsObject(session)) {
		find(&verdict, LT_CHECK_FAILED, "%s is missing",
				cJSON_IsArray(cars) ? "session" : "cars");
		return verdict.worst;
	}
	lt_columns_find(col_spec, &columns);
	cJSON_ArrayForEach(row, cars) {
		if (!cJSON_IsArray(row)) {
			find(&verdict, LT_CHECK_FAILED, "car %d is no list of cells", place + 1);
			return verdict.worst;
		}
		check_row(&verdict, col_spec, &columns, row, ++place);
	}
	check_session(&verdict, session, lt_json_get(description, "trackDataSpec"));
	return verdict.worst;
}
