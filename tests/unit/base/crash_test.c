#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/crash.h"
#include "support/test.h"
#include "support/tmpdir.h"

/* With a sanitizer faults are its own: it reports them and ends the process, in our tests. */
#if defined(__SANITIZE_ADDRESS__)
#	define IS_SANITIZED true
#else
#	define IS_SANITIZED false
#endif

static const struct lt_wall later = { INT64_C(1778936400) * LT_US_PER_S };

static int setup(void **state)
{
	char *dir = lt_zalloc(TMPDIR_MAX);

	tmpdir_make(dir);
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	tmpdir_remove(*state);
	lt_free(*state);
	return 0;
}

/* Status of a child that has installed the handlers and then does this. */
static int run_child(const char *dir, void (*die)(void))
{
	const struct rlimit no_core = { 0, 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		if (!freopen("/dev/null", "w", stderr)) { /* a sanitizer's report */
			_exit(3);
		}
		for (int i = 1; i < 32; i++) {
			signal(i, SIG_DFL); /* cmocka's handlers */
		}
		if (!lt_crash_install(dir, "livetimingd 9.8", NULL)) {
			_exit(3);
		}
		die();
		_exit(4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void die_of_abort(void)
{
	abort();
}

static void die_of_fault(void)
{
	int *volatile nowhere = (int *)16;

	*nowhere = 1;
}

static void die_of_being_told(void)
{
	kill(getpid(), SIGSEGV);
	for (;;) {
		pause();
	}
}

static int overflow(int depth)
{
	volatile char room[4096];

	room[0] = (char)depth;
	return depth == -1 ? 0 : overflow(depth + 1) + room[0];
}

static void die_of_the_stack(void)
{
	overflow(0);
}

static void expect_field(struct lt_str text, const char *name, const char *value)
{
	assert_str_equal(lt_crash_field(text, name), value);
}

static void expect_end_by(int status, int signum)
{
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signum);
}

/* Asserts that a fault ended the process; false: the file was the sanitizer's to write or not. */
static bool ends_by_fault(const char *dir, void (*die)(void))
{
	int status = run_child(dir, die);

	if (IS_SANITIZED) {
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 1);
		return false;
	}
	expect_end_by(status, SIGSEGV);
	return true;
}

static void an_abort_leaves_a_file_and_ends_by_its_signal(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	expect_end_by(run_child(*state, die_of_abort), SIGABRT);

	text = file_bytes(in_dir(*state, "crash.txt"));
	expect_field(lt_buf_str(&text), "program", "livetimingd 9.8");
	expect_field(lt_buf_str(&text), "signal", "6 SIGABRT");
	assert_true(lt_crash_field(lt_buf_str(&text), "time").n >= 10);
	assert_true(lt_crash_field(lt_buf_str(&text), "pid").n > 0);
	assert_non_null(memchr(lt_crash_backtrace(lt_buf_str(&text)).p, '[', 200));
}

static void a_fault_tells_its_address(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (!ends_by_fault(*state, die_of_fault)) {
		return;
	}
	text = file_bytes(in_dir(*state, "crash.txt"));
	expect_field(lt_buf_str(&text), "signal", "11 SIGSEGV");
	expect_field(lt_buf_str(&text), "address", "0x10");
}

static void a_signal_that_was_sent_is_fatal_as_well(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (!ends_by_fault(*state, die_of_being_told)) {
		return;
	}
	text = file_bytes(in_dir(*state, "crash.txt"));
	expect_field(lt_buf_str(&text), "code", "0");
	expect_field(lt_buf_str(&text), "address", "");
}

static void a_full_stack_can_be_told_of(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (!ends_by_fault(*state, die_of_the_stack)) {
		return;
	}
	text = file_bytes(in_dir(*state, "crash.txt"));
	expect_field(lt_buf_str(&text), "signal", "11 SIGSEGV");
}

static void a_directory_that_is_gone_changes_nothing(void **state)
{
	(void)state;

	expect_end_by(run_child("/nonexistent", die_of_abort), SIGABRT);
}

static void former_handlers_come_back(void **state)
{
	struct sigaction before, after;

	sigaction(SIGABRT, NULL, &before);
	assert_true(lt_crash_install(*state, "x", NULL));
	lt_crash_uninstall();
	lt_crash_uninstall();
	sigaction(SIGABRT, NULL, &after);

	assert_ptr_equal(before.sa_handler, after.sa_handler);
}

/* --- collecting --- */

static void without_a_crash_there_is_nothing_to_collect(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };
	char *path = NULL;

	assert_false(lt_crash_collect(*state, later, &text, &path, &err));
	assert_int_equal(err.code, LT_E_NONE);
	assert_null(path);
}

static void a_crash_is_collected_once_and_kept_under_its_time(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_free) char *path = NULL;
	LT_AUTO(lt_free) char *names = NULL;
	struct lt_err err = { 0 };

	file_write(in_dir(*state, "crash.txt"), LT_STR("signal: 11 SIGSEGV\nbacktrace:\na\nb\n"));
	assert_true(lt_crash_collect(*state, later, &text, &path, &err));

	assert_string_equal(path, in_dir(*state, "crash-2026-05-16T13:00:00.000Z.txt"));
	assert_str_equal(lt_crash_backtrace(lt_buf_str(&text)), "a\nb\n");
	assert_false(lt_crash_collect(*state, later, &text, &path, &err));
	names = dir_names(*state);
	assert_string_equal(names, "crash-2026-05-16T13:00:00.000Z.txt");
}

static void ten_are_kept(void **state)
{
	for (int i = 0; i < 13; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
		LT_AUTO(lt_free) char *path = NULL;
		struct lt_err err = { 0 };

		file_write(in_dir(*state, "crash.txt"), LT_STR("x"));
		assert_true(lt_crash_collect(*state, (struct lt_wall){ later.us + i * LT_US_PER_S },
				&text, &path, &err));
	}
	LT_AUTO(lt_free) char *names = dir_names(*state);

	assert_null(strstr(names, "13:00:02"));
	assert_non_null(strstr(names, "13:00:03"));
	assert_non_null(strstr(names, "13:00:12"));
}

static void texts_that_are_none_have_no_fields(void **state)
{
	static const char *const odd[] = { "", "\n\n", "signal",
		"signal:", "backtrace:\nsignal: 1" };
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(odd); i++) {
		assert_int_equal(lt_crash_field(lt_str_from(odd[i]), "signal").n, 0);
	}
	assert_int_equal(lt_crash_backtrace(LT_STR("backtrace:")).n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_abort_leaves_a_file_and_ends_by_its_signal),
		TEST(a_fault_tells_its_address),
		TEST(a_signal_that_was_sent_is_fatal_as_well),
		TEST(a_full_stack_can_be_told_of),
		TEST(a_directory_that_is_gone_changes_nothing),
		TEST(former_handlers_come_back),
		TEST(without_a_crash_there_is_nothing_to_collect),
		TEST(a_crash_is_collected_once_and_kept_under_its_time),
		TEST(ten_are_kept),
		TEST(texts_that_are_none_have_no_fields),
	};

	return cmocka_run_group_tests_name("base/crash", tests, NULL, NULL);
}
