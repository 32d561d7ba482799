/*
 * What an RMonitor feed says about a session, record by record. Pure: the time
 * is an argument (milliseconds of any steady clock), so a capture can be
 * played at any speed. The model decides when a whole update has arrived.
 * Laps, gaps, order, marks and states are the field's ("lt.field/1"); here is
 * what is special to this feed.
 *
 * An $I does not empty the screen: until its refresh is complete the state
 * before it is held, and nothing is due.
 */
#ifndef LT_RMONITOR_RM_MODEL_H
#define LT_RMONITOR_RM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <livetiming/plugin.h>

#include "rm_names.h"
#include "rm_parse.h"

#define RM_CARS_MAX     400
#define RM_CLASSES_MAX  100
#define RM_MESSAGES_MAX 32
#define RM_NEVER        INT64_MAX

enum rm_session_kind {
	RM_SESSION_AUTO, /* by the description; only in options */
	RM_SESSION_RACE,
	RM_SESSION_PRACTICE,
	RM_SESSION_QUALIFYING,
};

/* By the feed's words; yellow may mean something else to the operator. */
enum rm_flag {
	RM_FLAG_NONE = LT_FLAG_NONE,
	RM_FLAG_GREEN = LT_FLAG_GREEN,
	RM_FLAG_YELLOW = LT_FLAG_YELLOW,
	RM_FLAG_RED = LT_FLAG_RED,
	RM_FLAG_FINISH = LT_FLAG_CHEQUERED,
	RM_FLAG_WHITE = LT_FLAG_WHITE,
	RM_FLAG_PURPLE = LT_FLAG_CODE_60,
};

struct rm_opts {
	const struct lt_field_ext *field; /* of the host; kept */
	enum rm_session_kind kind;
	/* Both may be NULL; the caller keeps them alive. */
	const struct rm_rules *driver_rules, *class_rules, *transponders;
};

struct rm_row {
	const char *reg, *num, *class_name, *driver, *nationality, *additional;
	struct lt_field_row in_field;
};

struct rm_view {
	const char *description, *track_name, *track_length, *flag_text;
	int32_t run; /* 0: none seen */
	bool is_over, is_race, has_pits;
	bool has_entries; /* $A or $COMP was seen: cars have names */
	enum rm_flag flag;
	int64_t elapsed_ms, remain_ms; /* -1: none */
	int32_t laps_remain;           /* -1: none */
	size_t row_count;
	struct rm_row rows[RM_CARS_MAX]; /* in order of position */
};

struct rm_message {
	char num[16], text[160];
};

struct rm_model;

/* NULL: no memory. rm_model_destroy frees; NULL is fine. */
struct rm_model *rm_model_create(const struct rm_opts *opts);
void rm_model_destroy(struct rm_model *model);

/* Apply a record. False: its fields make no sense; nothing was changed. */
bool rm_model_apply(struct rm_model *model, const struct rm_record *record, int64_t now_ms);

/*
 * Let time pass. ret_due says that an update is to be published now (and is
 * then taken as published). Returns when to call again; RM_NEVER: after the next record.
 */
int64_t rm_model_tick(struct rm_model *model, int64_t now_ms, bool *ret_due);

/* The state; valid until the next call on this model. */
const struct rm_view *rm_model_view(struct rm_model *model);

/* True once after a new session has begun. */
bool rm_model_take_new_session(struct rm_model *model);

/* Next message since the last call; false: none. */
bool rm_model_next_message(struct rm_model *model, struct rm_message *ret);

/* Lap n (1, 2, ...) of a car by its registration number; false: not seen. */
bool rm_model_lap(const struct rm_model *model, const char *reg, int32_t lap,
		struct lt_field_lap *ret);

/* Whether a session so described is a race (see README.md). */
bool rm_is_race(enum rm_session_kind kind, const char *description);

#endif
