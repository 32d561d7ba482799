#include "rm_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rm_model_int.h"

#define NO_SESSION_RUN     95
#define NOT_LAP_LIMITED    9999
#define PLACEHOLDER_MS     3599999 /* 00:59:59.999 */
#define PLACEHOLDER_TOP_MS 3599000 /* 00:59:59 in $F */
#define QUIET_MS           250
#define LATEST_MS          1000
#define REFRESH_QUIET_MS   1000
#define REFRESH_LATEST_MS  3000
#define FINISH_SLACK_MS    1500 /* $F comes once a second, so the flag can trail the leader */

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

static struct rm_car *find_car(const struct rm_model *model, const char *reg)
{
	for (size_t i = 0; i < model->car_count; i++) {
		if (strcmp(model->cars[i]->reg, reg) == 0) {
			return model->cars[i];
		}
	}
	return NULL;
}

/* The car with this registration number, made when new; NULL: no such car can be. */
static struct rm_car *need_car(struct rm_model *model, const char *text)
{
	char reg[RM_NAME_LEN];
	struct rm_car *car;

	rm_name_set(reg, text);
	car = find_car(model, reg);
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

/* A record of a refresh: the first one about a car after $I replaces its old results. */
static void refresh_car(struct rm_model *model, struct rm_car *car)
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

static void say(struct rm_model *model, const char *num, const char *text)
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
		struct rm_car *car = leader != NULL ? find_car(model, leader->reg) : NULL;

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
	struct rm_car *car = need_car(model, r->field[0]);

	if (car == NULL) {
		return false;
	}
	refresh_car(model, car);
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

static void begin_session(struct rm_model *model)
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
		begin_session(model);
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

	if (pos < 0 || laps < 0 || total < 0 || (car = need_car(model, r->field[1])) == NULL) {
		return false;
	}
	laps = negative ? -laps : laps;
	/* A $J has said so already, unless it was missed. */
	crossed = laps > car->laps && car->pending_lap_ms < 0;
	refresh_car(model, car);
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

	if (pos < 0 || lap < 0 || best < 0 || (car = need_car(model, r->field[1])) == NULL) {
		return false;
	}
	refresh_car(model, car);
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
			(car = need_car(model, r->field[0])) == NULL) {
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

	if (total < 0 || laps < 0 || (car = need_car(model, r->field[0])) == NULL) {
		return false;
	}
	car->total_ms = total;
	if (laps == car->laps) {
		keep_lap(car, laps, total);
	}
	snprintf(text, sizeof(text), "#%.60s time corrected by %c%d.%03d s", car->num,
			by < 0 ? '-' : '+', (int)(size / 1000), (int)(size % 1000));
	say(model, car->num, text);
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

static int32_t most_laps(const struct rm_model *model)
{
	int32_t most = 0;

	for (size_t i = 0; i < model->car_count; i++) {
		most = model->cars[i]->laps > most ? model->cars[i]->laps : most;
	}
	return most;
}

static bool apply_init(struct rm_model *model)
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
	return true;
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
		begin_session(model);
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
	bool good = true;

	pass_time(model, now_ms);
	switch (r->kind) {
	case RM_HEARTBEAT:
		good = apply_heartbeat(model, r);
		break;
	case RM_COMPETITOR:
	case RM_COMPETITOR_DETAIL:
		good = apply_competitor(model, r);
		break;
	case RM_RUN:
		good = apply_run(model, r);
		break;
	case RM_CLASS:
		good = apply_class(model, r);
		break;
	case RM_SETTING:
		good = apply_setting(model, r);
		break;
	case RM_RACE_ORDER:
		good = apply_race_order(model, r);
		break;
	case RM_BEST_ORDER:
		good = apply_best_order(model, r);
		break;
	case RM_INIT:
		good = apply_init(model);
		break;
	case RM_PASSING:
		good = apply_passing(model, r);
		break;
	case RM_CORRECTION:
		good = apply_correction(model, r);
		break;
	case RM_LINE:
		good = apply_line(model, r);
		break;
	case RM_TRACK:
		break; /* sections: nothing of them is shown */
	}
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
	const struct rm_car *car = find_car(model, reg);

	return car != NULL && lap > 0 && lap < car->history_size ? &car->history[lap] : NULL;
}
