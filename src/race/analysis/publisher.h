/*
 * Decides what of an analysis is published when. Pure: it is told the time and
 * hands events to a function.
 *
 * A change queues the data of its key. It goes out when more than max(10 s, poll
 * interval) have passed since that key last went out, else it waits and is
 * replaced by newer data. Nothing goes out, and nothing counts as sent, before
 * lt_analysis_publisher_start.
 *
 * Topic: livetiming.analysis/UUID/KEY. Characters that no WAMP topic may have
 * (spaces, '#', control characters, a '.' that would end a topic or meet
 * another) and all beyond ASCII are percent-encoded, '%' as well, so that a car
 * "7 #2" is published as 7%20%232 and does not stay queued for ever as in the
 * original; the payload names the car as it is.
 *
 * Every event is an envelope of class 7. As in the original one that is
 * retained has "date": true and no "retain"; the rest have their date.
 */
#ifndef LT_RACE_ANALYSIS_PUBLISHER_H
#define LT_RACE_ANALYSIS_PUBLISHER_H

#include "race/analysis/analysis.h"

struct lt_analysis_publisher;

/* One event; everything is borrowed for the call. */
struct lt_analysis_event {
	struct lt_str topic;
	bool retain;        /* the WAMP option: all keys but exactly "lap" and "stint" */
	struct lt_str args; /* JSON: [envelope] */
};
typedef void lt_analysis_send_fn(void *arg, const struct lt_analysis_event *event);

/*
 * The analysis is borrowed and must live longer; its change function is taken.
 *
 * poll_interval_s  of the manifest
 */
struct lt_analysis_publisher *lt_analysis_publisher_create(struct lt_analysis *analysis,
		struct lt_str uuid, double poll_interval_s, lt_analysis_send_fn *send, void *arg);
void lt_analysis_publisher_destroy(struct lt_analysis_publisher *publisher);

/* There is somebody to send to: queues all keys of the whole data and sends what is due. */
void lt_analysis_publisher_start(struct lt_analysis_publisher *publisher, struct lt_wall now);
/* There is nobody any more; changes go on being queued. */
void lt_analysis_publisher_stop(struct lt_analysis_publisher *publisher);

/* lt_analysis_update at the time `now`, publishing what it changes. */
bool lt_analysis_publisher_update(struct lt_analysis_publisher *publisher, const cJSON *state,
		const cJSON *new_messages, struct lt_wall now, struct lt_err *err);

/* Send what is due. Returns when to call again; us INT64_MAX: not before the next change. */
struct lt_wall lt_analysis_publisher_tick(
		struct lt_analysis_publisher *publisher, struct lt_wall now);

#endif
