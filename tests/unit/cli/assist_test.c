#include "base/alloc.h"
#include "cli/assist/answers.h"
#include "cli/assist/ics_target.h"
#include "cli/assist/rules.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define NOW 1800000000

/* --- rules --- */

static struct lt_assist_rules rules_of(const char *text)
{
	struct lt_assist_rules rules = { 0 };
	struct lt_err err = { 0 };

	if (!lt_assist_rules_parse(lt_str_from(text), &rules, &err)) {
		fail_msg("%s", err.msg);
	}
	return rules;
}

static void a_rule_has_a_tag_a_service_and_arguments(void **state)
{
	struct lt_assist_rules rules =
			rules_of("# all\n\n wec = rmonitor, --host \"a b\" -H\r\nx=*\n");
	(void)state;

	assert_int_equal(rules.n, 2);
	assert_string_equal(rules.at[0].tag, "wec");
	assert_string_equal(rules.at[0].service, "rmonitor");
	assert_int_equal(rules.at[0].args.n, 3);
	assert_string_equal(rules.at[0].args.v[1], "a b");
	assert_string_equal(rules.at[1].service, "*");
	lt_assist_rules_finish(&rules);
}

static void broken_rules_are_named_by_their_line(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "wec", "line 1: expected tag = service, arguments" },
		{ "\n = rmonitor", "line 2: expected tag = service, arguments" },
		{ "a = b\nwec =", "line 2: no service behind the tag" },
		{ "wec = rmonitor --host x", "line 1: a service is one word" },
		{ "wec = rmonitor, \"x", "line 1: a quote" },
		{ "# x\n\nwec = rmonitor, a]b", "line 3: the argument" },
		{ "wec = rm]x", "line 1: " },
		{ "wec = rm*", "line 1: " },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_assist_rules rules;
		struct lt_err err = { 0 };

		assert_false(lt_assist_rules_parse(lt_str_from(cases[i].text), &rules, &err));
		assert_non_null(strstr(err.msg, cases[i].error));
	}
}

static void tags_fit_categories_and_hashtags_whatever_their_case(void **state)
{
	struct lt_assist_rules rules = rules_of("open day = a\nwec = b\n");
	char category[] = "WEC", title[] = "Race #open-days", other[] = "at the #Open_Day!",
	     none[] = "";
	char *categories[] = { category };
	struct lt_ical_event event = { .summary = none, .description = none };
	(void)state;

	assert_null(lt_assist_rule_for(&rules, &event));
	event.summary = title; /* a longer word is another one */
	assert_null(lt_assist_rule_for(&rules, &event));
	event.categories = categories;
	event.category_count = 1;
	assert_string_equal(lt_assist_rule_for(&rules, &event)->service, "b");
	event.description = other; /* the first rule counts */
	assert_string_equal(lt_assist_rule_for(&rules, &event)->service, "a");
	lt_assist_rules_finish(&rules);
}

static void zero_bytes_are_no_rules(void **state)
{
	struct lt_assist_rules rules;
	(void)state;

	assert_false(lt_assist_rules_parse(LT_STR("a = b\0c"), &rules, NULL));
}

