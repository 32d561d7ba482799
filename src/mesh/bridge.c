#include "base/alloc.h"
#include "mesh/bridge_priv.h"
#include "mesh/subject.h"

#define TIDY_MS        60000
#define SLICE_US       2000 /* of a turn, for saying anew */
#define TELL_BROKEN_US (60 * INT64_C(1000000))

/* --- events of this node --- */

bool lt_bridge_is_home(const struct lt_bridge *bridge, struct lt_str topic)
{
	const char *const *home = bridge->env.home_topics;

	for (; home && *home; home++) {
		if (lt_str_eq_c(topic, *home)) {
			return true;
		}
	}
	return false;
}

static bool send(struct lt_bridge *bridge, const struct lt_mesh_event *event, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf subject = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };
	bool is_kept = event->event.retain || event->is_gone;

	lt_subject_write(&subject, bridge->prefix, is_kept ? "kept" : "live", event->event.topic);
	lt_mesh_event_write(&body, event);
	if (!lt_bus_publish(bridge->env.bus, lt_buf_str(&subject), lt_buf_str(&body), err)) {
		bridge->stats.refused++;
		return false;
	}
	if (event->is_gone) {
		lt_bus_forget(bridge->env.bus, lt_buf_str(&subject));
	}
	bridge->stats.events_out++;
	return true;
}

static struct lt_mesh_event make_event(struct lt_bridge *bridge, struct lt_str topic)
{
	int64_t now_us = lt_loop_wall(bridge->env.loop).us;

	return (struct lt_mesh_event){ .node = lt_str_from(bridge->node),
		.run = lt_str_from(lt_nodes_run(bridge->nodes)),
		.seq = ++bridge->last_seq,
		.at_us = lt_kept_stamp(bridge->kept, topic, now_us),
		.event = { .topic = topic } };
}

static void tell_too_large(struct lt_bridge *bridge, struct lt_str topic, const struct lt_err *err)
{
	char quoted[LT_LOG_VALUE_MAX];

	if (err->code == LT_E_INVALID) {
		lt_log(&bridge->env.log, LT_WARN, "an event does not reach the other nodes",
				"topic=%s reason=\"%s\"", lt_log_value(topic, quoted), err->msg);
	}
}

/* A kept event that finds no room waits in the table, where a newer one replaces it. */
static void on_event(void *arg, const struct lt_link_event *event)
{
	struct lt_bridge *bridge = arg;
	struct lt_mesh_event out;
	struct lt_kept_entry *entry = NULL;
	struct lt_err err = { 0 };

	if (lt_bridge_is_home(bridge, event->topic)) {
		return;
	}
	out = make_event(bridge, event->topic);
	out.event = *event;
	if (event->retain) {
		entry = lt_kept_set(bridge->kept, &out);
	}
	if (!send(bridge, &out, &err)) {
		tell_too_large(bridge, event->topic, &err);
		if (entry) {
			entry->is_due = err.code != LT_E_INVALID;
		}
	}
}

/* That of another node is only forgotten here: it is for that node to say. */
static void on_unretained(void *arg, struct lt_str topic)
{
	struct lt_bridge *bridge = arg;
	struct lt_kept_entry *entry = lt_kept_find(bridge->kept, topic);
	struct lt_mesh_event out;

	if (!entry || entry->state != LT_KEPT_HERE) {
		return;
	}
	if (!entry->is_own) {
		entry->state = LT_KEPT_SWEPT;
		return;
	}
	out = make_event(bridge, topic);
	out.is_gone = true;
	entry = lt_kept_set(bridge->kept, &out);
	entry->is_due = !send(bridge, &out, NULL);
}

static void on_registered(void *arg, const struct lt_pattern_view *registration)
{
	lt_nodes_registered(((struct lt_bridge *)arg)->nodes, registration);
}

static void on_unregistered(void *arg, uint64_t registration)
{
	lt_nodes_unregistered(((struct lt_bridge *)arg)->nodes, registration);
}

/* --- saying anew what the bus did not take, or may have lost --- */

