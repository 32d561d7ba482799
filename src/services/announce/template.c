#include "services/announce/template.h"

#include <time.h>

#include "net/percent.h"
#include "services/announce/text.h"

#define ELLIPSIS "\xe2\x80\xa6"

enum field { FIELD_NAME, FIELD_SERVICE, FIELD_START, FIELD_SITE, FIELD_LINK, FIELD_COUNT };

static const char *const field_names[] = {
	[FIELD_NAME] = "name",
	[FIELD_SERVICE] = "service",
	[FIELD_START] = "start",
	[FIELD_SITE] = "site",
	[FIELD_LINK] = "link",
};

/* A piece of a template: plain text, or a field. */
struct piece {
	struct lt_str text;
	enum field field; /* FIELD_COUNT: plain text */
};

/* --- taking apart --- */

static bool take_field(struct lt_str *rest, struct piece *ret, struct lt_err *err)
{
	struct lt_str after = lt_str_skip(*rest, 1);
	struct lt_str name = lt_str_split(&after, '}');
	char quoted[LT_QUOTE_MAX];

	if (!after.p) {
		return lt_err_set(err, LT_E_INVALID, "a \"{\" without \"}\"; \"{{\" is a brace");
	}
	for (ret->field = 0; ret->field < FIELD_COUNT; ret->field++) {
		if (lt_str_eq_c(name, field_names[ret->field])) {
			*rest = after;
			return true;
		}
	}
	return lt_err_set(err, LT_E_INVALID,
			"unknown placeholder %s: one of name, service, start, site, link",
			lt_str_quote(name, quoted));
}

/* Cut the next piece off; *rest is not empty. */
static bool next_piece(struct lt_str *rest, struct piece *ret, struct lt_err *err)
{
	size_t n = 0;

	if (rest->p[0] == '{' || rest->p[0] == '}') {
		if (rest->n > 1 && rest->p[1] == rest->p[0]) {
			*ret = (struct piece){ { rest->p, 1 }, FIELD_COUNT };
			*rest = lt_str_skip(*rest, 2);
			return true;
		}
		return rest->p[0] == '{'
				? take_field(rest, ret, err)
				: lt_err_set(err, LT_E_INVALID,
						  "a \"}\" without \"{\"; \"}}\" is a brace");
	}
	while (n < rest->n && rest->p[n] != '{' && rest->p[n] != '}') {
		n++;
	}
	*ret = (struct piece){ { rest->p, n }, FIELD_COUNT };
	*rest = lt_str_skip(*rest, n);
	return true;
}

bool lt_template_check(struct lt_str text, bool is_link, struct lt_err *err)
{
	struct piece piece;

	if (!lt_utf8_valid(text)) {
		return lt_err_set(err, LT_E_INVALID, "not UTF-8");
	}
	while (text.n) {
		if (!next_piece(&text, &piece, err)) {
			return false;
		}
		if (is_link && piece.field == FIELD_LINK) {
			return lt_err_set(err, LT_E_INVALID, "{link} cannot stand in the link");
		}
	}
	return true;
}

/* --- putting together --- */

static void add_start(struct lt_buf *buf, struct lt_wall start)
{
	char text[LT_WALL_TEXT]; /* 2026-05-16T13:00:00.123Z */

	lt_wall_format(start, text);
	lt_buf_printf(buf, "%.10s %.5s UTC", text, text + 11);
}

static void add_field(struct lt_buf *buf, enum field field, const struct lt_template_values *values)
{
	switch (field) {
	case FIELD_NAME:
		lt_buf_add_str(buf, values->name);
		break;
	case FIELD_SERVICE:
		lt_buf_add_str(buf, values->service);
		break;
	case FIELD_START:
		add_start(buf, values->start);
		break;
	case FIELD_SITE:
		lt_buf_add_str(buf, values->site);
		break;
	case FIELD_LINK:
		lt_buf_add_str(buf, values->link);
		break;
	case FIELD_COUNT:
		break;
	}
}

static void render(struct lt_buf *buf, struct lt_str text, const struct lt_template_values *values,
		bool is_link)
{
	struct piece piece;

	while (text.n && next_piece(&text, &piece, NULL)) {
		if (piece.field == FIELD_COUNT) {
			lt_buf_add_str(buf, piece.text);
		} else if (is_link && piece.field != FIELD_SITE) {
			LT_AUTO(lt_buf_finish) struct lt_buf value = { 0 };

			add_field(&value, piece.field, values);
			lt_percent_encode(buf, lt_buf_str(&value));
		} else {
			add_field(buf, piece.field, values);
		}
	}
}

