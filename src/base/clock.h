/*
 * Two kinds of time that do not mix: lt_mono for timers and timeouts, lt_wall
 * for what people and files see (UTC since 1970). Both in microseconds. Read
 * them from the loop (loop.h), once per turn; tests move them by hand.
 */
#ifndef LT_BASE_CLOCK_H
#define LT_BASE_CLOCK_H

#include <stdint.h>

struct lt_mono {
	int64_t us;
};

struct lt_wall {
	int64_t us;
};

#define LT_US_PER_MS 1000
#define LT_US_PER_S  1000000

static inline int64_t lt_wall_ms(struct lt_wall t)
{
	return t.us / LT_US_PER_MS;
}

static inline int64_t lt_wall_s(struct lt_wall t)
{
	return t.us / LT_US_PER_S;
}

/* "2026-05-16T13:00:00.123Z" into buf. */
#define LT_WALL_TEXT 25
void lt_wall_format(struct lt_wall t, char buf[LT_WALL_TEXT]);

/* Straight from the system; for loop implementations, logs and command lines only. */
struct lt_mono lt_clock_mono(void);
struct lt_wall lt_clock_wall(void);

#endif
