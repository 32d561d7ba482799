#include "router/guard.h"
#include "unit/mesh/mesh_fixture.h"

/* --- events --- */

static void an_event_reaches_the_subscribers_of_all_nodes_once(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *here = join_at(m, 0), *there = join_at(m, 1);

	subscribe(here, "t", false);
	subscribe(there, "t", false);
	say(publisher, "[16,1,{},\"t\",[1],{\"k\":2}]");
	lt_fake_advance(m->loop, 10000);
	expect_event(here, "{},[1],{\"k\":2}]");
	expect_silence(here);
	expect_event(there, "{},[1],{\"k\":2}]");
	expect_silence(there);
}

static void events_keep_their_order(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);

	subscribe(there, "t", false);
	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	say(publisher, "[16,2,{},\"t\",[2]]");
	say(publisher, "[16,3,{\"retain\":true},\"t\",[3]]");
	lt_fake_settle(m->loop);
	expect_event(there, "{},[1]]");
	expect_event(there, "{},[2]]");
	expect_event(there, "{},[3]]");
	expect_silence(there);
}

static void patterns_match_at_other_nodes_too(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);

	say(there, "[32,1,{\"match\":\"prefix\"},\"a.b\"]");
	expect_start(there, "[33,1,");
	say(publisher, "[16,1,{},\"a.bc/d\",[1]]");
	lt_fake_settle(m->loop);
	expect_event(there, "{\"topic\":\"a.bc/d\"},[1]]");
}

static void an_event_that_comes_twice_is_delivered_once(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);

	subscribe(there, "t", false);
	bus_memory_double(m->nodes[1].bus, ".t", 2);
	say(publisher, "[16,1,{},\"t\",[1]]");
	say(publisher, "[16,2,{\"retain\":true},\"t\",[2]]");
	lt_fake_settle(m->loop);
	expect_event(there, "{},[1]]");
	expect_event(there, "{},[2]]");
	expect_silence(there);
	assert_int_equal(stats_of(m, 1).duplicates, 2);
}

static void who_publishes_is_disclosed_at_other_nodes_as_here(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);
	char id[40];

	subscribe(there, "t", false);
	say(publisher, "[16,1,{\"disclose_me\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	snprintf(id, sizeof(id), "{\"publisher\":%llu,", (unsigned long long)publisher->id);
	expect_member(there, id);
}

static void black_and_white_lists_hold_at_other_nodes(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *one = join_at(m, 1), *other = join_at(m, 1);

	subscribe(one, "t", false);
	subscribe(other, "t", false);
	say_id(publisher, "[16,1,{\"exclude\":[%id]},\"t\",[1]]", one->id);
	say(publisher, "[16,2,{\"eligible_authrole\":[\"services\"]},\"t\",[2]]");
	lt_fake_settle(m->loop);
	expect_silence(one);
	expect_event(other, "{},[1]]");
	expect_silence(other);
}

static void topics_of_each_node_stay_there(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);

	subscribe(there, "home.topic", false);
	say(publisher, "[16,1,{\"retain\":true},\"home.topic\",[1]]");
	lt_fake_settle(m->loop);
	expect_silence(there);
}

static void a_closed_name_is_told_with_the_event(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0);

	assert_true(lt_guard_close(lt_router_guard(m->nodes[0].f.router), LT_STR("n1"), NULL));
	say(publisher, "[16,1,{},\"livetiming.service.n1\",[1]]");
	lt_fake_settle(m->loop);
	assert_string_equal(m->nodes[1].closed, "n1");
}

static void an_event_too_large_for_the_bus_is_left_out_and_the_rest_goes_on(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *here = join_at(m, 0), *there = join_at(m, 1);
	char large[2000];

	bus_memory_limit(m->nodes[0].bus, 1000);
	subscribe(here, "t", false);
	subscribe(there, "t", false);
	snprintf(large, sizeof(large), "[16,1,{\"retain\":true},\"t\",[\"%01500d\"]]", 7);
	say(publisher, large);
	say(publisher, "[16,2,{},\"t\",[2]]");
	lt_fake_settle(m->loop);
	expect_start(here, "[36,");
	expect_event(here, "{},[2]]");
	expect_event(there, "{},[2]]");
}

