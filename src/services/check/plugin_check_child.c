/* A check in a process of its own, watched from outside. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/check/plugin_check_priv.h"

#define SAMPLE_MS   10
#define SAMPLES_MIN 5 /* asleep at each of so many looks in a row */
#define HUNG_US     (5 * LT_US_PER_S)
#define STEP_US     (300 * LT_US_PER_S)
#define PERTURB     0xa5 /* what freed memory is filled with, so that using it shows */
#define LAST_WORDS  65536u

/* What is seen of the child's thread from outside. */
struct sight {
	uint32_t call; /* of the board, at the last look */
	char state;    /* 'R', 'S', 'D' ... */
	int64_t cpu_us, cpu_at_begin_us;
	struct lt_mono asleep_since; /* in this call, without running in between */
	int asleep_n;
};

/* The i-th word behind the name, which stands in parentheses and may hold anything. */
static struct lt_str word_at(struct lt_str stat, int i)
{
	const char *end = memrchr(stat.p, ')', stat.n);
	struct lt_str word = { NULL, 0 };

	if (end == NULL || end + 2 > stat.p + stat.n) {
		return word;
	}
	stat = lt_str_skip(stat, (size_t)(end - stat.p) + 2);
	for (; i >= 0 && stat.p != NULL; i--) {
		word = lt_str_split(&stat, ' ');
	}
	return i < 0 ? word : (struct lt_str){ NULL, 0 };
}

/* State and processor time of the main thread; false: it is gone. */
static bool look(pid_t pid, struct sight *sight)
{
	char path[64], text[1024];
	uint64_t user = 0, system = 0;
	struct lt_str stat = { text, 0 }, state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	stat.n = fread(text, 1, sizeof(text), file);
	fclose(file);
	state = word_at(stat, 0);
	if (state.n != 1 || !lt_parse_u64(word_at(stat, 11), INT32_MAX, &user, NULL) ||
			!lt_parse_u64(word_at(stat, 12), INT32_MAX, &system, NULL)) {
		return false;
	}
	sight->state = state.p[0];
	sight->cpu_us = (int64_t)(user + system) * LT_US_PER_S / sysconf(_SC_CLK_TCK);
	return true;
}

/* Waiting or computing for too long in one call; NULL: it is fine. */
static const char *judge(struct lt_check_board *board, struct sight *sight, pid_t pid, char *buf,
		size_t buf_size)
{
	int64_t cpu_before_us = sight->cpu_us;
	uint32_t call = atomic_load(&board->call);
	struct lt_mono now = lt_clock_mono();

	if (!look(pid, sight)) {
		return NULL;
	}
	if (call != sight->call || call % 2 == 0) {
		sight->call = call;
		sight->cpu_at_begin_us = sight->cpu_us;
		sight->asleep_n = 0;
		return NULL;
	}
	if (sight->cpu_us - sight->cpu_at_begin_us > HUNG_US) {
		snprintf(buf, buf_size, "computes for more than %d s and does not return",
				(int)(HUNG_US / LT_US_PER_S));
		return buf;
	}
	if (sight->state == 'R' || sight->cpu_us != cpu_before_us) {
		sight->asleep_n = 0;
		return NULL;
	}
	if (sight->asleep_n++ == 0) {
		sight->asleep_since = now;
	}
	/* 'D' is the disk, which may be slow without its fault */
	if (sight->state == 'S' && sight->asleep_n >= SAMPLES_MIN &&
			now.us - sight->asleep_since.us > LT_CHECK_BLOCKED_US) {
		snprintf(buf, buf_size, "it waits in %.*s, for more than 100 ms",
				(int)sizeof(board->what) - 1, board->what);
		lt_check_findings_add(&board->waits, LT_CHECK_FAILED, buf);
	}
	if (now.us - sight->asleep_since.us > HUNG_US) {
		snprintf(buf, buf_size, "waits for something and does not return");
		return buf;
	}
	return NULL;
}

/* --- the child --- */

