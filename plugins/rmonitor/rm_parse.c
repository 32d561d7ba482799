#include "rm_parse.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	enum rm_kind kind;
} commands[] = {
	{ "$F", RM_HEARTBEAT },
	{ "$A", RM_COMPETITOR },
	{ "$COMP", RM_COMPETITOR_DETAIL },
	{ "$B", RM_RUN },
	{ "$C", RM_CLASS },
	{ "$E", RM_SETTING },
	{ "$G", RM_RACE_ORDER },
	{ "$H", RM_BEST_ORDER },
	{ "$I", RM_INIT },
	{ "$J", RM_PASSING },
	{ "$COR", RM_CORRECTION },
	{ "$L", RM_LINE },
	{ "$T", RM_TRACK },
};

/* Cut the text at p, up to its end (exclusive), down to what is not space. */
static const char *trimmed(char *p, char *end)
{
	while (p < end && *p == ' ') {
		p++;
	}
	while (end > p && end[-1] == ' ') {
		end--;
	}
	*end = '\0';
	return p;
}

/*
 * One field: quoted or bare, spaces around it. Returns the separator or the
 * end behind it; NULL when quotes stand where none can.
 */
static char *take_field(char *p, const char **ret_field)
{
	char *end;

	while (*p == ' ') {
		p++;
	}
	if (*p != '"') {
		end = p + strcspn(p, ",\"");
		if (*end == '"') {
			return NULL;
		}
	} else {
		char *close = strchr(++p, '"');

		if (close == NULL) {
			return NULL;
		}
		end = close + 1 + strspn(close + 1, " ");
		if (*end != ',' && *end != '\0') {
			return NULL;
		}
		*ret_field = trimmed(p, close);
		return end;
	}
	/* The separator is overwritten by the terminator: say by the return value that it was. */
	if (*end == '\0') {
		*ret_field = trimmed(p, end);
		return end;
	}
	*end = '\0';
	*ret_field = trimmed(p, end);
	*end = ',';
	return end;
}

static enum rm_result split(char *text, struct rm_record *ret)
{
	char *p = text + strcspn(text, ","), *name_end = p;
	char separator = *p;
	size_t i;

	*name_end = '\0';
	trimmed(text, name_end);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(text, commands[i].name) == 0) {
			break;
		}
	}
	if (i == sizeof(commands) / sizeof(commands[0])) {
		return RM_IGNORED;
	}
	ret->kind = commands[i].kind;
	while (separator == ',') {
		const char *field = "";
		char *end = take_field(p + 1, &field);

		if (end == NULL) {
			return RM_DAMAGED;
		}
		separator = *end;
		*end = '\0';
		if (ret->count < RM_FIELDS_MAX) {
			ret->field[ret->count++] = field;
		}
		p = end;
	}
	return RM_OK;
}

enum rm_result rm_parse(
		const struct rm_decoder *decoder, const char *line, size_t n, struct rm_record *ret)
{
	size_t quotes = 0;

	ret->count = 0;
	for (size_t i = 0; i < RM_FIELDS_MAX; i++) {
		ret->field[i] = "";
	}
	if (n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		n -= 3;
	}
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' ')) {
		n--;
	}
	while (n > 0 && *line == ' ') {
		line++;
		n--;
	}
	if (n == 0 || *line != '$') {
		return RM_IGNORED;
	}
	if (n > RM_LINE_MAX) {
		return RM_DAMAGED;
	}
	for (size_t i = 0; i < n; i++) {
		quotes += line[i] == '"';
	}
	if (quotes % 2 != 0) {
		return RM_DAMAGED;
	}
	decoder->text->decode(lt_text_n(line, n), decoder->encoding, ret->text, sizeof(ret->text));
	return split(ret->text, ret);
}

/* Digits at *p, at least min and at most max of them; -1 when not so. */
static int64_t digits(const char **p, int min, int max)
{
	int64_t value = 0;
	int count = 0;

	while (**p >= '0' && **p <= '9' && count < max) {
		value = value * 10 + (*(*p)++ - '0');
		count++;
	}
	return count < min ? -1 : value;
}

int64_t rm_time_ms(const char *text)
{
	static const int64_t scale[] = { 0, 100, 10, 1 };
	int64_t hours = digits(&text, 1, 6), minutes, seconds, rest = 0;

	if (hours < 0 || *text++ != ':' || (minutes = digits(&text, 2, 2)) < 0 || minutes > 59 ||
			*text++ != ':' || (seconds = digits(&text, 2, 2)) < 0 || seconds > 59) {
		return -1;
	}
	if (*text == '.') {
		const char *from = ++text;

		rest = digits(&text, 1, 3);
		if (rest < 0) {
			return -1;
		}
		rest *= scale[text - from];
	}
	return *text != '\0' ? -1 : ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest;
}

int64_t rm_signed_time_ms(const char *text)
{
	bool negative = *text == '-';
	int64_t ms = rm_time_ms(text + (*text == '-' || *text == '+'));

	return ms < 0 ? 0 : negative ? -ms : ms;
}

int32_t rm_number(const char *text)
{
	int64_t value = digits(&text, 1, 9);

	return *text != '\0' ? -1 : (int32_t)value;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_from_epoch(int64_t year, int64_t month, int64_t day)
{
	/* Years that begin in March, so that the leap day is a year's last. */
	int64_t y = month > 2 ? year : year - 1;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

int64_t rm_stamp_ms(const char *line, size_t n)
{
	char text[48];
	const char *p = text;
	int64_t year, month, day, ms;
	size_t length;

	if (n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		n -= 3;
	}
	if (n < 3 || line[0] != '#' || line[1] != '#') {
		return -1;
	}
	for (length = 2; length < n && length < sizeof(text) + 1; length++) {
		if (line[length] == '|' || line[length] == '\r') {
			break;
		}
		text[length - 2] = line[length];
	}
	text[length - 2 < sizeof(text) ? length - 2 : sizeof(text) - 1] = '\0';
	if ((year = digits(&p, 4, 4)) < 1970 || *p++ != '-' || (month = digits(&p, 2, 2)) < 1 ||
			month > 12 || *p++ != '-' || (day = digits(&p, 2, 2)) < 1 || day > 31 ||
			*p++ != ' ' || (ms = rm_time_ms(p)) < 0) {
		return -1;
	}
	return days_from_epoch(year, month, day) * 86400000 + ms;
}
