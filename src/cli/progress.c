#include "cli/progress.h"

#include <unistd.h>

#define SHOW_AFTER_US (LT_US_PER_S)
#define REDRAW_US     ((int64_t)100 * LT_US_PER_MS)
#define BAR_CELLS     24
#define CLEAR_LINE    "\r\x1b[K"

void lt_cli_progress_init(struct lt_cli_progress *progress, struct lt_cli *cli, const char *what)
{
	static const int numbers[] = { SIGINT, SIGTERM };
	int fd = fileno(cli->err); /* -1: a stream in memory */
	sigset_t signals;

	*progress = (struct lt_cli_progress){
		.err = cli->err,
		.what = what,
		.started = lt_clock_mono(),
		.is_terminal = fd >= 0 && isatty(fd),
	};
	sigemptyset(&signals);
	for (size_t i = 0; i < LT_ARRAY_LEN(numbers); i++) {
		struct sigaction action;

		/* One that is ignored, as in the background of a script, would stop us. */
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
			sigaddset(&signals, numbers[i]);
		}
	}
	sigprocmask(SIG_BLOCK, &signals, &progress->before);
}

void lt_cli_progress_finish(struct lt_cli_progress *progress)
{
	if (progress->is_visible) {
		fputs(CLEAR_LINE, progress->err);
		fflush(progress->err);
	}
	sigprocmask(SIG_SETMASK, &progress->before, NULL);
}

void lt_cli_progress_text(struct lt_buf *buf, const char *what, double part, double elapsed_s)
{
	int filled;

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	filled = (int)(part * BAR_CELLS);
	lt_buf_printf(buf, "%s %3d%% [", what, (int)(part * 100));
	for (int i = 0; i < BAR_CELLS; i++) {
		lt_buf_add_char(buf, i < filled ? '#' : '-');
	}
	lt_buf_add_char(buf, ']');
	if (part > 0) {
		int left_s = (int)LT_MIN(elapsed_s * (1 - part) / part + 0.5, 359999.0);

		lt_buf_printf(buf, "  %d:%02d left", left_s / 60, left_s % 60);
	}
}

static void draw(struct lt_cli_progress *progress, size_t done, size_t total, struct lt_mono now)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	double elapsed_s = (double)(now.us - progress->started.us) / LT_US_PER_S;

	if (total > 0) {
		lt_cli_progress_text(
				&text, progress->what, (double)done / (double)total, elapsed_s);
	} else {
		lt_buf_printf(&text, "%s: %zu", progress->what, done);
	}
	fprintf(progress->err, CLEAR_LINE "%s", text.p);
	fflush(progress->err);
	progress->drawn = now;
	progress->is_visible = true;
}

static bool was_interrupted(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM);
}

bool lt_cli_progress_tick(void *arg, size_t done, size_t total)
{
	struct lt_cli_progress *progress = arg;
	struct lt_mono now = lt_clock_mono();

	if (progress->is_terminal && now.us - progress->started.us >= SHOW_AFTER_US &&
			now.us - progress->drawn.us >= REDRAW_US) {
		draw(progress, done, total, now);
	}
	return !was_interrupted();
}