void lt_template_message(
		struct lt_buf *buf, struct lt_str text, const struct lt_template_values *values)
{
	render(buf, text, values, false);
}

void lt_template_link(
		struct lt_buf *buf, struct lt_str text, const struct lt_template_values *values)
{
	render(buf, text, values, true);
}

/* --- fitting --- */

/* What is tried: head, cut to its first n clusters, with a fixed rest behind it. */
struct attempt {
	struct lt_str text;               /* template; p NULL: head and tail alone */
	struct lt_template_values values; /* of the template, whose name is cut */
	struct lt_str head, tail;
};

/* The first n clusters, shortened to a word's end, without the blanks and commas there. */
static struct lt_str cut(struct lt_str text, size_t n)
{
	struct lt_str kept = { text.p, 0 };
	size_t space;

	while (n-- && kept.n < text.n) {
		kept.n += lt_text_next_cluster(lt_str_skip(text, kept.n));
	}
	if (kept.n == text.n) {
		return kept;
	}
	space = kept.n;
	while (space && text.p[space] != ' ') {
		space--;
	}
	if (space > kept.n / 2) {
		kept.n = space;
	}
	while (kept.n && strchr(" ,;:.-([", kept.p[kept.n - 1])) {
		kept.n--;
	}
	return kept;
}

static void render_attempt(struct lt_buf *buf, const struct attempt *attempt, size_t clusters)
{
	LT_AUTO(lt_buf_finish) struct lt_buf short_head = { 0 };
	struct lt_str kept = cut(attempt->head, clusters);
	struct lt_template_values values = attempt->values;

	lt_buf_add_str(&short_head, kept);
	if (kept.n < attempt->head.n) {
		lt_buf_add_c(&short_head, ELLIPSIS);
	}
	if (attempt->text.p) {
		values.name = lt_buf_str(&short_head);
		render(buf, attempt->text, &values, false);
	} else {
		lt_buf_add_str(buf, lt_buf_str(&short_head));
		lt_buf_add_str(buf, attempt->tail);
	}
}

/* The longest head with which it fits; false: none does. */
static bool fit_attempt(struct lt_buf *buf, const struct attempt *attempt, size_t max,
		size_t (*length)(struct lt_str text))
{
	size_t low = 0, high = 0;
	struct lt_str rest = attempt->head;

	while (rest.n) {
		rest = lt_str_skip(rest, lt_text_next_cluster(rest));
		high++;
	}
	while (low < high) {
		size_t middle = (low + high + 1) / 2;

		lt_buf_clear(buf);
		render_attempt(buf, attempt, middle);
		if (length(lt_buf_str(buf)) <= max) {
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	lt_buf_clear(buf);
	render_attempt(buf, attempt, low);
	return length(lt_buf_str(buf)) <= max;
}

void lt_template_fit(struct lt_buf *buf, struct lt_str text,
		const struct lt_template_values *values, size_t max,
		size_t (*length)(struct lt_str text))
{
	struct attempt attempt = { .text = text, .values = *values, .head = values->name };
	LT_AUTO(lt_buf_finish) struct lt_buf whole = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf tail = { 0 };

	lt_buf_clear(buf);
	lt_template_message(buf, text, values);
	if (max == 0 || length(lt_buf_str(buf)) <= max || fit_attempt(buf, &attempt, max, length)) {
		return;
	}
	/* the template alone is too long: what stands before the link, and the link */
	lt_template_message(&whole, text, values);
	attempt = (struct attempt){ .head = lt_buf_str(&whole) };
	if (values->link.n && whole.n) {
		const char *at = memmem(whole.p, whole.n, values->link.p, values->link.n);

		if (at) {
			attempt.head = lt_str_trim(
					(struct lt_str){ whole.p, (size_t)(at - whole.p) });
			lt_buf_add_char(&tail, ' ');
			lt_buf_add_str(&tail, values->link);
			attempt.tail = lt_buf_str(&tail);
		}
	}
	if (!fit_attempt(buf, &attempt, max, length)) {
		attempt = (struct attempt){ .head = lt_buf_str(&whole) };
		fit_attempt(buf, &attempt, max, length);
	}
}
