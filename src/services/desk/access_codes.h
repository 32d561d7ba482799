/*
 * Access codes of private services: which UUIDs are closed, salted hashes of
 * their codes, and how often wrong ones may be tried. Pure but for random
 * numbers. A record outlives its service, for the recordings.
 *
 *   {"version": 1, "services": {UUID: {"closed": bool, "salt": hex, "hash": hex,
 *                                      "iterations": n, "foreign": bool}}}
 *
 * A record without a hash is closed to everybody. A code that was right once is
 * known again by a keyed digest in memory, so that a viewer who polls costs no
 * derivation, and is never held up by the wrong tries of others.
 */
#ifndef LT_SERVICES_DESK_ACCESS_CODES_H
#define LT_SERVICES_DESK_ACCESS_CODES_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"

struct lt_access_codes;

#define LT_ACCESS_CODE_MIN 8
#define LT_ACCESS_CODE_MAX 200

/* Of the tries that fail, in a minute; more are refused unchecked. */
#define LT_ACCESS_TRIES_ADDRESS 10
#define LT_ACCESS_TRIES_ALL     100

struct lt_access_codes *lt_access_codes_create(struct lt_random *random);
void lt_access_codes_destroy(struct lt_access_codes *codes); /* NULL is fine */

/* Take the place of what is there. Errors: LT_E_FORMAT; nothing has changed then. */
bool lt_access_codes_read(struct lt_access_codes *codes, const cJSON *json, struct lt_err *err);
cJSON *lt_access_codes_file(const struct lt_access_codes *codes); /* owned by the caller */

/*
 * What another node keeps, in the same form: taken over, as foreign, where this
 * node has no code of its own. `changed` is told of each UUID that is closed or
 * open now and was not before. Errors: LT_E_FORMAT; nothing has changed then.
 */
bool lt_access_codes_merge(struct lt_access_codes *codes, const cJSON *json,
		void (*changed)(void *arg, struct lt_str uuid, bool is_closed), void *arg,
		struct lt_err *err);
/* Without what is foreign; owned by the caller. */
cJSON *lt_access_codes_own(const struct lt_access_codes *codes);

/* 8 to 200 printable ASCII characters, no space. */
bool lt_access_code_check(struct lt_str code, struct lt_err *err);
/* "k7q2m-9xw4c-tz3rb-h8n5v": 100 bits. */
#define LT_ACCESS_CODE_TEXT 24
void lt_access_code_make(struct lt_random *random, char ret_code[LT_ACCESS_CODE_TEXT]);

/* Close with this code; code.p NULL: with the one that is there, or none. */
void lt_access_codes_close(struct lt_access_codes *codes, struct lt_str uuid, struct lt_str code);
/* Everybody may see the service; the code stays for the recordings. */
void lt_access_codes_open(struct lt_access_codes *codes, struct lt_str uuid);

bool lt_access_codes_is_known(const struct lt_access_codes *codes, struct lt_str uuid);
bool lt_access_codes_is_closed(const struct lt_access_codes *codes, struct lt_str uuid);
bool lt_access_codes_has_code(const struct lt_access_codes *codes, struct lt_str uuid);
void lt_access_codes_each_closed(const struct lt_access_codes *codes,
		void (*fn)(void *arg, struct lt_str uuid), void *arg);

enum lt_access_answer { LT_ACCESS_RIGHT, LT_ACCESS_WRONG, LT_ACCESS_TOO_MANY };

/* Is this the code of this UUID? Takes the same time for one that is not known. */
enum lt_access_answer lt_access_codes_try(struct lt_access_codes *codes, struct lt_str uuid,
		struct lt_str code, struct lt_str address, struct lt_mono now);

#endif
