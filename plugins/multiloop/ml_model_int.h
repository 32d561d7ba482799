/* Shared by ml_model.c, ml_records.c, ml_cars.c only; see ml_model.h. */
#ifndef LT_MULTILOOP_ML_MODEL_INT_H
#define LT_MULTILOOP_ML_MODEL_INT_H

#include "ml_model.h"

#define ML_TRAPS_MAX         16
#define ML_ANNOUNCEMENTS_MAX 64
#define ML_MESSAGES_MAX      64
#define ML_LAPS_MAX          5000
#define ML_TIME_MAX_MS       (200LL * 3600 * 1000)

/* A car as this feed tells it; `shown` is what others may see. */
struct ml_car_kept {
	struct ml_car shown;
	bool is_known, was_lapped, in_pits, is_finished;
	int32_t laps, pits;
	int32_t rank, start;   /* 0: not known */
	int32_t lower_claim;   /* a lap count below `laps` that was said once; -1: none */
	int64_t crossed_ms;    /* race time of the newest crossing of any line */
	int64_t void_total_ms; /* total of the lap that was invalidated; -1: none */
};

struct ml_trap {
	char name[16];
	int64_t inches;
};

struct ml_announcement {
	char number[16], text[ML_MESSAGE_LEN];
};

struct ml_model {
	struct ml_opts opts;
	struct lt_field *field;
	struct ml_counts counts;
	struct ml_record record;
	struct ml_car_kept cars[ML_CARS_MAX]; /* by the car of the field */
	/* runs */
	char preamble[ML_TEXT_LEN], next_preamble[ML_TEXT_LEN];
	char held[ML_LINE_MAX]; /* the first line with next_preamble */
	size_t held_n;
	bool new_session;
	char event[ML_TEXT_LEN], run[ML_TEXT_LEN], track[ML_TEXT_LEN], venue[ML_TEXT_LEN],
			version[ML_TEXT_LEN];
	char run_type; /* P Q S R; '\0': not known */
	int64_t run_start_s;
	double length_miles;
	struct ml_trap traps[ML_TRAPS_MAX];
	size_t trap_count;
	bool has_speed;
	/* status */
	char status; /* track status; '\0': not known */
	int64_t elapsed_ms, laps_to_go, section_offset_ms;
	bool was_timed, was_lap_limited, has_moved; /* moved: laps or sectors were seen */
	int64_t green_ms, yellow_ms, red_ms, yellows, lead_changes, lead_index;
	/* messages */
	struct ml_announcement announcements[ML_ANNOUNCEMENTS_MAX];
	size_t announcement_count;
	struct ml_message messages[ML_MESSAGES_MAX];
	size_t message_head, message_count;
	int64_t dirty_from_ms; /* -1: clean */
	int64_t now_ms, wall_s;
};

/* --- ml_model.c --- */

/* Decode a field. */
void ml_decode(const struct ml_model *model, struct lt_str bytes, char *text, size_t size);
void ml_say(struct ml_model *model, const struct ml_message *message);
/* Results, entries and messages of the run before are forgotten. */
void ml_begin_run(struct ml_model *model);
uint32_t ml_flag_of(const struct ml_model *model);
bool ml_is_race(const struct ml_model *model);

/* --- ml_records.c --- */

/* Apply the record in model->record. */
enum ml_result ml_apply(struct ml_model *model);

/* --- ml_cars.c --- */

enum ml_result ml_apply_entry(struct ml_model *model);
enum ml_result ml_apply_lap(struct ml_model *model);
enum ml_result ml_apply_section(struct ml_model *model);
enum ml_result ml_apply_crossing(struct ml_model *model);
enum ml_result ml_apply_invalidated(struct ml_model *model);
/* Give the field the positions of the feed, where they say more than laps and times. */
void ml_set_positions(struct ml_model *model);

#endif
