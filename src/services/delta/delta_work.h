/*
 * The worker's side of the delta stream (deltas.h): from the state of a service
 * to the texts that go out. Nothing here touches the loop; one thread at a time.
 */
#ifndef LT_SERVICES_DELTA_DELTA_WORK_H
#define LT_SERVICES_DELTA_DELTA_WORK_H

#include "base/json.h"

/* A state that waits for its turn. */
struct lt_delta_input {
	struct lt_buf text;
	bool is_event;   /* args of an event; else the JSON of a state */
	int64_t date_ms; /* when the event has none */
	struct lt_delta_input *prev, *next;
};
void lt_delta_input_free(struct lt_delta_input *input);

struct lt_delta_work {
	/* Between states. */
	char epoch[40];
	uint64_t seq; /* of the last state; 0: none yet */
	cJSON *shown; /* owned; NULL: none yet */

	/* Of this one; owned. */
	struct lt_delta_input *input;
	struct lt_buf event, keyframe; /* args; event empty: the state cannot be used, see err */
	bool is_difference;
	struct lt_err err;
};

/* Takes work->input, and leaves its results. */
void lt_delta_work_run(struct lt_delta_work *work);
void lt_delta_work_finish(struct lt_delta_work *work);

#endif
