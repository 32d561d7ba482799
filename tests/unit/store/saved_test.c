#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "store/saved.h"
#include "support/golden.h"
#include "support/test.h"

struct fixture {
	char dir[64];
	char *path;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	strcpy(f->dir, "/tmp/lt-saved-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = lt_saved_path(f->dir, LT_STR("50f5647d2380309d47a2c040a97181af"), &f->err);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remove(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	lt_free(f->path);
	lt_free(f);
	return 0;
}

static void a_state_is_saved_under_its_uuid_and_read_back(void **state)
{
	static const char text[] = "{\"messages\": [], \"cars\": [[\"7\", 90.0]], \"session\": {}}";
	struct fixture *f = *state;

	assert_true(lt_saved_write(f->path, lt_str_from(text), &f->err));
	cJSON *read = lt_saved_read(f->path, &f->err);

	struct lt_buf printed = { 0 };
	lt_json_print(&printed, read, LT_JSON_SPACED);
	assert_string_equal(printed.p, text);
	assert_non_null(strstr(f->path, "/50f5647d2380309d47a2c040a97181af.json"));
	lt_buf_finish(&printed);
	cJSON_Delete(read);
}

static void saving_again_replaces_the_file(void **state)
{
	struct fixture *f = *state;

	assert_true(lt_saved_write(f->path, LT_STR("a long text that is no state"), &f->err));
	assert_true(lt_saved_write(f->path, LT_STR("{\"cars\":[],\"session\":{}}"), &f->err));

	cJSON *read = lt_saved_read(f->path, &f->err);
	assert_non_null(read);
	cJSON_Delete(read);
}

static void saving_into_a_directory_that_is_not_there_fails(void **state)
{
	struct lt_err err = { .code = LT_E_NONE };
	(void)state;

	assert_false(lt_saved_write("/nonexistent/a.json", LT_STR("{}"), &err));

	assert_non_null(strstr(err.msg, "/nonexistent"));
}

static void broken_state_files_are_refused_with_their_name(void **state)
{
	static const struct {
		const char *content, *error;
	} cases[] = {
		{ "", ".json: " },
		{ "{\"cars\":[", ".json: " },
		{ "[]", ".json: a state is not an object" },
		{ "{\"cars\":[7],\"session\":{}}", ".json: cars[0]: not a list" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		assert_true(lt_saved_write(f->path, lt_str_from(cases[i].content), &f->err));

		assert_null(lt_saved_read(f->path, &f->err));

		assert_int_equal(strncmp(f->err.msg, f->dir, strlen(f->dir)), 0);
		assert_non_null(strstr(f->err.msg, cases[i].error));
	}
}

static void a_missing_state_file_is_not_found(void **state)
{
	struct fixture *f = *state;

	assert_null(lt_saved_read(f->path, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
}

static void uuids_that_are_no_safe_names_have_no_path(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../etc/passwd", "a/b", "a\nb" };
	char *overlong = lt_alloc(400);
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct lt_err err = { .code = LT_E_NONE };

		assert_null(lt_saved_path("/tmp", lt_str_from(bad[i]), &err));
		assert_int_equal(err.code, LT_E_INVALID);
		assert_non_null(strstr(err.msg, "cannot be the name of a state file"));
	}
	memset(overlong, 'a', 400);
	assert_null(lt_saved_path("/tmp", (struct lt_str){ overlong, 400 }, NULL));
	lt_free(overlong);
}

static void the_uuid_of_a_file_is_its_name_without_extension(void **state)
{
	static const char *const cases[][2] = {
		{ "/var/lib/x.y/abc.json", "abc" },
		{ "abc.json", "abc" },
		{ "abc", "abc" },
		{ "dir/a.b.json", "a.b" },
		{ ".hidden", ".hidden" },
		{ "dir/", "" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		char *uuid = lt_saved_uuid(cases[i][0]);

		assert_string_equal(uuid, cases[i][1]);
		lt_free(uuid);
	}
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		OWN(a_state_is_saved_under_its_uuid_and_read_back),
		OWN(saving_again_replaces_the_file),
		cmocka_unit_test(saving_into_a_directory_that_is_not_there_fails),
		OWN(broken_state_files_are_refused_with_their_name),
		OWN(a_missing_state_file_is_not_found),
		cmocka_unit_test(uuids_that_are_no_safe_names_have_no_path),
		cmocka_unit_test(the_uuid_of_a_file_is_its_name_without_extension),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
