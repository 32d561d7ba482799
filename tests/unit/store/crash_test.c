/*
 * What is left of a recording when its process is cut off at every single
 * system call, killed at random moments, or told by the disk that it cannot:
 * at most the frame in flight, and never a half file among the recordings.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "store/finalise.h"
#include "store/recorder.h"
#include "store/recording.h"
#include "store/tempdir.h"
#include "support/fault.h"
#include "support/golden.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define T0       INT64_C(1700000000)
#define MANIFEST "{\"uuid\":\"abc\",\"name\":\"Test\"}"
#define FRAMES   25
#define KILLS    60

/* What the child tells, in memory that outlives it. */
struct progress {
	_Atomic size_t acknowledged; /* frames that lt_recorder_add took */
	_Atomic size_t steps;        /* frames, and frames finalised */
	_Atomic bool completed;
};

struct fixture {
	char dir[TMPDIR_MAX];
	char temp[128], kept[128], journal[192];
	struct progress *progress;
	struct lt_err err;
};

static void make_dirs(struct fixture *f)
{
	tmpdir_make(f->dir);
	snprintf(f->temp, sizeof(f->temp), "%s/temp", f->dir);
	snprintf(f->kept, sizeof(f->kept), "%s/kept", f->dir);
	snprintf(f->journal, sizeof(f->journal), "%s/abc" LT_JOURNAL_SUFFIX, f->temp);
	assert_int_equal(mkdir(f->temp, 0755), 0);
	assert_int_equal(mkdir(f->kept, 0755), 0);
	*f->progress = (struct progress){ 0 };
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->progress = mmap(NULL, sizeof(*f->progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(f->progress != MAP_FAILED);
	make_dirs(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->progress, sizeof(*f->progress));
	tmpdir_remove(f->dir);
	lt_free(f);
	return 0;
}

static void fresh_dirs(struct fixture *f)
{
	tmpdir_remove(f->dir);
	make_dirs(f);
}

/* A state whose only cell tells its number. */
static cJSON *numbered(int number)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"cars\":[[\"7\",%d]],\"session\":{},\"messages\":[]}",
			number);
	return json_of(text);
}

static bool add_number(struct lt_recorder *recorder, int number, struct lt_err *err)
{
	cJSON *value = numbered(number);
	bool ok = lt_recorder_add(recorder, T0 + number, value, err);

	cJSON_Delete(value);
	return ok;
}

static bool count_step(void *arg, size_t done LT_UNUSED, size_t all LT_UNUSED)
{
	struct fixture *f = arg;

	atomic_fetch_add(&f->progress->steps, 1);
	return true;
}

static bool finalise(struct fixture *f, const struct lt_fileops *ops)
{
	cJSON *analysis = json_of("{\"service\":{\"uuid\":\"abc\"},\"state\":{}}");
	struct lt_finalise_opts opts = {
		.journal_path = f->journal,
		.directory = f->kept,
		.analysis = analysis,
		.ops = ops,
		.progress = count_step,
		.arg = f,
	};
	bool ok = lt_finalise(&opts, NULL, &f->err);

	cJSON_Delete(analysis);
	return ok;
}

/* The life of a recording, in the child; true when all of it went well. */
static bool live(struct fixture *f, const struct lt_fileops *ops, int frames)
{
	struct lt_recorder *recorder = lt_recorder_begin(f->journal, ops, &f->err);
	cJSON *manifest = json_of(MANIFEST);
	bool ok = recorder && lt_recorder_set_manifest(recorder, manifest, T0, &f->err);

	for (int i = 0; ok && i < frames; i++) {
		ok = add_number(recorder, i, &f->err);
		if (ok) {
			atomic_fetch_add(&f->progress->acknowledged, 1);
			atomic_fetch_add(&f->progress->steps, 1);
		}
	}
	ok = ok && lt_recorder_end(recorder, &f->err);
	lt_recorder_close(recorder);
	cJSON_Delete(manifest);
	ok = ok && finalise(f, ops);
	f->progress->completed = ok;
	return ok;
}

/* --- what has to hold afterwards --- */

