/*
 * The procedures under "wamp." that the router answers itself: sessions,
 * subscriptions, registrations, testaments. Permissions were checked before.
 * No procedure returns a secret. Modules in process are part of the router:
 * they are not counted or listed among the sessions and cannot be killed.
 */
#ifndef LT_ROUTER_META_H
#define LT_ROUTER_META_H

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"
#include "router/dealer.h"

struct lt_realm;

/*
 * Answer a call: on success the caller was sent RESULT, or an ERROR of the
 * procedure's own.
 *
 * Errors     LT_E_NOT_FOUND no such procedure, LT_E_INVALID arguments, LT_E_URI
 *            LT_E_DENIED, LT_E_LIMIT
 */
bool lt_meta_call(struct lt_realm *realm, struct lt_member *caller,
		const struct lt_call_request *request, struct lt_err *err);

/* Private to meta*.c: a call being answered. */
struct lt_meta_request {
	struct lt_realm *realm;
	struct lt_member *caller;
	const cJSON *args, *kwargs;           /* NULL: none */
	struct lt_str args_json, kwargs_json; /* the same, as they came */
	struct lt_buf result;                 /* one JSON value; empty: none */
	const char *error, *sentence;         /* URI of an own ERROR, in place of the result */
};
struct lt_meta_procedure {
	const char *name;
	bool (*fn)(struct lt_meta_request *request, struct lt_err *err);
};
/* Each ends with a NULL name. */
extern const struct lt_meta_procedure lt_meta_session_procedures[];
extern const struct lt_meta_procedure lt_meta_pattern_procedures[];

/* The i-th positional argument as an id. Errors: LT_E_INVALID. */
bool lt_meta_arg_id(
		const struct lt_meta_request *request, int i, uint64_t *ret, struct lt_err *err);

#endif
