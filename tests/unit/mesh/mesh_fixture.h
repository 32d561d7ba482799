/*
 * Three nodes on one fake loop and one bus in memory: each with a router, a
 * bridge, and peers that speak raw WAMP.
 */
#ifndef LT_TESTS_UNIT_MESH_MESH_FIXTURE_H
#define LT_TESTS_UNIT_MESH_MESH_FIXTURE_H

#include "mesh/bridge.h"
#include "support/bus_memory.h"
#include "unit/router/peer.h"

#define NODES 3

struct mesh {
	struct lt_loop *loop;
	struct bus_hub *hub;
	struct node {
		struct fixture f;
		struct lt_bus *bus;
		struct lt_bridge *bridge; /* NULL: not there */
		char closed[64];
	} nodes[NODES];
};

static inline void on_closed(void *arg, struct lt_str name)
{
	struct node *node = arg;

	snprintf(node->closed, sizeof(node->closed), "%.*s", LT_STR_ARG(name));
}

static const char *names[NODES] = { "a", "b", "c" };

static inline void make_node(struct mesh *m, int i)
{
	static const char *const home[] = { "home.topic", NULL };
	static uint64_t seed = 100;
	struct node *node = &m->nodes[i];
	struct lt_err err;

	node->f.loop = m->loop;
	node->f.random = lt_random_create(seed++, &err);
	node->f.router = lt_router_create(&(struct lt_router_env){
			.loop = m->loop,
			.random = node->f.random,
			.agent = "test-1",
			.node = names[i],
	});
	assert_true(lt_router_add_realm(node->f.router, REALM, &err));
	assert_true(lt_router_add_principal(node->f.router,
			&(struct lt_principal){ .authid = "services",
					.role = "services",
					.secret = LT_STR("secret") },
			&err));
	assert_true(lt_router_set_permissions(node->f.router, lt_str_from(OPEN_PERMISSIONS), &err));
	node->bus = bus_memory_create(m->hub);
	node->bridge = lt_bridge_create(&(struct lt_bridge_env){
			.loop = m->loop,
			.random = node->f.random,
			.router = node->f.router,
			.realm = REALM,
			.bus = node->bus,
			.prefix = "lt",
			.node = names[i],
			.role = "origin",
			.home_topics = home,
			.closed = on_closed,
			.arg = node,
	});
}

static inline void start_node(struct mesh *m, int i)
{
	struct lt_err err;

	make_node(m, i);
	assert_true(lt_bridge_start(m->nodes[i].bridge, &err));
	lt_fake_settle(m->loop);
}

static inline void free_node(struct mesh *m, int i)
{
	struct node *node = &m->nodes[i];

	for (int p = 0; p < node->f.peer_count; p++) {
		struct peer *peer = node->f.peers[p];

		vanish(peer);
		for (int n = 0; n < peer->count; n++) {
			lt_free(peer->messages[n]);
			lt_payload_unref(peer->payloads[n]);
		}
		lt_free(peer);
	}
	lt_fake_settle(m->loop);
	lt_bridge_destroy(node->bridge);
	lt_bus_destroy(node->bus);
	lt_fake_settle(m->loop);
	lt_router_destroy(node->f.router);
	lt_random_destroy(node->f.random);
	*node = (struct node){ 0 };
}

/* Without a word to the others. */
static inline void kill_node(struct mesh *m, int i)
{
	lt_bus_stop(m->nodes[i].bus, NULL, NULL);
	free_node(m, i);
}

static inline void stop_node(struct mesh *m, int i)
{
	lt_bridge_stop(m->nodes[i].bridge, NULL, NULL);
	free_node(m, i);
}

static inline int setup_none(void **state)
{
	struct mesh *m = lt_zalloc(sizeof(*m));
	struct lt_err err;

	m->loop = lt_loop_create(&err);
	m->hub = bus_hub_create(m->loop);
	*state = m;
	return 0;
}

/* Two nodes that know each other. */
static inline int setup_mesh(void **state)
{
	setup_none(state);
	start_node(*state, 0);
	start_node(*state, 1);
	lt_fake_settle(((struct mesh *)*state)->loop);
	return 0;
}

static inline int teardown_mesh(void **state)
{
	struct mesh *m = *state;

	for (int i = 0; i < NODES; i++) {
		if (m->nodes[i].bridge) {
			kill_node(m, i);
		}
	}
	bus_hub_destroy(m->hub);
	lt_loop_destroy(m->loop);
	lt_free(m);
	return 0;
}

static inline struct peer *join_at(struct mesh *m, int i)
{
	return join_anonymous(&m->nodes[i].f);
}

static inline struct lt_bridge_stats stats_of(struct mesh *m, int i)
{
	struct lt_bridge_stats stats;

	lt_bridge_report(m->nodes[i].bridge, &stats);
	return stats;
}

/* The arguments and what follows of the next message, which is an EVENT of some publication. */
static inline void expect_event(struct peer *peer, const char *details_and_args)
{
	const char *message = next_message(peer);
	unsigned long long subscription, publication;
	int at = 0;

	if (sscanf(message, "[36,%llu,%llu,%n", &subscription, &publication, &at) < 2) {
		fail_msg("expected an EVENT, got %s", message);
	}
	assert_string_equal(message + at, details_and_args);
}

static inline void subscribe(struct peer *peer, const char *topic, bool get_retained)
{
	char text[200];

	snprintf(text, sizeof(text), "[32,9,{\"get_retained\":%s},\"%s\"]",
			get_retained ? "true" : "false", topic);
	say(peer, text);
	expect_start(peer, "[33,9,");
}

#endif
