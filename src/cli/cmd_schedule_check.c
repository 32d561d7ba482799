/*
 * schedule check: what is wrong with the events of calendars, before the race.
 * Without files it asks the daemon to read its own and tells what it found;
 * files are read here, whoever may read them, and their command lines are held
 * against the plugins that the daemon has.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fsutil.h"
#include "calendar/ical.h"
#include "calendar/summary.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/schedule_text.h"
#include "cli/text.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)
#define FILES_MAX      1000
#define MISTAKES_MAX   1000
#define PATIENCE_S     300
#define FUTURE_S       (400 * INT64_C(86400)) /* as far as the scheduler looks */
#define TRAIL_S        600
#define BACK_MAX       1000 /* events that are looked back at for one that is still there */

/* One event of a file or of the daemon. */
struct entry {
	const char *from; /* borrowed */
	char *name;       /* the title, or what the daemon made of it */
	struct lt_summary summary;
	int64_t start_s, end_s;
};

struct checking {
	struct lt_cli *cli;
	struct entry *entries;
	size_t n, capacity;
	int64_t trail_s;
	cJSON *mistakes, *notes;
	cJSON *asked; /* {command line: sentence or null} */
	int status;   /* of a question that could not be asked */
	size_t events;
};

static void add_to(cJSON *list, const char *from, const char *name, int64_t start_s,
		const char *sentence)
{
	cJSON *item;

	if (cJSON_GetArraySize(list) >= MISTAKES_MAX) {
		return;
	}
	item = cJSON_CreateObject();
	lt_json_add_c(item, "from", from);
	lt_json_add_c(item, "name", name);
	lt_json_set_take(item, "start",
			start_s ? lt_json_new_int(start_s * 1000) : cJSON_CreateNull());
	lt_json_add_c(item, "problem", sentence);
	cJSON_AddItemToArray(list, item);
}

static struct entry *add_entry(struct checking *checking)
{
	if (checking->n == checking->capacity) {
		checking->capacity = checking->capacity ? checking->capacity * 2 : 64;
		checking->entries = lt_reallocarray(
				checking->entries, checking->capacity, sizeof(*checking->entries));
	}
	memset(&checking->entries[checking->n], 0, sizeof(*checking->entries));
	return &checking->entries[checking->n++];
}

/* --- command lines --- */

static cJSON *command_words(const struct lt_summary *summary)
{
	cJSON *words = cJSON_CreateArray();

	cJSON_AddItemToArray(words, cJSON_CreateString(summary->service));
	for (size_t i = 0; i < summary->args.n; i++) {
		cJSON_AddItemToArray(words, cJSON_CreateString(summary->args.v[i]));
	}
	return words;
}

/* What the daemon says of a command line, asked once for each; NULL: it would start. */
static const char *command_problem(struct checking *checking, const struct lt_summary *summary)
{
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	cJSON *words = command_words(summary), *args, *answer;
	const cJSON *known;

	lt_json_print(&key, words, LT_JSON_COMPACT);
	known = lt_json_get(checking->asked, key.p);
	if (known) {
		cJSON_Delete(words);
		return cJSON_GetStringValue(known);
	}
	args = cJSON_CreateObject();
	lt_json_set_take(args, "command", words);
	answer = lt_cli_ask_take(checking->cli, "schedule.check", args, &checking->status);
	if (!answer) {
		return NULL;
	}
	known = lt_json_get(answer, "problem");
	lt_json_set_take(checking->asked, key.p,
			cJSON_IsString(known) ? cJSON_CreateString(known->valuestring)
					      : cJSON_CreateNull());
	cJSON_Delete(answer);
	return cJSON_GetStringValue(lt_json_get(checking->asked, key.p));
}

/* --- files --- */

static void check_event(
		struct checking *checking, const char *file, const struct lt_ical_event *event)
{
	struct lt_summary summary;
	struct lt_err err = { 0 };
	struct entry *entry;

	checking->events++;
	if (!lt_summary_parse(lt_str_from(event->summary), &summary, &err)) {
		add_to(checking->mistakes, file, event->summary, event->start_s, err.msg);
		return;
	}
	const char *problem = command_problem(checking, &summary);

	if (problem) {
		add_to(checking->mistakes, file, event->summary, event->start_s, problem);
	}
	if (!event->has_end && !event->start_date) {
		add_to(checking->notes, file, event->summary, event->start_s,
				"it has no end, so its service ends soon behind the start");
	}
	if (problem) { /* it will not start, and be in nobody's way */
		lt_summary_finish(&summary);
		return;
	}
	entry = add_entry(checking);
	entry->from = file;
	entry->name = lt_strdup(event->summary);
	entry->summary = summary;
	entry->start_s = event->start_s;
	entry->end_s = event->end_s;
}

