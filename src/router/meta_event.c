#include "router/meta_event.h"

#include <inttypes.h>

#include "base/json.h"
#include "router/authz.h"
#include "router/broker.h"
#include "router/member.h"
#include "router/serializer.h"

static const char *const match_names[] = { "exact", "prefix", "wildcard" };

static void write_node(struct lt_buf *buf, const char *node)
{
	if (node) {
		lt_buf_add_c(buf, ",\"node\":");
		lt_json_write_str(buf, lt_str_from(node));
	}
}

void lt_meta_write_pattern(struct lt_buf *buf, const struct lt_pattern_view *view, const char *node)
{
	char created[LT_WALL_TEXT];

	lt_wall_format(view->created, created);
	lt_buf_printf(buf, "{\"id\":%" PRIu64 ",\"created\":\"%s\",\"uri\":", view->id, created);
	lt_json_write_str(buf, view->uri);
	lt_buf_printf(buf, ",\"match\":\"%s\"", match_names[view->match]);
	if (view->invoke) {
		lt_buf_printf(buf, ",\"invoke\":\"%s\"", view->invoke);
	}
	write_node(buf, node);
	lt_buf_add_char(buf, '}');
}

void lt_meta_write_session(struct lt_buf *buf, const struct lt_member *member, const char *node)
{
	lt_buf_printf(buf, "{\"session\":%" PRIu64 ",\"authid\":", member->id);
	lt_json_write_str(buf, lt_str_from(member->authid));
	lt_buf_add_c(buf, ",\"authrole\":");
	lt_json_write_str(buf, lt_str_from(lt_role_name(member->role)));
	lt_buf_printf(buf, ",\"authmethod\":\"%s\",\"authprovider\":\"static\"",
			member->authmethod);
	lt_buf_printf(buf, ",\"transport\":{\"type\":\"%s\",\"protocol\":\"%s\",\"peer\":",
			member->transport, member->serializer->subprotocol);
	lt_json_write_str(buf, lt_str_from(member->address));
	lt_buf_add_char(buf, '}');
	write_node(buf, member->node ? member->node : node);
	lt_buf_add_char(buf, '}');
}

static const char *topic_of(const struct lt_pattern_view *view, const char *subscription_topic,
		const char *registration_topic)
{
	return view->invoke ? registration_topic : subscription_topic;
}

void lt_meta_emit_create(struct lt_broker *broker, const struct lt_member *member,
		const struct lt_pattern_view *view)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	if (!lt_broker_has_meta_subscribers(broker)) {
		return;
	}
	lt_buf_printf(&args, "[%" PRIu64 ",", member->id);
	lt_meta_write_pattern(&args, view, lt_broker_node(broker));
	lt_buf_add_char(&args, ']');
	lt_broker_publish_meta(broker,
			topic_of(view, "wamp.subscription.on_create",
					"wamp.registration.on_create"),
			lt_buf_str(&args));
}

void lt_meta_emit(struct lt_broker *broker, const struct lt_member *member,
		const struct lt_pattern_view *view, enum lt_meta_news news)
{
	static const char *const topics[][2] = {
		[LT_META_ADDED] = { "wamp.subscription.on_subscribe",
				"wamp.registration.on_register" },
		[LT_META_REMOVED] = { "wamp.subscription.on_unsubscribe",
				"wamp.registration.on_unregister" },
		[LT_META_DELETED] = { "wamp.subscription.on_delete",
				"wamp.registration.on_delete" },
	};
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	if (!lt_broker_has_meta_subscribers(broker)) {
		return;
	}
	lt_buf_printf(&args, "[%" PRIu64 ",%" PRIu64 "]", member->id, view->id);
	lt_broker_publish_meta(broker, topic_of(view, topics[news][0], topics[news][1]),
			lt_buf_str(&args));
}

void lt_meta_emit_join(struct lt_broker *broker, const struct lt_member *member)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	if (lt_member_is_own(member) || !lt_broker_has_meta_subscribers(broker)) {
		return;
	}
	lt_buf_add_char(&args, '[');
	lt_meta_write_session(&args, member, lt_broker_node(broker));
	lt_buf_add_char(&args, ']');
	lt_broker_publish_meta(broker, "wamp.session.on_join", lt_buf_str(&args));
}

void lt_meta_emit_leave(struct lt_broker *broker, const struct lt_member *member)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	if (lt_member_is_own(member) || !lt_broker_has_meta_subscribers(broker)) {
		return;
	}
	lt_buf_printf(&args, "[%" PRIu64 ",", member->id);
	lt_json_write_str(&args, lt_str_from(member->authid));
	lt_buf_add_char(&args, ',');
	lt_json_write_str(&args, lt_str_from(lt_role_name(member->role)));
	lt_buf_add_char(&args, ']');
	lt_broker_publish_meta(broker, "wamp.session.on_leave", lt_buf_str(&args));
}
