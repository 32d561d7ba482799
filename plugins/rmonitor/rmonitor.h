/* The instance of the plugin; shared by rmonitor.c (input, clock) and rm_show.c (output). */
#ifndef LT_RMONITOR_RMONITOR_H
#define LT_RMONITOR_RMONITOR_H

#include <stdbool.h>

#include <livetiming/plugin.h>

#include "rm_model.h"
#include "rm_parse.h"

#define COLUMNS_MAX 16

/* Playing a capture: its clock runs on $F or on ## stamps. */
struct player {
	const struct lt_file_ext *ext;
	void *file;
	double speed;
	int64_t started_us, clock_ms, stamp_ms, time_of_day_ms; /* last two: or NONE_YET */
	bool is_stamped, ended, has_line;
};

struct rmonitor {
	const struct lt_host_api *api;
	struct lt_host *host;
	struct rm_model *model;
	struct rm_rules *driver_rules, *class_rules, *transponders;
	const struct lt_lines_ext *lines_ext;
	void *lines;
	struct player player;
	uint64_t tick_timer;
	int64_t tick_due_ms;
	int64_t first_us; /* when there was first something to publish; 0: not yet */
	struct rm_record record;
	const struct lt_field_ext *field;
	struct rm_decoder decoder;
	uint32_t yellow;
	bool nationality_column, nationality_is_car, nationality_is_team;
	/* what the service is described as */
	struct lt_column columns[COLUMNS_MAX];
	size_t column_count;
	bool described_race, described_pits;
	char described[RM_NAME_LEN];
};

/* Say what the service is, by the columns that this view needs. */
int32_t rm_describe(struct rmonitor *self, const struct rm_view *view);

/* Publish the model's state, after what has to be said before it. */
void rm_publish(struct rmonitor *self);

#endif
