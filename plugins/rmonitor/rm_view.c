#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rm_model_int.h"

#define STOP_AFTER_MS 180000

const struct rm_car *rm_leader(const struct rm_model *model)
{
	const struct rm_car *leader = NULL;

	for (size_t i = 0; i < model->car_count; i++) {
		const struct rm_car *car = model->cars[i];

		if (car->race_pos > 0 && (leader == NULL || car->race_pos < leader->race_pos)) {
			leader = car;
		}
	}
	return leader;
}

/* IMSA: during a race the nationality of $COMP is the car's status. */
static bool is_retired(const struct rm_car *car)
{
	return strcasecmp(car->nationality, "Retired") == 0 ||
			strcasecmp(car->nationality, "Excluded") == 0;
}

/*
 * What became of a car that was not seen to take the flag, when all is over:
 * in a race whose finish was seen it stopped somewhere. In practice many cars
 * are in the paddock by then, and a finish that was not seen proves nothing.
 */
static bool did_not_finish(const struct rm_model *model)
{
	return model->finish_open && rm_is_race(model->opts.kind, model->description);
}

enum rm_car_state rm_state_of(const struct rm_model *model, const struct rm_car *car)
{
	int64_t limit = car->last_ms * 22 / 10;

	if (is_retired(car)) {
		return RM_STATE_RET;
	}
	if (car->finished) {
		return RM_STATE_FIN;
	}
	if (car->in_pits) {
		return RM_STATE_PIT;
	}
	limit = limit > STOP_AFTER_MS ? limit : STOP_AFTER_MS;
	if (model->green_ms - car->crossed_green_ms > limit) {
		return RM_STATE_STOP;
	}
	if (model->is_over && model->has_session) {
		return did_not_finish(model) ? RM_STATE_STOP : RM_STATE_FIN;
	}
	return car->is_out ? RM_STATE_OUT : RM_STATE_RUN;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* By position, unknown last; ties by laps, total time, registration number. */
static int compare(const struct rm_car *a, const struct rm_car *b, bool race)
{
	int32_t a_pos = race ? a->race_pos : a->best_pos, b_pos = race ? b->race_pos : b->best_pos;
	int order = compare_numbers(a_pos == 0 ? INT32_MAX : a_pos, b_pos == 0 ? INT32_MAX : b_pos);

	if (order == 0) {
		order = compare_numbers(b->laps, a->laps);
	}
	if (order == 0) {
		order = compare_numbers(a->total_ms < 0 ? INT64_MAX : a->total_ms,
				b->total_ms < 0 ? INT64_MAX : b->total_ms);
	}
	return order != 0 ? order : strcmp(a->reg, b->reg);
}

static int compare_in_race(const void *a, const void *b)
{
	const struct rm_car *const *left = a, *const *right = b;

	return compare(*left, *right, true);
}

static int compare_in_practice(const void *a, const void *b)
{
	const struct rm_car *const *left = a, *const *right = b;

	return compare(*left, *right, false);
}

static int64_t total_at(const struct rm_car *car, int32_t lap)
{
	if (lap == car->laps) {
		return car->total_ms;
	}
	return lap > 0 && lap < car->history_size ? car->history[lap].total_ms : -1;
}

/*
 * Distance to a car in front, in a race. A car that has not yet crossed is not
 * a lap down: compare at its last lap, and count the laps by which the other
 * was ahead at that moment.
 */
static struct rm_gap race_gap(
		const struct rm_model *model, const struct rm_car *car, const struct rm_car *front)
{
	struct rm_gap gap = { -1, 0 };
	int32_t behind = front->laps - car->laps;
	int64_t front_ms = total_at(front, car->laps);
	enum rm_car_state state = rm_state_of(model, car);
	bool moves = !model->is_over &&
			(state == RM_STATE_RUN || state == RM_STATE_PIT || state == RM_STATE_OUT);

	if (car->laps == 0 && behind == 0) {
		return gap;
	}
	if (behind > 0 && (!moves || front_ms < 0 || car->total_ms < 0)) {
		gap.laps = behind;
		return gap;
	}
	if (front_ms < 0 || car->total_ms < 0 || behind < 0) {
		return gap;
	}
	for (int32_t lap = car->laps + 1; lap <= front->laps; lap++) {
		int64_t ms = total_at(front, lap);

		gap.laps += ms >= 0 && ms <= car->total_ms;
	}
	/* More than the lap that it is on: it lost laps since its last crossing. */
	if (gap.laps < behind - 1) {
		gap.laps = behind - 1;
	}
	if (gap.laps == 0 && car->total_ms >= front_ms) {
		gap.ms = car->total_ms - front_ms;
	}
	return gap;
}

static struct rm_gap best_gap(const struct rm_car *car, const struct rm_car *front)
{
	struct rm_gap gap = { -1, 0 };