/* --- retained events --- */

static void a_retained_event_is_there_for_a_subscriber_of_another_node(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *late = join_at(m, 1);

	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	say(publisher, "[16,2,{\"retain\":true},\"t\",[2]]");
	lt_fake_settle(m->loop);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[2]]");
	expect_silence(late);
}

static void a_node_that_comes_later_has_what_was_retained_before(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *late;

	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	start_node(m, 2);
	late = join_at(m, 2);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[1]]");
}

static void what_is_forgotten_at_its_node_is_forgotten_at_all(void **state)
{
	struct mesh *m = *state;
	struct lt_local *local = lt_local_join(m->nodes[0].f.router, REALM, "x", "services", NULL);
	struct peer *late = join_at(m, 1);

	lt_local_publish(local, LT_STR("t"), true, LT_STR("[1]"), NULL);
	lt_fake_settle(m->loop);
	lt_local_unretain(local, LT_STR("t"));
	lt_fake_settle(m->loop);
	subscribe(late, "t", true);
	expect_silence(late);
	assert_int_equal(bus_hub_stored(m->hub), 0);
	lt_local_leave(local);
}

static void what_another_node_forgets_of_mine_it_forgets_alone(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *late;
	struct lt_local *other = lt_local_join(m->nodes[1].f.router, REALM, "x", "services", NULL);

	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	lt_local_unretain(other, LT_STR("t"));
	lt_fake_settle(m->loop);
	late = join_at(m, 0);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[1]]");
	assert_int_equal(bus_hub_stored(m->hub), 1);
	lt_local_leave(other);
}

static void encode_whole(void *arg, struct lt_buf *buf)
{
	lt_buf_add_c(buf, arg);
}

static void differences_are_heard_and_the_whole_is_kept_at_all_nodes(void **state)
{
	struct mesh *m = *state;
	struct lt_local *local = lt_local_join(m->nodes[0].f.router, REALM, "x", "services", NULL);
	struct peer *there = join_at(m, 1), *late = join_at(m, 1);
	char whole[] = "[\"whole\"]";
	const struct lt_local_kept kept = { encode_whole, NULL, whole };

	subscribe(there, "t", false);
	lt_local_publish_keeping(local, LT_STR("t"), LT_STR("[\"difference\"]"), &kept, NULL);
	lt_fake_settle(m->loop);
	expect_event(there, "{},[\"difference\"]]");
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[\"whole\"]]");
	lt_local_leave(local);
}

static void a_lazy_value_is_encoded_for_the_other_nodes(void **state)
{
	struct mesh *m = *state;
	struct lt_local *local = lt_local_join(m->nodes[0].f.router, REALM, "x", "services", NULL);
	struct peer *late = join_at(m, 1);
	char value[] = "[\"lazy\"]";

	lt_local_publish_lazy(local, LT_STR("t"), encode_whole, NULL, value, NULL);
	lt_fake_settle(m->loop);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[\"lazy\"]]");
	lt_local_leave(local);
}

static void of_two_publishers_the_later_wins_at_all_nodes_whatever_their_clocks_say(void **state)
{
	struct mesh *m = *state;
	struct peer *ahead = join_at(m, 0), *behind = join_at(m, 1), *late = join_at(m, 0);

	say(ahead, "[16,1,{\"retain\":true},\"t\",[\"ahead\"]]");
	lt_fake_settle(m->loop);
	lt_fake_set_wall(m->loop, (struct lt_wall){ LT_FAKE_START_S * 1000000 - 3600000000 });
	say(behind, "[16,1,{\"retain\":true},\"t\",[\"behind\"]]");
	lt_fake_settle(m->loop);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[\"behind\"]]");
}

/* --- faults --- */

static void without_the_bus_local_sessions_go_on(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *here = join_at(m, 0);

	bus_memory_set_up(m->nodes[0].bus, false);
	lt_fake_settle(m->loop);
	subscribe(here, "t", false);
	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	expect_event(here, "{},[1]]");
}

