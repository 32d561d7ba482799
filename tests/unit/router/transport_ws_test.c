#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "listener_fixture.h"

/* --- handshake --- */

static void expect_handshake(
		struct server *server, const char *path, const char *offer, const char *expected)
{
	struct lt_buf head = { 0 };

	int fd = ws_open(server->address, path, offer, &head);

	assert_non_null(head.p);
	if (!strstr(head.p, expected)) {
		fail_msg("%s offering %s: no %s in %s", path, offer, expected, head.p);
	}
	close(fd);
	lt_buf_finish(&head);
}

static void a_handshake_succeeds_at_ws_and_at_the_root(void **state)
{
	expect_handshake(*state, "/ws", "wamp.2.json", "HTTP/1.1 101 ");
	expect_handshake(*state, "/", "wamp.2.json", "HTTP/1.1 101 ");
}

static void a_handshake_elsewhere_is_refused_with_404(void **state)
{
	expect_handshake(*state, "/other", "wamp.2.json", "HTTP/1.1 404 ");
}

static void the_first_supported_subprotocol_of_the_offer_is_echoed(void **state)
{
	expect_handshake(*state, "/ws", "chat, wamp.2.json, soap",
			"Sec-WebSocket-Protocol: wamp.2.json\r\n");
}

static void an_offer_without_a_supported_subprotocol_is_refused_with_400(void **state)
{
	expect_handshake(*state, "/ws", "wamp.1, chat", "HTTP/1.1 400 ");
	expect_handshake(*state, "/ws", NULL, "HTTP/1.1 400 ");
}

static void expect_raw_handshake(struct server *server, const char *headers, const char *expected)
{
	struct lt_buf answer = { 0 };
	char request[400];
	int fd = wire_connect(server->address);

	snprintf(request, sizeof(request),
			"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Protocol: wamp.2.json\r\n%s\r\n",
			headers);
	wire_send(fd, request, strlen(request));
	wire_read_all(fd, &answer);

	assert_non_null(answer.p);
	if (!strstr(answer.p, expected)) {
		fail_msg("no %s in %s", expected, answer.p);
	}
	close(fd);
	lt_buf_finish(&answer);
}

static void a_handshake_of_another_version_or_without_a_key_is_refused(void **state)
{
	expect_raw_handshake(*state,
			"Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
			"HTTP/1.1 426 ");
	expect_raw_handshake(*state, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
			"HTTP/1.1 400 ");
	expect_raw_handshake(
			*state, "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", "HTTP/1.1 400 ");
}

static void a_connection_to_a_unix_socket_speaks_websocket(void **state)
{
	struct server *server = server_create();
	struct lt_buf message = { 0 };
	char address[64];

	snprintf(address, sizeof(address), "unix:/tmp/lt_ws_test.%d", (int)getpid());
	server_start(server, address);

	int fd = ws_join(server->address);
	ws_send(fd, WS_TEXT, LT_STR("hello"));
	ws_read_message(fd, &message);

	assert_str_equal(lt_buf_str(&message), "hello");
	close(fd);
	*state = server;
	lt_buf_finish(&message);
	server_teardown(state);
	assert_int_equal(access(address + 5, F_OK), -1);
}

static void a_connection_over_ipv6_speaks_websocket(void **state)
{
	struct server *server = server_create();
	struct lt_buf message = { 0 };

	server_start(server, "[::1]:0");
	int fd = ws_join(server->address);
	ws_send(fd, WS_TEXT, LT_STR("hello"));
	ws_read_message(fd, &message);

	assert_str_equal(lt_buf_str(&message), "hello");
	close(fd);
	lt_buf_finish(&message);
	*state = server;
	server_teardown(state);
}

/* --- messages in --- */

static void expect_echo(int fd, struct lt_str expected)
{
	struct lt_buf message = { 0 };

	ws_read_message(fd, &message);

	assert_int_equal(message.n, expected.n);
	assert_memory_equal(message.p, expected.p, expected.n);
	lt_buf_finish(&message);
}

