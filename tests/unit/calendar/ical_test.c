#include "base/fsutil.h"
#include "calendar/ical.h"
#include "calendar/zone.h"
#include "support/golden.h"
#include "support/test.h"

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
#define TAIL "END:VCALENDAR\r\n"

/* 2026-05-16T13:00:00Z */
#define NOW INT64_C(1778936400)
#define DAY INT64_C(86400)

static const struct lt_ical_opts year_of_2026 = {
	.from_s = INT64_C(1767225600), .until_s = INT64_C(1798761600), .local_zone = "UTC0"
};

static struct lt_ical_list read_with(const char *text, const struct lt_ical_opts *opts)
{
	struct lt_ical_list list;
	struct lt_err err = { 0 };

	if (!lt_ical_read(lt_str_from(text), opts, &list, &err)) {
		fail_msg("%s", err.msg);
	}
	return list;
}

static struct lt_ical_list read(const char *text)
{
	return read_with(text, &year_of_2026);
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
	return lt_days_from_date(year, month, day) * DAY + hour * 3600 + minute * 60;
}

/* "20260516T130000Z 20260516T140000Z, ...": start and end of each, a '!' before a cancelled one. */
static void assert_times(const struct lt_ical_list *list, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		const int64_t times[] = { list->events[i].start_s, list->events[i].end_s };

		lt_buf_add_c(&text, i ? ", " : "");
		lt_buf_add_c(&text, list->events[i].is_cancelled ? "!" : "");
		for (size_t k = 0; k < 2; k++) {
			int month, day;
			int64_t year;

			lt_date_from_days(times[k] / DAY, &year, &month, &day);
			lt_buf_printf(&text, "%s%02d%02dT%02d%02d", k ? " " : "", month, day,
					(int)(times[k] % DAY / 3600), (int)(times[k] / 60 % 60));
		}
	}
	assert_string_equal(text.p ? text.p : "", expected);
}

/* One event of these lines. */
static void assert_event(const char *lines, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_list list;

	lt_buf_printf(&text,
			HEAD "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Race [x]\r\n%sEND:VEVENT\r\n" TAIL,
			lines);
	list = read(text.p);
	for (size_t i = 0; i < list.problem_count; i++) {
		print_message("problem: %s\n", list.problems[i].sentence);
	}
	assert_times(&list, expected);
	assert_int_equal(list.problem_count, 0);
	lt_ical_list_finish(&list);
}

/* The event is left out, for this reason; its neighbours are kept. */
static void assert_problem(const char *lines, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_list list;

	lt_buf_printf(&text,
			HEAD
			"BEGIN:VEVENT\r\nUID:before\r\nDTSTART:20260501T100000Z\r\nEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nSUMMARY:Bad [x]\r\n%sEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nUID:behind\r\nDTSTART:20260601T100000Z\r\nEND:VEVENT\r\n" TAIL,
			lines);
	list = read(text.p);
	assert_int_equal(list.problem_count, 1);
	assert_string_equal(list.problems[0].sentence, expected);
	assert_string_equal(list.problems[0].name, "Bad [x]");
	assert_int_equal(list.n, 2);
	assert_string_equal(list.events[0].uid, "before");
	assert_string_equal(list.events[1].uid, "behind");
	lt_ical_list_finish(&list);
}

/* --- times --- */

static void times_are_utc_or_of_a_zone_or_of_the_calendar(void **state)
{
	(void)state;
	assert_event("DTSTART:20260516T130000Z\r\nDTEND:20260516T140000Z\r\n",
			"0516T1300 0516T1400");
	assert_event("DTSTART;TZID=Europe/Paris:20260516T130000\r\n"
		     "DTEND;TZID=America/New_York:20260516T130000\r\n",
			"0516T1100 0516T1700");
	assert_event("DTSTART;TZID=\"/a.example/1/Europe/Paris\":20260116T130000\r\nDURATION:PT1H\r\n",
			"0116T1200 0116T1300");
	assert_event("DTSTART:20260516T130000\r\nDURATION:PT1H30M\r\n", "0516T1300 0516T1430");
}

