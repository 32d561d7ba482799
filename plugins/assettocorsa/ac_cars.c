/* Packets about cars: entries, laps, where they are. */
#include <stdio.h>
#include <string.h>

#include "ac_model_int.h"

#define EARLY_MS   5000 /* a lap cannot end so much earlier after the one before than it is long */
#define LAP_MAX_MS 86400000u /* longer ones are mistakes */
#define STEP_MAX   0.25f     /* of a lap between two updates: more is a jump to the pits */
#define MOVED      0.0005f   /* less is a car that stands */
#define LINES_LOST 2u        /* updates that may be lost on the way */

void ac_reset_car(struct ac_car *car)
{
	car->is_finished = false;
	car->laps = 0;
	car->lower_claim = -1;
	car->best_ms = car->crossed_ms = -1;
	car->fraction = -1;
	car->fraction_ms = 0;
	car->next_line = 1;
}

void ac_remove_car(struct ac_model *model, struct ac_car *car)
{
	if (car->field_car != LT_NO_CAR) {
		model->opts.field->remove(model->field, car->field_car);
	}
	car->field_car = LT_NO_CAR;
	car->driver_id[0] = '\0';
	car->was_asked = false;
	ac_reset_car(car);
}

static struct ac_car *place_car(struct ac_model *model, uint8_t number)
{
	struct ac_car *car = &model->cars[number];
	char key[8];
	struct lt_str text;

	if (car->field_car == LT_NO_CAR) {
		snprintf(key, sizeof(key), "%u", number);
		text = lt_text_n(key, strlen(key));
		car->field_car = model->opts.field->car(model->field, text);
		model->opts.field->set_text(model->field, car->field_car, LT_TEXT_NUM, text);
	}
	return car->field_car == LT_NO_CAR ? NULL : car;
}

struct ac_car *ac_need_car(struct ac_model *model, uint8_t number)
{
	struct ac_car *car = place_car(model, number);

	if (car != NULL && car->driver_id[0] == '\0' && !car->was_asked) {
		car->was_asked = model->asks[number] = true;
		car->is_connected = true;
	}
	return car;
}

/* --- entries --- */

static void set_text(
		struct ac_model *model, const struct ac_car *car, uint32_t what, const char *text)
{
	model->opts.field->set_text(
			model->field, car->field_car, what, lt_text_n(text, strlen(text)));
}

static enum ac_result leave(struct ac_model *model, uint8_t number)
{
	struct ac_car *car = &model->cars[number];

	if (car->field_car == LT_NO_CAR || !car->is_connected) {
		return AC_IGNORED;
	}
	car->is_connected = false;
	if (car->laps == 0) {
		ac_remove_car(model, car);
	} else if (!car->is_finished) {
		model->opts.field->set_state(model->field, car->field_car, LT_CAR_RET);
	}
	return AC_OK;
}

enum ac_result ac_apply_entry(struct ac_model *model, const struct ac_packet *packet)
{
	const struct ac_entry *entry = &packet->entry;
	struct ac_car *car = &model->cars[packet->car];

	if (!entry->connected) {
		return leave(model, packet->car);
	}
	/* Somebody else has the car now: laps of practice are not his. */
	if (car->driver_id[0] != '\0' && strcmp(car->driver_id, entry->driver_id) != 0 &&
			!ac_is_race(model)) {
		ac_remove_car(model, car);
	}
	car = place_car(model, packet->car);
	if (car == NULL) {
		return AC_IGNORED;
	}
	if (!car->is_connected && !car->is_finished) {
		model->opts.field->set_state(model->field, car->field_car, LT_CAR_AUTO);
	}
	car->is_connected = true;
	snprintf(car->driver_id, sizeof(car->driver_id), "%s", entry->driver_id);
	set_text(model, car, LT_TEXT_DRIVER, entry->driver);
	set_text(model, car, LT_TEXT_CAR, entry->model);
	if (model->opts.class_is_model) {
		set_text(model, car, LT_TEXT_CLASS, entry->model);
	}
	if (packet->type == AC_CAR_INFO) {
		set_text(model, car, LT_TEXT_TEAM, entry->team);
	}
	return AC_OK;
}

/* --- where they are --- */

/* Race time at which a line was passed, between the update before and this one. */
static int64_t passed_ms(
		const struct ac_model *model, const struct ac_car *car, float line, float fraction)
{
	int64_t now_ms = ac_elapsed_ms(model, model->now_ms);
	int64_t since_ms = model->now_ms - car->fraction_ms;

	return now_ms - (int64_t)((fraction - line) / (fraction - car->fraction) * (float)since_ms);
}

static void pass_lines(struct ac_model *model, struct ac_car *car, float fraction)
{
	for (uint32_t n = 1; n < AC_LINES; n++) {
		float line = (float)n / AC_LINES;

		/* Out of turn: the grid is before the line, or the car was moved. */
		if (line <= car->fraction || line > fraction || n < car->next_line ||
				n > car->next_line + LINES_LOST) {
			continue;
		}
		model->opts.field->sector(model->field, car->field_car, n, LT_NO_TIME,
				passed_ms(model, car, line, fraction), model->now_ms);
		car->next_line = n + 1;
	}
}

enum ac_result ac_apply_update(struct ac_model *model, const struct ac_packet *packet)
{
	struct ac_car *car = ac_need_car(model, packet->car);
	float step;