static void a_message_in_fragments_arrives_whole_with_a_ping_in_between(void **state)
{
	struct server *server = *state;
	struct lt_buf bytes = { 0 };
	struct ws_frame frame = { 0 };

	ws_encode(&bytes, WS_TEXT, false, false, LT_STR("one "));
	ws_encode(&bytes, WS_PING, true, false, LT_STR("are you there"));
	ws_encode(&bytes, WS_CONTINUATION, false, false, LT_STR("two "));
	ws_encode(&bytes, WS_CONTINUATION, true, false, LT_STR("three"));
	int fd = ws_join(server->address);
	wire_send(fd, bytes.p, bytes.n);

	bool pong = false, message = false;
	while (!pong || !message) {
		assert_true(ws_read(fd, &frame));
		if (frame.opcode == WS_PONG) {
			assert_str_equal(lt_buf_str(&frame.body), "are you there");
			pong = true;
		} else {
			assert_str_equal(lt_buf_str(&frame.body), "one two three");
			message = true;
		}
	}
	close(fd);
	lt_buf_finish(&bytes);
	lt_buf_finish(&frame.body);
}

static void messages_arrive_when_each_byte_is_a_segment(void **state)
{
	struct server *server = *state;
	struct lt_buf bytes = { 0 };
	int one = 1, fd = ws_join(server->address);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("byte by byte"));
	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("again"));
	for (size_t i = 0; i < bytes.n; i++) {
		wire_send(fd, bytes.p + i, 1);
	}

	expect_echo(fd, LT_STR("byte by byte"));
	expect_echo(fd, LT_STR("again"));
	close(fd);
	lt_buf_finish(&bytes);
}

static void several_messages_in_one_segment_arrive_in_order(void **state)
{
	struct server *server = *state;
	struct lt_buf bytes = { 0 };
	int fd = ws_join(server->address);

	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("a"));
	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("b"));
	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("c"));
	wire_send(fd, bytes.p, bytes.n);

	expect_echo(fd, LT_STR("a"));
	expect_echo(fd, LT_STR("b"));
	expect_echo(fd, LT_STR("c"));
	close(fd);
	lt_buf_finish(&bytes);
}

static void a_large_message_goes_in_and_out_whole(void **state)
{
	struct server *server = *state;
	size_t n = 1000 * 1000;
	char *text = lt_alloc(n);
	int fd = ws_join(server->address);

	for (size_t i = 0; i < n; i++) {
		text[i] = (char)('a' + i % 23);
	}
	ws_send(fd, WS_TEXT, (struct lt_str){ text, n });

	expect_echo(fd, (struct lt_str){ text, n });
	close(fd);
	lt_free(text);
}

static void a_binary_frame_is_reported_as_such(void **state)
{
	struct server *server = *state;
	int fd = ws_join(server->address);

	ws_send(fd, WS_BINARY, LT_STR("x"));

	expect_echo(fd, LT_STR("binary"));
	close(fd);
}

/* The limit counts before the message is there: only its header and a little is sent. */
static void an_oversized_frame_is_refused_before_it_is_read(void **state)
{
	struct server *server = *state;
	struct lt_buf bytes = { 0 };
	int fd = ws_join(server->address);

	static const char head[] = "\x81\xff\0\0\0\0\x40\0\0\0\1\2\3\4";
	lt_buf_add(&bytes, head, sizeof(head) - 1);
	lt_buf_add_c(&bytes, "a little");
	wire_send(fd, bytes.p, bytes.n);

	assert_int_equal(ws_read_close(fd), 1009);
	close(fd);
	lt_buf_finish(&bytes);
}

static void fragments_that_exceed_the_limit_together_are_refused(void **state)
{
	struct server *server = *state;
	struct lt_buf bytes = { 0 };
	size_t n = 600 * 1000;
	char *text = lt_zalloc(n);
	int fd = ws_join(server->address);

	memset(text, 'x', n);
	ws_encode(&bytes, WS_TEXT, false, false, (struct lt_str){ text, n });
	ws_encode(&bytes, WS_CONTINUATION, true, false, (struct lt_str){ text, n });
	wire_send(fd, bytes.p, bytes.n);

	assert_int_equal(ws_read_close(fd), 1009);
	close(fd);
	lt_free(text);
	lt_buf_finish(&bytes);
}

