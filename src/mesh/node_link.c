#include "mesh/node_link.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "router/realm_link.h"
#include "router/remote.h"

struct lt_node_link {
	struct lt_node_link_env env;
	uint64_t ours, theirs; /* 0: not begun; not known */
	uint64_t sent, received;
	struct lt_remote *remote; /* while it stands */
};

struct lt_node_link *lt_node_link_create(const struct lt_node_link_env *env)
{
	struct lt_node_link *link = lt_zalloc(sizeof(*link));

	link->env = *env;
	return link;
}

void lt_node_link_destroy(struct lt_node_link *link)
{
	if (link) {
		lt_node_link_end(link);
		lt_free(link);
	}
}

bool lt_node_link_is_up(const struct lt_node_link *link)
{
	return link->remote != NULL;
}

struct lt_remote *lt_node_link_remote(struct lt_node_link *link)
{
	return link->remote;
}

void lt_node_link_numbers(const struct lt_node_link *link, struct lt_node_link_numbers *ret)
{
	*ret = (struct lt_node_link_numbers){ link->ours, link->theirs, link->sent };
}

/* n 0: without a message. */
static bool send(struct lt_node_link *link, uint64_t n, struct lt_str message, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf subject = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf body = { 0 };

	lt_buf_printf(&subject, "%s.to.%s", link->env.prefix, link->env.run);
	lt_buf_printf(&body, "{%s,\"ours\":%" PRIu64 ",\"theirs\":%" PRIu64 ",\"n\":%" PRIu64 "}\n",
			link->env.head, link->ours, link->theirs, n);
	lt_buf_add_str(&body, message);
	return lt_bus_publish(link->env.bus, lt_buf_str(&subject), lt_buf_str(&body), err);
}

/*
 * For the remote. A message that the bus has no room for is lost, and its
 * number with it: the other side notices, and both begin anew. One that is too
 * large for the bus was never there.
 */
static bool send_message(void *arg, struct lt_str message, struct lt_err *err)
{
	struct lt_node_link *link = arg;
	struct lt_err failure = { 0 };

	if (send(link, link->sent + 1, message, &failure)) {
		link->sent++;
		return true;
	}
	link->sent += failure.code != LT_E_INVALID;
	return lt_err_set(err, failure.code, "%s", failure.msg);
}

static void offer(void *arg, const struct lt_pattern_view *registration)
{
	lt_remote_offer(arg, registration);
}

static void stand(struct lt_node_link *link)
{
	struct lt_err err = { 0 };

	link->sent = link->received = 0;
	link->remote = lt_remote_join(
			&(struct lt_remote_env){
					.router = link->env.router,
					.realm = link->env.realm,
					.node = link->env.node,
					.send = send_message,
					.arg = link,
			},
			&err);
	if (!link->remote) {
		lt_log(&link->env.log, LT_ERROR, "calls to another node are not possible",
				"node=%s reason=\"%s\"", link->env.node, err.msg);
		return;
	}
	lt_log(&link->env.log, LT_INFO, "linked", "node=%s run=%s", link->env.node, link->env.run);
	lt_realm_link_each_registration(link->env.router, link->env.realm, offer, link->remote);
}

void lt_node_link_end(struct lt_node_link *link)
{
	lt_remote_leave(LT_STEAL(link->remote));
	link->ours = link->theirs = 0;
}

void lt_node_link_begin(struct lt_node_link *link)
{
	lt_node_link_end(link);
	link->ours = lt_random_id(link->env.random);
	send(link, 0, LT_STR(""), NULL);
}

void lt_node_link_nudge(struct lt_node_link *link)
{
	if (link->ours == 0) {
		lt_node_link_begin(link);
	} else if (!link->remote) {
		send(link, 0, LT_STR(""), NULL);
	}
}

static void begin_anew(struct lt_node_link *link, const char *why)
{
	lt_log(&link->env.log, LT_WARN, "link begins anew; calls over it are canceled",
			"node=%s reason=\"%s\"", link->env.node, why);
	lt_node_link_begin(link);
}

/* The other side begins, or answers that we did. */
static void on_begin(struct lt_node_link *link, const struct lt_node_link_numbers *numbers)
{
	if (link->remote && numbers->ours == link->theirs) {
		/* it stands here; there it may not know that yet */
		if (numbers->theirs != link->ours) {
			send(link, 0, LT_STR(""), NULL);
		}
		return;
	}
	if (link->remote || link->ours == 0) {
		lt_node_link_end(link);
		link->ours = lt_random_id(link->env.random);
	}
	link->theirs = numbers->ours;
	if (numbers->theirs != link->ours) {
		send(link, 0, LT_STR(""), NULL); /* it stands when they name our number */
		return;
	}
	send(link, 0, LT_STR(""), NULL);
	stand(link);
}

void lt_node_link_message(struct lt_node_link *link, const struct lt_node_link_numbers *numbers,
		struct lt_str message)
{
	struct lt_err err = { 0 };

	if (numbers->n == 0) {
		on_begin(link, numbers);
		return;
	}
	if (link->theirs == numbers->ours && link->ours == numbers->theirs && !link->remote) {
		stand(link); /* what said so was lost, or is behind */
	}
	if (!link->remote || numbers->ours != link->theirs || numbers->theirs != link->ours ||
			numbers->n <= link->received) {
		return; /* of an earlier time; what they say of the link tells whether it stands */
	}
	if (numbers->n != link->received + 1) {
		begin_anew(link, "a message was lost");
		return;
	}
	link->received++;
	if (!lt_remote_receive(link->remote, message, &err)) {
		lt_log(&link->env.log, LT_WARN, "message of another node ignored",
				"node=%s reason=\"%s\"", link->env.node, err.msg);
	}
}

void lt_node_link_check(struct lt_node_link *link, const struct lt_node_link_numbers *numbers)
{
	if (!link->remote) {
		lt_node_link_nudge(link);
	} else if (numbers->ours != link->theirs || numbers->theirs != link->ours) {
		begin_anew(link, "the other side lost it");
	} else if (numbers->n > link->received) {
		begin_anew(link, "a message was lost");
	}
}
