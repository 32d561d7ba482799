#include "base/random.h"
#include "base/str.h"
#include "support/test.h"

static struct lt_random *make(uint64_t seed)
{
	struct lt_random *random = lt_random_create(seed, NULL);

	assert_non_null(random);
	return random;
}

static void equal_seeds_give_equal_sequences(void **state)
{
	struct lt_random *a = make(7), *b = make(7), *c = make(8);
	bool differ = false;
	(void)state;

	for (int i = 0; i < 1000; i++) {
		uint64_t id = lt_random_id(a);
		assert_true(id == lt_random_id(b));
		differ = differ || id != lt_random_id(c);
	}

	assert_true(differ);
	lt_random_destroy(a);
	lt_random_destroy(b);
	lt_random_destroy(c);
}

static void unseeded_sequences_differ(void **state)
{
	struct lt_random *a = make(0), *b = make(0);
	uint8_t left[32], right[32];
	(void)state;

	lt_random_bytes(a, left, sizeof(left));
	lt_random_bytes(b, right, sizeof(right));

	assert_memory_not_equal(left, right, sizeof(left));
	lt_random_destroy(a);
	lt_random_destroy(b);
}

static void ids_are_in_wamp_global_scope(void **state)
{
	struct lt_random *random = make(0);
	uint64_t all = 0;
	(void)state;

	for (int i = 0; i < 10000; i++) {
		uint64_t id = lt_random_id(random);
		assert_true(id >= 1 && id <= (uint64_t)1 << 53);
		all |= id;
	}

	/* Every bit below 2^53 occurs, so the range is used. */
	assert_true((all & (((uint64_t)1 << 53) - 1)) == ((uint64_t)1 << 53) - 1);
	lt_random_destroy(random);
}

static void below_reaches_every_value_and_no_other(void **state)
{
	struct lt_random *random = make(3);
	int seen[6] = { 0 };
	(void)state;

	for (int i = 0; i < 6000; i++) {
		uint64_t value = lt_random_below(random, 6);
		assert_true(value < 6);
		seen[value]++;
	}

	for (int i = 0; i < 6; i++) {
		assert_in_range(seen[i], 850, 1150);
	}
	assert_true(lt_random_below(random, 1) == 0);
	assert_true(lt_random_below(random, 0) == 0);
	lt_random_destroy(random);
}

static void long_requests_are_filled_to_the_end(void **state)
{
	struct lt_random *random = make(5);
	static uint8_t bytes[5000];
	uint8_t last[16] = { 0 };
	(void)state;

	lt_random_bytes(random, bytes, 3);
	lt_random_bytes(random, bytes, sizeof(bytes));

	assert_memory_not_equal(bytes + sizeof(bytes) - sizeof(last), last, sizeof(last));
	lt_random_destroy(random);
}

static void uuids_are_version_4_in_32_digits(void **state)
{
	struct lt_random *random = make(0);
	char one[LT_UUID_TEXT], other[LT_UUID_TEXT];
	(void)state;

	for (int i = 0; i < 200; i++) {
		lt_random_uuid(random, one);
		assert_int_equal(strspn(one, "0123456789abcdef"), 32);
		assert_int_equal(strlen(one), 32);
		assert_int_equal(one[12], '4');
		assert_non_null(strchr("89ab", one[16]));
	}
	lt_random_uuid(random, other);
	assert_string_not_equal(one, other);
	lt_random_destroy(random);
}

static void destroy_takes_null(void **state)
{
	(void)state;

	lt_random_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_seeds_give_equal_sequences),
		cmocka_unit_test(unseeded_sequences_differ),
		cmocka_unit_test(ids_are_in_wamp_global_scope),
		cmocka_unit_test(below_reaches_every_value_and_no_other),
		cmocka_unit_test(long_requests_are_filled_to_the_end),
		cmocka_unit_test(uuids_are_version_4_in_32_digits),
		cmocka_unit_test(destroy_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
