#include "store/raw_filter.h"

#include <regex.h>

#include "base/alloc.h"

#define RULES_MAX  200
#define GROUPS_MAX 10

struct rule {
	regex_t regex;
	char *text;
};

struct lt_raw_filter {
	struct rule rules[RULES_MAX];
	size_t count;
	bool is_dropped[LT_RAW_KIND_COUNT];
	struct lt_buf partial[LT_RAW_STREAMS_MAX]; /* of a line, by stream */
	uint64_t hits;
};

void lt_raw_filter_destroy(struct lt_raw_filter *filter)
{
	if (!filter) {
		return;
	}
	for (size_t i = 0; i < filter->count; i++) {
		regfree(&filter->rules[i].regex);
		lt_free(filter->rules[i].text);
	}
	for (size_t i = 0; i < LT_RAW_STREAMS_MAX; i++) {
		lt_buf_finish(&filter->partial[i]);
	}
	lt_free(filter);
}

/* --- rules --- */

static struct lt_str trim(struct lt_str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s = lt_str_skip(s, 1);
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r')) {
		s.n--;
	}
	return s;
}

static bool add_drop(struct lt_raw_filter *filter, struct lt_str name, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (int kind = 0; kind < LT_RAW_KIND_COUNT; kind++) {
		if (lt_str_eq_c(name, lt_raw_kind_name((enum lt_raw_kind)kind))) {
			filter->is_dropped[kind] = true;
			return true;
		}
	}
	return lt_err_set(err, LT_E_FORMAT, "there are no records of kind %s",
			lt_str_quote(name, quoted));
}

static bool add_rule(struct lt_raw_filter *filter, struct lt_str pattern, struct lt_str text,
		struct lt_err *err)
{
	LT_AUTO(lt_free) char *copy = lt_str_dup(pattern);
	struct rule *rule = &filter->rules[filter->count];
	char reason[120];
	int code;

	if (filter->count == RULES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "more than %d rules", RULES_MAX);
	}
	code = regcomp(&rule->regex, copy, REG_EXTENDED | REG_NEWLINE);
	if (code != 0) {
		regerror(code, &rule->regex, reason, sizeof(reason));
		return lt_err_set(err, LT_E_FORMAT, "the pattern is wrong: %s", reason);
	}
	rule->text = lt_str_dup(text);
	filter->count++;
	return true;
}

static bool parse_line(struct lt_raw_filter *filter, struct lt_str line, struct lt_err *err)
{
	static const struct lt_str arrow = { " => ", 4 };
	const char *at;

	line = trim(line);
	if (line.n == 0 || line.p[0] == '#') {
		return true;
	}
	if (lt_str_starts(line, LT_STR("drop "))) {
		return add_drop(filter, trim(lt_str_skip(line, strlen("drop "))), err);
	}
	/* A rule that replaces by nothing ends behind its arrow. */
	at = memmem(line.p, line.n, arrow.p, arrow.n);
	if (!at && line.n > 3 && memcmp(line.p + line.n - 3, " =>", 3) == 0) {
		return add_rule(filter, trim((struct lt_str){ line.p, line.n - 3 }), LT_STR(""),
				err);
	}
	if (!at) {
		return lt_err_set(err, LT_E_FORMAT, "expected PATTERN => TEXT, or drop KIND");
	}
	return add_rule(filter, trim((struct lt_str){ line.p, (size_t)(at - line.p) }),
			trim(lt_str_skip(line, (size_t)(at - line.p) + arrow.n)), err);
}

struct lt_raw_filter *lt_raw_filter_create(struct lt_str rules, struct lt_err *err)
{
	struct lt_raw_filter *filter = lt_zalloc(sizeof(*filter));
	int number = 0;

	while (rules.p) {
		number++;
		if (!parse_line(filter, lt_str_split(&rules, '\n'), err)) {
			lt_err_prefix(err, "line %d", number);
			lt_raw_filter_destroy(filter);
			return NULL;
		}
	}
	return filter;
}

/* --- replacing --- */

static void add_replacement(const struct rule *rule, const char *line, const regmatch_t *groups,
		struct lt_buf *out)
{
	for (const char *p = rule->text; *p != '\0'; p++) {
		if (*p == '\\' && p[1] >= '1' && p[1] <= '9') {
			const regmatch_t *group = &groups[p[1] - '0'];

			if (group->rm_so >= 0) {
				lt_buf_add(out, line + group->rm_so,
						(size_t)(group->rm_eo - group->rm_so));
			}
			p++;
		} else {
			p += *p == '\\' && p[1] == '\\';
			lt_buf_add_char(out, *p);
		}
	}
}

