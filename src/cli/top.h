/*
 * `livetimingctl top`: what a daemon does, as it does it.
 *
 *   top_model.c   what was asked, and rates between two samples; pure
 *   top_view.c    a sample as lines of text for a screen of a size; pure
 *   top_term.c    the terminal: raw mode, size, keys, and all of it undone
 *   cmd_top.c     the command
 */
#ifndef LT_CLI_TOP_H
#define LT_CLI_TOP_H

#include "base/json.h"
#include "base/str.h"
#include "cli/cmd.h"

/* --- model --- */

/* Answers of the daemon at one moment. Owned members; NULL: not answered. */
struct lt_top_sample {
	cJSON *status, *services, *listed, *recordings, *schedule;
	int64_t at_us; /* monotonic */
	int64_t now_ms;
};
void lt_top_sample_finish(struct lt_top_sample *sample); /* zeroed afterwards */

/*
 * A second: how much a counter of status grew between two samples; path is
 * "router.bytes_sent". 0 without an earlier sample, or when the daemon was
 * started anew meanwhile.
 */
double lt_top_rate(const struct lt_top_sample *before, const struct lt_top_sample *now,
		const char *path);

/* The same for "updates" of one service. */
double lt_top_service_rate(const struct lt_top_sample *before, const struct lt_top_sample *now,
		struct lt_str uuid);

/*
 * Bound in microseconds under which 99 of 100 turns of the loop were, since
 * the sample before; -1: there was no turn, 0: above all bounds.
 */
int64_t lt_top_loop_p99(const struct lt_top_sample *before, const struct lt_top_sample *now);

/* One line of the list of services, own and foreign; borrowed from the sample. */
struct lt_top_service {
	struct lt_str uuid, class_name, name, description, status, reason, flag;
	int64_t age_ms; /* -1: nothing yet */
	int64_t cars;
	bool is_foreign, is_stale, is_failed, is_recorded, is_recording_failing;
};

/* Own ones as the daemon lists them, then the foreign ones; *ret is the caller's. Returns how many.
 */
size_t lt_top_services(const struct lt_top_sample *sample, struct lt_top_service **ret);

/* --- view --- */

struct lt_top_screen {
	size_t width, height; /* height 0: as many lines as there are */
	bool has_colors;      /* and other attributes */
	size_t scroll; /* services that are above the first one shown; corrected when too large */
	const char *notice; /* one line on trouble with the connection; NULL: none */
	const char *keys;   /* the last line; NULL: none */
};

/* Lines that end with LF, none wider than the screen, no more than fit. */
void lt_top_draw(struct lt_buf *buf, const struct lt_top_sample *before,
		const struct lt_top_sample *now, struct lt_top_screen *screen);

/* --- terminal --- */

struct lt_top_term;

enum lt_top_key {
	LT_TOP_TIMEOUT,
	LT_TOP_QUIT, /* q, and what ends a program */
	LT_TOP_UP,
	LT_TOP_DOWN,
	LT_TOP_NOW, /* space: do not wait */
	LT_TOP_RESIZED,
	LT_TOP_OTHER,
};

/* Standard input and output are a terminal that can be drawn on. */
bool lt_top_term_is_there(char *const *environment);

/* Raw mode, alternate screen; signals are taken as keys until destroy undoes it all. */
struct lt_top_term *lt_top_term_create(struct lt_err *err);
void lt_top_term_destroy(struct lt_top_term *term); /* NULL is fine */
void lt_top_term_size(const struct lt_top_term *term, size_t *ret_width, size_t *ret_height);
/* The whole screen anew, in one write. */
void lt_top_term_show(struct lt_top_term *term, struct lt_str lines);
enum lt_top_key lt_top_term_wait(struct lt_top_term *term, int64_t timeout_ms);

#endif
