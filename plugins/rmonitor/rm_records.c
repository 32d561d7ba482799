/* What each record does to the model. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rm_model_int.h"

#define NO_SESSION_RUN     95
#define NOT_LAP_LIMITED    9999
#define PLACEHOLDER_MS     3599999 /* 00:59:59.999 */
#define PLACEHOLDER_TOP_MS 3599000 /* 00:59:59 in $F */

/* A car has crossed start/finish, or must have: its lap count grew. */
static void crossing(struct rm_model *model, const struct rm_car *car)
{
	/* In a refresh nobody knows who leads: it ends no car's race. */
	if (model->holding && model->flag == RM_FLAG_FINISH) {
		model->api->seen(model->field, car->number, model->now_ms);
	} else {
		model->api->cross(model->field, car->number, model->now_ms);
	}
}

static bool apply_heartbeat(struct rm_model *model, const struct rm_record *r)
{
	int32_t laps = rm_number(r->field[0]);
	int64_t remain = rm_time_ms(r->field[1]), elapsed = rm_time_ms(r->field[3]);
	enum rm_flag flag = rm_flag_of(r->field[4]);
	bool idle = flag == RM_FLAG_NONE;

	if (laps < 0 && remain < 0 && elapsed < 0) {
		return false;
	}
	model->flag = flag;
	rm_name_set(model->flag_text, r->field[4]);
	model->was_timed = model->was_timed || remain > 0;
	model->remain_ms = model->was_timed ? remain : -1;
	model->elapsed_ms = idle && elapsed == PLACEHOLDER_TOP_MS ? 0 : elapsed;
	/* Between sessions the count is 0 as well; only with a session does it mean anything. */
	model->laps_remain = laps == NOT_LAP_LIMITED || (idle && laps == 0) || model->was_timed
			? -1
			: laps;
	model->api->set_flag(model->field, flag, model->now_ms);
	return true;
}

static void update_driver(const struct rm_model *model, struct rm_car *car)
{
	const char *mapped = rm_rules_find(model->opts.transponders, car->transponder);
	char name[2 * RM_NAME_LEN];

	if (mapped != NULL) {
		rm_name_set(car->driver, mapped);
		return;
	}
	snprintf(name, sizeof(name), "%s%s%s", car->first,
			car->first[0] != '\0' && car->last[0] != '\0' ? " " : "", car->last);
	rm_name_set(car->driver, name);
	rm_rules_apply(model->opts.driver_rules, car->driver);
}

static bool apply_competitor(struct rm_model *model, const struct rm_record *r)
{
	bool detail = r->kind == RM_COMPETITOR_DETAIL;
	const char *const *names = &r->field[3];
	int32_t class_no = rm_number(r->field[detail ? 2 : 6]);
	struct rm_car *car = rm_need_car(model, r->field[0]);

	if (car == NULL) {
		return false;
	}
	rm_refresh_car(model, car);
	model->has_entries = true;
	if (r->field[1][0] != '\0') {
		rm_name_set(car->num, r->field[1]);
	}
	if (!detail) {
		rm_name_set(car->transponder, r->field[2]);
	}
	rm_name_set(car->first, names[0]);
	rm_name_set(car->last, names[1]);
	rm_name_set(car->nationality, names[2]);
	if (detail) {
		rm_name_set(car->additional, r->field[6]);
	}
	if (class_no >= 0) {
		car->class_no = class_no;
	}
	update_driver(model, car);
	return true;
}

static bool apply_run(struct rm_model *model, const struct rm_record *r)
{
	int32_t run = rm_number(r->field[0]);
	char description[RM_NAME_LEN];

	if (r->count == 0 || (run < 0 && r->field[0][0] != '\0')) {
		return false;
	}
	rm_name_set(description, r->field[1]);
	if (run <= 0 || run == NO_SESSION_RUN) {
		rm_set_over(model, true);
		if (!model->has_session) {
			rm_set_description(model, description);
		}
		return true;
	}
	if (model->has_session &&
			(run != model->run || strcmp(description, model->description) != 0)) {
		rm_begin_session(model);
	}
	model->has_session = true;
	model->run = run;
	rm_set_over(model, false);
	rm_set_description(model, description);
	return true;
}

