#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/client.h"
#include "cli/options.h"
#include "cli/top.h"

#define INTERVAL_MS     1000
#define INTERVAL_MIN_MS 200
#define INTERVAL_MAX_S  3600
#define PATIENCE_S      2 /* keys are not heard meanwhile */
#define KEYS            "q ends   arrows scroll   space asks now"

/* What is on the screen: rates are between the two. */
struct top {
	struct lt_cli *cli;
	struct lt_top_sample before, now;
	struct lt_top_screen screen;
	int64_t interval_ms;
	struct lt_err err; /* of the last question */
};

/* Ask everything. False, with err: the daemon does not answer; what was there stays. */
static bool ask(struct top *top)
{
	struct lt_top_sample sample = { .at_us = lt_clock_mono().us,
		.now_ms = lt_wall_ms(lt_clock_wall()) };

	sample.status = lt_cli_try_take(top->cli, "status", NULL, &top->err);
	if (!sample.status) {
		return false;
	}
	sample.services = lt_cli_ask_quietly_take(top->cli, "service.list", NULL);
	sample.listed = lt_cli_ask_quietly_take(top->cli, "directory.list", NULL);
	sample.recordings = lt_cli_ask_quietly_take(top->cli, "recordings.list", NULL);
	sample.schedule = lt_cli_ask_quietly_take(top->cli, "schedule.list", NULL);
	lt_top_sample_finish(&top->before);
	top->before = top->now;
	top->now = sample;
	return true;
}

/* --- on a terminal --- */

static void show(struct top *top, struct lt_top_term *term)
{
	LT_AUTO(lt_buf_finish) struct lt_buf lines = { 0 };

	lt_top_term_size(term, &top->screen.width, &top->screen.height);
	lt_top_draw(&lines, &top->before, &top->now, &top->screen);
	lt_top_term_show(term, lt_buf_str(&lines));
}

/* Until the next question is due. False: the end was asked for. */
static bool follow_keys(struct top *top, struct lt_top_term *term)
{
	int64_t due_us = lt_clock_mono().us + top->interval_ms * LT_US_PER_MS;

	for (;;) {
		int64_t left_ms = (due_us - lt_clock_mono().us) / LT_US_PER_MS;

		switch (lt_top_term_wait(term, LT_MAX(left_ms, INT64_C(0)))) {
		case LT_TOP_QUIT:
			return false;
		case LT_TOP_TIMEOUT:
		case LT_TOP_NOW:
			return true;
		case LT_TOP_UP:
			top->screen.scroll -= top->screen.scroll > 0;
			break;
		case LT_TOP_DOWN:
			top->screen.scroll++;
			break;
		case LT_TOP_RESIZED:
		case LT_TOP_OTHER:
			break;
		}
		show(top, term);
	}
}

static int run_live(struct top *top)
{
	struct lt_top_term *term = lt_top_term_create(&top->err);

	if (!term) {
		fprintf(top->cli->err, "%s: %s\n", top->cli->program, top->err.msg);
		return LT_EXIT_REFUSED;
	}
	top->screen.keys = KEYS;
	do {
		/* a daemon that is started anew is followed */
		top->screen.notice = ask(top) ? NULL : top->err.msg;
		show(top, term);
	} while (follow_keys(top, term));
	lt_top_term_destroy(term);
	return LT_EXIT_DONE;
}

/* --- one picture --- */

static cJSON *copy(const cJSON *json)
{
	return json ? cJSON_Duplicate(json, true) : cJSON_CreateNull();
}

static void print_sample(const struct top *top)
{
	const struct lt_top_sample *now = &top->now;
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();

	lt_json_set_take(json, "status", copy(now->status));
	lt_json_set_take(json, "services", copy(now->services));
	lt_json_set_take(json, "directory", copy(now->listed));
	lt_json_set_take(json, "recordings", copy(lt_json_get(now->recordings, "inProgress")));
	lt_json_set_take(json, "schedule", copy(now->schedule));
	lt_cli_print_json(top->cli, json);
}

/* Two questions, so that there are rates. */
static int run_once(struct top *top)
{
	LT_AUTO(lt_buf_finish) struct lt_buf lines = { 0 };
	struct timespec pause = { .tv_sec = top->interval_ms / 1000,
		.tv_nsec = top->interval_ms % 1000 * 1000000 };
	bool ok = ask(top);

	if (ok && !top->cli->is_json) {
		nanosleep(&pause, NULL);
		ok = ask(top);
	}
	if (!ok) {
		fprintf(top->cli->err, "%s: %s\n", top->cli->program, top->err.msg);
		return LT_EXIT_CONNECT;
	}
	if (top->cli->is_json) {
		print_sample(top);
		return LT_EXIT_DONE;
	}
	lt_top_draw(&lines, &top->before, &top->now, &top->screen);
	fwrite(lines.p, 1, lines.n, top->cli->out);
	return LT_EXIT_DONE;
}

/* --- the command --- */

static bool parse_interval(struct lt_cli *cli, const char *text, int64_t *ret_ms)
{
	char *end;
	double seconds = text ? strtod(text, &end) : INTERVAL_MS / 1000.0;

	if (text && (end == text || *end || !(seconds > 0 && seconds <= INTERVAL_MAX_S))) {
		lt_cli_usage_error(
				cli, "top: --interval: expected seconds, up to %d", INTERVAL_MAX_S);
		return false;
	}
	*ret_ms = LT_MAX((int64_t)(seconds * 1000), (int64_t)INTERVAL_MIN_MS);
	return true;
}

static bool wants_colors(char *const *environment)
{
	for (; *environment; environment++) {
		if (strncmp(*environment, "NO_COLOR=", strlen("NO_COLOR=")) == 0) {
			return (*environment)[strlen("NO_COLOR=")] == '\0';
		}
	}
	return true;
}

int lt_cmd_top(struct lt_cli *cli, int argc, char **argv)
{
	const char *interval = NULL;
	const struct lt_cli_option options[] = {
		{ "interval", 'i', NULL, &interval },
		{ 0 },
	};
	struct lt_cli_words words = { argc, argv };
	struct top top = { .cli = cli };
	bool is_live = lt_top_term_is_there(cli->environment);
	int status;

	if (!lt_cli_options(cli, lt_cli_find("top", NULL), &words, options, 0, 0) ||
			!parse_interval(cli, interval, &top.interval_ms)) {
		return LT_EXIT_USAGE;
	}
	if (is_live && !cli->is_json) {
		cli->patience_s = PATIENCE_S;
		top.screen.has_colors = wants_colors(cli->environment);
		status = run_live(&top);
	} else {
		status = run_once(&top);
	}
	lt_top_sample_finish(&top.before);
	lt_top_sample_finish(&top.now);
	return status;
}
