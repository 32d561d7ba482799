/*
 * One encoded WAMP message, immutable and reference-counted: built once, queued
 * by pointer on every connection that gets it. The bytes are preceded by head
 * room in which the transport's frame header stands ready, so that header and
 * message leave in one write.
 */
#ifndef LT_ROUTER_PAYLOAD_H
#define LT_ROUTER_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct lt_payload;

/*
 * Copy `message` behind a ready WebSocket header (server frames are unmasked:
 * the same bytes for every receiver). `binary` selects the opcode. The caller
 * owns one reference.
 */
struct lt_payload *lt_payload_create(struct lt_str message, bool binary);

/* As above, concatenating the parts: no intermediate copy of a large event. */
struct lt_payload *lt_payload_create_parts(const struct lt_str *parts, size_t count, bool binary);

struct lt_payload *lt_payload_ref(struct lt_payload *payload); /* returns its argument */
void lt_payload_unref(struct lt_payload *payload);             /* NULL is fine */

struct lt_str lt_payload_message(const struct lt_payload *payload);
struct lt_str lt_payload_ws_frame(const struct lt_payload *payload); /* header and message */

/*
 * The frame for a connection with permessage-deflate (RFC 7692): compressed at
 * the first call, by itself, so that the same bytes suit every such receiver.
 * The plain frame when the message is small, too large to compress in a turn,
 * or does not become smaller. Windows need LT_DEFLATE_BITS at the receiver.
 */
#define LT_DEFLATE_BITS 12
struct lt_str lt_payload_deflated_frame(struct lt_payload *payload);

#endif
