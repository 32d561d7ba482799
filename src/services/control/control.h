/*
 * Control socket: a unix socket of mode 0600 on which livetimingctl gives
 * orders, in the frames of base/ctl_proto.h. Whoever may open the socket may
 * do everything. A connection has one request at work; its next ones wait
 * unread. Input and output are bounded, and a peer that neither reads nor
 * writes is closed after a while, so no peer can hold the daemon up.
 *
 * What can be asked for is the table in control_verbs.c.
 */
#ifndef LT_SERVICES_CONTROL_CONTROL_H
#define LT_SERVICES_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_control;
struct lt_control_request;
struct lt_control_verb;

/* All borrowed; they outlive the control socket. */
struct lt_control_env {
	struct lt_loop *loop;
	struct lt_log log;
	const char *path;
	const char *version;
	const struct lt_control_verb *verbs; /* ends with a NULL name */
	void *verbs_arg;                     /* handed to the verbs */
};

struct lt_control *lt_control_create(const struct lt_control_env *env);
void lt_control_destroy(struct lt_control *control); /* stops first; NULL is fine */

/*
 * Open the socket, with its folder when that is missing. A socket file that
 * nobody listens on is replaced; one that is in use is LT_E_EXISTS.
 */
bool lt_control_start(struct lt_control *control, struct lt_err *err);

/* Close everything and remove the socket file. Requests at work are forgotten. */
void lt_control_stop(struct lt_control *control);

/* --- for verbs --- */

enum lt_control_type { LT_ARG_TEXT, LT_ARG_BOOL, LT_ARG_TEXTS };

/* An argument of a verb; anything else in "args" is refused. Tables end with a NULL name. */
struct lt_control_arg {
	const char *name;
	enum lt_control_type type;
	bool is_required;
};

struct lt_control_verb {
	const char *name; /* "service.start" */
	const struct lt_control_arg *args;
	/* Arguments are checked. End in exactly one lt_control_ok_take or lt_control_fail. */
	void (*run)(void *arg, struct lt_control_request *request, const cJSON *args);
};

/* The name of the verb, for one that serves several; and who asks: -1 when that is not known. */
const char *lt_control_verb_name(const struct lt_control_request *request);
void lt_control_peer(const struct lt_control_request *request, int64_t *ret_uid, int64_t *ret_pid);

/* Answer, at once or later; both end the request, also when its connection has gone meanwhile. */
void lt_control_ok_take(struct lt_control_request *request, cJSON *result);
void lt_control_fail(struct lt_control_request *request, const struct lt_err *err);

#endif