static bool say_again(struct lt_bridge *bridge, struct lt_kept_entry *entry)
{
	struct lt_mesh_event_scratch scratch = { 0 };
	struct lt_mesh_event event;
	struct lt_err err = { 0 };
	bool is_sent = true;

	if (lt_kept_again(entry, &scratch, &event) &&
			(event.is_gone ||
					lt_realm_link_kept(bridge->env.router, bridge->env.realm,
							event.event.topic, &event.event.body))) {
		is_sent = send(bridge, &event, &err) || err.code == LT_E_INVALID;
	}
	lt_mesh_event_scratch_finish(&scratch);
	return is_sent;
}

struct again {
	struct lt_bridge *bridge;
	int64_t until_us;
	bool is_full, is_unfinished;
};

static void again_one(void *arg, struct lt_kept_entry *entry)
{
	struct again *again = arg;

	if (!entry->is_due || again->is_full) {
		return;
	}
	if (lt_clock_mono().us > again->until_us) {
		again->is_unfinished = true;
		return;
	}
	if (say_again(again->bridge, entry)) {
		entry->is_due = false;
	} else {
		again->is_full = true; /* lt_bus tells when there is room */
	}
}

static void say_due(void *arg);

static void say_more(struct lt_bridge *bridge)
{
	lt_timer_once(&bridge->more, bridge->env.loop, 1, say_due, bridge);
}

static void say_due(void *arg)
{
	struct lt_bridge *bridge = arg;
	struct again again = { .bridge = bridge, .until_us = lt_clock_mono().us + SLICE_US };

	if (!bridge->is_up) {
		return;
	}
	lt_kept_each(bridge->kept, again_one, &again);
	if (again.is_unfinished) {
		say_more(bridge);
	}
}

static void mark_due(void *arg, struct lt_kept_entry *entry)
{
	(void)arg;
	entry->is_due = entry->is_own;
}

/* --- the bus --- */

static void on_message(void *arg, const struct lt_bus_message *message)
{
	struct lt_bridge *bridge = arg;
	struct lt_str rest = lt_str_skip(message->subject, strlen(bridge->prefix) + 1);
	struct lt_str kind = lt_str_split(&rest, '.');
	struct lt_err err = { 0 };

	if (lt_str_eq_c(kind, "live") || lt_str_eq_c(kind, "kept")) {
		lt_bridge_on_event(bridge, message);
	} else if (!lt_nodes_message(bridge->nodes, message, &err)) {
		lt_bridge_broken(bridge, &err);
	}
}

static void on_up(void *arg)
{
	struct lt_bridge *bridge = arg;

	bridge->is_up = true;
	bridge->stats.is_current = false;
	lt_nodes_up(bridge->nodes);
	lt_kept_each(bridge->kept, mark_due, NULL);
	say_due(bridge);
	lt_bridge_want_replay(bridge);
	if (bridge->env.state) {
		bridge->env.state(bridge->env.arg, true);
	}
}

static void on_down(void *arg, const char *reason)
{
	struct lt_bridge *bridge = arg;

	(void)reason; /* the bus has logged it */
	bridge->is_up = false;
	bridge->is_replaying = bridge->replay_again = false;
	bridge->stats.is_current = false;
	lt_timer_cancel(&bridge->retry);
	lt_nodes_down(bridge->nodes);
	if (bridge->env.state) {
		bridge->env.state(bridge->env.arg, false);
	}
}

static void on_replayed(void *arg, bool ok)
{
	lt_bridge_replayed(arg, ok);
}

static void on_room(void *arg)
{
	say_due(arg);
}

void lt_bridge_broken(struct lt_bridge *bridge, const struct lt_err *err)
{
	struct lt_mono now = lt_loop_now(bridge->env.loop);
	char quoted[LT_LOG_VALUE_MAX];

	bridge->stats.broken++;
	if (bridge->stats.broken == 1 || now.us - bridge->told_broken.us > TELL_BROKEN_US) {
		bridge->told_broken = now;
		lt_log(&bridge->env.log, LT_WARN, "message of another node not understood",
				"reason=%s", lt_log_value(lt_str_from(err->msg), quoted));
	}
}

