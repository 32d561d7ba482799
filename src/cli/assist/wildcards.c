#include "cli/assist/wildcards.h"

#include <string.h>

#include "base/alloc.h"
#include "calendar/summary.h"
#include "cli/schedule_text.h"
#include "cli/text.h"

#define ANSWER_MAX 1000

/* One thing that is open. */
struct question {
	const struct lt_ical_event *event;
	const char *place;
	const char *what; /* "which service" */
	bool is_service;
};

static bool check_answer(const struct question *question, const char *answer, struct lt_err *err)
{
	char name[] = "name", service[] = "any";
	struct lt_summary summary = { .name = name, .service = service };
	LT_AUTO(lt_buf_finish) struct lt_buf title = { 0 };
	struct lt_assist_rule rule = { 0 };
	bool ok;

	if (strlen(answer) > ANSWER_MAX || !lt_utf8_valid(lt_str_from(answer))) {
		return lt_err_set(err, LT_E_INVALID, "it is longer than %d bytes, or not UTF-8",
				ANSWER_MAX);
	}
	if (!question->is_service) {
		lt_args_add(&summary.args, lt_str_from(answer));
		ok = lt_summary_write(&title, &summary, err);
		lt_args_finish(&summary.args);
		return ok;
	}
	if (!lt_assist_rule_parse(lt_str_from(answer), &rule, err)) {
		return false;
	}
	ok = strcmp(rule.service, LT_RULE_ANY) != 0 ||
			lt_err_set(err, LT_E_INVALID, "name one service");
	lt_assist_rule_finish(&rule);
	return ok;
}

/* Who asks: "Race (Sun 17 May 2026 10:00): which service". Appends. */
static void add_question(struct lt_buf *buf, const struct question *question)
{
	LT_AUTO(lt_free) char *title = lt_cli_clean(lt_str_from(question->event->summary));

	lt_buf_printf(buf, "%s (", title);
	lt_cli_add_time(buf, question->event->start_s);
	lt_buf_printf(buf, "): %s", question->what);
}

/* The next line; what is beyond the limit is dropped, but for one byte. False: the input has ended.
 */
static bool read_line(FILE *in, struct lt_buf *line)
{
	int c = getc(in);

	lt_buf_clear(line);
	if (c == EOF) {
		return false;
	}
	for (; c != EOF && c != '\n'; c = getc(in)) {
		if (line->n <= ANSWER_MAX) {
			lt_buf_add_char(line, (char)c);
		}
	}
	return true;
}

/* An answer that can be used, typed now. Borrowed from the answers; NULL: there is none. */
static const char *ask(struct lt_wildcards *wildcards, const struct question *question)
{
	struct lt_cli *cli = wildcards->cli;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
	const char *offered = lt_answers_last(&wildcards->answers, question->place), *said;

	add_question(&text, question);
	for (;;) {
		struct lt_err err = { 0 };

		LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(offered ? offered : ""));
		fprintf(cli->err, "%s%s%s%s: ", text.p, offered ? " [" : "", clean,
				offered ? "]" : "");
		fflush(cli->err);
		if (!read_line(wildcards->in, &line)) {
			fputc('\n', cli->err);
			wildcards->is_silent = true; /* nobody is there any more */
			return NULL;
		}
		struct lt_str typed = lt_str_trim(lt_buf_str(&line));

		LT_AUTO(lt_free) char *word = lt_str_dup(typed);
		said = typed.n ? word : offered;
		if (!said) {
			return NULL; /* not now */
		}
		if (check_answer(question, said, &err)) {
			wildcards->has_failed =
					!lt_answers_set(&wildcards->answers, question->event->uid,
							question->place, said, &wildcards->err);
			return lt_answers_get(
					&wildcards->answers, question->event->uid, question->place);
		}
		fprintf(cli->err, "%s\n", err.msg);
	}
}

