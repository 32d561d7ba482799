/* Registrations, and choosing who is called; what happens to a call is in call.c. */
#include "router/dealer.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "router/authz.h"
#include "router/call.h"
#include "router/core.h"
#include "router/guard.h"
#include "router/match.h"
#include "router/meta.h"
#include "router/realm.h"
#include "router/realm_link.h"
#include "router/wamp_uri.h"

struct registration {
	UT_hash_handle hh;
	uint64_t id;
	struct lt_str pattern; /* owned */
	enum lt_match match;
	enum lt_invoke invoke;
	struct lt_wall created;
	struct lt_callee *callees; /* in order of registration */
	size_t count, home;        /* all, those of this node */
	size_t next;               /* of round robin */
};

/* Membership of one member in one registration. */
struct lt_callee {
	UT_hash_handle hh;
	struct {
		struct lt_member *member;
		uint64_t registration;
	} key;
	struct registration *registration;
	bool disclose_caller;
	struct lt_callee *prev, *next;               /* of the registration */
	struct lt_callee *member_prev, *member_next; /* of the member */
};

struct lt_dealer {
	struct lt_core *core;
	struct lt_realm *realm;
	struct lt_match_index *index;
	struct registration *registrations; /* by id */
	struct lt_callee *callees;          /* by member and registration */
	struct lt_calls *calls;
	uint64_t last_id;
	const struct lt_realm_listener *link; /* to other nodes; NULL: there are none */
};

struct lt_dealer *lt_dealer_create(struct lt_core *core, struct lt_realm *realm)
{
	struct lt_dealer *dealer = lt_zalloc(sizeof(*dealer));

	dealer->core = core;
	dealer->realm = realm;
	dealer->index = lt_match_create();
	dealer->calls = lt_calls_create(core);
	return dealer;
}

void lt_dealer_destroy(struct lt_dealer *dealer)
{
	if (dealer) {
		lt_match_destroy(dealer->index);
		lt_calls_destroy(dealer->calls);
		lt_free(dealer);
	}
}

static struct lt_callee *find_callee(
		struct lt_dealer *dealer, struct lt_member *member, uint64_t registration)
{
	struct lt_callee probe, *found = NULL;

	memset(&probe.key, 0, sizeof(probe.key));
	probe.key.member = member;
	probe.key.registration = registration;
	HASH_FIND(hh, dealer->callees, &probe.key, sizeof(probe.key), found);
	return found;
}

static void insert_callee(struct lt_dealer *dealer, struct lt_callee *callee)
{
	HASH_ADD(hh, dealer->callees, key, sizeof(callee->key), callee);
}

static void remove_callee(struct lt_dealer *dealer, struct lt_callee *callee)
{
	HASH_DEL(dealer->callees, callee);
}

static struct registration *find_registration(const struct lt_dealer *dealer, uint64_t id)
{
	struct registration *found = NULL;

	HASH_FIND(hh, dealer->registrations, &id, sizeof(id), found);
	return found;
}

static void insert_registration(struct lt_dealer *dealer, struct registration *registration)
{
	HASH_ADD(hh, dealer->registrations, id, sizeof(registration->id), registration);
}

static void remove_registration(struct lt_dealer *dealer, struct registration *registration)
{
	HASH_DEL(dealer->registrations, registration);
}

static struct lt_pattern_view view_of(const struct registration *registration)
{
	return (struct lt_pattern_view){ .id = registration->id,
		.uri = registration->pattern,
		.match = registration->match,
		.invoke = lt_invoke_names[registration->invoke],
		.created = registration->created,
		.count = registration->count };
}

static void tell(struct lt_dealer *dealer, const struct registration *registration,
		const struct lt_member *member, enum lt_meta_news news)
{
	const struct lt_pattern_view view = view_of(registration);

	lt_meta_emit(dealer->realm->broker, member, &view, news);
}

static struct registration *registration_create(struct lt_dealer *dealer, struct lt_str pattern,
		const struct lt_register_options *options)
{
	struct registration *registration = lt_zalloc(sizeof(*registration));

	registration->id = ++dealer->last_id;
	registration->pattern = (struct lt_str){ lt_str_dup(pattern), pattern.n };
	registration->match = (enum lt_match)options->match;
	registration->invoke = (enum lt_invoke)options->invoke;
	registration->created = lt_loop_wall(dealer->core->loop);
	lt_match_set(dealer->index, registration->pattern, registration->match, registration);
	insert_registration(dealer, registration);
	return registration;
}

