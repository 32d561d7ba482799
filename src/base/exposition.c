#include "base/exposition.h"

#include <inttypes.h>

void lt_expo_head(struct lt_buf *buf, const char *name, const char *type, const char *help)
{
	lt_buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void lt_expo_sample(struct lt_buf *buf, const char *name, uint64_t value)
{
	lt_buf_printf(buf, "%s %" PRIu64 "\n", name, value);
}

/* A label's value: quotes, backslashes and line ends escaped. */
static void add_label(struct lt_buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			lt_buf_add_c(buf, "\\n");
			continue;
		}
		if (*text == '"' || *text == '\\') {
			lt_buf_add_char(buf, '\\');
		}
		lt_buf_add_char(buf, *text);
	}
}

void lt_expo_labelled(struct lt_buf *buf, const char *name, const char *const *labels, double value)
{
	char before = '{';

	lt_buf_add_c(buf, name);
	for (; labels[0]; labels += 2) {
		lt_buf_printf(buf, "%c%s=\"", before, labels[0]);
		add_label(buf, labels[1]);
		lt_buf_add_char(buf, '"');
		before = ',';
	}
	lt_buf_printf(buf, "} %.16g\n", value);
}

void lt_expo_figures(struct lt_buf *buf, const struct lt_expo_figure *figures, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lt_expo_head(buf, figures[i].name, figures[i].type, figures[i].help);
		lt_expo_sample(buf, figures[i].name, figures[i].value);
	}
}

void lt_expo_histogram(struct lt_buf *buf, const struct lt_expo_histogram *head,
		const struct lt_histogram *histogram)
{
	uint64_t below = 0;

	lt_expo_head(buf, head->name, "histogram", head->help);
	for (unsigned i = 0; i < LT_HISTOGRAM_BUCKETS - 1; i++) {
		below += histogram->bucket[i];
		lt_buf_printf(buf, "%s_bucket{le=\"%.10g\"} %" PRIu64 "\n", head->name,
				(double)head->scale[i] / head->unit, below);
	}
	lt_buf_printf(buf,
			"%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.10g\n%s_count %" PRIu64 "\n",
			head->name, histogram->count, head->name,
			(double)histogram->sum / head->unit, head->name, histogram->count);
}
