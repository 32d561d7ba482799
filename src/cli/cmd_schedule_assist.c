/*
 * schedule assist: entries of the schedule from a calendar that somebody else
 * keeps (docs/scheduling.md). Needs no daemon.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fsutil.h"
#include "calendar/summary.h"
#include "cli/assist/google.h"
#include "cli/assist/http.h"
#include "cli/assist/ics_target.h"
#include "cli/assist/rules.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/text.h"

#define FILE_BYTES_MAX (16u << 20)
#define PAST_S         86400
#define FUTURE_S       (400 * INT64_C(86400))
#define DEFAULT_S      7200 /* of an event that has no end */
#define ANSWER_MAX     200

struct assist {
	struct lt_cli *cli;
	const char *source, *rules_path, *target, *answers_path;
	const char *key_file, *calendar_id, *endpoint;
	bool dry_run, is_silent;
	int64_t now_s;
	struct lt_cli_http *http;
	struct lt_google *google;
	struct lt_assist_rules rules;
	struct lt_ical_list events;
	cJSON *answers; /* {"source uid": {"0": "practice"}} */
	bool has_new_answers;
	struct lt_assist_entries old, wanted;
	struct lt_buf old_text; /* of the target file */
	int unanswered, without_rule, failed;
};

static const char *setting(const struct lt_cli *cli, const char *name)
{
	size_t n = strlen(name);

	for (char *const *each = cli->environment; each && *each; each++) {
		if (strncmp(*each, name, n) == 0 && (*each)[n] == '=' && (*each)[n + 1] != '\0') {
			return *each + n + 1;
		}
	}
	return NULL;
}

/* --- reading --- */

static bool is_url(const char *source)
{
	return strstr(source, "://") != NULL;
}

static bool read_source(struct assist *assist, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	const struct lt_ical_opts opts = { .from_s = assist->now_s - PAST_S,
		.until_s = assist->now_s + FUTURE_S,
		.local_zone = setting(assist->cli, "TZ") };
	long status = 200;

	if (is_url(assist->source)) {
		if (!lt_cli_http_ask(assist->http,
				    &(struct lt_cli_request){ .url = assist->source,
						    .body_max = FILE_BYTES_MAX },
				    &status, &text, err)) {
			return lt_err_prefix(err, "source calendar");
		}
		if (status != 200) {
			return lt_err_set(err, LT_E_UNAVAILABLE,
					"source calendar: the server said %ld", status);
		}
	} else if (!lt_file_read(assist->source, FILE_BYTES_MAX, &text, err)) {
		return lt_err_prefix(err, "source calendar");
	}
	return lt_ical_read(lt_buf_str(&text), &opts, &assist->events, err) ||
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
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (access(assist->answers_path, F_OK) != 0) {
		assist->answers = cJSON_CreateObject();
		return true;
	}
	if (!lt_file_read(assist->answers_path, FILE_BYTES_MAX, &text, err) ||
			!(assist->answers = lt_json_parse(lt_buf_str(&text), err))) {
		return lt_err_prefix(err, "answers %s", assist->answers_path);
	}
	return cJSON_IsObject(assist->answers) ||
			lt_err_set(err, LT_E_FORMAT, "answers %s: not an object",
					assist->answers_path);
}

static bool read_target(struct assist *assist, struct lt_err *err)
{
	if (assist->key_file) {
		assist->google =
				lt_google_create(&(struct lt_google_opts){ .http = assist->http,
								 .key_file = assist->key_file,
								 .calendar_id = assist->calendar_id,
								 .endpoint = assist->endpoint,
								 .now_s = assist->now_s },
						err);
		return assist->google && lt_google_read(assist->google, &assist->old, err);
	}
	if (access(assist->target, F_OK) == 0 &&
			!lt_file_read(assist->target, FILE_BYTES_MAX, &assist->old_text, err)) {
		return lt_err_prefix(err, "schedule");
	}
	return lt_ics_target_read(lt_buf_str(&assist->old_text), &assist->old, err) ||
			lt_err_prefix(err, "schedule %s", assist->target);
}

/* --- wildcards --- */

/* What was said last for this place of any event: offered for the next one. */
static const char *last_answer(const struct assist *assist, const char *place)
{
	const cJSON *event;
	const char *found = NULL;

	cJSON_ArrayForEach(event, assist->answers) {
		const cJSON *answer = lt_json_get(event, place);

		if (cJSON_IsString(answer)) {
			found = answer->valuestring;
		}
	}
	return found;
}

