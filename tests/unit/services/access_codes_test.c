/* Codes of private services: what is kept, and what wrong tries cost. */
#include "base/alloc.h"
#include "services/desk/access_codes.h"
#include "support/test.h"

#define UUID LT_STR("a1b2c3")
#define HERE LT_STR("10.0.0.1")

struct fixture {
	struct lt_random *random;
	struct lt_access_codes *codes;
	struct lt_mono now;
};

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->random = lt_random_create(1, NULL);
	f->codes = lt_access_codes_create(f->random);
	f->now.us = 1000 * (int64_t)LT_US_PER_S;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_destroy(f->codes);
	lt_random_destroy(f->random);
	lt_free(f);
	return 0;
}

static enum lt_access_answer try(struct fixture *f, const char *code, const char *address)
{
	return lt_access_codes_try(f->codes, UUID, lt_str_from(code), lt_str_from(address), f->now);
}

static void the_right_code_opens_and_no_other(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));

	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
	assert_int_equal(try(f, "open-sesamE", "10.0.0.1"), LT_ACCESS_WRONG);
	assert_int_equal(try(f, "", "10.0.0.1"), LT_ACCESS_WRONG);
	assert_int_equal(lt_access_codes_try(f->codes, LT_STR("other1"), LT_STR("open-sesame"),
					 HERE, f->now),
			LT_ACCESS_WRONG);
}

static void the_file_has_a_salted_hash_and_not_the_code(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	lt_access_codes_close(f->codes, LT_STR("other1"), LT_STR("open-sesame"));
	LT_AUTO(cJSON_Delete) cJSON *file = lt_access_codes_file(f->codes);
	const cJSON *services = lt_json_get(file, "services");

	lt_json_print(&text, file, LT_JSON_COMPACT);
	assert_null(memmem(text.p, text.n, "sesame", 6));
	assert_string_not_equal(lt_json_get(lt_json_get(services, "a1b2c3"), "hash")->valuestring,
			lt_json_get(lt_json_get(services, "other1"), "hash")->valuestring);
}

static void codes_are_known_after_a_restart(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	LT_AUTO(cJSON_Delete) cJSON *file = lt_access_codes_file(f->codes);

	lt_access_codes_destroy(f->codes);
	f->codes = lt_access_codes_create(f->random);
	assert_true(lt_access_codes_read(f->codes, file, NULL));

	assert_true(lt_access_codes_is_closed(f->codes, UUID));
	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
	assert_int_equal(try(f, "other-sesame", "10.0.0.1"), LT_ACCESS_WRONG);
}

static void a_service_without_a_code_is_closed_to_everybody(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, (struct lt_str){ NULL, 0 });

	assert_true(lt_access_codes_is_closed(f->codes, UUID));
	assert_int_equal(try(f, "", "10.0.0.1"), LT_ACCESS_WRONG);
}

static void a_new_code_makes_the_old_one_void(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
	lt_access_codes_close(f->codes, UUID, LT_STR("other-sesame"));

	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_WRONG);
	assert_int_equal(try(f, "other-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
}

static void an_opened_service_keeps_its_code_for_its_recordings(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	lt_access_codes_open(f->codes, UUID);

	assert_false(lt_access_codes_is_closed(f->codes, UUID));
	assert_true(lt_access_codes_is_known(f->codes, UUID));
	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
}

static void wrong_codes_are_limited_for_each_address_and_a_minute_later_again(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	for (int i = 0; i < LT_ACCESS_TRIES_ADDRESS; i++) {
		assert_int_equal(try(f, "wrong-code", "10.0.0.1"), LT_ACCESS_WRONG);
	}
	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_TOO_MANY);
	assert_int_equal(try(f, "open-sesame", "10.0.0.2"), LT_ACCESS_RIGHT);
	f->now.us += 60 * (int64_t)LT_US_PER_S;

	assert_int_equal(try(f, "wrong-code", "10.0.0.1"), LT_ACCESS_WRONG);
}

static void who_had_the_right_code_is_not_held_up_by_wrong_ones(void **state)
{
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
	for (int i = 0; i < 2 * LT_ACCESS_TRIES_ADDRESS; i++) {
		try(f, "wrong-code", "10.0.0.1");
	}

	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
}

static void wrong_codes_of_all_addresses_are_limited(void **state)
{
	struct fixture *f = *state;
	char address[32];

	for (int i = 0; i < LT_ACCESS_TRIES_ALL; i++) {
		snprintf(address, sizeof(address), "10.0.1.%d", i);
		assert_int_equal(try(f, "wrong-code", address), LT_ACCESS_WRONG);
	}

	assert_int_equal(try(f, "wrong-code", "10.0.2.1"), LT_ACCESS_TOO_MANY);
}

static void codes_that_are_made_are_valid_and_differ(void **state)
{
	struct fixture *f = *state;
	char one[LT_ACCESS_CODE_TEXT], two[LT_ACCESS_CODE_TEXT];

	lt_access_code_make(f->random, one);
	lt_access_code_make(f->random, two);

	assert_int_equal(strlen(one), 23);
	assert_true(lt_access_code_check(lt_str_from(one), NULL));
	assert_string_not_equal(one, two);
}

