#include <sys/socket.h>

#include <libwebsockets.h>
#include <mbedtls/sha1.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/loop.h"
#include "base/random.h"
#include "net/ws_client.h"
#include "net/ws_url.h"
#include "support/server.h"
#include "support/test.h"

static const int64_t at_once[] = { 1 };

struct fixture {
	struct lt_net_env env;
	struct lt_timer guard;
	struct lt_ws_hub *hub;
	struct lt_ws_client_opts opts;
	struct lt_ws_client *client;
	struct server server;
	char url[64];
	char request[4096];      /* the handshake the server read last */
	struct lt_buf messages;  /* each with 't' or 'b' before and '|' behind */
	struct lt_buf reasons;   /* each with a line end */
	unsigned char frame[16]; /* what the server read after its script */
	int connected, messages_n, disconnected, stale, alive;
	int want_connected, want_messages, want_disconnected, want_stale, want_alive;
	bool destroy_when_done;
	bool destroyed;
};

static void too_late(void *arg)
{
	(void)arg;
	fail_msg("what the test waits for did not happen in 20 s");
}

static void look(struct fixture *f)
{
	if (f->connected < f->want_connected || f->messages_n < f->want_messages ||
			f->disconnected < f->want_disconnected || f->stale < f->want_stale ||
			f->alive < f->want_alive) {
		return;
	}
	if (f->destroy_when_done) {
		assert_false(f->destroyed); /* no callback after it */
		f->destroyed = true;
		lt_ws_client_destroy(LT_STEAL(f->client));
	}
	lt_loop_stop(f->env.loop);
}

static void on_connected(void *arg)
{
	struct fixture *f = arg;

	f->connected++;
	look(f);
}

