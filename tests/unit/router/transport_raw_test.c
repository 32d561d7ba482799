#include <sys/socket.h>

#include "listener_fixture.h"

enum { MESSAGE, PING, PONG };

static int raw_setup(void **state)
{
	struct server *server = server_create();

	*state = server;
	server_start(server, "rs:127.0.0.1:0");
	return 0;
}

/* The four octets that answer `hello`; what is left is 0 when it ends earlier. */
static int shake(struct server *server, const char *hello, unsigned char ret_answer[4])
{
	int fd = wire_connect(server->address + strlen("rs:"));

	wire_send(fd, hello, 4);
	memset(ret_answer, 0, 4);
	for (size_t n = 0; n < 4;) {
		ssize_t got = recv(fd, ret_answer + n, 4 - n, 0);
		if (got <= 0) {
			break;
		}
		n += (size_t)got;
	}
	return fd;
}

static int join(struct server *server)
{
	unsigned char answer[4];
	int fd = shake(server, "\x7f\xf1\0\0", answer);

	assert_int_equal(answer[0], 0x7f);
	return fd;
}

static void send_frame(int fd, int type, struct lt_str body)
{
	const char head[4] = { (char)type, (char)(body.n >> 16), (char)(body.n >> 8),
		(char)body.n };

	wire_send(fd, head, 4);
	wire_send(fd, body.p, body.n);
}

static bool read_bytes(int fd, char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t got = recv(fd, bytes, n, 0);
		if (got <= 0) {
			return false;
		}
		bytes += got;
		n -= (size_t)got;
	}
	return true;
}

/* Type of the next frame, its body in `ret_body`; -1: the connection ended. */
static int read_frame(int fd, struct lt_buf *ret_body)
{
	unsigned char head[4];

	if (!read_bytes(fd, (char *)head, 4)) {
		return -1;
	}
	size_t n = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	lt_buf_clear(ret_body);
	lt_buf_reserve(ret_body, n + 1);
	assert_true(read_bytes(fd, ret_body->p, n));
	ret_body->n = n;
	return head[0];
}

static void expect_frame(int fd, int type, const char *expected)
{
	struct lt_buf body = { 0 };

	assert_int_equal(read_frame(fd, &body), type);
	assert_str_equal(lt_buf_str(&body), expected);
	lt_buf_finish(&body);
}

static void expect_end(int fd)
{
	struct lt_buf rest = { 0 };

	wire_read_all(fd, &rest);
	assert_int_equal(rest.n, 0);
	lt_buf_finish(&rest);
	close(fd);
}

static void a_handshake_is_answered_with_our_length_and_the_serializer(void **state)
{
	unsigned char answer[4];

	int fd = shake(*state, "\x7f\x51\0\0", answer);

	/* a limit of 1 MiB is 2^(9+11) */
	assert_memory_equal(answer, "\x7f\xb1\0\0", 4);
	close(fd);
}

static void an_unknown_serializer_is_refused(void **state)
{
	unsigned char answer[4];

	int fd = shake(*state, "\x7f\xff\0\0", answer);

	assert_memory_equal(answer, "\x7f\x10\0\0", 4);
	expect_end(fd);
}

static void reserved_octets_in_the_handshake_are_refused(void **state)
{
	unsigned char answer[4];

	int fd = shake(*state, "\x7f\xf1\0\1", answer);

	assert_memory_equal(answer, "\x7f\x30\0\0", 4);
	expect_end(fd);
}

static void another_protocol_gets_no_answer(void **state)
{
	unsigned char answer[4];

	int fd = shake(*state, "GET ", answer);

	assert_memory_equal(answer, "\0\0\0\0", 4);
	close(fd);
}

static void messages_go_in_and_out(void **state)
{
	int fd = join(*state);

	send_frame(fd, MESSAGE, LT_STR("hello"));
	send_frame(fd, MESSAGE, LT_STR("world"));

	expect_frame(fd, MESSAGE, "hello");
	expect_frame(fd, MESSAGE, "world");
	close(fd);
}

static void messages_arrive_when_each_byte_comes_alone(void **state)
{
	static const char bytes[] = "\x7f\xf1\0\0\0\0\0\5hello";
	int fd = wire_connect(((struct server *)*state)->address + strlen("rs:"));
	char answer[4];

	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		wire_send(fd, bytes + i, 1);
	}

	assert_true(read_bytes(fd, answer, 4));
	expect_frame(fd, MESSAGE, "hello");
	close(fd);
}

static void a_ping_is_answered_with_its_payload(void **state)
{
	int fd = join(*state);

	send_frame(fd, PING, LT_STR("are you there"));
	send_frame(fd, PING, LT_STR(""));

	expect_frame(fd, PONG, "are you there");
	expect_frame(fd, PONG, "");
	close(fd);
}

static void a_pong_out_of_the_blue_is_ignored(void **state)
{
	int fd = join(*state);

	send_frame(fd, PONG, LT_STR("here"));
	send_frame(fd, MESSAGE, LT_STR("hello"));

	expect_frame(fd, MESSAGE, "hello");
	close(fd);
}

static void a_frame_of_unknown_type_ends_the_connection(void **state)
{
	int fd = join(*state);

	send_frame(fd, 3, LT_STR(""));

	expect_end(fd);
}

static void a_message_over_the_limit_ends_the_connection_before_it_is_read(void **state)
{
	int fd = join(*state);

	wire_send(fd, "\0\x10\0\1", 4);

	expect_end(fd);
	assert_int_equal(server_report(*state).limit_hits[LT_LIMIT_MESSAGE_BYTES], 1);
}