static void a_file_has_so_many_rules(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_assist_rules rules;
	struct lt_err err = { 0 };
	(void)state;

	for (int i = 0; i <= LT_RULES_MAX; i++) {
		lt_buf_add_c(&text, "a = b\n");
	}

	assert_false(lt_assist_rules_parse(lt_buf_str(&text), &rules, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
}

static void a_name_is_the_title_without_its_tag(void **state)
{
	static const struct {
		const char *title, *name;
	} cases[] = {
		{ "Race #open-day", "Race" },
		{ " #Open_Day  Race\t two ", "Race two" },
		{ "Race #open day, #wec", "Race , #wec" },
		{ "Cup [final]", "Cup (final)" },
		{ "#open-day", "#open-day" },
		{ "", "" },
	};
	struct lt_assist_rules rules = rules_of("open day = a\n");
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		char *name = lt_assist_name(cases[i].title, &rules.at[0]);

		assert_string_equal(name, cases[i].name);
		lt_free(name);
	}
	lt_assist_rules_finish(&rules);
}

static void a_star_fits_every_event(void **state)
{
	struct lt_assist_rules rules = rules_of("* = a\n");
	char none[] = "";
	const struct lt_ical_event event = { .summary = none, .description = none };
	(void)state;

	assert_non_null(lt_assist_rule_for(&rules, &event));
	lt_assist_rules_finish(&rules);
}

/* --- correlation --- */

#define ID     "lt00112233445566778899aabbccddeeff"
#define SOURCE "0123456789abcdef"
/* SHA-256 of "1798761600 1798765200 Older [x]"; the first 16 digits */
#define MARK "X-LIVETIMING-ASSIST:2881058727d9a657\nX-LIVETIMING-SOURCE:" SOURCE

/* Old entries against wanted ones, of one source. */
static void plan_of(const struct lt_assist_entries *old, const struct lt_assist_entries *wanted,
		const char *held, struct lt_assist_plan *ret_plan)
{
	struct lt_args list = { 0 };

	if (held) {
		lt_args_add(&list, lt_str_from(held));
	}
	lt_assist_plan(&(struct lt_assist_plan_opts){ old, wanted, &list, SOURCE, NOW }, ret_plan);
	lt_args_finish(&list);
}

/* An entry as it is now, which was written with another title, perhaps. */
struct was {
	const char *title;
	int64_t start_s;
	const char *written_title, *source, *held;
	bool is_touched;
};

static enum lt_assist_step step_with(const struct was *was, const char *wanted_title)
{
	struct lt_assist_entries old = { 0 }, wanted = { 0 };
	struct lt_assist_plan plan;

	if (was->title) {
		struct lt_assist_entry *entry = lt_assist_add(
				&old, ID, was->title, was->start_s, was->start_s + 100);

		lt_assist_mark(was->written_title, was->start_s, was->start_s + 100, entry->mark);
		strcpy(entry->source, was->source ? was->source : SOURCE);
		entry->is_touched = was->is_touched;
	}
	if (wanted_title) {
		strcpy(lt_assist_add(&wanted, ID, wanted_title, NOW + 500, NOW + 600)->source,
				SOURCE);
	}
	plan_of(&old, &wanted, was->held, &plan);
	enum lt_assist_step step = plan.n ? plan.at[0].step : LT_ASSIST_KEEP;

	lt_assist_plan_finish(&plan);
	lt_assist_entries_finish(&old);
	lt_assist_entries_finish(&wanted);
	return step;
}

static enum lt_assist_step step_of(const char *old_title, int64_t old_start_s,
		const char *written_title, const char *wanted_title)
{
	return step_with(&(struct was){ .title = old_title,
					 .start_s = old_start_s,
					 .written_title = written_title },
			wanted_title);
}

static void an_entry_is_added_kept_changed_or_removed(void **state)
{
	(void)state;

	assert_int_equal(step_of(NULL, 0, NULL, "A [x]"), LT_ASSIST_ADD);
	assert_int_equal(step_of("A [x]", NOW + 500, "A [x]", "A [x]"), LT_ASSIST_KEEP);
	assert_int_equal(step_of("A [x]", NOW + 500, "A [x]", "B [x]"), LT_ASSIST_CHANGE);
	assert_int_equal(step_of("A [x]", NOW + 9, "A [x]", "A [x]"), LT_ASSIST_CHANGE);
	assert_int_equal(step_of("A [x]", NOW + 500, "A [x]", NULL), LT_ASSIST_REMOVE);
}

static void what_has_begun_is_not_removed(void **state)
{
	(void)state;

	assert_int_equal(step_of("A [x]", NOW, "A [x]", NULL), LT_ASSIST_KEEP);
}

static void what_was_edited_by_hand_is_left_and_named_when_its_source_changes(void **state)
{
	(void)state;

	assert_int_equal(step_of("Mine [x]", NOW + 500, "A [x]", "B [x]"), LT_ASSIST_EDITED);
	assert_int_equal(step_of("Mine [x]", NOW + 500, "A [x]", NULL), LT_ASSIST_EDITED);
	assert_int_equal(step_of("Mine [x]", NOW + 500, "A [x]", "A [x]"), LT_ASSIST_KEEP);
}

static void what_was_cancelled_or_repeated_by_hand_is_edited(void **state)
{
	struct was was = {
		.title = "A [x]", .start_s = NOW + 500, .written_title = "A [x]", .is_touched = true
	};
	(void)state;

	assert_int_equal(step_with(&was, "A [x]"), LT_ASSIST_KEEP);
	assert_int_equal(step_with(&was, "B [x]"), LT_ASSIST_EDITED);
	assert_int_equal(step_with(&was, NULL), LT_ASSIST_EDITED);
}

static void entries_of_another_source_are_not_missed_but_taken_over(void **state)
{
	struct was was = { .title = "A [x]",
		.start_s = NOW + 500,
		.written_title = "A [x]",
		.source = "fedcba9876543210" };
	(void)state;

	assert_int_equal(step_with(&was, NULL), LT_ASSIST_KEEP);
	assert_int_equal(step_with(&was, "A [x]"), LT_ASSIST_CHANGE);
}

static void entries_of_which_nothing_is_known_this_time_stay(void **state)
{
	struct was was = {
		.title = "A [x]", .start_s = NOW + 500, .written_title = "A [x]", .held = ID
	};
	(void)state;

	assert_int_equal(step_with(&was, NULL), LT_ASSIST_KEEP);
	was.held = "lt0011223344556677"; /* all occurrences */
	assert_int_equal(step_with(&was, NULL), LT_ASSIST_KEEP);
	was.held = "lt0011223344556678";
	assert_int_equal(step_with(&was, NULL), LT_ASSIST_REMOVE);
}

static void only_ids_of_ours_have_their_form(void **state)
{
	char id[LT_ENTRY_ID_TEXT];
	(void)state;

	lt_assist_entry_id("uid", 1, id);
	assert_true(lt_assist_is_id(lt_str_from(id)));
	assert_false(lt_assist_is_id(LT_STR("")));
	assert_false(lt_assist_is_id(LT_STR("lt00112233445566778899aabbccddeef")));
	assert_false(lt_assist_is_id(LT_STR("lt00112233445566778899aabbccddeeff0")));
	assert_false(lt_assist_is_id(LT_STR("lt00112233445566778899aabbccddeefg")));
	assert_false(lt_assist_is_id(LT_STR("xx00112233445566778899aabbccddeeff")));
}

static void ids_differ_by_source_and_occurrence(void **state)
{
	char a[LT_ENTRY_ID_TEXT], b[LT_ENTRY_ID_TEXT], c[LT_ENTRY_ID_TEXT];
	(void)state;

	lt_assist_entry_id("uid", 1, a);
	lt_assist_entry_id("uid", 2, b);
	lt_assist_entry_id("uid", 1, c);

	assert_string_equal(a, c);
	assert_string_not_equal(a, b);
	assert_memory_equal(a, b, LT_ENTRY_ID_SERIES);
	assert_int_equal(strlen(a), LT_ENTRY_ID_TEXT - 1);
	assert_int_equal(strspn(a + 2, "0123456789abcdef"), 32);
}

/* --- the file --- */

static char *rewrite(const char *text, const struct lt_assist_entries *wanted)
{
	struct lt_assist_entries old;
	struct lt_assist_plan plan;
	struct lt_buf out = { 0 };
	struct lt_err err = { 0 };

	if (!lt_ics_target_read(lt_str_from(text), &old, &err)) {
		fail_msg("%s", err.msg);
	}
	plan_of(&old, wanted, NULL, &plan);
	lt_ics_target_write(&out, lt_str_from(text), &plan, NOW);
	lt_assist_plan_finish(&plan);
	lt_assist_entries_finish(&old);
	return lt_buf_steal(&out);
}

static void entries_are_read_back_and_changed_in_place_of_themselves(void **state)
{
	struct lt_assist_entries wanted = { 0 }, found;
	(void)state;

	strcpy(lt_assist_add(&wanted, ID, "Race, one [x]", NOW + 500, NOW + 600)->source, SOURCE);
	char *first = rewrite("", &wanted);

	lt_free(wanted.at[0].title);
	wanted.at[0].title = lt_strdup("Race two [x]");
	lt_assist_mark(wanted.at[0].title, NOW + 500, NOW + 600, wanted.at[0].mark);
	char *second = rewrite(first, &wanted);

	assert_true(lt_ics_target_read(lt_str_from(second), &found, NULL));
	assert_int_equal(found.n, 1);
	assert_string_equal(found.at[0].id, ID);
	assert_string_equal(found.at[0].title, "Race two [x]");
	assert_string_equal(found.at[0].mark, wanted.at[0].mark);
	assert_string_equal(found.at[0].source, SOURCE);
	assert_null(strstr(second, "Race\\, one"));
	lt_assist_entries_finish(&found);
	lt_assist_entries_finish(&wanted);
	lt_free(first);
	lt_free(second);
}

static void events_of_others_stay_byte_for_byte(void **state)
{
	static const char others[] =
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
			"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Theirs with a lon\r\n g line\r\n"
			"DTSTART:20270101T000000Z\r\nRRULE:FREQ=WEEKLY\r\nX-A:b\r\n"
			"END:VEVENT\r\nEND:VCALENDAR\r\n";
	struct lt_assist_entries wanted = { 0 }, none = { 0 };
	(void)state;

	strcpy(lt_assist_add(&wanted, ID, "Ours [x]", NOW + 500, NOW + 600)->source, SOURCE);
	char *both = rewrite(others, &wanted);

	assert_memory_equal(both, others, strlen(others) - strlen("END:VCALENDAR\r\n"));
	assert_non_null(strstr(both, "SUMMARY:Ours [x]"));
	char *again = rewrite(both, &none);

	assert_string_equal(again, others);
	lt_assist_entries_finish(&wanted);
	lt_free(both);
	lt_free(again);
}

static void an_entry_that_changes_keeps_its_place_and_what_was_added_to_it(void **state)
{
	static const char file[] =
			"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n"
			"BEGIN:VEVENT\nUID:" ID "\nSUMMARY:Old\n er [x]\nDTSTART:20270101T000000Z\n"
			"DURATION:PT1H\nLOCATION:Here and a lon\n g way\nBEGIN:VALARM\nUID:alarm\n"
			"TRIGGER:-PT5M\nDURATION:PT5M\nEND:VALARM\n" MARK "\nX-A:b\nEND:VEVENT\n"
			"BEGIN:VEVENT\nUID:a\nSUMMARY:Theirs\nDTSTART:20270101T000000Z\n"
			"END:VEVENT\nEND:VCALENDAR\n";
	struct lt_assist_entries wanted = { 0 };
	(void)state;

	strcpy(lt_assist_add(&wanted, ID, "Newer [x]", NOW + 500, NOW + 600)->source, SOURCE);
	char *text = rewrite(file, &wanted);

	assert_null(strstr(text, "Older"));
	assert_null(strstr(text, "er [x]\nDTSTART"));
	assert_null(strstr(text, "DURATION:PT1H"));
	assert_non_null(strstr(text, "LOCATION:Here and a lon\n g way\n"));
	assert_non_null(strstr(text,
			"BEGIN:VALARM\nUID:alarm\nTRIGGER:-PT5M\nDURATION:PT5M\nEND:VALARM\n"));
	assert_non_null(strstr(text, "X-A:b\nEND:VEVENT"));
	assert_true(strstr(text, "Newer [x]") < strstr(text, "Theirs"));
	assert_null(strstr(strstr(text, "UID:" ID) + 1, "UID:" ID));
	lt_free(text);
	lt_assist_entries_finish(&wanted);
}

static void copies_that_somebody_made_are_theirs(void **state)
{
	static const char file[] =
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
			"BEGIN:VEVENT\r\nUID:copy\r\nSUMMARY:A [x]\r\nDTSTART:20270201T000000Z\r\n"
			"X-LIVETIMING-ASSIST:0123456789abcdef\r\nX-LIVETIMING-SOURCE:" SOURCE
			"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
	struct lt_assist_entries none = { 0 };
	(void)state;

	char *text = rewrite(file, &none);

	assert_string_equal(text, file);
	lt_free(text);
}

static void what_was_cancelled_or_repeats_in_the_file_is_seen(void **state)
{
	static const char *const lines[] = { "STATUS:CANCELLED", "RRULE:FREQ=DAILY;COUNT=3" };
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(lines); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
		struct lt_assist_entries found;

		lt_buf_printf(&text,
				"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\n"
				"UID:" ID "\r\nSUMMARY:A [x]\r\nDTSTART:20270201T000000Z\r\n"
				"%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
				lines[i]);
		assert_true(lt_ics_target_read(lt_buf_str(&text), &found, NULL));

		assert_int_equal(found.n, 1);
		assert_true(found.at[0].is_touched);
		lt_assist_entries_finish(&found);
	}
}

