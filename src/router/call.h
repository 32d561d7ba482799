/*
 * The calls of one realm that wait for an answer; internal to the dealer. A
 * call is known by caller and request id, its invocation by callee and
 * invocation id (1, 2, 3 ... per callee).
 */
#ifndef LT_ROUTER_CALL_H
#define LT_ROUTER_CALL_H

#include "router/dealer.h"

struct lt_calls;

struct lt_calls *lt_calls_create(struct lt_core *core);
void lt_calls_destroy(struct lt_calls *calls); /* NULL is fine */

/* Whom to invoke and what to tell. */
struct lt_invoke_target {
	struct lt_member *callee;
	uint64_t registration;
	bool tell_procedure, disclose;
};

/* Sends INVOCATION. Errors: LT_E_LIMIT, LT_E_INVALID the request id is in use. */
bool lt_calls_begin(struct lt_calls *calls, struct lt_member *caller,
		const struct lt_call_request *request, const struct lt_invoke_target *target,
		struct lt_err *err);

/* As the functions of the dealer. */
void lt_calls_cancel(struct lt_calls *calls, struct lt_member *caller, uint64_t request,
		enum lt_cancel_mode mode);
void lt_calls_yield(struct lt_calls *calls, struct lt_member *callee, uint64_t invocation,
		const struct lt_yield_options *options, const struct lt_body *body);
void lt_calls_error(struct lt_calls *calls, struct lt_member *callee,
		const struct lt_callee_error *error);
void lt_calls_leave(struct lt_calls *calls, struct lt_member *member);

#endif
