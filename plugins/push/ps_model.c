#include "ps_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a sender said of a car last: only what is new counts. */
struct kept {
	bool is_used, is_listed;
	int64_t laps, last_ms, best_ms, best_lap, total_ms, in_pits;
	int64_t sector[PS_SECTORS_MAX];
	struct ps_gap gap, interval;
	struct ps_value own[PS_OWN_MAX];
};

struct ps_model {
	struct ps_opts opts;
	struct lt_field *field;
	struct ps_columns columns;
	struct kept cars[PS_CARS_MAX];
	size_t car_count;
	char session_id[PS_TEXT_MAX + 1], series[PS_TEXT_MAX + 1], description[PS_TEXT_MAX + 1];
	uint32_t flag;
	int64_t laps_remain;
	bool stands; /* the clocks do not run */
	char track_names[PS_TRACK_MAX][PS_TEXT_MAX + 1],
			track_values[PS_TRACK_MAX][PS_TEXT_MAX + 1];
	size_t track_count;
	struct ps_message message;
};

struct ps_model *ps_model_create(const struct ps_opts *opts)
{
	struct ps_model *model = calloc(1, sizeof(*model));
	struct lt_field_opts field = { .size = sizeof(field) };

	if (model == NULL) {
		return NULL;
	}
	model->opts = *opts;
	field.kind = LT_FIELD_RACE;
	field.sectors = opts->sectors;
	field.cars_max = PS_CARS_MAX;
	field.pit_settle_ms = opts->pit_settle_ms;
	model->field = opts->field->open(&field);
	model->laps_remain = -1;
	ps_default_columns(&model->columns, opts->sectors);
	if (model->field == NULL) {
		free(model);
		return NULL;
	}
	return model;
}

void ps_model_destroy(struct ps_model *model)
{
	if (model != NULL) {
		model->opts.field->close(model->field);
		free(model);
	}
}

static bool is_said(int64_t value)
{
	return value != PS_ABSENT;
}

/* True: it is another text than before. */
static bool keep_text(char *to, size_t size, struct lt_str text)
{
	char before[PS_TEXT_MAX + 1];

	if (text.p == NULL) {
		return false;
	}
	snprintf(before, sizeof(before), "%s", to);
	snprintf(to, size, "%.*s", (int)text.n, text.p);
	return strcmp(before, to) != 0;
}

/* --- session --- */

static void forget_results(struct kept *kept)
{
	kept->laps = kept->last_ms = kept->best_ms = kept->best_lap = PS_ABSENT;
	kept->total_ms = kept->in_pits = PS_ABSENT;
	memset(&kept->gap, 0, sizeof(kept->gap));
	memset(&kept->interval, 0, sizeof(kept->interval));
	for (size_t i = 0; i < PS_SECTORS_MAX; i++) {
		kept->sector[i] = LT_NO_TIME;
	}
}

static void begin_session(struct ps_model *model, int64_t now_ms)
{
	model->opts.field->clear(model->field, 1);
	model->opts.field->set_over(model->field, 0);
	model->opts.field->set_flag(model->field, LT_FLAG_NONE, now_ms);
	model->flag = LT_FLAG_NONE;
	model->laps_remain = -1;
	for (size_t i = 0; i < PS_CARS_MAX; i++) {
		forget_results(&model->cars[i]);
	}
}

static void set_clock(struct ps_model *model, uint32_t which, int64_t said_ms, int64_t now_ms)
{
	const struct lt_field_ext *field = model->opts.field;
	/* Another pace for a clock that goes on from where it is. */
	int64_t ms = is_said(said_ms) ? said_ms : field->clock(model->field, which, now_ms);

	field->set_clock(model->field, which, ms, !model->stands, now_ms);
}

static void apply_session(struct ps_model *model, int64_t now_ms, struct ps_change *change)
{
	const struct ps_session *session = &model->message.session;
	const struct lt_field_ext *field = model->opts.field;
	bool had_id = model->session_id[0] != '\0';

	if (keep_text(model->session_id, sizeof(model->session_id), session->id) && had_id) {
		change->is_new_session = true;
		begin_session(model, now_ms);
	}
	change->is_redescribed |= keep_text(model->series, sizeof(model->series), session->series);
	change->is_redescribed |= keep_text(
			model->description, sizeof(model->description), session->description);
	if (is_said(session->kind)) {
		field->set_kind(model->field, (uint32_t)session->kind);
	}
	if (is_said(session->flag)) {
		model->flag = (uint32_t)session->flag;
		field->set_flag(model->field, model->flag, now_ms);
	}
	if (is_said(session->runs)) {
		model->stands = session->runs == 0;
	}
	if (is_said(session->laps_remain)) {
		model->laps_remain = session->laps_remain == PS_NULL ? -1 : session->laps_remain;
	}
	if (is_said(session->over)) {
		field->set_over(model->field, session->over != 0);
		model->stands = model->stands || session->over != 0;
	}
	if (is_said(session->elapsed_ms) || is_said(session->runs) || is_said(session->over)) {
		set_clock(model, LT_CLOCK_ELAPSED, session->elapsed_ms, now_ms);
	}
	if (is_said(session->remain_ms) || is_said(session->runs) || is_said(session->over)) {
		set_clock(model, LT_CLOCK_REMAIN, session->remain_ms, now_ms);
	}
}