static bool read_line(char *line, size_t size)
{
	size_t n;

	if (!fgets(line, (int)size, stdin)) {
		return false;
	}
	n = strcspn(line, "\r\n");
	line[n] = '\0';
	return true;
}

static void remember(struct assist *assist, const char *uid, const char *place, const char *answer)
{
	cJSON *event = cJSON_GetObjectItemCaseSensitive(assist->answers, uid);

	if (!event) {
		event = cJSON_AddObjectToObject(assist->answers, uid);
	}
	lt_json_set_take(event, place, cJSON_CreateString(answer));
	assist->has_new_answers = true;
}

/*
 * The answer for a "*": what was said before, or now. Borrowed from the answers.
 * NULL: there is none.
 */
static const char *answer_for(struct assist *assist, const struct lt_ical_event *event,
		const char *place, const char *what)
{
	const cJSON *known = lt_json_get(lt_json_get(assist->answers, event->uid), place);
	char line[ANSWER_MAX];
	const char *offered = last_answer(assist, place);
	LT_AUTO(lt_free) char *title = lt_cli_clean(lt_str_from(event->summary));

	if (cJSON_IsString(known)) {
		return known->valuestring;
	}
	if (assist->is_silent) {
		fprintf(assist->cli->err, "%s: %s: %s is not answered\n", assist->cli->program,
				title, what);
		return NULL;
	}
	fprintf(assist->cli->err, "%s: %s%s%s%s: ", title, what, offered ? " [" : "",
			offered ? offered : "", offered ? "]" : "");
	fflush(assist->cli->err);
	if (!read_line(line, sizeof(line))) {
		return NULL;
	}
	if (line[0] == '\0' && !offered) {
		return NULL;
	}
	remember(assist, event->uid, place, line[0] ? line : offered);
	return lt_json_get(lt_json_get(assist->answers, event->uid), place)->valuestring;
}

/* --- from events to entries --- */

static void add_argument(struct lt_args *args, const char *text, const char *title)
{
	LT_AUTO(lt_buf_finish) struct lt_buf word = { 0 };
	struct lt_str rest = lt_str_from(text);

	while (rest.n > 0) {
		if (lt_str_starts(rest, LT_STR("{title}"))) {
			lt_buf_add_c(&word, title);
			rest = lt_str_skip(rest, strlen("{title}"));
		} else {
			lt_buf_add_char(&word, *rest.p);
			rest = lt_str_skip(rest, 1);
		}
	}
	lt_args_add(args, lt_buf_str(&word));
}

/* Names may not have what ends them in a title. */
static void clean_name(char *name)
{
	for (char *p = name; *p; p++) {
		*p = *p == '[' ? '(' : *p == ']' ? ')' : *p;
	}
}

/* False: something is not answered. */
static bool fill_in(struct assist *assist, const struct lt_ical_event *event,
		const struct lt_assist_rule *rule, struct lt_summary *summary)
{
	char place[sizeof("18446744073709551615")] = "service", what[ANSWER_MAX];
	const char *service = strcmp(rule->service, "*") == 0
			? answer_for(assist, event, place, "which service")
			: rule->service;

	if (!service) {
		return false;
	}
	summary->name = lt_strdup(event->summary);
	clean_name(summary->name);
	summary->service = lt_strdup(service);
	for (size_t i = 0; i < rule->args.n; i++) {
		const char *arg = rule->args.v[i];

		if (strcmp(arg, "*") == 0) {
			snprintf(place, sizeof(place), "%zu", i);
			snprintf(what, sizeof(what), "value of %.100s",
					i > 0 ? rule->args.v[i - 1] : "the first argument");
			arg = answer_for(assist, event, place, what);
			if (!arg) {
				return false;
			}
			lt_args_add(&summary->args, lt_str_from(arg));
		} else {
			add_argument(&summary->args, arg, summary->name);
		}
	}
	return true;
}