/* --- protocol errors: the connection ends, others live on --- */

/* With a close frame, or at once. */
static void expect_end(struct server *server, const char *bytes, size_t n)
{
	int fd = ws_join(server->address);

	wire_send(fd, bytes, n);

	int code = ws_read_close(fd);
	assert_true(code == 1002 || code == 0);
	close(fd);
}

static void a_reserved_opcode_ends_the_connection(void **state)
{
	expect_end(*state, "\x83\x80\1\2\3\4", 6);
}

static void reserved_bits_end_the_connection(void **state)
{
	expect_end(*state, "\xc1\x80\1\2\3\4", 6);
}

static void a_continuation_of_nothing_ends_the_connection(void **state)
{
	expect_end(*state, "\x80\x81\1\2\3\4x", 7);
}

static void a_fragmented_ping_ends_the_connection(void **state)
{
	expect_end(*state, "\x09\x80\1\2\3\4", 6);
}

static void a_ping_of_over_125_bytes_ends_the_connection(void **state)
{
	expect_end(*state, "\x89\xfe\x00\x80\1\2\3\4", 8);
}

static void a_close_frame_is_answered(void **state)
{
	struct server *server = *state;
	int fd = ws_join(server->address);

	ws_send(fd, WS_CLOSE, LT_STR("\x03\xe8"));

	assert_int_equal(ws_read_close(fd), 1000);
	close(fd);
}

/* --- closing --- */

static void expect_close(struct server *server, const char *command, int code)
{
	int fd = ws_join(server->address);

	ws_send(fd, WS_TEXT, lt_str_from(command));

	expect_echo(fd, LT_STR("last words"));
	assert_int_equal(ws_read_close(fd), code);
	close(fd);
}

static void a_close_comes_after_what_was_queued_and_has_its_code(void **state)
{
	expect_close(*state, "close 0", 1000);
	expect_close(*state, "close 1", 1002);
	expect_close(*state, "close 2", 1008);
	expect_close(*state, "close 3", 1009);
	expect_close(*state, "close 4", 1001);
}

static void nothing_is_received_after_the_session_closed(void **state)
{
	struct server *server = *state;
	struct lt_buf bytes = { 0 };
	int fd = ws_join(server->address);

	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("close 0"));
	ws_encode(&bytes, WS_TEXT, true, false, LT_STR("too late"));
	wire_send(fd, bytes.p, bytes.n);

	expect_echo(fd, LT_STR("last words"));
	assert_int_equal(ws_read_close(fd), 1000);
	close(fd);
	lt_buf_finish(&bytes);
}

/* --- messages out --- */

static void expect_numbered(int fd, unsigned first, unsigned count, size_t size)
{
	struct lt_buf message = { 0 };

	for (unsigned i = first; i < first + count; i++) {
		ws_read_message(fd, &message);
		assert_int_equal(message.n, size);
		assert_int_equal(strtoul(message.p, NULL, 10), i);
	}
	lt_buf_finish(&message);
}

static void a_burst_reaches_a_client_that_reads_complete_and_in_order(void **state)
{
	struct server *server = *state;
	int fd = ws_join(server->address);

	ws_send(fd, WS_TEXT, LT_STR("burst 1000 4096"));

	expect_numbered(fd, 0, 1000, 4096);
	close(fd);
}

/* A small receive window makes every write a partial one; pongs must not land inside a frame. */
static void pongs_keep_out_of_frames_that_a_slow_client_gets_in_parts(void **state)
{
	struct server *server = *state;
	struct lt_buf message = { 0 };
	struct ws_frame frame = { 0 };
	int fd = ws_join(server->address);
	unsigned texts = 0, pongs = 0;
	size_t bytes = 0;

	ws_send(fd, WS_TEXT, LT_STR("burst 30 200000"));
	for (int i = 0; i < 5; i++) {
		ws_send(fd, WS_PING, LT_STR("x"));
	}
	ws_send(fd, WS_TEXT, LT_STR("end"));
	while (texts < 31) {
		assert_true(ws_read(fd, &frame));
		if (frame.opcode == WS_PONG) {
			assert_str_equal(lt_buf_str(&frame.body), "x");
			pongs++;
			continue;
		}
		bytes += frame.body.n;
		texts += frame.fin;
		if (pongs == 0) {
			ws_send(fd, WS_PING, LT_STR("x"));
		}
	}

	assert_int_equal(bytes, 30 * 200000 + 3);
	assert_true(pongs > 0);
	close(fd);
	lt_buf_finish(&message);
	lt_buf_finish(&frame.body);
}

