#include "calendar/ics_writer.h"
#include "support/test.h"

static const struct lt_ical_opts opts = {
	.from_s = INT64_C(1767225600), .until_s = INT64_C(1798761600), .local_zone = "UTC0"
};

static char *categories[] = { (char[]){ "GT3, Am" }, (char[]){ "Night" } };
static struct lt_ical_x tags[] = { { (char[]){ "X-LT-SOURCE" }, (char[]){ "a;b\\c" } },
	{ (char[]){ "bad name" }, (char[]){ "dropped" } } };

static struct lt_ical_event event_at(const char *uid, int64_t start_s, int64_t end_s)
{
	return (struct lt_ical_event){
		.uid = strdup(uid),
		.summary = strdup(
				"Le Mans \xE2\x80\x93 Vingt-quatre Heures du Mans, la grande [wec, -d "
				"Four\\ Hours]"),
		.start_s = start_s,
		.end_s = end_s,
		.recurrence_s = start_s,
	};
}

static void free_event(struct lt_ical_event *event)
{
	free(event->uid);
	free(event->summary);
}

static void what_is_written_is_read_as_the_same(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_event events[] = { event_at("a", 1778936400, 1778940000),
		event_at("b", 1779000000, 1779000000), event_at("c", 1779062400, 1779148800),
		event_at("d", 1779300000, 1779303600) };
	struct lt_ical_list list;

	(void)state;
	events[0].description = (char[]){ "one\ntwo, three; four" };
	events[0].location = (char[]){ "Spa" };
	events[0].url = (char[]){ "https://a.example/?a=1;b,c" };
	events[0].categories = categories;
	events[0].category_count = 2;
	events[0].x = tags;
	events[0].x_count = 2;
	events[0].sequence = 7;
	events[2].start_date = 20260518;
	events[2].end_date = 20260519;
	events[3].is_recurring = true;
	events[3].recurrence_s = 1779200000;
	events[3].is_cancelled = true;
	lt_ics_write(&text, events, 4,
			&(struct lt_ics_opts){ .name = "Our races", .stamp_s = 1778936400 });
	assert_true(lt_ical_read(lt_buf_str(&text), &opts, &list, NULL));
	assert_int_equal(list.problem_count, 0);
	assert_int_equal(list.n, 4);
	assert_string_equal(list.name, "Our races");
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(list.events[i].uid, events[i].uid);
		assert_string_equal(list.events[i].summary, events[i].summary);
		assert_int_equal(list.events[i].start_s, events[i].start_s);
		assert_int_equal(list.events[i].end_s, events[i].end_s);
		assert_int_equal(list.events[i].recurrence_s, events[i].recurrence_s);
		assert_int_equal(list.events[i].start_date, events[i].start_date);
		assert_int_equal(list.events[i].is_cancelled, events[i].is_cancelled);
	}
	assert_string_equal(list.events[0].description, events[0].description);
	assert_string_equal(list.events[0].url, events[0].url);
	assert_int_equal(list.events[0].sequence, 7);
	assert_int_equal(list.events[0].category_count, 2);
	assert_string_equal(list.events[0].categories[0], "GT3, Am");
	assert_int_equal(list.events[0].x_count, 1);
	assert_string_equal(list.events[0].x[0].value, "a;b\\c");
	lt_ical_list_finish(&list);
	for (size_t i = 0; i < 4; i++) {
		free_event(&events[i]);
	}
}

static void lines_are_folded_within_75_bytes_and_not_within_a_character(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf summary = { 0 };
	struct lt_ical_event event = event_at("a", 1778936400, 1778940000);
	struct lt_str rest;

	(void)state;
	for (int i = 0; i < 200; i++) {
		lt_buf_add_c(&summary, "\xF0\x9F\x8F\x81"); /* a flag */
	}
	free(event.summary);
	event.summary = lt_buf_steal(&summary);
	lt_ics_write(&text, &event, 1, &(struct lt_ics_opts){ .stamp_s = 1778936400 });
	rest = lt_buf_str(&text);
	while (rest.n) {
		struct lt_str line = lt_str_split(&rest, '\n');

		assert_true(line.n >= 1 && line.n <= 76); /* with the CR */
		assert_int_equal(line.p[line.n - 1], '\r');
		assert_true(lt_utf8_valid(line));
	}
	free_event(&event);
}

static void control_bytes_cannot_forge_a_line(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_event event = event_at("a", 1778936400, 1778940000);

	(void)state;
	event.location = (char[]){ "x\r\nSTATUS:CANCELLED" };
	event.url = (char[]){ "http://x/\r\nSTATUS:CANCELLED" };
	lt_ics_write(&text, &event, 1, &(struct lt_ics_opts){ .stamp_s = 1778936400 });
	assert_null(strstr(text.p, "\nSTATUS"));
	assert_non_null(strstr(text.p, "LOCATION:x\\nSTATUS:CANCELLED\r\n"));
	free_event(&event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_as_the_same),
		cmocka_unit_test(lines_are_folded_within_75_bytes_and_not_within_a_character),
		cmocka_unit_test(control_bytes_cannot_forge_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
