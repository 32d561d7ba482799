/*
 * What people said to the wildcards of rules, kept in a file for the next run:
 *
 *   {"SOURCE UID": {"service": "rmonitor", "rmonitor --host": "10.0.0.5"}, ...}
 *
 * A place is what was asked for: the service, or an argument of a service,
 * named by the option before it, so that an answer is never taken for another
 * option when rules change. Events stand in the order in which they were last
 * answered.
 */
#ifndef LT_CLI_ASSIST_ANSWERS_H
#define LT_CLI_ASSIST_ANSWERS_H

#include "base/err.h"
#include "base/json.h"
#include "base/service_args.h"

struct lt_answers {
	const char *path; /* borrowed; NULL: nothing is kept */
	cJSON *events;
};

/* A file that does not exist has no answers. Errors: it cannot be read, or is none of ours. */
bool lt_answers_load(struct lt_answers *answers, const char *path, struct lt_err *err);
void lt_answers_finish(struct lt_answers *answers);

#define LT_PLACE_SERVICE "service"
/* Append the place of the i-th argument. */
void lt_answers_place(
		struct lt_buf *buf, const char *service, const struct lt_args *args, size_t i);

/* Borrowed until the next change; NULL: none. */
const char *lt_answers_get(const struct lt_answers *answers, const char *uid, const char *place);
/* What was said last for this place of any event. */
const char *lt_answers_last(const struct lt_answers *answers, const char *place);

/* Remember, and write the file, so that nothing is asked twice whatever happens then. */
bool lt_answers_set(struct lt_answers *answers, const char *uid, const char *place,
		const char *answer, struct lt_err *err);

#endif
