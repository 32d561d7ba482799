/*
 * The envelope of every published event, and the names on the wire.
 * {"msgClass": N, "date": milliseconds, "payload": ..., "retain": true?}
 */
#ifndef LT_RACE_ENVELOPE_H
#define LT_RACE_ENVELOPE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/json.h"

enum lt_msg_class {
	LT_MSG_INITIALISE_DIRECTORY = 1,
	LT_MSG_SERVICE_REGISTRATION = 2,
	LT_MSG_SERVICE_DEREGISTRATION = 3,
	LT_MSG_SERVICE_DATA = 4,
	LT_MSG_DIRECTORY_LISTING = 5,
	LT_MSG_SCHEDULE_LISTING = 6,
	LT_MSG_ANALYSIS_DATA = 7,
	LT_MSG_SERVICE_DATA_COMPRESSED = 8,
	LT_MSG_ANALYSIS_DATA_COMPRESSED = 9,
	LT_MSG_RECORDING_LISTING = 10,
};

#define LT_REALM                "timing"
#define LT_TOPIC_CONTROL        "livetiming.control"
#define LT_TOPIC_DIRECTORY      "livetiming.directory"
#define LT_TOPIC_SCHEDULE       "livetiming.scheduler"
#define LT_TOPIC_SERVICE        "livetiming.service."
#define LT_RPC_LIST_SERVICES    "livetiming.directory.listServices"
#define LT_RPC_LIST_SCHEDULE    "livetiming.schedule.list"
#define LT_RPC_IS_ALIVE         "livetiming.service.isAlive."
#define LT_RPC_REQUEST_STATE    "livetiming.service.requestState."
#define LT_RPC_REQUEST_ANALYSIS "livetiming.service.requestAnalysisData."
#define LT_RPC_PUSH             "livetiming.push."

/* A message for a service, however it comes: it is parsed on the loop. */
#define LT_PUSH_BYTES_MAX ((size_t)256 * 1024)

/* Append the args array of an event: one envelope around a payload that is JSON text already. */
void lt_envelope_write(struct lt_buf *buf, enum lt_msg_class msg_class, struct lt_wall date,
		bool retain, struct lt_str payload_json);

/*
 * Read the args array of an event. *ret_payload is borrowed from args. date:
 * whole seconds; missing, 0 and boolean dates are `now` (analysis messages of
 * the original carry a boolean there).
 */
struct lt_envelope {
	enum lt_msg_class msg_class;
	int64_t date_s;
	bool retain;
	const cJSON *payload;
};
bool lt_envelope_read(
		const cJSON *args, struct lt_wall now, struct lt_envelope *ret, struct lt_err *err);

#endif
