#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "store/analysis_saved.h"
#include "support/golden.h"
#include "support/test.h"

struct fixture {
	char dir[64];
	char *path;
	cJSON *col_spec;
	struct lt_err err;
};

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	strcpy(f->dir, "/tmp/lt-analysis-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = lt_analysis_saved_path(f->dir, LT_STR("abc"), &f->err);
	f->col_spec = json_of("[[\"Num\",\"text\"],[\"State\",\"text\"],[\"Last\",\"time\"]]");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	remove(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	lt_free(f->path);
	cJSON_Delete(f->col_spec);
	lt_free(f);
	return 0;
}

static void update(struct lt_analysis *analysis, int64_t time_s, const char *cars)
{
	struct lt_buf text = { 0 };
	cJSON *state;

	lt_buf_printf(&text, "{\"cars\":[%s],\"session\":{\"flagState\":\"green\"}}", cars);
	state = json_of(text.p);
	assert_true(lt_analysis_update(analysis, state, lt_number_from_s(time_s), NULL, NULL));
	cJSON_Delete(state);
	lt_buf_finish(&text);
}

static void an_analysis_goes_on_from_its_file(void **state)
{
	struct fixture *f = *state;
	struct lt_analysis *before = lt_analysis_create(f->col_spec);
	struct lt_buf saved = { 0 }, lap = { 0 };
	update(before, 100, "[\"7\",\"RUN\",[\"\",\"\"]]");
	update(before, 190, "[\"7\",\"RUN\",[90.0,\"\"]]");

	lt_analysis_save(before, &saved);
	assert_true(lt_analysis_saved_write(f->path, lt_buf_str(&saved), &f->err));
	struct lt_analysis *after = lt_analysis_saved_read(f->path, f->col_spec, &f->err);
	assert_non_null(after);
	update(after, 281, "[\"7\",\"RUN\",[91.0,\"\"]]");

	assert_true(lt_analysis_write(after, LT_STR("lap/7"), &lap));
	assert_string_equal(lap.p,
			"{\"7\":[[1,100,1,281,true,-1,90.0,0,91.0,"
			"[[90.0,1],[91.0,1]]],281]}");
	lt_buf_finish(&saved);
	lt_buf_finish(&lap);
	lt_analysis_destroy(before);
	lt_analysis_destroy(after);
}

static void the_file_is_named_after_the_service(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(f->path, "/abc.analysis.json"));
	assert_int_equal(strncmp(f->path, f->dir, strlen(f->dir)), 0);
}

static void a_uuid_that_is_no_file_name_is_refused(void **state)
{
	static const char *const uuids[] = { "", "..", "a/b", "../../etc/x", "a\nb" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(uuids); i++) {
		assert_null(lt_analysis_saved_path(f->dir, lt_str_from(uuids[i]), &f->err));
		assert_int_equal(f->err.code, LT_E_INVALID);
	}
}

static void no_file_is_not_found(void **state)
{
	struct fixture *f = *state;

	assert_null(lt_analysis_saved_read(f->path, f->col_spec, &f->err));

	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
}

static void a_broken_file_is_refused_and_named(void **state)
{
	static const char *const texts[] = { "", "{", "7", "{\"version\":9}", "{\"version\":1}" };
	struct fixture *f = *state;

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		assert_true(lt_analysis_saved_write(f->path, lt_str_from(texts[i]), &f->err));
		assert_null(lt_analysis_saved_read(f->path, f->col_spec, &f->err));
		assert_int_equal(f->err.code, LT_E_FORMAT);
		assert_non_null(strstr(f->err.msg, f->path));
	}
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_false(lt_analysis_saved_write(
			"/nonexistent/abc.analysis.json", LT_STR("{}"), &f->err));
	assert_int_equal(f->err.code, LT_E_NOT_FOUND);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(an_analysis_goes_on_from_its_file),
		WITH_DIR(the_file_is_named_after_the_service),
		WITH_DIR(a_uuid_that_is_no_file_name_is_refused),
		WITH_DIR(no_file_is_not_found),
		WITH_DIR(a_broken_file_is_refused_and_named),
		WITH_DIR(a_directory_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
