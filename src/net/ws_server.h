/*
 * A WebSocket server that says the same to all: texts go out to every client,
 * what clients say is read and left aside. On all addresses of the machine, on
 * a context of libwebsockets of its own. A client that does not read is ended
 * when too much waits for it, so that none can hold memory or the others up.
 */
#ifndef LT_NET_WS_SERVER_H
#define LT_NET_WS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_loop;
struct lt_ws_server;

struct lt_ws_server_env {
	struct lt_loop *loop;
	uint16_t port;      /* 0: any */
	size_t queue_bytes; /* that wait for one client before it is ended; 0: 32 MiB */
	size_t clients_max; /* 0: 1000 */
	/* Each may be NULL. A client is there, has gone; how many there are now. */
	void (*opened)(void *arg, size_t clients);
	void (*closed)(void *arg, size_t clients);
	void *arg;
};

struct lt_ws_server *lt_ws_server_create(const struct lt_ws_server_env *env);
/* Closes everything without callbacks; the rest ends on the loop. NULL is fine. */
void lt_ws_server_destroy(struct lt_ws_server *server);

/* Listen. The error names the port. */
bool lt_ws_server_start(struct lt_ws_server *server, struct lt_err *err);
uint16_t lt_ws_server_port(const struct lt_ws_server *server);

/* One text to every client, copied once. */
void lt_ws_server_send_all(struct lt_ws_server *server, struct lt_str text);

#endif