/* A text without NUL through one rule. */
static void replace(struct lt_raw_filter *filter, const struct rule *rule, struct lt_buf *line)
{
	LT_AUTO(lt_buf_finish) struct lt_buf out = { 0 };
	const char *rest = line->p ? line->p : "";
	regmatch_t groups[GROUPS_MAX];
	int flags = 0;

	while (regexec(&rule->regex, rest, GROUPS_MAX, groups, flags) == 0) {
		filter->hits++;
		lt_buf_add(&out, rest, (size_t)groups[0].rm_so);
		add_replacement(rule, rest, groups, &out);
		rest += groups[0].rm_eo;
		if (groups[0].rm_eo == groups[0].rm_so) { /* an empty match: go on by one */
			if (*rest == '\0') {
				break;
			}
			lt_buf_add_char(&out, *rest++);
		}
		flags = REG_NOTBOL;
	}
	lt_buf_add_c(&out, rest);
	lt_buf_clear(line);
	lt_buf_add_str(line, lt_buf_str(&out));
}

/* One line; regular expressions see texts, so each part between NULs by itself. */
static void filter_line(struct lt_raw_filter *filter, struct lt_str line, struct lt_buf *out)
{
	LT_AUTO(lt_buf_finish) struct lt_buf part = { 0 };
	struct lt_str rest = line;
	bool is_first = true;

	while (rest.p) {
		lt_buf_clear(&part);
		lt_buf_add_str(&part, lt_str_split(&rest, '\0'));
		for (size_t i = 0; i < filter->count; i++) {
			replace(filter, &filter->rules[i], &part);
		}
		if (!is_first) {
			lt_buf_add_char(out, '\0');
		}
		lt_buf_add_str(out, lt_buf_str(&part));
		is_first = false;
	}
}

/* All whole lines of a text; what is behind the last one is returned. */
static struct lt_str filter_lines(
		struct lt_raw_filter *filter, struct lt_str text, struct lt_buf *out)
{
	for (;;) {
		const char *end = text.n > 0 ? memchr(text.p, '\n', text.n) : NULL;

		if (!end) {
			return text;
		}
		size_t n = (size_t)(end - text.p);
		bool has_cr = n > 0 && text.p[n - 1] == '\r';

		filter_line(filter, (struct lt_str){ text.p, n - has_cr }, out);
		lt_buf_add_c(out, has_cr ? "\r\n" : "\n");
		text = lt_str_skip(text, n + 1);
	}
}

/* --- records --- */

static void write_partial(
		struct lt_raw_filter *filter, uint32_t stream, int64_t at_us, struct lt_buf *out)
{
	struct lt_buf *partial = &filter->partial[stream - 1];
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };

	if (partial->n == 0) {
		return;
	}
	filter_line(filter, lt_buf_str(partial), &bytes);
	lt_buf_clear(partial);
	lt_raw_write_record(out,
			&(struct lt_raw_record){ .at_us = at_us,
					.stream = stream,
					.kind = LT_RAW_DATA,
					.bytes = lt_buf_str(&bytes) });
}

static void apply_data(struct lt_raw_filter *filter, const struct lt_raw_record *record,
		struct lt_buf *out)
{
	struct lt_buf *partial = &filter->partial[record->stream - 1];
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 }, text = { 0 };
	struct lt_raw_record changed = *record;

	lt_buf_add_str(&text, lt_buf_str(partial));
	lt_buf_add_str(&text, record->bytes);
	lt_buf_clear(partial);
	lt_buf_add_str(partial, filter_lines(filter, lt_buf_str(&text), &bytes));
	changed.bytes = lt_buf_str(&bytes);
	if (bytes.n > 0) {
		lt_raw_write_record(out, &changed);
	}
}

static void apply_text(struct lt_raw_filter *filter, const struct lt_raw_record *record,
		struct lt_buf *out)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };
	struct lt_raw_record changed = *record;
	struct lt_str rest = filter_lines(filter, record->bytes, &bytes);

	if (rest.n > 0) {
		filter_line(filter, rest, &bytes);
	}
	changed.bytes = lt_buf_str(&bytes);
	lt_raw_write_record(out, &changed);
}

void lt_raw_filter_apply(struct lt_raw_filter *filter, const struct lt_raw_record *record,
		struct lt_buf *out)
{
	if (filter->is_dropped[record->kind]) {
		filter->hits++;
		return;
	}
	switch (record->kind) {
	case LT_RAW_DATA:
		apply_data(filter, record, out);
		break;
	case LT_RAW_UP:
	case LT_RAW_DOWN:
		write_partial(filter, record->stream, record->at_us, out);
		apply_text(filter, record, out);
		break;
	case LT_RAW_TEXT:
	case LT_RAW_HTTP:
		apply_text(filter, record, out);
		break;
	case LT_RAW_OPEN:
	case LT_RAW_FROM:
	case LT_RAW_BINARY:
	case LT_RAW_KIND_COUNT:
		lt_raw_write_record(out, record);
		break;
	}
}

void lt_raw_filter_end(struct lt_raw_filter *filter, int64_t at_us, struct lt_buf *out)
{
	for (uint32_t stream = 1; stream <= LT_RAW_STREAMS_MAX; stream++) {
		write_partial(filter, stream, at_us, out);
	}
}

uint64_t lt_raw_filter_hits(const struct lt_raw_filter *filter)
{
	return filter->hits;
}
