#include "base/base.h"
#include "mesh/mesh_event.h"
#include "mesh/subject.h"
#include "router/serializer.h"
#include "support/test.h"

static struct lt_mesh_event model(const struct lt_serializer *format, struct lt_str args)
{
	return (struct lt_mesh_event){
		.node = LT_STR("a"),
		.run = LT_STR("r1"),
		.seq = 7,
		.at_us = 1763990000000000,
		.event = { .topic = LT_STR("t.\"1\""),
				.publication = 99,
				.retain = true,
				.body = { .serializer = format, .args = args } },
	};
}

static void expect_same(const struct lt_mesh_event *event)
{
	struct lt_mesh_event_scratch scratch = { 0 };
	struct lt_buf bytes = { 0 };
	struct lt_mesh_event back;
	struct lt_err err = { 0 };

	lt_mesh_event_write(&bytes, event);
	if (!lt_mesh_event_read(lt_buf_str(&bytes), &scratch, &back, &err)) {
		fail_msg("%s: %.*s", err.msg, LT_STR_ARG(lt_buf_str(&bytes)));
	}
	assert_true(lt_str_eq(back.node, event->node));
	assert_true(lt_str_eq(back.run, event->run));
	assert_int_equal(back.seq, event->seq);
	assert_int_equal(back.at_us, event->at_us);
	assert_int_equal(back.is_gone, event->is_gone);
	assert_true(lt_str_eq(back.event.topic, event->event.topic));
	assert_int_equal(back.event.retain, event->event.retain);
	assert_true(lt_str_eq(back.event.closed, event->event.closed));
	assert_true(lt_str_eq(back.event.disclosure, event->event.disclosure));
	assert_true(lt_str_eq(back.event.body.args, event->event.body.args));
	assert_true(lt_str_eq(back.event.body.kwargs, event->event.body.kwargs));
	assert_true(lt_str_eq(back.event.kept.args, event->event.kept.args));
	assert_int_equal(back.event.kept.serializer != NULL, event->event.kept.serializer != NULL);
	for (size_t i = 0; event->event.lists && i < LT_LISTS; i++) {
		assert_true(lt_str_eq(back.event.lists[i], event->event.lists[i]));
	}
	lt_buf_finish(&bytes);
	lt_mesh_event_scratch_finish(&scratch);
}

static void an_event_is_read_as_it_was_written_in_every_format(void **state)
{
	static const struct {
		const struct lt_serializer *format;
		struct lt_str args;
	} cases[] = {
		{ &lt_serializer_json, LT_STR("[1,{\"a\":\"\\n\"}]") },
		{ &lt_serializer_msgpack,
				LT_STR("\x91\xc4\x02\n\n") }, /* bytes that are line ends */
		{ &lt_serializer_cbor, LT_STR("\x81\x42\n\n") },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		const struct lt_mesh_event event = model(cases[i].format, cases[i].args);

		expect_same(&event);
	}
}

static void everything_that_may_stand_in_an_event_survives(void **state)
{
	const struct lt_str lists[LT_LISTS] = { [LT_LIST_EXCLUDE] = LT_STR("[5,6]"),
		[LT_LIST_ELIGIBLE_AUTHROLE] = LT_STR("[\"a b\"]") };
	struct lt_mesh_event event = model(&lt_serializer_json, LT_STR("[\"difference\"]"));

	(void)state;
	event.event.body.kwargs = LT_STR("{\"k\":1}");
	event.event.disclosure = LT_STR(",\"publisher\":5");
	event.event.closed = LT_STR("n1");
	event.event.lists = lists;
	event.event.kept = (struct lt_body){ .serializer = &lt_serializer_json,
		.args = LT_STR("[\"whole\"]") };
	expect_same(&event);
	event.event.kept = (struct lt_body){ 0 };
	event.event.body = (struct lt_body){ .serializer = &lt_serializer_json };
	expect_same(&event);
}

static void the_end_of_a_retained_event_has_no_body(void **state)
{
	struct lt_mesh_event event = { .node = LT_STR("a"),
		.run = LT_STR("r1"),
		.seq = 1,
		.is_gone = true,
		.event = { .topic = LT_STR("t") } };

	(void)state;
	expect_same(&event);
}

static void subjects_keep_parts_and_escape_what_may_not_stand_there(void **state)
{
	static const char *const cases[][2] = {
		{ "livetiming.service.a1", "p.live.livetiming.service.a1" },
		{ "livetiming.analysis/u/lap", "p.live.livetiming.analysis/u/lap" },
		{ "a..b", "p.live.a.%.b" },
		{ "a.", "p.live.a.%" },
		{ "a b*c>d%e", "p.live.a%20b%2Ac%3Ed%25e" },
		{ "\xc3\xa9", "p.live.%C3%A9" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_buf subject = { 0 };

		lt_subject_write(&subject, "p", "live", lt_str_from(cases[i][0]));
		assert_str_equal(lt_buf_str(&subject), cases[i][1]);
		lt_buf_finish(&subject);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_read_as_it_was_written_in_every_format),
		cmocka_unit_test(everything_that_may_stand_in_an_event_survives),
		cmocka_unit_test(the_end_of_a_retained_event_has_no_body),
		cmocka_unit_test(subjects_keep_parts_and_escape_what_may_not_stand_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
