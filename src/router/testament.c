#include "router/testament.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/table.h"
#include "router/broker.h"
#include "router/core.h"

struct lt_testament {
	struct lt_testament *prev, *next;
	enum lt_testament_scope scope;
	struct lt_buf topic, args, kwargs, options;
	size_t bytes;
};

static void drop(struct lt_member *member, struct lt_testament *testament)
{
	DL_DELETE(member->testaments, testament);
	member->testament_count--;
	member->testament_bytes -= testament->bytes;
	lt_buf_finish(&testament->topic);
	lt_buf_finish(&testament->args);
	lt_buf_finish(&testament->kwargs);
	lt_buf_finish(&testament->options);
	lt_free(testament);
}

/* Empty containers are as good as absent. */
static void add_value(struct lt_buf *buf, struct lt_str json)
{
	if (json.n > 0 && !lt_str_eq_c(json, "[]") && !lt_str_eq_c(json, "{}")) {
		lt_buf_add_str(buf, json);
	}
}

static bool check(struct lt_core *core, struct lt_broker *broker, const struct lt_member *member,
		const struct lt_testament_value *value, struct lt_err *err)
{
	size_t bytes = value->topic.n + value->args.n + value->kwargs.n + value->options.n;
	struct lt_publish_options options;

	if (!lt_broker_check_publish(broker, member, value->topic, err)) {
		return false;
	}
	if (value->options.n > 0 && !lt_publish_options_read(value->options, &options, err)) {
		return lt_err_prefix(err, "publish_options");
	}
	if (member->testament_count >= core->limits.testaments ||
			bytes > core->limits.message_bytes - member->testament_bytes) {
		core->stats.limit_hits[LT_LIMIT_TESTAMENTS]++;
		return lt_err_set(err, LT_E_LIMIT,
				"a session has at most %" PRIu32
				" testaments of %zu bytes together",
				core->limits.testaments, core->limits.message_bytes);
	}
	return true;
}

bool lt_testament_add(struct lt_core *core, struct lt_broker *broker, struct lt_member *member,
		const struct lt_testament_value *value, struct lt_err *err)
{
	if (!check(core, broker, member, value, err)) {
		return false;
	}

	struct lt_testament *testament = lt_zalloc(sizeof(*testament));

	testament->scope = value->scope;
	lt_buf_add_str(&testament->topic, value->topic);
	add_value(&testament->args, value->args);
	add_value(&testament->kwargs, value->kwargs);
	lt_buf_add_str(&testament->options, value->options.n > 0 ? value->options : LT_STR("{}"));
	testament->bytes = value->topic.n + value->args.n + value->kwargs.n + value->options.n;
	DL_APPEND(member->testaments, testament);
	member->testament_count++;
	member->testament_bytes += testament->bytes;
	return true;
}

uint32_t lt_testament_flush(struct lt_member *member, enum lt_testament_scope scope)
{
	struct lt_testament *testament, *next;
	uint32_t flushed = 0;

	DL_FOREACH_SAFE(member->testaments, testament, next) {
		if (testament->scope == scope) {
			drop(member, testament);
			flushed++;
		}
	}
	return flushed;
}

static void publish(struct lt_core *core, struct lt_broker *broker, struct lt_member *member,
		const struct lt_testament *testament)
{
	struct lt_publish_options options;
	const struct lt_body body = { .serializer = &lt_serializer_json,
		.args = lt_buf_str(&testament->args),
		.kwargs = lt_buf_str(&testament->kwargs) };
	const struct lt_publication publication = {
		.topic = lt_buf_str(&testament->topic), .options = &options, .body = &body
	};
	uint64_t id;

	/* Permissions may have changed since: then it is not published. */
	if (lt_publish_options_read(lt_buf_str(&testament->options), &options, NULL) &&
			lt_broker_publish(broker, member, &publication, &id, NULL)) {
		core->stats.testaments_published++;
	}
}

void lt_testament_execute(struct lt_core *core, struct lt_broker *broker, struct lt_member *member)
{
	static const enum lt_testament_scope order[] = { LT_SCOPE_DETACHED, LT_SCOPE_DESTROYED };
	const struct lt_testament *testament;

	for (size_t i = 0; i < LT_ARRAY_LEN(order); i++) {
		DL_FOREACH(member->testaments, testament) {
			if (testament->scope == order[i]) {
				publish(core, broker, member, testament);
			}
		}
		lt_testament_flush(member, order[i]);
	}
}
