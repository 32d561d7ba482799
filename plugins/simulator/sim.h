/*
 * The model behind the simulator: an endless chain of endurance races, made
 * from a seed alone.
 *
 * All quantities are integers (times in milliseconds) and the state changes
 * only at events, each processed at its own time and in a fixed order. So the
 * same options give the same race to the millisecond, whenever and however
 * often it is asked. No clock, no I/O, no global.
 *
 * Time 0 is the first second on the grid of the first race. Each race takes
 * the same span: grid, race, finish and break (sim_period_ms), which lets the
 * model jump straight to a later race.
 */
#ifndef LT_SIMULATOR_SIM_H
#define LT_SIMULATOR_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_CARS_MIN    3
#define SIM_CARS_MAX    100
#define SIM_CLASSES_MAX 6
#define SIM_CLASS_LEN   16
#define SIM_DRIVERS     3
#define SIM_SECTORS     3
#define SIM_NAME_LEN    48
#define SIM_TEXT_LEN    96
#define SIM_TRACK_DATA  5
#define SIM_GRID_MS     30000 /* cars stand on the grid before the start */

struct sim_opts {
	uint64_t seed;
	int32_t cars;        /* SIM_CARS_MIN..SIM_CARS_MAX */
	int64_t duration_ms; /* of one race, at least a minute */
	int64_t break_ms;    /* from the last car's finish to the next grid */
	int32_t class_count; /* 1..SIM_CLASSES_MAX, fastest first */
	char classes[SIM_CLASSES_MAX][SIM_CLASS_LEN];
};

enum sim_flag {
	SIM_FLAG_NONE,
	SIM_FLAG_GREEN,
	SIM_FLAG_YELLOW,
	SIM_FLAG_SLOW_ZONE,
	SIM_FLAG_FCY,
	SIM_FLAG_SC,
	SIM_FLAG_RED,
	SIM_FLAG_CHEQUERED,
};

enum sim_state {
	SIM_NOT_STARTED,
	SIM_RUN,
	SIM_PIT,
	SIM_OUT,
	SIM_STOP,
	SIM_RET,
	SIM_FIN,
};

/* One car; texts belong to the sim. What its times are worth: sim_timing.h. */
struct sim_row {
	int32_t car; /* 0 to opts.cars - 1, in each race the same */
	const char *num, *class_name, *team, *driver, *model, *tyre;
	enum sim_state state;
	int32_t pits;
};

struct sim_view {
	int64_t race; /* 0, 1, 2, ... */
	enum sim_flag flag;
	int64_t now_ms; /* since the grid */
	int64_t elapsed_ms, remain_ms;
	size_t row_count;
	struct sim_row rows[SIM_CARS_MAX]; /* in order of position */
	char track_data[SIM_TRACK_DATA][24];
};

/* A car passes the line at the end of a sector; the last one's is start/finish. */
struct sim_line {
	int64_t race, at_ms; /* since that race's grid */
	int32_t car, sector; /* 1 to SIM_SECTORS */
	int64_t sector_ms;
	int64_t lap_ms; /* at start/finish; else -1 */
};

/* Hears of each line, in order, from within sim_advance. */
typedef void (*sim_line_fn)(void *arg, const struct sim_line *line);

struct sim;

/* Reads "A,B,C" into opts->classes; false when empty, too many or a name is too long. */
bool sim_opts_classes(struct sim_opts *opts, const char *text);

/* opts are checked by the caller and copied. sim_destroy frees; NULL is fine. */
struct sim *sim_create(const struct sim_opts *opts, sim_line_fn passed, void *arg);
void sim_destroy(struct sim *sim);

/* From one race's grid to the next one's. */
int64_t sim_period_ms(const struct sim_opts *opts);

/*
 * Advance to t_ms, processing at most event_max events. True when t_ms is
 * reached; else call again with the same time. A time in the past changes nothing.
 */
bool sim_advance(struct sim *sim, int64_t t_ms, int32_t event_max);

/* The screen at the time reached; valid until the next call on this sim. */
const struct sim_view *sim_look(struct sim *sim);

/* Next race control text since the last call; NULL: none. At most 32 are kept. */
const char *sim_next_text(struct sim *sim);

/* Name of the event that race `race` belongs to, such as "6 Hours of Marlow Ridge". */
void sim_event_name(const struct sim *sim, int64_t race, char *ret_name, size_t size);

/* Headings of sim_view.track_data. */
extern const char *const sim_track_headings[SIM_TRACK_DATA];

#endif
