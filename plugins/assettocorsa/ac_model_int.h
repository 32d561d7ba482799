/* Shared by ac_model.c and ac_cars.c only; see ac_model.h. */
#ifndef LT_ASSETTOCORSA_AC_MODEL_INT_H
#define LT_ASSETTOCORSA_AC_MODEL_INT_H

#include "ac_model.h"

#define AC_MESSAGES_MAX 32
#define AC_LAPS_MAX     5000

struct ac_car {
	int32_t field_car; /* LT_NO_CAR: not in the table */
	bool is_connected, was_asked, is_finished;
	char driver_id[AC_TEXT_LEN];
	int32_t laps;
	int32_t lower_claim;         /* laps below `laps` that a table said once; -1: none */
	int64_t best_ms, crossed_ms; /* -1: none; crossed: model time */
	float fraction;              /* of the lap; negative: not known */
	int64_t fraction_ms;         /* model time */
	uint32_t next_line;          /* of this lap, from 1 */
};

struct ac_model {
	struct ac_opts opts;
	struct lt_field *field;
	struct ac_car cars[AC_CARS_MAX]; /* by the number of the game */
	bool asks[AC_CARS_MAX];
	struct ac_session session;
	bool has_session, is_ended, is_chequered, changed, new_session;
	int64_t elapsed_at_ms; /* when session.elapsed_ms was so; model time */
	struct ac_message messages[AC_MESSAGES_MAX];
	size_t message_head, message_count;
	int64_t now_ms;
};

/* --- ac_model.c --- */

/* Of the session, now; negative before the start. */
int64_t ac_elapsed_ms(const struct ac_model *model, int64_t now_ms);
bool ac_is_race(const struct ac_model *model);
void ac_set_flag(struct ac_model *model);

/* --- ac_cars.c --- */

void ac_reset_car(struct ac_car *car);
/* The car in the table, put there and asked about when new; NULL: the table is full. */
struct ac_car *ac_need_car(struct ac_model *model, uint8_t number);
enum ac_result ac_apply_entry(struct ac_model *model, const struct ac_packet *packet);
enum ac_result ac_apply_update(struct ac_model *model, const struct ac_packet *packet);
enum ac_result ac_apply_lap(struct ac_model *model, const struct ac_packet *packet);
void ac_remove_car(struct ac_model *model, struct ac_car *car);

#endif
