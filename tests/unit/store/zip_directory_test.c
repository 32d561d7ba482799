#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/frame.h"
#include "store/recording_zip.h"
#include "store/zip_directory.h"
#include "store/zip_writer.h"
#include "support/test.h"
#include "support/tmpdir.h"

/* Of the last record of an archive with the comment "comment". */
#define END(bytes) ((bytes).n - 22 - strlen("comment"))

struct fixture {
	char dir[TMPDIR_MAX];
	char path[128];
	struct lt_buf bytes; /* of a good archive with the entries "a" and "b" */
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	static const char *const names[] = { "a", "b" };

	tmpdir_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/a.zip", f->dir);
	struct lt_zip_writer *writer = lt_zip_writer_open(f->path, 0600, &lt_fileops_system, NULL);
	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		struct lt_zip_entry entry = {
			.name = lt_str_from(names[i]),
			.raw_crc = lt_crc32(LT_STR("text")),
			.raw_bytes = 4,
			.packed = LT_STR("text"),
			.time_s = 1700000000,
		};
		assert_true(lt_zip_writer_add(writer, &entry, NULL));
	}
	assert_true(lt_zip_writer_finish(writer, LT_STR("comment"), NULL));
	lt_zip_writer_destroy(writer);
	f->bytes = file_bytes(f->path);
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

static size_t find(const struct fixture *f, const char *signature)
{
	const char *at = memmem(f->bytes.p, f->bytes.n, signature, 4);

	assert_non_null(at);
	return (size_t)(at - f->bytes.p);
}

/* Opening says why not, or opening does and reading "a" says it. */
static void assert_refused(struct fixture *f, const char *reason)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	file_write(f->path, lt_buf_str(&f->bytes));
	struct lt_zip *zip = lt_zip_open(f->path, &f->err);
	if (zip) {
		assert_false(lt_zip_read(zip, 0, &text, &f->err));
	}
	if (!strstr(f->err.msg, reason)) {
		fail_msg("\"%s\" does not say \"%s\"", f->err.msg, reason);
	}
	lt_zip_close(zip);
}

static void names_comment_and_times_are_read(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	struct lt_zip_info info;

	struct lt_zip *zip = lt_zip_open(f->path, NULL);

	assert_int_equal(lt_zip_count(zip), 2);
	assert_str_equal(lt_zip_name(zip, 0), "a");
	assert_str_equal(lt_zip_name(zip, 1), "b");
	assert_str_equal(lt_zip_comment(zip), "comment");
	assert_true(lt_zip_read_packed(zip, 1, &info, &packed, NULL));
	assert_int_equal(info.time_s, 1700000000);
	assert_int_equal(info.raw_bytes, 4);
	assert_str_equal(lt_buf_str(&packed), "text");
	lt_zip_close(zip);
}

/* It is read in parts, and entries lie across their borders. */
static void a_long_directory_is_read_whole(void **state)
{
	struct fixture *f = *state;
	struct lt_zip_writer *writer = lt_zip_writer_open(f->path, 0600, &lt_fileops_system, NULL);
	const int count = 5000;
	char name[LT_FRAME_NAME_MAX];

	for (int i = 0; i < count; i++) {
		lt_frame_name(i, i % 10 == 0, name);
		struct lt_str content = lt_str_from(name);
		struct lt_zip_entry entry = {
			.name = content,
			.raw_crc = lt_crc32(content),
			.raw_bytes = (uint32_t)content.n,
			.packed = content,
			.time_s = 1700000000,
		};
		assert_true(lt_zip_writer_add(writer, &entry, NULL));
	}
	assert_true(lt_zip_writer_finish(writer, LT_STR(""), NULL));
	lt_zip_writer_destroy(writer);

	struct lt_zip *zip = lt_zip_open(f->path, NULL);

	assert_int_equal(lt_zip_count(zip), count);
	for (int i = 0; i < count; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_frame_name(i, i % 10 == 0, name);
		assert_str_equal(lt_zip_name(zip, i), name);
		assert_true(lt_zip_read(zip, i, &text, NULL));
		assert_str_equal(lt_buf_str(&text), name);
	}
	lt_zip_close(zip);
}

