#include "base/crash.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"

#define FRAMES_MAX     64
#define KEPT_MAX       10
#define TEXT_MAX_BYTES ((size_t)64 * 1024)
#define STACK_BYTES    ((size_t)64 * 1024)
#define FILE_NAME      "crash.txt"
#define KEPT_PREFIX    "crash-"

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/* A handler can reach nothing else. Written by install, before it can run. */
static struct {
	bool is_installed;
	bool owns_stack; /* the alternate stack is ours */
	volatile sig_atomic_t is_handling;
	char path[4096];
	char program[64];
	struct sigaction former[LT_ARRAY_LEN(signals)];
} crash;

static char alternate_stack[STACK_BYTES];

/* --- in the handler: async-signal-safe calls alone --- */

static void say(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t written = write(fd, text, n);

		if (written <= 0) {
			return;
		}
		text += written;
		n -= (size_t)written;
	}
}

static void say_number(int fd, uint64_t value, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	say(fd, digits + at);
}

static const char *name_of(int signum)
{
	switch (signum) {
	case SIGSEGV:
		return " SIGSEGV";
	case SIGBUS:
		return " SIGBUS";
	case SIGFPE:
		return " SIGFPE";
	case SIGILL:
		return " SIGILL";
	case SIGABRT:
		return " SIGABRT";
	default:
		return "";
	}
}

static void write_file(int signum, const siginfo_t *info)
{
	void *frames[FRAMES_MAX];
	struct timespec now = { 0 };
	int fd = open(crash.path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0) {
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	say(fd, "program: ");
	say(fd, crash.program);
	say(fd, "\nsignal: ");
	say_number(fd, (uint64_t)signum, 10);
	say(fd, name_of(signum));
	say(fd, info->si_code < 0 ? "\ncode: -" : "\ncode: ");
	say_number(fd, (uint64_t)llabs((long long)info->si_code), 10);
	if (info->si_code > 0) {
		say(fd, "\naddress: 0x");
		say_number(fd, (uint64_t)(uintptr_t)info->si_addr, 16);
	}
	say(fd, "\ntime: ");
	say_number(fd, (uint64_t)now.tv_sec, 10);
	say(fd, "\npid: ");
	say_number(fd, (uint64_t)getpid(), 10);
	say(fd, "\nbacktrace:\n");
	backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), fd);
	close(fd);
}

static void on_fatal(int signum, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	(void)context;
	if (!crash.is_handling) { /* else the handler itself has failed */
		crash.is_handling = 1;
		write_file(signum, info);
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(signals); i++) {
		sigaction(signals[i], &crash.former[i], NULL);
	}
	/*
	 * A fault happens again when the handler returns, in its own place. What was
	 * sent (kill, abort) has to be sent again, to this thread.
	 */
	if (info->si_code <= 0) {
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signum);
	}
	errno = saved_errno;
}

/* --- installing --- */

/* A sanitizer has set up a stack of its own: that one serves as well, and it frees it. */
static bool set_stack(struct lt_err *err)
{
	const stack_t stack = { .ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack) };
	stack_t present;

	if (sigaltstack(NULL, &present) == 0 && !(present.ss_flags & SS_DISABLE)) {
		return true;
	}
	if (sigaltstack(&stack, NULL) != 0) {
		return lt_err_errno(err, "sigaltstack");
	}
	crash.owns_stack = true;
	return true;
}

bool lt_crash_install(const char *dir, const char *program, struct lt_err *err)
{
	LT_AUTO(lt_free) char *path = lt_path_join(dir, FILE_NAME);
	struct sigaction action = { .sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	void *frame[1];

	if (strlen(path) >= sizeof(crash.path)) {
		return lt_err_set(err, LT_E_LIMIT, "the path %.100s... is too long", dir);
	}
	snprintf(crash.path, sizeof(crash.path), "%s", path);
	snprintf(crash.program, sizeof(crash.program), "%s", program);
	if (crash.is_installed) {
		return true;
	}
	backtrace(frame, 1); /* loads the unwinder, with malloc */
	if (!set_stack(err)) {
		return false;
	}
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < LT_ARRAY_LEN(signals); i++) {
		if (sigaction(signals[i], &action, &crash.former[i]) != 0) {
			return lt_err_errno(err, "signal %d", signals[i]);
		}
	}
	crash.is_installed = true;
	return true;
}

void lt_crash_uninstall(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	if (!crash.is_installed) {
		return;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(signals); i++) {
		sigaction(signals[i], &crash.former[i], NULL);
	}
	if (crash.owns_stack) {
		sigaltstack(&none, NULL);
		crash.owns_stack = false;
	}
	crash.is_installed = false;
}

/* --- at the next start --- */

static int is_kept(const struct dirent *entry)
{
	struct lt_str name = lt_str_from(entry->d_name);

	return lt_str_starts(name, LT_STR(KEPT_PREFIX)) && lt_str_ends(name, LT_STR(".txt"));
}

/* Names sort by their time. */
static void remove_old(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_kept, alphasort);

	for (int i = 0; i < n; i++) {
		if (i < n - KEPT_MAX) {
			LT_AUTO(lt_free) char *path = lt_path_join(dir, names[i]->d_name);

			unlink(path);
		}
		free(names[i]); /* from the C library: free, not lt_free */
	}
	if (n >= 0) {
		free(names);
	}
}

static bool read_beginning(const char *path, struct lt_buf *ret_text, struct lt_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = -1;

	if (fd >= 0) {
		lt_buf_reserve(ret_text, TEXT_MAX_BYTES + 1);
		n = read(fd, ret_text->p, TEXT_MAX_BYTES);
		close(fd);
	}
	if (n < 0) {
		return lt_err_errno(err, "%s", path);
	}
	ret_text->n = (size_t)n;
	ret_text->p[n] = '\0';
	return true;
}

bool lt_crash_collect(const char *dir, struct lt_wall now, struct lt_buf *ret_text, char **ret_path,
		struct lt_err *err)
{
	LT_AUTO(lt_free) char *path = lt_path_join(dir, FILE_NAME);
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	LT_AUTO(lt_free) char *kept = NULL;
	char time[LT_WALL_TEXT];

	*err = (struct lt_err){ 0 };
	if (access(path, F_OK) != 0) {
		return false;
	}
	lt_wall_format(now, time);
	lt_buf_printf(&name, KEPT_PREFIX "%s.txt", time);
	kept = lt_path_join(dir, name.p);
	if (!read_beginning(path, ret_text, err)) {
		return false;
	}
	if (rename(path, kept) != 0) {
		return lt_err_errno(err, "%s", path);
	}
	remove_old(dir);
	*ret_path = LT_STEAL(kept);
	return true;
}

struct lt_str lt_crash_field(struct lt_str text, const char *name)
{
	size_t n = strlen(name);

	while (text.p) {
		struct lt_str line = lt_str_split(&text, '\n');

		if (lt_str_eq_c(line, "backtrace:")) {
			break;
		}
		if (line.n > n + 1 && memcmp(line.p, name, n) == 0 && line.p[n] == ':') {
			return lt_str_trim(lt_str_skip(line, n + 1));
		}
	}
	return LT_STR("");
}

struct lt_str lt_crash_backtrace(struct lt_str text)
{
	while (text.p) {
		struct lt_str line = lt_str_split(&text, '\n');

		if (lt_str_eq_c(line, "backtrace:") && text.p) {
			return text;
		}
	}
	return LT_STR("");
}
