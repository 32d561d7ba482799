/*
 * For the tests of what owns sockets: real listeners on a loop of their own
 * thread, and below them, in place of the session layer, a stub that does what
 * the messages say ("burst 5 100", "close 2") and echoes the others.
 */
#ifndef LT_TESTS_LISTENER_FIXTURE_H
#define LT_TESTS_LISTENER_FIXTURE_H

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "router/http.h"
#include "router/listeners.h"
#include "router/router.h"
#include "router/transport.h"
#include "support/test.h"
#include "support/wire_client.h"

struct server {
	struct lt_router_env env;
	struct lt_listeners *listeners;
	struct lt_watch wake;
	int wake_fd[2];
	pthread_t thread;
	sem_t ran;
	lt_loop_fn fn;
	void *arg;
	char address[128];
	/* seen by the session stub; read with on_loop */
	unsigned sessions, gone;
};

/* --- the session stub --- */

struct lt_session {
	struct server *server;
	struct lt_peer *peer;
};

struct lt_session *lt_session_create(struct lt_router *router, struct lt_peer *peer,
		const struct lt_serializer *serializer)
{
	struct lt_session *session = lt_zalloc(sizeof(*session));

	assert_non_null(serializer);
	session->server = (struct server *)router;
	session->peer = peer;
	session->server->sessions++;
	return session;
}

void lt_session_peer_gone(struct lt_session *session)
{
	session->server->gone++;
	lt_free(session);
}

static void send_bytes(struct lt_session *session, struct lt_str bytes, uint64_t conflate)
{
	struct lt_payload *payload = lt_payload_create(bytes, false);

	session->peer->ops->send(session->peer, payload, conflate);
	lt_payload_unref(payload);
}

/* `count` messages of `size` bytes which begin with their number; all with the value `conflate`. */
static void send_burst(struct lt_session *session, unsigned count, unsigned size, unsigned conflate)
{
	char *bytes = lt_zalloc(size + 1);

	memset(bytes, '.', size);
	for (unsigned i = 0; i < count; i++) {
		int n = snprintf(bytes, size, "%u ", i);

		bytes[n] = '.';
		send_bytes(session, (struct lt_str){ bytes, size }, conflate);
	}
	lt_free(bytes);
}

void lt_session_receive(struct lt_session *session, struct lt_str message, bool binary)
{
	char *text = lt_str_dup(message);
	unsigned count, size, conflate = 0, reason;

	if (sscanf(text, "burst %u %u %u", &count, &size, &conflate) >= 2) {
		send_burst(session, count, size, conflate);
	} else if (sscanf(text, "close %u", &reason) == 1) {
		send_bytes(session, LT_STR("last words"), 0);
		session->peer->ops->close(session->peer, (enum lt_close_reason)reason, "as told");
	} else {
		send_bytes(session, binary ? LT_STR("binary") : message, 0);
	}
	lt_free(text);
}

/* --- the loop on its thread --- */

static void on_wake(void *arg, int events)
{
	struct server *server = arg;
	char c;

	(void)events;
	if (read(server->wake_fd[0], &c, 1) == 1) {
		server->fn(server->arg);
		sem_post(&server->ran);
	}
}

/* Run fn(arg) on the loop's thread and wait until it returned. */
static void on_loop(struct server *server, lt_loop_fn fn, void *arg)
{
	server->fn = fn;
	server->arg = arg;
	assert_int_equal(write(server->wake_fd[1], "!", 1), 1);
	sem_wait(&server->ran);
}

static void *run_loop(void *arg)
{
	lt_loop_run(((struct server *)arg)->env.loop);
	return NULL;
}

/* Limits may be changed between create and start. */
static struct server *server_create(void)
{
	struct server *server = lt_zalloc(sizeof(*server));

	server->env.loop = lt_loop_create(NULL);
	server->env.limits = (struct lt_limits){
		.message_bytes = 1024 * 1024,
		.queue_bytes = 8 * 1024 * 1024,
		.queue_soft_bytes = 64 * 1024,
		.connections = 100,
		.hello_timeout_ms = 30000,
		.ping_interval_ms = 30000,
	};
	server->listeners = lt_listeners_create((struct lt_router *)server, &server->env);
	return server;
}

static void server_start(struct server *server, const char *address)
{
	struct lt_err err;

	if (!lt_listeners_open(server->listeners, lt_str_from(address), &err)) {
		fail_msg("%s", err.msg);
	}
	snprintf(server->address, sizeof(server->address), "%s",
			lt_listeners_address(server->listeners, 0));
	assert_int_equal(pipe(server->wake_fd), 0);
	sem_init(&server->ran, 0, 0);
	lt_watch_start(&server->wake, server->env.loop, server->wake_fd[0], LT_READABLE, on_wake,
			server, NULL);
	assert_int_equal(pthread_create(&server->thread, NULL, run_loop, server), 0);
}

static void end_loop(void *arg)
{
	struct server *server = arg;

	lt_listeners_destroy(LT_STEAL(server->listeners));
	lt_watch_stop(&server->wake);
	lt_loop_stop(server->env.loop);
}

static int LT_UNUSED server_setup(void **state)
{
	struct server *server = server_create();

	*state = server;
	server_start(server, "127.0.0.1:0");
	return 0;
}

static int server_teardown(void **state)
{
	struct server *server = *state;

	on_loop(server, end_loop, server);
	pthread_join(server->thread, NULL);
	lt_loop_destroy(server->env.loop);
	close(server->wake_fd[0]);
	close(server->wake_fd[1]);
	sem_destroy(&server->ran);
	assert_int_equal(server->sessions, server->gone);
	lt_free(server);
	return 0;
}

static void fill_report(void *arg)
{
	struct {
		struct server *server;
		struct lt_router_stats stats;
	} *report = arg;

	lt_listeners_report(report->server->listeners, &report->stats);
}

static struct lt_router_stats LT_UNUSED server_report(struct server *server)
{
	struct {
		struct server *server;
		struct lt_router_stats stats;
	} report = { .server = server };

	on_loop(server, fill_report, &report);
	return report.stats;
}

#endif
