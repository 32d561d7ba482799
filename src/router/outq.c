#include "router/outq.h"

#include <assert.h>

#include "base/alloc.h"

#define RING_MIN   4   /* kept by an idle connection */
#define RING_KEEP  64  /* a drained queue larger than this gives its memory back */
#define SEARCH_ALL 256 /* so many entries are looked at whenever there is a reason */
#define WS_FIN     0x80

static struct lt_outq_entry *entry_at(const struct lt_outq *queue, uint32_t i)
{
	return &queue->ring[(queue->head + i) & (queue->cap - 1)];
}

/* The finished frame of a queue that speaks WebSocket. */
static struct lt_str ws_frame(const struct lt_outq *queue, struct lt_payload *payload)
{
	return queue->framing == LT_FRAMING_WS_DEFLATE ? lt_payload_deflated_frame(payload)
						       : lt_payload_ws_frame(payload);
}

static size_t frame_bytes(const struct lt_outq *queue, struct lt_payload *payload)
{
	return queue->framing == LT_FRAMING_RAW ? LT_RAW_HEAD + lt_payload_message(payload).n
						: ws_frame(queue, payload).n;
}

static void grow(struct lt_outq *queue)
{
	uint32_t cap = queue->cap ? queue->cap * 2 : RING_MIN;
	struct lt_outq_entry *ring = lt_calloc(cap, sizeof(*ring));

	for (uint32_t i = 0; i < queue->count; i++) {
		ring[i] = *entry_at(queue, i);
	}
	lt_free(queue->ring);
	queue->ring = ring;
	queue->cap = cap;
	queue->head = 0;
}

/* Drop the entries with this value, but not a message of which a part has left. */
static uint32_t conflate_entries(struct lt_outq *queue, uint64_t conflate)
{
	uint32_t first = queue->sent > 0 ? 1 : 0, kept = first;

	for (uint32_t i = first; i < queue->count; i++) {
		struct lt_outq_entry entry = *entry_at(queue, i);

		if (entry.conflate == conflate) {
			queue->bytes -= frame_bytes(queue, entry.payload);
			lt_payload_unref(entry.payload);
		} else {
			*entry_at(queue, kept++) = entry;
		}
	}
	uint32_t dropped = queue->count - kept;
	queue->count = kept;
	return dropped;
}

/*
 * Drop older values of the same kind. A search looks at all entries; after one
 * in vain a long queue grows by a quarter before the next, so that many values
 * of different kinds do not cost the square of their number.
 */
static uint32_t make_room(struct lt_outq *queue, uint64_t conflate, size_t n, size_t hard_bytes)
{
	uint32_t dropped;

	if (queue->count > SEARCH_ALL && queue->bytes < queue->search_above &&
			queue->bytes + n <= hard_bytes) {
		return 0;
	}
	dropped = conflate_entries(queue, conflate);
	queue->search_above = dropped > 0 ? 0 : queue->bytes + queue->bytes / 4;
	return dropped;
}

bool lt_outq_push(struct lt_outq *queue, struct lt_payload *payload, uint64_t conflate,
		const struct lt_outq_limits *limits, uint64_t *ret_conflated)
{
	size_t n = frame_bytes(queue, payload);

	if (queue->bytes + n <= limits->soft_bytes) {
		queue->search_above = 0;
	} else if (conflate != 0) {
		*ret_conflated += make_room(queue, conflate, n, limits->hard_bytes);
	}
	if (queue->count > 0 && queue->bytes + n > limits->hard_bytes) {
		return false;
	}
	if (queue->count == queue->cap) {
		grow(queue);
	}
	*entry_at(queue, queue->count++) = (struct lt_outq_entry){
		.payload = lt_payload_ref(payload),
		.conflate = conflate,
	};
	queue->bytes += n;
	return true;
}

static bool is_fragmented(const struct lt_outq *queue, const struct lt_payload *payload)
{
	return queue->framing != LT_FRAMING_RAW &&
			lt_payload_message(payload).n > LT_OUTQ_FRAGMENT_ABOVE;
}

/* The fragment of a message that starts at `from`; the first byte of the finished frame has the
 * opcode. */
