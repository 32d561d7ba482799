/*
 * A real nats-server with JetStream, a child of the test, on a free port and in
 * a folder of its own.
 */
#ifndef LT_TESTS_NATS_SERVER_H
#define LT_TESTS_NATS_SERVER_H

#include <stdbool.h>

struct nats_server;

/* Is the program there? Says so loudly where not. */
bool nats_server_is_installed(void);

/* `conf`: further lines of its configuration, or NULL. Ready when this returns. */
struct nats_server *nats_server_start(const char *conf);
const char *nats_server_address(const struct nats_server *server); /* "127.0.0.1:port" */
const char *nats_server_url(const struct nats_server *server);     /* "nats://..." */
void nats_server_kill(struct nats_server *server);                 /* at once */
void nats_server_again(struct nats_server *server);                /* as it was, on the same port */
void nats_server_halt(struct nats_server *server, bool is_halted); /* SIGSTOP, SIGCONT */
void nats_server_destroy(struct nats_server *server);

#endif
