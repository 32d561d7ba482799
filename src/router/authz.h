/*
 * Roles and what they may do: per role a table of URI rules, of which the most
 * specific decides (exact, longest prefix, wildcard); no rule means no.
 * Roles never go away while the router lives, so sessions keep pointers.
 *
 * Two roles are built in: "services" may do everything, "anonymous" may call
 * and subscribe. A file replaces those that it names. Whatever a file says,
 * URIs under "wamp." are open to "anonymous" only by a rule that itself begins
 * with "wamp.".
 */
#ifndef LT_ROUTER_AUTHZ_H
#define LT_ROUTER_AUTHZ_H

#include <stdbool.h>

#include "base/str.h"
#include "router/local.h"
#include "router/router.h"

struct lt_authz;
struct lt_role;

enum lt_action { LT_ACTION_CALL, LT_ACTION_REGISTER, LT_ACTION_PUBLISH, LT_ACTION_SUBSCRIBE };

struct lt_authz *lt_authz_create(void);
void lt_authz_destroy(struct lt_authz *authz); /* NULL is fine */

/* As lt_router_set_permissions. On failure nothing has changed. */
bool lt_authz_load(struct lt_authz *authz, struct lt_str json, struct lt_err *err);

/*
 * As if these texts had been loaded, in order, into a new one: rules of before
 * are gone, and roles that none of them names keep none but built-in ones. On
 * failure nothing has changed.
 */
bool lt_authz_replace(struct lt_authz *authz, const struct lt_str *texts, size_t count,
		struct lt_err *err);

/* The role of this name or NULL. Borrowed for the life of authz. */
const struct lt_role *lt_authz_role(const struct lt_authz *authz, struct lt_str name);
const char *lt_role_name(const struct lt_role *role);

/* Count the sessions of a role: change is 1 or -1. */
void lt_authz_count_session(struct lt_authz *authz, const struct lt_role *role, int change);
void lt_authz_count(const struct lt_authz *authz, lt_router_count_fn fn, void *arg);

/*
 * Calling or registering (LT_RESERVE_..., router.h) what begins with this
 * prefix is open to a role other than "services" only by a rule that itself
 * begins so, whatever a file says, as for "wamp.".
 */
void lt_authz_reserve(struct lt_authz *authz, struct lt_str prefix, unsigned reserved);

/* The role of sessions that did not authenticate. */
bool lt_role_is_anonymous(const struct lt_role *role);
/* The role that may do everything. */
bool lt_role_is_services(const struct lt_role *role);

/*
 * May the role do this? For a pattern every rule that it could reach must
 * allow it, so that a wide pattern does not get around a narrow refusal.
 */
bool lt_role_allows(const struct lt_role *role, enum lt_action action, struct lt_str uri,
		enum lt_match match);

/* Is the role's identity always shown: as publisher (LT_ACTION_PUBLISH) or as caller? */
bool lt_role_discloses(const struct lt_role *role, enum lt_action action, struct lt_str uri);

#endif
