/*
 * Settings of the bus as they were checked, and a connection made with them.
 * libnats' own ways of connecting again are not used: a connection that breaks
 * is closed, and its owner makes another, to the next server.
 */
#ifndef LT_MESH_NATS_CONN_H
#define LT_MESH_NATS_CONN_H

#include <nats/nats.h>

#include "base/err.h"
#include "mesh/bus_nats.h"

#define LT_NATS_WAIT_MS 1500 /* for a connection, a write, a round trip */

struct lt_nats_server {
	char *url;                     /* nats://host:port */
	char *host;                    /* as the certificate must say */
	char *shown;                   /* host:port */
	char *user, *password, *token; /* of the URL; NULL: those of the settings */
	bool tls;
};

struct lt_nats_conf {
	struct lt_nats_server *servers;
	size_t n;
	char *user, *password, *token, *nkey_file, *creds_file, *ca_file, *cert_file, *key_file;
	char *prefix, *node;
	unsigned replicas;
	size_t queue_bytes;
};

/* Checks and copies. Errors: LT_E_INVALID, LT_E_IO, LT_E_FORMAT; never with a secret in it. */
struct lt_nats_conf *lt_nats_conf_create(const struct lt_bus_nats_conf *from, struct lt_err *err);
void lt_nats_conf_destroy(struct lt_nats_conf *conf); /* NULL is fine */

/*
 * Connect to the server of this number (modulo n), blocking for some
 * LT_NATS_WAIT_MS. closed(arg) comes once, on a thread of libnats, when the
 * connection ends; natsConnection_Destroy waits for it.
 *
 * Errors     LT_E_DENIED the server does not let us in; LT_E_UNAVAILABLE
 */
natsConnection *lt_nats_connect(const struct lt_nats_conf *conf, size_t number,
		natsConnectionHandler closed, void *arg, struct lt_err *err);

#endif