static void want(struct assist *assist, const struct lt_ical_event *event,
		const struct lt_assist_rule *rule)
{
	struct lt_summary summary = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf title = { 0 };
	char id[LT_ENTRY_ID_TEXT];
	struct lt_err err = { 0 };

	if (!fill_in(assist, event, rule, &summary)) {
		assist->unanswered++;
	} else {
		if (lt_summary_write(&title, &summary, &err)) {
			lt_assist_entry_id(event->uid,
					event->is_recurring ? event->recurrence_s : 0, id);
			lt_assist_add(&assist->wanted, id, title.p, event->start_s,
					event->has_end && event->end_s > event->start_s
							? event->end_s
							: event->start_s + DEFAULT_S);
		} else {
			LT_AUTO(lt_free) char *name = lt_cli_clean(lt_str_from(event->summary));

			fprintf(assist->cli->err, "%s: %s: %s\n", assist->cli->program, name,
					err.msg);
			assist->failed++;
		}
	}
	lt_summary_finish(&summary);
}

static void want_all(struct assist *assist)
{
	for (size_t i = 0; i < assist->events.problem_count; i++) {
		const struct lt_ical_problem *problem = &assist->events.problems[i];
		LT_AUTO(lt_free) char *name = lt_cli_clean(lt_str_from(problem->name));

		fprintf(assist->cli->err, "%s: %s: %s\n", assist->cli->program,
				name[0] ? name : problem->uid, problem->sentence);
	}
	for (size_t i = 0; i < assist->events.n; i++) {
		const struct lt_ical_event *event = &assist->events.events[i];
		const struct lt_assist_rule *rule = lt_assist_rule_for(&assist->rules, event);

		if (event->is_cancelled) {
			continue;
		}
		if (rule) {
			want(assist, event, rule);
		} else {
			assist->without_rule++;
		}
	}
}

/* --- carrying out --- */

static cJSON *action_json(const struct lt_assist_action *action)
{
	static const char *const steps[] = { [LT_ASSIST_ADD] = "add",
		[LT_ASSIST_CHANGE] = "change",
		[LT_ASSIST_REMOVE] = "remove",
		[LT_ASSIST_KEEP] = "keep",
		[LT_ASSIST_EDITED] = "edited" };
	const struct lt_assist_entry *entry = action->wanted ? action->wanted : action->old;
	cJSON *json = cJSON_CreateObject();

	lt_json_add_c(json, "step", steps[action->step]);
	lt_json_add_c(json, "title", entry->title);
	lt_json_add_int(json, "start", entry->start_s * 1000);
	lt_json_add_int(json, "end", entry->end_s * 1000);
	return json;
}

static void print_action(struct lt_cli *cli, const cJSON *action)
{
	int64_t start_ms = 0;
	char when[40];
	struct tm parts;
	time_t start;

	lt_json_opt_int(action, "start", 0, INT64_MAX, &start_ms, NULL);
	start = (time_t)(start_ms / 1000);
	localtime_r(&start, &parts);
	strftime(when, sizeof(when), "%a %d %b %Y %H:%M", &parts);
	LT_AUTO(lt_free) char *title = lt_cli_clean(lt_cli_member(action, "title"));

	fprintf(cli->out, "%-7s %s  %s%s\n", lt_cli_member(action, "step").p, when, title,
			lt_str_eq_c(lt_cli_member(action, "step"), "edited")
					? "  (edited by hand: left as it is)"
					: "");
}

static void print_plan(const struct assist *assist, const struct lt_assist_plan *plan)
{
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(json, "actions");
	int kept = 0;

	for (size_t i = 0; i < plan->n; i++) {
		if (plan->at[i].step == LT_ASSIST_KEEP) {
			kept++;
		} else {
			cJSON_AddItemToArray(list, action_json(&plan->at[i]));
		}
	}
	lt_json_add_int(json, "kept", kept);
	lt_json_add_int(json, "withoutRule", assist->without_rule);
	lt_json_add_int(json, "unanswered", assist->unanswered);
	lt_json_add_bool(json, "dryRun", assist->dry_run);
	if (assist->cli->is_json) {
		lt_cli_print_json(assist->cli, json);
		return;
	}
	const cJSON *action;

	cJSON_ArrayForEach(action, list) {
		print_action(assist->cli, action);
	}
	fprintf(assist->cli->out,
			"%d to write, %d as they were, %d without a rule, %d not answered%s\n",
			cJSON_GetArraySize(list), kept, assist->without_rule, assist->unanswered,
			assist->dry_run ? "; nothing was written" : "");
}

