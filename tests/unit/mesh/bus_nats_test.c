/* The bus with real servers, on the real loop. */
#include "base/alloc.h"
#include "mesh/bus_nats.h"
#include "support/nats_server.h"
#include "support/test.h"
#include "support/tls_files.h"
#include "support/tmpdir.h"

#define WAIT_MS  60000 /* when a test has failed */
#define NOTHING  ((struct lt_bus_nats_conf){ 0 })
#define MESSAGES 64

struct side {
	struct lt_loop *loop;
	struct lt_bus *bus;
	char messages[MESSAGES][80]; /* "subject body", with "stored " in front */
	int count, ups, downs, rooms, replays, failed_replays, claims;
	bool is_up, stopped, is_ours;
	char holder[40];
};

struct fixture {
	struct lt_loop *loop;
	struct lt_log_sink *sink;
	struct lt_buf log;
	struct nats_server *server;
	struct side sides[2];
	bool late;
	struct lt_timer poll, patience;
	const int *wanted;
	int at_least;
};

/* --- the loop, until something is so --- */

static void on_late(void *arg)
{
	struct fixture *f = arg;

	f->late = true;
	lt_loop_stop(f->loop);
}

static void look(void *arg)
{
	struct fixture *f = arg;

	if (*f->wanted >= f->at_least) {
		lt_loop_stop(f->loop);
	}
}

static void run_until(struct fixture *f, const int *value, int at_least)
{
	f->wanted = value;
	f->at_least = at_least;
	lt_timer_every(&f->poll, f->loop, 1, look, f);
	lt_timer_once(&f->patience, f->loop, WAIT_MS, on_late, f);
	lt_loop_run(f->loop);
	lt_timer_cancel(&f->poll);
	lt_timer_cancel(&f->patience);
	if (f->late) {
		fail_msg("waited in vain; the log: %.*s", LT_STR_ARG(lt_buf_str(&f->log)));
	}
}

/* --- what a side hears --- */

static void on_message(void *arg, const struct lt_bus_message *message)
{
	struct side *side = arg;

	assert_true(side->count < MESSAGES);
	snprintf(side->messages[side->count++], 80, "%s%.*s %.*s",
			message->is_stored ? "stored " : "", LT_STR_ARG(message->subject),
			(int)LT_MIN(message->body.n, 40), message->body.p);
}

static void on_up(void *arg)
{
	struct side *side = arg;

	side->ups++;
	side->is_up = true;
}

static void on_down(void *arg, const char *reason)
{
	struct side *side = arg;

	assert_non_null(reason);
	side->downs++;
	side->is_up = false;
}

static void on_replayed(void *arg, bool ok)
{
	struct side *side = arg;

	side->replays += ok;
	side->failed_replays += !ok;
}

static void on_room(void *arg)
{
	((struct side *)arg)->rooms++;
}

static void on_claimed(void *arg, bool is_ours, struct lt_str holder)
{
	struct side *side = arg;

	side->claims++;
	side->is_ours = is_ours;
	snprintf(side->holder, sizeof(side->holder), "%.*s", LT_STR_ARG(holder));
}

static void log_line(void *arg, enum lt_level level, struct lt_str line)
{
	struct fixture *f = arg;

	(void)level;
	lt_buf_add_str(&f->log, line);
	lt_buf_add_char(&f->log, '\n');
}

/* --- set up --- */

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	struct lt_err err;

	f->loop = lt_loop_create(&err);
	f->sink = lt_log_sink_fn(LT_INFO, log_line, f);
	*state = f;
	return 0;
}

static void serve(struct fixture *f, const char *conf)
{
	if (!nats_server_is_installed()) {
		skip();
	}
	f->server = nats_server_start(conf);
}

static void start_side(struct fixture *f, int i, struct lt_bus_nats_conf conf)
{
	static const char *const names[] = { "one", "two" };
	struct side *side = &f->sides[i];
	struct lt_err err = { 0 };

	conf.urls = conf.urls ? conf.urls : nats_server_url(f->server);
	conf.prefix = "lt";
	conf.node = names[i];
	side->loop = f->loop;
	side->bus = lt_bus_nats_create(
			&(struct lt_bus_nats_env){ f->loop, { f->sink, "mesh" }, conf }, &err);
	if (!side->bus) {
		fail_msg("%s", err.msg);
	}
	lt_bus_start(side->bus,
			&(struct lt_bus_listener){ on_message, on_up, on_down, on_replayed, on_room,
					names[i], side });
}

