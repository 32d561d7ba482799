#include "unit/services/scheduler_fixture.h"

/*
 * A season from March to November in one calendar: weekly series over the
 * changes of clocks, moved and cancelled dates, races back to back with the same
 * and with other arguments, whole days; the calendar is edited and the daemon
 * restarted in between. What should have run when is worked out here by hand.
 */

#define SEASON_BEGIN (INT64_C(20512) * DAY) /* 2026-02-28 */
#define SEASON_DAYS  280
#define TRUTHS_MAX   400

/* One event as an organiser means it. */
struct truth {
	char uid[24];
	int64_t start_s, end_s;
	char command[48]; /* of its service */
	bool is_held;     /* begins late: another has the service */
	int64_t begun_s;  /* when it was told; 0: not yet */
};

struct season {
	struct fixture *f;
	struct truth truths[TRUTHS_MAX];
	size_t n;
	int restarts;
};

static int64_t date(int month, int day, int hour, int minute)
{
	return lt_days_from_date(2026, month, day) * DAY + hour * HOUR + minute * 60;
}

/* Central European time as UTC: summer time from 29 March to 25 October of 2026. */
static int64_t paris(int64_t local_s)
{
	bool is_summer = local_s >= date(3, 29, 2, 0) && local_s < date(10, 25, 3, 0);

	return local_s - (is_summer ? 2 : 1) * HOUR;
}

static void add_truth(struct season *season, const char *uid, int64_t start_s, int64_t end_s,
		const char *command)
{
	struct truth *truth = &season->truths[season->n++];

	assert_true(season->n < TRUTHS_MAX);
	*truth = (struct truth){ .start_s = start_s, .end_s = end_s };
	snprintf(truth->uid, sizeof(truth->uid), "%s", uid);
	snprintf(truth->command, sizeof(truth->command), "%s", command);
}

static void add_lines(
		struct lt_buf *calendar, const char *uid, const char *title, const char *lines)
{
	lt_buf_printf(calendar, "BEGIN:VEVENT\r\nUID:%s\r\nSUMMARY:%s\r\n%sEND:VEVENT\r\n", uid,
			title, lines);
}

static void add_utc(struct lt_buf *calendar, const char *uid, const char *title, int64_t start_s,
		int64_t end_s)
{
	LT_AUTO(lt_buf_finish) struct lt_buf lines = { 0 };
	const int64_t times[] = { start_s, end_s };

	for (size_t i = 0; i < 2; i++) {
		int64_t year;
		int month, day;

		lt_date_from_days(times[i] / DAY, &year, &month, &day);
		lt_buf_printf(&lines, "%s:%04d%02d%02dT%02d%02d00Z\r\n", i ? "DTEND" : "DTSTART",
				(int)year, month, day, (int)(times[i] % DAY / HOUR),
				(int)(times[i] / 60 % 60));
	}
	add_lines(calendar, uid, title, lines.p);
}

/* Every Saturday at 14:00 in Paris; one is moved to Sunday, two are off, one is left out. */
static void add_weekly(struct season *season, struct lt_buf *calendar)
{
	add_lines(calendar, "weekly", "Saturday race [club\\, --track north]",
			"DTSTART;TZID=Europe/Paris:20260307T140000\r\n"
			"DTEND;TZID=Europe/Paris:20260307T160000\r\n"
			"RRULE:FREQ=WEEKLY;UNTIL=20261114T130000Z\r\n"
			"EXDATE;TZID=Europe/Paris:20260418T140000\r\n");
	add_lines(calendar, "weekly", "Saturday race on Sunday [club\\, --track north]",
			"RECURRENCE-ID;TZID=Europe/Paris:20260523T140000\r\n"
			"DTSTART;TZID=Europe/Paris:20260524T100000\r\nDURATION:PT2H\r\n");
	add_lines(calendar, "weekly", "Off [club\\, --track north]",
			"RECURRENCE-ID;TZID=Europe/Paris:20260704T140000\r\nSTATUS:CANCELLED\r\n"
			"DTSTART;TZID=Europe/Paris:20260704T140000\r\nDURATION:PT2H\r\n");
	for (int64_t day = lt_days_from_date(2026, 3, 7); day <= lt_days_from_date(2026, 11, 14);
			day += 7) {
		int64_t local = day * DAY + 14 * HOUR;

		if (day == lt_days_from_date(2026, 4, 18) || day == lt_days_from_date(2026, 7, 4)) {
			continue;
		}
		if (day == lt_days_from_date(2026, 5, 23)) {
			local = date(5, 24, 10, 0);
		}
		add_truth(season, "weekly", paris(local), paris(local) + 2 * HOUR,
				"club --track north");
	}
}