/* --- life --- */

static uint64_t last_seq(void *arg)
{
	return ((struct lt_bridge *)arg)->last_seq;
}

static void on_heard(void *arg, struct lt_str run, uint64_t seq)
{
	lt_bridge_heard(arg, run, seq);
}

static void on_gone(void *arg, struct lt_str run)
{
	lt_bridge_node_gone(arg, run);
}

struct lt_bridge *lt_bridge_create(const struct lt_bridge_env *env)
{
	struct lt_bridge *bridge = lt_zalloc(sizeof(*bridge));

	bridge->env = *env;
	bridge->env.log.module = "mesh";
	bridge->prefix = lt_strdup(env->prefix);
	bridge->node = lt_strdup(env->node);
	bridge->nodes = lt_nodes_create(&(struct lt_nodes_env){
			.loop = env->loop,
			.log = env->log,
			.random = env->random,
			.router = env->router,
			.realm = env->realm,
			.bus = env->bus,
			.prefix = env->prefix,
			.node = env->node,
			.role = env->role,
			.last_seq = last_seq,
			.heard = on_heard,
			.gone = on_gone,
			.arg = bridge,
	});
	bridge->kept = lt_kept_create(lt_nodes_run(bridge->nodes));
	bridge->listener = (struct lt_realm_listener){ on_event, on_unretained, on_registered,
		on_unregistered, bridge };
	return bridge;
}

bool lt_bridge_start(struct lt_bridge *bridge, struct lt_err *err)
{
	if (!lt_realm_link_set(bridge->env.router, bridge->env.realm, &bridge->listener, err)) {
		return false;
	}
	bridge->is_listening = true;
	lt_timer_every(&bridge->tidy, bridge->env.loop, TIDY_MS, lt_bridge_tidy, bridge);
	lt_bus_start(bridge->env.bus,
			&(struct lt_bus_listener){ on_message, on_up, on_down, on_replayed, on_room,
					lt_nodes_run(bridge->nodes), bridge });
	return true;
}

static void stop_listening(struct lt_bridge *bridge)
{
	if (bridge->is_listening) {
		lt_realm_link_set(bridge->env.router, bridge->env.realm, NULL, NULL);
	}
	bridge->is_listening = false;
	bridge->is_up = false;
	lt_timer_cancel(&bridge->retry);
	lt_timer_cancel(&bridge->tidy);
	lt_timer_cancel(&bridge->more);
}

void lt_bridge_stop(struct lt_bridge *bridge, void (*done)(void *arg), void *arg)
{
	lt_nodes_goodbye(bridge->nodes);
	stop_listening(bridge);
	lt_bus_stop(bridge->env.bus, done, arg);
}

void lt_bridge_destroy(struct lt_bridge *bridge)
{
	if (!bridge) {
		return;
	}
	stop_listening(bridge);
	lt_nodes_destroy(bridge->nodes);
	lt_kept_destroy(bridge->kept);
	lt_bridge_free_origins(bridge);
	lt_mesh_event_scratch_finish(&bridge->scratch);
	lt_free(bridge->prefix);
	lt_free(bridge->node);
	lt_free(bridge);
}

const char *lt_bridge_run(const struct lt_bridge *bridge)
{
	return lt_nodes_run(bridge->nodes);
}

static void count_node(void *arg, const struct lt_node_view *view)
{
	struct lt_bridge_stats *stats = arg;

	stats->nodes++;
	stats->linked += view->is_linked;
}

void lt_bridge_report(const struct lt_bridge *bridge, struct lt_bridge_stats *ret)
{
	*ret = bridge->stats;
	ret->kept = lt_kept_count(bridge->kept);
	ret->nodes = ret->linked = 0;
	lt_nodes_each(bridge->nodes, count_node, ret);
}

void lt_bridge_each_node(const struct lt_bridge *bridge,
		void (*fn)(void *arg, const struct lt_node_view *view), void *arg)
{
	lt_nodes_each(bridge->nodes, fn, arg);
}
