/*
 * A whole router behind a unix socket: the input is what one client writes
 * before it closes its side. All is open to anonymous sessions, so that a few
 * bytes reach far. The router lives as long as the process.
 */
#ifndef LT_TESTS_FUZZ_WIRE_H
#define LT_TESTS_FUZZ_WIRE_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/random.h"
#include "fuzz.h"
#include "router/http_call.h"
#include "router/router.h"

struct wire {
	struct lt_loop *loop;
	struct lt_router *router;
	struct lt_http_call *bridge;
	int client;
};

#define WIRE_PERMISSIONS                                                                           \
	"{\"roles\":{\"anonymous\":{\"permissions\":[{\"uri\":\"\",\"match\":\"prefix\","          \
	"\"allow\":{\"call\":true,\"register\":true,\"publish\":true,\"subscribe\":true}}]}}}"

/* Of the one router of this process. */
static inline struct sockaddr_un *wire_address(void)
{
	static struct sockaddr_un address = { .sun_family = AF_UNIX };

	return &address;
}

static inline void wire_remove_socket(void)
{
	unlink(wire_address()->sun_path);
}

/* `scheme` "rs:" or "". */
static inline void wire_start(struct wire *wire, const char *scheme)
{
	static struct lt_router_env env; /* borrowed by the router */
	struct sockaddr_un *address = wire_address();
	struct lt_err err;
	char text[160];

	wire->loop = lt_loop_create(&err);

	env = (struct lt_router_env){
		.loop = wire->loop,
		.random = lt_random_create(1, &err),
		.agent = "fuzz",
	};
	wire->router = lt_router_create(&env);
	assert(lt_router_add_realm(wire->router, LT_STR("timing"), &err));
	assert(lt_router_set_permissions(wire->router, LT_STR(WIRE_PERMISSIONS), &err));
	snprintf(address->sun_path, sizeof(address->sun_path), "/tmp/lt-fuzz-%d.sock",
			(int)getpid());
	snprintf(text, sizeof(text), "%sunix:%s", scheme, address->sun_path);
	assert(lt_router_listen(wire->router, lt_str_from(text), &err));
	atexit(wire_remove_socket);
	wire->bridge = lt_http_call_create(
			&(struct lt_http_call_opts){ .router = wire->router, .realm = "timing" });
	assert(lt_http_call_start(wire->bridge, &err));
}

static inline void wire_on_readable(void *arg, int events)
{
	struct wire *wire = arg;
	char bytes[4096];

	(void)events;
	if (read(wire->client, bytes, sizeof(bytes)) <= 0) {
		lt_loop_stop(wire->loop);
	}
}

/* Write all of it, close our side, and run the router until it closes its own. */
static inline void wire_exchange(struct wire *wire, const uint8_t *bytes, size_t n)
{
	struct lt_watch watch = { 0 };

	wire->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(connect(wire->client, (const struct sockaddr *)wire_address(),
			       sizeof(struct sockaddr_un)) == 0);
	for (size_t at = 0; at < n;) {
		ssize_t written = write(wire->client, bytes + at, n - at);

		assert(written > 0);
		at += (size_t)written;
	}
	shutdown(wire->client, SHUT_WR);
	lt_watch_start(&watch, wire->loop, wire->client, LT_READABLE, wire_on_readable, wire, NULL);
	lt_loop_run(wire->loop);
	lt_watch_stop(&watch);
	close(wire->client);
}

#endif
