#include "rm_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rm_model_int.h"

#define QUIET_MS          250
#define LATEST_MS         1000
#define REFRESH_QUIET_MS  1000
#define REFRESH_LATEST_MS 3000

struct rm_model *rm_model_create(const struct rm_opts *opts)
{
	const struct lt_field_opts field = { .size = sizeof(field), .cars_max = RM_CARS_MAX };
	struct rm_model *model = calloc(1, sizeof(*model));

	if (model == NULL) {
		return NULL;
	}
	model->opts = *opts;
	model->api = opts->field;
	model->field = model->api->open(&field);
	if (model->field == NULL) {
		free(model);
		return NULL;
	}
	model->dirty_from_ms = -1;
	model->elapsed_ms = model->remain_ms = model->laps_remain = -1;
	rm_set_description(model, "");
	return model;
}

void rm_model_destroy(struct rm_model *model)
{
	if (model == NULL) {
		return;
	}
	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		free(model->cars[i]);
	}
	model->api->close(model->field);
	free(model);
}

static void forget_results(struct rm_car *car)
{
	car->race_pos = car->best_pos = car->laps = car->best_lap = 0;
	car->total_ms = car->best_ms = -1;
}

void rm_tell_position(struct rm_model *model, const struct rm_car *car)
{
	model->api->set_position(
			model->field, car->number, model->is_race ? car->race_pos : car->best_pos);
}

/* What the last $G and $H said, whatever the field counted by itself. */
static void tell_results(struct rm_model *model, const struct rm_car *car)
{
	rm_tell_position(model, car);
	model->api->set_count(model->field, car->number, car->laps, car->total_ms);
	model->api->set_best(model->field, car->number, car->best_lap, car->best_ms);
}

void rm_set_description(struct rm_model *model, const char *description)
{
	rm_name_set(model->description, description);
	model->is_race = rm_is_race(model->opts.kind, model->description);
	model->api->set_kind(model->field, model->is_race ? LT_FIELD_RACE : LT_FIELD_TIMED);
	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		if (model->cars[i] != NULL) {
			rm_tell_position(model, model->cars[i]);
		}
	}
}

void rm_set_over(struct rm_model *model, bool is_over)
{
	model->is_over = is_over;
	model->api->set_over(model->field, is_over && model->has_session);
}

struct rm_car *rm_find_car(const struct rm_model *model, const char *reg)
{
	int32_t number = model->api->find(model->field, lt_text_n(reg, strlen(reg)));

	return number == LT_NO_CAR ? NULL : model->cars[number];
}

struct rm_car *rm_need_car(struct rm_model *model, const char *text)
{
	struct rm_car *car = rm_find_car(model, text);
	int32_t number;

	if (car != NULL || (car = calloc(1, sizeof(*car))) == NULL) {
		return car;
	}
	number = model->api->car(model->field, lt_text_n(text, strlen(text)));
	if (number == LT_NO_CAR) {
		free(car);
		return NULL;
	}
	car->number = number;
	rm_name_set(car->reg, text);
	rm_name_set(car->num, text);
	forget_results(car);
	car->pending_lap_ms = -1;
	model->cars[number] = car;
	model->api->seen(model->field, number, model->now_ms);
	return car;
}

void rm_refresh_car(struct rm_model *model, struct rm_car *car)
{
	if (model->holding) {
		model->hold_last_ms = model->now_ms;
		model->refresh_seen = true;
		if (car->unrefreshed) {
			car->unrefreshed = false;
			forget_results(car);
		}
	}
}

void rm_say(struct rm_model *model, const char *num, const char *text)
{
	struct rm_message *message;

	if (model->message_count == RM_MESSAGES_MAX) {
		model->message_head = (model->message_head + 1) % RM_MESSAGES_MAX;
		model->message_count--;
	}
	message = &model->messages[(model->message_head + model->message_count++) %
			RM_MESSAGES_MAX];
	snprintf(message->num, sizeof(message->num), "%.15s", num);
	snprintf(message->text, sizeof(message->text), "%.159s", text);
}