static void after_an_outage_retained_events_converge_in_both_directions(void **state)
{
	struct mesh *m = *state;
	struct peer *a = join_at(m, 0), *b = join_at(m, 1);

	subscribe(a, "of.b", false);
	subscribe(b, "of.a", false);
	bus_memory_set_up(m->nodes[0].bus, false);
	lt_fake_settle(m->loop);
	say(a, "[16,1,{\"retain\":true},\"of.a\",[1]]");
	say(a, "[16,2,{\"retain\":true},\"of.a\",[2]]");
	say(b, "[16,1,{\"retain\":true},\"of.b\",[3]]");
	lt_fake_settle(m->loop);
	expect_silence(a);
	expect_silence(b);
	bus_memory_set_up(m->nodes[0].bus, true);
	lt_fake_settle(m->loop);
	expect_event(a, "{},[3]]");
	expect_silence(a);
	expect_event(b, "{},[2]]");
	expect_silence(b);
}

static void what_was_forgotten_during_an_outage_goes_when_it_is_over(void **state)
{
	struct mesh *m = *state;
	struct lt_local *local = lt_local_join(m->nodes[0].f.router, REALM, "x", "services", NULL);
	struct peer *late = join_at(m, 1);

	lt_local_publish(local, LT_STR("t"), true, LT_STR("[1]"), NULL);
	lt_fake_settle(m->loop);
	bus_memory_set_up(m->nodes[1].bus, false);
	lt_fake_settle(m->loop);
	lt_local_unretain(local, LT_STR("t"));
	bus_memory_set_up(m->nodes[1].bus, true);
	lt_fake_settle(m->loop);
	subscribe(late, "t", true);
	expect_silence(late);
	lt_local_leave(local);
}

static void when_all_that_was_stored_is_lost_the_nodes_store_it_anew_and_nobody_hears_it_twice(
		void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1), *late;

	subscribe(there, "t", false);
	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	expect_event(there, "{},[1]]");
	bus_memory_set_up(m->nodes[0].bus, false);
	bus_memory_set_up(m->nodes[1].bus, false);
	bus_hub_wipe(m->hub);
	lt_fake_settle(m->loop);
	bus_memory_set_up(m->nodes[1].bus, true);
	lt_fake_settle(m->loop); /* reads nothing */
	bus_memory_set_up(m->nodes[0].bus, true);
	lt_fake_settle(m->loop);
	expect_silence(there);
	late = join_at(m, 1);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[1]]");
	assert_int_equal(bus_hub_stored(m->hub), 1);
}

static void a_lost_event_of_a_retained_topic_is_read_again(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);

	subscribe(there, "t", false);
	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	bus_memory_lose(m->nodes[1].bus, ".kept.", 1);
	say(publisher, "[16,2,{\"retain\":true},\"t\",[2]]");
	lt_fake_settle(m->loop);
	expect_event(there, "{},[1]]");
	expect_silence(there);
	lt_fake_advance(m->loop, LT_NODES_BEAT_MS); /* which tells how far the other has come */
	expect_event(there, "{},[2]]");
	expect_silence(there);
}

static void what_finds_no_room_is_said_when_there_is_some_and_of_each_topic_the_newest(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 0), *there = join_at(m, 1);

	subscribe(there, "t", false);
	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	bus_memory_fill(m->nodes[0].bus, true);
	say(publisher, "[16,2,{\"retain\":true},\"t\",[2]]");
	say(publisher, "[16,3,{\"retain\":true},\"t\",[3]]");
	bus_memory_fill(m->nodes[0].bus, false);
	lt_fake_settle(m->loop);
	expect_event(there, "{},[1]]");
	expect_event(there, "{},[3]]");
	expect_silence(there);
}

static void what_a_dead_node_had_retained_goes_after_ten_minutes(void **state)
{
	struct mesh *m = *state;
	struct peer *publisher = join_at(m, 1), *late;

	say(publisher, "[16,1,{\"retain\":true},\"t\",[1]]");
	lt_fake_settle(m->loop);
	kill_node(m, 1);
	lt_fake_advance(m->loop, 9 * 60000);
	late = join_at(m, 0);
	subscribe(late, "t", true);
	expect_event(late, "{\"retained\":true},[1]]");
	lt_fake_advance(m->loop, 3 * 60000);
	late = join_at(m, 0);
	subscribe(late, "t", true);
	expect_silence(late);
	assert_int_equal(bus_hub_stored(m->hub), 0);
}