static void check_file(struct checking *checking, const char *file)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_opts opts = { .from_s = INT64_MIN / 4,
		.until_s = lt_wall_s(lt_clock_wall()) + FUTURE_S,
		.local_zone = getenv("TZ") };
	struct lt_ical_list list;
	struct lt_err err = { 0 };

	if (!lt_file_read(file, FILE_MAX_BYTES, &text, &err) ||
			!lt_ical_read(lt_buf_str(&text), &opts, &list, &err)) {
		add_to(checking->mistakes, file, "", 0, err.msg);
		return;
	}
	for (size_t i = 0; i < list.problem_count; i++) {
		const struct lt_ical_problem *problem = &list.problems[i];

		checking->events++;
		add_to(checking->mistakes, file, problem->name[0] ? problem->name : problem->uid, 0,
				problem->sentence);
	}
	for (size_t i = 0; i < list.n && checking->status == LT_EXIT_DONE; i++) {
		if (!list.events[i].is_cancelled) {
			check_event(checking, file, &list.events[i]);
		}
	}
	lt_ical_list_finish(&list);
}

/* --- overlaps --- */

static int by_class(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(lt_summary_link(&x->summary), lt_summary_link(&y->summary));

	return order ? order : (x->start_s > y->start_s) - (x->start_s < y->start_s);
}

static bool is_same_service(const struct lt_summary *a, const struct lt_summary *b)
{
	return strcmp(a->service, b->service) == 0 && lt_args_equal(&a->args, &b->args);
}

/* The earlier event that still has the service of this one when it starts; NULL: none. */
static const struct entry *find_overlap(const struct checking *checking, size_t at)
{
	const struct entry *entry = &checking->entries[at];

	for (size_t i = at; i > 0 && at - i < BACK_MAX; i--) {
		const struct entry *before = &checking->entries[i - 1];

		if (strcmp(lt_summary_link(&before->summary), lt_summary_link(&entry->summary)) !=
				0) {
			break;
		}
		if (before->end_s + checking->trail_s >= entry->start_s &&
				!is_same_service(&before->summary, &entry->summary)) {
			return before;
		}
	}
	return NULL;
}

static void check_overlaps(struct checking *checking)
{
	if (checking->n) {
		qsort(checking->entries, checking->n, sizeof(*checking->entries), by_class);
	}
	for (size_t i = 0; i < checking->n; i++) {
		const struct entry *entry = &checking->entries[i];
		const struct entry *other = find_overlap(checking, i);
		LT_AUTO(lt_buf_finish) struct lt_buf sentence = { 0 };
		char quoted[LT_QUOTE_MAX];

		if (other) {
			lt_buf_printf(&sentence,
					"it begins late: %s has the service %.60s with other arguments until ",
					lt_str_quote(lt_str_from(other->name), quoted),
					lt_summary_link(&entry->summary));
			lt_cli_add_time(&sentence, other->end_s + checking->trail_s);
			add_to(checking->mistakes, entry->from, entry->name, entry->start_s,
					sentence.p);
		}
	}
}

/* --- the daemon's own calendars --- */

static void take_event(struct checking *checking, const cJSON *event)
{
	struct entry *entry = add_entry(checking);
	struct lt_str link = lt_cli_member(event, "link");
	const cJSON *arg;

	entry->from = "";
	entry->name = lt_str_dup(lt_cli_member(event, "name"));
	entry->summary.service = lt_str_dup(lt_cli_member(event, "service"));
	entry->summary.masquerade = lt_str_dup(link);
	cJSON_ArrayForEach(arg, lt_json_get(event, "args")) {
		lt_args_add(&entry->summary.args, lt_str_from(cJSON_GetStringValue(arg)));
	}
	entry->start_s = lt_cli_number(event, "start") / 1000;
	entry->end_s = lt_cli_number(event, "end") / 1000;
}

static int check_daemon(struct checking *checking)
{
	LT_AUTO(cJSON_Delete) cJSON *schedule = NULL;
	const cJSON *item;
	int status;

	schedule = lt_cli_ask_take(checking->cli, "schedule.sync", NULL, &status);
	if (!schedule) {
		return status;
	}
	cJSON_ArrayForEach(item, lt_json_get(schedule, "calendars")) {
		const cJSON *problem = lt_json_get(item, "problem");

		if (cJSON_IsString(problem)) {
			LT_AUTO(lt_free) char *from = lt_str_dup(lt_cli_member(item, "from"));

			add_to(checking->mistakes, from, "", 0, problem->valuestring);
		}
	}
	cJSON_ArrayForEach(item, lt_json_get(schedule, "mistakes")) {
		cJSON_AddItemToArray(checking->mistakes, cJSON_Duplicate(item, true));
	}
	cJSON_ArrayForEach(item, lt_json_get(schedule, "events")) {
		take_event(checking, item);
	}
	checking->events = checking->n;
	checking->trail_s = lt_cli_number(schedule, "trail_s");
	return LT_EXIT_DONE;
}

