#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/platform_util.h>

#include "base/alloc.h"

/* Ids are made one by one: a generator call for every 8 bytes would cost a microsecond each. */
#define POOL_BYTES 512

struct lt_random {
	uint64_t seed; /* 0: the CSPRNG; else the state of the fixed sequence */
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context generator;
	uint8_t pool[POOL_BYTES];
	size_t left; /* unused bytes at the end of pool */
};

struct lt_random *lt_random_create(uint64_t seed, struct lt_err *err)
{
	static const unsigned char purpose[] = "livetimingd";
	struct lt_random *random = lt_zalloc(sizeof(*random));

	random->seed = seed;
	mbedtls_entropy_init(&random->entropy);
	mbedtls_ctr_drbg_init(&random->generator);
	if (seed == 0) {
		int result = mbedtls_ctr_drbg_seed(&random->generator, mbedtls_entropy_func,
				&random->entropy, purpose, sizeof(purpose) - 1);

		if (result != 0) {
			lt_err_set(err, LT_E_IO, "the system gives no random numbers (-0x%04x)",
					(unsigned)-result);
			lt_random_destroy(random);
			return NULL;
		}
	}
	return random;
}

void lt_random_destroy(struct lt_random *random)
{
	if (!random) {
		return;
	}
	mbedtls_ctr_drbg_free(&random->generator);
	mbedtls_entropy_free(&random->entropy);
	mbedtls_platform_zeroize(random, sizeof(*random));
	lt_free(random);
}

/* SplitMix64: every seed gives a full-period sequence; good enough for tests and nothing else. */
static uint64_t next_fixed(struct lt_random *random)
{
	uint64_t z = random->seed += 0x9E3779B97F4A7C15U;

	/* State 0 would mean the CSPRNG to the next call. */
	if (z == 0) {
		z = random->seed = 0x9E3779B97F4A7C15U;
	}
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	return z ^ (z >> 31);
}

static void refill(struct lt_random *random)
{
	if (random->seed != 0) {
		for (size_t i = 0; i < POOL_BYTES; i += sizeof(uint64_t)) {
			uint64_t word = next_fixed(random);

			memcpy(random->pool + i, &word, sizeof(word));
		}
	} else if (mbedtls_ctr_drbg_random(&random->generator, random->pool, POOL_BYTES) != 0) {
		/* Going on with guessable nonces would be worse than ending. */
		fputs("the system gives no random numbers any more\n", stderr);
		abort();
	}
	random->left = POOL_BYTES;
}

void lt_random_bytes(struct lt_random *random, void *ret_bytes, size_t n)
{
	uint8_t *to = ret_bytes;

	while (n > 0) {
		if (random->left == 0) {
			refill(random);
		}
		size_t part = LT_MIN(n, random->left);
		uint8_t *from = random->pool + (POOL_BYTES - random->left);
		memcpy(to, from, part);
		/* What was handed out must not be found in memory again. */
		mbedtls_platform_zeroize(from, part);
		random->left -= part;
		to += part;
		n -= part;
	}
}

uint64_t lt_random_below(struct lt_random *random, uint64_t bound)
{
	uint64_t value;

	if (bound <= 1) {
		return 0;
	}
	/* Values under 2^64 mod bound would make the small results likelier. */
	uint64_t threshold = (0 - bound) % bound;
	do {
		lt_random_bytes(random, &value, sizeof(value));
	} while (value < threshold);
	return value % bound;
}

uint64_t lt_random_id(struct lt_random *random)
{
	return lt_random_below(random, (uint64_t)1 << 53) + 1;
}

void lt_random_uuid(struct lt_random *random, char buf[LT_UUID_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[16];

	lt_random_bytes(random, bytes, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40); /* version 4 */
	bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80); /* variant of RFC 9562 */
	for (size_t i = 0; i < sizeof(bytes); i++) {
		buf[2 * i] = hex[bytes[i] >> 4];
		buf[2 * i + 1] = hex[bytes[i] & 15];
	}
	buf[LT_UUID_TEXT - 1] = '\0';
}
