/*
 * What an Assetto Corsa server says about a session, packet by packet. Pure:
 * the time is an argument (milliseconds of any steady clock). Laps, best times,
 * order and gaps are kept in a field of the host; here is what only this game
 * knows: who sits in which car, when a session begins and ends, and where on
 * the lap a car is.
 *
 * The game has no flags: green is from the start on, chequered when the leader
 * has done the laps or the time is up.
 */
#ifndef LT_ASSETTOCORSA_AC_MODEL_H
#define LT_ASSETTOCORSA_AC_MODEL_H

#include "ac_parse.h"

#define AC_CARS_MAX 256
/* In a race a lap has this many lines, at which positions and gaps are compared. */
#define AC_LINES 8

struct ac_opts {
	const struct lt_field_ext *field;
	bool class_is_model, wants_chat;
};

struct ac_view {
	const struct ac_session *session; /* NULL: the server has not told yet */
	bool is_race;
	uint32_t flag;       /* LT_FLAG_... */
	int64_t laps_remain; /* -1: no race of laps */
};

struct ac_message {
	bool is_error; /* of the server, for the log; else chat */
	char num[8], text[AC_TEXT_LEN * 2];
};

struct ac_model;

struct ac_model *ac_model_create(const struct ac_opts *opts); /* NULL: no memory */
void ac_model_destroy(struct ac_model *model);

/* AC_IGNORED: of no use, or said before. AC_DAMAGED: cannot be; nothing was changed. */
enum ac_result ac_model_apply(
		struct ac_model *model, const struct ac_packet *packet, int64_t now_ms);

/* Let time pass: sessions start and end by it. */
void ac_model_tick(struct ac_model *model, int64_t now_ms);

/* True once after something has changed. */
bool ac_model_take_changed(struct ac_model *model);
/* True once after another session has begun. */
bool ac_model_take_new_session(struct ac_model *model);
/* A car to ask about, once each; -1: none. */
int32_t ac_model_next_ask(struct ac_model *model);
/* Ask about all cars with numbers below this. */
void ac_model_ask_all(struct ac_model *model, uint32_t cars);
/* Next message since the last call; false: none. */
bool ac_model_next_message(struct ac_model *model, struct ac_message *ret);

/* Valid until the next call on this model. Orders the field. */
struct ac_view ac_model_view(struct ac_model *model, int64_t now_ms);
struct lt_field *ac_model_field(struct ac_model *model);

#endif