static const char *answer(struct lt_wildcards *wildcards, const struct question *question)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	const char *known =
			lt_answers_get(&wildcards->answers, question->event->uid, question->place);

	if (known && check_answer(question, known, NULL)) {
		return known;
	}
	if (!wildcards->is_silent && !wildcards->has_failed) {
		known = ask(wildcards, question);
		if (known || !wildcards->is_silent) {
			return known;
		}
	}
	add_question(&text, question);
	fprintf(wildcards->cli->err, "%s: %s is not answered\n", wildcards->cli->program, text.p);
	return NULL;
}

/* --- rules --- */

/* "{title}" within an argument is the name. */
static void add_argument(struct lt_args *args, const char *text, const char *name)
{
	LT_AUTO(lt_buf_finish) struct lt_buf word = { 0 };
	struct lt_str rest = lt_str_from(text);

	while (rest.n > 0) {
		if (lt_str_starts(rest, LT_STR("{title}"))) {
			lt_buf_add_c(&word, name);
			rest = lt_str_skip(rest, strlen("{title}"));
		} else {
			lt_buf_add_char(&word, *rest.p);
			rest = lt_str_skip(rest, 1);
		}
	}
	lt_args_add(args, lt_buf_str(&word));
}

/* The rule with its service: that of an answer may bring arguments of its own. */
static bool choose_service(struct lt_wildcards *wildcards, const struct lt_ical_event *event,
		const struct lt_assist_rule *rule, struct lt_assist_rule *ret)
{
	const char *said;

	*ret = (struct lt_assist_rule){ 0 };
	if (strcmp(rule->service, LT_RULE_ANY) != 0) {
		ret->service = lt_strdup(rule->service);
		lt_args_dup(&ret->args, &rule->args);
		return true;
	}
	said = answer(wildcards,
			&(struct question){ event, LT_PLACE_SERVICE, "which service", true });
	if (!said || !lt_assist_rule_parse(lt_str_from(said), ret, NULL)) {
		return false;
	}
	if (ret->args.n == 0) {
		lt_args_dup(&ret->args, &rule->args);
	}
	return true;
}

/* The i-th argument, as it is to stand in the title. */
static enum lt_filled fill_argument(struct lt_wildcards *wildcards,
		const struct lt_ical_event *event, const struct lt_assist_rule *chosen, size_t i,
		struct lt_args *args)
{
	LT_AUTO(lt_buf_finish) struct lt_buf place = { 0 }, what = { 0 };
	const char *said;

	lt_answers_place(&place, chosen->service, &chosen->args, i);
	lt_buf_printf(&what, "value of %s", place.p);
	said = answer(wildcards, &(struct question){ event, place.p, what.p, false });
	if (!said) {
		return LT_FILLED_NOT;
	}
	if (strcmp(said, LT_RULE_LEFT_OUT) == 0) {
		return LT_FILLED_LEFT_OUT;
	}
	lt_args_add(args, lt_str_from(said));
	return LT_FILLED;
}

enum lt_filled lt_wildcards_fill(struct lt_wildcards *wildcards, const struct lt_ical_event *event,
		const struct lt_assist_rule *rule, struct lt_assist_rule *ret)
{
	LT_AUTO(lt_free) char *name = lt_assist_name(event->summary, rule);
	struct lt_assist_rule chosen;
	enum lt_filled filled = LT_FILLED;

	*ret = (struct lt_assist_rule){ 0 };
	if (!choose_service(wildcards, event, rule, &chosen)) {
		return LT_FILLED_NOT;
	}
	if (strcmp(chosen.service, LT_RULE_LEFT_OUT) == 0) {
		filled = LT_FILLED_LEFT_OUT;
	}
	for (size_t i = 0; filled == LT_FILLED && i < chosen.args.n; i++) {
		if (strcmp(chosen.args.v[i], LT_RULE_ANY) == 0) {
			filled = fill_argument(wildcards, event, &chosen, i, &ret->args);
		} else {
			add_argument(&ret->args, chosen.args.v[i], name);
		}
	}
	ret->service = LT_STEAL(chosen.service);
	lt_assist_rule_finish(&chosen);
	return filled;
}