static void a_time_without_a_zone_is_of_the_calendars_or_of_this_machine(void **state)
{
	const char *event =
			"BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260516T130000\r\nDTEND:20260516T140000\r\n"
			"END:VEVENT\r\n" TAIL;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_opts opts = year_of_2026;
	struct lt_ical_list list;

	(void)state;
	opts.local_zone = "America/New_York";
	lt_buf_printf(&text, HEAD "%s", event);
	list = read_with(text.p, &opts);
	assert_times(&list, "0516T1700 0516T1800");
	lt_ical_list_finish(&list);
	lt_buf_clear(&text);
	lt_buf_printf(&text, HEAD "X-WR-TIMEZONE:Europe/Paris\r\n%s", event);
	list = read_with(text.p, &opts);
	assert_times(&list, "0516T1100 0516T1200");
	assert_string_equal(list.zone, "Europe/Paris");
	lt_ical_list_finish(&list);
}

static void a_zone_that_the_system_lacks_is_read_from_the_calendar(void **state)
{
	const char *text = HEAD
			"BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Track Time:20260701T100000\r\nEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nUID:b\r\nDTSTART;TZID=Track Time:20261201T100000\r\nEND:VEVENT\r\n"
			"BEGIN:VTIMEZONE\r\nTZID:Track Time\r\n"
			"BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
			"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
			"BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
			"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n" TAIL;
	struct lt_ical_list list = read(text);

	(void)state;
	assert_times(&list, "0701T0800 0701T0800, 1201T0900 1201T0900");
	assert_int_equal(list.problem_count, 0);
	lt_ical_list_finish(&list);
}

static void whole_days_begin_at_midnight_of_the_calendars_zone(void **state)
{
	struct lt_ical_list list = read(HEAD
			"X-WR-TIMEZONE:Europe/Paris\r\nBEGIN:VEVENT\r\nUID:a\r\n"
			"DTSTART;VALUE=DATE:20260516\r\nDTEND;VALUE=DATE:20260518\r\nEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nUID:b\r\nDTSTART;VALUE=DATE:20261025\r\nEND:VEVENT\r\n" TAIL);

	(void)state;
	/* the second is the day of 25 hours */
	assert_times(&list, "0515T2200 0517T2200, 1024T2200 1025T2300");
	assert_int_equal(list.events[0].start_date, 20260516);
	assert_int_equal(list.events[0].end_date, 20260518);
	assert_true(list.events[0].has_end);
	assert_int_equal(list.events[1].end_date, 20261026);
	assert_false(list.events[1].has_end);
	lt_ical_list_finish(&list);
}

static void an_end_may_be_missing_or_a_duration(void **state)
{
	(void)state;
	assert_event("DTSTART:20260516T130000Z\r\n", "0516T1300 0516T1300");
	assert_event("DTSTART:20260516T130000Z\r\nDURATION:P1DT2H\r\n", "0516T1300 0517T1500");
	/* a day by the calendar over the end of summer time, and 24 hours by the clock */
	assert_event("DTSTART;TZID=Europe/Paris:20261024T130000\r\nDURATION:P1D\r\n",
			"1024T1100 1025T1200");
	assert_event("DTSTART;TZID=Europe/Paris:20261024T130000\r\nDURATION:PT24H\r\n",
			"1024T1100 1025T1100");
}

/* --- recurrence --- */

static void a_rule_keeps_the_local_time_over_the_change_of_clocks(void **state)
{
	(void)state;
	assert_event("DTSTART;TZID=Europe/Paris:20260322T140000\r\nDTEND;TZID=Europe/Paris:20260322T150000\r\n"
		     "RRULE:FREQ=WEEKLY;COUNT=3\r\n",
			"0322T1300 0322T1400, 0329T1200 0329T1300, 0405T1200 0405T1300");
}

