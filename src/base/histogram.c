#include "base/histogram.h"

#include "base/base.h"

const lt_histogram_scale lt_histogram_us = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
	100000, 500000, 1000000, 10000000 };

#define KIB INT64_C(1024)
const lt_histogram_scale lt_histogram_bytes = { 256, KIB, 4 * KIB, 16 * KIB, 32 * KIB, 64 * KIB,
	128 * KIB, 256 * KIB, 512 * KIB, KIB *KIB, 4 * KIB *KIB, 8 * KIB *KIB, 16 * KIB *KIB };

void lt_histogram_add(struct lt_histogram *histogram, const lt_histogram_scale scale, int64_t value)
{
	unsigned i = 0;

	while (i < LT_HISTOGRAM_BUCKETS - 1 && value > scale[i]) {
		i++;
	}
	histogram->bucket[i]++;
	histogram->count++;
	histogram->sum += value;
}

int64_t lt_histogram_quantile(const struct lt_histogram *histogram, const lt_histogram_scale scale,
		unsigned permille)
{
	uint64_t wanted = (histogram->count * permille + 999) / 1000, seen = 0;

	if (histogram->count == 0) {
		return 0;
	}
	for (unsigned i = 0; i < LT_HISTOGRAM_BUCKETS - 1; i++) {
		seen += histogram->bucket[i];
		if (seen >= wanted) {
			return scale[i];
		}
	}
	return scale[LT_HISTOGRAM_BUCKETS - 2];
}