static void a_peer_is_never_sent_more_than_it_announced(void **state)
{
	unsigned char answer[4];
	int fd = shake(*state, "\x7f\x01\0\0", answer); /* 512 bytes */
	struct lt_buf body = { 0 };

	send_frame(fd, MESSAGE, LT_STR("burst 1 512"));
	assert_int_equal(read_frame(fd, &body), MESSAGE);
	assert_int_equal(body.n, 512);
	send_frame(fd, MESSAGE, LT_STR("burst 1 513"));

	expect_end(fd);
	lt_buf_finish(&body);
}

static void what_is_queued_leaves_before_a_close(void **state)
{
	int fd = join(*state);

	send_frame(fd, MESSAGE, LT_STR("close 0"));

	expect_frame(fd, MESSAGE, "last words");
	expect_end(fd);
}

static void a_late_reader_gets_large_messages_whole_with_pongs_between(void **state)
{
	int fd = join(*state);
	struct lt_buf body = { 0 };
	unsigned messages = 0, pongs = 0;

	send_frame(fd, MESSAGE, LT_STR("burst 10 700000"));
	send_frame(fd, PING, LT_STR("now"));
	while (messages < 10 || pongs < 1) {
		int type = read_frame(fd, &body);

		if (type == PONG) {
			assert_str_equal(lt_buf_str(&body), "now");
			pongs++;
			continue;
		}
		assert_int_equal(type, MESSAGE);
		assert_int_equal(body.n, 700000);
		assert_int_equal(atoi(body.p), (int)messages);
		messages++;
	}

	assert_int_equal(pongs, 1);
	close(fd);
	lt_buf_finish(&body);
}

static void a_consumer_over_the_hard_limit_is_ended(void **state)
{
	int fd = join(*state);

	send_frame(fd, MESSAGE, LT_STR("burst 40 1000000"));
	struct lt_buf body = { 0 };
	while (read_frame(fd, &body) == MESSAGE) {
		/* what had left before */
	}

	assert_int_equal(server_report(*state).slow_peers_ended, 1);
	close(fd);
	lt_buf_finish(&body);
}

static void an_idle_peer_is_pinged_and_dropped_after_two_unanswered(void **state)
{
	struct server *server = server_create();

	server->env.limits.ping_interval_ms = 20;
	server_start(server, "rs:127.0.0.1:0");
	int fd = join(server);

	expect_frame(fd, PING, "ping");
	expect_frame(fd, PING, "ping");
	expect_end(fd);
	assert_int_equal(server_report(server).limit_hits[LT_LIMIT_PING_TIMEOUT], 1);
	*state = server;
	server_teardown(state);
}

static void a_connection_without_handshake_is_closed_in_time(void **state)
{
	struct server *server = server_create();

	server->env.limits.hello_timeout_ms = 20;
	server_start(server, "rs:127.0.0.1:0");
	int fd = wire_connect(server->address + strlen("rs:"));
	wire_send(fd, "\x7f\xf1", 2);

	expect_end(fd);
	assert_int_equal(server_report(server).limit_hits[LT_LIMIT_HANDSHAKE_TIMEOUT], 1);
	*state = server;
	server_teardown(state);
}

static void a_unix_socket_speaks_rawsocket(void **state)
{
	struct server *server = server_create();
	char address[64];

	snprintf(address, sizeof(address), "rs:unix:/tmp/lt_raw_test.%d", (int)getpid());
	server_start(server, address);
	assert_string_equal(server->address, address);

	int fd = join(server);
	send_frame(fd, MESSAGE, LT_STR("hello"));

	expect_frame(fd, MESSAGE, "hello");
	close(fd);
	*state = server;
	server_teardown(state);
}

static void peers_that_vanish_in_the_middle_leave_nothing_behind(void **state)
{
	int fds[] = { join(*state), join(*state), join(*state) };

	wire_send(fds[0], "\0\0", 2);
	wire_send(fds[1], "\0\0\x10\0half", 8);
	send_frame(fds[2], MESSAGE, LT_STR("burst 5 1000000"));
	for (size_t i = 0; i < LT_ARRAY_LEN(fds); i++) {
		close(fds[i]);
	}
	/* the teardown counts sessions, and the sanitizer what is left */
}

int main(void)
{
#define RAW_TEST(name) cmocka_unit_test_setup_teardown(name, raw_setup, server_teardown)
	const struct CMUnitTest tests[] = {
		RAW_TEST(a_handshake_is_answered_with_our_length_and_the_serializer),
		RAW_TEST(an_unknown_serializer_is_refused),
		RAW_TEST(reserved_octets_in_the_handshake_are_refused),
		RAW_TEST(another_protocol_gets_no_answer),
		RAW_TEST(messages_go_in_and_out),
		RAW_TEST(messages_arrive_when_each_byte_comes_alone),
		RAW_TEST(a_ping_is_answered_with_its_payload),
		RAW_TEST(a_pong_out_of_the_blue_is_ignored),
		RAW_TEST(a_frame_of_unknown_type_ends_the_connection),
		RAW_TEST(a_message_over_the_limit_ends_the_connection_before_it_is_read),
		RAW_TEST(a_peer_is_never_sent_more_than_it_announced),
		RAW_TEST(what_is_queued_leaves_before_a_close),
		RAW_TEST(a_late_reader_gets_large_messages_whole_with_pongs_between),
		RAW_TEST(a_consumer_over_the_hard_limit_is_ended),
		cmocka_unit_test(an_idle_peer_is_pinged_and_dropped_after_two_unanswered),
		cmocka_unit_test(a_connection_without_handshake_is_closed_in_time),
		cmocka_unit_test(a_unix_socket_speaks_rawsocket),
		RAW_TEST(peers_that_vanish_in_the_middle_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