/* Both connected to a server without any restriction. */
static struct fixture *both(void **state)
{
	struct fixture *f = *state;

	serve(f, NULL);
	start_side(f, 0, NOTHING);
	start_side(f, 1, NOTHING);
	run_until(f, &f->sides[0].ups, 1);
	run_until(f, &f->sides[1].ups, 1);
	return f;
}

static void on_stopped(void *arg)
{
	struct side *side = arg;

	side->stopped = true;
	lt_loop_stop(side->loop);
}

static void stop_side(struct fixture *f, int i)
{
	struct side *side = &f->sides[i];

	if (side->bus) {
		lt_bus_stop(side->bus, on_stopped, side);
		while (!side->stopped) {
			lt_loop_run(f->loop);
		}
		lt_bus_destroy(side->bus);
		side->bus = NULL;
	}
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	stop_side(f, 0);
	stop_side(f, 1);
	if (f->server) {
		nats_server_destroy(f->server);
	}
	lt_log_sink_destroy(f->sink);
	lt_buf_finish(&f->log);
	lt_loop_destroy(f->loop);
	lt_free(f);
	return 0;
}

static void publish(struct side *side, const char *subject, const char *body)
{
	struct lt_err err;

	if (!lt_bus_publish(side->bus, lt_str_from(subject), lt_str_from(body), &err)) {
		fail_msg("%s: %s", subject, err.msg);
	}
}

static void expect_log(struct fixture *f, const char *text)
{
	lt_buf_add_char(&f->log, '\0');
	if (!strstr(f->log.p, text)) {
		fail_msg("expected %s in: %s", text, f->log.p);
	}
	f->log.n--;
}

/* --- messages --- */

static void what_one_says_the_other_hears_in_order_and_it_never_hears_itself(void **state)
{
	struct fixture *f = both(state);
	struct side *one = &f->sides[0], *two = &f->sides[1];
	char body[20], wanted[40];

	for (int i = 0; i < 30; i++) {
		snprintf(body, sizeof(body), "%d", i);
		publish(one, i % 2 ? "lt.live.t" : "lt.kept.t", body);
	}
	publish(two, "lt.nodes", "x");
	run_until(f, &two->count, 30);
	run_until(f, &one->count, 1);
	for (int i = 0; i < 30; i++) {
		snprintf(wanted, sizeof(wanted), "lt.%s.t %d", i % 2 ? "live" : "kept", i);
		assert_string_equal(two->messages[i], wanted);
	}
	assert_string_equal(one->messages[0], "lt.nodes x");
	assert_int_equal(one->count, 1);
}

static void what_is_to_one_comes_to_it_alone(void **state)
{
	struct fixture *f = both(state);

	publish(&f->sides[0], "lt.to.three", "1");
	publish(&f->sides[0], "lt.to.two", "2");
	run_until(f, &f->sides[1].count, 1);
	assert_string_equal(f->sides[1].messages[0], "lt.to.two 2");
}

static void messages_over_the_bound_are_refused_and_room_is_told(void **state)
{
	struct fixture *f = *state;
	struct side *one = &f->sides[0];
	char *large = lt_zalloc(100000);
	struct lt_err err = { 0 };
	int sent = 0;

	serve(f, "max_payload: 200000");
	start_side(f, 0, (struct lt_bus_nats_conf){ .queue_bytes = 1000000 });
	run_until(f, &one->ups, 1);
	nats_server_halt(f->server, true);
	while (lt_bus_publish(
			one->bus, LT_STR("lt.live.t"), (struct lt_str){ large, 100000 }, &err)) {
		assert_true(++sent < 1000);
	}
	assert_int_equal(err.code, LT_E_LIMIT);
	nats_server_halt(f->server, false);
	run_until(f, &one->rooms, 1);
	lt_free(large);
}

static void a_message_larger_than_the_server_takes_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	serve(f, "max_payload: 1000");
	start_side(f, 0, NOTHING);
	run_until(f, &f->sides[0].ups, 1);

	char large[2000] = "";

	assert_false(lt_bus_publish(f->sides[0].bus, LT_STR("lt.live.t"),
			(struct lt_str){ large, sizeof(large) }, &err));
	assert_int_equal(err.code, LT_E_INVALID);
	assert_non_null(strstr(err.msg, "max_payload"));
}

