/*
 * Private services: keeps who is closed with which code (access_codes.h, in
 * STATE_DIR/private.json), closes their UUIDs in the router (router/guard.h),
 * and lets in who knows the code: sessions by the procedure
 *
 *   livetiming.private.open(uuid, code) -> {"uuid", "manifest"}
 *
 * and HTTP requests by the query "code" or the header X-Access-Code. What that
 * means for clients: docs/private-services.md.
 */
#ifndef LT_SERVICES_DESK_PRIVATE_H
#define LT_SERVICES_DESK_PRIVATE_H

#include <stdbool.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "services/desk/access_codes.h"
#include "services/timing/saver.h"

struct lt_http_req;
struct lt_private;
struct lt_router;

/* Prefix of the procedures: nobody but the daemon registers any. */
#define LT_PRIVATE_PREFIX "livetiming.private."

/* All borrowed; texts are copied. */
struct lt_private_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_router *router;
	const char *state_dir;
	/*
	 * Name of this node among several, which tell each other of what they have
	 * closed, and with which codes, on a topic that is for services alone. NULL:
	 * it is the only one.
	 */
	const char *node;
	/* Another node has closed it, or opened it. NULL: nobody asks. */
	void (*review)(void *arg, struct lt_str uuid);
	const char *codes_file; /* LIVETIMING_PRIVATE_CODES: "NAME CODE" lines; NULL: none */
	/* Manifest of a running service as JSON text; n 0: there is none. */
	struct lt_str (*manifest)(void *arg, struct lt_str uuid);
	void *arg;
};

struct lt_private *lt_private_create(const struct lt_private_env *env);
void lt_private_destroy(struct lt_private *private_); /* stops first; NULL is fine */

/* Read the file (blocking), close what it says, join the realm. A broken file refuses the start:
 * it says what must not be seen. */
bool lt_private_start(struct lt_private *private_, struct lt_err *err);
void lt_private_stop(struct lt_private *private_);

/*
 * A service that is private starts: close it, with the code it had, or else the
 * one that the codes file has for it. Errors: its UUID cannot be closed.
 */
bool lt_private_adopt(struct lt_private *private_, struct lt_str uuid, struct lt_str service_class,
		struct lt_err *err);

/* Close with a new code, which is given back; the waiter is told when it is in the file. */
bool lt_private_close(struct lt_private *private_, struct lt_str uuid,
		char ret_code[LT_ACCESS_CODE_TEXT], struct lt_saver_waiter *waiter,
		struct lt_err *err);
/* Errors: LT_E_INVALID it is not private. */
bool lt_private_open(struct lt_private *private_, struct lt_str uuid,
		struct lt_saver_waiter *waiter, struct lt_err *err);
void lt_private_forget(struct lt_private *private_, const struct lt_saver_waiter *waiter);

bool lt_private_is_closed(const struct lt_private *private_, struct lt_str uuid);
/* May this session know of a closed service (or is it open)? */
bool lt_private_may_see(const struct lt_private *private_, struct lt_str uuid, uint64_t session);

/* UUID with a code, now or once, that a file name begins with ("UUID.zip", "UUID_1.json"); n 0:
 * none. Borrowed from the name. */
struct lt_str lt_private_owner(const struct lt_private *private_, struct lt_str file_name);

/*
 * Does this request have the code? 200, or the status to answer with: 404
 * without a code, 403 with a wrong one, 429 after too many.
 */
int lt_private_gate(struct lt_private *private_, struct lt_str uuid, struct lt_http_req *req);
/* Does the request have a code at all? */
bool lt_private_has_code(const struct lt_http_req *req);

#endif
