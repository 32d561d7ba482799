#include "net/backoff.h"

#include "base/base.h"
#include "base/random.h"

static const int64_t default_delays_ms[] = { 1000, 2000, 5000, 10000, 30000 };

int64_t lt_backoff_next_ms(struct lt_backoff *backoff, struct lt_random *random)
{
	const int64_t *delays_ms = backoff->delays_ms ? backoff->delays_ms : default_delays_ms;
	size_t n = backoff->delays_ms ? backoff->n : LT_ARRAY_LEN(default_delays_ms);
	int64_t delay_ms = delays_ms[LT_MIN(backoff->attempt, n - 1)];
	int64_t fifth_ms = delay_ms / 5;

	backoff->attempt++;
	return delay_ms - fifth_ms + (int64_t)lt_random_below(random, (uint64_t)(2 * fifth_ms + 1));
}

void lt_backoff_reset(struct lt_backoff *backoff)
{
	backoff->attempt = 0;
}