/* --- what is stored --- */

static void of_each_kept_subject_the_newest_is_replayed(void **state)
{
	struct fixture *f = both(state);
	struct side *one = &f->sides[0], *two = &f->sides[1];

	publish(one, "lt.kept.a", "1");
	publish(one, "lt.kept.b", "2");
	publish(one, "lt.kept.a", "3");
	publish(one, "lt.live.c", "4");
	run_until(f, &two->count, 4);
	two->count = 0;
	lt_bus_replay(two->bus);
	run_until(f, &two->replays, 1);
	assert_int_equal(two->count, 2);
	assert_string_equal(two->messages[0], "stored lt.kept.b 2");
	assert_string_equal(two->messages[1], "stored lt.kept.a 3");
}

static void a_replay_of_nothing_ends_too(void **state)
{
	struct fixture *f = both(state);

	lt_bus_replay(f->sides[0].bus);
	run_until(f, &f->sides[0].replays, 1);
	assert_int_equal(f->sides[0].count, 0);
}

static void what_is_forgotten_is_not_replayed(void **state)
{
	struct fixture *f = both(state);
	struct side *one = &f->sides[0];

	publish(one, "lt.kept.a", "1");
	publish(one, "lt.kept.b", "2");
	lt_bus_forget(one->bus, LT_STR("lt.kept.a"));
	for (int i = 1;; i++) { /* it is done when it is done */
		one->count = 0;
		lt_bus_replay(one->bus);
		run_until(f, &one->replays, i);
		if (one->count == 1) {
			break;
		}
		assert_true(i < 1000);
	}
	assert_string_equal(one->messages[0], "stored lt.kept.b 2");
}

/* --- leases --- */

static void claim(struct fixture *f, int i)
{
	struct side *side = &f->sides[i];
	int before = side->claims;

	lt_bus_claim(side->bus, LT_STR("dvr"), lt_str_from(i ? "two" : "one"), on_claimed, side);
	run_until(f, &side->claims, before + 1);
}

static void a_lease_is_of_one_until_it_is_released(void **state)
{
	struct fixture *f = both(state);
	struct side *one = &f->sides[0], *two = &f->sides[1];

	claim(f, 0);
	assert_true(one->is_ours);
	claim(f, 1);
	assert_false(two->is_ours);
	assert_string_equal(two->holder, "one");
	claim(f, 0);
	assert_true(one->is_ours);
	lt_bus_release(two->bus, LT_STR("dvr"), LT_STR("two")); /* which it has not */
	claim(f, 0);
	assert_true(one->is_ours);
	lt_bus_release(one->bus, LT_STR("dvr"), LT_STR("one"));
	claim(f, 0); /* behind the release, so that one is over */
	lt_bus_release(one->bus, LT_STR("dvr"), LT_STR("one"));
	for (int i = 0; i < 1000 && !two->is_ours; i++) {
		claim(f, 1);
	}
	assert_true(two->is_ours);
}

static void a_lease_that_is_not_renewed_goes_to_who_asks(void **state)
{
	struct fixture *f = both(state);

	claim(f, 0);
	stop_side(f, 0); /* without releasing it */
	for (int i = 0; i < 100000 && !f->sides[1].is_ours; i++) {
		claim(f, 1);
	}
	assert_true(f->sides[1].is_ours);
}

/* --- logins --- */

static void user_and_password(void **state)
{
	struct fixture *f = *state;

	serve(f, "authorization { user: u, password: secret1 }");
	start_side(f, 0, (struct lt_bus_nats_conf){ .user = "u", .password = "secret1" });
	run_until(f, &f->sides[0].ups, 1);
}

static void user_and_password_of_the_address(void **state)
{
	struct fixture *f = *state;
	char url[100];

	serve(f, "authorization { user: u, password: \"sec:ret@1\" }");
	snprintf(url, sizeof(url), "nats://u:sec%%3Aret%%401@%s", nats_server_address(f->server));
	start_side(f, 0, (struct lt_bus_nats_conf){ .urls = url });
	run_until(f, &f->sides[0].ups, 1);
}