static void short_long_and_unprintable_codes_are_refused(void **state)
{
	char longest[LT_ACCESS_CODE_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(lt_access_code_check((struct lt_str){ longest, LT_ACCESS_CODE_MAX }, NULL));
	assert_false(lt_access_code_check(
			(struct lt_str){ longest, LT_ACCESS_CODE_MAX + 1 }, NULL));
	assert_false(lt_access_code_check(LT_STR("1234567"), NULL));
	assert_false(lt_access_code_check(LT_STR("1234 5678"), NULL));
	assert_false(lt_access_code_check(LT_STR("12345678\n"), NULL));
}

static void broken_files_are_refused_and_change_nothing(void **state)
{
	static const char *const files[] = { "[]", "{}", "{\"services\":[]}x",
		"{\"services\":{\"a1\":5}}", "{\"services\":{\"a1\":{}}}",
		"{\"services\":{\"\":{\"closed\":true}}}",
		"{\"services\":{\"a1\":{\"closed\":true,\"hash\":\"zz\",\"salt\":\"00\"}}}",
		"{\"services\":{\"a1\":{\"closed\":true,\"iterations\":0}}}" };
	struct fixture *f = *state;

	lt_access_codes_close(f->codes, UUID, LT_STR("open-sesame"));
	for (size_t i = 0; i < LT_ARRAY_LEN(files); i++) {
		LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(lt_str_from(files[i]), NULL);

		if (lt_access_codes_read(f->codes, json, NULL)) {
			fail_msg("%s", files[i]);
		}
	}

	assert_int_equal(try(f, "open-sesame", "10.0.0.1"), LT_ACCESS_RIGHT);
}

static void note_change(void *arg, struct lt_str uuid, bool is_closed)
{
	snprintf(arg, 100, "%.*s %s", LT_STR_ARG(uuid), is_closed ? "closed" : "open");
}

/* What another node with this code for UUID tells. */
static cJSON *of_another_node(struct fixture *f, const char *code, bool is_open)
{
	struct lt_access_codes *other = lt_access_codes_create(f->random);
	cJSON *json;

	lt_access_codes_close(other, UUID, lt_str_from(code));
	if (is_open) {
		lt_access_codes_open(other, UUID);
	}
	json = lt_access_codes_own(other);
	lt_access_codes_destroy(other);
	return json;
}

static void merge(struct fixture *f, cJSON *json_take, char *change)
{
	change[0] = '\0';
	assert_true(lt_access_codes_merge(f->codes, json_take, note_change, change, NULL));
	cJSON_Delete(json_take);
}

static void what_another_node_closed_is_closed_here_with_its_code_until_it_opens_it(void **state)
{
	struct fixture *f = *state;
	char change[100];

	merge(f, of_another_node(f, "their-code", false), change);
	assert_string_equal(change, "a1b2c3 closed");
	assert_int_equal(try(f, "their-code", "10.0.0.1"), LT_ACCESS_RIGHT);
	merge(f, of_another_node(f, "their-code", false), change);
	assert_string_equal(change, "");
	merge(f, of_another_node(f, "their-code", true), change);
	assert_string_equal(change, "a1b2c3 open");
	assert_false(lt_access_codes_is_closed(f->codes, UUID));
}

static void a_code_of_this_node_is_not_replaced_by_that_of_another(void **state)
{
	struct fixture *f = *state;
	char change[100];

	lt_access_codes_close(f->codes, UUID, LT_STR("my-own-code"));
	merge(f, of_another_node(f, "their-code", true), change);
	assert_string_equal(change, "");
	assert_int_equal(try(f, "my-own-code", "10.0.0.1"), LT_ACCESS_RIGHT);
}

static void what_is_foreign_is_kept_and_not_told_on(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(cJSON_Delete) cJSON *own = NULL;
	LT_AUTO(cJSON_Delete) cJSON *file = NULL;
	char change[100];

	merge(f, of_another_node(f, "their-code", false), change);
	own = lt_access_codes_own(f->codes);
	file = lt_access_codes_file(f->codes);
	assert_int_equal(cJSON_GetArraySize(lt_json_get(own, "services")), 0);
	assert_true(lt_access_codes_read(f->codes, file, NULL));
	merge(f, of_another_node(f, "a-new-code", false), change);
	assert_int_equal(try(f, "a-new-code", "10.0.0.1"), LT_ACCESS_RIGHT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_code_opens_and_no_other),
		TEST(the_file_has_a_salted_hash_and_not_the_code),
		TEST(codes_are_known_after_a_restart),
		TEST(a_service_without_a_code_is_closed_to_everybody),
		TEST(a_new_code_makes_the_old_one_void),
		TEST(an_opened_service_keeps_its_code_for_its_recordings),
		TEST(wrong_codes_are_limited_for_each_address_and_a_minute_later_again),
		TEST(who_had_the_right_code_is_not_held_up_by_wrong_ones),
		TEST(wrong_codes_of_all_addresses_are_limited),
		TEST(codes_that_are_made_are_valid_and_differ),
		TEST(short_long_and_unprintable_codes_are_refused),
		TEST(broken_files_are_refused_and_change_nothing),
		TEST(what_another_node_closed_is_closed_here_with_its_code_until_it_opens_it),
		TEST(a_code_of_this_node_is_not_replaced_by_that_of_another),
		TEST(what_is_foreign_is_kept_and_not_told_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
