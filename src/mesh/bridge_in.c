/* What other nodes publish. */
#include <assert.h>

#include "base/alloc.h"
#include "mesh/bridge_priv.h"
#include "mesh/subject.h"
#include "router/guard.h"
#include "router/router.h"

#define RETRY_MS    2000
#define GONE_US     (10 * 60 * INT64_C(1000000)) /* what a node left behind goes after it */
#define ORIGINS_MAX 10000

/* --- how far each node has come --- */

static struct lt_bridge_origin *find_origin(struct lt_bridge *bridge, struct lt_str run)
{
	struct lt_bridge_origin *origin = NULL;

	assert(run.p);
	HASH_FIND(hh, bridge->origins, run.p, (unsigned)run.n, origin);
	return origin;
}

static struct lt_bridge_origin *get_origin(struct lt_bridge *bridge, struct lt_str run)
{
	struct lt_bridge_origin *origin = find_origin(bridge, run);

	if (!origin && HASH_COUNT(bridge->origins) < ORIGINS_MAX) {
		origin = lt_zalloc(sizeof(*origin));
		origin->run = lt_str_dup(run);
		origin->gone = lt_loop_now(bridge->env.loop);
		HASH_ADD_KEYPTR(hh, bridge->origins, origin->run, (unsigned)run.n, origin);
	}
	return origin;
}

static void drop_origin(struct lt_bridge *bridge, struct lt_bridge_origin *origin)
{
	HASH_DEL(bridge->origins, origin);
	lt_free(origin->run);
	lt_free(origin);
}

void lt_bridge_free_origins(struct lt_bridge *bridge)
{
	struct lt_bridge_origin *origin, *next;

	HASH_ITER(hh, bridge->origins, origin, next) {
		drop_origin(bridge, origin);
	}
}

static void note_gap(struct lt_bridge *bridge, uint64_t missing)
{
	bridge->stats.gaps += missing;
	lt_bridge_want_replay(bridge);
}

/* False: this event has been here. */
static bool is_next(struct lt_bridge *bridge, const struct lt_mesh_event *event)
{
	struct lt_bridge_origin *origin = get_origin(bridge, event->run);

	if (!origin || event->seq == 0) {
		return true;
	}
	if (event->seq <= origin->last_seq) {
		return false;
	}
	if (origin->last_seq > 0 && event->seq > origin->last_seq + 1) {
		note_gap(bridge, event->seq - origin->last_seq - 1);
	}
	origin->last_seq = event->seq;
	return true;
}

void lt_bridge_heard(struct lt_bridge *bridge, struct lt_str run, uint64_t seq)
{
	struct lt_bridge_origin *origin = get_origin(bridge, run);

	if (!origin) {
		return;
	}
	origin->gone.us = -1;
	if (origin->last_seq > 0 && seq > origin->last_seq) {
		note_gap(bridge, seq - origin->last_seq);
	}
	origin->last_seq = LT_MAX(origin->last_seq, seq);
}

void lt_bridge_node_gone(struct lt_bridge *bridge, struct lt_str run)
{
	struct lt_bridge_origin *origin = find_origin(bridge, run);

	if (origin) {
		origin->gone = lt_loop_now(bridge->env.loop);
	}
}

/* --- events --- */

static void put(struct lt_bridge *bridge, const struct lt_mesh_event *event)
{
	struct lt_err err = { 0 };

	if (!lt_realm_link_receive(bridge->env.router, bridge->env.realm, &event->event, &err)) {
		lt_bridge_broken(bridge, &err);
		return;
	}
	bridge->stats.events_in++;
}

static void put_newer(struct lt_bridge *bridge, struct lt_mesh_event *event, bool is_stored)
{
	struct lt_kept_entry *entry = lt_kept_set(bridge->kept, event);

	entry->round = bridge->round;
	if (event->is_gone) {
		lt_realm_link_forget(bridge->env.router, bridge->env.realm, event->event.topic);
		return;
	}
	/* who missed what was between needs the whole, not a difference */
	if (is_stored && event->event.kept.serializer) {
		event->event.body = event->event.kept;
		event->event.kept = (struct lt_body){ 0 };
	}
	put(bridge, event);
}

/* It had been here. What was swept since then comes back, unheard. */
static void put_same(struct lt_bridge *bridge, struct lt_mesh_event *event)
{
	struct lt_kept_entry *entry = lt_kept_find(bridge->kept, event->event.topic);

	entry->round = bridge->round;
	if (entry->state == LT_KEPT_SWEPT) {
		entry->state = LT_KEPT_HERE;
		event->event.is_quiet = true;
		if (event->event.kept.serializer) {
			event->event.body = event->event.kept;
		}
		put(bridge, event);
	} else {
		bridge->stats.duplicates++;
	}
}

/*
 * Behind what is known. Of another publisher it is an event all the same; of
 * the same one the newer was read from what is stored and has overtaken it.
 */
static void put_older(struct lt_bridge *bridge, struct lt_mesh_event *event, bool is_stored)
{
	const struct lt_kept_entry *entry = lt_kept_find(bridge->kept, event->event.topic);

	if (is_stored || event->seq == 0 || event->is_gone || lt_str_eq_c(event->run, entry->run)) {
		bridge->stats.duplicates++;
		return;
	}
	event->event.retain = false;
	put(bridge, event);
}

