/*
 * The bus over NATS: live messages by core NATS, the newest of each kept
 * subject in a JetStream stream with one message a subject, leases in a
 * JetStream key-value bucket. libnats works on threads of its own; two more of
 * ours do what would block: one sends, one asks JetStream. They meet the loop
 * in bounded queues (inbox.h).
 *
 * Needs nats-server 2.9 or later with JetStream. Source: the NATS client
 * protocol and the JetStream API as libnats 3.4 has them.
 */
#ifndef LT_MESH_BUS_NATS_H
#define LT_MESH_BUS_NATS_H

#include "base/log.h"
#include "base/loop.h"
#include "mesh/bus.h"

/* Texts are copied; NULL: not used. */
struct lt_bus_nats_conf {
	const char *urls; /* "nats://a:4222,tls://b:4222", separated by commas */
	const char *user, *password, *token;
	const char *nkey_file;                      /* seed of an nkey ("SU...") */
	const char *creds_file;                     /* JWT and seed, as nsc writes it */
	const char *ca_file, *cert_file, *key_file; /* PEM; a CA or a certificate asks for TLS */
	const char *prefix; /* first part of all subjects, and of the names of stream and bucket */
	const char *node;   /* the name the servers show for the connection */
	unsigned replicas;  /* of stream and bucket in a cluster; 0 is 1 */
	size_t queue_bytes; /* each way, before messages are refused or lost; 0: 64 MiB */
};

struct lt_bus_nats_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_bus_nats_conf conf;
};

/* What is wrong with these settings, files included, before anything connects. */
bool lt_bus_nats_check(const struct lt_bus_nats_conf *conf, struct lt_err *err);

struct lt_bus *lt_bus_nats_create(const struct lt_bus_nats_env *env, struct lt_err *err);

#endif
