/*
 * schedule assist: entries of the schedule from a calendar that somebody else
 * keeps (docs/scheduling.md). Needs no daemon.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/fsutil.h"
#include "calendar/summary.h"
#include "cli/assist/google.h"
#include "cli/assist/http.h"
#include "cli/assist/ics_target.h"
#include "cli/assist/report.h"
#include "cli/assist/wildcards.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/text.h"
#include "net/percent.h"

#define FILE_BYTES_MAX ((size_t)16 << 20)
#define PAST_S         86400
#define FUTURE_S       (400 * INT64_C(86400))
#define DEFAULT_S      7200 /* of an event that has no end */
#define FAILURES_MAX   5    /* refusals of single entries before giving up */
#define DEFAULT_TARGET "schedule.ics"
#define FILE_SCHEME    "file://"

struct assist {
	struct lt_cli *cli;
	struct lt_conf *conf;
	const char *source, *rules_path, *answers_path;
	const char *target; /* as given; the file itself is target_path */
	const char *key_file, *calendar_id;
	char *target_path;
	char source_mark[LT_MARK_TEXT];
	int64_t now_s;
	struct lt_cli_http *http;
	struct lt_google *google;
	struct lt_assist_rules rules;
	struct lt_wildcards wildcards;
	struct lt_ical_list events;
	struct lt_assist_entries old, wanted;
	struct lt_args held;    /* as in lt_assist_plan_opts */
	struct lt_buf old_text; /* of the target file */
	struct lt_assist_report report;
};

/* --- reading --- */

static bool is_url(const char *source)
{
	return strstr(source, "://") != NULL;
}

/* Of a file its whole path, so that it is the same one from everywhere. Owned. */
static char *address_of(const char *source)
{
	char *real = is_url(source) ? NULL : realpath(source, NULL);
	char *address = lt_strdup(real ? real : source);

	free(real);
	return address;
}

static bool fetch_source(struct assist *assist, struct lt_buf *text, struct lt_err *err)
{
	long status;

	if (!lt_cli_http_ask(assist->http,
			    &(struct lt_cli_request){
					    .url = assist->source, .body_max = FILE_BYTES_MAX },
			    &status, text, err)) {
		return false;
	}
	return status == 200 || lt_err_set(err, LT_E_UNAVAILABLE, "the server said %ld", status);
}

static bool read_source(struct assist *assist, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	const struct lt_ical_opts opts = { .from_s = assist->now_s - PAST_S,
		.until_s = assist->now_s + FUTURE_S,
		.local_zone = lt_conf_get(assist->conf, "TZ") };

	return ((is_url(assist->source) ? fetch_source(assist, &text, err)
					: lt_file_read(assist->source, FILE_BYTES_MAX, &text,
							  err)) &&
			       lt_ical_read(lt_buf_str(&text), &opts, &assist->events, err)) ||
			lt_err_prefix(err, "source calendar");
}

static bool read_rules(struct assist *assist, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	return (lt_file_read(assist->rules_path, FILE_BYTES_MAX, &text, err) &&
			       lt_assist_rules_parse(lt_buf_str(&text), &assist->rules, err)) ||
			lt_err_prefix(err, "rules %s", assist->rules_path);
}

static bool read_answers(struct assist *assist, struct lt_err *err)
{
	struct lt_answers *answers = &assist->wildcards.answers;

	if (!lt_answers_load(answers, assist->answers_path, err)) {
		return lt_err_prefix(err, "answers");
	}
	if (assist->report.is_dry) {
		answers->path = NULL;
	}
	return true;
}

static bool read_google(struct assist *assist, struct lt_err *err)
{
	assist->google = lt_google_create(&(struct lt_google_opts){ .http = assist->http,
							  .key_file = assist->key_file,
							  .calendar_id = assist->calendar_id,
							  .endpoint = lt_conf_get(assist->conf,
									  "LIVETIMING_GOOGLE_URL"),
							  .now_s = assist->now_s },
			err);
	return assist->google && lt_google_read(assist->google, &assist->old, err);
}

