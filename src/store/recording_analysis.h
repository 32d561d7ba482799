/*
 * The analysis of a whole recording, as the file beside it holds it: one JSON
 * object with "state" (the last one), "static", "driver", "messages",
 * "session", "lap", "stint", "car_messages" and "service" (the manifest with
 * "startTime" and "duration" of the frames). Times are those of the frames.
 * Blocking: use it on a worker or in a command.
 *
 * Unlike the original's it depends on nothing but the recording: what a live
 * service has saved under the same UUID is not added.
 */
#ifndef LT_STORE_RECORDING_ANALYSIS_H
#define LT_STORE_RECORDING_ANALYSIS_H

#include "store/recording.h"

/* Told after every frame; false stops the analysis with LT_E_UNAVAILABLE. */
typedef bool lt_recording_progress_fn(void *arg, size_t done, size_t total);

/* Frames whose update was lost (an unknown flag), and why the first of them was. */
struct lt_recording_losses {
	size_t count;
	int64_t first_s;
	struct lt_err first;
};

/*
 * Append the JSON, compact and ASCII, to buf.
 *
 * progress    may be NULL
 * ret_losses  may be NULL; set on success
 * Errors      those of reading a frame
 */
bool lt_recording_analyse(struct lt_recording *recording, lt_recording_progress_fn *progress,
		void *arg, struct lt_buf *buf, struct lt_recording_losses *ret_losses,
		struct lt_err *err);

#endif
