#include "base/alloc.h"
#include "cli/assist/ics_target.h"
#include "cli/assist/rules.h"
#include "support/test.h"

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

static enum lt_assist_step step_of(const char *old_title, int64_t old_start_s,
		const char *written_title, const char *wanted_title)
{
	struct lt_assist_entries old = { 0 }, wanted = { 0 };
	struct lt_assist_plan plan;

	if (old_title) {
		struct lt_assist_entry *entry = lt_assist_add(
				&old, "id", old_title, old_start_s, old_start_s + 100);

		lt_assist_mark(written_title, old_start_s, old_start_s + 100, entry->mark);
	}
	if (wanted_title) {
		lt_assist_add(&wanted, "id", wanted_title, NOW + 500, NOW + 600);
	}
	lt_assist_plan(&old, &wanted, NOW, &plan);
	assert_int_equal(plan.n, 1);
	enum lt_assist_step step = plan.at[0].step;

	lt_assist_plan_finish(&plan);
	lt_assist_entries_finish(&old);
	lt_assist_entries_finish(&wanted);
	return step;
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

static void ids_differ_by_source_and_occurrence(void **state)
{
	char a[LT_ENTRY_ID_TEXT], b[LT_ENTRY_ID_TEXT], c[LT_ENTRY_ID_TEXT];
	(void)state;

	lt_assist_entry_id("uid", 1, a);
	lt_assist_entry_id("uid", 2, b);
	lt_assist_entry_id("uid", 1, c);

	assert_string_equal(a, c);
	assert_string_not_equal(a, b);
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
	lt_assist_plan(&old, wanted, NOW, &plan);
	lt_ics_target_write(&out, lt_str_from(text), &plan, NOW);
	lt_assist_plan_finish(&plan);
	lt_assist_entries_finish(&old);
	return lt_buf_steal(&out);
}

static void entries_are_read_back_and_changed_in_place_of_themselves(void **state)
{
	struct lt_assist_entries wanted = { 0 }, found;
	(void)state;

	lt_assist_add(&wanted, "lt01", "Race, one [x]", NOW + 500, NOW + 600);
	char *first = rewrite("", &wanted);

	lt_free(wanted.at[0].title);
	wanted.at[0].title = lt_strdup("Race two [x]");
	lt_assist_mark(wanted.at[0].title, NOW + 500, NOW + 600, wanted.at[0].mark);
	char *second = rewrite(first, &wanted);

	assert_true(lt_ics_target_read(lt_str_from(second), &found, NULL));
	assert_int_equal(found.n, 1);
	assert_string_equal(found.at[0].id, "lt01");
	assert_string_equal(found.at[0].title, "Race two [x]");
	assert_string_equal(found.at[0].mark, wanted.at[0].mark);
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

	lt_assist_add(&wanted, "lt01", "Ours [x]", NOW + 500, NOW + 600);
	char *both = rewrite(others, &wanted);

	assert_memory_equal(both, others, strlen(others) - strlen("END:VCALENDAR\r\n"));
	assert_non_null(strstr(both, "SUMMARY:Ours [x]"));
	char *again = rewrite(both, &none);

	assert_string_equal(again, others);
	lt_assist_entries_finish(&wanted);
	lt_free(both);
	lt_free(again);
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
		cmocka_unit_test(a_star_fits_every_event),
		cmocka_unit_test(an_entry_is_added_kept_changed_or_removed),
		cmocka_unit_test(what_has_begun_is_not_removed),
		cmocka_unit_test(what_was_edited_by_hand_is_left_and_named_when_its_source_changes),
		cmocka_unit_test(ids_differ_by_source_and_occurrence),
		cmocka_unit_test(entries_are_read_back_and_changed_in_place_of_themselves),
		cmocka_unit_test(events_of_others_stay_byte_for_byte),
		cmocka_unit_test(a_file_that_is_no_calendar_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