/* Every other Sunday: practice, qualifying and race close together on one service, then a support
 * race with other arguments, which begins when the service is free. */
static void add_weekends(struct season *season, struct lt_buf *calendar)
{
	int64_t first = lt_days_from_date(2026, 3, 15);

	for (int i = 0; i < 17; i++) {
		int64_t day = (first + 14 * i) * DAY;
		char uid[24];
		const struct {
			const char *name, *title, *command;
			int64_t start, end;
		} parts[] = {
			{ "practice", "Practice [gt\\, --feed 1]", "gt --feed 1", 8 * HOUR,
					9 * HOUR },
			{ "qualifying", "Qualifying [gt\\, --feed 1]", "gt --feed 1",
					9 * HOUR + 300, 10 * HOUR },
			{ "race", "Race [gt\\, --feed 1]", "gt --feed 1", 12 * HOUR, 13 * HOUR },
			{ "support", "Support [gt\\, --feed 2]", "gt --feed 2", 13 * HOUR + 300,
					14 * HOUR },
		};

		for (size_t k = 0; k < LT_ARRAY_LEN(parts); k++) {
			snprintf(uid, sizeof(uid), "%s%d", parts[k].name, i);
			add_utc(calendar, uid, parts[k].title, day + parts[k].start,
					day + parts[k].end);
			add_truth(season, uid, day + parts[k].start, day + parts[k].end,
					parts[k].command);
			season->truths[season->n - 1].is_held = k == 3;
		}
	}
}

/* Each Wednesday evening of the summer in UTC, hidden; and eight whole days in Paris. */
static void add_others(struct season *season, struct lt_buf *calendar)
{
	static const int days[][2] = { { 3, 29 }, { 4, 1 }, { 5, 14 }, { 6, 2 }, { 7, 9 }, { 8, 3 },
		{ 9, 30 }, { 10, 25 } };

	add_lines(calendar, "test", "Test [night\\, --hidden]",
			"DTSTART:20260401T190000Z\r\nDURATION:PT90M\r\nRRULE:FREQ=WEEKLY;COUNT=30\r\n");
	for (int i = 0; i < 30; i++) {
		int64_t start = date(4, 1, 19, 0) + 7 * i * DAY;

		add_truth(season, "test", start, start + 5400, "night --hidden");
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(days); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf lines = { 0 };
		int64_t start = date(days[i][0], days[i][1], 0, 0);
		char uid[24];

		snprintf(uid, sizeof(uid), "day%zu", i);
		lt_buf_printf(&lines, "DTSTART;VALUE=DATE:2026%02d%02d\r\n", days[i][0],
				days[i][1]);
		add_lines(calendar, uid, "Open day [track]", lines.p);
		add_truth(season, uid, paris(start), paris(start + DAY), "track");
	}
}

/* Every day of August and September a sprint; that of 12 August is deleted by an edit. */
static void add_sprints(struct season *season, struct lt_buf *calendar, bool is_edited)
{
	for (int day = 1; day <= 61; day++) {
		int64_t start = date(8, 1, 17, 0) + (day - 1) * DAY;
		char uid[24];

		snprintf(uid, sizeof(uid), "sprint%d", day);
		if (day == 12 && is_edited) {
			continue;
		}
		add_utc(calendar, uid, is_edited ? "Sprint! [sprint]" : "Sprint [sprint]", start,
				start + HOUR);
		if (!is_edited) {
			add_truth(season, uid, start, start + HOUR, "sprint");
		}
	}
}