static void make_fragment(
		const struct lt_payload *payload, size_t from, struct lt_outq_piece *ret_piece)
{
	struct lt_str message = lt_payload_message(payload);
	size_t n = LT_MIN(message.n - from, (size_t)LT_OUTQ_FRAGMENT);
	uint8_t first = (uint8_t)lt_payload_ws_frame(payload).p[0];
	uint8_t opcode = from == 0 ? (first & 0x0f) : 0; /* 0: continuation */
	uint8_t fin = from + n == message.n ? WS_FIN : 0;

	ret_piece->head[0] = (uint8_t)(fin | opcode);
	if (n < 126) {
		ret_piece->head[1] = (uint8_t)n;
		ret_piece->head_n = 2;
	} else if (n < 65536) {
		ret_piece->head[1] = 126;
		ret_piece->head[2] = (uint8_t)(n >> 8);
		ret_piece->head[3] = (uint8_t)n;
		ret_piece->head_n = 4;
	} else {
		ret_piece->head[1] = 127;
		for (unsigned i = 0; i < 8; i++) {
			ret_piece->head[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
		}
		ret_piece->head_n = 10;
	}
	ret_piece->body = (struct lt_str){ message.p + from, n };
}

/* What is left of a RawSocket frame of which `sent` bytes have left. */
static void make_raw(const struct lt_payload *payload, size_t sent, struct lt_outq_piece *ret_piece)
{
	struct lt_str message = lt_payload_message(payload);
	const uint8_t head[LT_RAW_HEAD] = { 0, (uint8_t)(message.n >> 16),
		(uint8_t)(message.n >> 8), (uint8_t)message.n };
	size_t head_sent = LT_MIN(sent, (size_t)LT_RAW_HEAD);

	ret_piece->head_n = (uint8_t)(LT_RAW_HEAD - head_sent);
	memcpy(ret_piece->head, head + head_sent, ret_piece->head_n);
	ret_piece->body = lt_str_skip(message, sent - head_sent);
}

static size_t peek_raw(const struct lt_outq *queue, struct lt_outq_piece *ret_pieces, size_t count,
		size_t budget)
{
	size_t pieces = 0, bytes = 0;

	while (pieces < queue->count && pieces < count && (pieces == 0 || bytes < budget)) {
		struct lt_outq_piece *piece = &ret_pieces[pieces];

		make_raw(entry_at(queue, (uint32_t)pieces)->payload, pieces ? 0 : queue->sent,
				piece);
		bytes += piece->head_n + piece->body.n;
		pieces++;
	}
	return pieces;
}

size_t lt_outq_peek(const struct lt_outq *queue, struct lt_outq_piece *ret_pieces, size_t count,
		size_t budget)
{
	size_t pieces = 0, bytes = 0, from = queue->sent;

	if (queue->framing == LT_FRAMING_RAW) {
		return peek_raw(queue, ret_pieces, count, budget);
	}
	for (uint32_t i = 0; i < queue->count; i++, from = 0) {
		struct lt_payload *payload = entry_at(queue, i)->payload;
		size_t end = is_fragmented(queue, payload) ? lt_payload_message(payload).n : 1;

		for (; from < end; from += LT_OUTQ_FRAGMENT, pieces++) {
			if (pieces == count || (pieces > 0 && bytes >= budget)) {
				return pieces;
			}
			struct lt_outq_piece *piece = &ret_pieces[pieces];
			if (end > 1) {
				make_fragment(payload, from, piece);
			} else {
				piece->head_n = 0;
				piece->body = ws_frame(queue, payload);
			}
			bytes += piece->head_n + piece->body.n;
		}
	}
	return pieces;
}

static void drop_first(struct lt_outq *queue)
{
	struct lt_payload *payload = entry_at(queue, 0)->payload;

	queue->bytes -= frame_bytes(queue, payload) - queue->sent;
	queue->sent = 0;
	queue->head = (queue->head + 1) & (queue->cap - 1);
	queue->count--;
	lt_payload_unref(payload);
}

void lt_outq_take(struct lt_outq *queue, size_t count)
{
	for (; count > 0; count--) {
		assert(queue->count > 0);
		const struct lt_payload *payload = entry_at(queue, 0)->payload;

		if (is_fragmented(queue, payload) &&
				lt_payload_message(payload).n - queue->sent > LT_OUTQ_FRAGMENT) {
			queue->sent += LT_OUTQ_FRAGMENT;
			queue->bytes -= LT_OUTQ_FRAGMENT;
		} else {
			drop_first(queue);
		}
	}
	if (queue->count == 0 && queue->cap > RING_KEEP) {
		lt_outq_finish(queue);
	}
}

void lt_outq_take_bytes(struct lt_outq *queue, size_t n)
{
	while (n > 0) {
		assert(queue->count > 0);
		size_t left = frame_bytes(queue, entry_at(queue, 0)->payload) - queue->sent;

		if (n < left) {
			queue->sent += n;
			queue->bytes -= n;
			return;
		}
		n -= left;
		lt_outq_take(queue, 1);
	}
}

void lt_outq_finish(struct lt_outq *queue)
{
	while (queue->count > 0) {
		drop_first(queue);
	}
	lt_free(queue->ring);
	*queue = (struct lt_outq){ .framing = queue->framing };
}
