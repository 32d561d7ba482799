#include "router/authz.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "router/match.h"
#include "router/wamp_uri.h"

#define RULE_URI_MAX 4096
#define RESERVED_MAX 8

struct rule {
	struct rule *next;
	enum lt_match match;
	bool allow[4];    /* indexed by enum lt_action */
	bool disclose[4]; /* of which two are used */
	struct lt_str uri;
	char bytes[];
};

struct lt_role {
	UT_hash_handle hh;
	struct rule *rules;
	struct lt_match_index *index;
	uint64_t sessions;
	bool is_anonymous, is_services;
	const struct lt_authz *authz;
	char name[];
};

/* Procedures that wide rules do not open. */
struct reserved {
	char *prefix;
	unsigned what; /* LT_RESERVE_... */
};

struct lt_authz {
	struct lt_role *roles;
	struct reserved reserved[RESERVED_MAX];
	size_t reserved_count;
};

static const struct {
	const char *key;
	enum lt_action action;
} allow_keys[] = { { "call", LT_ACTION_CALL }, { "register", LT_ACTION_REGISTER },
	{ "publish", LT_ACTION_PUBLISH }, { "subscribe", LT_ACTION_SUBSCRIBE } };
static const struct {
	const char *key;
	enum lt_action action;
} disclose_keys[] = { { "caller", LT_ACTION_CALL }, { "publisher", LT_ACTION_PUBLISH } };

static const char builtin[] =
		"{\"roles\":{"
		"\"anonymous\":{\"permissions\":[{\"uri\":\"\",\"match\":\"prefix\","
		"\"allow\":{\"call\":true,\"subscribe\":true}}]},"
		"\"services\":{\"permissions\":[{\"uri\":\"\",\"match\":\"prefix\",\"allow\":"
		"{\"call\":true,\"register\":true,\"publish\":true,\"subscribe\":true}}]}}}";

static struct lt_role *find_role(struct lt_role *roles, struct lt_str name)
{
	struct lt_role *role = NULL;

	HASH_FIND(hh, roles, name.p, name.n, role);
	return role;
}

static struct lt_role *insert_role(struct lt_role **roles, struct lt_str name)
{
	struct lt_role *role = lt_zalloc(sizeof(*role) + name.n + 1);

	memcpy(role->name, name.p, name.n);
	role->index = lt_match_create();
	role->is_anonymous = lt_str_eq_c(name, "anonymous");
	role->is_services = lt_str_eq_c(name, "services");
	HASH_ADD_KEYPTR(hh, *roles, role->name, name.n, role);
	return role;
}

static void clear_rules(struct lt_role *role)
{
	while (role->rules) {
		struct rule *rule = role->rules;

		role->rules = rule->next;
		lt_free(rule);
	}
	lt_match_destroy(role->index);
	role->index = NULL;
}

static void free_roles(struct lt_role **roles)
{
	struct lt_role *role, *next;

	HASH_ITER(hh, *roles, role, next) {
		HASH_DEL(*roles, role);
		clear_rules(role);
		lt_free(role);
	}
}

/* "match", or as Crossbar has it without: a trailing '*' makes a prefix. */
static bool read_pattern(const cJSON *json, struct lt_str *ret_uri, enum lt_match *ret_match,
		struct lt_err *err)
{
	struct lt_str uri, match = { 0 };

	if (!lt_json_get_str(json, "uri", &uri, err) ||
			!lt_json_opt_str(json, "match", &match, err)) {
		return false;
	}
	if (!match.p) {
		bool star = lt_str_ends(uri, LT_STR("*"));

		*ret_match = star ? LT_MATCH_PREFIX : LT_MATCH_EXACT;
		uri.n -= star;
	} else if (lt_str_eq_c(match, "exact")) {
		*ret_match = LT_MATCH_EXACT;
	} else if (lt_str_eq_c(match, "prefix")) {
		*ret_match = LT_MATCH_PREFIX;
	} else if (lt_str_eq_c(match, "wildcard")) {
		*ret_match = LT_MATCH_WILDCARD;
	} else {
		return lt_err_set(err, LT_E_INVALID, "match must be exact, prefix or wildcard");
	}
	*ret_uri = uri;
	return lt_uri_check(uri, *ret_match, RULE_URI_MAX, err);
}

static bool read_flags(const cJSON *json, struct rule *rule, struct lt_err *err)
{
	const cJSON *allow = lt_json_get(json, "allow"), *disclose = lt_json_get(json, "disclose");

	if ((allow && !cJSON_IsObject(allow)) || (disclose && !cJSON_IsObject(disclose))) {
		return lt_err_set(err, LT_E_INVALID, "allow and disclose must be objects");
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(allow_keys); i++) {
		if (!lt_json_opt_bool(allow, allow_keys[i].key, &rule->allow[allow_keys[i].action],
				    err)) {
			return lt_err_prefix(err, "allow");
		}
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(disclose_keys); i++) {
		if (!lt_json_opt_bool(disclose, disclose_keys[i].key,
				    &rule->disclose[disclose_keys[i].action], err)) {
			return lt_err_prefix(err, "disclose");
		}
	}
	return true;
}