static void a_slow_consumer_of_a_retained_topic_skips_to_the_newest(void **state)
{
	struct server *server = *state;
	struct lt_buf message = { 0 };
	unsigned received = 0, number = 0;
	int fd = ws_join(server->address);

	ws_send(fd, WS_TEXT, LT_STR("burst 2000 20000 7"));
	ws_send(fd, WS_TEXT, LT_STR("end"));
	for (;;) {
		ws_read_message(fd, &message);
		if (lt_str_eq_c(lt_buf_str(&message), "end")) {
			break;
		}
		unsigned next = (unsigned)strtoul(message.p, NULL, 10);
		assert_true(received == 0 || next > number);
		number = next;
		received++;
	}

	assert_int_equal(number, 1999);
	assert_true(received < 2000);
	assert_int_equal(server_report(server).events_conflated, 2000 - received);
	close(fd);
	lt_buf_finish(&message);
}

static void a_consumer_over_the_hard_limit_is_ended_and_its_session_told(void **state)
{
	struct server *server = *state;
	int fd = ws_join(server->address), other = ws_join(server->address);

	ws_send(fd, WS_TEXT, LT_STR("burst 2000 20000"));
	ws_send(other, WS_TEXT, LT_STR("unharmed"));

	expect_echo(other, LT_STR("unharmed"));
	struct lt_router_stats stats = server_report(server);
	assert_int_equal(stats.slow_peers_ended, 1);
	assert_int_equal(server->gone, 1);
	assert_int_equal(ws_read_close(fd), 1008);
	close(fd);
	close(other);
}

/* --- clients that vanish --- */

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void clients_that_vanish_in_the_middle_of_anything_leave_nothing_behind(void **state)
{
	struct server *server = *state;
	static const char half_frame[] = "\x81\xfe\x10\x00\1\2\3\4half";

	for (int i = 0; i < 8; i++) {
		bool hard = i & 1;
		int fd = i / 2 == 0 ? wire_connect(server->address) : ws_join(server->address);

		if (i / 2 == 0) {
			wire_send(fd, "GET /ws HTTP/1.1\r\nUpgr", 22);
		} else if (i / 2 == 1) {
			wire_send(fd, half_frame, sizeof(half_frame) - 1);
		} else if (i / 2 == 2) {
			ws_send(fd, WS_TEXT, LT_STR("burst 300 20000"));
		} else {
			ws_send(fd, WS_TEXT, LT_STR("close 0"));
		}
		if (hard) {
			reset(fd);
		} else {
			close(fd);
		}
	}

	int fd = ws_join(server->address);
	ws_send(fd, WS_TEXT, LT_STR("alive"));
	expect_echo(fd, LT_STR("alive"));
	close(fd);
	while (server_report(server).connections > 0) {
	}
	assert_int_equal(server->gone, server->sessions);
}

static void a_connection_over_the_limit_is_closed_and_a_free_place_is_used(void **state)
{
	struct server *server = server_create();
	struct lt_buf rest = { 0 };

	server->env.limits.connections = 1;
	server_start(server, "127.0.0.1:0");
	int fd = ws_join(server->address), second = wire_connect(server->address);

	wire_read_all(second, &rest);
	assert_int_equal(rest.n, 0);
	close(second);
	close(fd);
	while (server_report(server).connections > 0) {
	}
	fd = ws_join(server->address);
	close(fd);
	*state = server;
	server_teardown(state);
}