static bool carry_out(struct assist *assist, const struct lt_assist_plan *plan, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (assist->google) {
		for (size_t i = 0; i < plan->n; i++) {
			if (!lt_google_apply(assist->google, &plan->at[i], err)) {
				return false;
			}
		}
		return true;
	}
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->at[i].step <= LT_ASSIST_REMOVE) {
			lt_ics_target_write(
					&text, lt_buf_str(&assist->old_text), plan, assist->now_s);
			return lt_file_replace(assist->target, lt_buf_str(&text), 0644, err);
		}
	}
	return true; /* nothing to write */
}

/* Also when something failed: what was asked for is not asked again. */
static bool save_answers(const struct assist *assist, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (!assist->has_new_answers || assist->dry_run) {
		return true;
	}
	lt_json_print(&text, assist->answers, LT_JSON_UTF8);
	lt_buf_add_char(&text, '\n');
	return lt_file_replace(assist->answers_path, lt_buf_str(&text), 0600, err);
}

static bool run(struct assist *assist, struct lt_err *err)
{
	struct lt_assist_plan plan = { 0 };
	bool ok;

	assist->http = lt_cli_http_create(err);
	if (!assist->http || !read_rules(assist, err) || !read_answers(assist, err) ||
			!read_source(assist, err) || !read_target(assist, err)) {
		return false;
	}
	want_all(assist);
	lt_assist_plan(&assist->old, &assist->wanted, assist->now_s, &plan);
	ok = save_answers(assist, err) && (assist->dry_run || carry_out(assist, &plan, err));
	if (ok) {
		print_plan(assist, &plan);
	}
	lt_assist_plan_finish(&plan);
	return ok;
}

static void finish(struct assist *assist)
{
	lt_google_destroy(assist->google);
	lt_cli_http_destroy(assist->http);
	lt_assist_rules_finish(&assist->rules);
	lt_ical_list_finish(&assist->events);
	cJSON_Delete(assist->answers);
	lt_assist_entries_finish(&assist->old);
	lt_assist_entries_finish(&assist->wanted);
	lt_buf_finish(&assist->old_text);
}

static bool choose_target(struct assist *assist)
{
	const char *key_file = setting(assist->cli, "LIVETIMING_GOOGLE_KEY");

	if (assist->target && assist->key_file) {
		lt_cli_usage_error(assist->cli, "give --output or --google-key, not both");
		return false;
	}
	if (!assist->target && !assist->key_file) {
		assist->key_file = key_file;
	}
	if (assist->key_file && !assist->calendar_id) {
		lt_cli_usage_error(assist->cli,
				"set LIVETIMING_CALENDAR_ID, or give --calendar, to say which calendar");
		return false;
	}
	if (!assist->target) {
		assist->target = "schedule.ics";
	}
	return true;
}

int lt_cmd_schedule_assist(struct lt_cli *cli, int argc, char **argv)
{
	struct assist assist = { .cli = cli,
		.rules_path = "schedule-assist.conf",
		.answers_path = "schedule-assist.json",
		.calendar_id = setting(cli, "LIVETIMING_CALENDAR_ID"),
		.endpoint = setting(cli, "LIVETIMING_GOOGLE_URL"),
		.now_s = lt_wall_s(lt_clock_wall()) };
	struct lt_cli_words words = { argc, argv };
	const struct lt_cli_option options[] = {
		{ "rules", 'r', NULL, &assist.rules_path },
		{ "answers", 'a', NULL, &assist.answers_path },
		{ "output", 'o', NULL, &assist.target },
		{ "google-key", '\0', NULL, &assist.key_file },
		{ "calendar", '\0', NULL, &assist.calendar_id },
		{ "dry-run", 'n', &assist.dry_run, NULL },
		{ "non-interactive", '\0', &assist.is_silent, NULL },
		{ 0 },
	};
	struct lt_err err = { 0 };
	bool ok;

	if (!lt_cli_options(cli, lt_cli_find("schedule", "assist"), &words, options, 0, 1) ||
			!choose_target(&assist)) {
		return LT_EXIT_USAGE;
	}
	assist.source = words.argc > 0 ? words.argv[0] : setting(cli, "CALENDAR_SOURCE_URL");
	if (!assist.source) {
		return lt_cli_usage_error(
				cli, "name a calendar: a file, a URL, or CALENDAR_SOURCE_URL");
	}
	ok = run(&assist, &err);
	finish(&assist);
	if (!ok) {
		return lt_cli_fail(cli, &err);
	}
	return assist.unanswered + assist.failed > 0 ? LT_EXIT_REFUSED : LT_EXIT_DONE;
}