static void put_kept(struct lt_bridge *bridge, struct lt_mesh_event *event, bool is_stored)
{
	switch (lt_kept_compare(bridge->kept, event)) {
	case LT_KEPT_NEWER:
		put_newer(bridge, event, is_stored);
		break;
	case LT_KEPT_SAME:
		put_same(bridge, event);
		break;
	case LT_KEPT_OLDER:
		put_older(bridge, event, is_stored);
		break;
	}
}

void lt_bridge_on_event(struct lt_bridge *bridge, const struct lt_bus_message *message)
{
	struct lt_mesh_event event;
	struct lt_err err = { 0 };

	if (!lt_mesh_event_read(message->body, &bridge->scratch, &event, &err)) {
		lt_bridge_broken(bridge, &err);
		return;
	}
	if (lt_str_eq_c(event.run, lt_nodes_run(bridge->nodes)) ||
			lt_bridge_is_home(bridge, event.event.topic)) {
		return; /* of the replay: this node has it */
	}
	if (!message->is_stored && !is_next(bridge, &event)) {
		bridge->stats.duplicates++;
		return;
	}
	if (event.event.closed.n > 0 && bridge->env.closed &&
			!lt_guard_find(lt_router_guard(bridge->env.router), event.event.topic)) {
		bridge->env.closed(bridge->env.arg, event.event.closed);
	}
	if (event.event.retain || event.is_gone) {
		put_kept(bridge, &event, message->is_stored);
	} else {
		put(bridge, &event);
	}
}

/* --- reading what is stored --- */

void lt_bridge_want_replay(struct lt_bridge *bridge)
{
	if (!bridge->is_up) {
		return;
	}
	if (bridge->is_replaying) {
		bridge->replay_again = true;
		return;
	}
	bridge->is_replaying = true;
	bridge->round++;
	bridge->stats.replays++;
	lt_bus_replay(bridge->env.bus);
}

/* What another node has retained and is not stored was forgotten while nobody heard it. */
static void sweep(void *arg, struct lt_kept_entry *entry)
{
	struct lt_bridge *bridge = arg;

	if (!entry->is_own && entry->state == LT_KEPT_HERE && entry->round < bridge->round) {
		entry->state = LT_KEPT_SWEPT;
		lt_realm_link_forget(
				bridge->env.router, bridge->env.realm, lt_str_from(entry->topic));
	}
}

static void retry(void *arg)
{
	lt_bridge_want_replay(arg);
}

void lt_bridge_replayed(struct lt_bridge *bridge, bool ok)
{
	bool again = bridge->replay_again;

	if (!bridge->is_replaying) {
		return; /* asked for before the bus went */
	}
	bridge->is_replaying = bridge->replay_again = false;
	if (!ok) {
		lt_timer_once(&bridge->retry, bridge->env.loop, RETRY_MS, retry, bridge);
		return;
	}
	lt_kept_each(bridge->kept, sweep, bridge);
	bridge->stats.is_current = true;
	if (again) {
		lt_bridge_want_replay(bridge);
	}
}

/* --- what is long gone --- */

/* Nobody will ever say more of it. */
static void forget_left_behind(void *arg, struct lt_kept_entry *entry)
{
	struct lt_bridge *bridge = arg;
	const struct lt_bridge_origin *origin;
	LT_AUTO(lt_buf_finish) struct lt_buf subject = { 0 };

	if (entry->is_own || lt_nodes_has(bridge->nodes, lt_str_from(entry->run))) {
		return;
	}
	origin = get_origin(bridge, lt_str_from(entry->run));
	if (!origin || origin->gone.us < 0 ||
			lt_loop_now(bridge->env.loop).us - origin->gone.us < GONE_US) {
		return;
	}
	if (entry->state == LT_KEPT_HERE) {
		entry->state = LT_KEPT_SWEPT;
		lt_realm_link_forget(
				bridge->env.router, bridge->env.realm, lt_str_from(entry->topic));
	}
	if (lt_nodes_is_first(bridge->nodes)) {
		lt_subject_write(&subject, bridge->prefix, "kept", lt_str_from(entry->topic));
		lt_bus_forget(bridge->env.bus, lt_buf_str(&subject));
	}
}

void lt_bridge_tidy(void *arg)
{
	struct lt_bridge *bridge = arg;
	struct lt_bridge_origin *origin, *next;
	int64_t now_us = lt_loop_now(bridge->env.loop).us;

	if (!bridge->is_up || !bridge->stats.is_current) {
		return;
	}
	lt_kept_each(bridge->kept, forget_left_behind, bridge);
	lt_kept_prune(bridge->kept, lt_loop_wall(bridge->env.loop).us - GONE_US);
	HASH_ITER(hh, bridge->origins, origin, next) {
		if (origin->gone.us >= 0 && now_us - origin->gone.us > 2 * GONE_US) {
			drop_origin(bridge, origin);
		}
	}
}