static void rules_end_by_count_or_date(void **state)
{
	(void)state;
	assert_event("DTSTART:20260501T100000Z\r\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=3\r\n",
			"0501T1000 0501T1000, 0503T1000 0503T1000, 0505T1000 0505T1000");
	assert_event("DTSTART:20260501T100000Z\r\nRRULE:FREQ=DAILY;UNTIL=20260503T100000Z\r\n",
			"0501T1000 0501T1000, 0502T1000 0502T1000, 0503T1000 0503T1000");
	assert_event("DTSTART:20260501T100000Z\r\nRRULE:FREQ=DAILY;UNTIL=20260502\r\n",
			"0501T1000 0501T1000, 0502T1000 0502T1000");
	/* UNTIL is UTC, the event is not: 23:30 in New York is 03:30 of the next day */
	assert_event("DTSTART;TZID=America/New_York:20260501T233000\r\n"
		     "RRULE:FREQ=DAILY;UNTIL=20260503T033000Z\r\n",
			"0502T0330 0502T0330, 0503T0330 0503T0330");
	assert_event("DTSTART:20260509T100000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=2SA;COUNT=2\r\n",
			"0509T1000 0509T1000, 0613T1000 0613T1000");
}

static void a_count_counts_from_the_beginning_not_from_the_window(void **state)
{
	(void)state;
	assert_event("DTSTART:20251230T100000Z\r\nRRULE:FREQ=DAILY;COUNT=4\r\n",
			"0101T1000 0101T1000, 0102T1000 0102T1000");
}

static void dates_are_left_out_and_added(void **state)
{
	(void)state;
	assert_event("DTSTART;TZID=Europe/Paris:20260501T100000\r\nRRULE:FREQ=DAILY;COUNT=4\r\n"
		     "EXDATE;TZID=Europe/Paris:20260502T100000\r\nEXDATE:20260503T080000Z\r\n"
		     "RDATE;TZID=Europe/Paris:20260510T120000,20260504T100000\r\n",
			"0501T0800 0501T0800, 0504T0800 0504T0800, 0510T1000 0510T1000");
	assert_event("DTSTART:20260501T100000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEXDATE;VALUE=DATE:20260501\r\n",
			"0502T1000 0502T1000");
	assert_event("DTSTART;VALUE=DATE:20260501\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;VALUE=DATE:20260502\r\n",
			"0501T0000 0502T0000, 0503T0000 0504T0000");
}

static void a_changed_occurrence_stands_in_for_the_regular_one(void **state)
{
	struct lt_ical_list list = read(HEAD
			"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Weekly\r\nDTSTART:20260501T100000Z\r\n"
			"DTEND:20260501T110000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Moved\r\nDTSTART:20260509T120000Z\r\n"
			"DTEND:20260509T130000Z\r\nRECURRENCE-ID:20260508T100000Z\r\nEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Off\r\nDTSTART:20260515T100000Z\r\nDURATION:PT1H\r\n"
			"STATUS:CANCELLED\r\nRECURRENCE-ID:20260515T100000Z\r\nEND:VEVENT\r\n" TAIL);

	(void)state;
	assert_times(&list, "0501T1000 0501T1100, 0509T1200 0509T1300, !0515T1000 0515T1100");
	assert_string_equal(list.events[1].summary, "Moved");
	assert_int_equal(list.events[1].recurrence_s, at(2026, 5, 8, 10, 0));
	assert_true(list.events[0].is_recurring);
	lt_ical_list_finish(&list);
}

static void an_occurrence_moved_into_the_window_is_found(void **state)
{
	struct lt_ical_opts opts = year_of_2026;
	struct lt_ical_list list;

	(void)state;
	opts.from_s = at(2026, 5, 10, 0, 0);
	opts.until_s = at(2026, 5, 12, 0, 0);
	list = read_with(HEAD "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260501T100000Z\r\n"
			      "RRULE:FREQ=MONTHLY\r\nEND:VEVENT\r\n"
			      "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260511T120000Z\r\n"
			      "RECURRENCE-ID:20260601T100000Z\r\nEND:VEVENT\r\n" TAIL,
			&opts);
	assert_times(&list, "0511T1200 0511T1200");
	lt_ical_list_finish(&list);
}

static void of_two_versions_the_higher_sequence_counts(void **state)
{
	struct lt_ical_list list = read(HEAD
			"BEGIN:VEVENT\r\nUID:a\r\nSEQUENCE:2\r\nDTSTART:20260502T100000Z\r\nEND:VEVENT\r\n"
			"BEGIN:VEVENT\r\nUID:a\r\nSEQUENCE:1\r\nDTSTART:20260501T100000Z\r\nEND:VEVENT\r\n" TAIL);

	(void)state;
	assert_times(&list, "0502T1000 0502T1000");
	lt_ical_list_finish(&list);
}

