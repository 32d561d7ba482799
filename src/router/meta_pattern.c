/*
 * wamp.subscription.* and wamp.registration.*: the same six procedures over
 * two kinds of thing, of which a table tells how to look them up.
 */
#include <inttypes.h>

#include "router/core.h"
#include "router/meta.h"
#include "router/realm.h"

/* Which of the two the call is about. */
struct kind {
	bool (*get)(const struct lt_realm *realm, uint64_t id, struct lt_pattern_view *ret);
	bool (*lookup)(const struct lt_realm *realm, struct lt_str uri, enum lt_match match,
			struct lt_pattern_view *ret);
	void (*each)(const struct lt_realm *realm, lt_pattern_fn fn, void *arg);
	void (*each_member)(const struct lt_realm *realm, uint64_t id, lt_member_fn fn, void *arg);
	const char *unknown; /* error URI */
};

static bool get_subscription(const struct lt_realm *realm, uint64_t id, struct lt_pattern_view *ret)
{
	return lt_broker_get(realm->broker, id, ret);
}

static bool lookup_subscription(const struct lt_realm *realm, struct lt_str uri,
		enum lt_match match, struct lt_pattern_view *ret)
{
	return lt_broker_lookup(realm->broker, uri, match, ret);
}

static void each_subscription(const struct lt_realm *realm, lt_pattern_fn fn, void *arg)
{
	lt_broker_each(realm->broker, fn, arg);
}

static void each_subscriber(const struct lt_realm *realm, uint64_t id, lt_member_fn fn, void *arg)
{
	lt_broker_each_subscriber(realm->broker, id, fn, arg);
}

static bool get_registration(const struct lt_realm *realm, uint64_t id, struct lt_pattern_view *ret)
{
	return lt_dealer_get(realm->dealer, id, ret);
}

static bool lookup_registration(const struct lt_realm *realm, struct lt_str uri,
		enum lt_match match, struct lt_pattern_view *ret)
{
	return lt_dealer_lookup(realm->dealer, uri, match, ret);
}

static void each_registration(const struct lt_realm *realm, lt_pattern_fn fn, void *arg)
{
	lt_dealer_each(realm->dealer, fn, arg);
}

static void each_callee(const struct lt_realm *realm, uint64_t id, lt_member_fn fn, void *arg)
{
	lt_dealer_each_callee(realm->dealer, id, fn, arg);
}

static const struct kind subscriptions = { get_subscription, lookup_subscription, each_subscription,
	each_subscriber, "wamp.error.no_such_subscription" };
static const struct kind registrations = { get_registration, lookup_registration, each_registration,
	each_callee, "wamp.error.no_such_registration" };

static void add_id(struct lt_buf *list, uint64_t id)
{
	bool first = list->n == 0 || list->p[list->n - 1] == '[';

	lt_buf_printf(list, "%s%" PRIu64, first ? "" : ",", id);
}

/* --- list --- */

struct lists {
	struct lt_buf by_match[3]; /* indexed by enum lt_match */
};

static void list_one(void *arg, const struct lt_pattern_view *view)
{
	struct lists *lists = arg;

	add_id(&lists->by_match[view->match], view->id);
}

static bool list(struct lt_meta_request *request, const struct kind *kind)
{
	static const char *const names[] = { "exact", "prefix", "wildcard" };
	struct lists lists = { 0 };

	kind->each(request->realm, list_one, &lists);
	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		lt_buf_printf(&request->result, "%s\"%s\":[", i == 0 ? "{" : ",", names[i]);
		lt_buf_add_str(&request->result, lt_buf_str(&lists.by_match[i]));
		lt_buf_add_char(&request->result, ']');
		lt_buf_finish(&lists.by_match[i]);
	}
	lt_buf_add_char(&request->result, '}');
	return true;
}

/* --- lookup, match --- */

static bool read_uri(const struct lt_meta_request *request, struct lt_str *ret, struct lt_err *err)
{
	const cJSON *item = cJSON_GetArrayItem(request->args, 0);

	if (!cJSON_IsString(item)) {
		return lt_err_set(err, LT_E_INVALID, "argument 0 must be a URI");
	}
	*ret = lt_str_from(item->valuestring);
	return true;
}

static bool lookup(struct lt_meta_request *request, const struct kind *kind, struct lt_err *err)
{
	const cJSON *options = cJSON_GetArrayItem(request->args, 1);
	struct lt_str uri, match = LT_STR("exact");
	enum lt_match policy = LT_MATCH_EXACT;
	struct lt_pattern_view view;

	if (!read_uri(request, &uri, err)) {
		return false;
	}
	if (options && !cJSON_IsNull(options) && !cJSON_IsObject(options)) {
		return lt_err_set(err, LT_E_INVALID, "argument 1 must be a dict");
	}
	if (!lt_json_opt_str(options, "match", &match, err)) {
		return false;
	}
	if (lt_str_eq_c(match, "prefix")) {
		policy = LT_MATCH_PREFIX;
	} else if (lt_str_eq_c(match, "wildcard")) {
		policy = LT_MATCH_WILDCARD;
	} else if (!lt_str_eq_c(match, "exact")) {
		return lt_err_set(err, LT_E_INVALID, "match must be exact, prefix or wildcard");
	}
	if (kind->lookup(request->realm, uri, policy, &view)) {
		lt_buf_printf(&request->result, "%" PRIu64, view.id);
	} else {
		lt_buf_add_c(&request->result, "null");
	}
	return true;
}

