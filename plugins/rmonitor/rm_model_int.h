/* Shared by rm_model.c, rm_records.c, rm_view.c and rm_words.c only; see rm_model.h. */
#ifndef LT_RMONITOR_RM_MODEL_INT_H
#define LT_RMONITOR_RM_MODEL_INT_H

#include "rm_model.h"

/* A car has the number that the field gave it, and what the field does not know of it. */
struct rm_car {
	int32_t number;
	char reg[RM_NAME_LEN], num[RM_NAME_LEN], transponder[RM_NAME_LEN], first[RM_NAME_LEN],
			last[RM_NAME_LEN], nationality[RM_NAME_LEN], additional[RM_NAME_LEN];
	char driver[RM_NAME_LEN]; /* as it is shown */
	int32_t class_no;
	/* $G and $H as they were last: the refresh carries these */
	int32_t race_pos, best_pos, laps, best_lap; /* positions 0: not known */
	int64_t total_ms, best_ms;
	int64_t pending_lap_ms; /* of the $J whose $G is awaited */
	bool unrefreshed;       /* since $I */
};

struct rm_class {
	int32_t no;
	char name[RM_NAME_LEN];
};

struct rm_model {
	struct rm_opts opts;
	const struct lt_field_ext *api;
	struct lt_field *field;
	size_t class_count;
	struct rm_car *cars[RM_CARS_MAX]; /* by number; NULL: none */
	struct rm_class classes[RM_CLASSES_MAX];
	int32_t run; /* of the last real session */
	bool is_over, is_race, has_session, has_pits, new_session, was_timed, has_entries;
	char description[RM_NAME_LEN], track_name[RM_NAME_LEN], track_length[RM_NAME_LEN],
			flag_text[RM_NAME_LEN];
	enum rm_flag flag;
	int64_t elapsed_ms, remain_ms;
	int32_t laps_remain;
	int64_t now_ms;
	/* publishing */
	int64_t dirty_from_ms, dirty_last_ms; /* -1: clean */
	/* $I: held until the refresh has arrived */
	bool holding, refresh_seen;
	int64_t hold_from_ms, hold_last_ms;
	int32_t laps_before_hold;
	struct rm_message messages[RM_MESSAGES_MAX];
	size_t message_head, message_count;
	struct rm_view view;
};

/* --- rm_model.c: cars, sessions, the hold after $I --- */

struct rm_car *rm_find_car(const struct rm_model *model, const char *reg); /* NULL: none */

/* The car with this registration number, made when new; NULL: no such car can be. */
struct rm_car *rm_need_car(struct rm_model *model, const char *text);

/* A record of a refresh: the first one about a car after $I replaces its old results. */
void rm_refresh_car(struct rm_model *model, struct rm_car *car);

/* Tell the field the car's position, of $G in a race and of $H in any other session. */
void rm_tell_position(struct rm_model *model, const struct rm_car *car);

/* The session has this description: it may be another kind of session. */
void rm_set_description(struct rm_model *model, const char *description);

/* Tell the field whether all is over. */
void rm_set_over(struct rm_model *model, bool is_over);

/* Queue a message about the car with this number. */
void rm_say(struct rm_model *model, const char *num, const char *text);

/* Another run: results, laps and messages of the one before are forgotten. */
void rm_begin_session(struct rm_model *model);

/* $I: nothing is published until the refresh behind it has arrived. */
void rm_begin_hold(struct rm_model *model);

/* --- rm_records.c --- */

/* False: fields that make no sense; the model is unchanged then. */
bool rm_apply_record(struct rm_model *model, const struct rm_record *r);

/* --- rm_words.c --- */

/* By the first three letters; RM_FLAG_NONE for any other text. */
enum rm_flag rm_flag_of(const char *text);

#endif