/* --- texts --- */

static void texts_are_unfolded_and_unescaped(void **state)
{
	struct lt_ical_list list = read(HEAD
			"X-WR-CALNAME:Our races\r\nBEGIN:VEVENT\r\nUID:a\r\n"
			"SUMMARY;LANGUAGE=\"de:x\":Rac\r\n e one\\, two [elms\\, -d Four\\\\ Hours\\; -x a\\ b]\r\n"
			"DESCRIPTION:one\\ntwo\r\n\t three\r\nLOCATION:Spa\\, Belgium\r\nURL:https://a.example/?x=1,2\r\n"
			"CATEGORIES:GT3,Club\\, small\r\nCATEGORIES:Night\r\nx-Tag:lmp2\r\n"
			"DTSTART:20260501T100000Z\r\nBEGIN:VALARM\r\nSUMMARY:alarm\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
			"END:VEVENT\r\n" TAIL);
	const struct lt_ical_event *event = &list.events[0];

	(void)state;
	assert_int_equal(list.n, 1);
	assert_string_equal(list.name, "Our races");
	assert_string_equal(event->summary, "Race one, two [elms, -d Four\\ Hours; -x a\\ b]");
	assert_string_equal(event->description, "one\ntwo three");
	assert_string_equal(event->location, "Spa, Belgium");
	assert_string_equal(event->url, "https://a.example/?x=1,2");
	assert_int_equal(event->category_count, 3);
	assert_string_equal(event->categories[1], "Club, small");
	assert_string_equal(event->categories[2], "Night");
	assert_int_equal(event->x_count, 1);
	assert_string_equal(event->x[0].name, "X-TAG");
	assert_string_equal(event->x[0].value, "lmp2");
	lt_ical_list_finish(&list);
}

static void ill_formed_text_is_made_well_formed(void **state)
{
	static const char text[] =
			"\xEF\xBB\xBF" HEAD "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:x\xFF\0y\r\n"
			"DTSTART:20260501T100000Z\r\nEND:VEVENT\r\n" TAIL;
	struct lt_ical_list list;

	(void)state;
	assert_true(lt_ical_read(
			(struct lt_str){ text, sizeof(text) - 1 }, &year_of_2026, &list, NULL));
	assert_string_equal(list.events[0].summary, "x\xEF\xBF\xBD\xEF\xBF\xBDy");
	lt_ical_list_finish(&list);
}

/* --- what is wrong --- */

static void a_bad_event_is_named_and_the_rest_is_kept(void **state)
{
	(void)state;
	assert_problem("UID:b\r\nDTSTART:garbage\r\n", "it has no DTSTART that can be read");
	assert_problem("UID:b\r\n", "it has no DTSTART that can be read");
	assert_problem("DTSTART:20260516T130000Z\r\n", "it has no UID");
	assert_problem("UID:b\r\nDTSTART:20260516T130000Z\r\nDTEND:later\r\n",
			"its DTEND or DURATION cannot be read");
	assert_problem("UID:b\r\nDTSTART:20260516T130000Z\r\nRRULE:FREQ=SOMETIMES\r\n",
			"its RRULE, RDATE, EXDATE or RECURRENCE-ID cannot be read");
	assert_problem("UID:b\r\nDTSTART;TZID=Nowhere/City:20260516T130000\r\n",
			"DTSTART: unknown time zone \"Nowhere/City\"");
	assert_problem("UID:b\r\nDTSTART:00010101T130000Z\r\n",
			"DTSTART: the year 1 is not from 1900 to 2200");
	assert_problem("UID:b\r\nDTSTART:20260516T130000Z\r\nDURATION:-PT1H\r\n",
			"its DURATION is negative or too long");
}

static void an_event_that_ends_before_it_begins_has_no_duration(void **state)
{
	struct lt_ical_list list = read(HEAD
			"BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260516T130000Z\r\nDTEND:20260516T120000Z\r\n"
			"END:VEVENT\r\n" TAIL);

	(void)state;
	assert_times(&list, "0516T1300 0516T1300");
	assert_string_equal(list.problems[0].sentence,
			"it ends before it begins; taken as an event without duration");
	lt_ical_list_finish(&list);
}