static bool add_rule(struct lt_role *role, const cJSON *json, struct lt_err *err)
{
	enum lt_match match;
	struct lt_str uri;

	if (!cJSON_IsObject(json)) {
		return lt_err_set(err, LT_E_INVALID, "not an object");
	}
	if (!read_pattern(json, &uri, &match, err)) {
		return false;
	}
	if (lt_match_get(role->index, uri, match)) {
		return lt_err_set(err, LT_E_INVALID, "uri \"%.*s\" stands there twice",
				LT_STR_ARG(uri));
	}

	struct rule *rule = lt_zalloc(sizeof(*rule) + uri.n + 1);

	memcpy(rule->bytes, uri.p, uri.n);
	rule->uri = (struct lt_str){ rule->bytes, uri.n };
	rule->match = match;
	rule->next = role->rules;
	role->rules = rule;
	lt_match_set(role->index, rule->uri, match, rule);
	return read_flags(json, rule, err);
}

static bool add_role(
		struct lt_role **roles, struct lt_str name, const cJSON *json, struct lt_err *err)
{
	const cJSON *permissions = lt_json_get(json, "permissions"), *item;
	int i = 0;

	if (name.n == 0 || find_role(*roles, name)) {
		return lt_err_set(err, LT_E_INVALID, "role \"%.*s\": name is empty or not unique",
				LT_STR_ARG(name));
	}
	if (!cJSON_IsArray(permissions)) {
		return lt_err_set(err, LT_E_INVALID, "role \"%.*s\": permissions must be an array",
				LT_STR_ARG(name));
	}

	struct lt_role *role = insert_role(roles, name);

	cJSON_ArrayForEach(item, permissions) {
		if (!add_rule(role, item, err)) {
			return lt_err_prefix(
					err, "role \"%.*s\": permissions[%d]", LT_STR_ARG(name), i);
		}
		i++;
	}
	return true;
}

/* "roles" is an object by name, or Crossbar's array of objects with a name. */
static bool read_roles(const cJSON *document, struct lt_role **roles, struct lt_err *err)
{
	const cJSON *list = lt_json_get(document, "roles"), *item;

	if (!cJSON_IsObject(list) && !cJSON_IsArray(list)) {
		return lt_err_set(err, LT_E_INVALID, "roles must be an object");
	}
	cJSON_ArrayForEach(item, list) {
		struct lt_str name = lt_str_from(item->string);

		if (cJSON_IsArray(list) && !lt_json_get_str(item, "name", &name, err)) {
			return lt_err_prefix(err, "roles");
		}
		if (!add_role(roles, name, item, err)) {
			return false;
		}
	}
	return true;
}

struct lt_authz *lt_authz_create(void)
{
	struct lt_authz *authz = lt_zalloc(sizeof(*authz));
	struct lt_err err;

	lt_authz_load(authz, LT_STR(builtin), &err);
	return authz;
}

void lt_authz_destroy(struct lt_authz *authz)
{
	if (authz) {
		free_roles(&authz->roles);
		for (size_t i = 0; i < authz->reserved_count; i++) {
			lt_free(authz->reserved[i].prefix);
		}
		lt_free(authz);
	}
}

/* Sessions point to roles: the rules change places with those of the role that is there. */
static void move_rules(struct lt_authz *authz, struct lt_role *fresh)
{
	struct lt_role *role, *next;

	HASH_ITER(hh, fresh, role, next) {
		struct lt_str name = lt_str_from(role->name);
		struct lt_role *kept = find_role(authz->roles, name);
		struct rule *rules = role->rules;
		struct lt_match_index *index = role->index;

		if (!kept) {
			kept = insert_role(&authz->roles, name);
			kept->authz = authz;
		}
		role->rules = kept->rules;
		role->index = kept->index;
		kept->rules = rules;
		kept->index = index;
	}
}

bool lt_authz_load(struct lt_authz *authz, struct lt_str json, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *document = lt_json_parse(json, err);
	struct lt_role *fresh = NULL;

	if (!document) {
		return lt_err_prefix(err, "permissions");
	}
	if (!read_roles(document, &fresh, err)) {
		free_roles(&fresh);
		return lt_err_prefix(err, "permissions");
	}
	move_rules(authz, fresh);
	free_roles(&fresh);
	return true;
}

bool lt_authz_replace(struct lt_authz *authz, const struct lt_str *texts, size_t count,
		struct lt_err *err)
{
	struct lt_authz *fresh = lt_authz_create();
	struct lt_role *role, *next;

	for (size_t i = 0; i < count; i++) {
		if (!lt_authz_load(fresh, texts[i], err)) {
			lt_authz_destroy(fresh);
			return false;
		}
	}
	HASH_ITER(hh, authz->roles, role, next) {
		clear_rules(role);
		role->index = lt_match_create();
	}
	move_rules(authz, fresh->roles);
	lt_authz_destroy(fresh);
	return true;
}

const struct lt_role *lt_authz_role(const struct lt_authz *authz, struct lt_str name)
{
	return find_role(authz->roles, name);
}

const char *lt_role_name(const struct lt_role *role)
{
	return role->name;
}

