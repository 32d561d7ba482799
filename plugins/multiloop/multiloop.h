/* The instance of the plugin; shared by multiloop.c (input, clock) and ml_show.c (output). */
#ifndef LT_MULTILOOP_MULTILOOP_H
#define LT_MULTILOOP_MULTILOOP_H

#include <livetiming/plugin.h>

#include "ml_model.h"

#define COLUMNS_MAX 24

/* Playing a capture: its clock runs on the dates of $H. */
struct player {
	const struct lt_file_ext *ext;
	void *file;
	double speed;
	int64_t started_us, clock_ms, date_s; /* date_s -1: none yet */
	bool ended, has_line;
	size_t line_n;
	char line[ML_LINE_MAX]; /* waits for its time */
};

struct multiloop {
	const struct lt_host_api *api;
	struct lt_host *host;
	const struct lt_field_ext *field_ext;
	struct ml_model *model;
	struct ml_opts opts;
	const struct lt_lines_ext *lines_ext;
	void *lines;
	struct player player;
	struct ml_record record; /* the player's */
	uint64_t due_timer;
	/* what went wrong */
	struct ml_counts reported, logged;
	bool is_connected, is_unreadable;
	int64_t good_us, logged_us; /* last record; last line in the log, 0: none */
	/* what the service is described as */
	struct lt_column columns[COLUMNS_MAX];
	size_t column_count;
	bool described_race, described_speed;
	char described[2 * ML_TEXT_LEN + 4];
};

/* Say what the service is, by what the feed has said so far. */
int32_t ml_describe(struct multiloop *self, const struct ml_view *view);

/* Publish the model's state, after what has to be said before it. */
void ml_publish(struct multiloop *self, int64_t now_ms);

#endif
