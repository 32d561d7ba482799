#include "router/payload.h"

#include "base/alloc.h"
#include "base/base.h"

#define WS_HEADER_MAX 10
/* Room for whatever a transport writes before its frame, and an aligned message behind it. */
#define HEAD_ROOM     48
#define WS_FIN_TEXT   0x81
#define WS_FIN_BINARY 0x82

struct lt_payload {
	uint32_t refs;
	uint8_t ws_header_bytes;
	size_t message_bytes;
	char bytes[]; /* HEAD_ROOM, its end holding the frame header; then the message */
};

/* RFC 6455 5.2, unmasked, written so that it ends where the message begins. */
static uint8_t write_ws_header(char *message, size_t n, bool binary)
{
	unsigned char header[WS_HEADER_MAX];
	uint8_t used = 2;

	header[0] = binary ? WS_FIN_BINARY : WS_FIN_TEXT;
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
	payload->message_bytes = total;
	payload->ws_header_bytes = write_ws_header(to, total, binary);
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