	if (car == NULL) {
		return AC_IGNORED;
	}
	step = packet->fraction - car->fraction;
	if (car->fraction >= 0 && (step > MOVED || step < -MOVED)) {
		model->opts.field->seen(model->field, car->field_car, model->now_ms);
	}
	if (car->fraction >= 0 && step > 0 && step < STEP_MAX && ac_is_race(model) &&
			!car->is_finished && ac_elapsed_ms(model, car->fraction_ms) > 0) {
		pass_lines(model, car, packet->fraction);
	}
	if (car->fraction > 1 - STEP_MAX && packet->fraction < STEP_MAX) {
		car->next_line = 1; /* over start/finish; the lap comes in a packet of its own */
	}
	car->fraction = packet->fraction;
	car->fraction_ms = model->now_ms;
	return AC_OK;
}

/* --- laps --- */

static const struct ac_standing *standing_of(const struct ac_lap *lap, uint8_t number)
{
	for (size_t i = 0; i < lap->count; i++) {
		if (lap->standings[i].car == number) {
			return &lap->standings[i];
		}
	}
	return NULL;
}

static bool has_time(const struct ac_standing *standing)
{
	return standing->time_ms > 0 && standing->time_ms < AC_NO_TIME;
}

/* What the table knows of a car beyond the laps that were seen. */
static void catch_up(struct ac_model *model, const struct ac_standing *standing, bool is_own)
{
	const struct lt_field_ext *f = model->opts.field;
	struct lt_field_lap lap = { .size = sizeof(lap),
		.lap = standing->laps,
		.lap_ms = LT_NO_TIME,
		.total_ms = LT_NO_TIME };
	struct ac_car *car = standing->laps > 0 || has_time(standing)
			? ac_need_car(model, standing->car)
			: NULL;

	if (car == NULL) {
		return;
	}
	/* Fewer laps are a late table, unless it is said twice; one's own lap may not be in yet. */
	if (standing->laps > car->laps ||
			(!is_own && standing->laps > 0 && standing->laps < car->laps &&
					standing->laps == car->lower_claim)) {
		lap.total_ms = ac_is_race(model) && has_time(standing) ? (int64_t)standing->time_ms
								       : LT_NO_TIME;
		f->set_lap(model->field, car->field_car, &lap);
		car->laps = standing->laps;
		car->next_line = 1;
	}
	car->lower_claim = standing->laps < car->laps ? standing->laps : -1;
	if (!ac_is_race(model) && has_time(standing) &&
			(car->best_ms < 0 || (int64_t)standing->time_ms < car->best_ms)) {
		car->best_ms = standing->time_ms;
		f->set_best(model->field, car->field_car, 0, car->best_ms);
	}
	if (ac_is_race(model) && standing->is_finished) {
		car->is_finished = true;
		f->set_state(model->field, car->field_car, LT_CAR_FIN);
	}
}

static void finish_lap(struct ac_model *model, struct ac_car *car, const struct ac_packet *packet)
{
	const struct ac_standing *own = standing_of(&packet->lap, packet->car);
	struct lt_field_lap lap = { .size = sizeof(lap),
		.lap = car->laps + 1,
		.lap_ms = packet->lap.lap_ms,
		.total_ms = ac_elapsed_ms(model, model->now_ms),
		.is_void = packet->lap.cuts > 0 };

	if (own != NULL && own->laps > lap.lap && own->laps <= AC_LAPS_MAX) {
		lap.lap = own->laps; /* some were lost on the way */
	}
	if (own != NULL && own->laps == lap.lap && ac_is_race(model) && has_time(own)) {
		lap.total_ms = own->time_ms;
	}
	lap.total_ms = lap.total_ms > 0 ? lap.total_ms : LT_NO_TIME;
	model->opts.field->lap(model->field, car->field_car, &lap, model->now_ms);
	car->laps = lap.lap;
	car->crossed_ms = model->now_ms;
	car->next_line = 1;
	if (!lap.is_void && (car->best_ms < 0 || lap.lap_ms < car->best_ms)) {
		car->best_ms = lap.lap_ms;
	}
}

enum ac_result ac_apply_lap(struct ac_model *model, const struct ac_packet *packet)
{
	const struct ac_lap *lap = &packet->lap;
	struct ac_car *car;

	if (lap->lap_ms == 0 || lap->lap_ms > LAP_MAX_MS) {
		return AC_DAMAGED;
	}
	for (size_t i = 0; i < lap->count; i++) {
		if (lap->standings[i].laps > AC_LAPS_MAX) {
			return AC_DAMAGED;
		}
	}
	car = &model->cars[packet->car];
	/* Twice, or long after: a lap takes its time. */
	if (car->crossed_ms >= 0 &&
			model->now_ms - car->crossed_ms + EARLY_MS < (int64_t)lap->lap_ms) {
		return AC_IGNORED;
	}
	car = ac_need_car(model, packet->car);
	if (car == NULL) {
		return AC_IGNORED;
	}
	finish_lap(model, car, packet);
	ac_set_flag(model); /* it may have been the last one */
	car->is_finished = car->is_finished || model->is_chequered;
	for (size_t i = 0; i < lap->count; i++) {
		catch_up(model, &lap->standings[i], lap->standings[i].car == packet->car);
	}
	return AC_OK;
}
