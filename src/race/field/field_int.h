/* Inside of race/field, shared by its files only; see field.h. */
#ifndef LT_RACE_FIELD_FIELD_INT_H
#define LT_RACE_FIELD_FIELD_INT_H

#include <stdbool.h>

#include "race/field/field.h"

#define LT_FIELD_KEY_MAX 63

struct lt_field_lap_kept {
	int64_t lap_ms;
	uint32_t flag;
	bool is_void;
};

struct lt_field_sector {
	int64_t ms, best_ms;
	int32_t lap; /* on which ms was driven */
};

struct lt_field_car {
	char key[LT_FIELD_KEY_MAX + 1];
	char text[LT_TEXT_COUNT][LT_FIELD_TEXT_MAX + 1];
	int32_t position, laps, best_lap, pits, driver_changes;
	int64_t total_ms, last_ms, best_ms;
	bool last_is_void;
	/*
	 * Timing lines passed, counted from the start: line lap x sectors is start/finish.
	 * cross[line] is the race time there. `kept` by lap. Both grow; line and lap 0 are unused.
	 */
	int32_t progress;
	int64_t *cross;
	struct lt_field_lap_kept *kept;
	int32_t cross_size, kept_size;
	uint64_t line_serial; /* when it passed its last line, among all cars; 0: none yet */
	struct lt_field_sector sector[LT_FIELD_SECTORS_MAX];
	uint32_t state; /* as the plugin set it */
	bool has_gap, has_interval;
	struct lt_field_gap gap, interval;
	/* For the computed state. */
	int64_t crossed_ms, moved_green_ms; /* crossed_ms LT_NO_TIME: never */
	uint32_t crossed_flag;
	bool in_pits, is_out, is_finished;
	bool pit_claim; /* what the feed said last, since pit_claim_ms */
	int64_t pit_claim_ms;
};

struct lt_field_clock {
	int64_t ms, at_ms; /* ms LT_NO_TIME: none */
	bool runs;
};

struct lt_field {
	uint32_t kind, pit_settle_ms, sectors;
	int32_t lines; /* timing lines of a lap, at least 1 */
	bool live_gaps, is_over, is_finish_open;
	size_t cars_max, slot_count;
	struct lt_field_car **slots; /* by car; NULL: free */
	const struct lt_field_car **ordered;
	size_t ordered_count;
	uint32_t flag;
	int64_t now_ms, green_ms; /* now: newest seen; green: time under green so far */
	uint64_t line_serial;     /* of the newest line that was passed */
	int64_t started_ms;       /* now - race time, from the newest crossing that had both */
	bool has_started;
	struct lt_field_clock clocks[2];
};

/* Longer than any race, and far from where sums overflow. */
#define LT_FIELD_MS_MAX INT64_C(1000000000000)

/* A time that somebody may have meant; LT_NO_TIME for all others. */
static inline int64_t lt_field_sane_ms(int64_t ms)
{
	return ms > 0 && ms <= LT_FIELD_MS_MAX ? ms : LT_NO_TIME;
}

/* --- field.c --- */

struct lt_field_car *lt_field_find_car(const struct lt_field *field, int32_t car);

/* --- field_laps.c --- */

void lt_field_pass_time(struct lt_field *field, int64_t now_ms);
void lt_field_forget_results(struct lt_field *field, struct lt_field_car *car);
void lt_field_settle_pits(struct lt_field *field);

void lt_field_lap(struct lt_field *field, int32_t number, const struct lt_field_lap *lap,
		int64_t now_ms);
void lt_field_cross(struct lt_field *field, int32_t number, int64_t now_ms);
void lt_field_set_lap(struct lt_field *field, int32_t number, const struct lt_field_lap *lap);
void lt_field_set_count(struct lt_field *field, int32_t number, int32_t laps, int64_t total_ms);
void lt_field_void_lap(struct lt_field *field, int32_t number, int32_t lap);
void lt_field_sector(struct lt_field *field, int32_t number, uint32_t n, int64_t ms,
		int64_t total_ms, int64_t now_ms);
void lt_field_seen(struct lt_field *field, int32_t number, int64_t now_ms);
void lt_field_pit(struct lt_field *field, int32_t number, uint32_t where, int64_t now_ms);
void lt_field_set_flag(struct lt_field *field, uint32_t flag, int64_t now_ms);
int32_t lt_field_lap_of(const struct lt_field *field, int32_t number, int32_t lap,
		struct lt_field_lap *ret);

/* --- field_order.c --- */

/* Race time at a timing line; LT_NO_TIME: not passed, or not known. */
int64_t lt_field_cross_of(const struct lt_field_car *car, int32_t line);
/* The car that leads a race now; NULL: none has done a lap. */
struct lt_field_car *lt_field_leader(const struct lt_field *field);
size_t lt_field_order(struct lt_field *field, int64_t now_ms);
uint32_t lt_field_state_of(const struct lt_field *field, const struct lt_field_car *car);

/* --- field_row.c --- */

int32_t lt_field_row(struct lt_field *field, size_t index, struct lt_field_row *ret);
struct lt_cell lt_field_gap_cell(const struct lt_field_gap *gap, char scratch[24]);

#endif