static void registration_destroy(struct lt_dealer *dealer, struct registration *registration)
{
	lt_match_remove(dealer->index, registration->pattern, registration->match);
	remove_registration(dealer, registration);
	lt_free((void *)(uintptr_t)registration->pattern.p);
	lt_free(registration);
}

/* Callees of this node are told to others as one: the first and the last of them count. */
static void count_home(struct lt_dealer *dealer, struct registration *registration,
		const struct lt_member *member, bool is_new)
{
	const struct lt_realm_listener *link = dealer->link;

	if (member->node) {
		return;
	}
	registration->home += is_new ? 1 : (size_t)-1;
	if (link && is_new && registration->home == 1) {
		const struct lt_pattern_view view = view_of(registration);

		link->registered(link->arg, &view);
	} else if (link && registration->home == 0) {
		link->unregistered(link->arg, registration->id);
	}
}

static void attach(struct lt_dealer *dealer, struct registration *registration,
		struct lt_member *member, bool disclose_caller)
{
	struct lt_callee *callee = lt_zalloc(sizeof(*callee));

	callee->key.member = member;
	callee->key.registration = registration->id;
	callee->registration = registration;
	callee->disclose_caller = disclose_caller;
	insert_callee(dealer, callee);
	DL_APPEND(registration->callees, callee);
	registration->count++;
	DL_APPEND2(member->registrations, callee, member_prev, member_next);
	member->registration_count++;
	count_home(dealer, registration, member, true);
}

static void detach(struct lt_dealer *dealer, struct lt_callee *callee)
{
	struct registration *registration = callee->registration;
	struct lt_member *member = callee->key.member;

	remove_callee(dealer, callee);
	DL_DELETE(registration->callees, callee);
	registration->count--;
	DL_DELETE2(member->registrations, callee, member_prev, member_next);
	member->registration_count--;
	lt_free(callee);
	count_home(dealer, registration, member, false);
	tell(dealer, registration, member, LT_META_REMOVED);
	if (registration->count == 0) {
		tell(dealer, registration, member, LT_META_DELETED);
		registration_destroy(dealer, registration);
	}
}

/* UNREGISTERED of the router's own accord, to those who announced that they know it. */
static void send_revocation(struct lt_member *member, uint64_t registration)
{
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };

	if (member->ops->revoked) {
		member->ops->revoked(member, registration);
		return;
	}
	if (!(member->features & LT_FEATURE_REVOCATION)) {
		return;
	}
	lt_buf_printf(&details, "{\"registration\":%" PRIu64 ",\"reason\":\"%s\"}", registration,
			"wamp.registration.replaced");

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_UNREGISTERED), lt_field_int(0),
		lt_field_json(lt_buf_str(&details)) };
	struct lt_payload *payload =
			lt_msg_encode(member->serializer, fields, LT_ARRAY_LEN(fields), NULL);

	member->ops->send(member, payload, 0);
	lt_payload_unref(payload);
}

/* Takes the registration from those of this node alone, or from all. */
static void revoke(struct lt_dealer *dealer, struct registration *registration, bool only_home)
{
	size_t left = only_home ? registration->home : registration->count;
	struct lt_callee *callee = registration->callees, *next;

	/* the last one takes the registration with it */
	for (; left > 0; callee = next) {
		next = callee->next;
		if (!only_home || !callee->key.member->node) {
			send_revocation(callee->key.member, registration->id);
			detach(dealer, callee);
			left--;
		}
	}
}

static bool check_register(struct lt_dealer *dealer, const struct lt_member *member,
		struct lt_str procedure, enum lt_match match, struct lt_err *err)
{
	if (!lt_core_check_uri(dealer->core, member, procedure, match, err)) {
		return false;
	}
	if (lt_uri_is_reserved(procedure)) {
		return lt_err_set(err, LT_E_DENIED, "procedures under wamp. are the router's own");
	}
	/* nodes let register whom they let */
	if (!member->node && !lt_role_allows(member->role, LT_ACTION_REGISTER, procedure, match)) {
		return lt_err_set(err, LT_E_DENIED, "role %s may not register this procedure",
				lt_role_name(member->role));
	}
	if (!member->node && member->registration_count >= dealer->core->limits.registrations) {
		dealer->core->stats.limit_hits[LT_LIMIT_REGISTRATIONS]++;
		return lt_err_set(err, LT_E_LIMIT,
				"a session has at most %" PRIu32 " registrations",
				dealer->core->limits.registrations);
	}
	return true;
}

/*
 * May the member join the callees that are there? Modules in process do, beside
 * those of other nodes: each node has its own. Nodes do in any case: two that
 * could not see each other may both have what only one should.
 */
