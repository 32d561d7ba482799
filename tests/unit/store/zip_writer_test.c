#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zip.h>

#include "base/alloc.h"
#include "store/frame.h"
#include "store/recording_zip.h"
#include "store/zip_writer.h"
#include "support/test.h"
#include "support/tmpdir.h"

struct fixture {
	char dir[TMPDIR_MAX];
	char path[128];
	struct lt_zip_writer *writer;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	tmpdir_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/a.zip", f->dir);
	f->writer = lt_zip_writer_open(f->path, 0664, &lt_fileops_system, NULL);
	assert_non_null(f->writer);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_zip_writer_destroy(f->writer);
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static void add_stored(struct lt_zip_writer *writer, const char *name, struct lt_str content)
{
	struct lt_zip_entry entry = {
		.name = lt_str_from(name),
		.method = LT_ZIP_STORED,
		.raw_crc = lt_crc32(content),
		.raw_bytes = (uint32_t)content.n,
		.packed = content,
		.time_s = 1700000000,
	};

	assert_true(lt_zip_writer_add(writer, &entry, NULL));
}

static void finish(struct fixture *f)
{
	assert_true(lt_zip_writer_finish(f->writer, LT_STR("a comment"), NULL));
	lt_zip_writer_destroy(f->writer);
	f->writer = NULL;
}

static void assert_entry(const char *path, int64_t index, const char *name, const char *content)
{
	struct lt_zip *zip = lt_zip_open(path, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	assert_non_null(zip);
	assert_str_equal(lt_zip_name(zip, index), name);
	assert_true(lt_zip_read(zip, index, &text, NULL));
	assert_str_equal(lt_buf_str(&text), content);
	lt_zip_close(zip);
}

/* Run a command that finds the archive in $ARCHIVE; skipped when its program is not installed. */
static void assert_accepts(const char *program, const char *command, const char *path)
{
	char line[128];
	int status;

	snprintf(line, sizeof(line), "command -v %s >/dev/null 2>&1", program);
	if (system(line) != 0) {
		print_message("%s is not installed: archive not checked with it\n", program);
		return;
	}
	assert_int_equal(setenv("ARCHIVE", path, 1), 0);
	status = system(command);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void assert_others_accept(const char *path)
{
	assert_accepts("unzip", "unzip -tqq $ARCHIVE >/dev/null", path);
	assert_accepts("python3",
			"python3 -c \"import zipfile,sys,os; "
			"sys.exit(zipfile.ZipFile(os.environ['ARCHIVE']).testzip() is not None)\"",
			path);
}

static void archives_are_read_by_everybody(void **state)
{
	struct fixture *f = *state;
	struct lt_packed packed;
	assert_true(lt_frame_pack(LT_STR("{\"a\": 1}"), &packed, NULL));
	struct lt_zip_entry entry = {
		.name = LT_STR("\xC3\xA9.json"),
		.method = LT_ZIP_DEFLATED,
		.raw_crc = packed.raw_crc,
		.raw_bytes = packed.raw_bytes,
		.packed = lt_buf_str(&packed.bytes),
		.time_s = 1700000000,
	};

	add_stored(f->writer, "plain", LT_STR("text"));
	assert_true(lt_zip_writer_add(f->writer, &entry, NULL));
	finish(f);

	assert_entry(f->path, 0, "plain", "text");
	assert_entry(f->path, 1, "\xC3\xA9.json", "{\"a\": 1}");
	assert_others_accept(f->path);
	lt_buf_finish(&packed.bytes);
}

static void mode_time_and_comment_are_kept(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	zip_stat_t entry;
	int n;
	add_stored(f->writer, "a", LT_STR("text"));
	finish(f);

	zip_t *zip = zip_open(f->path, ZIP_RDONLY, NULL);

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
	assert_non_null(zip);
	assert_int_equal(zip_stat_index(zip, 0, 0, &entry), 0);
	assert_true(labs((long)(entry.mtime - 1700000000)) <= 15 * 3600); /* of the local zone */
	assert_string_equal(zip_get_archive_comment(zip, &n, ZIP_FL_ENC_RAW), "a comment");
	zip_discard(zip);
}

static void an_archive_without_entries_is_valid(void **state)
{
	struct fixture *f = *state;

	finish(f);

	struct lt_zip *zip = lt_zip_open(f->path, NULL);
	assert_non_null(zip);
	assert_int_equal(lt_zip_count(zip), 0);
	lt_zip_close(zip);
}

static void more_entries_than_16_bits_count_are_read_by_everybody(void **state)
{
	struct fixture *f = *state;
	char name[32];

	for (int i = 0; i < 70000; i++) {
		snprintf(name, sizeof(name), "%011d.json", i);
		add_stored(f->writer, name, lt_str_from(name));
	}
	finish(f);

	assert_entry(f->path, 65534, "00000065534.json", "00000065534.json");
	assert_entry(f->path, 69999, "00000069999.json", "00000069999.json");
	assert_others_accept(f->path);
}

/* Large writes, which are of zeros here, leave a hole: the file takes no room. */
static ssize_t write_sparse(void *arg LT_UNUSED, int fd, const void *bytes, size_t n)
{
	if (n < 32u << 20) {
		return write(fd, bytes, n);
	}
	off_t end = lseek(fd, (off_t)n, SEEK_CUR);
	return ftruncate(fd, end) == 0 ? (ssize_t)n : -1;
}

static void archives_over_4_gib_are_read_by_everybody(void **state)
{
	struct fixture *f = *state;
	struct lt_fileops sparse = lt_fileops_system;
	size_t big = 64u << 20;
	const int count = 65;
	sparse.write = write_sparse;
	char *zeros = calloc(big, 1);
	assert_non_null(zeros);
	lt_zip_writer_destroy(f->writer);
	f->writer = lt_zip_writer_open(f->path, 0664, &sparse, NULL);

	add_stored(f->writer, "first", LT_STR("one"));
	struct lt_zip_entry entry = {
		.name = LT_STR("zeros"),
		.raw_crc = lt_crc32((struct lt_str){ zeros, big }),
		.raw_bytes = (uint32_t)big,
		.packed = { zeros, big },
	};
	for (int i = 0; i < count; i++) {
		assert_true(lt_zip_writer_add(f->writer, &entry, NULL));
	}
	add_stored(f->writer, "last", LT_STR("two"));
	finish(f);
	free(zeros);

	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size > INT64_C(4096) << 20);
	assert_entry(f->path, 0, "first", "one");
	assert_entry(f->path, count + 1, "last", "two");
	assert_accepts("python3",
			"python3 -c \"import zipfile,sys,os; z=zipfile.ZipFile(os.environ['ARCHIVE']); "
			"sys.exit(z.read('last') != b'two')\"",
			f->path);
	assert_accepts("unzip", "unzip -p $ARCHIVE last | grep -qx two", f->path);
}

static void an_archive_that_is_not_finished_is_removed(void **state)
{
	struct fixture *f = *state;
	add_stored(f->writer, "a", LT_STR("text"));

	lt_zip_writer_destroy(f->writer);
	f->writer = NULL;

	LT_AUTO(lt_free) char *names = dir_names(f->dir);
	assert_string_equal(names, "");
}

static void a_directory_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;

	assert_null(lt_zip_writer_open(
			in_dir(f->dir, "no/a.zip"), 0664, &lt_fileops_system, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	assert_non_null(strstr(f->err.msg, "cannot create"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(archives_are_read_by_everybody),
		TEST(mode_time_and_comment_are_kept),
		TEST(an_archive_without_entries_is_valid),
		TEST(more_entries_than_16_bits_count_are_read_by_everybody),
		TEST(archives_over_4_gib_are_read_by_everybody),
		TEST(an_archive_that_is_not_finished_is_removed),
		TEST(a_directory_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
