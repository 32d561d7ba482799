/*
 * Ids, nonces and jitter behind one object, so that tests can seed it and
 * assert whole messages. Created with `seed` 0 it is the system's CSPRNG
 * (mbedtls CTR-DRBG); any other seed gives a fixed sequence for tests.
 */
#ifndef LT_BASE_RANDOM_H
#define LT_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct lt_random;

struct lt_random *lt_random_create(uint64_t seed, struct lt_err *err);
void lt_random_destroy(struct lt_random *random);

void lt_random_bytes(struct lt_random *random, void *ret_bytes, size_t n);
uint64_t lt_random_id(struct lt_random *random);                    /* WAMP global scope: 1..2^53 */
uint64_t lt_random_below(struct lt_random *random, uint64_t bound); /* 0..bound-1, unbiased */

/* 32 lower-case hexadecimal digits of a version 4 UUID, and a terminator. */
#define LT_UUID_TEXT 33
void lt_random_uuid(struct lt_random *random, char buf[LT_UUID_TEXT]);

#endif
