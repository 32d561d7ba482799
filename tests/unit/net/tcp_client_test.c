#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "base/random.h"
#include "net/tcp_client.h"
#include "support/server.h"
#include "support/test.h"

static const int64_t at_once[] = { 1 };

struct fixture {
	struct lt_net_env env;
	struct lt_timer guard;
	struct lt_tcp_client_opts opts;
	struct lt_tcp_client *client;
	struct server server;
	struct lt_buf bytes;
	struct lt_buf reasons; /* each with a line end */
	int connected, disconnected, stale, alive;
	/* stop the loop when so much has happened */
	size_t want_bytes;
	int want_connected, want_disconnected, want_stale, want_alive;
	bool destroy_when_done;
	int let_go[2];
	struct lt_deferred turn_end;
	size_t turn_bytes, most_turn_bytes; /* given in one turn of the loop */
};

static void too_late(void *arg)
{
	(void)arg;
	fail_msg("what the test waits for did not happen in 20 s");
}

static void look(struct fixture *f)
{
	if (f->bytes.n < f->want_bytes || f->connected < f->want_connected ||
			f->disconnected < f->want_disconnected || f->stale < f->want_stale ||
			f->alive < f->want_alive) {
		return;
	}
	if (f->destroy_when_done) {
		lt_tcp_client_destroy(LT_STEAL(f->client));
	}
	lt_loop_stop(f->env.loop);
}

static void on_connected(void *arg)
{
	struct fixture *f = arg;

	f->connected++;
	look(f);
}

static void on_turn_end(void *arg)
{
	((struct fixture *)arg)->turn_bytes = 0;
}

static void on_bytes(void *arg, struct lt_str bytes)
{
	struct fixture *f = arg;

	f->turn_bytes += bytes.n;
	f->most_turn_bytes = LT_MAX(f->most_turn_bytes, f->turn_bytes);
	lt_loop_defer(f->env.loop, &f->turn_end, on_turn_end, f);
	lt_buf_add_str(&f->bytes, bytes);
	look(f);
}

static void on_stale(void *arg, bool is_stale)
{
	struct fixture *f = arg;

	f->stale += is_stale;
	f->alive += !is_stale;
	look(f);
}