static void on_message(void *arg, struct lt_str message, bool is_binary)
{
	struct fixture *f = arg;

	f->messages_n++;
	lt_buf_add_char(&f->messages, is_binary ? 'b' : 't');
	lt_buf_add_str(&f->messages, message);
	lt_buf_add_char(&f->messages, '|');
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

	lws_set_log_level(0, NULL);
	f->env.loop = lt_loop_create(NULL);
	f->env.random = lt_random_create(1, NULL);
	f->hub = lt_ws_hub_create(&f->env, NULL);
	f->opts = (struct lt_ws_client_opts){
		.url = f->url,
		.stale_ms = 20000,
		.dead_ms = 20000,
		.backoff_ms = at_once,
		.backoff_n = 1,
		.connected = on_connected,
		.message = on_message,
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

	lt_ws_client_destroy(f->client);
	lt_ws_hub_destroy(f->hub);
	lt_timer_cancel(&f->guard);
	lt_loop_destroy(f->env.loop);
	if (f->server.serve) {
		server_stop(&f->server);
	}
	lt_random_destroy(f->env.random);
	lt_buf_finish(&f->messages);
	lt_buf_finish(&f->reasons);
	lt_free(f);
	return 0;
}

static void start(struct fixture *f, void (*serve)(int fd, int nth, void *arg))
{
	struct lt_err err = { 0 };

	if (serve) {
		server_start(&f->server, serve, f);
		snprintf(f->url, sizeof(f->url), "ws://127.0.0.1:%u/feed?x=1", f->server.port);
	}
	f->client = lt_ws_client_create(f->hub, &f->opts, &err);
	if (!f->client) {
		fail_msg("%s", err.msg);
	}
	lt_ws_client_start(f->client);
}

/* --- the server's side --- */

static void shake_hands(int fd, struct fixture *f, const char *more)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	unsigned char digest[20];

	server_read_until(fd, "\r\n\r\n", f->request, sizeof(f->request));
	const char *key = strcasestr(f->request, "sec-websocket-key: ");
	if (!key) {
		return; /* the client hung up before */
	}
	key += strlen("sec-websocket-key: ");
	lt_buf_add(&text, key, strcspn(key, "\r"));
	lt_buf_add_c(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	mbedtls_sha1_ret((const unsigned char *)text.p, text.n, digest);
	lt_buf_clear(&text);
	lt_buf_add_c(&text,
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	lt_base64_encode(&text, digest, sizeof(digest));
	lt_buf_printf(&text, "\r\n%s\r\n", more);
	server_say(fd, text.p);
}

/* On the server's thread, where nothing may be asserted: the client may be gone by now. */
static void send_bytes(int fd, const char *bytes, size_t n)
{
	if (send(fd, bytes, n, MSG_NOSIGNAL) < 0) {
		shutdown(fd, SHUT_RDWR);
	}
}

#define SEND(fd, literal) send_bytes(fd, literal, sizeof(literal) - 1)

/* The next frame of the client, unmasked into f->frame; short payloads only. */
static bool read_frame(int fd, struct fixture *f)
{
	unsigned char head[6];

	if (recv(fd, head, 2, MSG_WAITALL) != 2 || recv(fd, head + 2, 4, MSG_WAITALL) != 4) {
		return false;
	}
	size_t n = head[1] & 0x7f;
	memset(f->frame, 0, sizeof(f->frame));
	f->frame[0] = head[0];
	if (n && recv(fd, f->frame + 1, LT_MIN(n, 14), MSG_WAITALL) <= 0) {
		return false;
	}
	for (size_t i = 0; i < n && i < 14; i++) {
		f->frame[i + 1] ^= head[2 + i % 4];
	}
	return true;
}

static void serve_messages(int fd, int nth, void *arg)
{
	(void)nth;
	shake_hands(fd, arg, "");
	SEND(fd, "\x81\x05hello");
	SEND(fd,
			"\x02\x02"
			"ab");
	SEND(fd, "\x89\x01p"); /* a ping in the middle */
	SEND(fd,
			"\x00\x01"
			"c");
	SEND(fd, "\x80\x01");
	SEND(fd, "d\x81\x00");
	server_wait_for_close(fd);
}

static void messages_are_put_together_from_their_fragments(void **state)
{
	struct fixture *f = *state;

	f->want_messages = 3;
	start(f, serve_messages);
	lt_loop_run(f->env.loop);

	assert_string_equal(f->messages.p, "thello|babcd|t|");
	assert_int_equal(f->connected, 1);
	assert_memory_equal(f->request, "GET /feed?x=1 HTTP/1.1\r\n", 24);
}

static void serve_subprotocol(int fd, int nth, void *arg)
{
	(void)nth;
	shake_hands(fd, arg, "Sec-WebSocket-Protocol: two\r\n");
	server_wait_for_close(fd);
}

static void subprotocol_and_headers_are_asked_for(void **state)
{
	static const char *const headers[] = { "X-Key: abc", "Authorization: Bearer t", NULL };
	struct fixture *f = *state;
	char host[64];

	f->opts.subprotocol = "one,two";
	f->opts.headers = headers;
	f->want_connected = 1;
	start(f, serve_subprotocol);
	lt_loop_run(f->env.loop);

	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%u\r\n", f->server.port);
	assert_non_null(strstr(f->request, "Sec-WebSocket-Protocol: one,two\r\n"));
	assert_non_null(strstr(f->request, "X-Key: abc\r\nAuthorization: Bearer t\r\n"));
	assert_non_null(strstr(f->request, host));
}

static void serve_echo(int fd, int nth, void *arg)
{
	struct fixture *f = arg;

	(void)nth;
	shake_hands(fd, f, "");
	while (read_frame(fd, f)) {
		char frame[16] = { (char)f->frame[0], 2, (char)f->frame[1], (char)f->frame[2] };

		if ((f->frame[0] & 0x0f) <= 2) {
			send_bytes(fd, frame, 4);
		}
	}
}

static void what_is_sent_arrives_in_order_and_kind(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	f->want_connected = 1;
	start(f, serve_echo);
	assert_false(lt_ws_client_send(f->client, LT_STR("early"), false, &err));
	assert_int_equal(err.code, LT_E_UNAVAILABLE);
	lt_loop_run(f->env.loop);
	assert_true(lt_ws_client_send(f->client, LT_STR("t1"), false, &err));
	assert_true(lt_ws_client_send(f->client, LT_STR("b2"), true, &err));
	assert_true(lt_ws_client_send(f->client, LT_STR("t3"), false, &err));
	f->want_messages = 3;
	lt_loop_run(f->env.loop);

	assert_string_equal(f->messages.p, "tt1|bb2|tt3|");
}

static void the_queue_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	f->opts.send_max = 5;
	f->want_connected = 1;
	start(f, serve_echo);
	lt_loop_run(f->env.loop);
	assert_true(lt_ws_client_send(f->client, LT_STR("four"), false, &err));

	assert_false(lt_ws_client_send(f->client, LT_STR("two"), false, &err));
	assert_int_equal(err.code, LT_E_LIMIT);
}

static void serve_too_much(int fd, int nth, void *arg)
{
	(void)nth;
	shake_hands(fd, arg, "");
	SEND(fd,
			"\x81\x04"
			"1234\x01\x03"
			"123\x80\x02"
			"45");
	server_wait_for_close(fd);
}

static void a_message_over_the_limit_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	f->opts.message_max = 4;
	f->want_disconnected = 1;
	start(f, serve_too_much);
	lt_loop_run(f->env.loop);

	assert_string_equal(f->messages.p, "t1234|");
	assert_non_null(strstr(f->reasons.p, " is over 4 bytes\n"));
}

