#include "base/nearest.h"

#define NAME_MAX_BYTES 48

/* Insertions, removals and replacements between two short texts (Levenshtein, one row). */
static size_t distance(struct lt_str a, struct lt_str b)
{
	size_t row[NAME_MAX_BYTES + 1];

	for (size_t j = 0; j <= b.n; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t replace = diagonal + (a.p[i - 1] != b.p[j - 1]);

			diagonal = row[j];
			row[j] = LT_MIN(replace, LT_MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.n];
}

void lt_nearest_offer(struct lt_nearest *nearest, const char *candidate)
{
	struct lt_str name = lt_str_from(candidate);

	if (name.n > NAME_MAX_BYTES || nearest->wanted.n > NAME_MAX_BYTES) {
		return;
	}
	size_t d = distance(nearest->wanted, name);

	/* More than a third wrong is another name, not a slip. */
	if (d * 3 > LT_MAX(name.n, nearest->wanted.n) + 2) {
		return;
	}
	if (nearest->best == NULL || d < nearest->distance) {
		nearest->best = candidate;
		nearest->distance = d;
	}
}