	if (car->best_ms >= 0 && front->best_ms >= 0 && car->best_ms >= front->best_ms) {
		gap.ms = car->best_ms - front->best_ms;
	}
	return gap;
}

static const char *class_name(const struct rm_model *model, int32_t no)
{
	for (size_t i = 0; i < model->class_count; i++) {
		if (model->classes[i].no == no) {
			return model->classes[i].name;
		}
	}
	return "";
}

static void fill_row(const struct rm_model *model, const struct rm_car *car, int64_t session_best,
		struct rm_row *row)
{
	row->reg = car->reg;
	row->num = car->num;
	row->class_name = class_name(model, car->class_no);
	row->driver = car->driver;
	row->nationality = is_retired(car) ? "" : car->nationality;
	row->additional = car->additional;
	row->state = rm_state_of(model, car);
	row->laps = car->laps;
	row->pits = car->pits;
	row->best_lap = car->best_lap;
	row->total_ms = car->total_ms;
	row->last_ms = car->last_ms;
	row->best_ms = car->best_ms;
	row->best_mark = car->best_ms >= 0 && car->best_ms == session_best ? RM_MARK_SB
									   : RM_MARK_NONE;
	row->last_mark = RM_MARK_NONE;
	if (car->last_ms >= 0 && car->last_ms == car->best_ms) {
		row->last_mark = car->last_ms == session_best ? RM_MARK_SB_NEW : RM_MARK_PB;
	}
}

static void fill_session(const struct rm_model *model, struct rm_view *view)
{
	view->description = model->description;
	view->track_name = model->track_name;
	view->track_length = model->track_length;
	view->flag_text = model->flag_text;
	view->run = model->run;
	view->is_over = model->is_over;
	view->is_race = rm_is_race(model->opts.kind, model->description);
	view->has_pits = model->has_pits;
	view->has_entries = model->has_entries;
	view->flag = model->flag;
	view->elapsed_ms = model->elapsed_ms;
	view->remain_ms = model->remain_ms;
	view->laps_remain = model->laps_remain;
}

const struct rm_view *rm_model_view(struct rm_model *model)
{
	struct rm_view *view = &model->view;
	const struct rm_car *order[RM_CARS_MAX];
	int64_t session_best = INT64_MAX;

	fill_session(model, view);
	view->row_count = model->car_count;
	for (size_t i = 0; i < model->car_count; i++) {
		order[i] = model->cars[i];
		if (order[i]->best_ms >= 0 && order[i]->best_ms < session_best) {
			session_best = order[i]->best_ms;
		}
	}
	if (model->car_count > 0) {
		qsort(order, model->car_count, sizeof(struct rm_car *),
				view->is_race ? compare_in_race : compare_in_practice);
	}
	for (size_t i = 0; i < model->car_count; i++) {
		struct rm_row *row = &view->rows[i];

		fill_row(model, order[i], session_best, row);
		row->pic = 1;
		for (size_t j = 0; j < i; j++) {
			row->pic += order[j]->class_no == order[i]->class_no;
		}
		row->gap = row->interval = (struct rm_gap){ -1, 0 };
		if (i > 0) {
			row->gap = view->is_race ? race_gap(model, order[i], order[0])
						 : best_gap(order[i], order[0]);
			row->interval = view->is_race ? race_gap(model, order[i], order[i - 1])
						      : best_gap(order[i], order[i - 1]);
		}
	}
	return view;
}
