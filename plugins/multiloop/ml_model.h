/*
 * What a Multiloop feed says about a run, line by line. Pure: the time is an
 * argument (milliseconds of any steady clock), so a capture can be played at
 * any speed. Laps, sectors, best times, gaps and states are kept in a field of
 * the host; here is what only this feed knows.
 *
 * A change of preamble is a new run once a second record in a row has it:
 * a single damaged line does not empty the table.
 */
#ifndef LT_MULTILOOP_ML_MODEL_H
#define LT_MULTILOOP_ML_MODEL_H

#include <stdbool.h>

#include "ml_parse.h"

#define ML_CARS_MAX    400
#define ML_TEXT_LEN    128
#define ML_MESSAGE_LEN 400
#define ML_NEVER       INT64_MAX

enum ml_kind {
	ML_KIND_AUTO, /* by the run type; only in options */
	ML_KIND_RACE,
	ML_KIND_PRACTICE,
	ML_KIND_QUALIFYING,
};

struct ml_opts {
	const struct lt_field_ext *field;
	const struct lt_text_ext *text;
	enum ml_kind kind;
	uint32_t encoding;                           /* LT_ENCODING_... */
	uint32_t sectors;                            /* 0 to 5 */
	uint32_t class_field, car_field, team_field; /* free field of $E, from 1; 0: none */
	uint32_t yellow;                             /* LT_FLAG_... of track status Y */
	char lead;                                   /* in front of commands; '\0': nothing */
};

/* What was made of the lines so far. */
struct ml_counts {
	int64_t records, damaged, ignored;
};

/* What is not in the field, of a car by its number there. */
struct ml_car {
	bool has_entry;
	double speed, best_speed; /* inches a second, at the speed trap; 0: none */
};

struct ml_view {
	const char *event, *run, *track, *venue, *version;
	double length_miles; /* -1: not known */
	bool is_race, is_waiting, has_speed;
	uint32_t flag;                       /* LT_FLAG_... */
	int64_t laps_remain;                 /* -1: none */
	int64_t green_ms, yellow_ms, red_ms; /* -1: the feed did not say */
	int64_t yellows, lead_changes;
};

struct ml_message {
	bool is_race_control;
	int64_t time_s; /* unix; 0: now */
	char num[16], text[ML_MESSAGE_LEN];
};

struct ml_model;

struct ml_model *ml_model_create(const struct ml_opts *opts); /* NULL: no memory */
void ml_model_destroy(struct ml_model *model);

/* A line of the feed; wall_s is the unix time, by which dates are judged. */
void ml_model_line(struct ml_model *model, struct lt_str line, int64_t now_ms, int64_t wall_s);
/* The connection is a new one: what waited for its next line waits no more. */
void ml_model_reconnected(struct ml_model *model);
const struct ml_counts *ml_model_counts(const struct ml_model *model);

/* Whether an update is due; it is taken as published then. */
bool ml_model_take_due(struct ml_model *model, int64_t now_ms);
/* When one will be; ML_NEVER: after the next line. */
int64_t ml_model_due_ms(const struct ml_model *model);

/* Valid until the next call on this model. Orders the field. */
struct ml_view ml_model_view(struct ml_model *model, int64_t now_ms);
struct lt_field *ml_model_field(struct ml_model *model);
const struct ml_car *ml_model_car(const struct ml_model *model, int32_t car);

/* True once after another run has begun. */
bool ml_model_take_new_session(struct ml_model *model);
/* Next message since the last call; false: none. */
bool ml_model_next_message(struct ml_model *model, struct ml_message *ret);

void ml_model_set_yellow(struct ml_model *model, uint32_t flag, int64_t now_ms);

#endif
