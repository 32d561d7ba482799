/* Feeds lines and whole captures to a Multiloop model; '|' in a line stands for the separator. */
#ifndef LT_TESTS_UNIT_PLUGINS_ML_FEED_H
#define LT_TESTS_UNIT_PLUGINS_ML_FEED_H

#include "multiloop/ml_model.h"
#include "race/feed_text.h"
#include "race/field/field.h"
#include "support/test.h"

struct ml_feed {
	struct ml_model *model;
	int64_t now_ms;
	int published, sessions;
};

static inline struct ml_opts ml_test_opts(void)
{
	return (struct ml_opts){ .field = &lt_field_table,
		.text = &lt_text_table,
		.sectors = 3,
		.class_field = 1,
		.car_field = 2,
		.team_field = 3,
		.yellow = LT_FLAG_YELLOW,
		.lead = '$' };
}

static inline struct ml_feed ml_feed_open(const struct ml_opts *opts)
{
	return (struct ml_feed){ .model = ml_model_create(opts), .now_ms = 1000 };
}

static inline void ml_feed_close(struct ml_feed *feed)
{
	ml_model_destroy(feed->model);
}

static inline void ml_feed_bytes(struct ml_feed *feed, const char *bytes, size_t n)
{
	ml_model_line(feed->model, lt_text_n(bytes, n), feed->now_ms, 1795600800);
	feed->sessions += ml_model_take_new_session(feed->model);
}

static inline void ml_feed_line(struct ml_feed *feed, const char *line)
{
	char copy[ML_LINE_MAX];
	size_t n = strlen(line);

	assert_true(n < sizeof(copy));
	memcpy(copy, line, n);
	for (size_t i = 0; i < n; i++) {
		copy[i] = copy[i] == '|' ? '\xA6' : copy[i];
	}
	ml_feed_bytes(feed, copy, n);
}

/* A whole capture; each $H takes a second. */
static inline void ml_feed_text(struct ml_feed *feed, const char *text, size_t n)
{
	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t length = end != NULL ? (size_t)(end - text) : n;

		if (length > 2 && memcmp(text, "$H", 2) == 0) {
			feed->now_ms += 1000;
		}
		if (length > 1) {
			ml_feed_bytes(feed, text, length);
		}
		length += end != NULL;
		text += length;
		n -= length;
	}
}

/* The row of a car by its number; false: it is not in the table. */
static inline bool ml_row_of(struct ml_feed *feed, const char *num, struct lt_field_row *ret)
{
	ml_model_view(feed->model, feed->now_ms);
	ret->size = sizeof(*ret);
	for (size_t i = 0; lt_field_table.row(ml_model_field(feed->model), i, ret) == 0; i++) {
		if (ret->text[LT_TEXT_NUM].n == strlen(num) &&
				memcmp(ret->text[LT_TEXT_NUM].p, num, strlen(num)) == 0) {
			return true;
		}
	}
	return false;
}

static inline struct lt_field_row ml_need_row(struct ml_feed *feed, const char *num)
{
	struct lt_field_row row = { .size = sizeof(row) };

	if (!ml_row_of(feed, num, &row)) {
		fail_msg("car %s is not in the table", num);
	}
	return row;
}

/* Two cars of one class in a race: 11 leads 12. */
static inline struct ml_feed ml_feed_race(void)
{
	struct ml_opts opts = ml_test_opts();
	struct ml_feed feed = ml_feed_open(&opts);

	ml_feed_line(&feed, "$R|N|1|R1|Spring Cup|SC|Heat 1|R|6A086A50");
	ml_feed_line(&feed, "$E|N|1|R1|11|A1|Ada Ash|1|3|GT|Saloon|Team Ash|1");
	ml_feed_line(&feed, "$E|N|2|R1|12|B2|Bea Beech|2|3|GT|Coupe|Team Beech|2");
	ml_feed_line(&feed, "$H|N|1|R1|G|6A086A51|3E8|0|927C0");
	return feed;
}

#endif
