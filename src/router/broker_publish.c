#include <inttypes.h>

#include "base/alloc.h"
#include "base/json.h"
#include "router/authz.h"
#include "router/broker_priv.h"
#include "router/guard.h"
#include "router/realm_link.h"
#include "router/wamp_uri.h"

/*
 * Queued events of the same value may be replaced by the newest: that of one
 * topic on one subscription. Ids are counters, so both halves fit for ever;
 * past that, nothing conflates.
 */
static uint64_t conflation_key(const struct lt_subscription *subscription, uint64_t serial)
{
	if (subscription->match == LT_MATCH_EXACT) {
		return subscription->id;
	}
	return subscription->id > UINT32_MAX || serial > UINT32_MAX
			? 0
			: serial << 32 | subscription->id;
}

/* EVENT of one subscription; `disclosure` is members with a comma in front. */
struct event {
	uint64_t publication;
	struct lt_str topic, disclosure;
	bool retained;
};

static struct lt_payload *build_event(const struct lt_subscription *subscription,
		const struct lt_serializer *serializer, const struct event *event,
		const struct lt_body *body)
{
	LT_AUTO(lt_buf_finish) struct lt_buf details = { 0 };
	struct lt_str members;

	if (subscription->match != LT_MATCH_EXACT) {
		lt_buf_add_c(&details, ",\"topic\":");
		lt_json_write_str(&details, event->topic);
	}
	if (event->retained) {
		lt_buf_add_c(&details, ",\"retained\":true");
	}
	lt_buf_add_str(&details, event->disclosure);
	lt_buf_add_char(&details, '}');
	members = lt_buf_str(&details);
	if (details.p[0] == ',') {
		details.p[0] = '{';
	} else {
		members = LT_STR("{}");
	}

	const struct lt_field fields[] = { lt_field_int(LT_WAMP_EVENT),
		lt_field_int(subscription->id), lt_field_int(event->publication),
		lt_field_json(members) };

	return lt_msg_encode(serializer, fields, LT_ARRAY_LEN(fields), body);
}

/* One publication on its way to every subscription that matches. */
struct delivery {
	struct lt_broker *broker;
	const struct lt_member *excluded; /* the publisher, or NULL */
	const struct lt_filter *filter;
	const struct lt_lock *lock; /* of a closed name; NULL: open */
	const struct lt_body *body;
	struct event event;
	struct lt_forms forms;        /* of the body, unless the retained event keeps them */
	struct lt_retained *retained; /* NULL: it is not retained */
	bool keeps_another;           /* what is retained is not what is delivered */
};

/* The arguments as this receiver wants them, converted once for all of its kind. */
static struct lt_body body_for(struct delivery *delivery, const struct lt_serializer *serializer)
{
	if (delivery->retained && !delivery->keeps_another) {
		return lt_retained_form(delivery->broker->retained, delivery->retained, serializer);
	}
	return lt_forms_get(&delivery->forms, delivery->body, serializer);
}

static void deliver(void *arg, void *value)
{
	struct delivery *delivery = arg;
	struct lt_subscription *subscription = value;
	struct lt_payload *payloads[LT_SERIALIZERS_MAX] = { 0 };
	uint64_t conflate = delivery->retained
			? conflation_key(subscription, delivery->retained->serial)
			: 0;

	for (size_t i = 0; i < subscription->count; i++) {
		struct lt_member *member = subscription->entries[i].member;
		const struct lt_serializer *serializer = member->serializer;

		if (member == delivery->excluded || !lt_lock_passes(delivery->lock, member) ||
				!lt_filter_passes(delivery->filter, member)) {
			continue;
		}
		if (!payloads[serializer->index]) {
			struct lt_body body = body_for(delivery, serializer);

			payloads[serializer->index] = build_event(
					subscription, serializer, &delivery->event, &body);
		}
		member->ops->send(member, payloads[serializer->index], conflate);
		delivery->broker->core->stats.events_sent++;
	}
	for (size_t i = 0; i < LT_SERIALIZERS_MAX; i++) {
		lt_payload_unref(payloads[i]);
	}
}

static void write_disclosure(struct lt_buf *members, const struct lt_member *publisher,
		const struct lt_publication *publication)
{
	if (publication->options->disclose_me ||
			lt_role_discloses(publisher->role, LT_ACTION_PUBLISH, publication->topic)) {
		lt_buf_printf(members,
				",\"publisher\":%" PRIu64 ",\"publisher_authid\":", publisher->id);
		lt_json_write_str(members, lt_str_from(publisher->authid));
		lt_buf_add_c(members, ",\"publisher_authrole\":");
		lt_json_write_str(members, lt_str_from(lt_role_name(publisher->role)));
	}
	lt_passthru_write(&publication->options->passthru, members);
}

