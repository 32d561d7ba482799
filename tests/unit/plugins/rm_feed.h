/* Feeds lines and whole captures to a model, with $F or ## stamps as clock. */
#ifndef LT_TESTS_UNIT_PLUGINS_RM_FEED_H
#define LT_TESTS_UNIT_PLUGINS_RM_FEED_H

#include "race/feed_text.h"
#include "race/field/field.h"
#include "rmonitor/rm_model.h"
#include "support/test.h"

struct feed {
	struct rm_model *model;
	struct rm_record record;
	int64_t now_ms;
	int records, damaged, ignored, published, sessions;
};

static inline void feed_open(struct feed *feed, const struct rm_opts *given)
{
	struct rm_opts opts = *given;

	opts.field = &lt_field_table;
	memset(feed, 0, sizeof(*feed));
	feed->now_ms = 1000;
	feed->model = rm_model_create(&opts);
}

static inline void feed_close(struct feed *feed)
{
	rm_model_destroy(feed->model);
}

/* Let ms pass in steps of 50 ms; returns how many updates were due. */
static inline int feed_wait(struct feed *feed, int64_t ms)
{
	int due_count = 0;

	for (int64_t end = feed->now_ms + ms; feed->now_ms < end;) {
		bool due;

		feed->now_ms += 50;
		rm_model_tick(feed->model, feed->now_ms, &due);
		due_count += due;
	}
	feed->published += due_count;
	return due_count;
}

static inline void feed_line_n(struct feed *feed, const char *line, size_t n)
{
	static const struct rm_decoder decoder = { .text = &lt_text_table };
	enum rm_result result = rm_parse(&decoder, line, n, &feed->record);

	if (result == RM_OK && !rm_model_apply(feed->model, &feed->record, feed->now_ms)) {
		result = RM_DAMAGED;
	}
	feed->records += result == RM_OK;
	feed->damaged += result == RM_DAMAGED;
	feed->ignored += result == RM_IGNORED;
	feed->sessions += rm_model_take_new_session(feed->model);
}

static inline void feed_line(struct feed *feed, const char *line)
{
	feed_line_n(feed, line, strlen(line));
}

/* A whole capture; each $F takes a second when there are no stamps. */
static inline void feed_text(struct feed *feed, const char *text, size_t n)
{
	int64_t stamp_ms = -1;

	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		size_t length = end != NULL ? (size_t)(end - text) : n;
		int64_t stamp = rm_stamp_ms(text, length);

		if (stamp >= 0) {
			if (stamp_ms >= 0 && stamp > stamp_ms) {
				feed_wait(feed, stamp - stamp_ms < 5000 ? stamp - stamp_ms : 5000);
			}
			stamp_ms = stamp;
		} else if (length > 0) {
			if (stamp_ms < 0 && length > 2 && memcmp(text, "$F", 2) == 0) {
				feed_wait(feed, 1000);
			}
			feed_line_n(feed, text, length);
		}
		length += end != NULL;
		text += length;
		n -= length;
	}
	feed_wait(feed, 5000);
}

/* A file of the reference data, with its size; freed by the caller. */
static inline char *read_shared(const char *name, size_t *ret_n)
{
	char *path = shared_path(name), *text;
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*ret_n = (size_t)ftell(file);
	rewind(file);
	text = malloc(*ret_n + 1);
	assert_int_equal(fread(text, 1, *ret_n, file), *ret_n);
	text[*ret_n] = '\0';
	fclose(file);
	free(path);
	return text;
}

static inline const struct rm_row *row_of(const struct rm_view *view, const char *reg)
{
	for (size_t i = 0; i < view->row_count; i++) {
		if (strcmp(view->rows[i].reg, reg) == 0) {
			return &view->rows[i];
		}
	}
	return NULL;
}

#endif
