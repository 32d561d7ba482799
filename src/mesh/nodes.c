#include "mesh/nodes.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/table.h"
#include "mesh/mesh_event.h"
#include "mesh/node_link.h"
#include "router/remote.h"

#define NUMBER_MAX (INT64_C(1) << 53)
#define NODES_MAX  1000 /* each says something to each other */

struct node {
	UT_hash_handle hh;
	char *name, *run, *role;
	int64_t since_ms;
	struct lt_mono heard;
	struct lt_node_link *link;
};

struct lt_nodes {
	struct lt_nodes_env env;
	char *prefix, *name, *role, *head; /* head: as link.h has it */
	char run[LT_RUN_TEXT];
	int64_t since_ms;
	struct node *nodes; /* by run */
	struct lt_timer beat;
	bool is_up, told_name_is_taken;
};

struct lt_nodes *lt_nodes_create(const struct lt_nodes_env *env)
{
	struct lt_nodes *nodes = lt_zalloc(sizeof(*nodes));
	struct lt_buf head = { 0 };

	nodes->env = *env;
	nodes->env.log.module = "mesh";
	nodes->prefix = lt_strdup(env->prefix);
	nodes->name = lt_strdup(env->node);
	nodes->role = lt_strdup(env->role);
	nodes->since_ms = lt_wall_ms(lt_loop_wall(env->loop));
	snprintf(nodes->run, sizeof(nodes->run), "%014" PRIx64, lt_random_id(env->random));
	lt_buf_add_c(&head, "\"node\":");
	lt_json_write_str(&head, lt_str_from(nodes->name));
	lt_buf_printf(&head, ",\"run\":\"%s\",\"since\":%" PRId64 ",\"role\":", nodes->run,
			nodes->since_ms);
	lt_json_write_str(&head, lt_str_from(nodes->role));
	nodes->head = lt_buf_steal(&head);
	return nodes;
}

const char *lt_nodes_run(const struct lt_nodes *nodes)
{
	return nodes->run;
}

/* --- nodes --- */

static struct node *find(const struct lt_nodes *nodes, struct lt_str run)
{
	struct node *found = NULL;

	HASH_FIND(hh, nodes->nodes, run.p, (unsigned)run.n, found);
	return found;
}

static void drop(struct lt_nodes *nodes, struct node *node, const char *why)
{
	HASH_DEL(nodes->nodes, node);
	lt_log(&nodes->env.log, LT_INFO, "node gone", "node=%s run=%s reason=\"%s\"", node->name,
			node->run, why);
	lt_node_link_destroy(node->link);
	nodes->env.gone(nodes->env.arg, lt_str_from(node->run));
	lt_free(node->name);
	lt_free(node->run);
	lt_free(node->role);
	lt_free(node);
}

/* What every message of a node begins with. Borrowed from the JSON. */
struct head {
	struct lt_str name, run, role;
	int64_t since_ms;
};

/* Node and run come into log lines and subjects. */
static bool is_word(struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f || strchr(".*>\"", text.p[i])) {
			return false;
		}
	}
	return text.n > 0 && text.n <= LT_MESH_NODE_BYTES;
}

static bool read_head(const cJSON *json, struct head *ret, struct lt_err *err)
{
	*ret = (struct head){ 0 };
	if (!lt_json_get_str(json, "node", &ret->name, err) ||
			!lt_json_get_str(json, "run", &ret->run, err) ||
			!lt_json_get_str(json, "role", &ret->role, err) ||
			!lt_json_get_int(json, "since", 0, NUMBER_MAX, &ret->since_ms, err)) {
		return false;
	}
	return (is_word(ret->name) && is_word(ret->run) && is_word(ret->role)) ||
			lt_err_set(err, LT_E_FORMAT, "node, run, role: expected a word");
}

static void tell_name_is_taken(struct lt_nodes *nodes, const struct head *head)
{
	if (lt_str_eq_c(head->name, nodes->name) && !nodes->told_name_is_taken &&
			head->since_ms > nodes->since_ms) {
		nodes->told_name_is_taken = true;
		lt_log(&nodes->env.log, LT_ERROR,
				"another node came with the name of this one: LIVETIMING_NODE must differ",
				"node=%s", nodes->name);
	}
}

/* An older run under the name: it was started again. Or a newer one is there: NULL, not counted. */
static bool make_way(struct lt_nodes *nodes, const struct head *head)
{
	struct node *node, *next;

	if (lt_str_eq_c(head->name, nodes->name) && head->since_ms <= nodes->since_ms) {
		return false;
	}
	HASH_ITER(hh, nodes->nodes, node, next) {
		if (!lt_str_eq_c(head->name, node->name)) {
			continue;
		}
		if (node->since_ms > head->since_ms) {
			return false;
		}
		drop(nodes, node, "it was started again");
	}
	return true;
}