bool lt_broker_check_publish(struct lt_broker *broker, const struct lt_member *publisher,
		struct lt_str topic, struct lt_err *err)
{
	if (!lt_core_check_uri(broker->core, publisher, topic, LT_MATCH_EXACT, err)) {
		return false;
	}
	if (lt_uri_is_reserved(topic)) {
		return lt_err_set(err, LT_E_DENIED, "topics under wamp. are the router's own");
	}
	if (!lt_role_allows(publisher->role, LT_ACTION_PUBLISH, topic, LT_MATCH_EXACT)) {
		return lt_err_set(err, LT_E_DENIED, "role %s may not publish to this topic",
				lt_role_name(publisher->role));
	}
	return true;
}

static void note_match(void *arg, void *value)
{
	(void)value;
	*(bool *)arg = true;
}

static void release(const struct lt_lazy *lazy)
{
	if (lazy->encode && lazy->release) {
		lazy->release(lazy->arg);
	}
}

/*
 * Keep the event; takes the filter. Returns false when it need not be
 * delivered: nobody hears it now, and a lazy value stays as it is.
 */
static bool retain(struct delivery *delivery, const struct lt_publication *publication,
		struct lt_filter *filter_take)
{
	struct lt_broker *broker = delivery->broker;
	const struct lt_lazy *lazy =
			delivery->keeps_another ? &publication->keeps : &publication->lazy;
	const struct lt_retained_value value = {
		.topic = publication->topic,
		.publication = delivery->event.publication,
		.at = lt_loop_now(broker->core->loop),
		.disclosure = delivery->event.disclosure,
		.filter = filter_take,
		.body = lazy->encode ? NULL : publication->body,
		.lazy = *lazy,
	};
	struct lt_retained *retained = lt_retained_set(broker->retained, &value);
	bool heard = false;

	delivery->retained = retained;
	delivery->filter = retained->filter;
	lt_match_each(broker->index, publication->topic, note_match, &heard);
	return heard;
}

/* Retain and deliver; takes the filter. */
static void spread(struct delivery *delivery, const struct lt_publication *publication,
		struct lt_filter *filter_take)
{
	struct lt_broker *broker = delivery->broker;
	struct lt_filter *filter = filter_take;
	bool heard = true;

	delivery->filter = filter;
	if (publication->options->retain) {
		heard = retain(delivery, publication, LT_STEAL(filter));
	}
	if (heard) {
		lt_match_each(broker->index, publication->topic, deliver, delivery);
	}
	lt_filter_destroy(filter);
}

/* To other nodes; a lazy value is encoded for them now. */
static void tell_link(const struct delivery *delivery, const struct lt_publication *publication)
{
	struct lt_broker *broker = delivery->broker;
	const struct lt_lock *lock = lt_guard_find(broker->core->guard, publication->topic);
	struct lt_link_event event = {
		.topic = publication->topic,
		.publication = delivery->event.publication,
		.disclosure = delivery->event.disclosure,
		.lists = publication->options->lists,
		.retain = publication->options->retain,
	};

	if (lock) {
		event.closed = lt_lock_name(lock);
	}
	event.body = publication->lazy.encode
			? lt_retained_form(
					  broker->retained, delivery->retained, &lt_serializer_json)
			: *delivery->body;
	if (delivery->keeps_another) {
		event.kept = lt_retained_form(
				broker->retained, delivery->retained, event.body.serializer);
	}
	broker->link->event(broker->link->arg, &event);
}

bool lt_broker_publish(struct lt_broker *broker, struct lt_member *publisher,
		const struct lt_publication *publication, uint64_t *ret_publication,
		struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf disclosure = { 0 };
	struct delivery delivery = { .broker = broker, .body = publication->body };
	struct lt_filter *filter = NULL;

	if (!lt_broker_check_publish(broker, publisher, publication->topic, err) ||
			!lt_filter_create(publication->options->lists, &filter, err)) {
		release(&publication->lazy);
		release(&publication->keeps);
		return false;
	}
	write_disclosure(&disclosure, publisher, publication);
	delivery.excluded = publication->options->exclude_me ? publisher : NULL;
	delivery.lock = lt_guard_find_event(broker->core->guard, publication->topic,
			publication->lazy.encode ? LT_STR("") : publication->body->args);
	delivery.event.publication = lt_random_id(broker->core->random);
	delivery.event.topic = publication->topic;
	delivery.event.disclosure = lt_buf_str(&disclosure);
	delivery.keeps_another = publication->keeps.encode != NULL;
	spread(&delivery, publication, filter);
	if (broker->link) {
		tell_link(&delivery, publication);
	}
	lt_forms_finish(&delivery.forms);
	broker->core->stats.events_published++;
	*ret_publication = delivery.event.publication;
	return true;
}