static void match_one(void *arg, const struct lt_pattern_view *view)
{
	add_id(arg, view->id);
}

static bool subscription_match(struct lt_meta_request *request, struct lt_err *err)
{
	struct lt_str topic;

	if (!read_uri(request, &topic, err)) {
		return false;
	}
	lt_buf_add_char(&request->result, '[');
	lt_broker_each_match(request->realm->broker, topic, match_one, &request->result);
	lt_buf_add_char(&request->result, ']');
	return true;
}

static bool registration_match(struct lt_meta_request *request, struct lt_err *err)
{
	struct lt_pattern_view view;
	struct lt_str procedure;

	if (!read_uri(request, &procedure, err)) {
		return false;
	}
	if (lt_dealer_match(request->realm->dealer, procedure, &view)) {
		lt_buf_printf(&request->result, "%" PRIu64, view.id);
	} else {
		lt_buf_add_c(&request->result, "null");
	}
	return true;
}

/* --- get, members --- */

/* False: wrong arguments. Else *ret_known tells whether it exists; the error is set when not. */
static bool find(struct lt_meta_request *request, const struct kind *kind,
		struct lt_pattern_view *ret, bool *ret_known, struct lt_err *err)
{
	uint64_t id;

	if (!lt_meta_arg_id(request, 0, &id, err)) {
		return false;
	}
	*ret_known = kind->get(request->realm, id, ret);
	if (!*ret_known) {
		request->error = kind->unknown;
		request->sentence = "there is none of this id";
	}
	return true;
}

static bool get(struct lt_meta_request *request, const struct kind *kind, struct lt_err *err)
{
	struct lt_pattern_view view;
	bool known;

	if (!find(request, kind, &view, &known, err)) {
		return false;
	}
	if (known) {
		lt_meta_write_pattern(&request->result, &view, request->realm->core->node);
	}
	return true;
}

static void list_member(void *arg, struct lt_member *member)
{
	add_id(arg, member->id);
}

static bool list_members(
		struct lt_meta_request *request, const struct kind *kind, struct lt_err *err)
{
	struct lt_pattern_view view;
	bool known;

	if (!find(request, kind, &view, &known, err)) {
		return false;
	}
	if (known) {
		lt_buf_add_char(&request->result, '[');
		kind->each_member(request->realm, view.id, list_member, &request->result);
		lt_buf_add_char(&request->result, ']');
	}
	return true;
}

static bool count_members(
		struct lt_meta_request *request, const struct kind *kind, struct lt_err *err)
{
	struct lt_pattern_view view;
	bool known;

	if (!find(request, kind, &view, &known, err)) {
		return false;
	}
	if (known) {
		lt_buf_printf(&request->result, "%zu", view.count);
	}
	return true;
}

/* --- the procedures --- */

static bool subscription_list(struct lt_meta_request *request, struct lt_err *err)
{
	(void)err;
	return list(request, &subscriptions);
}

static bool subscription_lookup(struct lt_meta_request *request, struct lt_err *err)
{
	return lookup(request, &subscriptions, err);
}

static bool subscription_get(struct lt_meta_request *request, struct lt_err *err)
{
	return get(request, &subscriptions, err);
}

static bool subscription_list_subscribers(struct lt_meta_request *request, struct lt_err *err)
{
	return list_members(request, &subscriptions, err);
}

static bool subscription_count_subscribers(struct lt_meta_request *request, struct lt_err *err)
{
	return count_members(request, &subscriptions, err);
}

static bool registration_list(struct lt_meta_request *request, struct lt_err *err)
{
	(void)err;
	return list(request, &registrations);
}

static bool registration_lookup(struct lt_meta_request *request, struct lt_err *err)
{
	return lookup(request, &registrations, err);
}

static bool registration_get(struct lt_meta_request *request, struct lt_err *err)
{
	return get(request, &registrations, err);
}

static bool registration_list_callees(struct lt_meta_request *request, struct lt_err *err)
{
	return list_members(request, &registrations, err);
}

static bool registration_count_callees(struct lt_meta_request *request, struct lt_err *err)
{
	return count_members(request, &registrations, err);
}

const struct lt_meta_procedure lt_meta_pattern_procedures[] = {
	{ "wamp.subscription.list", subscription_list },
	{ "wamp.subscription.lookup", subscription_lookup },
	{ "wamp.subscription.match", subscription_match },
	{ "wamp.subscription.get", subscription_get },
	{ "wamp.subscription.list_subscribers", subscription_list_subscribers },
	{ "wamp.subscription.count_subscribers", subscription_count_subscribers },
	{ "wamp.registration.list", registration_list },
	{ "wamp.registration.lookup", registration_lookup },
	{ "wamp.registration.match", registration_match },
	{ "wamp.registration.get", registration_get },
	{ "wamp.registration.list_callees", registration_list_callees },
	{ "wamp.registration.count_callees", registration_count_callees },
	{ 0 },
};