static void an_event_that_is_not_closed_spoils_no_other(void **state)
{
	struct lt_ical_list list = read(HEAD
			"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Open\r\nDTSTART:20260516T130000Z\r\n"
			"BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20260516T130000Z\r\nEND:VEVENT\r\n" TAIL);

	(void)state;
	assert_int_equal(list.n, 1);
	assert_string_equal(list.events[0].uid, "b");
	assert_string_equal(list.problems[0].sentence, "it has no END");
	assert_string_equal(list.problems[0].name, "Open");
	lt_ical_list_finish(&list);
}

static void assert_refused(const char *text, const char *expected)
{
	struct lt_ical_list list;
	struct lt_err err = { 0 };

	assert_false(lt_ical_read(lt_str_from(text), &year_of_2026, &list, &err));
	assert_string_equal(err.msg, expected);
}

static void what_is_no_whole_calendar_is_refused(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf deep = { 0 };

	(void)state;
	assert_refused("", "no BEGIN:VCALENDAR: not an iCalendar text");
	assert_refused("<html>Sorry</html>", "no BEGIN:VCALENDAR: not an iCalendar text");
	assert_refused(HEAD "BEGIN:VEVENT\r\nUID:a\r\n", "no END:VCALENDAR: the text breaks off");
	lt_buf_add_c(&deep, HEAD);
	for (int i = 0; i < 100; i++) {
		lt_buf_add_c(&deep, "BEGIN:X\r\n");
	}
	assert_refused(deep.p, "components are nested more than 8 deep");
}

static void to_dos_and_the_like_are_passed_over(void **state)
{
	struct lt_ical_list list = read(HEAD
			"BEGIN:VTODO\r\nUID:t\r\nSUMMARY:Tyres\r\nEND:VTODO\r\n"
			"BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260516T130000Z\r\nEND:VEVENT\r\n" TAIL);

	(void)state;
	assert_int_equal(list.n, 1);
	assert_int_equal(list.problem_count, 0);
	lt_ical_list_finish(&list);
}

static void hostile_rules_are_cut_short(void **state)
{
	static const char *const rules[] = { "FREQ=SECONDLY",
		"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15;BYMINUTE=0,10,20,30,40,50",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=DAILY;COUNT=2000000000", "FREQ=YEARLY;INTERVAL=30000;COUNT=30000" };

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(rules); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
		struct lt_ical_list list;

		lt_buf_printf(&text,
				HEAD
				"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:x\r\nDTSTART:19700101T000000Z\r\nRRULE:%s\r\n"
				"END:VEVENT\r\n"
				"BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20260516T130000Z\r\nEND:VEVENT\r\n" TAIL,
				rules[i]);
		list = read(text.p);
		assert_true(list.n <= 5001);
		assert_true(list.n >= 1);
		lt_ical_list_finish(&list);
	}
}

/* --- the reference calendars --- */

/* The events of a reference calendar that the original keeps, by the original's own account. */
static void reference_calendars_give_the_times_of_the_original(void **state)
{
	static const char *const better[] = { "cancelled.ics", "recurring.ics", "all_day.ics",
		"vtimezone.ics", "not_ics.ics" };
	LT_AUTO(cJSON_Delete) cJSON *cases = golden_json("golden/calendar/expected_sync.json");
	const cJSON *item, *expected;

	(void)state;
	cJSON_ArrayForEach(item, cases) {
		const char *file = lt_json_get(item, "file")->valuestring;
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
		struct lt_ical_opts opts = year_of_2026;
		struct lt_ical_list list;
		bool is_better = false;
		size_t found = 0;

		for (size_t i = 0; i < LT_ARRAY_LEN(better); i++) {
			is_better = is_better || strcmp(file, better[i]) == 0;
		}
		if (is_better) {
			continue;
		}
		opts.from_s = (int64_t)lt_json_get(item, "now")->valuedouble - 660;
		opts.until_s = opts.from_s + 60 * DAY;
		lt_buf_printf(&name, "golden/calendar/%s", file);
		char *path = shared_path(name.p);

		assert_true(lt_file_read(path, 100000, &text, NULL));
		free(path);
		list = read_with(text.p, &opts);
		cJSON_ArrayForEach(expected, lt_json_get(item, "events")) {
			const char *uid = lt_json_get(expected, "uid")->valuestring;
			const cJSON *listing = lt_json_get(expected, "listing");

			for (size_t i = 0; i < list.n; i++) {
				if (strcmp(list.events[i].uid, uid) == 0) {
					found++;
					assert_int_equal(list.events[i].start_s,
							(int64_t)lt_json_get(listing, "startTime")
									->valuedouble);
				}
			}
		}
		assert_int_equal(found, cJSON_GetArraySize(lt_json_get(item, "events")));
		lt_ical_list_finish(&list);
	}
}