/* --- from other nodes, which checked what is checked above --- */

static void encode_copy(void *arg, struct lt_buf *buf)
{
	lt_buf_add_str(buf, lt_buf_str(arg));
}

static void release_copy(void *arg)
{
	struct lt_buf *copy = arg;

	lt_buf_finish(copy);
	lt_free(copy);
}

/* What is kept in place of what is delivered: JSON, as modules in process give it. */
static struct lt_lazy copy_kept(const struct lt_link_event *event)
{
	struct lt_buf *copy;

	if (!event->kept.serializer || !event->retain) {
		return (struct lt_lazy){ 0 };
	}
	copy = lt_zalloc(sizeof(*copy));
	lt_buf_add_str(copy, event->kept.args);
	return (struct lt_lazy){ encode_copy, release_copy, copy };
}

bool lt_broker_receive(
		struct lt_broker *broker, const struct lt_link_event *event, struct lt_err *err)
{
	const struct lt_publish_options options = { .retain = event->retain };
	struct lt_publication publication = {
		.topic = event->topic, .options = &options, .body = &event->body
	};
	struct delivery delivery = {
		.broker = broker,
		.body = &event->body,
		.lock = lt_guard_find_event(broker->core->guard, event->topic, event->body.args),
		.event = { .publication = event->publication,
				.topic = event->topic,
				.disclosure = event->disclosure },
	};
	struct lt_filter *filter = NULL;

	if (!lt_uri_check(event->topic, LT_MATCH_EXACT, broker->core->limits.uri_bytes, err) ||
			!lt_filter_create(event->lists, &filter, err)) {
		return false;
	}
	publication.keeps = copy_kept(event);
	delivery.keeps_another = publication.keeps.encode != NULL;
	if (event->is_quiet) {
		retain(&delivery, &publication, filter);
	} else {
		spread(&delivery, &publication, filter);
	}
	lt_forms_finish(&delivery.forms);
	return true;
}

/* --- meta --- */

bool lt_broker_has_meta_subscribers(const struct lt_broker *broker)
{
	return broker->meta_count > 0;
}

static void deliver_meta(void *arg, void *value)
{
	const struct lt_subscription *subscription = value;

	if (subscription->is_meta) {
		deliver(arg, value);
	}
}

void lt_broker_publish_meta(struct lt_broker *broker, const char *topic, struct lt_str args)
{
	const struct lt_body body = { .serializer = &lt_serializer_json, .args = args };
	struct delivery delivery = {
		.broker = broker,
		.body = &body,
		.event = { .publication = lt_random_id(broker->core->random),
				.topic = lt_str_from(topic) },
	};

	lt_match_each(broker->index, delivery.event.topic, deliver_meta, &delivery);
	lt_forms_finish(&delivery.forms);
}

/* --- retained events --- */

struct replay {
	struct lt_broker *broker;
	struct lt_member *member;
	const struct lt_subscription *subscription;
};

static void replay_one(void *arg, struct lt_retained *retained)
{
	const struct replay *replay = arg;
	const struct lt_subscription *subscription = replay->subscription;
	const struct lt_serializer *serializer = replay->member->serializer;
	bool exact = subscription->match == LT_MATCH_EXACT;
	const struct event event = { retained->publication, retained->topic, retained->disclosure,
		true };
	struct lt_payload *payload = NULL;

	if (!lt_lock_passes(lt_guard_find(replay->broker->core->guard, retained->topic),
			    replay->member) ||
			!lt_filter_passes(retained->filter, replay->member)) {
		return;
	}
	if (exact && retained->cached_subscription == subscription->id &&
			retained->cached[serializer->index]) {
		payload = lt_payload_ref(retained->cached[serializer->index]);
	} else {
		struct lt_body body =
				lt_retained_form(replay->broker->retained, retained, serializer);

		payload = build_event(subscription, serializer, &event, &body);
		if (exact) {
			if (retained->cached_subscription != subscription->id) {
				lt_retained_uncache(retained);
			}
			retained->cached_subscription = subscription->id;
			retained->cached[serializer->index] = lt_payload_ref(payload);
		}
	}
	replay->member->ops->send(
			replay->member, payload, conflation_key(subscription, retained->serial));
	replay->broker->core->stats.events_sent++;
	lt_payload_unref(payload);
}

void lt_broker_replay(struct lt_broker *broker, struct lt_member *member, uint64_t subscription)
{
	const struct lt_subscriber *subscriber =
			lt_broker_find_subscriber(broker, member, subscription);

	if (subscriber) {
		struct replay replay = { broker, member, subscriber->subscription };

		lt_retained_each(broker->retained, replay.subscription->pattern,
				replay.subscription->match, replay_one, &replay);
	}
}
