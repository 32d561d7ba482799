#include "base/str.h"
#include "base/table.h"
#include "support/test.h"

struct entry {
	UT_hash_handle hh;
	char key[16];
	int value;
};

/* Reference values of the algorithm: key 00..0f, input 00..n-1, low 32 bits. */
static void hash_is_siphash_1_3(void **state)
{
	static const unsigned expected[] = { 0x050fc4dc, 0x7d57ca93, 0x4dc7d44d, 0xe7ddf7fb,
		0x88d38328, 0x49533b67, 0xc59f22a7, 0x9bb11140, 0x8d299a8e, 0x6c063de4, 0x92ff097f,
		0xf94dc352, 0x57b4d9a2, 0x1229ffa7, 0xc0f95d34, 0x2a519956, 0x7d908b66,
		0x63dbd80c };
	unsigned char input[64];
	(void)state;
	for (size_t i = 0; i < sizeof(input); i++) {
		input[i] = (unsigned char)i;
	}
	lt_table_seed(0x0706050403020100U, 0x0f0e0d0c0b0a0908U);

	for (size_t n = 0; n < LT_ARRAY_LEN(expected); n++) {
		assert_int_equal(lt_table_hash(input, n), expected[n]);
	}
}

static void hash_depends_on_the_seed(void **state)
{
	(void)state;

	lt_table_seed(1, 2);
	unsigned one = lt_table_hash("topic", 5);
	lt_table_seed(1, 3);
	unsigned other = lt_table_hash("topic", 5);

	assert_int_not_equal(one, other);
}

static void every_process_has_a_seed_of_its_own(void **state)
{
	/* Taken in main, before any test has set a seed. */
	unsigned seeded = *(unsigned *)*state;

	lt_table_seed(0, 0);
	assert_int_not_equal(seeded, lt_table_hash("topic", 5));
}

static void tables_store_find_and_remove(void **state)
{
	struct entry *table = NULL;
	struct entry *found;
	(void)state;

	for (int i = 0; i < 5000; i++) {
		struct entry *entry = lt_zalloc(sizeof(*entry));
		snprintf(entry->key, sizeof(entry->key), "key%d", i);
		entry->value = i;
		HASH_ADD_STR(table, key, entry);
	}
	assert_int_equal(HASH_COUNT(table), 5000);
	HASH_FIND_STR(table, "key4321", found);
	assert_int_equal(found ? found->value : -1, 4321);
	HASH_FIND_STR(table, "key5000", found);
	assert_null(found);

	struct entry *entry, *next;
	HASH_ITER(hh, table, entry, next) {
		HASH_DEL(table, entry);
		lt_free(entry);
	}
	assert_null(table);
}

static void allocation_of_nothing_is_not_null(void **state)
{
	(void)state;
	void *pieces[] = { lt_alloc(0), lt_zalloc(0), lt_calloc(0, 8), lt_realloc(NULL, 0) };

	for (size_t i = 0; i < LT_ARRAY_LEN(pieces); i++) {
		assert_non_null(pieces[i]);
		lt_free(pieces[i]);
	}
}

int main(void)
{
	unsigned seeded = lt_table_hash("topic", 5);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(every_process_has_a_seed_of_its_own, &seeded),
		cmocka_unit_test(hash_is_siphash_1_3),
		cmocka_unit_test(hash_depends_on_the_seed),
		cmocka_unit_test(tables_store_find_and_remove),
		cmocka_unit_test(allocation_of_nothing_is_not_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
