/*
 * Checks every frame of a recording or journal: that it can be unpacked, that
 * it is JSON of the right shape, and that it follows from the frame before it.
 * Blocking.
 */
#ifndef LT_STORE_VERIFY_H
#define LT_STORE_VERIFY_H

#include "store/recording_analysis.h"

/* What verifying tells. `where` names the entry ("" for the whole file); both borrowed. */
struct lt_verify_sink {
	void (*problem)(void *arg, const char *where, const char *what);
	/* Worth knowing, and no damage. */
	void (*remark)(void *arg, const char *where, const char *what);
	lt_recording_progress_fn *progress; /* may be NULL */
	void *arg;
};

struct lt_verify_report {
	size_t frames, keys;
	size_t problems;
	size_t unchecked; /* differences behind a broken frame, of which only the first is told */
	int64_t first_s, last_s;
};

/*
 * Journals are told by their content. False only when interrupted
 * (LT_E_UNAVAILABLE): a file that is no recording at all is a problem like
 * others.
 */
bool lt_verify(const char *path, const struct lt_verify_sink *sink,
		struct lt_verify_report *ret_report, struct lt_err *err);

#endif