static void on_disconnected(void *arg, struct lt_str reason)
{
	struct fixture *f = arg;

	f->disconnected++;
	lt_buf_add_str(&f->reasons, reason);
	lt_buf_add_char(&f->reasons, '\n');
	look(f);
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->env.loop = lt_loop_create(NULL);
	f->env.random = lt_random_create(1, NULL);
	f->opts = (struct lt_tcp_client_opts){
		.host = "127.0.0.1",
		.stale_ms = 20000,
		.dead_ms = 20000,
		.backoff_ms = at_once,
		.backoff_n = 1,
		.connected = on_connected,
		.bytes = on_bytes,
		.stale = on_stale,
		.disconnected = on_disconnected,
		.arg = f,
	};
	lt_timer_once(&f->guard, f->env.loop, 20000, too_late, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_tcp_client_destroy(f->client);
	lt_timer_cancel(&f->guard);
	lt_deferred_cancel(&f->turn_end);
	lt_loop_destroy(f->env.loop);
	if (f->server.serve) {
		server_stop(&f->server);
	}
	lt_random_destroy(f->env.random);
	lt_buf_finish(&f->bytes);
	lt_buf_finish(&f->reasons);
	lt_free(f);
	return 0;
}

static void start(struct fixture *f, void (*serve)(int fd, int nth, void *arg))
{
	struct lt_err err = { 0 };

	if (serve) {
		server_start(&f->server, serve, f);
		f->opts.port = f->server.port;
	}
	f->client = lt_tcp_client_create(&f->env, &f->opts, &err);
	assert_non_null(f->client);
	lt_tcp_client_start(f->client);
}

static void serve_half_lines(int fd, int nth, void *arg)
{
	(void)nth;
	(void)arg;
	server_say(fd, "$A,\"1");
	server_say(fd, "\"\r\n$B");
	server_wait_for_close(fd);
}

static void bytes_arrive_as_they_were_sent(void **state)
{
	struct fixture *f = *state;

	f->want_bytes = 10;
	start(f, serve_half_lines);
	lt_loop_run(f->env.loop);

	assert_str_equal(lt_buf_str(&f->bytes), "$A,\"1\"\r\n$B");
	assert_int_equal(f->connected, 1);
	assert_true(lt_tcp_client_is_connected(f->client));
}

static void serve_echo(int fd, int nth, void *arg)
{
	char bytes[4096];
	ssize_t n;

	(void)nth;
	(void)arg;
	while ((n = recv(fd, bytes, sizeof(bytes) - 1, 0)) > 0) {
		bytes[n] = '\0';
		server_say(fd, bytes);
	}
}

static void what_is_sent_comes_back_from_an_echo(void **state)
{
	struct fixture *f = *state;
	char *text = lt_alloc(200000);
	struct lt_err err = { 0 };

	memset(text, 'x', 200000);
	f->want_connected = 1;
	start(f, serve_echo);
	assert_false(lt_tcp_client_send(f->client, LT_STR("too early"), &err));
	assert_int_equal(err.code, LT_E_UNAVAILABLE);
	lt_loop_run(f->env.loop);
	assert_true(lt_tcp_client_send(f->client, (struct lt_str){ text, 200000 }, &err));
	f->want_bytes = 200000;
	lt_loop_run(f->env.loop);

	assert_int_equal(f->bytes.n, 200000);
	lt_free(text);
}

static void serve_deaf(int fd, int nth, void *arg)
{
	struct fixture *f = arg;
	char byte;

	(void)fd;
	(void)nth;
	assert_int_equal(read(f->let_go[0], &byte, 1), 0); /* until the test closes the other end */
}

static void a_server_that_does_not_read_fills_a_bounded_queue(void **state)
{
	struct fixture *f = *state;
	char *text = lt_zalloc(LT_TCP_SEND_MAX);
	struct lt_err err = { 0 };
	int sent = 0;

	assert_int_equal(pipe(f->let_go), 0);
	f->want_connected = 1;
	start(f, serve_deaf);
	lt_loop_run(f->env.loop);
	while (sent < 1000 &&
			lt_tcp_client_send(f->client, (struct lt_str){ text, LT_TCP_SEND_MAX },
					&err)) {
		sent++;
	}
	close(f->let_go[1]);

	assert_true(sent < 1000);
	assert_int_equal(err.code, LT_E_LIMIT);
	lt_free(text);
}

static void serve_one_byte(int fd, int nth, void *arg)
{
	(void)nth;
	(void)arg;
	server_say(fd, "x");
}

static void serve_flood(int fd, int nth, void *arg)
{
	char block[65537];

	(void)nth;
	(void)arg;
	memset(block, 'x', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	for (int i = 0; i < 64; i++) {
		server_say(fd, block);
	}
	server_wait_for_close(fd);
}

static void a_flood_is_given_in_shares_of_a_turn_each(void **state)
{
	struct fixture *f = *state;

	f->want_bytes = 4 * 1024 * 1024;
	start(f, serve_flood);
	lt_loop_run(f->env.loop);

	assert_true(f->most_turn_bytes <= 65536);
}

static void a_lost_connection_is_made_anew(void **state)
{
	struct fixture *f = *state;

	f->want_bytes = 3;
	f->want_disconnected = 2;
	start(f, serve_one_byte);
	lt_loop_run(f->env.loop);

	assert_true(f->connected >= 3);
	assert_non_null(strstr(f->reasons.p, "closed the connection"));
}

static void a_refused_connection_is_tried_again(void **state)
{
	struct fixture *f = *state;

	f->opts.port = server_free_port();
	f->want_disconnected = 3;
	start(f, NULL);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->connected, 0);
	assert_non_null(strstr(f->reasons.p, "cannot connect to 127.0.0.1 port "));
	assert_non_null(strcasestr(f->reasons.p, ": connection refused\n"));
}

static void every_address_of_a_name_is_tried(void **state)
{
	struct fixture *f = *state;

	/* ::1 comes first where it exists, and nobody listens there */
	f->opts.host = "localhost";
	f->want_bytes = 1;
	start(f, serve_one_byte);
	lt_loop_run(f->env.loop);

	assert_true(f->connected >= 1);
}

static void a_name_that_is_none_is_an_error_that_says_so(void **state)
{
	struct fixture *f = *state;

	f->opts.host = "a..b";
	f->opts.port = 1;
	f->want_disconnected = 1;
	start(f, NULL);
	lt_loop_run(f->env.loop);

	assert_non_null(strstr(f->reasons.p, "cannot resolve a..b: "));
}

static void serve_silence(int fd, int nth, void *arg)
{
	(void)arg;
	if (nth > 0) {
		server_say(fd, "again");
	}
	server_wait_for_close(fd);
}

static void a_silent_server_is_stale_then_dropped_and_alive_when_it_speaks(void **state)
{
	struct fixture *f = *state;

	f->opts.stale_ms = 20;
	f->opts.dead_ms = 60;
	f->want_stale = 1;
	f->want_disconnected = 1;
	f->want_alive = 1;
	start(f, serve_silence);
	lt_loop_run(f->env.loop);

	assert_non_null(strstr(f->reasons.p, "was silent for 60 ms"));
	assert_true(f->connected >= 2);
}

static void the_client_may_be_destroyed_in_each_callback(void **state)
{
	struct fixture *f = *state;

	f->destroy_when_done = true;
	f->want_connected = 1;
	start(f, serve_half_lines);
	lt_loop_run(f->env.loop);
	f->want_connected = 0;
	f->want_bytes = 1;
	f->client = lt_tcp_client_create(&f->env, &f->opts, NULL);
	lt_tcp_client_start(f->client);
	lt_loop_run(f->env.loop);
	f->want_bytes = 0;
	f->want_disconnected = 1;
	f->opts.port = server_free_port();
	f->client = lt_tcp_client_create(&f->env, &f->opts, NULL);
	lt_tcp_client_start(f->client);
	lt_loop_run(f->env.loop);

	assert_null(f->client);
	assert_int_equal(f->disconnected, 1);
}

static void destroying_while_the_name_is_resolved_is_quiet(void **state)
{
	struct fixture *f = *state;

	start(f, serve_half_lines);
	lt_tcp_client_destroy(LT_STEAL(f->client));
	lt_tcp_client_destroy(NULL);

	assert_int_equal(f->connected + f->disconnected, 0);
}

static void a_stopped_client_can_be_started_again(void **state)
{
	struct fixture *f = *state;

	f->want_bytes = 10;
	start(f, serve_half_lines);
	lt_loop_run(f->env.loop);
	lt_tcp_client_stop(f->client);
	assert_false(lt_tcp_client_is_connected(f->client));
	f->want_bytes = 20;
	lt_tcp_client_start(f->client);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->bytes.n, 20);
	assert_int_equal(f->disconnected, 0);
}

