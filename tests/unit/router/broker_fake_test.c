#include "peer.h"

/* SUBSCRIBE, returning the subscription id. */
static uint64_t subscribe(struct peer *peer, const char *options, const char *topic)
{
	char text[400];
	unsigned long long id = 0;

	snprintf(text, sizeof(text), "[32,1,%s,\"%s\"]", options, topic);
	say(peer, text);
	assert_int_equal(sscanf(next_message(peer), "[33,1,%llu]", &id), 1);
	return id;
}

/* EVENT [36, subscription, any publication, rest */
static void expect_event(struct peer *peer, uint64_t subscription, const char *rest)
{
	const char *message = next_message(peer);
	unsigned long long id = 0, publication = 0;
	int used = 0;

	if (sscanf(message, "[36,%llu,%llu,%n", &id, &publication, &used) != 2) {
		fail_msg("expected an EVENT, got %s", message);
	}
	assert_int_equal(id, subscription);
	assert_string_equal(message + used, rest);
}

static void an_event_reaches_subscribers_with_its_payload_unchanged(void **state)
{
	struct peer *alice = join_anonymous(*state), *bob = join_anonymous(*state);
	uint64_t id = subscribe(bob, "{}", "a.b");

	say(alice, "[16,1,{},\"a.b\",[1, 2.50,\"\\u00e9\"],{\"k\": 1e400}]");

	expect_event(bob, id, "{},[1, 2.50,\"\\u00e9\"],{\"k\": 1e400}]");
	expect_silence(alice);
}

static void empty_trailing_arguments_are_left_out(void **state)
{
	struct peer *alice = join_anonymous(*state), *bob = join_anonymous(*state);
	uint64_t id = subscribe(bob, "{}", "a");

	say(alice, "[16,1,{},\"a\",[ ],{ }]");
	say(alice, "[16,1,{},\"a\",[],{\"x\":1}]");

	expect_event(bob, id, "{}]");
	expect_event(bob, id, "{},[],{\"x\":1}]");
}

static void one_payload_is_shared_by_all_receivers(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	struct peer *c = join_anonymous(*state);

	subscribe(b, "{}", "t");
	subscribe(c, "{}", "t");
	say(a, "[16,1,{},\"t\",[1]]");

	assert_ptr_equal(b->payloads[b->count - 1], c->payloads[c->count - 1]);
}

static void subscribing_twice_gives_the_same_id_and_one_event(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t first = subscribe(b, "{}", "t"), second = subscribe(b, "{\"match\":null}", "t");

	say(a, "[16,1,{},\"t\"]");

	assert_int_equal(first, second);
	expect_event(b, first, "{}]");
	expect_silence(b);
}

static void unsubscribing_ends_delivery(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t id = subscribe(b, "{}", "t");

	say_id(b, "[34,2,%id]", id);
	say(a, "[16,1,{},\"t\"]");

	expect(b, "[35,2]");
	expect_silence(b);
}

static void unsubscribing_what_one_does_not_hold_is_an_error(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t id = subscribe(b, "{}", "t");

	say_id(a, "[34,9007199254740992,%id]", id);

	expect_error(a, "34,9007199254740992", "wamp.error.no_such_subscription");
}

static void publish_excludes_the_publisher_unless_asked(void **state)
{
	struct peer *a = join_anonymous(*state);
	uint64_t id = subscribe(a, "{}", "t");

	say(a, "[16,1,{},\"t\",[1]]");
	say(a, "[16,2,{\"exclude_me\":false},\"t\",[2]]");

	expect_event(a, id, "{},[2]]");
	expect_silence(a);
}

static void an_acknowledged_publish_gets_the_id_of_the_event(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	unsigned long long acknowledged = 0, published = 0, id = 0;

	subscribe(b, "{}", "t");
	say(a, "[16,9007199254740992,{\"acknowledge\":true},\"t\"]");

	assert_int_equal(sscanf(next_message(a), "[17,9007199254740992,%llu]", &acknowledged), 1);
	assert_int_equal(sscanf(next_message(b), "[36,%llu,%llu,", &id, &published), 2);
	assert_int_equal(acknowledged, published);
}

static void an_unacknowledged_publish_never_gets_a_reply(void **state)
{
	struct peer *a = join_anonymous(*state);

	say(a, "[16,1,{},\"bad..uri\"]");
	say(a, "[16,1,{},\"wamp.x\"]");
	say(a, "[16,1,{\"exclude_me\":7},\"t\"]");
	say(a, "[16,1,{\"acknowledge\":1},\"t\"]");

	expect_silence(a);
	assert_false(a->closed);
}