static void an_address_over_its_limit_is_refused(void **state)
{
	struct server *server = server_create();
	struct lt_buf rest = { 0 };

	server->env.limits.connections_per_address = 1;
	server_start(server, "127.0.0.1:0");
	int fd = ws_join(server->address), second = wire_connect(server->address);

	wire_read_all(second, &rest);
	assert_int_equal(rest.n, 0);
	close(second);
	close(fd);
	*state = server;
	server_teardown(state);
}

static void an_idle_client_is_pinged_and_dropped_after_two_unanswered(void **state)
{
	struct server *server = server_create();
	struct ws_frame frame = { 0 };
	unsigned pings = 0;

	server->env.limits.ping_interval_ms = 20;
	server_start(server, "127.0.0.1:0");
	int fd = ws_join(server->address);
	while (ws_read(fd, &frame)) {
		assert_int_equal(frame.opcode, WS_PING);
		pings++;
	}

	assert_int_equal(pings, 2);
	close(fd);
	lt_buf_finish(&frame.body);
	*state = server;
	server_teardown(state);
}

static void an_idle_client_that_answers_pings_stays(void **state)
{
	struct server *server = server_create();
	struct ws_frame frame = { 0 };

	server->env.limits.ping_interval_ms = 10;
	server_start(server, "127.0.0.1:0");
	int fd = ws_join(server->address);
	for (int i = 0; i < 5; i++) {
		assert_true(ws_read(fd, &frame));
		assert_int_equal(frame.opcode, WS_PING);
		ws_send(fd, WS_PONG, lt_buf_str(&frame.body));
	}

	close(fd);
	lt_buf_finish(&frame.body);
	*state = server;
	server_teardown(state);
}

/* --- addresses --- */

static void expect_refused_address(const char *address, const char *sentence)
{
	struct server *server = server_create();
	struct lt_err err = { 0 };

	assert_false(lt_listeners_open(server->listeners, lt_str_from(address), &err));

	assert_string_equal(err.msg, sentence);
	lt_listeners_destroy(server->listeners);
	lt_loop_destroy(server->env.loop);
	lt_free(server);
}

static void a_port_in_use_is_refused_naming_the_address(void **state)
{
	struct server *server = *state;
	char sentence[200];

	snprintf(sentence, sizeof(sentence), "%s: cannot listen: Address already in use",
			server->address);
	expect_refused_address(server->address, sentence);
}

static void a_malformed_address_is_refused(void **state)
{
	(void)state;
	expect_refused_address("8080", "8080: not of the form HOST:PORT, [IPV6]:PORT or unix:PATH");
	expect_refused_address("127.0.0.1:99999",
			"127.0.0.1:99999: not of the form HOST:PORT, [IPV6]:PORT or unix:PATH");
	expect_refused_address(
			"::1:80", "::1:80: not of the form HOST:PORT, [IPV6]:PORT or unix:PATH");
	expect_refused_address("unix:", "unix:: the path of a unix socket has 1 to 107 bytes");
}

/* Bound, then closed without unlink. */
static void leave_stale_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
}

static void a_stale_unix_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	struct server *server = server_create();
	char address[64], sentence[200];

	snprintf(address, sizeof(address), "unix:/tmp/lt_ws_stale.%d", (int)getpid());
	server_start(server, address);
	snprintf(sentence, sizeof(sentence), "%s: cannot listen: Address already in use", address);
	expect_refused_address(address, sentence);
	*state = server;
	char stale[80];
	snprintf(stale, sizeof(stale), "%s.old", address);
	leave_stale_socket(stale + 5);

	struct server *second = server_create();
	server_start(second, stale);
	int fd = ws_join(second->address);
	close(fd);
	server_teardown(state);
	*state = second;
	server_teardown(state);
}

/* --- stopping --- */

static void stopped(void *arg)
{
	sem_post(arg);
}

static void stop_listeners(void *arg)
{
	struct {
		struct server *server;
		sem_t done;
		uint32_t grace_ms;
	} *stop = arg;

	lt_listeners_stop(stop->server->listeners, stop->grace_ms, stopped, &stop->done);
}

