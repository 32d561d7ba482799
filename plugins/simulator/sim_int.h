/* Shared by the files of the simulator's model only; see sim.h. */
#ifndef LT_SIMULATOR_SIM_INT_H
#define LT_SIMULATOR_SIM_INT_H

#include "sim.h"

#define SIM_FINISH_MS     300000 /* after the time is up: the longest wait for finishers */
#define SIM_TEXTS         32
#define SIM_PIT_ENTRY_PCT 90 /* of the third sector, where the pit lane begins */

struct sim_rng {
	uint64_t s;
};

/* What a car does next. */
enum sim_event {
	SIM_EV_NONE,
	SIM_EV_SECTOR, /* end of sector 1 or 2 */
	SIM_EV_PIT_IN,
	SIM_EV_LAP, /* start/finish, on track or in the pit lane */
	SIM_EV_PIT_OUT,
	SIM_EV_RESUME, /* after standing still somewhere */
	SIM_EV_RETIRE,
};

struct sim_car {
	/* entry */
	char num[8], team[SIM_NAME_LEN], model[SIM_NAME_LEN], drivers[SIM_DRIVERS][SIM_NAME_LEN];
	int32_t cls, grid;
	int64_t pace_ms, driver_ms[SIM_DRIVERS];
	struct sim_rng rng;
	/* next event */
	enum sim_event next, resume_next;
	int64_t next_ms, resume_rest_ms;
	/* on the track: progress counts sector lines passed since the start */
	enum sim_state state;
	int32_t progress, laps, pits, driver, tyre, stint, stint_laps, stint_target;
	bool pit_this_lap;
	int64_t line_ms, lap_from_ms, sector_from_ms; /* line_ms: when it passed its last line */
};

struct sim {
	struct sim_opts opts;
	sim_line_fn passed;
	void *passed_arg;
	int64_t race, now_ms; /* now: since this race's grid */
	struct sim_car cars[SIM_CARS_MAX];
	/* race control */
	struct sim_rng rng;
	enum sim_flag flag;
	bool chequered;
	int64_t control_ms, clear_ms; /* next decision; when the present flag ends */
	int32_t released;             /* cars let out of the pits after a red flag */
	/* under the safety car: latest arrival planned at each line */
	int64_t queue_ms[SIM_SECTORS];
	/* texts */
	char texts[SIM_TEXTS][SIM_TEXT_LEN];
	uint32_t text_head, text_count;
	struct sim_view view;
};

/* sim_field.c: numbers from the seed, and the entry list */
uint64_t sim_mix(uint64_t a, uint64_t b);
int64_t sim_below(struct sim_rng *rng, int64_t n);
int64_t sim_range(struct sim_rng *rng, int64_t low, int64_t high); /* both included */
void sim_field_make(struct sim *sim);

/* sim.c */
bool sim_is_racing(const struct sim_car *car); /* on the track and able to move */
int32_t sim_leader(const struct sim *sim);     /* index; -1: nobody runs */
bool sim_is_ahead(const struct sim_car *a, const struct sim_car *b);

/* sim_control.c: flags and incidents */
void sim_control_begin(struct sim *sim);
void sim_control_step(struct sim *sim); /* at control_ms */
void sim_control_chequered(struct sim *sim);
int64_t sim_flag_percent(enum sim_flag flag); /* lap time under this flag, of the normal one */
void sim_say(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