static struct node *meet(struct lt_nodes *nodes, const struct head *head)
{
	struct node *node = find(nodes, head->run);

	if (!node) {
		tell_name_is_taken(nodes, head);
		if (!make_way(nodes, head) || HASH_COUNT(nodes->nodes) >= NODES_MAX) {
			return NULL;
		}
		node = lt_zalloc(sizeof(*node));
		node->name = lt_str_dup(head->name);
		node->run = lt_str_dup(head->run);
		node->role = lt_str_dup(head->role);
		node->since_ms = head->since_ms;
		HASH_ADD_KEYPTR(hh, nodes->nodes, node->run, (unsigned)head->run.n, node);
		node->link = lt_node_link_create(&(struct lt_node_link_env){
				.log = nodes->env.log,
				.random = nodes->env.random,
				.router = nodes->env.router,
				.realm = nodes->env.realm,
				.bus = nodes->env.bus,
				.prefix = nodes->prefix,
				.head = nodes->head,
				.node = node->name,
				.run = node->run,
		});
		lt_log(&nodes->env.log, LT_INFO, "node is there", "node=%s role=%s run=%s",
				node->name, node->role, node->run);
	}
	node->heard = lt_loop_now(nodes->env.loop);
	return node;
}

/* --- what is said to all --- */

static void write_links(const struct lt_nodes *nodes, struct lt_buf *buf)
{
	const struct node *node;
	struct lt_node_link_numbers numbers;

	lt_buf_add_c(buf, ",\"links\":{");
	for (node = nodes->nodes; node; node = node->hh.next) {
		lt_node_link_numbers(node->link, &numbers);
		lt_buf_printf(buf, "%s\"%s\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
				node == nodes->nodes ? "" : ",", node->run, numbers.ours,
				numbers.theirs, numbers.n);
	}
	lt_buf_add_char(buf, '}');
}

static void say(struct lt_nodes *nodes, bool is_bye)
{
	LT_AUTO(lt_buf_finish) struct lt_buf subject = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };

	lt_buf_printf(&subject, "%s.nodes", nodes->prefix);
	lt_buf_printf(&body, "{%s,\"seq\":%" PRIu64, nodes->head,
			nodes->env.last_seq(nodes->env.arg));
	if (is_bye) {
		lt_buf_add_c(&body, ",\"bye\":true");
	} else {
		write_links(nodes, &body);
	}
	lt_buf_add_char(&body, '}');
	lt_bus_publish(nodes->env.bus, lt_buf_str(&subject), lt_buf_str(&body), NULL);
}

static void on_beat(void *arg)
{
	struct lt_nodes *nodes = arg;
	struct lt_mono now = lt_loop_now(nodes->env.loop);
	struct node *node, *next;

	HASH_ITER(hh, nodes->nodes, node, next) {
		if (now.us - node->heard.us > LT_NODES_GONE_MS * 1000) {
			drop(nodes, node, "it is silent");
		} else if (!lt_node_link_is_up(node->link)) {
			lt_node_link_nudge(node->link);
		}
	}
	say(nodes, false);
}

void lt_nodes_up(struct lt_nodes *nodes)
{
	struct node *node;
	struct lt_mono now = lt_loop_now(nodes->env.loop);

	nodes->is_up = true;
	for (node = nodes->nodes; node; node = node->hh.next) {
		node->heard = now; /* nobody could be heard */
	}
	lt_timer_every(&nodes->beat, nodes->env.loop, LT_NODES_BEAT_MS, on_beat, nodes);
	say(nodes, false);
}

void lt_nodes_down(struct lt_nodes *nodes)
{
	struct node *node;

	nodes->is_up = false;
	lt_timer_cancel(&nodes->beat);
	for (node = nodes->nodes; node; node = node->hh.next) {
		lt_node_link_end(node->link);
	}
}

void lt_nodes_goodbye(struct lt_nodes *nodes)
{
	if (nodes->is_up) {
		say(nodes, true);
	}
	lt_nodes_down(nodes);
}

void lt_nodes_destroy(struct lt_nodes *nodes)
{
	struct node *node, *next;

	if (!nodes) {
		return;
	}
	lt_timer_cancel(&nodes->beat);
	HASH_ITER(hh, nodes->nodes, node, next) {
		drop(nodes, node, "this one stops");
	}
	lt_free(nodes->prefix);
	lt_free(nodes->name);
	lt_free(nodes->role);
	lt_free(nodes->head);
	lt_free(nodes);
}

/* --- what others say --- */