static void apply_track(struct ps_model *model, struct ps_change *change)
{
	const struct ps_message *message = &model->message;

	if (!message->has_track) {
		return;
	}
	change->is_redescribed |= message->track_count != model->track_count;
	model->track_count = message->track_count;
	for (size_t i = 0; i < message->track_count; i++) {
		struct lt_str value = message->track[i].value;

		change->is_redescribed |= keep_text(model->track_names[i],
				sizeof(model->track_names[i]), message->track[i].name);
		keep_text(model->track_values[i], sizeof(model->track_values[i]),
				value.p != NULL ? value : lt_text_n("", 0));
	}
}

static bool is_same_column(const struct ps_column *a, const struct ps_column *b)
{
	return a->source == b->source && a->type == b->type && strcmp(a->title, b->title) == 0 &&
			strcmp(a->description, b->description) == 0;
}

static void apply_columns(struct ps_model *model, struct ps_change *change)
{
	const struct ps_columns *columns = &model->message.columns;
	bool is_same = columns->n == model->columns.n;

	if (!model->message.has_columns) {
		return;
	}
	for (size_t i = 0; is_same && i < columns->n; i++) {
		is_same = is_same_column(&columns->at[i], &model->columns.at[i]);
	}
	if (!is_same) {
		change->is_redescribed = true;
		model->columns = *columns;
		for (size_t i = 0; i < PS_CARS_MAX; i++) {
			memset(model->cars[i].own, 0, sizeof(model->cars[i].own));
		}
	}
}

/* --- cars --- */

/* A time that vanished begins a new lap: those that are left are of that one. */
static void apply_sectors(struct ps_model *model, int32_t number, struct kept *kept,
		const struct ps_car *car, int64_t now_ms)
{
	bool is_new_lap = false;

	for (size_t i = 0; i < car->sector_count; i++) {
		is_new_lap = is_new_lap ||
				(car->sector[i] == LT_NO_TIME && kept->sector[i] != LT_NO_TIME);
	}
	for (size_t i = 0; i < car->sector_count; i++) {
		if (car->sector[i] != LT_NO_TIME &&
				(is_new_lap || car->sector[i] != kept->sector[i])) {
			model->opts.field->sector(model->field, number, (uint32_t)i + 1,
					car->sector[i], LT_NO_TIME, now_ms);
		}
		kept->sector[i] = car->sector[i];
	}
	for (size_t i = car->sector_count; car->sector_count > 0 && i < PS_SECTORS_MAX; i++) {
		kept->sector[i] = LT_NO_TIME;
	}
}

/* A lap whose race time nobody says ended when we heard of it. */
static int64_t total_of(const struct ps_model *model, const struct ps_car *car, bool is_crossing,
		const struct kept *kept, int64_t now_ms)
{
	if (is_said(car->total_ms)) {
		return car->total_ms;
	}
	if (is_crossing) {
		return model->opts.field->clock(model->field, LT_CLOCK_ELAPSED, now_ms);
	}
	return is_said(kept->total_ms) ? kept->total_ms : LT_NO_TIME;
}

static void apply_laps(struct ps_model *model, int32_t number, struct kept *kept,
		const struct ps_car *car, int64_t now_ms)
{
	const struct lt_field_ext *field = model->opts.field;
	bool had_laps = is_said(kept->laps);
	int64_t laps = is_said(car->laps) && car->laps != PS_NULL ? car->laps : kept->laps;
	bool is_crossing = had_laps && laps > kept->laps;
	bool is_time_new = is_said(car->last_ms) && car->last_ms != kept->last_ms;
	bool is_total_new = is_said(car->total_ms) && car->total_ms != kept->total_ms;
	struct lt_field_lap lap = { .size = sizeof(lap), .lap_ms = LT_NO_TIME };

	if (is_said(laps) && laps > 0 && (laps != kept->laps || is_total_new)) {
		lap.lap = (int32_t)laps;
		lap.total_ms = total_of(model, car, is_crossing, kept, now_ms);
		if (is_said(car->last_ms) && (laps != kept->laps || is_time_new)) {
			lap.lap_ms = car->last_ms;
		}
		if (is_crossing) {
			field->lap(model->field, number, &lap, now_ms);
		} else {
			field->set_lap(model->field, number, &lap);
		}
		kept->total_ms = lap.total_ms;
	} else if (is_time_new) {
		field->set_last(model->field, number, car->last_ms);
	}
	kept->laps = laps;
	kept->last_ms = is_said(car->last_ms) ? car->last_ms : kept->last_ms;
	if (is_said(car->best_ms) &&
			(car->best_ms != kept->best_ms ||
					(is_said(car->best_lap) &&
							car->best_lap != kept->best_lap))) {
		field->set_best(model->field, number,
				is_said(car->best_lap) && car->best_lap != PS_NULL
						? (int32_t)car->best_lap
						: 0,
				car->best_ms);
		kept->best_ms = car->best_ms;
		kept->best_lap = car->best_lap;
	}
}