static int check_files(struct checking *checking, char **files, int n)
{
	LT_AUTO(cJSON_Delete) cJSON *schedule = NULL;

	/* how long a service goes on behind its event is the daemon's to say */
	schedule = lt_cli_ask_take(checking->cli, "schedule.list", NULL, &checking->status);
	if (schedule) {
		checking->trail_s = lt_cli_number(schedule, "trail_s");
	}
	for (int i = 0; i < n && checking->status == LT_EXIT_DONE; i++) {
		check_file(checking, files[i]);
	}
	return checking->status;
}

/* --- telling --- */

/* "races.ics: Sat 16 May 2026 15:00: Race [simulater]: sentence" */
static void print_items(struct lt_cli *cli, const cJSON *list, const char *kind)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
		LT_AUTO(lt_free) char *clean = NULL;
		const char *const texts[] = { "from", "start", "name", "problem" };

		for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
			size_t before = line.n;

			if (i == 1) {
				lt_cli_add_time(&line, lt_cli_number(item, texts[i]) / 1000);
			} else {
				lt_buf_add_str(&line, lt_cli_member(item, texts[i]));
			}
			if (line.n > before && i + 1 < LT_ARRAY_LEN(texts)) {
				lt_buf_add_c(&line, ": ");
			}
		}
		clean = lt_cli_clean(lt_buf_str(&line));
		fprintf(cli->out, "%s%s\n", kind, clean);
	}
}

static void print_result(struct checking *checking, bool is_quiet)
{
	struct lt_cli *cli = checking->cli;
	int mistakes = cJSON_GetArraySize(checking->mistakes);

	if (cli->is_json) {
		LT_AUTO(cJSON_Delete) cJSON *result = cJSON_CreateObject();

		lt_json_add_int(result, "events", (int64_t)checking->events);
		lt_json_set_take(result, "mistakes", cJSON_Duplicate(checking->mistakes, true));
		lt_json_set_take(result, "notes", cJSON_Duplicate(checking->notes, true));
		lt_cli_print_json(cli, result);
		return;
	}
	print_items(cli, checking->mistakes, "");
	if (is_quiet) {
		return;
	}
	print_items(cli, checking->notes, "note: ");
	fprintf(cli->out, "%zu %s, ", checking->events, checking->events == 1 ? "event" : "events");
	if (mistakes) {
		fprintf(cli->out, "%d %s\n", mistakes, mistakes == 1 ? "mistake" : "mistakes");
	} else {
		fputs("no mistakes\n", cli->out);
	}
}

static void finish(struct checking *checking)
{
	for (size_t i = 0; i < checking->n; i++) {
		lt_free(checking->entries[i].name);
		lt_summary_finish(&checking->entries[i].summary);
	}
	lt_free(checking->entries);
	cJSON_Delete(checking->mistakes);
	cJSON_Delete(checking->notes);
	cJSON_Delete(checking->asked);
}

int lt_cmd_schedule_check(struct lt_cli *cli, int argc, char **argv)
{
	bool is_quiet = false;
	struct lt_cli_words words = { argc, argv };
	const struct lt_cli_option options[] = {
		{ "quiet", 'q', .ret_flag = &is_quiet },
		{ 0 },
	};
	struct checking checking = { .cli = cli, .trail_s = TRAIL_S };
	int status;

	if (!lt_cli_options(cli, lt_cli_find("schedule", "check"), &words, options, 0, FILES_MAX)) {
		return LT_EXIT_USAGE;
	}
	cli->patience_s = PATIENCE_S;
	checking.mistakes = cJSON_CreateArray();
	checking.notes = cJSON_CreateArray();
	checking.asked = cJSON_CreateObject();
	status = words.argc ? check_files(&checking, words.argv, words.argc)
			    : check_daemon(&checking);
	if (status == LT_EXIT_DONE) {
		check_overlaps(&checking);
		print_result(&checking, is_quiet);
		status = cJSON_GetArraySize(checking.mistakes) ? LT_EXIT_REFUSED : LT_EXIT_DONE;
	}
	finish(&checking);
	return status;
}
