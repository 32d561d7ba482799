#include <assert.h>
#include <inttypes.h>

#include "base/alloc.h"
#include "router/authz.h"
#include "router/broker_priv.h"
#include "router/realm_link.h"
#include "router/wamp_uri.h"

struct lt_broker *lt_broker_create(struct lt_core *core)
{
	struct lt_broker *broker = lt_zalloc(sizeof(*broker));

	broker->core = core;
	broker->index = lt_match_create();
	broker->retained = lt_retained_create(
			core->limits.retained_bytes, core->limits.retained_topics);
	return broker;
}

void lt_broker_destroy(struct lt_broker *broker)
{
	if (broker) {
		lt_match_destroy(broker->index);
		lt_retained_destroy(broker->retained);
		lt_free(broker);
	}
}

struct lt_subscriber *lt_broker_find_subscriber(
		struct lt_broker *broker, struct lt_member *member, uint64_t subscription)
{
	struct lt_subscriber probe, *found = NULL;

	memset(&probe.key, 0, sizeof(probe.key));
	probe.key.member = member;
	probe.key.subscription = subscription;
	HASH_FIND(hh, broker->subscribers, &probe.key, sizeof(probe.key), found);
	return found;
}

static void insert_subscriber(struct lt_broker *broker, struct lt_subscriber *subscriber)
{
	HASH_ADD(hh, broker->subscribers, key, sizeof(subscriber->key), subscriber);
}

static void remove_subscriber(struct lt_broker *broker, struct lt_subscriber *subscriber)
{
	assert(broker->subscribers);
	HASH_DEL(broker->subscribers, subscriber);
}

static struct lt_subscription *find_subscription(const struct lt_broker *broker, uint64_t id)
{
	struct lt_subscription *found = NULL;

	HASH_FIND(hh, broker->subscriptions, &id, sizeof(id), found);
	return found;
}

static void insert_subscription(struct lt_broker *broker, struct lt_subscription *subscription)
{
	HASH_ADD(hh, broker->subscriptions, id, sizeof(subscription->id), subscription);
}

static void remove_subscription(struct lt_broker *broker, struct lt_subscription *subscription)
{
	HASH_DEL(broker->subscriptions, subscription);
}

static struct lt_pattern_view view_of(const struct lt_subscription *subscription)
{
	return (struct lt_pattern_view){ .id = subscription->id,
		.uri = subscription->pattern,
		.match = subscription->match,
		.created = subscription->created,
		.count = subscription->count };
}

static struct lt_subscription *subscription_create(
		struct lt_broker *broker, struct lt_str pattern, enum lt_match match)
{
	struct lt_subscription *subscription = lt_zalloc(sizeof(*subscription));

	subscription->id = ++broker->last_id;
	subscription->pattern = (struct lt_str){ lt_str_dup(pattern), pattern.n };
	subscription->match = match;
	subscription->is_meta = lt_uri_is_reserved(pattern);
	subscription->created = lt_loop_wall(broker->core->loop);
	lt_match_set(broker->index, subscription->pattern, match, subscription);
	insert_subscription(broker, subscription);
	broker->meta_count += subscription->is_meta;
	return subscription;
}

static void subscription_destroy(struct lt_broker *broker, struct lt_subscription *subscription)
{
	lt_match_remove(broker->index, subscription->pattern, subscription->match);
	remove_subscription(broker, subscription);
	broker->meta_count -= subscription->is_meta;
	lt_free((void *)(uintptr_t)subscription->pattern.p);
	lt_free(subscription->entries);
	lt_free(subscription);
}

static void attach(struct lt_broker *broker, struct lt_subscription *subscription,
		struct lt_member *member)
{
	struct lt_subscriber *subscriber = lt_zalloc(sizeof(*subscriber));

	if (subscription->count == subscription->capacity) {
		subscription->capacity = subscription->capacity ? subscription->capacity * 2 : 4;
		subscription->entries = lt_reallocarray(subscription->entries,
				subscription->capacity, sizeof(*subscription->entries));
	}
	subscriber->key.member = member;
	subscriber->key.subscription = subscription->id;
	subscriber->subscription = subscription;
	subscriber->at = subscription->count;
	subscription->entries[subscription->count++] =
			(struct lt_subscription_entry){ member, subscriber };
	insert_subscriber(broker, subscriber);
	DL_APPEND(member->subscriptions, subscriber);
	member->subscription_count++;
}

/* Nothing is told about subscriptions to what is told. */
static void tell(struct lt_broker *broker, const struct lt_subscription *subscription,
		const struct lt_member *member, enum lt_meta_news news)
{
	const struct lt_pattern_view view = view_of(subscription);

	if (!subscription->is_meta) {
		lt_meta_emit(broker, member, &view, news);
	}
}

static void detach(struct lt_broker *broker, struct lt_subscriber *subscriber)
{
	struct lt_subscription *subscription = subscriber->subscription;
	struct lt_member *member = subscriber->key.member;
	struct lt_subscription_entry *last = &subscription->entries[--subscription->count];

	last->subscriber->at = subscriber->at;
	subscription->entries[subscriber->at] = *last;
	remove_subscriber(broker, subscriber);
	DL_DELETE(member->subscriptions, subscriber);
	member->subscription_count--;
	lt_free(subscriber);
	tell(broker, subscription, member, LT_META_REMOVED);
	if (subscription->count == 0) {
		tell(broker, subscription, member, LT_META_DELETED);
		subscription_destroy(broker, subscription);
	}
}

static void tell_created(struct lt_broker *broker, const struct lt_subscription *subscription,
		const struct lt_member *member)
{
	const struct lt_pattern_view view = view_of(subscription);

	if (!subscription->is_meta) {
		lt_meta_emit_create(broker, member, &view);
	}
}

