#include "router/realm.h"

#include "base/alloc.h"
#include "router/authz.h"
#include "router/core.h"
#include "router/guard.h"
#include "router/testament.h"

struct lt_realm *lt_realm_create(struct lt_core *core, struct lt_str name)
{
	struct lt_realm *realm = lt_zalloc(sizeof(*realm));

	realm->core = core;
	realm->name = lt_str_dup(name);
	realm->broker = lt_broker_create(core);
	realm->dealer = lt_dealer_create(core, realm);
	return realm;
}

void lt_realm_destroy(struct lt_realm *realm)
{
	if (realm) {
		lt_broker_destroy(realm->broker);
		lt_dealer_destroy(realm->dealer);
		lt_free(realm->name);
		lt_free(realm);
	}
}

struct lt_realm *lt_realm_find(const struct lt_core *core, struct lt_str name)
{
	struct lt_realm *realm;

	DL_FOREACH(core->realms, realm) {
		if (lt_str_eq_c(name, realm->name)) {
			return realm;
		}
	}
	return NULL;
}

struct lt_member *lt_realm_member(const struct lt_realm *realm, uint64_t id)
{
	struct lt_member *found = NULL;

	HASH_FIND(hh, realm->members, &id, sizeof(id), found);
	return found;
}

uint64_t lt_realm_new_id(const struct lt_realm *realm, struct lt_core *core)
{
	uint64_t id;

	do {
		id = lt_random_id(core->random);
	} while (lt_realm_member(realm, id));
	return id;
}

void lt_realm_each(const struct lt_realm *realm, lt_member_fn fn, void *arg)
{
	struct lt_member *member, *next;

	HASH_ITER(hh, realm->members, member, next) {
		fn(arg, member);
	}
}

/* Transports are few and their names static: compared as pointers first, then as text. */
static void count_session(struct lt_core *core, const struct lt_member *member, int change)
{
	struct lt_transport_count *count = core->transports;

	lt_authz_count_session(core->authz, member->role, change);
	for (size_t i = 0; i < LT_TRANSPORTS_MAX; i++, count++) {
		if (!count->name) {
			count->name = member->transport;
		}
		if (count->name == member->transport ||
				strcmp(count->name, member->transport) == 0) {
			count->sessions += (uint64_t)change;
			return;
		}
	}
}

void lt_realm_join(struct lt_realm *realm, struct lt_member *member)
{
	HASH_ADD(hh, realm->members, id, sizeof(member->id), member);
	if (member->ops->left) {
		DL_APPEND2(realm->watchers, member, watcher_prev, watcher_next);
	}
	count_session(realm->core, member, 1);
	lt_meta_emit_join(realm->broker, member);
}

void lt_realm_leave(struct lt_realm *realm, struct lt_member *member)
{
	struct lt_member *watcher;

	HASH_DEL(realm->members, member);
	if (member->ops->left) {
		DL_DELETE2(realm->watchers, member, watcher_prev, watcher_next);
	}
	lt_dealer_leave(realm->dealer, member);
	lt_broker_leave(realm->broker, member);
	lt_testament_execute(realm->core, realm->broker, member);
	lt_guard_leave(realm->core->guard, member->id);
	lt_meta_emit_leave(realm->broker, member);
	count_session(realm->core, member, -1);
	/* left only queues, so the list holds still. */
	DL_FOREACH2(realm->watchers, watcher, watcher_next)
	{
		watcher->ops->left(watcher, member->id);
	}
}

void lt_realm_report(const struct lt_realm *realm, struct lt_router_stats *ret_stats)
{
	ret_stats->sessions += HASH_COUNT(realm->members);
	lt_broker_report(realm->broker, ret_stats);
	lt_dealer_report(realm->dealer, ret_stats);
}