/* Every name that is not hidden is a whole file. Returns the frames in abc.zip, 0 without it. */
static size_t check_kept(const struct fixture *f)
{
	LT_AUTO(lt_free) char *names = dir_names(f->kept);
	struct lt_str rest = lt_str_from(names);
	struct lt_err err = { .code = LT_E_NONE };
	size_t count = 0;

	while (rest.p && rest.n > 0) {
		LT_AUTO(lt_free) char *name = lt_str_dup(lt_str_split(&rest, ' '));
		const char *path = in_dir(f->kept, name);

		if (name[0] == '.') {
			continue;
		}
		if (strcmp(name, "abc.json") == 0) {
			cJSON *analysis = lt_json_parse_file(path, 1 << 20, NULL);
			assert_non_null(analysis);
			cJSON_Delete(analysis);
			continue;
		}
		assert_string_equal(name, "abc.zip");
		struct lt_recording *recording = lt_recording_open(path, &err);
		if (!recording) {
			fail_msg("%s", err.msg);
		}
		const int64_t *times = lt_recording_times(recording, &count);
		for (size_t i = 0; i < count; i++) {
			cJSON *value = lt_recording_state_at(recording, times[i], NULL);
			assert_non_null(value);
			const cJSON *car = lt_json_get(value, "cars")->child;
			assert_int_equal(T0 + car->child->next->valueint, times[i]);
			cJSON_Delete(value);
		}
		lt_recording_close(recording);
	}
	return count;
}

static void restart_with(void *arg, const char *journal_path)
{
	struct fixture *f = arg;
	struct lt_err err = { .code = LT_E_NONE };
	struct lt_recorder_report report;
	cJSON *manifest = json_of(MANIFEST);
	struct lt_recorder *recorder;

	assert_string_equal(journal_path, f->journal);
	/* Complete, and perhaps published already: only to be finalised. */
	recorder = lt_finalise_is_published(journal_path, f->kept)
			? NULL
			: lt_recorder_resume(journal_path, NULL, &err);
	if (recorder) {
		lt_recorder_report(recorder, &report);
		size_t acknowledged = f->progress->acknowledged;
		assert_true(report.frames >= acknowledged && report.frames <= acknowledged + 1);
		assert_true(lt_recorder_set_manifest(recorder, manifest, T0, NULL));
		assert_true(add_number(recorder, (int)report.frames, NULL));
		assert_true(lt_recorder_end(recorder, NULL));
		lt_recorder_close(recorder);
	}
	cJSON_Delete(manifest);
	if (!finalise(f, NULL)) {
		fail_msg("%s", f->err.msg);
	}
}

static void no_problem(void *arg LT_UNUSED, const char *sentence)
{
	fail_msg("%s", sentence);
}

/* Start again after the child has ended somewhere. */
static void check_restart(struct fixture *f)
{
	size_t acknowledged = f->progress->acknowledged;
	bool was_there = check_kept(f) > 0;
	size_t kept;

	assert_true(lt_tempdir_scan(f->temp, NULL, restart_with, no_problem, f, NULL));

	kept = check_kept(f);
	LT_AUTO(lt_free) char *temp_names = dir_names(f->temp);
	assert_string_equal(temp_names, "");
	assert_true(kept >= acknowledged);
	assert_true(kept <= acknowledged + 2); /* in flight, and the one of the restart */
	assert_true(!was_there || kept >= acknowledged);
}

static pid_t spawn(struct fixture *f, struct fault *fault, int frames)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(live(f, fault ? &fault->ops : NULL, frames) ? 0 : 9);
	}
	return pid;
}