bool rm_model_next_message(struct rm_model *model, struct rm_message *ret)
{
	if (model->message_count == 0) {
		return false;
	}
	*ret = model->messages[model->message_head];
	model->message_head = (model->message_head + 1) % RM_MESSAGES_MAX;
	model->message_count--;
	return true;
}

void rm_begin_session(struct rm_model *model)
{
	model->api->clear(model->field, 1);
	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		struct rm_car *car = model->cars[i];

		if (car == NULL) {
			continue;
		}
		/* In a refresh the records before $B are already those of the new session. */
		if (!model->holding || car->unrefreshed) {
			forget_results(car);
		}
		car->pending_lap_ms = -1;
		tell_results(model, car);
	}
	model->message_count = 0;
	model->was_timed = model->has_pits = false;
	model->laps_before_hold = 0;
	model->new_session = true;
}

static int32_t most_laps(const struct rm_model *model)
{
	int32_t most = 0;

	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		if (model->cars[i] != NULL && model->cars[i]->laps > most) {
			most = model->cars[i]->laps;
		}
	}
	return most;
}

void rm_begin_hold(struct rm_model *model)
{
	if (!model->holding) {
		model->holding = true;
		model->hold_from_ms = model->now_ms;
		model->refresh_seen = false;
		model->laps_before_hold = most_laps(model);
		for (size_t i = 0; i < RM_CARS_MAX; i++) {
			if (model->cars[i] != NULL) {
				model->cars[i]->unrefreshed = true;
			}
		}
	}
	model->hold_last_ms = model->now_ms;
}

/* The refresh is complete, or there was none: then the $I meant nothing. */
static void end_hold(struct rm_model *model)
{
	model->holding = false;
	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		struct rm_car *car = model->cars[i];

		if (car == NULL || !model->refresh_seen) {
			continue;
		}
		if (car->unrefreshed) {
			model->api->remove(model->field, car->number);
			model->cars[i] = NULL;
			free(car);
		} else {
			tell_results(model, car);
		}
	}
	/* The same run from the start again: the old laps are not this race's. */
	if (model->refresh_seen && model->laps_before_hold > 0 && most_laps(model) == 0) {
		rm_begin_session(model);
	}
}

static void pass_time(struct rm_model *model, int64_t now_ms)
{
	model->now_ms = now_ms;
	if (model->holding &&
			(now_ms - model->hold_last_ms >= REFRESH_QUIET_MS ||
					now_ms - model->hold_from_ms >= REFRESH_LATEST_MS)) {
		end_hold(model);
	}
}

bool rm_model_apply(struct rm_model *model, const struct rm_record *r, int64_t now_ms)
{
	bool good;

	pass_time(model, now_ms);
	good = rm_apply_record(model, r);
	if (good) {
		if (model->dirty_from_ms < 0) {
			model->dirty_from_ms = now_ms;
		}
		model->dirty_last_ms = now_ms;
	}
	return good;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t rm_model_tick(struct rm_model *model, int64_t now_ms, bool *ret_due)
{
	int64_t due;

	pass_time(model, now_ms);
	*ret_due = false;
	if (model->holding) {
		return earlier(model->hold_last_ms + REFRESH_QUIET_MS,
				model->hold_from_ms + REFRESH_LATEST_MS);
	}
	if (model->dirty_from_ms < 0) {
		return RM_NEVER;
	}
	due = earlier(model->dirty_last_ms + QUIET_MS, model->dirty_from_ms + LATEST_MS);
	if (now_ms < due) {
		return due;
	}
	model->dirty_from_ms = -1;
	*ret_due = true;
	return RM_NEVER;
}

bool rm_model_take_new_session(struct rm_model *model)
{
	bool taken = model->new_session;

	model->new_session = false;
	return taken;
}

bool rm_model_lap(const struct rm_model *model, const char *reg, int32_t lap,
		struct lt_field_lap *ret)
{
	const struct rm_car *car = rm_find_car(model, reg);

	return car != NULL && model->api->lap_of(model->field, car->number, lap, ret) == 0;
}
