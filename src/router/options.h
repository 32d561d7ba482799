/*
 * Options of WAMP messages, read from their JSON object in one pass. Unknown
 * keys are ignored; a known one that is null counts as absent; a known one of
 * the wrong type or with an unknown word makes the whole fail, while the
 * others are still read (PUBLISH must know whether to acknowledge the error).
 * Texts and lists are kept as JSON slices that borrow from the input.
 */
#ifndef LT_ROUTER_OPTIONS_H
#define LT_ROUTER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "router/local.h"

enum lt_invoke {
	LT_INVOKE_SINGLE,
	LT_INVOKE_ROUNDROBIN,
	LT_INVOKE_RANDOM,
	LT_INVOKE_FIRST,
	LT_INVOKE_LAST,
};
extern const char *const lt_invoke_names[]; /* indexed by enum lt_invoke */

enum lt_cancel_mode { LT_CANCEL_KILLNOWAIT, LT_CANCEL_KILL, LT_CANCEL_SKIP };
extern const char *const lt_cancel_mode_names[]; /* indexed by enum lt_cancel_mode */

/* Payload passthru: copied from one message to the next, as JSON strings. */
struct lt_passthru {
	struct lt_str scheme, serializer, cipher, keyid;
};

/* The black and white lists of PUBLISH, in this order in `lists`. */
enum lt_list {
	LT_LIST_EXCLUDE,
	LT_LIST_ELIGIBLE,
	LT_LIST_EXCLUDE_AUTHID,
	LT_LIST_ELIGIBLE_AUTHID,
	LT_LIST_EXCLUDE_AUTHROLE,
	LT_LIST_ELIGIBLE_AUTHROLE,
	LT_LISTS,
};

struct lt_publish_options {
	bool acknowledge, exclude_me, retain, disclose_me;
	struct lt_str lists[LT_LISTS]; /* JSON arrays; p NULL: absent */
	struct lt_passthru passthru;
};
struct lt_subscribe_options {
	int match; /* enum lt_match */
	bool get_retained;
};
struct lt_call_options {
	uint64_t timeout_ms; /* 0: none */
	bool receive_progress, disclose_me;
	struct lt_passthru passthru;
};
struct lt_register_options {
	int match;  /* enum lt_match */
	int invoke; /* enum lt_invoke */
	bool force_reregister, disclose_caller;
};
struct lt_cancel_options {
	int mode; /* enum lt_cancel_mode */
};
struct lt_yield_options { /* and those of ERROR */
	bool progress;
	struct lt_passthru passthru;
};

/* `options` is a validated JSON object. Results carry the defaults also on failure. Errors:
 * LT_E_INVALID. */
bool lt_publish_options_read(
		struct lt_str options, struct lt_publish_options *ret, struct lt_err *err);
bool lt_subscribe_options_read(
		struct lt_str options, struct lt_subscribe_options *ret, struct lt_err *err);
bool lt_call_options_read(struct lt_str options, struct lt_call_options *ret, struct lt_err *err);
bool lt_register_options_read(
		struct lt_str options, struct lt_register_options *ret, struct lt_err *err);
bool lt_cancel_options_read(
		struct lt_str options, struct lt_cancel_options *ret, struct lt_err *err);
bool lt_yield_options_read(struct lt_str options, struct lt_yield_options *ret, struct lt_err *err);

/* Append ,"key":"text" for what is there. */
void lt_passthru_write(const struct lt_passthru *passthru, struct lt_buf *members);

#endif