static void a_directory_that_is_elsewhere_is_refused(void **state)
{
	struct fixture *f = *state;

	memcpy(f->bytes.p + END(f->bytes) + 16, "\xFF\xFF\xFF\x7F", 4);

	assert_refused(f, "its directory is not where its end says");
}

static void more_entries_than_there_are_are_refused(void **state)
{
	struct fixture *f = *state;

	f->bytes.p[END(f->bytes) + 10] = 3;

	assert_refused(f, "entry 2 of its directory is damaged");
}

static void fewer_entries_than_there_are_are_refused(void **state)
{
	struct fixture *f = *state;

	f->bytes.p[END(f->bytes) + 10] = 1;

	assert_refused(f, "its directory is longer than its end says");
}

static void an_end_that_promises_a_larger_one_without_it_is_refused(void **state)
{
	struct fixture *f = *state;

	memset(f->bytes.p + END(f->bytes) + 10, 0xFF, 10);

	assert_refused(f, "its directory is not where its end says");
}

static void too_many_entries_are_refused(void **state)
{
	struct fixture *f = *state;
	LT_AUTO(lt_buf_finish) struct lt_buf end = { 0 };
	size_t at = END(f->bytes);
	char record[56 + 20] = "PK\6\6";

	/* 2^32 entries in no bytes, in the 64-bit record. */
	record[32 + 4] = 1;
	memcpy(record + 56, "PK\6\7", 4);
	memcpy(record + 56 + 8, &(uint64_t){ at }, 8);
	lt_buf_add(&end, f->bytes.p, at);
	lt_buf_add(&end, record, sizeof(record));
	lt_buf_add(&end, f->bytes.p + at, f->bytes.n - at);
	memset(end.p + end.n - 22 - strlen("comment") + 10, 0xFF, 2);
	lt_buf_clear(&f->bytes);
	lt_buf_add_str(&f->bytes, lt_buf_str(&end));

	assert_refused(f, "over 1000000 entries");
	assert_int_equal(f->err.code, LT_E_LIMIT);
}

static void entries_that_are_encrypted_or_packed_otherwise_are_refused(void **state)
{
	struct fixture *f = *state;
	size_t item = find(f, "PK\1\2");

	f->bytes.p[item + 10] = 12;
	assert_refused(f, "packed in a way that is not supported (12)");
	f->bytes.p[item + 8] |= 1;
	assert_refused(f, "encrypted");
}

static void entries_that_are_elsewhere_are_refused(void **state)
{
	struct fixture *f = *state;
	size_t item = find(f, "PK\1\2");

	f->bytes.p[item + 42] = 1;
	assert_refused(f, "not where the directory says");
	memcpy(f->bytes.p + item + 42, "\0\0\0\x7F", 4);
	assert_refused(f, "it ends too early");
}

static void contents_that_are_not_what_was_packed_are_refused(void **state)
{
	struct fixture *f = *state;
	size_t item = find(f, "PK\1\2");

	f->bytes.p[30 + 1] = 'T';
	assert_refused(f, "its checksum is wrong");
	f->bytes.p[item + 24] = 5;
	assert_refused(f, "its size is not what the archive says");
	memcpy(f->bytes.p + item + 20, "\0\0\0\x7F", 4);
	assert_refused(f, "bytes packed");
}

static void missing_64_bit_numbers_are_refused(void **state)
{
	struct fixture *f = *state;

	memset(f->bytes.p + find(f, "PK\1\2") + 24, 0xFF, 4);

	assert_refused(f, "over 67108864 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_comment_and_times_are_read),
		TEST(a_long_directory_is_read_whole),
		TEST(a_directory_that_is_elsewhere_is_refused),
		TEST(more_entries_than_there_are_are_refused),
		TEST(fewer_entries_than_there_are_are_refused),
		TEST(an_end_that_promises_a_larger_one_without_it_is_refused),
		TEST(too_many_entries_are_refused),
		TEST(entries_that_are_encrypted_or_packed_otherwise_are_refused),
		TEST(entries_that_are_elsewhere_are_refused),
		TEST(contents_that_are_not_what_was_packed_are_refused),
		TEST(missing_64_bit_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
