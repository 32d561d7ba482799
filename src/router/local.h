/*
 * In-process sessions: how the daemon's own modules take part in the realm,
 * with the same broker and dealer, permissions and order of events as a socket
 * session. Arguments are JSON texts: `args` a JSON array ("[]" or empty for
 * none), `kwargs` a JSON object or empty.
 *
 * Nothing is delivered from inside a call: events, invocations and results
 * arrive at the end of the turn of the loop, in order. What a callback gets is
 * borrowed for the call. After lt_local_leave no callback comes any more; a
 * module may leave from inside its own callback.
 */
#ifndef LT_ROUTER_LOCAL_H
#define LT_ROUTER_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct lt_router;
struct lt_local;

enum lt_match { LT_MATCH_EXACT, LT_MATCH_PREFIX, LT_MATCH_WILDCARD };

/* Owned by the caller; lt_local_leave frees. `role` must be one of the configured roles. */
struct lt_local *lt_local_join(struct lt_router *router, struct lt_str realm, const char *authid,
		const char *role, struct lt_err *err);
void lt_local_leave(struct lt_local *local); /* NULL is fine */
uint64_t lt_local_id(const struct lt_local *local);

/* Is this id that of a session in this process, in the same realm? */
bool lt_local_is_in_process(const struct lt_local *local, uint64_t session);

struct lt_event {
	uint64_t subscription, publication;
	struct lt_str topic;
	struct lt_str args, kwargs; /* JSON; empty when the publisher gave none */
	bool retained;
	uint64_t publisher;                             /* 0: not disclosed */
	struct lt_str publisher_authid, publisher_role; /* empty: not disclosed */
};
typedef void (*lt_event_fn)(void *arg, const struct lt_event *event);

/* Id of the subscription; 0: failed. */
uint64_t lt_local_subscribe(struct lt_local *local, struct lt_str topic, enum lt_match match,
		bool get_retained, lt_event_fn fn, void *arg, struct lt_err *err);
/*
 * How long ago, in microseconds, the retained event of a topic was published;
 * false: it has none. Does not encode a lazy one.
 */
bool lt_local_retained_age(const struct lt_local *local, struct lt_str topic, int64_t *ret_us);
bool lt_local_unsubscribe(struct lt_local *local, uint64_t subscription, struct lt_err *err);

/* Fails with LT_E_URI or LT_E_DENIED; there is no acknowledgement to wait for. */
bool lt_local_publish(struct lt_local *local, struct lt_str topic, bool retain, struct lt_str args,
		struct lt_err *err);

/*
 * Publish a retained value that is only encoded when somebody wants it: now if
 * there are subscribers, later when one asks for the retained event, never if
 * nobody does. `encode` appends the args array to buf, at most once; `release`
 * is called exactly once when the value was encoded or replaced. Order and
 * content are those of lt_local_publish at this moment.
 */
typedef void (*lt_encode_fn)(void *arg, struct lt_buf *buf);
bool lt_local_publish_lazy(struct lt_local *local, struct lt_str topic, lt_encode_fn encode,
		void (*release)(void *arg), void *arg, struct lt_err *err);

/*
 * Publish `args`, and keep another value, lazy as above, for late subscribers:
 * differences for those who listen, the whole for those who come. Queued events
 * of the topic are replaced by newer ones like all that are retained.
 */
struct lt_local_kept {
	lt_encode_fn encode;
	void (*release)(void *arg);
	void *arg;
};
bool lt_local_publish_keeping(struct lt_local *local, struct lt_str topic, struct lt_str args,
		const struct lt_local_kept *kept, struct lt_err *err);

/* Forget the retained event of a topic (a service that ended). */
void lt_local_unretain(struct lt_local *local, struct lt_str topic);

struct lt_invocation {
	uint64_t id;
	struct lt_str procedure;
	struct lt_str args, kwargs;
	uint64_t caller;           /* 0: not disclosed */
	struct lt_str caller_role; /* always given to in-process callees */
	/* Who really calls, disclosed or not; for decisions and audit, not to be passed on. */
	struct lt_origin {
		uint64_t session;
		struct lt_str authid, address; /* address: of the peer; "" in process */
		bool in_process;               /* HTTP calls, too, come from a session in process */
	} origin;
};
typedef void (*lt_invocation_fn)(void *arg, const struct lt_invocation *invocation);

/* `force` is the force_reregister of the original's services. Answer every invocation, then or
 * later. */
bool lt_local_register(struct lt_local *local, struct lt_str procedure, bool force,
		lt_invocation_fn fn, void *arg, uint64_t *ret_registration, struct lt_err *err);
bool lt_local_unregister(struct lt_local *local, uint64_t registration, struct lt_err *err);
void lt_local_yield(struct lt_local *local, uint64_t invocation, struct lt_str args);
/* `uri`: "wamp.error.invalid_argument"; text becomes the one positional argument. */
void lt_local_error(struct lt_local *local, uint64_t invocation, const char *uri, const char *text);

struct lt_result {
	bool ok;
	const char *error;          /* URI when not ok */
	struct lt_str args, kwargs; /* of the result, or of the error */
};
typedef void (*lt_result_fn)(void *arg, const struct lt_result *result);

/* fn is called exactly once, unless the session leaves first. timeout_ms 0: none. */
bool lt_local_call(struct lt_local *local, struct lt_str procedure, struct lt_str args,
		uint32_t timeout_ms, lt_result_fn fn, void *arg, struct lt_err *err);

/* As above with keyword arguments; *ret_call (which may be NULL) is for lt_local_cancel. */
struct lt_local_call {
	struct lt_str procedure, args, kwargs;
	uint32_t timeout_ms;
	lt_result_fn fn;
	void *arg;
};
bool lt_local_call_full(struct lt_local *local, const struct lt_local_call *call,
		uint64_t *ret_call, struct lt_err *err);

/* Nobody waits for the result any more: the callee is told, fn is not called. */
void lt_local_cancel(struct lt_local *local, uint64_t call);

/*
 * Told when sessions leave (any kind, by id): how the directory learns at once
 * that a service's session ended.
 */
void lt_local_on_leave(struct lt_local *local, void (*fn)(void *arg, uint64_t session), void *arg);

#endif
