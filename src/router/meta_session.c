/* wamp.session.*: who is there, sending them away, and testaments. */
#include <inttypes.h>

#include "base/json_scan.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/meta.h"
#include "router/realm.h"
#include "router/testament.h"
#include "router/wamp_uri.h"

static bool no_such_session(struct lt_meta_request *request)
{
	request->error = "wamp.error.no_such_session";
	request->sentence = "no such session";
	return true;
}

/* --- count, list, get --- */

/* A list of roles as first argument, or none: everybody. */
static bool read_roles(const struct lt_meta_request *request, const cJSON **ret, struct lt_err *err)
{
	const cJSON *roles = cJSON_GetArrayItem(request->args, 0), *role;

	*ret = NULL;
	if (!roles || cJSON_IsNull(roles)) {
		return true;
	}
	if (!cJSON_IsArray(roles)) {
		return lt_err_set(err, LT_E_INVALID, "argument 0 must be a list of roles");
	}
	cJSON_ArrayForEach(role, roles) {
		if (!cJSON_IsString(role)) {
			return lt_err_set(err, LT_E_INVALID, "argument 0 must be a list of roles");
		}
	}
	*ret = roles;
	return true;
}

struct listing {
	const cJSON *roles; /* NULL: all */
	uint64_t count;
	struct lt_buf *ids; /* NULL: only count */
};

static void list_one(void *arg, struct lt_member *member)
{
	struct listing *listing = arg;
	const cJSON *role;
	bool wanted = !listing->roles;

	cJSON_ArrayForEach(role, listing->roles) {
		wanted |= strcmp(role->valuestring, lt_role_name(member->role)) == 0;
	}
	if (!wanted || lt_member_is_own(member)) {
		return;
	}
	if (listing->ids) {
		lt_buf_printf(listing->ids, "%s%" PRIu64, listing->count > 0 ? "," : "",
				member->id);
	}
	listing->count++;
}

static bool session_count(struct lt_meta_request *request, struct lt_err *err)
{
	struct listing listing = { 0 };

	if (!read_roles(request, &listing.roles, err)) {
		return false;
	}
	lt_realm_each(request->realm, list_one, &listing);
	lt_buf_printf(&request->result, "%" PRIu64, listing.count);
	return true;
}

static bool session_list(struct lt_meta_request *request, struct lt_err *err)
{
	struct listing listing = { .ids = &request->result };

	if (!read_roles(request, &listing.roles, err)) {
		return false;
	}
	lt_buf_add_char(&request->result, '[');
	lt_realm_each(request->realm, list_one, &listing);
	lt_buf_add_char(&request->result, ']');
	return true;
}

static bool session_get(struct lt_meta_request *request, struct lt_err *err)
{
	const struct lt_member *member;
	uint64_t id;

	if (!lt_meta_arg_id(request, 0, &id, err)) {
		return false;
	}
	member = lt_realm_member(request->realm, id);
	if (!member) {
		return no_such_session(request);
	}
	lt_meta_write_session(&request->result, member, request->realm->core->node);
	return true;
}

/* --- kill --- */

struct killing {
	struct lt_meta_request *request;
	struct lt_str reason, message;
	struct lt_str authid, role; /* p NULL: whichever */
	uint64_t count;
	struct lt_buf *ids; /* NULL: only count */
};

static bool read_killing(
		struct lt_meta_request *request, struct killing *killing, struct lt_err *err)
{
	*killing = (struct killing){ .request = request, .reason = LT_STR("wamp.close.killed") };
	if (!lt_json_opt_str(request->kwargs, "reason", &killing->reason, err) ||
			!lt_json_opt_str(request->kwargs, "message", &killing->message, err)) {
		return false;
	}
	return lt_uri_check(killing->reason, LT_MATCH_EXACT, request->realm->core->limits.uri_bytes,
			       err) ||
			lt_err_prefix(err, "reason");
}

static void kill_one(void *arg, struct lt_member *member)
{
	struct killing *killing = arg;

	if (member == killing->request->caller || !member->ops->kill ||
			(killing->authid.p && !lt_str_eq_c(killing->authid, member->authid)) ||
			(killing->role.p &&
					!lt_str_eq_c(killing->role, lt_role_name(member->role)))) {
		return;
	}
	if (killing->ids) {
		lt_buf_printf(killing->ids, "%s%" PRIu64, killing->count > 0 ? "," : "",
				member->id);
	}
	killing->count++;
	killing->request->realm->core->stats.sessions_killed++;
	member->ops->kill(member, killing->reason, killing->message);
}

static bool session_kill(struct lt_meta_request *request, struct lt_err *err)
{
	struct lt_member *member;
	struct killing killing;
	uint64_t id;

	if (!lt_meta_arg_id(request, 0, &id, err) || !read_killing(request, &killing, err)) {
		return false;
	}
	member = lt_realm_member(request->realm, id);
	if (member) {
		kill_one(&killing, member);
	}
	return killing.count > 0 || no_such_session(request);
}

static bool read_name(const struct lt_meta_request *request, struct lt_str *ret, struct lt_err *err)
{
	const cJSON *item = cJSON_GetArrayItem(request->args, 0);

	if (!cJSON_IsString(item)) {
		return lt_err_set(err, LT_E_INVALID, "argument 0 must be a string");
	}
	*ret = lt_str_from(item->valuestring);
	return true;
}

