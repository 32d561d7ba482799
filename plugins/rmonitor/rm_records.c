/* What each record does to the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rm_model_int.h"

#define NO_SESSION_RUN     95
#define NOT_LAP_LIMITED    9999
#define PLACEHOLDER_MS     3599999 /* 00:59:59.999 */
#define PLACEHOLDER_TOP_MS 3599000 /* 00:59:59 in $F */
#define FINISH_SLACK_MS    1500    /* $F comes once a second, so the flag can trail the leader */

static bool is_race(const struct rm_model *model)
{
	return rm_is_race(model->opts.kind, model->description);
}

/* A car has crossed start/finish, or must have: its lap count grew. */
static void crossing(struct rm_model *model, struct rm_car *car)
{
	car->crossed_ms = model->now_ms;
	car->crossed_green_ms = model->green_ms;
	if (model->flag == RM_FLAG_FINISH && !model->holding) {
		if (!is_race(model) || rm_leader(model) == car) {
			model->finish_open = true;
		}
		car->finished = car->finished || model->finish_open;
	}
}

static bool apply_heartbeat(struct rm_model *model, const struct rm_record *r)
{
	int32_t laps = rm_number(r->field[0]);
	int64_t remain = rm_time_ms(r->field[1]), elapsed = rm_time_ms(r->field[3]);
	enum rm_flag flag = rm_flag_of(r->field[4]);
	bool begins_finish = flag == RM_FLAG_FINISH && model->flag != RM_FLAG_FINISH;
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
	if (begins_finish) {
		const struct rm_car *leader = rm_leader(model);
		struct rm_car *car = leader != NULL ? rm_find_car(model, leader->reg) : NULL;

		if (car != NULL && car->crossed_ms >= 0 &&
				model->now_ms - car->crossed_ms <= FINISH_SLACK_MS) {
			model->finish_open = car->finished = true;
		}
	}
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
		model->is_over = true;
		if (!model->has_session) {
			rm_name_set(model->description, description);
		}
		return true;
	}
	if (model->has_session &&
			(run != model->run || strcmp(description, model->description) != 0)) {
		rm_begin_session(model);
	}
	model->has_session = true;
	model->is_over = false;
	model->run = run;
	rm_name_set(model->description, description);
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

/* Keep the lap that a $G confirms; laps beyond it were edited away. */
static void keep_lap(struct rm_car *car, int32_t laps, int64_t total_ms)
{
	struct rm_lap *lap;

	if (laps <= 0 || laps > RM_LAPS_MAX) {
		return;
	}
	if (laps >= car->history_size) {
		int32_t size = laps + 32;
		struct rm_lap *grown = realloc(car->history, (size_t)size * sizeof(*grown));

		if (grown == NULL) {
			return;
		}
		car->history = grown;
		for (; car->history_size < size; car->history_size++) {
			grown[car->history_size] = (struct rm_lap){ -1, -1, RM_FLAG_NONE };
		}
	}
	for (int32_t i = laps + 1; i < car->history_size; i++) {
		car->history[i] = (struct rm_lap){ -1, -1, RM_FLAG_NONE };
	}
	lap = &car->history[laps];
	lap->total_ms = total_ms;
	if (car->pending_lap_ms >= 0) {
		lap->lap_ms = car->pending_lap_ms;
		lap->flag = car->pending_flag;
		car->pending_lap_ms = -1;
	}
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
	keep_lap(car, laps, car->total_ms);
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
		car->last_ms = car->pending_lap_ms = lap;
		car->pending_flag = model->flag;
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
	if (laps == car->laps) {
		keep_lap(car, laps, total);
	}
	snprintf(text, sizeof(text), "#%.60s time corrected by %c%d.%03d s", car->num,
			by < 0 ? '-' : '+', (int)(size / 1000), (int)(size % 1000));
	rm_say(model, car->num, text);
	return true;
}

/* IMSA: a crossing of any line, by car number. Cars that nobody entered are not made up. */
static bool apply_line(struct rm_model *model, const struct rm_record *r)
{
	const char *name = r->field[2];
	bool in = strcmp(name, "PIP") == 0 || strcmp(name, "PIT") == 0 || strcmp(name, "SFP") == 0;
	bool out = strcmp(name, "POP") == 0 || strcmp(name, "POT") == 0;

	if (r->count < 3) {
		return false;
	}
	model->has_pits = true;
	for (size_t i = 0; i < model->car_count; i++) {
		struct rm_car *car = model->cars[i];

		if (strcmp(car->num, r->field[0]) != 0) {
			continue;
		}
		if (in) {
			car->pits += !car->in_pits;
			car->in_pits = true;
			car->is_out = false;
		} else if (out) {
			car->in_pits = false;
			car->is_out = true;
		} else if (strcmp(name, "SFT") == 0) {
			car->in_pits = car->is_out = false;
		}
		car->crossed_green_ms = model->green_ms;
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
