#include <sys/socket.h>
#include <zlib.h>

#include "listener_fixture.h"

#define RSV1 0x40

/* Handshake with this offer; the response's head in `ret_head`. */
static int open_offering(struct server *server, const char *offer, struct lt_buf *ret_head)
{
	char subprotocol[300];

	/* ws_open writes the value as it is: further headers may follow */
	snprintf(subprotocol, sizeof(subprotocol), "wamp.2.json\r\nSec-WebSocket-Extensions: %s",
			offer);
	return ws_open(server->address, "/ws", subprotocol, ret_head);
}

static int join(struct server *server)
{
	struct lt_buf head = { 0 };
	int fd = open_offering(server, "permessage-deflate; client_max_window_bits", &head);

	assert_non_null(strstr(head.p, "permessage-deflate"));
	lt_buf_finish(&head);
	return fd;
}

static void deflate_message(struct lt_str plain, struct lt_buf *ret)
{
	z_stream stream = { 0 };

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	lt_buf_clear(ret);
	lt_buf_reserve(ret, plain.n + 1024);
	stream.next_in = (Bytef *)(uintptr_t)plain.p;
	stream.avail_in = (uInt)plain.n;
	stream.next_out = (Bytef *)ret->p;
	stream.avail_out = (uInt)ret->cap;
	assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
	ret->n = stream.total_out - 4;
	deflateEnd(&stream);
}

static void inflate_message(struct lt_str deflated, struct lt_buf *ret)
{
	z_stream stream = { 0 };
	struct lt_buf all = { 0 };

	lt_buf_add_str(&all, deflated);
	lt_buf_add(&all, "\0\0\xff\xff", 4);
	assert_int_equal(inflateInit2(&stream, -LT_DEFLATE_BITS), Z_OK);
	lt_buf_clear(ret);
	lt_buf_reserve(ret, 1 << 20);
	stream.next_in = (Bytef *)all.p;
	stream.avail_in = (uInt)all.n;
	stream.next_out = (Bytef *)ret->p;
	stream.avail_out = 1 << 20;
	assert_int_equal(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
	ret->n = stream.total_out;
	inflateEnd(&stream);
	lt_buf_finish(&all);
}

static void expect_answer(struct server *server, const char *offer, const char *expected)
{
	struct lt_buf head = { 0 };
	int fd = open_offering(server, offer, &head);
	const char *line = strstr(head.p, "Sec-WebSocket-Extensions: ");

	assert_non_null(strstr(head.p, "HTTP/1.1 101 "));
	if (!expected) {
		assert_null(line);
	} else {
		assert_non_null(line);
		line += strlen("Sec-WebSocket-Extensions: ");
		assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
		assert_int_equal(strncmp(line + strlen(expected), "\r\n", 2), 0);
	}
	/* and the connection works */
	struct ws_frame frame = { 0 };
	ws_send(fd, WS_TEXT, LT_STR("hello"));
	assert_true(ws_read(fd, &frame));
	assert_str_equal(lt_buf_str(&frame.body), "hello");
	lt_buf_finish(&frame.body);
	close(fd);
	lt_buf_finish(&head);
}

#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

static void an_offer_is_answered_without_context_takeover(void **state)
{
	expect_answer(*state, "permessage-deflate", AGREED);
	expect_answer(*state, "permessage-deflate; client_max_window_bits", AGREED);
	expect_answer(*state, "permessage-deflate; client_max_window_bits=10", AGREED);
	expect_answer(*state, "x-other, permessage-deflate; server_no_context_takeover", AGREED);
	expect_answer(*state, "permessage-deflate; client_no_context_takeover, permessage-deflate",
			AGREED);
}

static void a_bound_to_our_window_is_kept_or_the_offer_declined(void **state)
{
	expect_answer(*state, "permessage-deflate; server_max_window_bits=12",
			AGREED "; server_max_window_bits=12");
	expect_answer(*state, "permessage-deflate; server_max_window_bits=15",
			AGREED "; server_max_window_bits=12");
	expect_answer(*state, "permessage-deflate; server_max_window_bits=9", NULL);
	expect_answer(*state, "permessage-deflate; server_max_window_bits=x", NULL);
}

static void an_offer_that_is_not_understood_is_declined(void **state)
{
	expect_answer(*state, "permessage-deflate; surprise", NULL);
	expect_answer(*state, "permessage-deflate, permessage-deflate", NULL);
	expect_answer(*state, "x-webkit-deflate-frame", NULL);
}

static void a_large_message_leaves_deflated_and_a_small_one_plain(void **state)
{
	int fd = join(*state);
	struct ws_frame frame = { 0 };
	struct lt_buf message = { 0 };

	ws_send(fd, WS_TEXT, LT_STR("burst 1 20000"));
	assert_true(ws_read(fd, &frame));
	assert_int_equal(frame.opcode, RSV1 | WS_TEXT);
	assert_true(frame.body.n < 1000);
	inflate_message(lt_buf_str(&frame.body), &message);
	assert_int_equal(message.n, 20000);
	assert_int_equal(strncmp(message.p, "0 ...", 5), 0);
	ws_send(fd, WS_TEXT, LT_STR("burst 1 100"));
	assert_true(ws_read(fd, &frame));
	assert_int_equal(frame.opcode, WS_TEXT);
	assert_int_equal(frame.body.n, 100);

	close(fd);
	lt_buf_finish(&frame.body);
	lt_buf_finish(&message);
}

static void what_does_not_become_smaller_leaves_plain(void **state)
{
	int fd = join(*state);
	struct ws_frame frame = { 0 };
	char noise[30000];
	uint32_t seed = 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		seed = seed * 1664525 + 1013904223;
		noise[i] = (char)(seed >> 24 & 0x7f);
	}
	memcpy(noise, "noise", 5);
	ws_send(fd, WS_TEXT, (struct lt_str){ noise, sizeof(noise) });
	assert_true(ws_read(fd, &frame));

	assert_int_equal(frame.opcode & RSV1, 0);
	assert_int_equal(frame.body.n, sizeof(noise));
	close(fd);
	lt_buf_finish(&frame.body);
}