static void serve_bad_text(int fd, int nth, void *arg)
{
	(void)nth;
	shake_hands(fd, arg, "");
	SEND(fd, "\x81\x02\xff\xff");
	server_wait_for_close(fd);
}

static void a_text_that_is_not_utf8_ends_the_connection(void **state)
{
	struct fixture *f = *state;

	f->want_disconnected = 1;
	start(f, serve_bad_text);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->messages_n, 0);
	assert_non_null(strstr(f->reasons.p, " is not UTF-8\n"));
}

static void serve_close(int fd, int nth, void *arg)
{
	(void)nth;
	shake_hands(fd, arg, "");
	SEND(fd,
			"\x88\x06\x03\xf0"
			"full");
	server_wait_for_close(fd);
}

static void the_reason_of_a_close_is_reported_and_the_connection_made_anew(void **state)
{
	struct fixture *f = *state;

	f->want_disconnected = 2;
	start(f, serve_close);
	lt_loop_run(f->env.loop);

	assert_non_null(strstr(f->reasons.p, " closed: status 1008 full\n"));
	assert_true(f->connected >= 2);
}

static void a_refused_connection_is_tried_again(void **state)
{
	struct fixture *f = *state;

	snprintf(f->url, sizeof(f->url), "ws://127.0.0.1:%u/", server_free_port());
	f->want_disconnected = 3;
	start(f, NULL);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->connected, 0);
	assert_non_null(strstr(f->reasons.p, "cannot connect to 127.0.0.1:"));
}

static void serve_http(int fd, int nth, void *arg)
{
	struct fixture *f = arg;

	(void)nth;
	server_read_until(fd, "\r\n\r\n", f->request, sizeof(f->request));
	server_say(fd, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
}

static void a_server_that_refuses_the_handshake_is_an_error(void **state)
{
	struct fixture *f = *state;

	f->want_disconnected = 2;
	start(f, serve_http);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->connected, 0);
	assert_non_null(strstr(f->reasons.p, "cannot connect to 127.0.0.1:"));
}

static void serve_nothing(int fd, int nth, void *arg)
{
	(void)nth;
	(void)arg;
	server_wait_for_close(fd);
}

static void a_handshake_that_takes_too_long_is_given_up(void **state)
{
	struct fixture *f = *state;

	f->opts.connect_timeout_ms = 30;
	f->want_disconnected = 2;
	start(f, serve_nothing);
	lt_loop_run(f->env.loop);

	assert_non_null(strstr(f->reasons.p, ": no answer in 30 ms\n"));
}

static void serve_silence(int fd, int nth, void *arg)
{
	shake_hands(fd, arg, "");
	if (nth > 0) {
		SEND(fd, "\x81\x01x");
	}
	server_wait_for_close(fd); /* and answers no ping */
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

	assert_non_null(strstr(f->reasons.p, " was silent for 60 ms\n"));
	assert_true(f->connected >= 2);
}

static void serve_pongs(int fd, int nth, void *arg)
{
	struct fixture *f = arg;
	int pings = 0;

	(void)nth;
	shake_hands(fd, f, "");
	while (pings < 9 && read_frame(fd, f)) {
		pings += f->frame[0] == 0x89;
		SEND(fd, "\x8a\x00");
	}
	SEND(fd, "\x81\x01p"); /* three times dead_ms later */
	server_wait_for_close(fd);
}

static void pongs_keep_a_quiet_connection(void **state)
{
	struct fixture *f = *state;

	f->opts.stale_ms = 30;
	f->opts.dead_ms = 600;
	f->want_messages = 1;
	f->want_alive = 1;
	start(f, serve_pongs);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->disconnected, 0);
	assert_int_equal(f->stale, 1);
}

static void the_client_may_be_destroyed_when_connected(void **state)
{
	struct fixture *f = *state;

	f->destroy_when_done = true;
	f->want_connected = 1;
	start(f, serve_messages);
	lt_loop_run(f->env.loop);

	assert_true(f->destroyed);
}

static void the_client_may_be_destroyed_in_a_message(void **state)
{
	struct fixture *f = *state;

	f->destroy_when_done = true;
	f->want_messages = 1;
	start(f, serve_messages);
	lt_loop_run(f->env.loop);

	assert_string_equal(f->messages.p, "thello|");
}