/* --- answers --- */

static void an_answer_belongs_to_an_option_of_a_service(void **state)
{
	char seed[] = "--seed", any[] = "*";
	char *words[] = { seed, any, any };
	const struct lt_args args = { words, LT_ARRAY_LEN(words) };
	static const char *const places[] = { "simulator argument 1", "simulator --seed",
		"simulator argument 3" };
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(places); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf place = { 0 };

		lt_answers_place(&place, "simulator", &args, i);
		assert_string_equal(place.p, places[i]);
	}
}

static void answers_are_kept_in_their_file_and_the_last_one_is_offered(void **state)
{
	char dir[TMPDIR_MAX];
	struct lt_answers answers, again;
	(void)state;

	tmpdir_make(dir);
	const char *path = in_dir(dir, "answers.json");

	assert_true(lt_answers_load(&answers, path, NULL));
	assert_null(lt_answers_get(&answers, "a", "p"));
	assert_true(lt_answers_set(&answers, "a", "p", "1", NULL));
	assert_true(lt_answers_set(&answers, "b", "p", "2", NULL));
	assert_true(lt_answers_set(&answers, "a", "q", "3", NULL));
	assert_true(lt_answers_set(&answers, "a", "p", "4", NULL));

	assert_true(lt_answers_load(&again, path, NULL));
	assert_string_equal(lt_answers_get(&again, "a", "p"), "4");
	assert_string_equal(lt_answers_get(&again, "b", "p"), "2");
	assert_string_equal(lt_answers_get(&again, "a", "q"), "3");
	assert_string_equal(lt_answers_last(&again, "p"), "4");
	assert_null(lt_answers_last(&again, "r"));
	lt_answers_finish(&answers);
	lt_answers_finish(&again);
	tmpdir_remove(dir);
}