bool lt_broker_subscribe(struct lt_broker *broker, struct lt_member *member, struct lt_str pattern,
		enum lt_match match, uint64_t *ret_subscription, struct lt_err *err)
{
	if (!lt_core_check_uri(broker->core, member, pattern, match, err)) {
		return false;
	}
	if (!lt_role_allows(member->role, LT_ACTION_SUBSCRIBE, pattern, match)) {
		return lt_err_set(err, LT_E_DENIED, "role %s may not subscribe to this topic",
				lt_role_name(member->role));
	}

	struct lt_subscription *subscription = lt_match_get(broker->index, pattern, match);

	if (!subscription || !lt_broker_find_subscriber(broker, member, subscription->id)) {
		if (member->subscription_count >= broker->core->limits.subscriptions) {
			broker->core->stats.limit_hits[LT_LIMIT_SUBSCRIPTIONS]++;
			return lt_err_set(err, LT_E_LIMIT,
					"a session has at most %" PRIu32 " subscriptions",
					broker->core->limits.subscriptions);
		}
		if (!subscription) {
			subscription = subscription_create(broker, pattern, match);
			tell_created(broker, subscription, member);
		}
		attach(broker, subscription, member);
		tell(broker, subscription, member, LT_META_ADDED);
	}
	*ret_subscription = subscription->id;
	return true;
}

bool lt_broker_unsubscribe(struct lt_broker *broker, struct lt_member *member,
		uint64_t subscription, struct lt_err *err)
{
	struct lt_subscriber *subscriber = lt_broker_find_subscriber(broker, member, subscription);

	if (!subscriber) {
		return lt_err_set(err, LT_E_NOT_FOUND, "no such subscription");
	}
	detach(broker, subscriber);
	return true;
}

/* --- what the meta API asks --- */

bool lt_broker_get(const struct lt_broker *broker, uint64_t id, struct lt_pattern_view *ret)
{
	const struct lt_subscription *subscription = find_subscription(broker, id);

	if (subscription) {
		*ret = view_of(subscription);
	}
	return subscription;
}

bool lt_broker_lookup(const struct lt_broker *broker, struct lt_str pattern, enum lt_match match,
		struct lt_pattern_view *ret)
{
	const struct lt_subscription *subscription = lt_match_get(broker->index, pattern, match);

	if (subscription) {
		*ret = view_of(subscription);
	}
	return subscription;
}

struct viewing {
	lt_pattern_fn fn;
	void *arg;
};

static void show(void *arg, void *value)
{
	const struct viewing *viewing = arg;
	const struct lt_pattern_view view = view_of(value);

	viewing->fn(viewing->arg, &view);
}

void lt_broker_each(const struct lt_broker *broker, lt_pattern_fn fn, void *arg)
{
	struct viewing viewing = { fn, arg };

	lt_match_all(broker->index, show, &viewing);
}

void lt_broker_each_match(
		const struct lt_broker *broker, struct lt_str topic, lt_pattern_fn fn, void *arg)
{
	struct viewing viewing = { fn, arg };

	lt_match_each(broker->index, topic, show, &viewing);
}

void lt_broker_each_subscriber(
		const struct lt_broker *broker, uint64_t id, lt_member_fn fn, void *arg)
{
	const struct lt_subscription *subscription = find_subscription(broker, id);

	for (size_t i = 0; subscription && i < subscription->count; i++) {
		fn(arg, subscription->entries[i].member);
	}
}

static void note_time(void *arg, struct lt_retained *retained)
{
	*(struct lt_mono *)arg = retained->at;
}

bool lt_broker_retained_at(
		const struct lt_broker *broker, struct lt_str topic, struct lt_mono *ret_at)
{
	struct lt_mono at = { -1 };

	lt_retained_each(broker->retained, topic, LT_MATCH_EXACT, note_time, &at);
	if (at.us < 0) {
		return false;
	}
	*ret_at = at;
	return true;
}

void lt_broker_unretain(struct lt_broker *broker, struct lt_str topic)
{
	lt_retained_remove(broker->retained, topic);
	if (broker->link) {
		broker->link->unretained(broker->link->arg, topic);
	}
}

/* --- other nodes --- */

const char *lt_broker_node(const struct lt_broker *broker)
{
	return broker->core->node;
}

void lt_broker_set_link(struct lt_broker *broker, const struct lt_realm_listener *link)
{
	broker->link = link;
}

void lt_broker_forget(struct lt_broker *broker, struct lt_str topic)
{
	lt_retained_remove(broker->retained, topic);
}

static void note_retained(void *arg, struct lt_retained *retained)
{
	*(struct lt_retained **)arg = retained;
}

bool lt_broker_kept(struct lt_broker *broker, struct lt_str topic,
		const struct lt_serializer *serializer, struct lt_body *ret)
{
	struct lt_retained *retained = NULL;

	lt_retained_each(broker->retained, topic, LT_MATCH_EXACT, note_retained, &retained);
	if (retained) {
		*ret = lt_retained_form(broker->retained, retained, serializer);
	}
	return retained != NULL;
}

void lt_broker_leave(struct lt_broker *broker, struct lt_member *member)
{
	while (member->subscriptions) {
		detach(broker, member->subscriptions);
	}
}

void lt_broker_report(const struct lt_broker *broker, struct lt_router_stats *ret_stats)
{
	uint64_t topics, bytes;

	lt_retained_report(broker->retained, &topics, &bytes);
	ret_stats->subscriptions += HASH_COUNT(broker->subscriptions);
	ret_stats->retained_topics += topics;
	ret_stats->retained_bytes += bytes;
}