static void apply_standing(struct ps_model *model, int32_t number, struct kept *kept,
		const struct ps_car *car, int64_t now_ms)
{
	const struct lt_field_ext *field = model->opts.field;

	if (is_said(car->in_pits) && car->in_pits != kept->in_pits) {
		field->pit(model->field, number, car->in_pits != 0, now_ms);
		kept->in_pits = car->in_pits;
	}
	if (is_said(car->pits)) {
		field->set_pits(model->field, number,
				car->pits == PS_NULL ? 0 : (int32_t)car->pits);
	}
	if (is_said(car->state)) {
		field->set_state(model->field, number, (uint32_t)car->state);
	}
	if (is_said(car->position)) {
		field->set_position(model->field, number,
				car->position == PS_NULL ? 0 : (int32_t)car->position);
	}
	if (car->gap.is_said || car->interval.is_said) {
		kept->gap = car->gap.is_said ? car->gap : kept->gap;
		kept->interval = car->interval.is_said ? car->interval : kept->interval;
		field->set_gap(model->field, number, kept->gap.is_given ? &kept->gap.gap : NULL,
				kept->interval.is_given ? &kept->interval.gap : NULL);
	}
}

static void keep_value(
		const struct ps_model *model, struct ps_value *to, const struct lt_value *value)
{
	const struct lt_json_ext *json = model->opts.json;
	struct lt_str text = json->text(value);
	uint32_t kind = json->kind(value);

	memset(to, 0, sizeof(*to));
	to->kind = kind == LT_VALUE_NULL ? LT_VALUE_NONE : kind;
	to->number = json->number(value);
	snprintf(to->text, sizeof(to->text), "%.*s", (int)text.n, text.p);
}

static void apply_values(const struct ps_model *model, struct kept *kept, const struct ps_car *car)
{
	const struct lt_value *value = model->opts.json->first(car->values);

	for (; value != NULL; value = model->opts.json->next(value)) {
		struct lt_str title = model->opts.json->name(value);

		for (size_t i = 0; i < model->columns.n; i++) {
			const struct ps_column *column = &model->columns.at[i];

			if (column->source >= PS_OWN && strlen(column->title) == title.n &&
					memcmp(column->title, title.p, title.n) == 0) {
				keep_value(model, &kept->own[column->source - PS_OWN], value);
			}
		}
	}
}

static void remove_car(struct ps_model *model, int32_t number)
{
	model->opts.field->remove(model->field, number);
	if (model->cars[number].is_used) {
		model->car_count--;
	}
	memset(&model->cars[number], 0, sizeof(model->cars[number]));
}

/* All laps of a car were taken back: the same car, without results. Its number, perhaps a new one.
 */
static int32_t begin_again(
		struct ps_model *model, int32_t number, struct lt_str num, int64_t now_ms)
{
	const struct lt_field_ext *field = model->opts.field;
	struct lt_field_row row = { .size = sizeof(row) };
	char texts[LT_TEXT_COUNT][PS_TEXT_MAX + 1] = { 0 };
	struct kept kept = model->cars[number];
	int32_t again;

	field->order(model->field, now_ms);
	for (size_t i = 0; field->row(model->field, i, &row) == 0; i++) {
		for (size_t t = 0; row.car == number && t < LT_TEXT_COUNT; t++) {
			snprintf(texts[t], sizeof(texts[t]), "%.*s", (int)row.text[t].n,
					row.text[t].p);
		}
	}
	remove_car(model, number);
	again = field->car(model->field, num);
	if (again < 0 || again >= PS_CARS_MAX) {
		return LT_NO_CAR;
	}
	for (uint32_t t = 0; t < LT_TEXT_COUNT; t++) {
		field->set_text(model->field, again, t, lt_text_n(texts[t], strlen(texts[t])));
	}
	forget_results(&kept);
	model->cars[again] = kept;
	model->car_count++;
	return again;
}