static void build(struct season *season, bool is_edited)
{
	struct season ignored = { 0 };
	struct season *into = is_edited ? &ignored : season;
	struct lt_buf *calendar = &season->f->calendar;

	lt_buf_clear(calendar);
	lt_buf_add_c(calendar, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-TIMEZONE:Europe/Paris\r\n");
	add_weekly(into, calendar);
	add_weekends(into, calendar);
	add_others(into, calendar);
	add_sprints(into, calendar, is_edited);
	add_lines(calendar, "off", "Cancelled [never]",
			"DTSTART:20260601T100000Z\r\nDURATION:PT1H\r\nSTATUS:CANCELLED\r\n");
	lt_buf_add_c(calendar, "END:VCALENDAR\r\n");
}

static bool is_running(const struct fixture *f, const char *command)
{
	for (size_t i = 0; i < f->service_count; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_args_join(&text, &f->services[i].args);
		if (strcmp(text.p, command) == 0) {
			return true;
		}
	}
	return false;
}

/* Does any event want this service at this time, with its leads and trails? */
static bool is_wanted(const struct season *season, const char *command, int64_t now_s)
{
	for (size_t i = 0; i < season->n; i++) {
		const struct truth *truth = &season->truths[i];

		if (strcmp(truth->command, command) == 0 && now_s >= truth->start_s - 361 &&
				now_s <= truth->end_s + 661) {
			return true;
		}
	}
	return false;
}

static void check_minute(struct season *season, int64_t now_s)
{
	const struct fixture *f = season->f;

	for (size_t i = 0; i < season->n; i++) {
		const struct truth *truth = &season->truths[i];
		int64_t from = truth->is_held ? truth->start_s + 361 : truth->start_s - 240;

		if (now_s >= from && now_s <= truth->end_s + 600 &&
				!is_running(f, truth->command)) {
			fail_msg("%s of %lld does not run at %lld", truth->uid,
					(long long)truth->start_s, (long long)now_s);
		}
	}
	for (size_t i = 0; i < f->service_count; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_args_join(&text, &f->services[i].args);
		if (!is_wanted(season, text.p, now_s)) {
			fail_msg("%s runs at %lld", text.p, (long long)now_s);
		}
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(f->services[i].link, f->services[k].link);
		}
	}
}

/* Each of them was told of exactly once, and nothing else was. */
static void check_told(const struct season *season)
{
	struct lt_str rest = lt_buf_str(&season->f->started);
	size_t lines = 0;

	while (rest.n) {
		lt_str_split(&rest, '\n');
		lines++;
	}
	assert_int_equal(lines, season->n);
	for (size_t i = 0; i < season->n; i++) {
		char line[80];
		const char *first;

		snprintf(line, sizeof(line), "%s@%lld\n", season->truths[i].uid,
				(long long)season->truths[i].start_s);
		first = strstr(season->f->started.p, line);
		if (!first) {
			fail_msg("%s was not told", line);
		}
	}
}

static void remove_truth(struct season *season, const char *uid)
{
	for (size_t i = 0; i < season->n; i++) {
		if (strcmp(season->truths[i].uid, uid) == 0) {
			season->truths[i] = season->truths[--season->n];
			return;
		}
	}
	fail();
}

/* Minutes in which something may happen, one by one; hours of nothing at once. */
static int64_t next_step(const struct season *season, int64_t now_s)
{
	for (size_t i = 0; i < season->n; i++) {
		if (now_s >= season->truths[i].start_s - 2 * HOUR &&
				now_s <= season->truths[i].end_s + 2 * HOUR) {
			return 60;
		}
	}
	return HOUR;
}

static void a_whole_season_runs_by_itself(void **state)
{
	struct fixture *f = *state;
	struct season *season = calloc(1, sizeof(*season));
	uint64_t dice = 20260301;

	season->f = f;
	f->no_actions = true;
	f->times.fetch_s = 6 * HOUR;
	build(season, false);
	assert_in_range(season->n, 200, TRUTHS_MAX);
	lt_fake_set_wall(f->loop, (struct lt_wall){ SEASON_BEGIN * LT_US_PER_S });
	start_scheduler(f);
	for (int64_t now = SEASON_BEGIN; now < SEASON_BEGIN + SEASON_DAYS * DAY;) {
		int64_t step = next_step(season, now);

		lt_fake_advance(f->loop, step * 1000);
		now += step;
		if (now / DAY == lt_days_from_date(2026, 8, 8) && now % DAY == 0) {
			build(season, true);
			remove_truth(season, "sprint12");
		}
		dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if (step == 60 && dice >> 33 < (UINT64_C(1) << 31) / 400) {
			restart_daemon(f);
			season->restarts++;
		}
		check_minute(season, now);
	}
	check_told(season);
	assert_int_equal(f->service_count, 0);
	print_message("%zu events, %d restarts\n", season->n, season->restarts);
	assert_true(season->restarts > 50);
	free(season);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_season_runs_by_itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