static bool read_numbers(const cJSON *list, struct lt_node_link_numbers *ret)
{
	uint64_t *const to[] = { &ret->ours, &ret->theirs, &ret->n };

	for (int i = 0; i < 3; i++) {
		const cJSON *item = cJSON_GetArrayItem(list, i);

		if (!cJSON_IsNumber(item) || item->valuedouble < 0 ||
				item->valuedouble > (double)NUMBER_MAX) {
			return false;
		}
		*to[i] = (uint64_t)item->valuedouble;
	}
	return true;
}

static bool on_said(struct lt_nodes *nodes, struct lt_str body, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(body, err);
	struct lt_node_link_numbers numbers;
	struct head head;
	struct node *node;
	int64_t seq = 0;
	bool is_bye = false;

	if (!json || !read_head(json, &head, err) ||
			!lt_json_get_int(json, "seq", 0, NUMBER_MAX, &seq, err) ||
			!lt_json_opt_bool(json, "bye", &is_bye, err)) {
		return false;
	}
	if (is_bye) {
		node = find(nodes, head.run);
		if (node) {
			drop(nodes, node, "it stops");
		}
		return true;
	}
	node = meet(nodes, &head);
	if (!node) {
		return true;
	}
	nodes->env.heard(nodes->env.arg, head.run, (uint64_t)seq);
	if (read_numbers(lt_json_get(lt_json_get(json, "links"), nodes->run), &numbers)) {
		lt_node_link_check(node->link, &numbers);
	} else {
		lt_node_link_nudge(node->link); /* it does not know this one yet */
	}
	return true;
}

static bool on_link_message(struct lt_nodes *nodes, struct lt_str body, struct lt_err *err)
{
	struct lt_str head_text = lt_str_split(&body, '\n');
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(head_text, err);
	int64_t ours = 0, theirs = 0, n = 0;
	struct head head;
	struct node *node;

	if (!json || !read_head(json, &head, err) ||
			!lt_json_get_int(json, "ours", 1, NUMBER_MAX, &ours, err) ||
			!lt_json_get_int(json, "theirs", 0, NUMBER_MAX, &theirs, err) ||
			!lt_json_get_int(json, "n", 0, NUMBER_MAX, &n, err)) {
		return false;
	}
	node = meet(nodes, &head);
	if (node) {
		const struct lt_node_link_numbers numbers = { (uint64_t)ours, (uint64_t)theirs,
			(uint64_t)n };

		lt_node_link_message(node->link, &numbers, body);
	}
	return true;
}

bool lt_nodes_message(
		struct lt_nodes *nodes, const struct lt_bus_message *message, struct lt_err *err)
{
	struct lt_str rest = lt_str_skip(message->subject, strlen(nodes->prefix) + 1);

	if (!nodes->is_up) {
		return true;
	}
	if (lt_str_eq_c(rest, "nodes")) {
		return on_said(nodes, message->body, err);
	}
	if (lt_str_eq_c(lt_str_split(&rest, '.'), "to")) {
		return !lt_str_eq_c(rest, nodes->run) || on_link_message(nodes, message->body, err);
	}
	return lt_err_set(err, LT_E_FORMAT, "unknown subject");
}

/* --- questions --- */

bool lt_nodes_has(const struct lt_nodes *nodes, struct lt_str run)
{
	return lt_str_eq_c(run, nodes->run) || find(nodes, run);
}

bool lt_nodes_is_first(const struct lt_nodes *nodes)
{
	const struct node *node;

	for (node = nodes->nodes; node; node = node->hh.next) {
		if (strcmp(node->run, nodes->run) < 0) {
			return false;
		}
	}
	return nodes->is_up;
}

void lt_nodes_registered(struct lt_nodes *nodes, const struct lt_pattern_view *registration)
{
	struct node *node;

	for (node = nodes->nodes; node; node = node->hh.next) {
		if (lt_node_link_is_up(node->link)) {
			lt_remote_offer(lt_node_link_remote(node->link), registration);
		}
	}
}

void lt_nodes_unregistered(struct lt_nodes *nodes, uint64_t registration)
{
	struct node *node;

	for (node = nodes->nodes; node; node = node->hh.next) {
		if (lt_node_link_is_up(node->link)) {
			lt_remote_withdraw(lt_node_link_remote(node->link), registration);
		}
	}
}

void lt_nodes_each(const struct lt_nodes *nodes,
		void (*fn)(void *arg, const struct lt_node_view *view), void *arg)
{
	struct lt_mono now = lt_loop_now(nodes->env.loop);
	const struct node *node;

	for (node = nodes->nodes; node; node = node->hh.next) {
		const struct lt_node_view view = { node->name, node->run, node->role,
			lt_node_link_is_up(node->link), (now.us - node->heard.us) / 1000 };

		fn(arg, &view);
	}
}