static struct lt_ical_list read_reference(const char *name)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_opts opts = year_of_2026;
	char *path = shared_path(name);

	opts.from_s = INT64_C(1718441100) - DAY;
	opts.until_s = INT64_C(1718441100) + 60 * DAY;
	assert_true(lt_file_read(path, 100000, &text, NULL));
	free(path);
	return read_with(text.p, &opts);
}

/* What the original loses or mistakes in them. */
static void reference_calendars_are_read_as_calendars_mean_them(void **state)
{
	struct lt_ical_list list;

	(void)state;
	list = read_reference("golden/calendar/all_day.ics");
	assert_times(&list, "0615T1000 0615T1200, 0615T1000 0615T1200, 0616T0000 0617T0000");
	lt_ical_list_finish(&list);
	list = read_reference("golden/calendar/cancelled.ics");
	assert_times(&list, "!0615T1000 0615T1200, 0615T1000 0615T1200, 0615T1000 0615T1200");
	lt_ical_list_finish(&list);
	list = read_reference("golden/calendar/recurring.ics");
	assert_times(&list,
			"0615T1000 0615T1200, 0615T1400 0615T1500, 0622T1000 0622T1200, "
			"0622T1500 0622T1600, 0629T1000 0629T1200, 0629T1400 0629T1500, "
			"0706T1000 0706T1200");
	lt_ical_list_finish(&list);
	list = read_reference("golden/calendar/vtimezone.ics");
	assert_times(&list, "0615T1000 0615T1200, 0615T1000 0615T1200");
	lt_ical_list_finish(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_utc_or_of_a_zone_or_of_the_calendar),
		cmocka_unit_test(a_time_without_a_zone_is_of_the_calendars_or_of_this_machine),
		cmocka_unit_test(a_zone_that_the_system_lacks_is_read_from_the_calendar),
		cmocka_unit_test(whole_days_begin_at_midnight_of_the_calendars_zone),
		cmocka_unit_test(an_end_may_be_missing_or_a_duration),
		cmocka_unit_test(a_rule_keeps_the_local_time_over_the_change_of_clocks),
		cmocka_unit_test(rules_end_by_count_or_date),
		cmocka_unit_test(a_count_counts_from_the_beginning_not_from_the_window),
		cmocka_unit_test(dates_are_left_out_and_added),
		cmocka_unit_test(a_changed_occurrence_stands_in_for_the_regular_one),
		cmocka_unit_test(an_occurrence_moved_into_the_window_is_found),
		cmocka_unit_test(of_two_versions_the_higher_sequence_counts),
		cmocka_unit_test(texts_are_unfolded_and_unescaped),
		cmocka_unit_test(ill_formed_text_is_made_well_formed),
		cmocka_unit_test(a_bad_event_is_named_and_the_rest_is_kept),
		cmocka_unit_test(an_event_that_ends_before_it_begins_has_no_duration),
		cmocka_unit_test(an_event_that_is_not_closed_spoils_no_other),
		cmocka_unit_test(what_is_no_whole_calendar_is_refused),
		cmocka_unit_test(to_dos_and_the_like_are_passed_over),
		cmocka_unit_test(hostile_rules_are_cut_short),
		cmocka_unit_test(reference_calendars_give_the_times_of_the_original),
		cmocka_unit_test(reference_calendars_are_read_as_calendars_mean_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