static bool read_file(struct assist *assist, struct lt_err *err)
{
	LT_AUTO(lt_free) char *source = address_of(assist->source);

	assist->target_path = address_of(assist->target); /* a link stays one */
	if (strcmp(source, assist->target_path) == 0) {
		return lt_err_set(err, LT_E_INVALID,
				"%s cannot be the source and the schedule at once", assist->target);
	}
	return ((access(assist->target_path, F_OK) != 0 ||
				lt_file_read(assist->target_path, FILE_BYTES_MAX, &assist->old_text,
						err)) &&
			       lt_ics_target_read(
					       lt_buf_str(&assist->old_text), &assist->old, err)) ||
			lt_err_prefix(err, "schedule %s", assist->target);
}

/* --- from events to entries --- */

/* Nothing can be said of these this time, so their entries stay. */
static void hold(struct assist *assist, const char *id, size_t bytes)
{
	lt_args_add(&assist->held, (struct lt_str){ id, bytes });
}

static bool add_wanted(struct assist *assist, const struct lt_ical_event *event, const char *id,
		struct lt_summary *summary, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf title = { 0 };
	bool has_length = event->has_end && event->end_s > event->start_s;
	struct lt_assist_entry *entry;

	if (!lt_summary_write(&title, summary, err)) {
		return false;
	}
	entry = lt_assist_add(&assist->wanted, id, title.p, event->start_s,
			has_length ? event->end_s : event->start_s + DEFAULT_S);
	memcpy(entry->source, assist->source_mark, sizeof(entry->source));
	return true;
}

static void want(struct assist *assist, const struct lt_ical_event *event,
		const struct lt_assist_rule *rule)
{
	struct lt_assist_rule filled;
	struct lt_summary summary = { 0 };
	char id[LT_ENTRY_ID_TEXT];
	struct lt_err err = { 0 };

	lt_assist_entry_id(event->uid, event->is_recurring ? event->recurrence_s : 0, id);
	switch (lt_wildcards_fill(&assist->wildcards, event, rule, &filled)) {
	case LT_FILLED_LEFT_OUT:
		assist->report.left_out++;
		break;
	case LT_FILLED_NOT:
		assist->report.unanswered++;
		hold(assist, id, strlen(id));
		break;
	case LT_FILLED:
		summary.name = lt_assist_name(event->summary, rule);
		summary.service = filled.service;
		summary.args = filled.args;
		if (!add_wanted(assist, event, id, &summary, &err)) {
			lt_assist_report_failure(
					&assist->report, assist->cli, event->summary, &err);
			hold(assist, id, strlen(id));
		}
		lt_free(summary.name);
		break;
	}
	lt_assist_rule_finish(&filled);
}

/* What of the source could not be read: what was made of it earlier stays. */
static void want_problems(struct assist *assist)
{
	for (size_t i = 0; i < assist->events.problem_count; i++) {
		const struct lt_ical_problem *problem = &assist->events.problems[i];
		char id[LT_ENTRY_ID_TEXT];
		LT_AUTO(lt_free)
		char *name = lt_cli_clean(
				lt_str_from(problem->name[0] ? problem->name : problem->uid));

		fprintf(assist->cli->err, "%s: source calendar: %s: %s\n", assist->cli->program,
				name, problem->sentence);
		lt_assist_entry_id(problem->uid, 0, id);
		hold(assist, id, LT_ENTRY_ID_SERIES);
	}
}

static void want_all(struct assist *assist)
{
	want_problems(assist);
	for (size_t i = 0; i < assist->events.n; i++) {
		const struct lt_ical_event *event = &assist->events.events[i];
		const struct lt_assist_rule *rule = lt_assist_rule_for(&assist->rules, event);
		bool is_over = event->end_s <= assist->now_s &&
				(event->end_s > event->start_s ||
						event->start_s + DEFAULT_S <= assist->now_s);

		if (event->is_cancelled || is_over) {
			continue;
		}
		if (rule) {
			want(assist, event, rule);
		} else {
			assist->report.without_rule++;
		}
	}
}

