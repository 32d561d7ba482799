#include "ac_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ac_model_int.h"

#define CLOCK_SLACK_MS                                                                             \
	5000 /* more than a datagram is late; a session that restarts jumps further */
#define KIND_RACE 3

struct ac_model *ac_model_create(const struct ac_opts *opts)
{
	struct ac_model *model = calloc(1, sizeof(*model));
	struct lt_field_opts field = { .size = sizeof(field) };

	if (model == NULL) {
		return NULL;
	}
	model->opts = *opts;
	field.kind = LT_FIELD_TIMED;
	field.sectors = AC_LINES;
	field.cars_max = AC_CARS_MAX;
	model->field = opts->field->open(&field);
	if (model->field == NULL) {
		free(model);
		return NULL;
	}
	for (size_t i = 0; i < AC_CARS_MAX; i++) {
		model->cars[i].field_car = LT_NO_CAR;
		ac_reset_car(&model->cars[i]);
	}
	return model;
}

void ac_model_destroy(struct ac_model *model)
{
	if (model != NULL) {
		model->opts.field->close(model->field);
		free(model);
	}
}

/* --- session --- */

int64_t ac_elapsed_ms(const struct ac_model *model, int64_t now_ms)
{
	return model->session.elapsed_ms + (now_ms - model->elapsed_at_ms);
}

bool ac_is_race(const struct ac_model *model)
{
	return model->has_session && model->session.kind == KIND_RACE;
}

static bool is_of_laps(const struct ac_model *model)
{
	return ac_is_race(model) && model->session.laps > 0;
}

static int64_t limit_ms(const struct ac_model *model)
{
	return model->session.minutes * INT64_C(60000);
}

static int32_t most_laps(const struct ac_model *model)
{
	int32_t most = 0;

	for (size_t i = 0; i < AC_CARS_MAX; i++) {
		most = model->cars[i].laps > most ? model->cars[i].laps : most;
	}
	return most;
}

static uint32_t flag_of(const struct ac_model *model)
{
	if (!model->has_session || model->session.kind == 0) {
		return LT_FLAG_NONE;
	}
	if (model->is_ended || model->is_chequered) {
		return LT_FLAG_CHEQUERED;
	}
	return ac_elapsed_ms(model, model->now_ms) < 0 ? LT_FLAG_NONE : LT_FLAG_GREEN;
}

void ac_set_flag(struct ac_model *model)
{
	int64_t elapsed_ms = ac_elapsed_ms(model, model->now_ms);

	if (model->has_session) {
		model->is_chequered = model->is_chequered ||
				(is_of_laps(model) ? most_laps(model) >= model->session.laps
						   : limit_ms(model) > 0 && elapsed_ms >= limit_ms(model));
	}
	model->opts.field->set_flag(model->field, flag_of(model), model->now_ms);
}

static void set_clocks(struct ac_model *model)
{
	const struct lt_field_ext *f = model->opts.field;
	int64_t elapsed_ms = ac_elapsed_ms(model, model->now_ms);
	int64_t shown_ms = elapsed_ms > 0 ? elapsed_ms : 0;
	bool runs = elapsed_ms >= 0 && !model->is_ended && model->session.kind != 0;
	int64_t remain_ms = limit_ms(model) > shown_ms ? limit_ms(model) - shown_ms : 0;

	f->set_clock(model->field, LT_CLOCK_ELAPSED, shown_ms, runs, model->now_ms);
	f->set_clock(model->field, LT_CLOCK_REMAIN,
			limit_ms(model) > 0 && !is_of_laps(model) ? remain_ms : LT_NO_TIME, runs,
			model->now_ms);
}

static void begin_session(struct ac_model *model, const struct ac_session *session)
{
	model->new_session = model->has_session;
	model->has_session = true;
	model->session = *session;
	model->elapsed_at_ms = model->now_ms;
	model->is_ended = model->is_chequered = false;
	model->message_count = 0;
	model->opts.field->clear(model->field, 1);
	model->opts.field->set_over(model->field, 0);
	model->opts.field->set_kind(
			model->field, session->kind == KIND_RACE ? LT_FIELD_RACE : LT_FIELD_TIMED);
	for (size_t i = 0; i < AC_CARS_MAX; i++) {
		ac_reset_car(&model->cars[i]);
		if (!model->cars[i].is_connected) {
			ac_remove_car(model, &model->cars[i]);
		}
	}
}

/* The same session, told again. */
static bool is_this_session(const struct ac_model *model, const struct ac_session *session)
{
	const struct ac_session *own = &model->session;

	return model->has_session && session->index == own->index && session->kind == own->kind &&
			strcmp(session->track, own->track) == 0 &&
			strcmp(session->layout, own->layout) == 0 &&
			session->elapsed_ms >= ac_elapsed_ms(model, model->now_ms) - CLOCK_SLACK_MS;
}

static enum ac_result apply_session(struct ac_model *model, const struct ac_session *session)
{
	if (session->index != session->current && session->count > 0) {
		return AC_IGNORED; /* about one that was, or will be */
	}
	if (is_this_session(model, session)) {
		model->session = *session;
		model->elapsed_at_ms = model->now_ms;
	} else {
		begin_session(model, session);
	}
	ac_set_flag(model);
	set_clocks(model);
	return AC_OK;
}

