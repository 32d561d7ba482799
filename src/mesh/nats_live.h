/*
 * The connection for what nodes say: a thread of its own connects, subscribes
 * and sends what is queued; libnats' thread receives. Both post to the inbox.
 */
#ifndef LT_MESH_NATS_LIVE_H
#define LT_MESH_NATS_LIVE_H

#include "mesh/inbox.h"
#include "mesh/nats_conn.h"

struct lt_nats_live;

/* What it posts, embedding a note. */
enum lt_nats_news {
	LT_NATS_MESSAGE, /* subject and body */
	LT_NATS_UP,      /* text: the server */
	LT_NATS_DOWN,    /* text: why; also when it cannot connect, once */
	LT_NATS_LOST,    /* messages came that found no room */
	LT_NATS_ROOM,
	LT_NATS_REPLAYED, /* of the keeper, as the following */
	LT_NATS_CLAIMED,
};
struct lt_nats_note {
	struct lt_note note;
	enum lt_nats_news news;
	bool ok;                     /* REPLAYED, CLAIMED: it is ours; DOWN: it had been up */
	bool is_stored;              /* MESSAGE */
	bool is_denied;              /* DOWN: the login */
	uint64_t round;              /* REPLAYED, MESSAGE that is stored: of which replay */
	struct lt_buf subject, body; /* body: the text, the holder */
	lt_bus_claimed_fn claimed;
	void *arg;
};
struct lt_nats_note *lt_nats_note_create(enum lt_nats_news news, struct lt_str body);
/* With a size: it may be refused. */
struct lt_nats_note *lt_nats_note_message(struct lt_str subject, struct lt_str body);

/* `prepare` is asked on the thread before UP, and connects again when it is false: err is why. */
struct lt_nats_live_env {
	const struct lt_nats_conf *conf;
	struct lt_inbox *inbox;
	bool (*prepare)(void *arg, natsConnection *conn, struct lt_err *err);
	/* On the thread: everything queued before it has left. */
	void (*flushed)(void *arg, struct lt_str subject);
	void *arg;
};
struct lt_nats_live *lt_nats_live_create(const struct lt_nats_live_env *env);
/* `name`: messages below <prefix>.to. come for it alone. Copied. */
void lt_nats_live_start(struct lt_nats_live *live, const char *name);

/* Of the loop. Errors: those of lt_bus_publish. */
bool lt_nats_live_send(struct lt_nats_live *live, struct lt_str subject, struct lt_str body,
		struct lt_err *err);
/* flushed(subject) when what was sent before has reached the server. */
void lt_nats_live_flush(struct lt_nats_live *live, struct lt_str subject);
void lt_nats_live_report(struct lt_nats_live *live, struct lt_bus_stats *ret);

void lt_nats_live_stop(struct lt_nats_live *live);    /* begin to; sends what is queued */
void lt_nats_live_join(struct lt_nats_live *live);    /* blocks until it has; some 2 s */
void lt_nats_live_destroy(struct lt_nats_live *live); /* joined, or never started */

#endif
