/*
 * Integers of more than 64 bits, as CBOR has them and JSON may: read and
 * written exactly up to 512 bits, which keeps the arithmetic of schoolbooks
 * cheap; longer ones are floating point like everywhere else.
 */
#ifndef LT_ROUTER_BIGNUM_H
#define LT_ROUTER_BIGNUM_H

#include "router/binary.h"

#define LT_BIG_BYTES 64

/*
 * Bring a big item whose bytes are joined to the form that its size asks for:
 * UINT, NEGATIVE, BIG without leading zeros, or FLOAT. A BIG has the nearest
 * floating point number in `number` too.
 */
void lt_big_settle(struct lt_item *item);

/* Of a JSON integer, "-12..." with more than 64 bits. The bytes are written to `room`. */
void lt_big_parse(struct lt_str digits, uint8_t room[LT_BIG_BYTES], struct lt_item *ret);

/* Decimal digits of a settled BIG. */
void lt_big_print(const struct lt_item *item, struct lt_buf *out);

#endif