static enum ac_result apply_end(struct ac_model *model)
{
	if (!model->has_session || model->is_ended) {
		return AC_IGNORED;
	}
	model->is_ended = true;
	ac_set_flag(model);
	set_clocks(model);
	model->opts.field->set_over(model->field, 1);
	return AC_OK;
}

/* --- messages --- */

static void say(struct ac_model *model, const struct ac_message *message)
{
	if (model->message_count == AC_MESSAGES_MAX) {
		model->message_head = (model->message_head + 1) % AC_MESSAGES_MAX;
		model->message_count--;
	}
	model->messages[(model->message_head + model->message_count++) % AC_MESSAGES_MAX] =
			*message;
}

bool ac_model_next_message(struct ac_model *model, struct ac_message *ret)
{
	if (model->message_count == 0) {
		return false;
	}
	*ret = model->messages[model->message_head];
	model->message_head = (model->message_head + 1) % AC_MESSAGES_MAX;
	model->message_count--;
	return true;
}

/* Who says it: the driver of a car in the table; else nobody. */
static void name_of(struct ac_model *model, uint8_t number, struct ac_message *message)
{
	struct lt_field_row row = { .size = sizeof(row) };

	if (model->cars[number].field_car == LT_NO_CAR) {
		return;
	}
	snprintf(message->num, sizeof(message->num), "%u", number);
	model->opts.field->order(model->field, model->now_ms);
	for (size_t i = 0; model->opts.field->row(model->field, i, &row) == 0; i++) {
		if (row.car == model->cars[number].field_car && row.text[LT_TEXT_DRIVER].n > 0) {
			snprintf(message->text, sizeof(message->text),
					"%.*s: ", (int)row.text[LT_TEXT_DRIVER].n,
					row.text[LT_TEXT_DRIVER].p);
		}
	}
}

static enum ac_result apply_text(struct ac_model *model, const struct ac_packet *packet)
{
	struct ac_message message = { .is_error = packet->type == AC_ERROR };
	size_t at;

	if (!message.is_error && !model->opts.wants_chat) {
		return AC_IGNORED;
	}
	if (!message.is_error) {
		name_of(model, packet->car, &message);
	}
	at = strlen(message.text);
	snprintf(message.text + at, sizeof(message.text) - at, "%s", packet->text);
	say(model, &message);
	return AC_OK;
}

/* --- packets --- */

static enum ac_result apply(struct ac_model *model, const struct ac_packet *packet)
{
	switch (packet->type) {
	case AC_NEW_SESSION:
	case AC_SESSION_INFO:
		return apply_session(model, &packet->session);
	case AC_CONNECTED:
	case AC_LEFT:
	case AC_CAR_INFO:
		return ac_apply_entry(model, packet);
	case AC_CAR_UPDATE:
		return ac_apply_update(model, packet);
	case AC_LAP:
		return ac_apply_lap(model, packet);
	case AC_END_SESSION:
		return apply_end(model);
	case AC_CHAT:
	case AC_ERROR:
		return apply_text(model, packet);
	case AC_LOADED:
		return ac_need_car(model, packet->car) != NULL ? AC_OK : AC_IGNORED;
	case AC_VERSION:
	case AC_EVENT:
		break;
	}
	return AC_IGNORED;
}

enum ac_result ac_model_apply(
		struct ac_model *model, const struct ac_packet *packet, int64_t now_ms)
{
	enum ac_result result;

	model->now_ms = now_ms;
	result = apply(model, packet);
	model->changed = model->changed || result == AC_OK;
	return result;
}

void ac_model_tick(struct ac_model *model, int64_t now_ms)
{
	uint32_t before = flag_of(model);

	model->now_ms = now_ms;
	if (!model->has_session) {
		return;
	}
	ac_set_flag(model);
	if (flag_of(model) != before) {
		set_clocks(model); /* they run from the start on */
	}
	model->changed = model->changed || flag_of(model) != before;
}

bool ac_model_take_changed(struct ac_model *model)
{
	bool was = model->changed;

	model->changed = false;
	return was;
}

bool ac_model_take_new_session(struct ac_model *model)
{
	bool was = model->new_session;

	model->new_session = false;
	return was;
}

void ac_model_ask_all(struct ac_model *model, uint32_t cars)
{
	for (uint32_t i = 0; i < cars && i < AC_CARS_MAX; i++) {
		model->asks[i] = true;
	}
}

int32_t ac_model_next_ask(struct ac_model *model)
{
	for (int32_t i = 0; i < AC_CARS_MAX; i++) {
		if (model->asks[i]) {
			model->asks[i] = false;
			return i;
		}
	}
	return -1;
}

struct ac_view ac_model_view(struct ac_model *model, int64_t now_ms)
{
	struct ac_view view = { .session = model->has_session ? &model->session : NULL,
		.is_race = ac_is_race(model),
		.laps_remain = -1 };

	ac_model_tick(model, now_ms);
	view.flag = flag_of(model);
	if (is_of_laps(model)) {
		view.laps_remain = model->session.laps - most_laps(model);
		view.laps_remain = view.laps_remain > 0 ? view.laps_remain : 0;
	}
	model->opts.field->order(model->field, now_ms);
	return view;
}

struct lt_field *ac_model_field(struct ac_model *model)
{
	return model->field;
}