static void the_last_calendar_of_a_file_takes_what_is_new(void **state)
{
	static const char file[] =
			"BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR \n"
			"BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:last\nEND:VCALENDAR\n\n";
	struct lt_assist_entries wanted = { 0 };
	(void)state;

	lt_assist_add(&wanted, ID, "Ours [x]", NOW + 500, NOW + 600);
	char *text = rewrite(file, &wanted);

	assert_true(strstr(text, "X-WR-CALNAME:last") < strstr(text, "Ours [x]"));
	assert_string_equal(strstr(text, "END:VEVENT\r\n"), "END:VEVENT\r\nEND:VCALENDAR\n\n");
	lt_free(text);
	lt_assist_entries_finish(&wanted);
}

static void files_in_which_something_could_be_lost_are_refused(void **state)
{
	static const struct {
		const char *lines, *error;
	} cases[] = {
		{ "BEGIN:VEVENT\nUID:a\nBEGIN:VEVENT\nUID:b\nEND:VEVENT\n",
				"line 4: what begins before it has no end" },
		{ "BEGIN:VEVENT\nUID:a\n", "line 4: it ends something else than what began" },
		{ "BEGIN:VEVENT\nBEGIN:VALARM\nEND:VEVENT\n",
				"line 4: it ends something else than what began" },
		{ "END:VEVENT\n", "line 2: it ends something else than what began" },
		{ "BEGIN:VTODO\nBEGIN:VEVENT\nEND:VEVENT\n",
				"line 3: what begins before it has no end" },
		{ "BEGIN:VTODO\n", "line 3: it ends something else than what began" },
		{ "BEGIN:VEV\n ENT\nUID:a\nEND:VEVENT\n",
				"line 3: it begins or ends something over two lines" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
		struct lt_assist_entries found;
		struct lt_err err = { 0 };

		lt_buf_printf(&text, "BEGIN:VCALENDAR\n%sEND:VCALENDAR\n", cases[i].lines);
		assert_false(lt_ics_target_read(lt_buf_str(&text), &found, &err));
		assert_string_equal(err.msg, cases[i].error);
	}
}

static void a_file_that_is_no_calendar_is_refused(void **state)
{
	struct lt_assist_entries found;
	struct lt_err err = { 0 };
	(void)state;

	assert_false(lt_ics_target_read(LT_STR("hello"), &found, &err));
	assert_string_not_equal(err.msg, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_has_a_tag_a_service_and_arguments),
		cmocka_unit_test(broken_rules_are_named_by_their_line),
		cmocka_unit_test(tags_fit_categories_and_hashtags_whatever_their_case),
		cmocka_unit_test(zero_bytes_are_no_rules),
		cmocka_unit_test(a_file_has_so_many_rules),
		cmocka_unit_test(a_name_is_the_title_without_its_tag),
		cmocka_unit_test(a_star_fits_every_event),
		cmocka_unit_test(an_entry_is_added_kept_changed_or_removed),
		cmocka_unit_test(what_has_begun_is_not_removed),
		cmocka_unit_test(what_was_edited_by_hand_is_left_and_named_when_its_source_changes),
		cmocka_unit_test(what_was_cancelled_or_repeated_by_hand_is_edited),
		cmocka_unit_test(entries_of_another_source_are_not_missed_but_taken_over),
		cmocka_unit_test(entries_of_which_nothing_is_known_this_time_stay),
		cmocka_unit_test(only_ids_of_ours_have_their_form),
		cmocka_unit_test(ids_differ_by_source_and_occurrence),
		cmocka_unit_test(entries_are_read_back_and_changed_in_place_of_themselves),
		cmocka_unit_test(events_of_others_stay_byte_for_byte),
		cmocka_unit_test(an_entry_that_changes_keeps_its_place_and_what_was_added_to_it),
		cmocka_unit_test(copies_that_somebody_made_are_theirs),
		cmocka_unit_test(what_was_cancelled_or_repeats_in_the_file_is_seen),
		cmocka_unit_test(the_last_calendar_of_a_file_takes_what_is_new),
		cmocka_unit_test(files_in_which_something_could_be_lost_are_refused),
		cmocka_unit_test(an_answer_belongs_to_an_option_of_a_service),
		cmocka_unit_test(answers_are_kept_in_their_file_and_the_last_one_is_offered),
		cmocka_unit_test(a_file_that_is_no_calendar_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