static void acknowledged_mistakes_get_their_error_uris(void **state)
{
	struct peer *a = join_anonymous(*state);

	say(a, "[16,1,{\"acknowledge\":true},\"bad..uri\"]");
	say(a, "[16,2,{\"acknowledge\":true},\"wamp.x\"]");
	say(a, "[16,3,{\"retain\":1,\"acknowledge\":true},\"t\"]");
	say(a, "[16,4,{\"eligible\":[\"x\"],\"acknowledge\":true},\"t\"]");
	say(a, "[32,5,{\"match\":\"regex\"},\"t\"]");
	say(a, "[32,6,{\"get_retained\":\"yes\"},\"t\"]");
	say(a, "[32,7,{},\"a b\"]");

	expect_error(a, "16,1", "wamp.error.invalid_uri");
	expect_error(a, "16,2", "wamp.error.not_authorized");
	expect_error(a, "16,3", "wamp.error.invalid_argument");
	expect_error(a, "16,4", "wamp.error.invalid_argument");
	expect_error(a, "32,5", "wamp.error.invalid_argument");
	expect_error(a, "32,6", "wamp.error.invalid_argument");
	expect_error(a, "32,7", "wamp.error.invalid_uri");
}

static void patterns_get_the_topic_once_per_subscription(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t exact = subscribe(b, "{}", "emergency-low.x");
	uint64_t prefix = subscribe(b, "{\"match\":\"prefix\"}", "emergency");
	uint64_t wildcard = subscribe(b, "{\"match\":\"wildcard\"}", ".x");

	say(a, "[16,1,{},\"emergency-low.x\"]");

	expect_event(b, exact, "{}]");
	expect_event(b, prefix, "{\"topic\":\"emergency-low.x\"}]");
	expect_event(b, wildcard, "{\"topic\":\"emergency-low.x\"}]");
	expect_silence(b);
}

static void the_publisher_is_told_only_when_it_discloses_itself(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	char publisher[40];

	subscribe(b, "{}", "t");
	say(a, "[16,1,{\"disclose_me\":true,\"secret\":1},\"t\"]");

	snprintf(publisher, sizeof(publisher), "{\"publisher\":%llu,", (unsigned long long)a->id);
	expect_member(b, publisher);
	assert_null(strstr(b->messages[b->count - 1], "secret"));
}

static void lists_choose_the_receivers(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	struct peer *c = join_anonymous(*state);
	uint64_t id = subscribe(b, "{}", "t");

	subscribe(c, "{}", "t");
	say_id(a, "[16,1,{\"eligible\":[%id]},\"t\",[1]]", b->id);
	say_id(a, "[16,2,{\"exclude\":[%id]},\"t\",[2]]", c->id);
	say(a, "[16,3,{\"eligible\":[]},\"t\",[3]]");
	say(a, "[16,4,{\"eligible_authrole\":[\"services\"]},\"t\",[4]]");
	say(a, "[16,5,{\"exclude_authrole\":[\"anonymous\"]},\"t\",[5]]");

	expect_event(b, id, "{},[1]]");
	expect_event(b, id, "{},[2]]");
	expect_silence(b);
	expect_silence(c);
}

static void a_retained_event_comes_right_after_subscribed(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	struct peer *c = join_anonymous(*state);
	uint64_t id;

	say(a, "[16,1,{\"retain\":true},\"t\",[1]]");
	say(a, "[16,2,{\"retain\":true},\"t\",[2]]");
	say(a, "[16,3,{},\"t\",[3]]");
	vanish(a);
	id = subscribe(b, "{\"get_retained\":true}", "t");
	subscribe(c, "{}", "t");

	expect_event(b, id, "{\"retained\":true},[2]]");
	expect_silence(b);
	expect_silence(c);
}

static void a_repeated_subscribe_replays_again_from_the_same_bytes(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);

	say(a, "[16,1,{\"retain\":true},\"t\",[1]]");
	subscribe(b, "{\"get_retained\":true}", "t");
	next_message(b);
	subscribe(b, "{\"get_retained\":true}", "t");
	next_message(b);

	assert_int_equal(b->count, 5);
	assert_ptr_equal(b->payloads[2], b->payloads[4]);
}

static void patterns_get_one_retained_event_per_topic(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t prefix, wildcard;

	say(a, "[16,1,{\"retain\":true},\"s.a\",[1]]");
	say(a, "[16,1,{\"retain\":true},\"s.b\",[2]]");
	say(a, "[16,1,{\"retain\":true},\"x.b\",[3]]");
	prefix = subscribe(b, "{\"get_retained\":true,\"match\":\"prefix\"}", "s.");
	expect_event(b, prefix, "{\"topic\":\"s.a\",\"retained\":true},[1]]");
	expect_event(b, prefix, "{\"topic\":\"s.b\",\"retained\":true},[2]]");
	expect_silence(b);
	wildcard = subscribe(b, "{\"get_retained\":true,\"match\":\"wildcard\"}", ".b");

	expect_event(b, wildcard, "{\"topic\":\"s.b\",\"retained\":true},[2]]");
	expect_event(b, wildcard, "{\"topic\":\"x.b\",\"retained\":true},[3]]");
	expect_silence(b);
}

