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
	struct rm_model *model = calloc(1, sizeof(*model));

	if (model != NULL) {
		model->opts = *opts;
		model->dirty_from_ms = -1;
		model->elapsed_ms = model->remain_ms = model->laps_remain = -1;
	}
	return model;
}

static void free_car(struct rm_car *car)
{
	free(car->history);
	free(car);
}

void rm_model_destroy(struct rm_model *model)
{
	if (model == NULL) {
		return;
	}
	for (size_t i = 0; i < model->car_count; i++) {
		free_car(model->cars[i]);
	}
	free(model);
}

static void forget_results(struct rm_car *car)
{
	car->race_pos = car->best_pos = car->laps = car->best_lap = 0;
	car->total_ms = car->best_ms = -1;
}

static void forget_laps(struct rm_model *model, struct rm_car *car)
{
	car->last_ms = car->pending_lap_ms = car->crossed_ms = -1;
	car->crossed_green_ms = model->green_ms;
	free(car->history);
	car->history = NULL;
	car->history_size = 0;
	car->in_pits = car->is_out = car->finished = false;
	car->pits = 0;
}

struct rm_car *rm_find_car(const struct rm_model *model, const char *reg)
{
	for (size_t i = 0; i < model->car_count; i++) {
		if (strcmp(model->cars[i]->reg, reg) == 0) {
			return model->cars[i];
		}
	}
	return NULL;
}

struct rm_car *rm_need_car(struct rm_model *model, const char *text)
{
	char reg[RM_NAME_LEN];
	struct rm_car *car;

	rm_name_set(reg, text);
	car = rm_find_car(model, reg);
	if (car == NULL && reg[0] != '\0' && model->car_count < RM_CARS_MAX &&
			(car = calloc(1, sizeof(*car))) != NULL) {
		rm_name_set(car->reg, reg);
		rm_name_set(car->num, reg);
		forget_results(car);
		forget_laps(model, car);
		model->cars[model->car_count++] = car;
	}
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
	for (size_t i = 0; i < model->car_count; i++) {
		/* In a refresh the records before $B are already those of the new session. */
		if (!model->holding || model->cars[i]->unrefreshed) {
			forget_results(model->cars[i]);
		}
		forget_laps(model, model->cars[i]);
	}
	model->message_count = 0;
	model->finish_open = model->was_timed = model->has_pits = false;
	model->laps_before_hold = 0;
	model->new_session = true;
}

static int32_t most_laps(const struct rm_model *model)
{
	int32_t most = 0;

	for (size_t i = 0; i < model->car_count; i++) {
		most = model->cars[i]->laps > most ? model->cars[i]->laps : most;
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
		for (size_t i = 0; i < model->car_count; i++) {
			model->cars[i]->unrefreshed = true;
		}
	}
	model->hold_last_ms = model->now_ms;
}

/* The refresh is complete, or there was none: then the $I meant nothing. */
static void end_hold(struct rm_model *model)
{
	size_t kept = 0;

	model->holding = false;
	for (size_t i = 0; i < model->car_count; i++) {
		struct rm_car *car = model->cars[i];

		if (model->refresh_seen && car->unrefreshed) {
			free_car(car);
		} else {
			car->unrefreshed = false;
			model->cars[kept++] = car;
		}
	}
	model->car_count = kept;
	/* The same run from the start again: the old laps are not this race's. */
	if (model->refresh_seen && model->laps_before_hold > 0 && most_laps(model) == 0) {
		rm_begin_session(model);
	}
}

static void pass_time(struct rm_model *model, int64_t now_ms)
{
	if (now_ms > model->now_ms && model->now_ms > 0 && model->flag == RM_FLAG_GREEN) {
		model->green_ms += now_ms - model->now_ms;
	}
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

const struct rm_lap *rm_model_lap(const struct rm_model *model, const char *reg, int32_t lap)
{
	const struct rm_car *car = rm_find_car(model, reg);

	return car != NULL && lap > 0 && lap < car->history_size ? &car->history[lap] : NULL;
}