static bool apply_class(struct rm_model *model, const struct rm_record *r)
{
	int32_t no = rm_number(r->field[0]);
	size_t i = 0;

	while (i < model->class_count && model->classes[i].no != no) {
		i++;
	}
	if (no < 0 || i == RM_CLASSES_MAX) {
		return false;
	}
	if (i == model->class_count) {
		model->class_count++;
	}
	if (model->holding) {
		model->hold_last_ms = model->now_ms;
		model->refresh_seen = true;
	}
	model->classes[i].no = no;
	rm_name_set(model->classes[i].name, r->field[1]);
	rm_rules_apply(model->opts.class_rules, model->classes[i].name);
	return true;
}

static bool apply_setting(struct rm_model *model, const struct rm_record *r)
{
	if (strcasecmp(r->field[0], "TRACKNAME") == 0) {
		rm_name_set(model->track_name, r->field[1]);
	} else if (strcasecmp(r->field[0], "TRACKLENGTH") == 0) {
		rm_name_set(model->track_length, r->field[1]);
	}
	return r->field[0][0] != '\0';
}

/* The laps that a $G confirms, with the time of the $J before it; others were edited away. */
static void tell_laps(struct rm_model *model, struct rm_car *car)
{
	const struct lt_field_lap lap = { .size = sizeof(lap),
		.lap = car->laps,
		.lap_ms = car->pending_lap_ms,
		.total_ms = car->total_ms };

	if (car->laps <= 0 || car->pending_lap_ms < 0) {
		model->api->set_count(model->field, car->number, car->laps, car->total_ms);
		return;
	}
	model->api->set_lap(model->field, car->number, &lap);
	/* The best lap is that of $H: a lap may count and its time may not. */
	model->api->set_best(model->field, car->number, car->best_lap, car->best_ms);
	car->pending_lap_ms = -1;
}

static int64_t real_time(int64_t ms)
{
	return ms == 0 || ms == PLACEHOLDER_MS ? -1 : ms;
}

static bool apply_race_order(struct rm_model *model, const struct rm_record *r)
{
	int32_t pos = rm_number(r->field[0]);
	bool negative = r->field[2][0] == '-'; /* a penalty of more laps than were driven */
	int32_t laps = r->field[2][0] == '\0' ? 0 : rm_number(r->field[2] + negative);
	int64_t total = r->field[3][0] == '\0' ? 0 : rm_time_ms(r->field[3]);
	struct rm_car *car;
	bool crossed;

	if (pos < 0 || laps < 0 || total < 0 || (car = rm_need_car(model, r->field[1])) == NULL) {
		return false;
	}
	laps = negative ? -laps : laps;
	/* A $J has said so already, unless it was missed. */
	crossed = laps > car->laps && car->pending_lap_ms < 0;
	rm_refresh_car(model, car);
	car->race_pos = pos;
	car->laps = laps;
	car->total_ms = real_time(total);
	rm_tell_position(model, car);
	tell_laps(model, car);
	if (crossed && !model->holding && laps > 1) {
		crossing(model, car);
	}
	return true;
}

static bool apply_best_order(struct rm_model *model, const struct rm_record *r)
{
	int32_t pos = rm_number(r->field[0]);
	int32_t lap = r->field[2][0] == '\0' ? 0 : rm_number(r->field[2]);
	int64_t best = r->field[3][0] == '\0' ? 0 : rm_time_ms(r->field[3]);
	struct rm_car *car;

	if (pos < 0 || lap < 0 || best < 0 || (car = rm_need_car(model, r->field[1])) == NULL) {
		return false;
	}
	rm_refresh_car(model, car);
	car->best_pos = pos;
	car->best_lap = lap;
	car->best_ms = real_time(best);
	rm_tell_position(model, car);
	model->api->set_best(model->field, car->number, car->best_lap, car->best_ms);
	return true;
}

