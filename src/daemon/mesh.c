#include "daemon/mesh.h"

#include "base/alloc.h"
#include "base/exposition.h"
#include "mesh/bridge.h"
#include "mesh/lease.h"
#include "race/envelope.h"

enum role { RECORD, SCHEDULE, ROLES };
static const char *const role_names[ROLES] = { "record", "schedule" };

/* Every node lists what it knows; that all know the same is for the events that are listed. */
static const char *const home_topics[] = { LT_TOPIC_DIRECTORY, NULL };

struct lt_daemon_mesh {
	struct lt_daemon_mesh_env env;
	struct lt_bus *bus;
	struct lt_bridge *bridge;
	struct lt_lease *leases[ROLES]; /* NULL: an edge has none */
	struct lt_buf holder;           /* of leases: node and run */
};

static void on_closed(void *arg, struct lt_str name)
{
	const struct lt_daemon_mesh *mesh = arg;

	mesh->env.closed(mesh->env.arg, name);
}

static void on_state(void *arg, bool is_up)
{
	const struct lt_daemon_mesh *mesh = arg;

	for (size_t i = 0; i < ROLES; i++) {
		if (mesh->leases[i]) {
			lt_lease_bus(mesh->leases[i], is_up);
		}
	}
	if (is_up) {
		mesh->env.joined(mesh->env.arg);
	}
}

static void create_leases(struct lt_daemon_mesh *mesh)
{
	void (*const changed[ROLES])(
			void *arg, bool is_ours) = { mesh->env.record, mesh->env.schedule };

	for (size_t i = 0; i < ROLES && !mesh->env.conf->is_edge; i++) {
		mesh->leases[i] = lt_lease_create(&(struct lt_lease_env){
				.loop = mesh->env.loop,
				.log = { mesh->env.log_sink, "mesh" },
				.bus = mesh->bus,
				.key = role_names[i],
				.holder = mesh->holder.p,
				.may_be_twice = i == RECORD,
				.changed = changed[i],
				.arg = mesh->env.arg,
		});
	}
}

struct lt_daemon_mesh *lt_daemon_mesh_create(
		const struct lt_daemon_mesh_env *env, struct lt_err *err)
{
	struct lt_daemon_mesh *mesh = lt_zalloc(sizeof(*mesh));

	mesh->env = *env;
	mesh->bus = lt_bus_nats_create(
			&(struct lt_bus_nats_env){
					.loop = env->loop,
					.log = { env->log_sink, "mesh" },
					.conf = env->conf->bus,
			},
			err);
	if (!mesh->bus) {
		lt_free(mesh);
		return NULL;
	}
	mesh->bridge = lt_bridge_create(&(struct lt_bridge_env){
			.loop = env->loop,
			.log = { env->log_sink, "mesh" },
			.random = env->random,
			.router = env->router,
			.realm = LT_STR(LT_REALM),
			.bus = mesh->bus,
			.prefix = env->conf->bus.prefix,
			.node = env->conf->node,
			.role = env->conf->is_edge ? "edge" : "origin",
			.home_topics = home_topics,
			.closed = on_closed,
			.state = on_state,
			.arg = mesh,
	});
	lt_buf_printf(&mesh->holder, "%s/%s", env->conf->node, lt_bridge_run(mesh->bridge));
	create_leases(mesh);
	return mesh;
}

void lt_daemon_mesh_destroy(struct lt_daemon_mesh *mesh)
{
	if (!mesh) {
		return;
	}
	lt_bridge_destroy(mesh->bridge);
	lt_bus_destroy(mesh->bus);
	for (size_t i = 0; i < ROLES; i++) {
		lt_lease_destroy(mesh->leases[i]);
	}
	lt_buf_finish(&mesh->holder);
	lt_free(mesh);
}

bool lt_daemon_mesh_start(struct lt_daemon_mesh *mesh, struct lt_err *err)
{
	return lt_bridge_start(mesh->bridge, err);
}

void lt_daemon_mesh_take_roles(struct lt_daemon_mesh *mesh)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (mesh->leases[i]) {
			lt_lease_start(mesh->leases[i]);
		}
	}
}

void lt_daemon_mesh_stop(struct lt_daemon_mesh *mesh, void (*done)(void *arg), void *arg)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (mesh->leases[i]) {
			lt_lease_stop(mesh->leases[i]);
		}
	}
	lt_bridge_stop(mesh->bridge, done, arg);
}

/* --- what is told of it --- */

const char *lt_daemon_mesh_trouble(const struct lt_daemon_mesh *mesh)
{
	struct lt_bus_stats bus;
	struct lt_bridge_stats bridge;

	lt_bus_report(mesh->bus, &bus);
	lt_bridge_report(mesh->bridge, &bridge);
	/* an edge without the others has nothing to show; an origin has what is its own */
	if (!mesh->env.conf->is_edge || bridge.is_current) {
		return NULL;
	}
	return bus.is_up ? "what the other nodes have is being read"
			 : "there is no connection to the backplane";
}

