#include "router/payload.h"

#include <zlib.h>

#include "base/alloc.h"
#include "base/base.h"

#define WS_HEADER_MAX 10
/* Room for whatever a transport writes before its frame, and an aligned message behind it. */
#define HEAD_ROOM     48
#define WS_FIN_TEXT   0x81
#define WS_FIN_BINARY 0x82

/*
 * Compression. Below the first size a frame is one segment anyway; above the
 * second it would take too long for one turn of the loop. A message is worth it
 * when an eighth is saved; of a long one a sample tells, because states that
 * are compressed already would cost much for nothing.
 */
#define DEFLATE_MIN          160
#define DEFLATE_MAX          (128 * 1024)
#define SAMPLE_ABOVE         8192
#define SAMPLE               2048
#define WORTH(packed, plain) ((packed) <= (plain) - (plain) / 8)
#define DEFLATE_MEMORY       5
#define WS_RSV1              0x40
#define FLUSH_MARK           4 /* 00 00 ff ff at the end of a flushed block: not sent */

struct lt_payload {
	uint32_t refs;
	uint8_t ws_header_bytes;
	bool tried;             /* to compress it */
	struct lt_str deflated; /* owned; p NULL: not worth it */
	size_t message_bytes;
	char bytes[]; /* HEAD_ROOM, its end holding the frame header; then the message */
};

/* RFC 6455 5.2, unmasked, written so that it ends where the message begins. */
static uint8_t write_ws_header(char *message, size_t n, uint8_t first)
{
	unsigned char header[WS_HEADER_MAX];
	uint8_t used = 2;

	header[0] = first;
	if (n < 126) {
		header[1] = (unsigned char)n;
	} else {
		int width = n <= UINT16_MAX ? 2 : 8;

		header[1] = width == 2 ? 126 : 127;
		for (int i = 0; i < width; i++) {
			header[used++] = (unsigned char)((uint64_t)n >> (8 * (width - 1 - i)));
		}
	}
	memcpy(message - used, header, used);
	return used;
}

struct lt_payload *lt_payload_create(struct lt_str message, bool binary)
{
	return lt_payload_create_parts(&message, 1, binary);
}

struct lt_payload *lt_payload_create_parts(const struct lt_str *parts, size_t count, bool binary)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		total += parts[i].n;
	}

	struct lt_payload *payload = lt_alloc(sizeof(*payload) + HEAD_ROOM + total);
	char *to = payload->bytes + HEAD_ROOM;

	payload->refs = 1;
	payload->tried = total < DEFLATE_MIN || total > DEFLATE_MAX;
	payload->deflated = (struct lt_str){ 0 };
	payload->message_bytes = total;
	payload->ws_header_bytes = write_ws_header(to, total, binary ? WS_FIN_BINARY : WS_FIN_TEXT);
	for (size_t i = 0; i < count; i++) {
		if (parts[i].n > 0) {
			memcpy(to, parts[i].p, parts[i].n);
			to += parts[i].n;
		}
	}
	return payload;
}

struct lt_payload *lt_payload_ref(struct lt_payload *payload)
{
	payload->refs++;
	return payload;
}

void lt_payload_unref(struct lt_payload *payload)
{
	if (payload && --payload->refs == 0) {
		lt_free((char *)(uintptr_t)payload->deflated.p);
		lt_free(payload);
	}
}

struct lt_str lt_payload_message(const struct lt_payload *payload)
{
	return (struct lt_str){ payload->bytes + HEAD_ROOM, payload->message_bytes };
}

struct lt_str lt_payload_ws_frame(const struct lt_payload *payload)
{
	return (struct lt_str){ payload->bytes + HEAD_ROOM - payload->ws_header_bytes,
		payload->message_bytes + payload->ws_header_bytes };
}

/* --- compression --- */

/* Bytes written to `out`, or 0 when they do not fit. */
static size_t deflate_all(z_stream *stream, struct lt_str plain, char *out, size_t room)
{
	deflateReset(stream);
	stream->next_in = (Bytef *)(uintptr_t)plain.p;
	stream->avail_in = (uInt)plain.n;
	stream->next_out = (Bytef *)out;
	stream->avail_out = (uInt)room;
	if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in > 0 ||
			stream->avail_out == 0) {
		return 0;
	}
	return room - stream->avail_out - FLUSH_MARK;
}

static bool is_sample_worth_it(z_stream *stream, struct lt_str message)
{
	struct lt_str sample = { message.p + message.n / 2, SAMPLE };
	char out[SAMPLE];
	size_t n = deflate_all(stream, sample, out, sizeof(out));

	return n > 0 && WORTH(n, (size_t)SAMPLE);
}

static void deflate_payload(struct lt_payload *payload, z_stream *stream)
{
	struct lt_str message = lt_payload_message(payload);
	uint8_t first = (uint8_t)lt_payload_ws_frame(payload).p[0] | WS_RSV1;

	if (message.n > SAMPLE_ABOVE && !is_sample_worth_it(stream, message)) {
		return;
	}
	char *out = lt_alloc(WS_HEADER_MAX + message.n);
	size_t n = deflate_all(stream, message, out + WS_HEADER_MAX, message.n);
	if (n == 0 || !WORTH(n, message.n)) {
		lt_free(out);
		return;
	}
	uint8_t header = write_ws_header(out + WS_HEADER_MAX, n, first);
	memmove(out, out + WS_HEADER_MAX - header, header + n);
	payload->deflated = (struct lt_str){ lt_realloc(out, header + n), header + n };
}

struct lt_str lt_payload_deflated_frame(struct lt_payload *payload)
{
	if (!payload->tried) {
		z_stream stream = { 0 };

		payload->tried = true;
		if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -LT_DEFLATE_BITS,
				    DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK) {
			deflate_payload(payload, &stream);
			deflateEnd(&stream);
		}
	}
	return payload->deflated.p ? payload->deflated : lt_payload_ws_frame(payload);
}