static void the_client_may_be_destroyed_when_disconnected(void **state)
{
	struct fixture *f = *state;

	f->destroy_when_done = true;
	f->want_disconnected = 1;
	start(f, serve_close);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->disconnected, 1);
}

static void stop_loop(void *arg)
{
	lt_loop_stop(arg);
}

static void a_stopped_client_ends_its_connection(void **state)
{
	struct fixture *f = *state;
	struct lt_timer timer = { 0 };

	f->want_connected = 1;
	start(f, serve_messages);
	lt_loop_run(f->env.loop);
	lt_ws_client_stop(f->client);
	assert_false(lt_ws_client_is_connected(f->client));
	lt_timer_once(&timer, f->env.loop, 20, stop_loop, f->env.loop);
	lt_loop_run(f->env.loop);
	server_stop(&f->server); /* returns only when the connection has ended */
	f->server.serve = NULL;

	assert_int_equal(f->disconnected, 0);
}

static void destroying_while_connecting_is_quiet(void **state)
{
	struct fixture *f = *state;

	start(f, serve_nothing);
	lt_timer_once(&f->guard, f->env.loop, 20, stop_loop, f->env.loop);
	lt_loop_run(f->env.loop);
	lt_ws_client_destroy(LT_STEAL(f->client));
	lt_ws_client_destroy(NULL);
	lt_ws_hub_destroy(NULL);

	assert_int_equal(f->connected + f->disconnected, 0);
}

static void headers_that_would_split_the_request_are_refused(void **state)
{
	static const char *const bad[] = { "X: a\r\nY: b", NULL };
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	strcpy(f->url, "ws://x/");
	f->opts.headers = bad;

	assert_null(lt_ws_client_create(f->hub, &f->opts, &err));
	assert_int_equal(err.code, LT_E_INVALID);
}

static void urls_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host, *authority, *path;
		int port;
		bool is_tls;
	} cases[] = {
		{ "ws://a.example", "a.example", "a.example", "/", 80, false },
		{ "wss://a.example/b?c=d", "a.example", "a.example", "/b?c=d", 443, true },
		{ "ws://a:8080?q", "a", "a:8080", "/?q", 8080, false },
		{ "ws://[::1]:81/x", "::1", "[::1]:81", "/x", 81, false },
	};

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_ws_url url;

		assert_true(lt_ws_url_parse(lt_str_from(cases[i].text), &url, NULL));
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.authority, cases[i].authority);
		assert_string_equal(url.path, cases[i].path);
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.is_tls, cases[i].is_tls);
		lt_ws_url_finish(&url);
	}
}

static void urls_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "", "http://a", "ws://", "ws:///x", "ws://a:0/",
		"ws://a:70000/", "ws://a:/", "ws://[::1/", "ws://[::1]x/", "ws://u:p@a/",
		"ws://a/b c", "ws://a/\r\nX: y", "ws://a/#f" };
	struct lt_ws_url url;
	struct lt_err err;

	(void)state;
	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		assert_false(lt_ws_url_parse(lt_str_from(bad[i]), &url, &err));
		assert_int_equal(err.code, LT_E_INVALID);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_put_together_from_their_fragments),
		TEST(subprotocol_and_headers_are_asked_for),
		TEST(what_is_sent_arrives_in_order_and_kind),
		TEST(the_queue_is_bounded),
		TEST(a_message_over_the_limit_ends_the_connection),
		TEST(a_text_that_is_not_utf8_ends_the_connection),
		TEST(the_reason_of_a_close_is_reported_and_the_connection_made_anew),
		TEST(a_refused_connection_is_tried_again),
		TEST(a_server_that_refuses_the_handshake_is_an_error),
		TEST(a_handshake_that_takes_too_long_is_given_up),
		TEST(a_silent_server_is_stale_then_dropped_and_alive_when_it_speaks),
		TEST(pongs_keep_a_quiet_connection),
		TEST(the_client_may_be_destroyed_when_connected),
		TEST(the_client_may_be_destroyed_in_a_message),
		TEST(the_client_may_be_destroyed_when_disconnected),
		TEST(a_stopped_client_ends_its_connection),
		TEST(destroying_while_connecting_is_quiet),
		TEST(headers_that_would_split_the_request_are_refused),
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(urls_that_are_none_are_refused),
	};

	return cmocka_run_group_tests_name("net/ws_client", tests, NULL, NULL);
}