static void apply_car(struct ps_model *model, const struct ps_car *car, int64_t now_ms)
{
	const struct lt_field_ext *field = model->opts.field;
	int32_t number = field->find(model->field, car->num);
	struct kept *kept;

	if (car->removed == 1) {
		if (number >= 0 && number < PS_CARS_MAX) {
			remove_car(model, number);
		}
		return;
	}
	number = number == LT_NO_CAR ? field->car(model->field, car->num) : number;
	if (number >= 0 && number < PS_CARS_MAX && car->laps == 0 && model->cars[number].laps > 0) {
		number = begin_again(model, number, car->num, now_ms);
	}
	if (number < 0 || number >= PS_CARS_MAX) {
		return;
	}
	kept = &model->cars[number];
	if (!kept->is_used) {
		memset(kept, 0, sizeof(*kept));
		forget_results(kept);
		kept->is_used = true;
		model->car_count++;
		field->set_text(model->field, number, LT_TEXT_NUM, car->num);
	}
	kept->is_listed = true;
	for (uint32_t i = 0; i < LT_TEXT_COUNT; i++) {
		if (car->text[i].p != NULL) {
			field->set_text(model->field, number, i, car->text[i]);
		}
	}
	apply_sectors(model, number, kept, car, now_ms);
	apply_laps(model, number, kept, car, now_ms);
	apply_standing(model, number, kept, car, now_ms);
	apply_values(model, kept, car);
}

/* A full update has all cars: the others are gone. */
static void apply_cars(struct ps_model *model, int64_t now_ms)
{
	const struct ps_message *message = &model->message;

	for (size_t i = 0; i < PS_CARS_MAX; i++) {
		model->cars[i].is_listed = false;
	}
	if (message->is_full) { /* first, so that there is room */
		for (size_t i = 0; i < message->car_count; i++) {
			int32_t number =
					model->opts.field->find(model->field, message->cars[i].num);

			if (number >= 0 && number < PS_CARS_MAX) {
				model->cars[number].is_listed = true;
			}
		}
		for (int32_t i = 0; i < PS_CARS_MAX; i++) {
			if (model->cars[i].is_used && !model->cars[i].is_listed) {
				remove_car(model, i);
			}
		}
	}
	for (size_t i = 0; i < message->car_count; i++) {
		apply_car(model, &message->cars[i], now_ms);
	}
}

/* Cars that are new must have room, or nothing of the message counts. */
static bool has_room(struct ps_model *model)
{
	struct ps_message *message = &model->message;
	size_t cars = message->is_full ? 0 : model->car_count;

	for (size_t i = 0; i < message->car_count; i++) {
		const struct ps_car *car = &message->cars[i];

		cars += car->removed != 1 &&
				(message->is_full ||
						model->opts.field->find(model->field, car->num) ==
								LT_NO_CAR);
		if (cars > PS_CARS_MAX) {
			snprintf(message->error, sizeof(message->error),
					"cars[%zu]: there are %d cars already", i, PS_CARS_MAX);
			return false;
		}
	}
	return true;
}

bool ps_model_push(struct ps_model *model, const struct lt_value *value, int64_t now_ms,
		struct ps_change *ret_change)
{
	memset(ret_change, 0, sizeof(*ret_change));
	if (!ps_read(model->opts.json, value, &model->columns, &model->message) ||
			!has_room(model)) {
		return false;
	}
	apply_columns(model, ret_change);
	apply_session(model, now_ms, ret_change);
	apply_track(model, ret_change);
	apply_cars(model, now_ms);
	return true;
}

const char *ps_model_error(const struct ps_model *model)
{
	return model->message.error;
}

const struct ps_message *ps_model_message(const struct ps_model *model)
{
	return &model->message;
}

/* --- view --- */

struct ps_view ps_model_view(struct ps_model *model, int64_t now_ms)
{
	struct ps_view view = { .series = model->series,
		.description = model->description,
		.flag = model->flag,
		.laps_remain = model->laps_remain,
		.columns = &model->columns,
		.track_count = model->track_count };

	view.runs = !model->stands &&
			model->opts.field->clock(model->field, LT_CLOCK_ELAPSED, now_ms) !=
					LT_NO_TIME;
	for (size_t i = 0; i < model->track_count; i++) {
		view.track_names[i] = model->track_names[i];
		view.track_values[i] = model->track_values[i];
	}
	model->opts.field->order(model->field, now_ms);
	return view;
}

struct lt_field *ps_model_field(struct ps_model *model)
{
	return model->field;
}

size_t ps_model_cars(const struct ps_model *model)
{
	return model->car_count;
}

const struct ps_value *ps_model_value(const struct ps_model *model, int32_t car, uint32_t own)
{
	static const struct ps_value none;

	return car >= 0 && car < PS_CARS_MAX && own < PS_OWN_MAX ? &model->cars[car].own[own]
								 : &none;
}