static bool apply_passing(struct rm_model *model, const struct rm_record *r)
{
	int64_t lap = rm_time_ms(r->field[1]), total = rm_time_ms(r->field[2]);
	struct rm_car *car;

	if (lap < 0 || (total < 0 && r->field[2][0] != '\0') ||
			(car = rm_need_car(model, r->field[0])) == NULL) {
		return false;
	}
	crossing(model, car);
	/* A lap time of zero is the first crossing after the start: no lap. */
	if (lap > 0) {
		car->pending_lap_ms = lap;
		model->api->set_last(model->field, car->number, lap);
	}
	return true;
}

static bool apply_correction(struct rm_model *model, const struct rm_record *r)
{
	int64_t total = rm_time_ms(r->field[3]), by = rm_signed_time_ms(r->field[4]);
	int32_t laps = r->field[2][0] == '\0' ? 0 : rm_number(r->field[2]);
	struct rm_car *car;
	int64_t size = by < 0 ? -by : by;
	char text[160];

	if (total < 0 || laps < 0 || (car = rm_need_car(model, r->field[0])) == NULL) {
		return false;
	}
	car->total_ms = total;
	model->api->set_count(model->field, car->number, car->laps, total);
	snprintf(text, sizeof(text), "#%.60s time corrected by %c%d.%03d s", car->num,
			by < 0 ? '-' : '+', (int)(size / 1000), (int)(size % 1000));
	rm_say(model, car->num, text);
	return true;
}

/* What a crossing of a line of this name means. */
static void cross_line(struct rm_model *model, const struct rm_car *car, const char *name)
{
	bool in = strcmp(name, "PIP") == 0 || strcmp(name, "PIT") == 0 || strcmp(name, "SFP") == 0;
	bool left = strcmp(name, "POP") == 0 || strcmp(name, "POT") == 0;

	if (in || left) {
		model->api->pit(model->field, car->number, in ? LT_PIT_IN : LT_PIT_LEFT,
				model->now_ms);
	} else if (strcmp(name, "SFT") == 0) {
		model->api->pit(model->field, car->number, LT_PIT_NOT, model->now_ms);
		crossing(model, car);
	} else {
		model->api->seen(model->field, car->number, model->now_ms);
	}
}

/* IMSA: a crossing of any line, by car number. Cars that nobody entered are not made up. */
static bool apply_line(struct rm_model *model, const struct rm_record *r)
{
	if (r->count < 3) {
		return false;
	}
	model->has_pits = true;
	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		const struct rm_car *car = model->cars[i];

		if (car != NULL && strcmp(car->num, r->field[0]) == 0) {
			cross_line(model, car, r->field[2]);
		}
	}
	return true;
}

bool rm_apply_record(struct rm_model *model, const struct rm_record *r)
{
	switch (r->kind) {
	case RM_HEARTBEAT:
		return apply_heartbeat(model, r);
	case RM_COMPETITOR:
	case RM_COMPETITOR_DETAIL:
		return apply_competitor(model, r);
	case RM_RUN:
		return apply_run(model, r);
	case RM_CLASS:
		return apply_class(model, r);
	case RM_SETTING:
		return apply_setting(model, r);
	case RM_RACE_ORDER:
		return apply_race_order(model, r);
	case RM_BEST_ORDER:
		return apply_best_order(model, r);
	case RM_INIT:
		rm_begin_hold(model);
		return true;
	case RM_PASSING:
		return apply_passing(model, r);
	case RM_CORRECTION:
		return apply_correction(model, r);
	case RM_LINE:
		return apply_line(model, r);
	case RM_TRACK:
		return true; /* sections: nothing of them is shown */
	}
	return true;
}