static void messages_that_make_no_sense_are_counted_and_change_nothing(void **state)
{
	struct mesh *m = *state;
	struct peer *there = join_at(m, 1);
	static const char *const bad[] = { "", "\n", "{}", "{}\n[36,1,1,{}]", "[]\n",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":1,\"at\":1,\"topic\":\"t\"}\n",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":1,\"at\":1,\"topic\":\"t\"}\n[36,1,1,{},[}]",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":1,\"at\":1,\"topic\":\"t\"}\n[16,1,{},\"t\"]",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":2,\"at\":1,\"topic\":\" \"}\n[36,1,1,{}]",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":-1,\"at\":1,\"topic\":\"t\"}\n[36,1,1,{}]",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":3,\"at\":1,\"topic\":\"t\",\"format\":\"x\"}\n"
		"[36,1,1,{}]",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":4,\"at\":1,\"topic\":\"t\",\"bytes\":999}\n"
		"[36,1,1,{}]",
		"{\"node\":\"x\",\"run\":\"y\",\"seq\":5,\"at\":1,\"topic\":\"t\",\"exclude\":1}\n"
		"[36,1,1,{}]" };

	subscribe(there, "t", true);
	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		bus_hub_inject(m->hub, "lt.live.t", lt_str_from(bad[i]));
		bus_hub_inject(m->hub, "lt.nodes", lt_str_from(bad[i]));
	}
	bus_hub_inject(m->hub, "lt.other", LT_STR("{}"));
	bus_hub_inject(m->hub, "lt", LT_STR("{}"));
	lt_fake_settle(m->loop);
	expect_silence(there);
	assert_int_equal(stats_of(m, 1).broken, 2 * LT_ARRAY_LEN(bad) + 2);
	assert_int_equal(stats_of(m, 1).nodes, 1);
}

int main(void)
{
#define MESH(test) cmocka_unit_test_setup_teardown(test, setup_mesh, teardown_mesh)
	const struct CMUnitTest tests[] = {
		MESH(an_event_reaches_the_subscribers_of_all_nodes_once),
		MESH(events_keep_their_order),
		MESH(patterns_match_at_other_nodes_too),
		MESH(an_event_that_comes_twice_is_delivered_once),
		MESH(who_publishes_is_disclosed_at_other_nodes_as_here),
		MESH(black_and_white_lists_hold_at_other_nodes),
		MESH(topics_of_each_node_stay_there),
		MESH(a_closed_name_is_told_with_the_event),
		MESH(an_event_too_large_for_the_bus_is_left_out_and_the_rest_goes_on),
		MESH(a_retained_event_is_there_for_a_subscriber_of_another_node),
		MESH(a_node_that_comes_later_has_what_was_retained_before),
		MESH(what_is_forgotten_at_its_node_is_forgotten_at_all),
		MESH(what_another_node_forgets_of_mine_it_forgets_alone),
		MESH(differences_are_heard_and_the_whole_is_kept_at_all_nodes),
		MESH(a_lazy_value_is_encoded_for_the_other_nodes),
		MESH(of_two_publishers_the_later_wins_at_all_nodes_whatever_their_clocks_say),
		MESH(without_the_bus_local_sessions_go_on),
		MESH(after_an_outage_retained_events_converge_in_both_directions),
		MESH(what_was_forgotten_during_an_outage_goes_when_it_is_over),
		MESH(when_all_that_was_stored_is_lost_the_nodes_store_it_anew_and_nobody_hears_it_twice),
		MESH(a_lost_event_of_a_retained_topic_is_read_again),
		MESH(what_finds_no_room_is_said_when_there_is_some_and_of_each_topic_the_newest),
		MESH(what_a_dead_node_had_retained_goes_after_ten_minutes),
		MESH(messages_that_make_no_sense_are_counted_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