/* --- carrying out --- */

/* One that is refused does not keep the others from being written. */
static bool apply_at_google(
		struct assist *assist, const struct lt_assist_plan *plan, struct lt_err *err)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct lt_assist_action *action = &plan->at[i];
		const struct lt_assist_entry *entry = action->wanted ? action->wanted : action->old;

		if (lt_google_apply(assist->google, action, err)) {
			continue;
		}
		if ((err->code != LT_E_DENIED && err->code != LT_E_EXISTS) ||
				assist->report.failed == FAILURES_MAX) {
			return false;
		}
		lt_assist_report_failure(&assist->report, assist->cli, entry->title, err);
	}
	return true;
}

static bool write_file(struct assist *assist, const struct lt_assist_plan *plan, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct stat st;
	unsigned mode = stat(assist->target_path, &st) == 0 ? st.st_mode & 07777 : 0644;

	for (size_t i = 0; i < plan->n; i++) {
		if (plan->at[i].step <= LT_ASSIST_REMOVE) {
			lt_ics_target_write(
					&text, lt_buf_str(&assist->old_text), plan, assist->now_s);
			return lt_file_replace(assist->target_path, lt_buf_str(&text), mode, err);
		}
	}
	return true; /* nothing to write */
}

static bool run(struct assist *assist, struct lt_err *err)
{
	LT_AUTO(lt_free) char *address = address_of(assist->source);
	struct lt_assist_plan plan = { 0 };
	bool ok;

	lt_assist_source(address, assist->source_mark);
	assist->http = lt_cli_http_create(err);
	if (!assist->http || !read_rules(assist, err) || !read_answers(assist, err) ||
			!read_source(assist, err)) {
		return false;
	}
	if (!(assist->key_file ? read_google(assist, err) : read_file(assist, err))) {
		return false;
	}
	want_all(assist);
	if (assist->wildcards.has_failed) {
		*err = assist->wildcards.err;
		return false;
	}
	lt_assist_plan(&(struct lt_assist_plan_opts){ &assist->old, &assist->wanted, &assist->held,
				       assist->source_mark, assist->now_s },
			&plan);
	ok = assist->report.is_dry ||
			(assist->google ? apply_at_google(assist, &plan, err)
					: write_file(assist, &plan, err));
	if (ok) {
		lt_assist_report_print(&assist->report, assist->cli, &plan);
	}
	lt_assist_plan_finish(&plan);
	return ok;
}

static void finish(struct assist *assist)
{
	lt_google_destroy(assist->google);
	lt_cli_http_destroy(assist->http);
	lt_assist_rules_finish(&assist->rules);
	lt_answers_finish(&assist->wildcards.answers);
	lt_ical_list_finish(&assist->events);
	lt_assist_entries_finish(&assist->old);
	lt_assist_entries_finish(&assist->wanted);
	lt_args_finish(&assist->held);
	lt_buf_finish(&assist->old_text);
	lt_free(assist->target_path);
}

/* --- what is asked for --- */

/* Names are those of the daemon's table, which checks them. */
static const struct lt_conf_key keys[] = {
	{ "CALENDAR_SOURCE_URL", NULL, "calendar that entries are made from", true, NULL },
	{ "LIVETIMING_CALENDAR_URL", NULL, "calendars of the scheduler", true, NULL },
	{ "LIVETIMING_CALENDAR_ID", NULL, "calendar at Google", false, NULL },
	{ "LIVETIMING_GOOGLE_KEY", NULL, "key file of a service account", false, NULL },
	{ "LIVETIMING_GOOGLE_URL", NULL, "address of Google's interface", false, NULL },
	{ "TZ", NULL, "zone of this place", false, NULL },
	{ 0 },
};