static void lists_hold_for_retained_events_too(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);

	say(a, "[16,1,{\"retain\":true,\"eligible_authid\":[\"somebody\"]},\"t\",[1]]");
	subscribe(b, "{\"get_retained\":true}", "t");

	expect_silence(b);
}

static void retained_topics_conflate_per_topic_and_subscription(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t exact = subscribe(b, "{}", "t.a");

	subscribe(b, "{\"match\":\"prefix\"}", "t");
	say(a, "[16,1,{\"retain\":true},\"t.a\"]");
	say(a, "[16,1,{\"retain\":true},\"t.b\"]");
	say(a, "[16,1,{},\"t.b\"]");

	int at = b->count - 4;

	assert_int_equal(b->conflate[at], exact);
	assert_int_not_equal(b->conflate[at + 1], 0);
	assert_int_not_equal(b->conflate[at + 2], 0);
	assert_int_not_equal(b->conflate[at + 1], b->conflate[at + 2]);
	assert_int_equal(b->conflate[at + 3], 0);
}

static int setup_small(void **state)
{
	return setup_router(state, OPEN_PERMISSIONS,
			(struct lt_limits){ .subscriptions = 2,
					.retained_topics = 2,
					.retained_bytes = 3000,
					.uri_bytes = 20 });
}

static void the_oldest_retained_topic_goes_first(void **state)
{
	struct peer *a = join_anonymous(*state), *b = join_anonymous(*state);
	uint64_t id;

	say(a, "[16,1,{\"retain\":true},\"t.1\"]");
	say(a, "[16,1,{\"retain\":true},\"t.2\"]");
	say(a, "[16,1,{\"retain\":true},\"t.1\"]");
	say(a, "[16,1,{\"retain\":true},\"t.3\"]");
	id = subscribe(b, "{\"get_retained\":true,\"match\":\"prefix\"}", "t");

	expect_event(b, id, "{\"topic\":\"t.1\",\"retained\":true}]");
	expect_event(b, id, "{\"topic\":\"t.3\",\"retained\":true}]");
	expect_silence(b);
}

static void subscriptions_and_uris_have_limits(void **state)
{
	struct peer *a = join_anonymous(*state);

	subscribe(a, "{}", "a");
	subscribe(a, "{}", "b");
	subscribe(a, "{}", "b");
	say(a, "[32,2,{},\"c\"]");
	say(a, "[32,3,{},\"a.very.long.uri.that.is.too.long\"]");

	expect_error(a, "32,2", "wamp.error.limit_exceeded");
	expect_error(a, "32,3", "wamp.error.invalid_uri");
}

static void a_session_that_vanishes_gets_nothing_more(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join_anonymous(f), *b = join_anonymous(f);
	struct lt_router_stats stats;

	subscribe(b, "{}", "t");
	vanish(b);
	say(a, "[16,1,{},\"t\"]");
	lt_router_report(f->router, &stats);

	assert_int_equal(b->count, 2);
	assert_int_equal(stats.subscriptions, 0);
	assert_int_equal(stats.sessions, 1);
	assert_int_equal(stats.events_published, 1);
}

#define OPEN(test)  cmocka_unit_test_setup_teardown(test, setup_open, teardown)
#define SMALL(test) cmocka_unit_test_setup_teardown(test, setup_small, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(an_event_reaches_subscribers_with_its_payload_unchanged),
		OPEN(empty_trailing_arguments_are_left_out),
		OPEN(one_payload_is_shared_by_all_receivers),
		OPEN(subscribing_twice_gives_the_same_id_and_one_event),
		OPEN(unsubscribing_ends_delivery),
		OPEN(unsubscribing_what_one_does_not_hold_is_an_error),
		OPEN(publish_excludes_the_publisher_unless_asked),
		OPEN(an_acknowledged_publish_gets_the_id_of_the_event),
		OPEN(an_unacknowledged_publish_never_gets_a_reply),
		OPEN(acknowledged_mistakes_get_their_error_uris),
		OPEN(patterns_get_the_topic_once_per_subscription),
		OPEN(the_publisher_is_told_only_when_it_discloses_itself),
		OPEN(lists_choose_the_receivers),
		OPEN(a_retained_event_comes_right_after_subscribed),
		OPEN(a_repeated_subscribe_replays_again_from_the_same_bytes),
		OPEN(patterns_get_one_retained_event_per_topic),
		OPEN(lists_hold_for_retained_events_too),
		OPEN(retained_topics_conflate_per_topic_and_subscription),
		SMALL(the_oldest_retained_topic_goes_first),
		SMALL(subscriptions_and_uris_have_limits),
		OPEN(a_session_that_vanishes_gets_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
