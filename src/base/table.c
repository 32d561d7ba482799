#include "base/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one process-wide variable of this layer: written before main, or by a test. */
static uint64_t seed_k0, seed_k1;

LT_CONSTRUCTOR static void seed_from_system(void)
{
	uint64_t seed[2];

	/* Without random numbers, peers could choose colliding keys: better not to start. */
	if (getentropy(seed, sizeof(seed)) != 0) {
		static const char message[] = "the system gives no random numbers\n";

		if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) {
			abort();
		}
		abort();
	}
	lt_table_seed(seed[0], seed[1]);
}

void lt_table_seed(uint64_t k0, uint64_t k1)
{
	seed_k0 = k0;
	seed_k1 = k1;
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline uint64_t load_le64(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* SipHash with one compression and three finalisation rounds; the low half of the result. */
unsigned lt_table_hash(const void *key, size_t n)
{
	const unsigned char *p = key;
	uint64_t v[4] = {
		seed_k0 ^ 0x736f6d6570736575U,
		seed_k1 ^ 0x646f72616e646f6dU,
		seed_k0 ^ 0x6c7967656e657261U,
		seed_k1 ^ 0x7465646279746573U,
	};
	uint64_t last = (uint64_t)n << 56;

	for (size_t left = n; left >= 8; left -= 8, p += 8) {
		uint64_t word = load_le64(p);

		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < n % 8; i++) {
		last |= (uint64_t)p[i] << (8 * i);
	}
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xFF;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return (unsigned)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}
