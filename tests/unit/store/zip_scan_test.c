#include "base/alloc.h"
#include "store/zip_scan.h"
#include "unit/store/archive.h"

struct fixture {
	char dir[TMPDIR_MAX];
	struct lt_buf bytes; /* of archive_good */
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	archive_write(in_dir(f->dir, "a.zip"), archive_good, LT_ARRAY_LEN(archive_good));
	f->bytes = file_bytes(in_dir(f->dir, "a.zip"));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_buf_finish(&f->bytes);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

/* How many entries are whole; *ret_broken: how many are not. */
static size_t count_whole(struct lt_str bytes, size_t *ret_broken)
{
	struct lt_zip_scan scan = { .bytes = bytes };
	struct lt_zip_found found;
	size_t whole = 0;

	*ret_broken = 0;
	while (lt_zip_scan_next(&scan, &found)) {
		whole += found.is_whole;
		*ret_broken += !found.is_whole;
	}
	return whole;
}

static void entries_are_found_without_a_directory(void **state)
{
	struct fixture *f = *state;
	const char *directory = memmem(f->bytes.p, f->bytes.n, "PK\1\2", 4);
	struct lt_zip_scan scan = { .bytes = { f->bytes.p, (size_t)(directory - f->bytes.p) } };
	struct lt_zip_found found;

	for (size_t i = 0; i < LT_ARRAY_LEN(archive_good); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };

		assert_true(lt_zip_scan_next(&scan, &found));
		assert_true(found.is_whole);
		assert_true(lt_str_eq_c(found.name, archive_good[i].name));
		assert_int_equal(found.time_s, 1700000000);
		assert_true(lt_zip_found_unpack(&found, &content, NULL));
		assert_str_equal(lt_buf_str(&content), archive_good[i].content);
	}
	assert_false(lt_zip_scan_next(&scan, &found));
}

static void a_cut_at_any_byte_loses_only_the_entry_in_which_it_falls(void **state)
{
	struct fixture *f = *state;
	size_t broken, before = 0;

	for (size_t n = 0; n <= f->bytes.n; n++) {
		/* a copy of that size, so that a sanitizer sees what is read behind it */
		LT_AUTO(lt_free) char *part = lt_str_dup((struct lt_str){ f->bytes.p, n });
		size_t whole = count_whole((struct lt_str){ part, n }, &broken);

		assert_true(whole >= before && whole - before <= 1);
		assert_true(broken <= 1);
		before = whole;
	}
	assert_int_equal(before, LT_ARRAY_LEN(archive_good));
}

static void a_damaged_byte_costs_at_most_one_entry(void **state)
{
	struct fixture *f = *state;
	size_t broken;

	for (size_t i = 0; i < f->bytes.n; i++) {
		f->bytes.p[i] ^= (char)0xff;
		assert_true(count_whole(lt_buf_str(&f->bytes), &broken) >=
				LT_ARRAY_LEN(archive_good) - 1);
		f->bytes.p[i] ^= (char)0xff;
	}
}

/* An entry of a writer that could not go back: sizes stand behind the content. */
static struct lt_buf streamed(bool damage_checksum)
{
	const char *content = ARCHIVE_KEY(1);
	struct lt_packed packed;
	struct lt_buf bytes = { 0 };
	uint8_t crc[4];

	assert_true(lt_frame_pack(lt_str_from(content), &packed, NULL));
	lt_buf_add(&bytes, "PK\3\4\x14\0\x08\0\x08\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0",
			30);
	lt_buf_add_c(&bytes, "01700000000.json");
	lt_buf_add_str(&bytes, lt_buf_str(&packed.bytes));
	for (int i = 0; i < 4; i++) {
		crc[i] = (uint8_t)(packed.raw_crc >> (8 * i));
	}
	crc[0] ^= damage_checksum;
	lt_buf_add(&bytes, "PK\7\10", 4);
	lt_buf_add(&bytes, crc, 4);
	lt_buf_add(&bytes, "\0\0\0\0\0\0\0\0", 8);
	lt_buf_finish(&packed.bytes);
	return bytes;
}

static void an_entry_with_its_size_behind_it_is_measured(void **state LT_UNUSED)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = streamed(false);
	LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };
	struct lt_zip_scan scan = { .bytes = lt_buf_str(&bytes) };
	struct lt_zip_found found;

	assert_true(lt_zip_scan_next(&scan, &found));

	assert_true(found.is_whole);
	assert_true(lt_zip_found_unpack(&found, &content, NULL));
	assert_str_equal(lt_buf_str(&content), ARCHIVE_KEY(1));
}

static void its_checksum_is_compared(void **state LT_UNUSED)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = streamed(true);
	struct lt_zip_scan scan = { .bytes = lt_buf_str(&bytes) };
	struct lt_zip_found found;

	assert_true(lt_zip_scan_next(&scan, &found));

	assert_false(found.is_whole);
	assert_string_equal(found.why.msg, "its checksum is wrong");
}

static void an_entry_that_says_to_be_huge_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t broken;

	memcpy(f->bytes.p + 22, "\0\0\0\x7f", 4);

	assert_int_equal(count_whole(lt_buf_str(&f->bytes), &broken),
			LT_ARRAY_LEN(archive_good) - 1);
	assert_int_equal(broken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				entries_are_found_without_a_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_cut_at_any_byte_loses_only_the_entry_in_which_it_falls, setup,
				teardown),
		cmocka_unit_test_setup_teardown(
				a_damaged_byte_costs_at_most_one_entry, setup, teardown),
		cmocka_unit_test(an_entry_with_its_size_behind_it_is_measured),
		cmocka_unit_test(its_checksum_is_compared),
		cmocka_unit_test_setup_teardown(
				an_entry_that_says_to_be_huge_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