static void add_node(void *arg, const struct lt_node_view *view)
{
	cJSON *node = cJSON_CreateObject();

	lt_json_add_c(node, "node", view->node);
	lt_json_add_c(node, "role", view->role);
	lt_json_add_bool(node, "linked", view->is_linked);
	lt_json_add_int(node, "silent_ms", view->silent_ms);
	cJSON_AddItemToArray(arg, node);
}

/* "ours", or the node that has it; "": nobody is known to. */
static void add_role(cJSON *roles, const char *name, const struct lt_lease *lease)
{
	struct lt_str holder = lt_str_from(lt_lease_holder(lease));

	if (lt_lease_is_ours(lease)) {
		lt_json_add_c(roles, name, "ours");
	} else {
		lt_json_add_str(roles, name, lt_str_split(&holder, '/'));
	}
}

cJSON *lt_daemon_mesh_status(const struct lt_daemon_mesh *mesh)
{
	cJSON *json = cJSON_CreateObject(), *roles, *nodes;
	struct lt_bus_stats bus;
	struct lt_bridge_stats bridge;

	lt_bus_report(mesh->bus, &bus);
	lt_bridge_report(mesh->bridge, &bridge);
	lt_json_add_c(json, "node", mesh->env.conf->node);
	lt_json_add_c(json, "role", mesh->env.conf->is_edge ? "edge" : "origin");
	lt_json_add_bool(json, "connected", bus.is_up);
	lt_json_add_c(json, "server", bus.server);
	lt_json_add_bool(json, "current", bridge.is_current);
	nodes = cJSON_AddArrayToObject(json, "nodes");
	lt_bridge_each_node(mesh->bridge, add_node, nodes);
	roles = cJSON_AddObjectToObject(json, "roles");
	for (size_t i = 0; i < ROLES && mesh->leases[i]; i++) {
		add_role(roles, role_names[i], mesh->leases[i]);
	}
	lt_json_add_int(json, "events_out", (int64_t)bridge.events_out);
	lt_json_add_int(json, "events_in", (int64_t)bridge.events_in);
	lt_json_add_int(json, "kept", (int64_t)bridge.kept);
	lt_json_add_int(json, "gaps", (int64_t)bridge.gaps);
	lt_json_add_int(json, "duplicates", (int64_t)bridge.duplicates);
	lt_json_add_int(json, "refused", (int64_t)bridge.refused);
	lt_json_add_int(json, "broken", (int64_t)bridge.broken);
	return json;
}

void lt_daemon_mesh_write_metrics(const struct lt_daemon_mesh *mesh, struct lt_buf *buf)
{
	struct lt_bus_stats bus;
	struct lt_bridge_stats bridge;

	lt_bus_report(mesh->bus, &bus);
	lt_bridge_report(mesh->bridge, &bridge);

	const struct lt_expo_figure figures[] = {
		{ "livetiming_mesh_connected", "gauge", "1: the backplane is there", bus.is_up },
		{ "livetiming_mesh_current", "gauge", "1: what other nodes have retained is here",
				bridge.is_current },
		{ "livetiming_mesh_nodes", "gauge", "other nodes that are there", bridge.nodes },
		{ "livetiming_mesh_nodes_linked", "gauge", "of these, calls reach", bridge.linked },
		{ "livetiming_mesh_connects_total", "counter", "times the backplane was connected",
				bus.connects },
		{ "livetiming_mesh_events_out_total", "counter", "events sent to other nodes",
				bridge.events_out },
		{ "livetiming_mesh_events_in_total", "counter", "events of other nodes delivered",
				bridge.events_in },
		{ "livetiming_mesh_sent_bytes_total", "counter", "bytes sent to the backplane",
				bus.sent_bytes },
		{ "livetiming_mesh_received_bytes_total", "counter",
				"bytes received from the backplane", bus.received_bytes },
		{ "livetiming_mesh_queued_bytes", "gauge", "bytes that wait to be sent",
				bus.queued_bytes },
		{ "livetiming_mesh_kept_topics", "gauge",
				"topics with a retained event, of all nodes", bridge.kept },
		{ "livetiming_mesh_gaps_total", "counter", "events that were missing",
				bridge.gaps },
		{ "livetiming_mesh_duplicates_total", "counter", "events that had been here",
				bridge.duplicates },
		{ "livetiming_mesh_refused_total", "counter",
				"events the backplane did not take at once", bridge.refused },
		{ "livetiming_mesh_lost_total", "counter",
				"messages that came faster than they could be taken", bus.lost },
		{ "livetiming_mesh_broken_total", "counter", "messages not understood",
				bridge.broken },
		{ "livetiming_mesh_records", "gauge", "1: this node records for the mesh",
				mesh->leases[RECORD] && lt_lease_is_ours(mesh->leases[RECORD]) },
		{ "livetiming_mesh_schedules", "gauge", "1: this node acts by the calendars",
				mesh->leases[SCHEDULE] &&
						lt_lease_is_ours(mesh->leases[SCHEDULE]) },
	};

	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
}
