/* What the service manager is told, and when. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"
#include "support/test.h"
#include "support/tmpdir.h"
#include "support_fake/loop_fake.h"

struct fixture {
	struct lt_loop *loop;
	char dir[TMPDIR_MAX];
	char path[TMPDIR_MAX + 8];
	int fd;
	char said[512];
	struct lt_notify *notify;
};

static void describe(void *arg, struct lt_buf *buf)
{
	(void)arg;
	lt_buf_add_c(buf, "fine");
}

static void begin(struct fixture *f, int64_t watchdog_us)
{
	f->notify = lt_notify_create(&(struct lt_notify_env){
			.loop = f->loop,
			.socket = f->path,
			.watchdog_us = watchdog_us,
			.describe = describe,
	});
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct lt_err err;

	f->loop = lt_loop_create(&err);
	tmpdir_make(f->dir);
	snprintf(f->path, sizeof(f->path), "%s/notify", f->dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_notify_destroy(f->notify);
	close(f->fd);
	tmpdir_remove(f->dir);
	lt_loop_destroy(f->loop);
	free(f);
	return 0;
}

/* The next datagram; "" when there is none. */
static const char *heard(struct fixture *f)
{
	ssize_t n = recv(f->fd, f->said, sizeof(f->said) - 1, 0);

	f->said[n > 0 ? n : 0] = '\0';
	return f->said;
}

static void ready_comes_with_a_status(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	assert_string_equal(heard(f), "");
	lt_notify_ready(f->notify);

	assert_string_equal(heard(f), "READY=1\nSTATUS=fine\n");
}

static void the_watchdog_is_answered_twice_in_each_period(void **state)
{
	struct fixture *f = *state;

	begin(f, 2 * LT_US_PER_S);
	lt_notify_ready(f->notify);
	heard(f);
	lt_fake_advance(f->loop, 999);
	assert_string_equal(heard(f), "");
	lt_fake_advance(f->loop, 1);
	assert_string_equal(heard(f), "WATCHDOG=1\nSTATUS=fine\n");
	lt_fake_advance(f->loop, 1000);
	assert_string_equal(heard(f), "WATCHDOG=1\nSTATUS=fine\n");
}

static void without_a_watchdog_none_is_answered(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	lt_notify_ready(f->notify);
	heard(f);
	lt_fake_advance(f->loop, 5000);

	assert_string_equal(heard(f), "STATUS=fine\n");
}

static void pings_go_on_while_it_stops(void **state)
{
	struct fixture *f = *state;

	begin(f, 2 * LT_US_PER_S);
	lt_notify_ready(f->notify);
	heard(f);
	lt_notify_stopping(f->notify);
	assert_string_equal(heard(f), "STOPPING=1\nSTATUS=fine\n");
	lt_fake_advance(f->loop, 1000);
	assert_string_equal(heard(f), "WATCHDOG=1\nSTATUS=fine\n");
}

static void reloading_says_since_when(void **state)
{
	struct fixture *f = *state;

	begin(f, 0);
	lt_notify_reloading(f->notify);

	assert_memory_equal(heard(f), "RELOADING=1\nMONOTONIC_USEC=", 27);
}

static void nothing_runs_without_a_socket(void **state)
{
	struct fixture *f = *state;

	f->path[0] = '\0';
	begin(f, 2 * LT_US_PER_S);
	lt_notify_ready(f->notify);
	lt_fake_advance(f->loop, 10000);
	lt_notify_stopping(f->notify);

	assert_string_equal(heard(f), "");
}

static void a_socket_that_has_gone_is_no_reason_to_end(void **state)
{
	struct fixture *f = *state;

	begin(f, 2 * LT_US_PER_S);
	unlink(f->path);
	lt_notify_ready(f->notify);
	lt_fake_advance(f->loop, 1000);

	assert_string_equal(heard(f), "");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_comes_with_a_status),
		TEST(the_watchdog_is_answered_twice_in_each_period),
		TEST(without_a_watchdog_none_is_answered),
		TEST(pings_go_on_while_it_stops),
		TEST(reloading_says_since_when),
		TEST(nothing_runs_without_a_socket),
		TEST(a_socket_that_has_gone_is_no_reason_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
