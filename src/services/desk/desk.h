/*
 * The control desk: what an operator does to a service while it runs, for the
 * control socket and for sessions of the role services (livetiming.desk.ORDER).
 * It finds the service, gives it the order (livetiming.service.desk.UUID, so
 * services in other processes take orders as well), does what concerns the
 * daemon itself (access codes, the end of a recording), and has each order
 * written down (audit.h). Orders and their parameters: docs/control-desk.md.
 */
#ifndef LT_SERVICES_DESK_DESK_H
#define LT_SERVICES_DESK_DESK_H

#include <stdbool.h>

#include "services/desk/audit.h"
#include "services/desk/private.h"

struct lt_desk;
struct lt_router;

#define LT_DESK_PREFIX     "livetiming.desk."
#define LT_DESK_UUID_BYTES 160

/* All borrowed. */
struct lt_desk_env {
	struct lt_loop *loop;
	struct lt_router *router;
	struct lt_audit *audit;
	struct lt_private *private_;
	/* UUID of the service of this name or UUID, wherever it runs. */
	bool (*find)(void *arg, struct lt_str name, char ret_uuid[LT_DESK_UUID_BYTES],
			struct lt_err *err);
	void (*split)(void *arg, struct lt_str uuid);  /* its next state begins a new recording */
	void (*review)(void *arg, struct lt_str uuid); /* it was closed or opened */
	void *arg;
};

struct lt_desk *lt_desk_create(const struct lt_desk_env *env);
void lt_desk_destroy(struct lt_desk *desk); /* stops first; NULL is fine */
bool lt_desk_start(struct lt_desk *desk, struct lt_err *err);
/* Orders under way are not answered any more. */
void lt_desk_stop(struct lt_desk *desk);

/*
 * Carry out an order. params: an object of texts, with "service" but for "log";
 * borrowed. fn is called once, later or at once: result is its own, or NULL with err.
 */
typedef void (*lt_desk_fn)(void *arg, cJSON *result, const struct lt_err *err);
void lt_desk_run(struct lt_desk *desk, const struct lt_audit_who *who, const char *order,
		const cJSON *params, lt_desk_fn fn, void *arg);

#endif
