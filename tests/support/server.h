/*
 * A TCP server on a thread of its own for tests of clients: listens on
 * 127.0.0.1, port 0, and hands each connection, one after the other, to a
 * function that reads and writes with plain blocking calls.
 */
#ifndef LT_TESTS_SUPPORT_SERVER_H
#define LT_TESTS_SUPPORT_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server {
	uint16_t port;
	int fd; /* private from here */
	pthread_t thread;
	/* nth: 0 for the first connection; the descriptor is closed after it returns */
	void (*serve)(int fd, int nth, void *arg);
	void *arg;
};

void server_start(struct server *server, void (*serve)(int fd, int nth, void *arg), void *arg);

/* Ends when the connections have: stop the client first. */
void server_stop(struct server *server);

/* Write all of a text; read until the other side closes; read up to and with `end`. */
void server_say(int fd, const char *text);
void server_wait_for_close(int fd);
size_t server_read_until(int fd, const char *end, char *text, size_t size);

/* A port on 127.0.0.1 where nobody listens. */
uint16_t server_free_port(void);

#endif
