/*
 * What is asked of JetStream, on a thread with a connection of its own: every
 * question blocks. Answers are posted to the inbox.
 */
#ifndef LT_MESH_NATS_KEEPER_H
#define LT_MESH_NATS_KEEPER_H

#include "mesh/nats_live.h"

struct lt_nats_keeper;

/* Borrows both. */
struct lt_nats_keeper *lt_nats_keeper_create(
		const struct lt_nats_conf *conf, struct lt_inbox *inbox);
void lt_nats_keeper_start(struct lt_nats_keeper *keeper);

/* Make sure that stream and bucket are there; on any thread, blocking. */
bool lt_nats_keeper_prepare(
		const struct lt_nats_conf *conf, natsConnection *conn, struct lt_err *err);

/* Any thread. Posts what is stored, then LT_NATS_REPLAYED, all of this round. */
void lt_nats_keeper_replay(struct lt_nats_keeper *keeper, uint64_t round);
/* Any thread. */
void lt_nats_keeper_forget(struct lt_nats_keeper *keeper, struct lt_str subject);
/* Posts LT_NATS_CLAIMED. */
void lt_nats_keeper_claim(struct lt_nats_keeper *keeper, struct lt_str key, struct lt_str holder,
		lt_bus_claimed_fn fn, void *arg);
void lt_nats_keeper_release(struct lt_nats_keeper *keeper, struct lt_str key, struct lt_str holder);

void lt_nats_keeper_stop(struct lt_nats_keeper *keeper);    /* begin to; releases are still done */
void lt_nats_keeper_join(struct lt_nats_keeper *keeper);    /* blocks; some 2 s */
void lt_nats_keeper_destroy(struct lt_nats_keeper *keeper); /* joined, or never started */

#endif