static bool session_kill_by_authid(struct lt_meta_request *request, struct lt_err *err)
{
	struct killing killing;

	if (!read_killing(request, &killing, err) || !read_name(request, &killing.authid, err)) {
		return false;
	}
	killing.ids = &request->result;
	lt_buf_add_char(&request->result, '[');
	lt_realm_each(request->realm, kill_one, &killing);
	lt_buf_add_char(&request->result, ']');
	return true;
}

static bool session_kill_by_authrole(struct lt_meta_request *request, struct lt_err *err)
{
	struct killing killing;

	if (!read_killing(request, &killing, err) || !read_name(request, &killing.role, err)) {
		return false;
	}
	lt_realm_each(request->realm, kill_one, &killing);
	lt_buf_printf(&request->result, "%" PRIu64, killing.count);
	return true;
}

static bool session_kill_all(struct lt_meta_request *request, struct lt_err *err)
{
	struct killing killing;

	if (!read_killing(request, &killing, err)) {
		return false;
	}
	lt_realm_each(request->realm, kill_one, &killing);
	lt_buf_printf(&request->result, "%" PRIu64, killing.count);
	return true;
}

/* --- testaments --- */

static bool parse_scope(struct lt_str text, enum lt_testament_scope *ret, struct lt_err *err)
{
	if (!text.p || lt_str_eq_c(text, "destroyed")) {
		*ret = LT_SCOPE_DESTROYED;
	} else if (lt_str_eq_c(text, "detached")) {
		*ret = LT_SCOPE_DETACHED;
	} else {
		return lt_err_set(err, LT_E_INVALID, "scope must be destroyed or detached");
	}
	return true;
}

/* topic, args, kwargs, kept as they were written: numbers stay what they are. */
static bool read_testament_args(struct lt_str json, struct lt_buf *topic,
		struct lt_testament_value *ret, struct lt_err *err)
{
	static const enum lt_json_kind kinds[] = { LT_JSON_STRING, LT_JSON_ARRAY, LT_JSON_OBJECT };
	struct lt_json_slice slices[LT_ARRAY_LEN(kinds)];
	struct lt_json_scan scan;

	if (!json.p) {
		return lt_err_set(err, LT_E_INVALID, "topic, args and kwargs are missing");
	}
	if (!lt_json_scan_init(&scan, json, LT_JSON_DEPTH_MAX, err) ||
			!lt_json_scan_enter(&scan, LT_JSON_ARRAY, err)) {
		return false;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(kinds); i++) {
		if (!lt_json_scan_more(&scan) || !lt_json_scan_value(&scan, &slices[i], NULL) ||
				slices[i].kind != kinds[i]) {
			return lt_err_set(err, LT_E_INVALID,
					"the arguments must be a topic, a list and a dict");
		}
	}
	lt_json_slice_text(&slices[0], topic);
	ret->topic = lt_buf_str(topic);
	ret->args = slices[1].raw;
	ret->kwargs = slices[2].raw;
	return true;
}

/* The keyword publish_options as it was written. */
static bool read_publish_options(struct lt_str json, struct lt_str *ret, struct lt_err *err)
{
	struct lt_json_slice key, value;
	struct lt_json_scan scan;

	if (!json.p) {
		return true;
	}
	if (!lt_json_scan_init(&scan, json, LT_JSON_DEPTH_MAX, err) ||
			!lt_json_scan_enter(&scan, LT_JSON_OBJECT, err)) {
		return false;
	}
	while (lt_json_scan_more(&scan)) {
		if (!lt_json_scan_key(&scan, &key, err) ||
				!lt_json_scan_value(&scan, &value, err)) {
			return false;
		}
		if (!lt_str_eq_c(lt_json_slice_plain(&key), "publish_options") ||
				value.kind == LT_JSON_NULL) {
			continue;
		}
		if (value.kind != LT_JSON_OBJECT) {
			return lt_err_set(err, LT_E_INVALID, "publish_options must be a dict");
		}
		*ret = value.raw;
	}
	return true;
}

static bool add_testament(struct lt_meta_request *request, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	struct lt_testament_value value = { 0 };
	struct lt_str scope = { 0 };

	return read_testament_args(request->args_json, &topic, &value, err) &&
			read_publish_options(request->kwargs_json, &value.options, err) &&
			lt_json_opt_str(request->kwargs, "scope", &scope, err) &&
			parse_scope(scope, &value.scope, err) &&
			lt_testament_add(request->realm->core, request->realm->broker,
					request->caller, &value, err);
}

static bool flush_testaments(struct lt_meta_request *request, struct lt_err *err)
{
	const cJSON *first = cJSON_GetArrayItem(request->args, 0);
	enum lt_testament_scope scope;
	struct lt_str text = { 0 };

	if (first && !cJSON_IsNull(first)) {
		if (!read_name(request, &text, err)) {
			return false;
		}
	} else if (!lt_json_opt_str(request->kwargs, "scope", &text, err)) {
		return false;
	}
	if (!parse_scope(text, &scope, err)) {
		return false;
	}
	lt_buf_printf(&request->result, "%" PRIu32, lt_testament_flush(request->caller, scope));
	return true;
}

const struct lt_meta_procedure lt_meta_session_procedures[] = {
	{ "wamp.session.count", session_count },
	{ "wamp.session.list", session_list },
	{ "wamp.session.get", session_get },
	{ "wamp.session.kill", session_kill },
	{ "wamp.session.kill_by_authid", session_kill_by_authid },
	{ "wamp.session.kill_by_authrole", session_kill_by_authrole },
	{ "wamp.session.kill_all", session_kill_all },
	{ "wamp.session.add_testament", add_testament },
	{ "wamp.session.flush_testaments", flush_testaments },
	{ 0 },
};