static bool may_join(struct lt_dealer *dealer, const struct registration *registration,
		struct lt_member *member, const struct lt_register_options *options)
{
	if (find_callee(dealer, member, registration->id)) {
		return false;
	}
	return member->node || (member->in_process && registration->home == 0) ||
			(registration->invoke == (enum lt_invoke)options->invoke &&
					registration->invoke != LT_INVOKE_SINGLE);
}

bool lt_dealer_register(struct lt_dealer *dealer, struct lt_member *callee, struct lt_str procedure,
		const struct lt_register_options *options, uint64_t *ret_registration,
		struct lt_err *err)
{
	enum lt_match match = (enum lt_match)options->match;

	if (!check_register(dealer, callee, procedure, match, err)) {
		return false;
	}

	struct registration *registration = lt_match_get(dealer->index, procedure, match);

	if (registration && options->force_reregister) {
		revoke(dealer, registration, callee->in_process);
		registration = lt_match_get(dealer->index, procedure, match);
	}
	if (registration && !may_join(dealer, registration, callee, options)) {
		return lt_err_set(err, LT_E_EXISTS, "the procedure is registered already");
	}
	if (!registration) {
		registration = registration_create(dealer, procedure, options);

		const struct lt_pattern_view view = view_of(registration);

		lt_meta_emit_create(dealer->realm->broker, callee, &view);
	}
	attach(dealer, registration, callee, options->disclose_caller);
	tell(dealer, registration, callee, LT_META_ADDED);
	*ret_registration = registration->id;
	return true;
}

bool lt_dealer_unregister(struct lt_dealer *dealer, struct lt_member *callee, uint64_t registration,
		struct lt_err *err)
{
	struct lt_callee *found = find_callee(dealer, callee, registration);

	if (!found) {
		return lt_err_set(err, LT_E_NOT_FOUND, "no such registration");
	}
	detach(dealer, found);
	return true;
}

static struct lt_callee *nth_callee(
		const struct registration *registration, uint64_t n, bool only_home)
{
	struct lt_callee *callee = registration->callees;

	for (; callee; callee = callee->next) {
		if ((!only_home || !callee->key.member->node) && n-- == 0) {
			return callee;
		}
	}
	return NULL;
}

/* NULL: none of this node, where it must be one. */
static struct lt_callee *choose_callee(
		struct lt_dealer *dealer, struct registration *registration, bool only_home)
{
	size_t count = only_home ? registration->home : registration->count;

	switch (registration->invoke) {
	case LT_INVOKE_ROUNDROBIN:
		return nth_callee(registration, registration->next++ % LT_MAX(count, 1), only_home);
	case LT_INVOKE_RANDOM:
		return nth_callee(registration,
				lt_random_below(dealer->core->random, LT_MAX(count, 1)), only_home);
	case LT_INVOKE_LAST:
		return nth_callee(registration, count - 1, only_home);
	case LT_INVOKE_SINGLE:
		return nth_callee(registration, 0, only_home || registration->home > 0);
	case LT_INVOKE_FIRST:
		break;
	}
	return nth_callee(registration, 0, only_home);
}

static bool may_call(const struct lt_dealer *dealer, const struct lt_member *caller,
		struct lt_str procedure)
{
	return lt_role_allows(caller->role, LT_ACTION_CALL, procedure, LT_MATCH_EXACT) ||
			(dealer->core->switches.anonymous_count &&
					lt_role_is_anonymous(caller->role) &&
					lt_str_eq_c(procedure, "wamp.session.count"));
}

bool lt_dealer_call(struct lt_dealer *dealer, struct lt_member *caller,
		const struct lt_call_request *request, struct lt_err *err)
{
	struct lt_str procedure = request->procedure;
	struct registration *registration;

	if (!lt_core_check_uri(dealer->core, caller, procedure, LT_MATCH_EXACT, err)) {
		return false;
	}
	if (!may_call(dealer, caller, procedure)) {
		return lt_err_set(err, LT_E_DENIED, "role %s may not call this procedure",
				lt_role_name(caller->role));
	}
	/* A catch-all registration must not catch calls that are meant for the router. */
	if (lt_uri_is_reserved(procedure)) {
		dealer->core->stats.calls++;
		return lt_meta_call(dealer->realm, caller, request, err);
	}
	registration = lt_match_best(dealer->index, procedure);
	if (!registration ||
			!lt_lock_passes(lt_guard_find(dealer->core->guard, procedure), caller)) {
		return lt_err_set(err, LT_E_NOT_FOUND, "no such procedure");
	}

	struct lt_callee *callee = choose_callee(dealer, registration, false);
	const struct lt_invoke_target target = {
		.callee = callee->key.member,
		.registration = registration->id,
		.tell_procedure = registration->match != LT_MATCH_EXACT,
		.disclose = request->options->disclose_me || callee->disclose_caller ||
				lt_role_discloses(caller->role, LT_ACTION_CALL, procedure),
	};

	return lt_calls_begin(dealer->calls, caller, request, &target, err);
}

