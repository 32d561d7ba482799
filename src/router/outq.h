/*
 * What waits to be written on one connection: a bounded queue of references to
 * finished frames. Pure: knows no socket. Zero-initialised is empty and valid.
 *
 * A message longer than LT_OUTQ_FRAGMENT_ABOVE leaves as WebSocket fragments
 * of LT_OUTQ_FRAGMENT bytes, so that control frames can pass between them and
 * a peer that reads slowly never costs a copy of a large shared message. The
 * unit that leaves is therefore the piece: a whole frame, or one fragment.
 *
 * RawSocket has no fragments. There a piece is what is left of a message, and
 * lt_outq_take_bytes tells how much of it has left.
 */
#ifndef LT_ROUTER_OUTQ_H
#define LT_ROUTER_OUTQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "router/payload.h"

#define LT_OUTQ_FRAGMENT_ABOVE (128 * 1024)
#define LT_OUTQ_FRAGMENT       (64 * 1024)
#define LT_OUTQ_PIECES         64
#define LT_RAW_HEAD            4 /* of a RawSocket frame */

enum lt_framing {
	LT_FRAMING_WS,
	LT_FRAMING_WS_DEFLATE, /* permessage-deflate was negotiated */
	LT_FRAMING_RAW,
};

struct lt_outq_entry {
	struct lt_payload *payload;
	uint64_t conflate;
};

struct lt_outq {
	struct lt_outq_entry *ring; /* NULL until the first push */
	uint32_t cap, head, count;
	uint8_t framing; /* enum lt_framing; set once, before the first push */
	size_t sent;     /* of the first entry: message bytes left as fragments; raw: bytes left */
	size_t bytes;    /* of all entries, less `sent` */
	size_t search_above; /* bytes below which a search for older ones is known to find little */
};

/* Bounds, shared by all queues. */
struct lt_outq_limits {
	size_t soft_bytes; /* above: entries with the same conflate value are replaced */
	size_t hard_bytes; /* above: the push fails */
};

/* One piece: a header of its own (head_n 0: none, it is part of body) and shared bytes. */
struct lt_outq_piece {
	uint8_t head[10];
	uint8_t head_n;
	struct lt_str body; /* borrowed from the queue */
};

/*
 * Append, taking a reference. An empty queue takes one message of any size.
 * conflate 0: the message may not be dropped. ret_conflated is increased by
 * the number of entries dropped in favour of this one. False: the hard limit
 * is reached; nothing was queued.
 */
bool lt_outq_push(struct lt_outq *queue, struct lt_payload *payload, uint64_t conflate,
		const struct lt_outq_limits *limits, uint64_t *ret_conflated);

/*
 * The next pieces in order, up to `count` of them and about `budget` bytes (at
 * least one if there is any). The queue is unchanged; the pieces are valid
 * until it changes. Returns how many.
 */
size_t lt_outq_peek(const struct lt_outq *queue, struct lt_outq_piece *ret_pieces, size_t count,
		size_t budget);

/* Drop the first `count` pieces: they have left. */
void lt_outq_take(struct lt_outq *queue, size_t count);

/* RawSocket: the first `n` bytes of what peek showed have left. */
void lt_outq_take_bytes(struct lt_outq *queue, size_t n);

/* Drop everything and free; the framing stays. */
void lt_outq_finish(struct lt_outq *queue);

static inline bool lt_outq_is_empty(const struct lt_outq *queue)
{
	return queue->count == 0;
}

#endif
