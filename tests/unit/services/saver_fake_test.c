/* Work of the fake loop waits until it is settled: what arrives before is in one queue. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "services/timing/saver.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

static int failures;

static void on_log(void *arg, enum lt_level level, struct lt_str line)
{
	(void)arg;
	(void)line;
	failures += level == LT_ERROR;
}

static void write_text(struct lt_saver *saver, const char *path, const char *content)
{
	struct lt_buf buf = { 0 };

	lt_buf_add_c(&buf, content);
	struct lt_text *text = lt_text_take(&buf);

	lt_saver_write(saver, path, text);
	lt_text_unref(text);
}

static void count(void *arg)
{
	++*(int *)arg;
}

static void the_newest_of_several_contents_is_on_disk_when_flushed(void **state)
{
	(void)state;
	char dir[] = "/tmp/lt-saver-XXXXXX", path[64];
	struct lt_loop *loop = lt_loop_create(NULL);
	struct lt_saver *saver = lt_saver_create(loop, (struct lt_log){ 0 });
	struct lt_buf content = { 0 };
	int flushed = 0;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
	write_text(saver, path, "one");
	write_text(saver, path, "two");
	write_text(saver, path, "three");
	lt_saver_flush(saver, count, &flushed);
	assert_int_equal(flushed, 0);
	assert_true(lt_saver_is_busy(saver, path));
	lt_fake_settle(loop);

	assert_int_equal(flushed, 1);
	assert_true(lt_file_read(path, 100, &content, NULL));
	assert_string_equal(content.p, "three");
	lt_buf_finish(&content);
	unlink(path);
	rmdir(dir);
	lt_saver_destroy(saver);
	lt_loop_destroy(loop);
}

static void what_is_saved_is_for_the_user_of_the_daemon_alone(void **state)
{
	(void)state;
	char dir[] = "/tmp/lt-saver-XXXXXX", path[64];
	struct lt_loop *loop = lt_loop_create(NULL);
	struct lt_saver *saver = lt_saver_create(loop, (struct lt_log){ 0 });
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
	write_text(saver, path, "one");
	lt_fake_settle(loop);

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
	rmdir(dir);
	lt_saver_destroy(saver);
	lt_loop_destroy(loop);
}

static void a_disk_that_refuses_is_reported_once(void **state)
{
	(void)state;
	struct lt_loop *loop = lt_loop_create(NULL);
	struct lt_log_sink *sink = lt_log_sink_fn(LT_DEBUG, on_log, NULL);
	struct lt_saver *saver = lt_saver_create(loop, (struct lt_log){ sink, "test" });

	failures = 0;
	write_text(saver, "/nowhere/at/all", "one");
	lt_fake_settle(loop);
	write_text(saver, "/nowhere/at/all", "two");
	lt_fake_settle(loop);

	assert_int_equal(failures, 1);
	lt_saver_destroy(saver);
	lt_log_sink_destroy(sink);
	lt_loop_destroy(loop);
}

static void what_a_full_disk_refused_is_written_when_it_takes_it(void **state)
{
	(void)state;
	char dir[] = "/tmp/lt-saver-XXXXXX", sub[64], path[80];
	struct lt_loop *loop = lt_loop_create(NULL);
	struct lt_saver *saver = lt_saver_create(loop, (struct lt_log){ 0 });
	struct lt_buf content = { 0 };

	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(path, sizeof(path), "%s/x", sub);
	write_text(saver, path, "one");
	lt_fake_settle(loop);
	write_text(saver, path, "two");
	lt_fake_settle(loop);
	assert_false(lt_saver_is_busy(saver, path));
	assert_int_equal(mkdir(sub, 0700), 0);
	lt_fake_advance(loop, 5000);
	lt_fake_settle(loop);

	assert_true(lt_file_read(path, 100, &content, NULL));
	assert_string_equal(content.p, "two");
	lt_buf_finish(&content);
	unlink(path);
	rmdir(sub);
	rmdir(dir);
	lt_saver_destroy(saver);
	lt_loop_destroy(loop);
}

static void a_flush_tries_once_more_and_does_not_wait_for_a_disk_that_refuses(void **state)
{
	(void)state;
	struct lt_loop *loop = lt_loop_create(NULL);
	struct lt_saver *saver = lt_saver_create(loop, (struct lt_log){ 0 });
	int flushed = 0;

	write_text(saver, "/nowhere/at/all", "one");
	lt_fake_settle(loop);
	lt_saver_flush(saver, count, &flushed);
	assert_int_equal(flushed, 0);
	lt_fake_settle(loop);

	assert_int_equal(flushed, 1);
	lt_saver_destroy(saver);
	lt_loop_destroy(loop);
}

static void a_write_in_flight_outlives_its_saver(void **state)
{
	(void)state;
	struct lt_loop *loop = lt_loop_create(NULL);
	struct lt_saver *saver = lt_saver_create(loop, (struct lt_log){ 0 });

	write_text(saver, "/nowhere/at/all", "one");
	write_text(saver, "/nowhere/at/all", "two");
	lt_saver_destroy(saver);
	lt_fake_settle(loop);

	lt_loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_of_several_contents_is_on_disk_when_flushed),
		cmocka_unit_test(what_is_saved_is_for_the_user_of_the_daemon_alone),
		cmocka_unit_test(a_disk_that_refuses_is_reported_once),
		cmocka_unit_test(what_a_full_disk_refused_is_written_when_it_takes_it),
		cmocka_unit_test(a_flush_tries_once_more_and_does_not_wait_for_a_disk_that_refuses),
		cmocka_unit_test(a_write_in_flight_outlives_its_saver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
