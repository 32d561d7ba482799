/* The pure parts of the conformance test: states, damage, shared objects. */
#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/check/plugin_check_damage.h"
#include "services/check/plugin_check_elf.h"
#include "services/check/plugin_check_state.h"
#include "support/test.h"

static const char columns[] =
		"{\"colSpec\":[[\"Num\",\"text\"],[\"State\",\"text\"],[\"Laps\",\"numeric\"],"
		"[\"Gap\",\"delta\"],[\"Last\",\"time\"]],\"trackDataSpec\":[\"Air\",\"Track\"]}";

static enum lt_check_verdict check(
		const char *description, const char *state, char text[LT_CHECK_STATE_TEXT])
{
	LT_AUTO(cJSON_Delete) cJSON *d = lt_json_parse(lt_str_from(description), NULL);
	LT_AUTO(cJSON_Delete) cJSON *s = lt_json_parse(lt_str_from(state), NULL);

	return lt_check_state(d, s, text);
}

static void a_state_that_keeps_its_promises_is_fine(void **state)
{
	char text[LT_CHECK_STATE_TEXT];
	(void)state;

	enum lt_check_verdict verdict = check(columns,
			"{\"cars\":[[\"71\",\"RUN\",3,\"\",[83.4,\"pb\"]],[\"12\",\"PIT\",\"2\",\"1 lap\",\"\"],"
			"[\"5\"]],\"session\":{\"flagState\":\"green\",\"timeElapsed\":3.5,"
			"\"trackData\":[\"20\",\"30\"]}}",
			text);

	assert_int_equal(verdict, LT_CHECK_OK);
	assert_string_equal(text, "");
}

static void a_bad_state_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *state, *text;
	} cases[] = {
		{ "{\"cars\":[[\"71\",\"RUN\",3,\"\",\"fast\"]],\"session\":{\"flagState\":\"green\"}}",
				"car 1 (\"71\"), column \"Last\": expected [seconds, mark], not \"fast\"" },
		{ "{\"cars\":[[\"71\",\"RUN\",3,\"\",[-1,\"\"]]],\"session\":{\"flagState\":\"green\"}}",
				"car 1 (\"71\"), column \"Last\": expected [seconds, mark], not [-1,\"\"]" },
		{ "{\"cars\":[[\"71\",\"RUN\",3,\"\",[1.5,\"best\"]]],\"session\":{\"flagState\":\"green\"}}",
				"car 1 (\"71\"), column \"Last\": expected [seconds, mark], not "
				"[1.5,\"best\"]" },
		{ "{\"cars\":[[\"71\",\"RUN\",\"many\"]],\"session\":{\"flagState\":\"green\"}}",
				"car 1 (\"71\"), column \"Laps\": expected a number, not \"many\"" },
		{ "{\"cars\":[[\"71\",true]],\"session\":{\"flagState\":\"green\"}}",
				"car 1 (\"71\"), column \"State\": expected a text, not true" },
		{ "{\"cars\":[[1,2,3,4,\"\",6]],\"session\":{\"flagState\":\"green\"}}",
				"car 1 has 6 cells for 5 columns" },
		{ "{\"cars\":[71],\"session\":{\"flagState\":\"green\"}}",
				"car 1 is no list of cells" },
		{ "{\"cars\":[],\"session\":{\"flagState\":\"blue\"}}",
				"session, flagState: expected a flag, not \"blue\"" },
		{ "{\"cars\":[],\"session\":{}}",
				"session, flagState: expected a flag, not nothing" },
		{ "{\"cars\":[],\"session\":{\"flagState\":\"red\",\"timeRemain\":\"soon\"}}",
				"session, timeRemain: expected a number, not \"soon\"" },
		{ "{\"cars\":[],\"session\":{\"flagState\":\"red\",\"trackData\":[\"20\"]}}",
				"session, trackData: 1 texts for 2 headings" },
		{ "{\"cars\":[]}", "session is missing" },
		{ "{\"session\":{}}", "cars is missing" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		char text[LT_CHECK_STATE_TEXT];

		assert_int_equal(check(columns, cases[i].state, text), LT_CHECK_FAILED);
		assert_string_equal(text, cases[i].text);
	}
}

static void a_state_before_the_description_is_refused(void **state)
{
	char text[LT_CHECK_STATE_TEXT];
	(void)state;

	assert_int_equal(check("{}", "{\"cars\":[],\"session\":{}}", text), LT_CHECK_FAILED);
	assert_string_equal(text, "it was published before the service was described");
}

static void what_is_odd_is_a_warning(void **state)
{
	static const struct {
		const char *cars, *text;
	} cases[] = {
		{ "[[\"71\"],[\"5\"],[\"71\"]]", "cars 1 and 3 both have the number \"71\"" },
		{ "[[\"\"]]", "car 1 has no number in \"Num\"" },
		{ "[[\"71\",\"FLYING\"]]",
				"car 1, column \"State\": \"FLYING\" is no state that viewers know" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };
		char text[LT_CHECK_STATE_TEXT];

		lt_buf_printf(&json, "{\"cars\":%s,\"session\":{\"flagState\":\"green\"}}",
				cases[i].cars);
		assert_int_equal(check(columns, json.p, text), LT_CHECK_WARNING);
		assert_string_equal(text, cases[i].text);
	}
}

