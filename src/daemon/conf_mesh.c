/* Settings of a daemon that is one of several. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "daemon/conf_priv.h"
#include "mesh/mesh_event.h"

bool lt_daemon_conf_check_role(struct lt_str value, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	return lt_str_eq_c(value, "origin") || lt_str_eq_c(value, "edge") ||
			lt_err_set(err, LT_E_INVALID, "%s: expected origin or edge",
					lt_str_quote(value, quoted));
}

/* A name that can stand in subjects and log lines. */
bool lt_daemon_conf_check_node(struct lt_str value, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				    c == '-' || c == '_')) {
			return lt_err_set(err, LT_E_INVALID,
					"%s: expected letters, digits, - and _",
					lt_str_quote(value, quoted));
		}
	}
	return (value.n > 0 && value.n <= LT_MESH_NODE_BYTES) ||
			lt_err_set(err, LT_E_INVALID, "expected 1 to %d letters, digits, - and _",
					LT_MESH_NODE_BYTES);
}

/* The host's name as far as it can be one of a node. */
static char *default_node(void)
{
	char name[LT_MESH_NODE_BYTES + 1] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || !name[0]) {
		snprintf(name, sizeof(name), "livetimingd");
	}
	for (char *c = name; *c; c++) {
		if (!lt_daemon_conf_check_node((struct lt_str){ c, 1 }, NULL)) {
			*c = '-';
		}
	}
	return lt_strdup(name);
}

/* Names of settings that belong to a backplane; without one they do nothing. */
static const char *const backplane_names[] = { "LIVETIMING_BACKPLANE_USER",
	"LIVETIMING_BACKPLANE_PASSWORD", "LIVETIMING_BACKPLANE_TOKEN", "LIVETIMING_BACKPLANE_NKEY",
	"LIVETIMING_BACKPLANE_CREDS", "LIVETIMING_BACKPLANE_CA", "LIVETIMING_BACKPLANE_CERT",
	"LIVETIMING_BACKPLANE_KEY" };

/* What an edge does not do. */
static const char *const origin_names[] = { "LIVETIMING_SERVICES", "LIVETIMING_CALENDAR_URL" };

static bool check_lone(
		const struct lt_conf *conf, const struct lt_mesh_conf *mesh, struct lt_err *err)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(backplane_names); i++) {
		if (lt_conf_get(conf, backplane_names[i])) {
			return lt_err_set(err, LT_E_INVALID,
					"%s: %s: set LIVETIMING_BACKPLANE as well",
					lt_conf_origin(conf, backplane_names[i]),
					backplane_names[i]);
		}
	}
	return !mesh->is_edge ||
			lt_err_set(err, LT_E_INVALID,
					"%s: LIVETIMING_ROLE: an edge needs LIVETIMING_BACKPLANE",
					lt_conf_origin(conf, "LIVETIMING_ROLE"));
}

static bool check_edge(const struct lt_conf *conf, struct lt_err *err)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(origin_names); i++) {
		const char *value = lt_conf_get(conf, origin_names[i]);

		if (value && *value) {
			return lt_err_set(err, LT_E_INVALID,
					"%s: %s: an edge has viewers alone; set it at an origin",
					lt_conf_origin(conf, origin_names[i]), origin_names[i]);
		}
	}
	return true;
}

static bool check(const struct lt_conf *conf, const struct lt_mesh_conf *mesh, struct lt_err *err)
{
	if (!mesh->bus.urls) {
		return check_lone(conf, mesh, err);
	}
	return (lt_bus_nats_check(&mesh->bus, err) ||
			       lt_err_prefix(err, "%s: LIVETIMING_BACKPLANE",
					       lt_conf_origin(conf, "LIVETIMING_BACKPLANE"))) &&
			(!mesh->is_edge || check_edge(conf, err));
}

bool lt_daemon_conf_read_mesh(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg)
{
	struct lt_mesh_conf *mesh = &ret->mesh;
	const char *node = lt_daemon_conf_value(conf, "LIVETIMING_NODE");
	uint64_t replicas = 1;
	struct lt_err err = { 0 };

	lt_parse_u64(lt_str_from(lt_conf_get(conf, "LIVETIMING_BACKPLANE_REPLICAS")), 5, &replicas,
			NULL);
	mesh->node = node ? lt_strdup(node) : default_node();
	mesh->is_edge = strcmp(lt_conf_get(conf, "LIVETIMING_ROLE"), "edge") == 0;
	mesh->origin_url = lt_daemon_conf_value(conf, "LIVETIMING_ORIGIN_URL");
	mesh->bus = (struct lt_bus_nats_conf){
		.urls = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE"),
		.user = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_USER"),
		.password = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_PASSWORD"),
		.token = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_TOKEN"),
		.nkey_file = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_NKEY"),
		.creds_file = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_CREDS"),
		.ca_file = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_CA"),
		.cert_file = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_CERT"),
		.key_file = lt_daemon_conf_value(conf, "LIVETIMING_BACKPLANE_KEY"),
		.prefix = lt_conf_get(conf, "LIVETIMING_BACKPLANE_PREFIX"),
		.node = mesh->node,
		.replicas = (unsigned)replicas,
	};
	if (!check(conf, mesh, &err)) {
		report(arg, true, err.msg);
		return false;
	}
	return true;
}