static void redirect(const struct lt_check *check)
{
	LT_AUTO(lt_free) char *path = lt_check_path(check, "stderr");
	int words = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(words >= 0 ? words : nothing, STDERR_FILENO);
}

LT_NORETURN static void be_child(
		struct lt_check *check, const struct lt_check_step *step, pid_t parent)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(1);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &no_core);
	mallopt(M_PERTURB, PERTURB);
	redirect(check);
	if (step->run != NULL) {
		step->run(check);
	} else {
		lt_check_damaged(check, step->damage);
	}
	check->board->is_done = 1;
	/* Without destructors: threads of a plugin may still run. */
	_exit(0);
}

/* --- its end --- */

/* The line of a sanitizer, or the last that it printed; empty: none. Owned. */
static char *last_words(const struct lt_check *check)
{
	LT_AUTO(lt_free) char *path = lt_check_path(check, "stderr");
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_str rest, last = { NULL, 0 };

	if (!lt_file_read(path, LAST_WORDS, &text, NULL)) {
		return lt_strdup("");
	}
	for (rest = lt_buf_str(&text); rest.p != NULL;) {
		struct lt_str line = lt_str_trim(lt_str_split(&rest, '\n'));
		LT_AUTO(lt_free) char *words = lt_str_dup(line);

		if (strstr(words, "Sanitizer:") != NULL ||
				strstr(words, "runtime error:") != NULL) {
			last = line;
			break;
		}
		last = line.n > 0 ? line : last;
	}
	return lt_str_dup(last);
}

static void tell_death(struct lt_check *check, int status, const char *hung)
{
	struct lt_check_board *board = check->board;
	LT_AUTO(lt_free) char *words = last_words(check);
	bool in_call = atomic_load(&board->call) % 2 == 1;
	char how[160], text[LT_CHECK_TEXT];

	/* it may have written anything anywhere */
	board->what[sizeof(board->what) - 1] = '\0';
	board->doing[sizeof(board->doing) - 1] = '\0';
	if (hung != NULL) {
		snprintf(how, sizeof(how), "it %s", hung);
	} else if (WIFSIGNALED(status)) {
		snprintf(how, sizeof(how), "signal %d (%s)", WTERMSIG(status),
				strsignal(WTERMSIG(status)));
	} else {
		snprintf(how, sizeof(how), "it ended the process (exit status %d)",
				WEXITSTATUS(status));
	}
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%.120s", how,
			board->what[0] == '\0'    ? ""
					: in_call ? " in "
						  : " after ",
			board->what, board->doing[0] ? ", " : "", board->doing,
			words[0] && hung == NULL ? ": " : "", hung == NULL ? words : "");
	lt_check_findings_add(&board->own, LT_CHECK_FAILED, text);
}

static void wait_for_child(struct lt_check *check, pid_t pid)
{
	struct lt_mono begun = lt_clock_mono();
	struct timespec pause = { .tv_nsec = SAMPLE_MS * 1000000L };
	struct sight sight = { 0 };
	char buf[120];
	const char *hung = NULL;
	sigset_t ended;
	int status = 0;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (hung == NULL) {
			hung = judge(check->board, &sight, pid, buf, sizeof(buf));
			if (hung == NULL && lt_clock_mono().us - begun.us > STEP_US) {
				hung = "does not come to an end";
			}
			if (hung != NULL) {
				kill(pid, SIGKILL);
			}
		}
		sigtimedwait(&ended, NULL, &pause);
	}
	if (hung != NULL || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
			!check->board->is_done) {
		tell_death(check, status, hung);
	}
}

bool lt_check_in_child(struct lt_check *check, const struct lt_check_step *step, struct lt_err *err)
{
	pid_t parent = getpid(), pid;
	sigset_t ended, before;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, &before);
	pid = fork();
	if (pid < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return lt_err_errno(err, "no process for the check");
	}
	if (pid == 0) {
		be_child(check, step, parent);
	}
	wait_for_child(check, pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return true;
}