static void a_message_too_long_to_compress_leaves_in_plain_fragments(void **state)
{
	int fd = join(*state);
	struct lt_buf message = { 0 };

	ws_send(fd, WS_TEXT, LT_STR("burst 1 500000"));
	ws_read_message(fd, &message);

	assert_int_equal(message.n, 500000);
	close(fd);
	lt_buf_finish(&message);
}

static void a_deflated_message_arrives(void **state)
{
	int fd = join(*state);
	struct ws_frame frame = { 0 };
	struct lt_buf deflated = { 0 };

	for (int round = 0; round < 3; round++) {
		deflate_message(LT_STR("hello hello hello"), &deflated);
		ws_send(fd, RSV1 | WS_TEXT, lt_buf_str(&deflated));
		assert_true(ws_read(fd, &frame));
		assert_str_equal(lt_buf_str(&frame.body), "hello hello hello");
	}

	close(fd);
	lt_buf_finish(&frame.body);
	lt_buf_finish(&deflated);
}

static void deflated_fragments_of_two_clients_do_not_mix(void **state)
{
	int fds[2] = { join(*state), join(*state) };
	static const char *const texts[2] = { "one one one one", "two two two two two" };
	struct lt_buf deflated[2] = { 0 };
	struct ws_frame frame = { 0 };
	struct lt_buf out = { 0 };

	for (int i = 0; i < 2; i++) {
		deflate_message(lt_str_from(texts[i]), &deflated[i]);
	}
	for (int part = 0; part < 2; part++) {
		for (int i = 0; i < 2; i++) {
			size_t half = deflated[i].n / 2;
			struct lt_str bytes = { deflated[i].p, half };

			if (part == 1) {
				bytes = lt_str_skip(lt_buf_str(&deflated[i]), half);
			}
			lt_buf_clear(&out);
			ws_encode(&out, part == 0 ? RSV1 | WS_TEXT : WS_CONTINUATION, part == 1,
					false, bytes);
			wire_send(fds[i], out.p, out.n);
		}
	}

	for (int i = 0; i < 2; i++) {
		assert_true(ws_read(fds[i], &frame));
		assert_int_equal(frame.body.n, strlen(texts[i]));
		assert_memory_equal(frame.body.p, texts[i], frame.body.n);
		close(fds[i]);
		lt_buf_finish(&deflated[i]);
	}
	lt_buf_finish(&frame.body);
	lt_buf_finish(&out);
}

static void a_message_that_inflates_over_the_limit_is_refused(void **state)
{
	int fd = join(*state);
	size_t n = 64 * 1024 * 1024;
	char *zeros = lt_zalloc(n);
	struct lt_buf bomb = { 0 };

	deflate_message((struct lt_str){ zeros, n }, &bomb);
	assert_true(bomb.n < 100000);
	ws_send(fd, RSV1 | WS_TEXT, lt_buf_str(&bomb));

	assert_int_equal(ws_read_close(fd), 1009);
	close(fd);
	lt_buf_finish(&bomb);
	lt_free(zeros);
}

static void what_is_not_deflated_but_says_so_is_refused(void **state)
{
	int fd = join(*state);

	ws_send(fd, RSV1 | WS_TEXT, LT_STR("\xff\xff\xff\xff\xff"));

	assert_int_equal(ws_read_close(fd), 1002);
	close(fd);
}

int main(void)
{
#define SERVED_TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
		SERVED_TEST(an_offer_is_answered_without_context_takeover),
		SERVED_TEST(a_bound_to_our_window_is_kept_or_the_offer_declined),
		SERVED_TEST(an_offer_that_is_not_understood_is_declined),
		SERVED_TEST(a_large_message_leaves_deflated_and_a_small_one_plain),
		SERVED_TEST(what_does_not_become_smaller_leaves_plain),
		SERVED_TEST(a_message_too_long_to_compress_leaves_in_plain_fragments),
		SERVED_TEST(a_deflated_message_arrives),
		SERVED_TEST(deflated_fragments_of_two_clients_do_not_mix),
		SERVED_TEST(a_message_that_inflates_over_the_limit_is_refused),
		SERVED_TEST(what_is_not_deflated_but_says_so_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
