/*
 * What the recorder tells of a service to those who show its past: where the
 * recording in progress is, and which were finished. The daemon hands the
 * question on, so neither side includes the other.
 */
#ifndef LT_SERVICES_DVR_LIVE_RECORDING_H
#define LT_SERVICES_DVR_LIVE_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LT_LIVE_FINISHED_MAX 16 /* that are remembered of a service */

struct lt_live_finished {
	char id[160]; /* file name without ".zip" */
	int64_t start_s, end_s;
	bool is_public; /* others are shown with the code alone */
};

/* Borrowed until the next turn of the loop. */
struct lt_live_recording {
	const char *journal; /* NULL: nothing is being recorded, or no state has come */
	int64_t start_s;     /* of its first frame */
	bool do_not_record;
	const struct lt_live_finished *finished; /* newest first */
	size_t finished_count;
};

/* False: the service is not known, or nothing is recorded at all. */
typedef bool lt_live_recording_fn(void *arg, struct lt_str uuid, struct lt_live_recording *ret);

#endif
