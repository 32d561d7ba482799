#include "calendar/summary.h"

#include "base/alloc.h"

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/*
 * Is the bracket at `bracket` behind a name? That ends in a character other
 * than a space, behind which one space may stand, and has two characters at least.
 */
static bool check_name(struct lt_str title, size_t bracket, size_t *ret_name, struct lt_err *err)
{
	size_t name = bracket > 0 && title.p[bracket - 1] == ' ' ? bracket - 1 : bracket;
	uint32_t ignored;

	if (name == 0) {
		return lt_err_set(err, LT_E_FORMAT, "no name before the bracket");
	}
	if (title.p[name - 1] == ' ') {
		return lt_err_set(err, LT_E_FORMAT, "more than one space before the bracket");
	}
	if (lt_utf8_next((struct lt_str){ title.p, name }, &ignored) >= name) {
		return lt_err_set(err, LT_E_FORMAT, "a name needs two characters at least");
	}
	*ret_name = name;
	return true;
}

/* Split at each space without a backslash before it; then "\ " is a space. */
static void split_args(struct lt_str text, struct lt_args *args)
{
	LT_AUTO(lt_buf_finish) struct lt_buf arg = { 0 };

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] == ' ') {
			lt_buf_add_char(&arg, ' ');
			i++;
		} else if (text.p[i] == ' ') {
			lt_args_add(args, lt_buf_str(&arg));
			lt_buf_clear(&arg);
		} else {
			lt_buf_add_char(&arg, text.p[i]);
		}
	}
	lt_args_add(args, lt_buf_str(&arg));
}

static void read_options(struct lt_summary *summary)
{
	const struct lt_args *args = &summary->args;

	for (size_t i = 0; i < args->n; i++) {
		struct lt_str arg = lt_str_from(args->v[i]), value = { 0 };

		if (lt_str_eq_c(arg, "--hidden") || lt_str_eq_c(arg, "-H") ||
				lt_str_eq_c(arg, "--private")) {
			summary->is_hidden = true;
		} else if (lt_str_starts(arg, LT_STR("--masquerade="))) {
			value = lt_str_skip(arg, strlen("--masquerade="));
		} else if ((lt_str_eq_c(arg, "--masquerade") || lt_str_eq_c(arg, "-m")) &&
				i + 1 < args->n) {
			value = lt_str_from(args->v[i + 1]);
		}
		if (value.n && !summary->masquerade) {
			summary->masquerade = lt_str_dup(value);
		}
	}
}

/* What stands in the brackets, from the class on: its length, and that of the arguments. */
static bool read_brackets(struct lt_str rest, struct lt_summary *ret, struct lt_err *err)
{
	size_t n = 0;

	while (n < rest.n && !is_one_of(rest.p[n], "*,]")) {
		n++;
	}
	struct lt_str service = { rest.p, n };
	struct lt_str args = { 0 };

	if (n < rest.n && rest.p[n] == ',') {
		args = lt_str_skip(rest, n + 1);
		const char *end = args.n ? memchr(args.p, ']', args.n) : NULL;

		if (!end) {
			return lt_err_set(err, LT_E_FORMAT, "the bracket is not closed");
		}
		args.n = (size_t)(end - args.p);
		/* the one space behind the comma may be all that there is */
		if (args.n > 1 && args.p[0] == ' ') {
			args = lt_str_skip(args, 1);
		}
		if (!args.n) {
			return lt_err_set(err, LT_E_FORMAT, "a comma without arguments behind it");
		}
	} else if (n == rest.n) {
		return lt_err_set(err, LT_E_FORMAT, "the bracket is not closed");
	} else if (rest.p[n] == '*') {
		return lt_err_set(err, LT_E_FORMAT, "a service class cannot have a \"*\"");
	}
	if (!service.n) {
		return lt_err_set(err, LT_E_FORMAT, "no service class in the brackets");
	}
	ret->service = lt_str_dup(service);
	if (args.n) {
		split_args(args, &ret->args);
	}
	return true;
}

static bool parse_at(
		struct lt_str title, size_t bracket, struct lt_summary *ret, struct lt_err *err)
{
	struct lt_summary summary = { 0 };
	size_t name;

	if (!check_name(title, bracket, &name, err) ||
			!read_brackets(lt_str_skip(title, bracket + 1), &summary, err)) {
		lt_summary_finish(&summary);
		return false;
	}
	summary.name = lt_str_dup((struct lt_str){ title.p, name });
	read_options(&summary);
	*ret = summary;
	return true;
}

bool lt_summary_parse(struct lt_str title, struct lt_summary *ret, struct lt_err *err)
{
	const char *first = title.n ? memchr(title.p, '[', title.n) : NULL;

	if (!first) {
		return lt_err_set(
				err, LT_E_FORMAT, "no service in brackets, as in \"Race [class]\"");
	}
	size_t at = (size_t)(first - title.p);
	size_t next = at + 1 < title.n && title.p[at + 1] == ' ' ? at + 2 : at + 1;

	/* the last character of a name may be a bracket of its own: "Race [[class]" */
	return (at > 0 && next < title.n && title.p[next] == '[' &&
			       parse_at(title, next, ret, NULL)) ||
			parse_at(title, at, ret, err);
}

void lt_summary_finish(struct lt_summary *summary)
{
	lt_free(summary->name);
	lt_free(summary->service);
	lt_free(summary->masquerade);
	lt_args_finish(&summary->args);
	*summary = (struct lt_summary){ 0 };
}

const char *lt_summary_link(const struct lt_summary *summary)
{
	return summary->masquerade ? summary->masquerade : summary->service;
}

/* --- the reverse --- */

/* Append an argument; a backslash that stands before a space would be lost. */
static bool write_arg(struct lt_buf *buf, struct lt_str arg, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < arg.n; i++) {
		bool is_last = i + 1 == arg.n;

		if (arg.p[i] == ']' || (arg.p[i] == '\\' && (is_last || arg.p[i + 1] == ' '))) {
			return lt_err_set(err, LT_E_INVALID,
					"the argument %s cannot stand in a title",
					lt_str_quote(arg, quoted));
		}
		if (arg.p[i] == ' ') {
			lt_buf_add_char(buf, '\\');
		}
		lt_buf_add_char(buf, arg.p[i]);
	}
	return true;
}

static bool is_same(const struct lt_summary *a, const struct lt_summary *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->service, b->service) == 0 &&
			lt_args_equal(&a->args, &b->args);
}

bool lt_summary_write(struct lt_buf *buf, const struct lt_summary *summary, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf title = { 0 };
	struct lt_summary read = { 0 };
	char quoted[LT_QUOTE_MAX];
	bool ok;

	lt_buf_printf(&title, "%s [%s", summary->name, summary->service);
	for (size_t i = 0; i < summary->args.n; i++) {
		lt_buf_add_c(&title, i == 0 ? ", " : " ");
		if (!write_arg(&title, lt_str_from(summary->args.v[i]), err)) {
			return false;
		}
	}
	lt_buf_add_char(&title, ']');
	/* whatever else cannot stand in a title is found by reading it */
	ok = lt_summary_parse(lt_buf_str(&title), &read, err) && is_same(&read, summary);
	lt_summary_finish(&read);
	if (!ok) {
		return lt_err_set(err, LT_E_INVALID, "%s is no title that can be read again",
				lt_str_quote(lt_buf_str(&title), quoted));
	}
	lt_buf_add_str(buf, lt_buf_str(&title));
	return true;
}