static void a_wrong_password_is_told_without_it(void **state)
{
	struct fixture *f = *state;
	int logged = 0;

	serve(f, "authorization { user: u, password: secret1 }");
	start_side(f, 0, (struct lt_bus_nats_conf){ .user = "u", .password = "secret2" });
	while (logged == 0) {
		const int none = 0;

		run_until(f, &none, 0);
		logged = f->log.n > 0;
	}
	expect_log(f, "does not accept the login");
	assert_null(memmem(f->log.p, f->log.n, "secret2", 7));
}

static void token(void **state)
{
	struct fixture *f = *state;

	serve(f, "authorization { token: t0k }");
	start_side(f, 0, (struct lt_bus_nats_conf){ .token = "t0k" });
	run_until(f, &f->sides[0].ups, 1);
}

static void nkey(void **state)
{
	struct fixture *f = *state;
	char dir[TMPDIR_MAX];

	tmpdir_make(dir);
	/* made for this test: the bytes 1 to 32 */
	file_write(in_dir(dir, "seed"),
			LT_STR("SUAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB6IC5CQ\n"));
	serve(f,
			"authorization { users: [ { nkey: "
			"UB43KVROR7TFJ6KAPCYRF2FJROTZAH4FHLTJLPWX4DRZCC5NASLGJBFE } ] }");
	start_side(f, 0, (struct lt_bus_nats_conf){ .nkey_file = in_dir(dir, "seed") });
	run_until(f, &f->sides[0].ups, 1);
	tmpdir_remove(dir);
}

/* A server with a certificate of this host in dir, and a side that asks for localhost. */
static void start_tls(struct fixture *f, const char *host, char *dir)
{
	char conf[300], url[100];

	tmpdir_make(dir);
	tls_write_files(host, in_dir(dir, "cert"), in_dir(dir, "key"));
	snprintf(conf, sizeof(conf), "tls { cert_file: \"%s/cert\", key_file: \"%s/key\" }", dir,
			dir);
	serve(f, conf);
	snprintf(url, sizeof(url), "tls://localhost%s",
			strchr(nats_server_address(f->server), ':'));
	start_side(f, 0, (struct lt_bus_nats_conf){ .urls = url, .ca_file = in_dir(dir, "cert") });
}

static void tls_with_a_ca(void **state)
{
	struct fixture *f = *state;
	char dir[TMPDIR_MAX];

	start_tls(f, "localhost", dir);
	run_until(f, &f->sides[0].ups, 1);
	tmpdir_remove(dir);
}

static void tls_of_another_host_is_refused(void **state)
{
	struct fixture *f = *state;
	char dir[TMPDIR_MAX];
	const int none = 0;

	start_tls(f, "another.example", dir);
	while (f->log.n == 0) {
		run_until(f, &none, 0);
	}
	assert_int_equal(f->sides[0].ups, 0);
	expect_log(f, "TLS failed");
	tmpdir_remove(dir);
}

/* --- faults --- */

static void a_server_that_dies_and_comes_back_is_found_again(void **state)
{
	struct fixture *f = both(state);
	struct lt_err err = { 0 };

	nats_server_kill(f->server);
	run_until(f, &f->sides[0].downs, 1);
	run_until(f, &f->sides[1].downs, 1);
	assert_false(lt_bus_publish(f->sides[0].bus, LT_STR("lt.live.t"), LT_STR("x"), &err));
	assert_int_equal(err.code, LT_E_UNAVAILABLE);
	nats_server_again(f->server);
	run_until(f, &f->sides[0].ups, 2);
	run_until(f, &f->sides[1].ups, 2);
	publish(&f->sides[0], "lt.live.t", "again");
	run_until(f, &f->sides[1].count, 1);
	assert_string_equal(f->sides[1].messages[0], "lt.live.t again");
}

static void what_is_stored_survives_the_server(void **state)
{
	struct fixture *f = both(state);

	publish(&f->sides[0], "lt.kept.a", "1");
	run_until(f, &f->sides[1].count, 1);
	lt_bus_replay(f->sides[0].bus); /* so it is stored */
	run_until(f, &f->sides[0].replays, 1);
	nats_server_kill(f->server);
	nats_server_again(f->server);
	run_until(f, &f->sides[1].ups, 2);
	f->sides[1].count = 0;
	while (f->sides[1].replays == 0) { /* JetStream may need a moment */
		int before = f->sides[1].failed_replays;

		lt_bus_replay(f->sides[1].bus);
		for (const int none = 0;
				f->sides[1].replays == 0 && f->sides[1].failed_replays == before;) {
			run_until(f, &none, 0);
		}
	}
	assert_string_equal(f->sides[1].messages[0], "stored lt.kept.a 1");
}

