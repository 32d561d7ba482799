/*
 * How often values of what size came: counts between fixed upper bounds, as
 * Prometheus wants them. Plain data, zero-initialised is empty; adding is a
 * short walk and no allocation, so that it may stand on the hot path.
 */
#ifndef LT_BASE_HISTOGRAM_H
#define LT_BASE_HISTOGRAM_H

#include <stdint.h>

#define LT_HISTOGRAM_BUCKETS 14 /* the last one is the rest */

struct lt_histogram {
	uint64_t bucket[LT_HISTOGRAM_BUCKETS];
	uint64_t count;
	int64_t sum;
};

/* Upper bounds, the value itself included, ascending; of one scale. */
typedef int64_t lt_histogram_scale[LT_HISTOGRAM_BUCKETS - 1];
extern const lt_histogram_scale lt_histogram_us;    /* microseconds: 100 us to 10 s */
extern const lt_histogram_scale lt_histogram_bytes; /* 256 B to 16 MiB */

void lt_histogram_add(
		struct lt_histogram *histogram, const lt_histogram_scale scale, int64_t value);

/*
 * The bound under which at least `permille` of all values are; the largest
 * bound when they are above it, 0 when there are none.
 */
int64_t lt_histogram_quantile(const struct lt_histogram *histogram, const lt_histogram_scale scale,
		unsigned permille);

#endif