void lt_authz_count_session(struct lt_authz *authz, const struct lt_role *role, int change)
{
	struct lt_role *counted = find_role(authz->roles, lt_str_from(role->name));

	counted->sessions += (uint64_t)change;
}

void lt_authz_count(const struct lt_authz *authz, lt_router_count_fn fn, void *arg)
{
	const struct lt_role *role;

	for (role = authz->roles; role; role = role->hh.next) {
		fn(arg, role->name, role->sessions);
	}
}

bool lt_role_is_anonymous(const struct lt_role *role)
{
	return role->is_anonymous;
}

bool lt_role_is_services(const struct lt_role *role)
{
	return role->is_services;
}

void lt_authz_reserve(struct lt_authz *authz, struct lt_str prefix, unsigned reserved)
{
	assert(authz->reserved_count < RESERVED_MAX);
	authz->reserved[authz->reserved_count++] =
			(struct reserved){ lt_str_dup(prefix), reserved };
}

/* Does the rule, which allows this, come close enough to a reserved procedure? */
static bool is_close_enough(const struct lt_role *role, const struct rule *rule,
		enum lt_action action, struct lt_str uri)
{
	const struct lt_authz *authz = role->authz;
	unsigned what = action == LT_ACTION_CALL ? LT_RESERVE_CALL : LT_RESERVE_REGISTER;

	if (role->is_services || (action != LT_ACTION_CALL && action != LT_ACTION_REGISTER)) {
		return true;
	}
	for (size_t i = 0; i < authz->reserved_count; i++) {
		const struct reserved *reserved = &authz->reserved[i];
		struct lt_str prefix = lt_str_from(reserved->prefix);

		if (lt_str_starts(uri, prefix) && (reserved->what & what) != 0 &&
				!lt_str_starts(rule->uri, prefix)) {
			return false;
		}
	}
	return true;
}

/* The rule that decides about one URI (or about a pattern, taken as a text). */
static const struct rule *deciding_rule(const struct lt_role *role, struct lt_str uri)
{
	const struct rule *rule = lt_match_best(role->index, uri);

	if (rule && role->is_anonymous && lt_uri_is_reserved(uri) &&
			!lt_uri_is_reserved(rule->uri)) {
		return NULL;
	}
	return rule;
}

/* Could some URI match both? Told by the fixed beginnings: may say yes too often, never no. */
static bool may_overlap(const struct rule *rule, struct lt_str pattern, enum lt_match match)
{
	struct lt_str a = lt_uri_fixed_part(rule->uri, rule->match);
	struct lt_str b = lt_uri_fixed_part(pattern, match);

	return lt_str_starts(a, b) || (rule->match != LT_MATCH_EXACT && lt_str_starts(b, a));
}

/*
 * A refusal that decides about some URI which the pattern reaches, though
 * `base` allows the pattern. Rules under "wamp." only concern patterns that
 * begin so: nothing of the router's own reaches the others.
 */
static bool reaches_refusal(const struct lt_role *role, const struct rule *base,
		enum lt_action action, struct lt_str pattern, enum lt_match match)
{
	for (const struct rule *rule = role->rules; rule; rule = rule->next) {
		bool outranked = base->match == LT_MATCH_PREFIX &&
				(rule->match == LT_MATCH_WILDCARD ||
						(rule->match == LT_MATCH_PREFIX &&
								rule->uri.n < base->uri.n));

		if (!rule->allow[action] && !outranked && may_overlap(rule, pattern, match) &&
				(lt_uri_is_reserved(pattern) || !lt_uri_is_reserved(rule->uri))) {
			return true;
		}
	}
	return false;
}

/* The longest prefix rule that contains the whole pattern, or the rule for the very same pattern.
 */
static const struct rule *covering_rule(
		const struct lt_role *role, struct lt_str pattern, enum lt_match match)
{
	const struct rule *same = lt_match_get(role->index, pattern, match), *best = NULL;
	struct lt_str fixed = lt_uri_fixed_part(pattern, match);
	bool guarded = role->is_anonymous && lt_uri_is_reserved(fixed);

	for (const struct rule *rule = role->rules; rule; rule = rule->next) {
		if (rule->match == LT_MATCH_PREFIX && lt_str_starts(fixed, rule->uri) &&
				(!best || rule->uri.n > best->uri.n) &&
				(!guarded || lt_uri_is_reserved(rule->uri))) {
			best = rule;
		}
	}
	return best ? best : same;
}

bool lt_role_allows(const struct lt_role *role, enum lt_action action, struct lt_str uri,
		enum lt_match match)
{
	const struct rule *rule;

	if (match == LT_MATCH_EXACT) {
		rule = deciding_rule(role, uri);
		return rule && rule->allow[action] && is_close_enough(role, rule, action, uri);
	}
	rule = covering_rule(role, uri, match);
	return rule && rule->allow[action] && !reaches_refusal(role, rule, action, uri, match);
}

bool lt_role_discloses(const struct lt_role *role, enum lt_action action, struct lt_str uri)
{
	const struct rule *rule = deciding_rule(role, uri);

	return rule && rule->disclose[action];
}
