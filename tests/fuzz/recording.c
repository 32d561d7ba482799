/*
 * A recording or a journal with any bytes: it is opened, every frame of it is
 * read, it is verified and salvaged. What verifying finds no fault with can be
 * read, and what was salvaged is whole.
 */
#include "store/recording.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/salvage.h"
#include "store/verify.h"

#define FRAMES_MAX 200 /* a small file can name many times; read so many */

static void count_problem(void *arg, const char *where, const char *what)
{
	(void)where;
	assert(what[0] != '\0');
	++*(size_t *)arg;
}

static void ignore(void *arg, const char *where, const char *what)
{
	(void)arg;
	(void)where;
	(void)what;
}

/* Can every frame be read? */
static bool read_all(const char *path)
{
	struct lt_err err = { 0 };
	struct lt_recording *recording = lt_recording_open(path, &err);
	size_t n = 0;
	bool ok = recording;

	if (recording) {
		const int64_t *times = lt_recording_times(recording, &n);

		assert(n > 0 && times[0] == lt_recording_first(recording));
		assert(lt_recording_manifest(recording));
		for (size_t i = 0; i < n && i < FRAMES_MAX; i++) {
			assert(i == 0 || times[i - 1] < times[i]);
			ok = lt_recording_frame(recording, i, &err) && ok;
		}
		cJSON_Delete(lt_recording_state_at(recording, times[n / 2], &err));
	}
	lt_recording_close(recording);
	return ok;
}

static void check(const char *path)
{
	size_t problems = 0;
	struct lt_verify_report report = { 0 };
	struct lt_err err = { 0 };
	bool is_read = read_all(path);
	const struct lt_verify_sink sink = {
		.problem = count_problem, .remark = ignore, .arg = &problems
	};

	assert(lt_verify(path, &sink, &report, &err));
	assert(problems == 0 || report.problems > 0);
	assert(problems > 0 || is_read || lt_is_journal(path));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char path[64], saved[64];
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct lt_salvage_report report = { 0 };
	struct lt_err err = { 0 };
	size_t lost = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(saved, sizeof(saved), "/tmp/lt-fuzz-recording-%d.zip", (int)getpid());
	assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	check(path);
	if (lt_salvage(&(struct lt_salvage_opts){ .in_path = path,
				       .out_path = saved,
				       .replace = true,
				       .lost = count_problem,
				       .arg = &lost },
			    &report, &err)) {
		assert(report.kept > 0 && read_all(saved));
	} else {
		assert(err.code != LT_E_NONE);
	}
	unlink(saved);
	close(fd);
	return 0;
}
