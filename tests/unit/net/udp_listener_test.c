#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "net/udp_listener.h"
#include "support/test.h"

struct fixture {
	struct lt_net_env env;
	struct lt_timer guard;
	struct lt_udp_listener *listener;
	struct lt_buf seen; /* "bytes\n" each */
	struct lt_buf from;
	int datagrams, want;
	bool destroy_when_done;
};

static void too_late(void *arg)
{
	(void)arg;
	fail_msg("what the test waits for did not happen in 20 s");
}

static void on_datagram(void *arg, struct lt_str bytes, struct lt_str from)
{
	struct fixture *f = arg;

	lt_buf_add_str(&f->seen, bytes);
	lt_buf_add_char(&f->seen, '\n');
	lt_buf_clear(&f->from);
	lt_buf_add_str(&f->from, from);
	if (++f->datagrams == f->want) {
		if (f->destroy_when_done) {
			lt_udp_listener_destroy(LT_STEAL(f->listener));
		}
		lt_loop_stop(f->env.loop);
	}
}

static struct lt_udp_listener *create(struct fixture *f, const char *address, uint16_t port)
{
	const struct lt_udp_listener_opts opts = {
		.address = address,
		.port = port,
		.datagram = on_datagram,
		.arg = f,
	};

	return lt_udp_listener_create(&f->env, &opts);
}

static int setup(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));

	f->env.loop = lt_loop_create(NULL);
	f->want = 1;
	lt_timer_once(&f->guard, f->env.loop, 20000, too_late, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_udp_listener_destroy(f->listener);
	lt_timer_cancel(&f->guard);
	lt_loop_destroy(f->env.loop);
	lt_buf_finish(&f->seen);
	lt_buf_finish(&f->from);
	lt_free(f);
	return 0;
}

/* A blocking socket of the test that is connected to the listener. */
static int connect_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void start(struct fixture *f)
{
	struct lt_err err = { 0 };

	f->listener = create(f, NULL, 0);
	assert_int_equal(lt_udp_listener_port(f->listener), 0);
	if (!lt_udp_listener_start(f->listener, &err)) {
		fail_msg("%s", err.msg);
	}
}

static void a_datagram_arrives_with_its_sender_and_can_be_answered(void **state)
{
	struct fixture *f = *state;
	char answer[16] = "";
	char expected[32];
	struct sockaddr_in ours;
	socklen_t n = sizeof(ours);

	start(f);
	int fd = connect_to(lt_udp_listener_port(f->listener));
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	lt_loop_run(f->env.loop);
	assert_true(lt_udp_listener_send_to(f->listener, LT_STR("hi"), lt_buf_str(&f->from), NULL));
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), 2);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&ours, &n), 0);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(ours.sin_port));
	assert_string_equal(f->from.p, expected);
	assert_string_equal(f->seen.p, "hello\n");
	assert_string_equal(answer, "hi");
	close(fd);
}

static void datagrams_keep_their_bounds_even_empty_ones(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->want = 3;
	int fd = connect_to(lt_udp_listener_port(f->listener));
	assert_int_equal(send(fd, "a", 1, 0), 1);
	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, "bc", 2, 0), 2);
	lt_loop_run(f->env.loop);

	assert_string_equal(f->seen.p, "a\n\nbc\n");
	close(fd);
}

static void ipv6_works_where_the_machine_has_it(void **state)
{
	struct fixture *f = *state;
	struct lt_udp_listener *other = create(f, "::1", 0);
	struct lt_err err = { 0 };
	char to[32];

	f->listener = create(f, "::1", 0);
	if (!lt_udp_listener_start(f->listener, &err)) {
		print_message("SKIPPED: no IPv6 here: %s\n", err.msg);
		lt_udp_listener_destroy(other);
		skip();
	}
	assert_true(lt_udp_listener_start(other, &err));
	snprintf(to, sizeof(to), "[::1]:%u", lt_udp_listener_port(f->listener));
	assert_true(lt_udp_listener_send_to(other, LT_STR("six"), lt_str_from(to), &err));
	lt_loop_run(f->env.loop);

	assert_string_equal(f->seen.p, "six\n");
	assert_memory_equal(f->from.p, "[::1]:", 6);
	lt_udp_listener_destroy(other);
}

static void a_taken_port_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	start(f);
	struct lt_udp_listener *second = create(f, "127.0.0.1", lt_udp_listener_port(f->listener));
	assert_false(lt_udp_listener_start(second, &err));

	assert_non_null(strstr(err.msg, "cannot listen on UDP 127.0.0.1 port "));
	lt_udp_listener_destroy(second);
}

static void bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "", ":", "localhost:5", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:70000", "[::1:5", "1.2.3:x" };
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	struct lt_udp_listener *named = create(f, "localhost", 0);

	assert_false(lt_udp_listener_start(named, &err));
	assert_string_equal(err.msg, "localhost is not an IP address");
	lt_udp_listener_destroy(named);
	start(f);
	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		assert_false(lt_udp_listener_send_to(
				f->listener, LT_STR("x"), lt_str_from(bad[i]), &err));
		assert_int_equal(err.code, LT_E_INVALID);
	}
}

static void the_listener_may_be_destroyed_in_its_callback(void **state)
{
	struct fixture *f = *state;

	start(f);
	f->destroy_when_done = true;
	int fd = connect_to(lt_udp_listener_port(f->listener));
	assert_int_equal(send(fd, "a", 1, 0), 1);
	assert_int_equal(send(fd, "b", 1, 0), 1);
	lt_loop_run(f->env.loop);

	assert_int_equal(f->datagrams, 1);
	lt_udp_listener_destroy(NULL);
	close(fd);
}

static void a_stopped_listener_sends_nothing(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	start(f);
	lt_udp_listener_stop(f->listener);

	assert_false(lt_udp_listener_send_to(
			f->listener, LT_STR("x"), LT_STR("127.0.0.1:9"), &err));
	assert_int_equal(err.code, LT_E_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_datagram_arrives_with_its_sender_and_can_be_answered),
		TEST(datagrams_keep_their_bounds_even_empty_ones),
		TEST(ipv6_works_where_the_machine_has_it),
		TEST(a_taken_port_is_an_error_that_names_it),
		TEST(bad_addresses_are_refused),
		TEST(the_listener_may_be_destroyed_in_its_callback),
		TEST(a_stopped_listener_sends_nothing),
	};

	return cmocka_run_group_tests_name("net/udp_listener", tests, NULL, NULL);
}