static void reap(pid_t pid, bool may_be_killed)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
			(may_be_killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

/* --- cut off at every call --- */

static void cut_at_every_call(struct fixture *f, enum fault_kind kind)
{
	size_t call;

	for (call = 1; !f->progress->completed; call++) {
		struct fault fault;

		fresh_dirs(f);
		fault_init(&fault, &lt_fileops_system);
		fault.kind = kind;
		fault.from = call;
		fault.count = 1;
		reap(spawn(f, &fault, FRAMES), false);
		check_restart(f);
	}
	/* Two files, their directories, every frame: that many calls there are at least. */
	assert_true(call > FRAMES + 15);
}

static void a_process_that_ends_before_any_call_loses_nothing_acknowledged(void **state)
{
	cut_at_every_call(*state, FAULT_DIE);
}

static void a_process_that_ends_in_the_middle_of_any_write_loses_that_frame(void **state)
{
	cut_at_every_call(*state, FAULT_DIE_HALF);
}

static void a_process_that_ends_after_any_call_loses_nothing(void **state)
{
	cut_at_every_call(*state, FAULT_DIE_AFTER);
}

static void a_process_killed_at_random_moments_loses_at_most_the_frame_in_flight(void **state)
{
	struct fixture *f = *state;
	struct lt_random *random = lt_random_create(71, NULL);

	for (int i = 0; i < KILLS; i++) {
		fresh_dirs(f);
		size_t target = lt_random_below(random, 1040);
		pid_t pid = spawn(f, NULL, 1000);

		while (f->progress->steps < target && !f->progress->completed) {
			/* Spinning, since waiting would choose the moments. */
		}
		kill(pid, SIGKILL);
		reap(pid, true);
		check_restart(f);
	}
	lt_random_destroy(random);
}

/* --- errors of the disk --- */

static void any_call_that_fails_gives_an_error_and_can_be_repeated(void **state)
{
	static const int codes[] = { ENOSPC, EROFS, EACCES, EIO };
	struct fixture *f = *state;
	bool failed = true;

	for (size_t call = 1; failed; call++) {
		struct fault fault;
		struct lt_err error;

		fresh_dirs(f);
		assert_true(live(f, NULL, 0) == false); /* no frames: the journal stays */
		struct lt_recorder *recorder;
		unlink(f->journal);
		recorder = lt_recorder_begin(f->journal, NULL, NULL);
		cJSON *manifest = json_of(MANIFEST);
		assert_true(lt_recorder_set_manifest(recorder, manifest, T0, NULL));
		cJSON_Delete(manifest);
		for (int i = 0; i < FRAMES; i++) {
			assert_true(add_number(recorder, i, NULL));
		}
		lt_recorder_close(recorder);
		fault_init(&fault, &lt_fileops_system);
		fault.kind = FAULT_FAIL;
		fault.from = call;
		fault.count = 1;
		fault.code = codes[call % LT_ARRAY_LEN(codes)];

		failed = !finalise(f, &fault.ops);
		error = f->err;
		check_kept(f);

		assert_true(!failed || finalise(f, NULL));
		assert_true(!failed || strstr(error.msg, strerror(fault.code)));
		assert_int_equal(check_kept(f), FRAMES);
		LT_AUTO(lt_free) char *kept = dir_names(f->kept);
		LT_AUTO(lt_free) char *temp = dir_names(f->temp);
		assert_string_equal(kept, "abc.json abc.zip");
		assert_string_equal(temp, "");
	}
}

static void recording_resumes_when_there_is_room_again(void **state)
{
	struct fixture *f = *state;
	struct fault fault;
	fault_init(&fault, &lt_fileops_system);
	struct lt_recorder *recorder = lt_recorder_begin(f->journal, &fault.ops, NULL);
	cJSON *manifest = json_of(MANIFEST);
	assert_true(lt_recorder_set_manifest(recorder, manifest, T0, NULL));
	for (int i = 0; i < 3; i++) {
		assert_true(add_number(recorder, i, NULL));
	}

	/* Full, and the part that was written cannot even be taken back. */
	fault.kind = FAULT_FAIL;
	fault.code = ENOSPC;
	fault.from = fault.calls + 1;
	fault.count = 6;
	for (int i = 3; i < 5; i++) {
		assert_false(add_number(recorder, i, &f->err));
		assert_int_equal(f->err.code, LT_E_IO);
		assert_non_null(strstr(f->err.msg, "No space left on device"));
	}
	fault.kind = FAULT_NONE;
	for (int i = 5; i < 14; i++) {
		assert_true(add_number(recorder, i, NULL));
	}

	assert_true(lt_recorder_end(recorder, NULL));
	lt_recorder_close(recorder);
	cJSON_Delete(manifest);
	assert_true(finalise(f, NULL));
	assert_int_equal(check_kept(f), 12);
}

static void a_read_only_directory_is_told_and_the_journal_stays(void **state)
{
	struct fixture *f = *state;
	struct fault fault;
	struct lt_recorder *recorder = lt_recorder_begin(f->journal, NULL, NULL);
	cJSON *manifest = json_of(MANIFEST);
	assert_true(lt_recorder_set_manifest(recorder, manifest, T0, NULL));
	assert_true(add_number(recorder, 0, NULL));
	lt_recorder_close(recorder);
	cJSON_Delete(manifest);
	fault_init(&fault, &lt_fileops_system);
	fault.kind = FAULT_FAIL;
	fault.code = EACCES;
	fault.from = 2; /* the first opens the journal */
	fault.count = 1000;

	assert_false(finalise(f, &fault.ops));

	assert_int_equal(f->err.code, LT_E_DENIED);
	assert_non_null(strstr(f->err.msg, "cannot create"));
	assert_non_null(strstr(f->err.msg, "Permission denied"));
	assert_true(finalise(f, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_that_ends_before_any_call_loses_nothing_acknowledged),
		TEST(a_process_that_ends_in_the_middle_of_any_write_loses_that_frame),
		TEST(a_process_that_ends_after_any_call_loses_nothing),
		TEST(a_process_killed_at_random_moments_loses_at_most_the_frame_in_flight),
		TEST(any_call_that_fails_gives_an_error_and_can_be_repeated),
		TEST(recording_resumes_when_there_is_room_again),
		TEST(a_read_only_directory_is_told_and_the_journal_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