/* --- damage --- */

static void each_damage_is_bounded_and_the_same_every_time(void **state)
{
	struct lt_check_pieces feed = { 0 };
	(void)state;

	lt_check_pieces_split(&feed, LT_STR("71,Ada,83.4\n12,Bea,84.1\r\n\n5,Cem,91"));
	for (int damage = LT_DAMAGE_NONE; damage <= LT_DAMAGE_NOISE; damage++) {
		struct lt_check_pieces once = { 0 }, again = { 0 };

		lt_check_damage(&feed, (enum lt_damage)damage, &once);
		lt_check_damage(&feed, (enum lt_damage)damage, &again);

		assert_true(once.n > 0 && once.bytes < (2u << 20));
		assert_int_equal(once.n, again.n);
		for (size_t i = 0; i < once.n; i++) {
			assert_int_equal(once.list[i].n, again.list[i].n);
			assert_true(once.list[i].n == 0 ||
					memcmp(once.list[i].p, again.list[i].p, once.list[i].n) ==
							0);
		}
		lt_check_pieces_finish(&once);
		lt_check_pieces_finish(&again);
	}
	lt_check_pieces_finish(&feed);
}

static void a_feed_that_is_only_torn_is_whole_when_put_together(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf all = { 0 };
	struct lt_check_pieces feed = { 0 }, torn = { 0 };
	(void)state;

	lt_check_pieces_split(&feed, LT_STR("71,Ada,83.4\n12,Bea,84.1\n"));
	lt_check_damage(&feed, LT_DAMAGE_TORN, &torn);

	for (size_t i = 0; i < torn.n; i++) {
		lt_buf_add_str(&all, lt_buf_str(&torn.list[i]));
	}
	assert_true(torn.n > 2);
	assert_string_equal(all.p, "71,Ada,83.4\n12,Bea,84.1\n");
	lt_check_pieces_finish(&feed);
	lt_check_pieces_finish(&torn);
}

static void a_piece_of_nothing_can_be_damaged(void **state)
{
	struct lt_check_pieces feed = { 0 };
	(void)state;

	lt_check_pieces_add(&feed, LT_STR("\n"));
	for (int damage = LT_DAMAGE_NONE; damage <= LT_DAMAGE_NOISE; damage++) {
		struct lt_check_pieces pieces = { 0 };

		lt_check_damage(&feed, (enum lt_damage)damage, &pieces);

		assert_true(pieces.n > 0);
		lt_check_pieces_finish(&pieces);
	}
	lt_check_pieces_finish(&feed);
}

/* --- shared objects --- */

static void read_own(struct lt_buf *bytes)
{
	/* the test itself: position independent, so a shared object by its type */
	assert_true(lt_file_read("/proc/self/exe", 256u << 20, bytes, NULL));
}

static bool has(const struct lt_args *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strncmp(names->v[i], name, strlen(name)) == 0) {
			return true;
		}
	}
	return false;
}

static void libraries_of_an_object_are_read(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };
	struct lt_elf elf = { 0 };
	(void)state;
	read_own(&bytes);

	assert_true(lt_elf_read(lt_buf_str(&bytes), &elf, NULL));

	assert_true(has(&elf.needs, "libc.so"));
	assert_true(has(&elf.needs, "libcmocka.so"));
	lt_elf_finish(&elf);
}

static void what_is_no_object_is_refused(void **state)
{
	struct lt_elf elf;
	struct lt_err err;
	(void)state;

	assert_false(lt_elf_read(LT_STR(""), &elf, &err));
	assert_false(lt_elf_read(LT_STR("#!/bin/sh\nexec true\n"), &elf, &err));
	assert_string_equal(err.msg, "it is no shared object");
}

static void a_damaged_object_harms_nobody(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };
	struct lt_elf elf;
	struct lt_err err;
	(void)state;
	read_own(&bytes);

	for (size_t part = 1; part < 200; part++) {
		struct lt_str cut = { bytes.p, bytes.n / 200 * part };

		if (lt_elf_read(cut, &elf, &err)) {
			lt_elf_finish(&elf);
		}
	}
	/* each byte of the head, and of the table of sections at its end */
	for (size_t i = 16; i < 64 + 2000; i++) {
		size_t at = i < 64 ? i : bytes.n - (i - 63);
		char before = bytes.p[at];

		bytes.p[at] = (char)(before ^ 0x7f);
		if (lt_elf_read(lt_buf_str(&bytes), &elf, &err)) {
			lt_elf_finish(&elf);
		}
		bytes.p[at] = before;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_that_keeps_its_promises_is_fine),
		cmocka_unit_test(a_bad_state_is_refused_with_its_place),
		cmocka_unit_test(a_state_before_the_description_is_refused),
		cmocka_unit_test(what_is_odd_is_a_warning),
		cmocka_unit_test(each_damage_is_bounded_and_the_same_every_time),
		cmocka_unit_test(a_feed_that_is_only_torn_is_whole_when_put_together),
		cmocka_unit_test(a_piece_of_nothing_can_be_damaged),
		cmocka_unit_test(libraries_of_an_object_are_read),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(a_damaged_object_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
