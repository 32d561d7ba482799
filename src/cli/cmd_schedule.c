#include <inttypes.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/schedule_text.h"
#include "cli/text.h"

#define SYNC_PATIENCE_S 300 /* servers of calendars may be slow */

/* --- times --- */

void lt_cli_add_time(struct lt_buf *buf, int64_t time_s)
{
	time_t time = (time_t)time_s;
	struct tm local;
	char text[64];

	if (time_s && localtime_r(&time, &local) &&
			strftime(text, sizeof(text), "%a %e %b %Y %H:%M", &local) > 0) {
		lt_buf_add_c(buf, text);
	}
}

void lt_cli_add_end(struct lt_buf *buf, int64_t start_s, int64_t end_s)
{
	time_t times[] = { (time_t)start_s, (time_t)end_s };
	struct tm start, end;
	char text[64];

	if (localtime_r(&times[0], &start) && localtime_r(&times[1], &end) &&
			strftime(text, sizeof(text),
					start.tm_yday == end.tm_yday && start.tm_year == end.tm_year
							? "%H:%M"
							: "%a %e %b %H:%M",
					&end) > 0) {
		lt_buf_add_c(buf, text);
	}
}

/* --- list --- */

static void add_event(struct lt_cli_table *table, const cJSON *event)
{
	LT_AUTO(lt_buf_finish) struct lt_buf start = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf end = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf status = { 0 };
	int64_t start_s = lt_cli_number(event, "start") / 1000;
	struct lt_str reason = lt_cli_member(event, "reason");

	lt_cli_add_time(&start, start_s);
	lt_cli_add_end(&end, start_s, lt_cli_number(event, "end") / 1000);
	lt_buf_add_str(&status, lt_cli_member(event, "status"));
	if (lt_str_eq_c(lt_buf_str(&status), "held")) {
		lt_buf_add_c(&status, " out");
	} else if (lt_str_eq_c(lt_buf_str(&status), "stopped")) {
		lt_buf_add_c(&status, " by hand");
	}
	if (cJSON_IsTrue(lt_json_get(event, "hidden"))) {
		lt_buf_add_c(&status, ", hidden");
	}
	if (reason.n) {
		lt_buf_printf(&status, ": %.*s", LT_STR_ARG(reason));
	}
	lt_cli_table_add(table, lt_buf_str(&start));
	lt_cli_table_add(table, lt_buf_str(&end));
	lt_cli_table_add(table, lt_cli_member(event, "name"));
	lt_cli_table_add(table, lt_cli_member(event, "link"));
	lt_cli_table_add(table, lt_buf_str(&status));
}

static void print_calendar(struct lt_cli *cli, const cJSON *calendar)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
	LT_AUTO(lt_free) char *clean = NULL;
	const cJSON *read_at = lt_json_get(calendar, "readAt");
	struct lt_str problem = lt_cli_member(calendar, "problem");

	lt_buf_printf(&line, "%.*s: %" PRId64 " events, ",
			LT_STR_ARG(lt_cli_member(calendar, "from")),
			lt_cli_number(calendar, "events"));
	if (cJSON_IsNumber(read_at)) {
		lt_buf_add_c(&line, "read ");
		lt_cli_duration(&line,
				(lt_wall_ms(lt_clock_wall()) - lt_cli_number(calendar, "readAt")) /
						1000);
		lt_buf_add_c(&line, " ago");
	} else {
		lt_buf_add_c(&line, "never read");
	}
	if (problem.n) {
		lt_buf_printf(&line, "; CANNOT BE READ: %.*s", LT_STR_ARG(problem));
	}
	clean = lt_cli_clean(lt_buf_str(&line));
	fprintf(cli->out, "%s\n", clean);
}

static void print_schedule(struct lt_cli *cli, const cJSON *schedule)
{
	static const char *const titles[] = { "START", "END", "NAME", "SERVICE", "STATUS" };
	struct lt_cli_table *table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	const cJSON *events = lt_json_get(schedule, "events");
	const cJSON *calendars = lt_json_get(schedule, "calendars");
	int mistakes = cJSON_GetArraySize(lt_json_get(schedule, "mistakes"));
	const cJSON *item;

	cJSON_ArrayForEach(item, events) {
		add_event(table, item);
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
	if (!cJSON_GetArraySize(calendars)) {
		fputs("no calendar is set; see LIVETIMING_CALENDAR_URL\n", cli->out);
		return;
	}
	if (!cJSON_GetArraySize(events)) {
		fputs("no events are to come\n", cli->out);
	}
	cJSON_ArrayForEach(item, calendars) {
		print_calendar(cli, item);
	}
	if (mistakes) {
		fprintf(cli->out, "%d %s; livetimingctl schedule check names %s\n", mistakes,
				mistakes == 1 ? "mistake" : "mistakes",
				mistakes == 1 ? "it" : "them");
	}
}

int lt_cmd_schedule_list(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *schedule = NULL;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("schedule", "list"), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	schedule = lt_cli_ask_take(cli, "schedule.list", NULL, &status);
	if (!schedule) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, schedule);
	} else {
		print_schedule(cli, schedule);
	}
	return LT_EXIT_DONE;
}

/* --- sync --- */

int lt_cmd_schedule_sync(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *schedule = NULL;
	const cJSON *calendar;
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("schedule", "sync"), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	cli->patience_s = SYNC_PATIENCE_S;
	schedule = lt_cli_ask_take(cli, "schedule.sync", NULL, &status);
	if (!schedule) {
		return status;
	}
	cJSON_ArrayForEach(calendar, lt_json_get(schedule, "calendars")) {
		if (lt_cli_member(calendar, "problem").n) {
			status = LT_EXIT_REFUSED;
		}
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, schedule);
	} else {
		print_schedule(cli, schedule);
	}
	return status;
}
