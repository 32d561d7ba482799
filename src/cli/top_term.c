/*
 * The terminal of `livetimingctl top`: ANSI sequences that every terminal since
 * the VT100 knows, and the alternate screen, so that what was there is there
 * again. Signals are blocked and read from a descriptor: whatever ends the
 * program comes back as a key, and the terminal is restored on the way out.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/top.h"

#define ENTER "\033[?1049h\033[?25l\033[2J" /* alternate screen, no cursor */
#define LEAVE "\033[0m\033[?25h\033[?1049l"

struct lt_top_term {
	struct termios saved;
	sigset_t saved_signals;
	int signals; /* signalfd */
};

bool lt_top_term_is_there(char *const *environment)
{
	for (; *environment; environment++) {
		if (strcmp(*environment, "TERM=dumb") == 0) {
			return false;
		}
	}
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static void write_all(struct lt_str text)
{
	while (text.n > 0) {
		ssize_t n = write(STDOUT_FILENO, text.p, text.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return; /* the terminal is gone: SIGHUP tells */
		}
		text = lt_str_skip(text, (size_t)n);
	}
}

static void enter(struct lt_top_term *term)
{
	struct termios raw = term->saved;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	write_all(LT_STR(ENTER));
}

static void leave(const struct lt_top_term *term)
{
	write_all(LT_STR(LEAVE));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &term->saved);
}

struct lt_top_term *lt_top_term_create(struct lt_err *err)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };
	struct lt_top_term *term = lt_zalloc(sizeof(*term));
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < LT_ARRAY_LEN(wanted); i++) {
		sigaddset(&signals, wanted[i]);
	}
	if (tcgetattr(STDIN_FILENO, &term->saved) != 0) {
		lt_err_errno(err, "terminal");
		lt_free(term);
		return NULL;
	}
	term->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (term->signals < 0) {
		lt_err_errno(err, "signals");
		lt_free(term);
		return NULL;
	}
	sigprocmask(SIG_BLOCK, &signals, &term->saved_signals);
	enter(term);
	return term;
}

void lt_top_term_destroy(struct lt_top_term *term)
{
	if (term) {
		leave(term);
		close(term->signals);
		sigprocmask(SIG_SETMASK, &term->saved_signals, NULL);
		lt_free(term);
	}
}

void lt_top_term_size(const struct lt_top_term *term, size_t *ret_width, size_t *ret_height)
{
	struct winsize size = { 0 };

	(void)term;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
		size.ws_col = 80;
		size.ws_row = 24;
	}
	*ret_width = size.ws_col;
	*ret_height = size.ws_row;
}

void lt_top_term_show(struct lt_top_term *term, struct lt_str lines)
{
	LT_AUTO(lt_buf_finish) struct lt_buf out = { 0 };
	bool is_first = true;

	(void)term;
	lt_buf_add_c(&out, "\033[H");
	while (lines.n > 0) {
		struct lt_str line = lt_str_split(&lines, '\n');

		/* before each but the first: the last line must not scroll the screen */
		lt_buf_add_c(&out, is_first ? "" : "\r\n");
		lt_buf_add_str(&out, line);
		lt_buf_add_c(&out, "\033[K");
		is_first = false;
	}
	lt_buf_add_c(&out, "\033[J");
	write_all(lt_buf_str(&out));
}

/* Ctrl-Z: the shell gets its screen back, and we ours when it lets us go on. */
static void suspend(struct lt_top_term *term)
{
	leave(term);
	raise(SIGSTOP);
	enter(term);
}

static enum lt_top_key read_signal(struct lt_top_term *term)
{
	struct signalfd_siginfo info;

	if (read(term->signals, &info, sizeof(info)) != sizeof(info)) {
		return LT_TOP_OTHER;
	}
	if (info.ssi_signo == SIGTSTP) {
		suspend(term);
		return LT_TOP_RESIZED;
	}
	return info.ssi_signo == SIGWINCH ? LT_TOP_RESIZED : LT_TOP_QUIT;
}

static enum lt_top_key read_key(void)
{
	static const struct {
		const char *bytes;
		enum lt_top_key key;
	} keys[] = {
		{ "q", LT_TOP_QUIT },
		{ "Q", LT_TOP_QUIT },
		{ "k", LT_TOP_UP },
		{ "\033[A", LT_TOP_UP },
		{ "\033OA", LT_TOP_UP },
		{ "j", LT_TOP_DOWN },
		{ "\033[B", LT_TOP_DOWN },
		{ "\033OB", LT_TOP_DOWN },
		{ " ", LT_TOP_NOW },
	};
	char bytes[8];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n <= 0) {
		return LT_TOP_QUIT; /* the terminal is gone */
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(keys); i++) {
		size_t length = strlen(keys[i].bytes);

		if ((size_t)n >= length && memcmp(bytes, keys[i].bytes, length) == 0) {
			return keys[i].key;
		}
	}
	return LT_TOP_OTHER;
}

enum lt_top_key lt_top_term_wait(struct lt_top_term *term, int64_t timeout_ms)
{
	struct pollfd fds[] = { { .fd = term->signals, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	int n = poll(fds, LT_ARRAY_LEN(fds), (int)timeout_ms);

	if (n <= 0) {
		return n == 0 || errno == EINTR ? LT_TOP_TIMEOUT : LT_TOP_QUIT;
	}
	return fds[0].revents ? read_signal(term) : read_key();
}