/* The first file among the scheduler's calendars; NULL: there is none. Owned. */
static char *file_of_scheduler(const struct lt_conf *conf)
{
	struct lt_str rest = lt_str_from(lt_conf_get(conf, "LIVETIMING_CALENDAR_URL"));

	while (rest.p) {
		struct lt_str url = lt_str_trim(lt_str_split(&rest, ','));

		/* a comma within a path makes it two: better none than a wrong one */
		if (lt_str_starts(url, LT_STR(FILE_SCHEME "/")) &&
				(!rest.p || memmem(rest.p, rest.n, "://", 3))) {
			struct lt_buf path = { 0 };

			lt_percent_decode(&path, lt_str_skip(url, strlen(FILE_SCHEME)), false);
			return lt_buf_steal(&path);
		}
	}
	return NULL;
}

static bool choose(struct assist *assist, char **ret_file)
{
	if (assist->target && assist->key_file) {
		lt_cli_usage_error(assist->cli, "give --output or --google-key, not both");
		return false;
	}
	if (!assist->source) {
		assist->source = lt_conf_get(assist->conf, "CALENDAR_SOURCE_URL");
	}
	if (!assist->source) {
		lt_cli_usage_error(assist->cli,
				"name a calendar: a file, a URL, or CALENDAR_SOURCE_URL");
		return false;
	}
	if (!assist->target && !assist->key_file) {
		assist->key_file = lt_conf_get(assist->conf, "LIVETIMING_GOOGLE_KEY");
	}
	if (!assist->calendar_id) {
		assist->calendar_id = lt_conf_get(assist->conf, "LIVETIMING_CALENDAR_ID");
	}
	if (assist->key_file && !assist->calendar_id) {
		lt_cli_usage_error(assist->cli,
				"set LIVETIMING_CALENDAR_ID, or give --calendar, to say which calendar");
		return false;
	}
	if (!assist->target && !assist->key_file) {
		*ret_file = file_of_scheduler(assist->conf);
		assist->target = *ret_file ? *ret_file : DEFAULT_TARGET;
	}
	assist->report.target = assist->key_file ? "the calendar at Google" : assist->target;
	return true;
}

static int carry_out(struct assist *assist)
{
	LT_AUTO(lt_free) char *file = NULL;
	struct lt_err err = { 0 };
	bool ok;

	if (!choose(assist, &file)) {
		return LT_EXIT_USAGE;
	}
	ok = run(assist, &err);
	finish(assist);
	if (!ok) {
		return lt_cli_fail(assist->cli, &err);
	}
	return assist->report.unanswered + assist->report.failed > 0 ? LT_EXIT_REFUSED
								     : LT_EXIT_DONE;
}

int lt_cmd_schedule_assist(struct lt_cli *cli, int argc, char **argv)
{
	struct assist assist = { .cli = cli,
		.rules_path = "schedule-assist.conf",
		.answers_path = "schedule-assist.json",
		.wildcards = { .cli = cli, .in = stdin },
		.now_s = lt_wall_s(lt_clock_wall()) };
	struct lt_cli_words words = { argc, argv };
	const struct lt_cli_option options[] = {
		{ "rules", 'r', NULL, &assist.rules_path },
		{ "answers", 'a', NULL, &assist.answers_path },
		{ "output", 'o', NULL, &assist.target },
		{ "google-key", '\0', NULL, &assist.key_file },
		{ "calendar", '\0', NULL, &assist.calendar_id },
		{ "dry-run", 'n', &assist.report.is_dry, NULL },
		{ "non-interactive", '\0', &assist.wildcards.is_silent, NULL },
		{ 0 },
	};
	int status;

	if (!lt_cli_options(cli, lt_cli_find("schedule", "assist"), &words, options, 0, 1)) {
		return LT_EXIT_USAGE;
	}
	assist.source = words.argc > 0 ? words.argv[0] : NULL;
	assist.conf = lt_cli_settings(keys, cli->environment);
	status = carry_out(&assist);
	lt_conf_destroy(assist.conf);
	return status;
}