static void stopping_closes_every_connection_and_then_says_so(void **state)
{
	struct {
		struct server *server;
		sem_t done;
		uint32_t grace_ms;
	} stop = { .server = *state, .grace_ms = 10000 };
	int fd = ws_join(stop.server->address), idle = wire_connect(stop.server->address);
	struct lt_buf rest = { 0 };

	sem_init(&stop.done, 0, 0);
	on_loop(stop.server, stop_listeners, &stop);

	assert_int_equal(ws_read_close(fd), 1001);
	ws_send(fd, WS_CLOSE, LT_STR("\x03\xe9"));
	wire_read_all(idle, &rest);
	sem_wait(&stop.done);
	assert_int_equal(server_report(stop.server).connections, 0);
	close(fd);
	close(idle);
}

static void stopping_does_not_wait_longer_than_its_grace_for_a_deaf_client(void **state)
{
	struct {
		struct server *server;
		sem_t done;
		uint32_t grace_ms;
	} stop = { .server = *state, .grace_ms = 20 };
	int fd = ws_join(stop.server->address);

	sem_init(&stop.done, 0, 0);
	on_loop(stop.server, stop_listeners, &stop);
	sem_wait(&stop.done);

	assert_int_equal(server_report(stop.server).connections, 0);
	close(fd);
}

#define TEST(fn)        cmocka_unit_test(fn)
#define SERVED_TEST(fn) cmocka_unit_test_setup_teardown(fn, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED_TEST(a_handshake_succeeds_at_ws_and_at_the_root),
		SERVED_TEST(a_handshake_elsewhere_is_refused_with_404),
		SERVED_TEST(the_first_supported_subprotocol_of_the_offer_is_echoed),
		SERVED_TEST(an_offer_without_a_supported_subprotocol_is_refused_with_400),
		SERVED_TEST(a_handshake_of_another_version_or_without_a_key_is_refused),
		TEST(a_connection_to_a_unix_socket_speaks_websocket),
		TEST(a_connection_over_ipv6_speaks_websocket),
		SERVED_TEST(a_message_in_fragments_arrives_whole_with_a_ping_in_between),
		SERVED_TEST(messages_arrive_when_each_byte_is_a_segment),
		SERVED_TEST(several_messages_in_one_segment_arrive_in_order),
		SERVED_TEST(a_large_message_goes_in_and_out_whole),
		SERVED_TEST(a_binary_frame_is_reported_as_such),
		SERVED_TEST(an_oversized_frame_is_refused_before_it_is_read),
		SERVED_TEST(fragments_that_exceed_the_limit_together_are_refused),
		SERVED_TEST(a_reserved_opcode_ends_the_connection),
		SERVED_TEST(reserved_bits_end_the_connection),
		SERVED_TEST(a_continuation_of_nothing_ends_the_connection),
		SERVED_TEST(a_fragmented_ping_ends_the_connection),
		SERVED_TEST(a_ping_of_over_125_bytes_ends_the_connection),
		SERVED_TEST(a_close_frame_is_answered),
		SERVED_TEST(a_close_comes_after_what_was_queued_and_has_its_code),
		SERVED_TEST(nothing_is_received_after_the_session_closed),
		SERVED_TEST(a_burst_reaches_a_client_that_reads_complete_and_in_order),
		SERVED_TEST(pongs_keep_out_of_frames_that_a_slow_client_gets_in_parts),
		SERVED_TEST(a_slow_consumer_of_a_retained_topic_skips_to_the_newest),
		SERVED_TEST(a_consumer_over_the_hard_limit_is_ended_and_its_session_told),
		SERVED_TEST(clients_that_vanish_in_the_middle_of_anything_leave_nothing_behind),
		TEST(a_connection_over_the_limit_is_closed_and_a_free_place_is_used),
		TEST(an_address_over_its_limit_is_refused),
		TEST(an_idle_client_is_pinged_and_dropped_after_two_unanswered),
		TEST(an_idle_client_that_answers_pings_stays),
		SERVED_TEST(a_port_in_use_is_refused_naming_the_address),
		TEST(a_malformed_address_is_refused),
		TEST(a_stale_unix_socket_is_replaced_and_a_live_one_is_not),
		SERVED_TEST(stopping_closes_every_connection_and_then_says_so),
		SERVED_TEST(stopping_does_not_wait_longer_than_its_grace_for_a_deaf_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