bool lt_dealer_call_here(struct lt_dealer *dealer, struct lt_member *caller, uint64_t id,
		const struct lt_call_request *request, struct lt_err *err)
{
	struct registration *registration = find_registration(dealer, id);
	struct lt_callee *callee = registration ? choose_callee(dealer, registration, true) : NULL;

	if (!callee) {
		return lt_err_set(err, LT_E_NOT_FOUND, "the procedure was unregistered");
	}

	const struct lt_invoke_target target = {
		.callee = callee->key.member,
		.registration = registration->id,
		.tell_procedure = registration->match != LT_MATCH_EXACT,
		.disclose = request->options->disclose_me || callee->disclose_caller,
	};

	return lt_calls_begin(dealer->calls, caller, request, &target, err);
}

void lt_dealer_cancel(struct lt_dealer *dealer, struct lt_member *caller, uint64_t request,
		enum lt_cancel_mode mode)
{
	lt_calls_cancel(dealer->calls, caller, request, mode);
}

void lt_dealer_yield(struct lt_dealer *dealer, struct lt_member *callee, uint64_t invocation,
		const struct lt_yield_options *options, const struct lt_body *body)
{
	lt_calls_yield(dealer->calls, callee, invocation, options, body);
}

void lt_dealer_error(struct lt_dealer *dealer, struct lt_member *callee,
		const struct lt_callee_error *error)
{
	lt_calls_error(dealer->calls, callee, error);
}

void lt_dealer_leave(struct lt_dealer *dealer, struct lt_member *member)
{
	while (member->registrations) {
		detach(dealer, member->registrations);
	}
	lt_calls_leave(dealer->calls, member);
}

void lt_dealer_report(const struct lt_dealer *dealer, struct lt_router_stats *ret_stats)
{
	ret_stats->registrations += HASH_COUNT(dealer->registrations);
}

/* --- other nodes --- */

void lt_dealer_revoke(struct lt_dealer *dealer, uint64_t id)
{
	struct registration *registration = find_registration(dealer, id);

	if (registration) {
		revoke(dealer, registration, true);
	}
}

void lt_dealer_set_link(struct lt_dealer *dealer, const struct lt_realm_listener *link)
{
	dealer->link = link;
}

void lt_dealer_each_home(const struct lt_dealer *dealer, lt_pattern_fn fn, void *arg)
{
	const struct registration *registration;

	for (registration = dealer->registrations; registration;
			registration = registration->hh.next) {
		const struct lt_pattern_view view = view_of(registration);

		if (registration->home > 0) {
			fn(arg, &view);
		}
	}
}

/* --- meta --- */

static bool give(const struct registration *registration, struct lt_pattern_view *ret)
{
	if (registration) {
		*ret = view_of(registration);
	}
	return registration;
}

bool lt_dealer_get(const struct lt_dealer *dealer, uint64_t id, struct lt_pattern_view *ret)
{
	return give(find_registration(dealer, id), ret);
}

bool lt_dealer_lookup(const struct lt_dealer *dealer, struct lt_str pattern, enum lt_match match,
		struct lt_pattern_view *ret)
{
	return give(lt_match_get(dealer->index, pattern, match), ret);
}

bool lt_dealer_match(const struct lt_dealer *dealer, struct lt_str procedure,
		struct lt_pattern_view *ret)
{
	return give(lt_match_best(dealer->index, procedure), ret);
}

void lt_dealer_each(const struct lt_dealer *dealer, lt_pattern_fn fn, void *arg)
{
	const struct registration *registration;

	for (registration = dealer->registrations; registration;
			registration = registration->hh.next) {
		const struct lt_pattern_view view = view_of(registration);

		fn(arg, &view);
	}
}

void lt_dealer_each_callee(const struct lt_dealer *dealer, uint64_t id, lt_member_fn fn, void *arg)
{
	const struct registration *registration = find_registration(dealer, id);
	const struct lt_callee *callee = registration ? registration->callees : NULL;

	for (; callee; callee = callee->next) {
		fn(arg, callee->key.member);
	}
}