static void a_server_that_is_not_there_yet_is_waited_for(void **state)
{
	struct fixture *f = *state;
	const int none = 0;

	serve(f, NULL);
	nats_server_kill(f->server);
	start_side(f, 0, NOTHING);
	while (f->log.n == 0) {
		run_until(f, &none, 0);
	}
	expect_log(f, "nothing answers there");
	nats_server_again(f->server);
	run_until(f, &f->sides[0].ups, 1);
}

static void the_second_server_is_used_where_the_first_does_not_answer(void **state)
{
	struct fixture *f = *state;
	char urls[200];

	serve(f, NULL);
	snprintf(urls, sizeof(urls), "nats://127.0.0.1:1, %s", nats_server_url(f->server));
	start_side(f, 0, (struct lt_bus_nats_conf){ .urls = urls });
	run_until(f, &f->sides[0].ups, 1);
}

static void a_server_that_hangs_is_given_up_and_stopping_ends_all_the_same(void **state)
{
	struct fixture *f = both(state);

	nats_server_halt(f->server, true);
	run_until(f, &f->sides[0].downs, 1);
	stop_side(f, 0);
	stop_side(f, 1);
}

/* --- settings --- */

static void wrong_settings_are_told(void **state)
{
	static const struct {
		struct lt_bus_nats_conf conf;
		const char *says;
	} cases[] = {
		{ { .urls = "" }, "expected nats://host:port" },
		{ { .urls = "http://x:1" }, "server 1: expected nats://host:port" },
		{ { .urls = "nats://x:1,nats://:4222" }, "server 2: expected nats://host:port" },
		{ { .urls = "nats://x:99999" }, "server 1" },
		{ { .urls = "nats://x", .user = "u" }, "belong together" },
		{ { .urls = "nats://x", .user = "u", .password = "hidden", .token = "hidden" },
				"only one" },
		{ { .urls = "nats://x", .nkey_file = "/nowhere" }, "/nowhere" },
		{ { .urls = "nats://x", .nkey_file = "/etc/hostname" }, "no seed" },
		{ { .urls = "nats://x", .creds_file = "/nowhere" }, "/nowhere" },
		{ { .urls = "nats://x", .ca_file = "/nowhere" }, "/nowhere" },
		{ { .urls = "nats://x", .cert_file = "/etc/hostname" }, "belong together" },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_false(lt_bus_nats_check(&cases[i].conf, &err));
		if (!strstr(err.msg, cases[i].says) || strstr(err.msg, "hidden")) {
			fail_msg("case %zu: %s", i, err.msg);
		}
	}
}

int main(void)
{
#define BUS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		BUS(what_one_says_the_other_hears_in_order_and_it_never_hears_itself),
		BUS(what_is_to_one_comes_to_it_alone),
		BUS(messages_over_the_bound_are_refused_and_room_is_told),
		BUS(a_message_larger_than_the_server_takes_is_refused),
		BUS(of_each_kept_subject_the_newest_is_replayed),
		BUS(a_replay_of_nothing_ends_too),
		BUS(what_is_forgotten_is_not_replayed),
		BUS(a_lease_is_of_one_until_it_is_released),
		BUS(a_lease_that_is_not_renewed_goes_to_who_asks),
		BUS(user_and_password),
		BUS(user_and_password_of_the_address),
		BUS(a_wrong_password_is_told_without_it),
		BUS(token),
		BUS(nkey),
		BUS(tls_with_a_ca),
		BUS(tls_of_another_host_is_refused),
		BUS(a_server_that_dies_and_comes_back_is_found_again),
		BUS(what_is_stored_survives_the_server),
		BUS(a_server_that_is_not_there_yet_is_waited_for),
		BUS(the_second_server_is_used_where_the_first_does_not_answer),
		BUS(a_server_that_hangs_is_given_up_and_stopping_ends_all_the_same),
		cmocka_unit_test(wrong_settings_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
