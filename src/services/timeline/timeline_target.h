/*
 * What the address of a timeline document names (docs/live-protocol.md,
 * section 2), and how a request for it is refused.
 */
#ifndef LT_SERVICES_TIMELINE_TIMELINE_TARGET_H
#define LT_SERVICES_TIMELINE_TIMELINE_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "services/timeline/timeline_work.h"

#define LT_TIMELINE_PREFIX "/timeline/"

struct lt_http_req;

/* The name is borrowed from the request. */
struct lt_timeline_target {
	bool is_live;
	struct lt_str name; /* uuid or id */
	int64_t start_s;    /* of the recording, for chunks of live ones; -1: the current one */
	enum lt_timeline_kind kind;
	int64_t time_s;
	bool is_admitted; /* it is private, and the request had the code */
};

/* False: the request was answered with the reason. */
bool lt_timeline_parse_target(struct lt_http_req *req, struct lt_timeline_target *ret);

/* Answer with {"error": sentence, "code": code}; both static. */
void lt_timeline_refuse(
		struct lt_http_req *req, int status, const char *code, const char *sentence);

#endif