static void a_client_without_host_or_port_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	assert_null(lt_tcp_client_create(&f->env, &f->opts, &err));
	assert_int_equal(err.code, LT_E_INVALID);
	f->opts.port = 1;
	f->opts.host = "";
	assert_null(lt_tcp_client_create(&f->env, &f->opts, &err));
}

static void a_unix_socket_is_tried_again_by_its_path(void **state)
{
	struct fixture *f = *state;

	f->opts.unix_path = "/nowhere/at/all.sock";
	f->want_disconnected = 2;
	start(f, NULL);
	lt_loop_run(f->env.loop);
	assert_non_null(strstr(f->reasons.p, "cannot connect to /nowhere/at/all.sock"));
}

static void a_path_that_is_no_socket_address_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[200];
	struct lt_err err = { 0 };

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	f->opts.unix_path = path;
	assert_null(lt_tcp_client_create(&f->env, &f->opts, &err));
	assert_int_equal(err.code, LT_E_INVALID);
	f->opts.unix_path = "";
	assert_null(lt_tcp_client_create(&f->env, &f->opts, &err));
}

static void what_waits_is_bounded_as_the_options_say(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	f->opts.send_max = 10;
	f->want_connected = 1;
	start(f, serve_echo);
	lt_loop_run(f->env.loop);
	assert_false(lt_tcp_client_send(f->client, LT_STR("more than ten"), &err));
	assert_int_equal(err.code, LT_E_LIMIT);
	assert_int_equal(lt_tcp_client_queued(f->client), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_arrive_as_they_were_sent),
		TEST(what_is_sent_comes_back_from_an_echo),
		TEST(a_server_that_does_not_read_fills_a_bounded_queue),
		TEST(a_flood_is_given_in_shares_of_a_turn_each),
		TEST(a_lost_connection_is_made_anew),
		TEST(a_refused_connection_is_tried_again),
		TEST(every_address_of_a_name_is_tried),
		TEST(a_name_that_is_none_is_an_error_that_says_so),
		TEST(a_silent_server_is_stale_then_dropped_and_alive_when_it_speaks),
		TEST(the_client_may_be_destroyed_in_each_callback),
		TEST(destroying_while_the_name_is_resolved_is_quiet),
		TEST(a_stopped_client_can_be_started_again),
		TEST(a_client_without_host_or_port_is_refused),
		TEST(a_unix_socket_is_tried_again_by_its_path),
		TEST(a_path_that_is_no_socket_address_is_refused),
		TEST(what_waits_is_bounded_as_the_options_say),
	};

	return cmocka_run_group_tests_name("net/tcp_client", tests, NULL, NULL);
}
