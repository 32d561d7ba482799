#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "support/test.h"

struct fixture {
	char dir[64];
	char *path; /* "<dir>/file" */
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	strcpy(f->dir, "/tmp/lt-fsutil-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = lt_path_join(f->dir, "file");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char *command = NULL;

	assert_true(asprintf(&command, "rm -rf '%s'", f->dir) > 0);
	assert_int_equal(system(command), 0);
	free(command);
	lt_free(f->path);
	lt_free(f);
	return 0;
}

static int count_files(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (readdir(dir)) {
		n++;
	}
	closedir(dir);
	return n - 2; /* "." and ".." */
}

static void a_replaced_file_reads_back_with_its_mode(void **state)
{
	struct fixture *f = *state;
	struct lt_buf content = { 0 };
	struct stat st;

	assert_true(lt_file_replace(f->path, LT_STR("old"), 0644, &f->err));
	assert_true(lt_file_replace(f->path, LT_STR("a\0b"), 0600, &f->err));
	assert_true(lt_file_read(f->path, 100, &content, &f->err));

	assert_int_equal(content.n, 3);
	assert_memory_equal(content.p, "a\0b", 3);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count_files(f->dir), 1);
	lt_buf_finish(&content);
}

static void a_failed_replacement_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_dir_make(f->path, &f->err)); /* a directory cannot be replaced by a file */
	assert_false(lt_file_replace(f->path, LT_STR("new"), 0644, &f->err));

	assert_non_null(strstr(f->err.msg, "cannot replace "));
	assert_int_equal(count_files(f->dir), 1);
}

static void replacing_in_an_absent_directory_says_so(void **state)
{
	struct fixture *f = *state;
	char *path = lt_path_join(f->path, "deeper");

	assert_false(lt_file_replace(path, LT_STR("new"), 0644, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	lt_free(path);
}

static void reading_an_absent_file_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct lt_buf content = { 0 };

	assert_false(lt_file_read(f->path, 100, &content, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
	assert_null(content.p);
}

static void a_file_over_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lt_buf content = { 0 };

	assert_true(lt_file_replace(f->path, LT_STR("12345"), 0644, &f->err));
	assert_true(lt_file_read(f->path, 5, &content, &f->err));
	lt_buf_finish(&content);
	assert_false(lt_file_read(f->path, 4, &content, &f->err));

	assert_int_equal(f->err.code, LT_E_LIMIT);
	assert_non_null(strstr(f->err.msg, "is over 4 bytes"));
}

static void only_regular_files_are_read(void **state)
{
	struct fixture *f = *state;
	struct lt_buf content = { 0 };

	assert_false(lt_file_read(f->dir, 100, &content, &f->err));
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_false(lt_file_read(f->path, 100, &content, &f->err));

	assert_int_equal(f->err.code, LT_E_INVALID);
	assert_non_null(strstr(f->err.msg, "is not a regular file"));
}

static void an_empty_file_reads_as_an_empty_text(void **state)
{
	struct fixture *f = *state;
	struct lt_buf content = { 0 };

	assert_true(lt_file_replace(f->path, LT_STR(""), 0644, &f->err));
	assert_true(lt_file_read(f->path, 0, &content, &f->err));

	assert_int_equal(content.n, 0);
	assert_string_equal(content.p, "");
	lt_buf_finish(&content);
}

static void directories_are_made_with_their_parents(void **state)
{
	struct fixture *f = *state;
	char *path = lt_path_join(f->path, "b//c/");
	struct stat st;

	assert_true(lt_dir_make(path, &f->err));
	assert_true(lt_dir_make(path, &f->err));

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	lt_free(path);
}

static void a_file_in_the_way_of_a_directory_is_an_error(void **state)
{
	struct fixture *f = *state;
	char *path = lt_path_join(f->path, "below");

	assert_true(lt_file_replace(f->path, LT_STR(""), 0644, &f->err));
	assert_false(lt_dir_make(path, &f->err));
	assert_non_null(strstr(f->err.msg, "/file exists and is not a directory"));
	assert_false(lt_dir_make("", &f->err));

	lt_free(path);
}

static void names_that_leave_their_directory_are_not_safe(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		bool is_safe;
	} cases[] = {
		{ "a", 1, true },
		{ "..a", 3, true },
		{ "Le Mans 24 h.zip", 16, true },
		{ "", 0, false },
		{ ".", 1, false },
		{ "..", 2, false },
		{ "a/b", 3, false },
		{ "/", 1, false },
		{ "a\0b", 3, false },
		{ "a\nb", 3, false },
		{ "a\x7f", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_str name = { cases[i].name, cases[i].n };

		assert_int_equal(lt_name_is_safe(name), cases[i].is_safe);
	}
}

static void a_name_longer_than_file_systems_allow_is_not_safe(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(lt_name_is_safe((struct lt_str){ name, 255 }));
	assert_false(lt_name_is_safe((struct lt_str){ name, 256 }));
}

static void assert_join(const char *dir, const char *name, const char *expected)
{
	char *path = lt_path_join(dir, name);

	assert_string_equal(path, expected);
	lt_free(path);
}

static void paths_join_with_one_slash(void **state)
{
	(void)state;
	assert_join("a", "b", "a/b");
	assert_join("a/", "b", "a/b");
	assert_join("/", "b", "/b");
	assert_join("", "b", "b");
	assert_join(NULL, "b", "b");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_replaced_file_reads_back_with_its_mode),
		TEST(a_failed_replacement_leaves_nothing_behind),
		TEST(replacing_in_an_absent_directory_says_so),
		TEST(reading_an_absent_file_is_not_found),
		TEST(a_file_over_the_limit_is_refused),
		TEST(only_regular_files_are_read),
		TEST(an_empty_file_reads_as_an_empty_text),
		TEST(directories_are_made_with_their_parents),
		TEST(a_file_in_the_way_of_a_directory_is_an_error),
		cmocka_unit_test(names_that_leave_their_directory_are_not_safe),
		cmocka_unit_test(a_name_longer_than_file_systems_allow_is_not_safe),
		cmocka_unit_test(paths_join_with_one_slash),
	};

	return cmocka_run_group_tests_name("base/fsutil", tests, NULL, NULL);
}
