/*
 * Text format of Prometheus 0.0.4, written piece by piece. Each metric is a
 * head followed at once by all of its samples. Names and helps are ours;
 * values of labels may be anybody's and are escaped.
 *
 *   lt_expo_head(buf, "livetiming_recordings", "gauge", "recordings listed");
 *   lt_expo_sample(buf, "livetiming_recordings", 7);
 */
#ifndef LT_BASE_EXPOSITION_H
#define LT_BASE_EXPOSITION_H

#include <stdint.h>

#include "base/histogram.h"
#include "base/str.h"

/* type: "counter", "gauge" or "histogram". help: one line. */
void lt_expo_head(struct lt_buf *buf, const char *name, const char *type, const char *help);

void lt_expo_sample(struct lt_buf *buf, const char *name, uint64_t value);

/* name{key="value",...} number; labels: key, value, ..., NULL. */
void lt_expo_labelled(
		struct lt_buf *buf, const char *name, const char *const *labels, double value);

/* Metrics without labels, head and sample each. */
struct lt_expo_figure {
	const char *name, *type, *help;
	uint64_t value;
};
void lt_expo_figures(struct lt_buf *buf, const struct lt_expo_figure *figures, size_t n);

/* Head and samples; values and bounds are divided by `unit` (1e6: microseconds as seconds). */
struct lt_expo_histogram {
	const char *name, *help;
	const int64_t *scale;
	double unit;
};
void lt_expo_histogram(struct lt_buf *buf, const struct lt_expo_histogram *head,
		const struct lt_histogram *histogram);

#endif
