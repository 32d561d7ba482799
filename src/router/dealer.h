/*
 * Remote procedure calls of one realm: registrations by pattern, calls and
 * their invocations. Knows members (member.h), not connections. A call ends in
 * exactly one final RESULT or ERROR to its caller, whatever becomes of the
 * callee; what comes later from the callee is dropped.
 *
 * Members that stand for other nodes are callees beside those of this node,
 * under any policy; of a procedure with a single callee that of this node is
 * called where there is one.
 */
#ifndef LT_ROUTER_DEALER_H
#define LT_ROUTER_DEALER_H

#include <stdbool.h>
#include <stdint.h>

#include "router/member.h"
#include "router/meta_event.h"
#include "router/options.h"
#include "router/wamp_msg.h"

struct lt_core;
struct lt_dealer;
struct lt_realm;
struct lt_realm_listener;
struct lt_router_stats;

/* The realm, whose broker is there already, hears of registrations and answers under "wamp.". */
struct lt_dealer *lt_dealer_create(struct lt_core *core, struct lt_realm *realm);
void lt_dealer_destroy(struct lt_dealer *dealer); /* members have left; NULL is fine */

/*
 * Register a procedure. With force_reregister the callees that are there lose
 * it first (told so when they announced registration_revocation).
 *
 * Errors     LT_E_URI, LT_E_DENIED, LT_E_EXISTS taken, LT_E_LIMIT
 */
bool lt_dealer_register(struct lt_dealer *dealer, struct lt_member *callee, struct lt_str procedure,
		const struct lt_register_options *options, uint64_t *ret_registration,
		struct lt_err *err);

/* Running invocations may still be answered. Errors: LT_E_NOT_FOUND. */
bool lt_dealer_unregister(struct lt_dealer *dealer, struct lt_member *callee, uint64_t registration,
		struct lt_err *err);

/*
 * Begin a call. On success the caller will get RESULT or ERROR for `request`;
 * on failure it got nothing. `body` is borrowed.
 *
 * Errors     LT_E_URI, LT_E_DENIED, LT_E_NOT_FOUND no such procedure,
 *            LT_E_LIMIT too many calls, LT_E_INVALID the request id is in use
 */
struct lt_call_request {
	uint64_t request;
	struct lt_str procedure;
	const struct lt_call_options *options;
	const struct lt_body *body;
	const struct lt_identity *on_behalf; /* NULL: the caller calls for itself */
};
bool lt_dealer_call(struct lt_dealer *dealer, struct lt_member *caller,
		const struct lt_call_request *request, struct lt_err *err);

/*
 * A call that another node decided on: of a registration, to a callee of this
 * node. `procedure` is what the caller called, empty for that of the registration.
 *
 * Errors     LT_E_NOT_FOUND, LT_E_INVALID the request id is in use
 */
bool lt_dealer_call_here(struct lt_dealer *dealer, struct lt_member *caller, uint64_t id,
		const struct lt_call_request *request, struct lt_err *err);

/* Take a registration from its callees of this node: another node registered it by force. */
void lt_dealer_revoke(struct lt_dealer *dealer, uint64_t id);

/* Who carries registrations to other nodes (realm_link.h); NULL: nobody. */
void lt_dealer_set_link(struct lt_dealer *dealer, const struct lt_realm_listener *link);
void lt_dealer_each_home(const struct lt_dealer *dealer, lt_pattern_fn fn, void *arg);

/* Cancel a call; unknown or finished ones are ignored. */
void lt_dealer_cancel(struct lt_dealer *dealer, struct lt_member *caller, uint64_t request,
		enum lt_cancel_mode mode);

/* Answers of a callee; for unknown invocations they are dropped. */
void lt_dealer_yield(struct lt_dealer *dealer, struct lt_member *callee, uint64_t invocation,
		const struct lt_yield_options *options, const struct lt_body *body);
struct lt_callee_error {
	uint64_t invocation;
	struct lt_str uri;
	const struct lt_passthru *passthru;
	const struct lt_body *body;
};
void lt_dealer_error(struct lt_dealer *dealer, struct lt_member *callee,
		const struct lt_callee_error *error);

/* For the meta API: one by id, one by pattern, all, the one a call reaches, members of one. */
bool lt_dealer_get(
		const struct lt_dealer *dealer, uint64_t registration, struct lt_pattern_view *ret);
bool lt_dealer_lookup(const struct lt_dealer *dealer, struct lt_str pattern, enum lt_match match,
		struct lt_pattern_view *ret);
void lt_dealer_each(const struct lt_dealer *dealer, lt_pattern_fn fn, void *arg);
bool lt_dealer_match(const struct lt_dealer *dealer, struct lt_str procedure,
		struct lt_pattern_view *ret);
void lt_dealer_each_callee(const struct lt_dealer *dealer, uint64_t id, lt_member_fn fn, void *arg);

/* The member leaves: its callers get ERROR wamp.error.canceled, its calls end. */
void lt_dealer_leave(struct lt_dealer *dealer, struct lt_member *member);

/* Adds registrations. */
void lt_dealer_report(const struct lt_dealer *dealer, struct lt_router_stats *ret_stats);

#endif
