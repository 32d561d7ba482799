/*
 * What an operator has laid over a service at the control desk: other texts,
 * visibility, flag, penalties, options of its plugin. Pure: a document that is
 * changed by orders, applied to manifests and states, and kept as JSON beside
 * the state of the service:
 *
 *   {"version": 1, "name": text, "description": text, "attribution": [name, url],
 *    "hidden": bool, "private": bool, "flag": name, "feedFlag": name,
 *    "penalties": {car: {"text": text, "since": unix ms}}, "options": {name: text}}
 *
 * Every member may be missing: nothing is laid over there. In a state penalties
 * are the member "penalties" of "session", in this very form: clients that do
 * not know it pass it over as they do with any other key of a session.
 *
 * Orders have a name and an object of parameters, all texts:
 *
 *   rename name | describe text | attribute text [url] | hide | unhide
 *   flag flag | penalty car text | clearPenalty car | option name value
 *   private | public | clear [what]
 *
 * Texts are UTF-8 of one line, bounded, not blank.
 */
#ifndef LT_SERVICES_DESK_OVERRIDES_H
#define LT_SERVICES_DESK_OVERRIDES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

struct lt_overrides;

struct lt_overrides *lt_overrides_create(void);
void lt_overrides_destroy(struct lt_overrides *overrides); /* NULL is fine */

/* Take the place of what is there. Errors: LT_E_FORMAT; nothing has changed then. */
bool lt_overrides_read(struct lt_overrides *overrides, const cJSON *json, struct lt_err *err);

/* The document, without version; borrowed until the next change. */
const cJSON *lt_overrides_json(const struct lt_overrides *overrides);
bool lt_overrides_is_empty(const struct lt_overrides *overrides);
/* For the file; owned by the caller. */
cJSON *lt_overrides_file(const struct lt_overrides *overrides);

/*
 * Carry out an order. An option is noted, not checked.
 *
 * Errors     LT_E_INVALID a parameter, in words; LT_E_NOT_FOUND no such order, or nothing there
 *            to be cleared; LT_E_LIMIT too many penalties
 */
bool lt_overrides_order(struct lt_overrides *overrides, const char *order, const cJSON *params,
		int64_t now_ms, struct lt_err *err);

/* A text for viewers, as orders want it; `what` begins the error. */
bool lt_overrides_check_text(
		const char *what, struct lt_str text, size_t bytes_max, struct lt_err *err);
#define LT_DESK_TEXT_MAX 500 /* bytes of a message or description */

/* The session ends: flag and penalties belonged to it. */
void lt_overrides_end_session(struct lt_overrides *overrides);

void lt_overrides_on_manifest(const struct lt_overrides *overrides, cJSON *manifest);

/* Lay over a state that comes from the feed, remembering what is under it. */
void lt_overrides_on_state(struct lt_overrides *overrides, cJSON *state);
/* The opposite, for a state that they were laid over; with the overrides as they were then. */
void lt_overrides_off_state(const struct lt_overrides *overrides, cJSON *state);

/* The message of a penalty; owned by the caller. */
cJSON *lt_overrides_penalty_message(struct lt_str car, struct lt_str text, int64_t now_s);

#endif
