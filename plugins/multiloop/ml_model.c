#include "ml_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ml_model_int.h"

#define PUBLISH_AFTER_MS 250 /* a crossing is several lines: they go out together */

static void forget_run(struct ml_model *model)
{
	memset(model->cars, 0, sizeof(model->cars));
	model->event[0] = model->run[0] = model->run_type = model->status = '\0';
	model->run_start_s = 0;
	model->elapsed_ms = model->laps_to_go = model->section_offset_ms = 0;
	model->was_timed = model->was_lap_limited = model->has_speed = model->has_moved = false;
	model->green_ms = model->yellow_ms = model->red_ms = -1;
	model->yellows = model->lead_changes = model->lead_index = 0;
	model->announcement_count = model->message_count = 0;
}

struct ml_model *ml_model_create(const struct ml_opts *opts)
{
	struct ml_model *model = calloc(1, sizeof(*model));
	struct lt_field_opts field = { .size = sizeof(field) };

	if (model == NULL) {
		return NULL;
	}
	model->opts = *opts;
	field.kind = LT_FIELD_RACE;
	field.sectors = opts->sectors;
	field.cars_max = ML_CARS_MAX;
	model->field = opts->field->open(&field);
	if (model->field == NULL) {
		free(model);
		return NULL;
	}
	model->length_miles = -1;
	model->dirty_from_ms = -1;
	forget_run(model);
	return model;
}

void ml_model_destroy(struct ml_model *model)
{
	if (model != NULL) {
		model->opts.field->close(model->field);
		free(model);
	}
}

void ml_decode(const struct ml_model *model, struct lt_str bytes, char *text, size_t size)
{
	text[0] = '\0';
	if (bytes.n > 0) {
		model->opts.text->decode(bytes, model->opts.encoding, text, size);
	}
}

void ml_say(struct ml_model *model, const struct ml_message *message)
{
	if (model->message_count == ML_MESSAGES_MAX) {
		model->message_head = (model->message_head + 1) % ML_MESSAGES_MAX;
		model->message_count--;
	}
	model->messages[(model->message_head + model->message_count++) % ML_MESSAGES_MAX] =
			*message;
}

bool ml_model_next_message(struct ml_model *model, struct ml_message *ret)
{
	if (model->message_count == 0) {
		return false;
	}
	*ret = model->messages[model->message_head];
	model->message_head = (model->message_head + 1) % ML_MESSAGES_MAX;
	model->message_count--;
	return true;
}

/* --- runs --- */

void ml_begin_run(struct ml_model *model)
{
	forget_run(model);
	model->opts.field->clear(model->field, 0);
	model->opts.field->set_flag(model->field, LT_FLAG_NONE, model->now_ms);
	model->opts.field->set_over(model->field, 0);
	model->new_session = true;
}

bool ml_model_take_new_session(struct ml_model *model)
{
	bool was = model->new_session;

	model->new_session = false;
	return was;
}

bool ml_is_race(const struct ml_model *model)
{
	/* Until $R has come, the usual preambles ("Q1", "P2") are a hint. */
	char hint = model->run_type != '\0' ? model->run_type : model->preamble[0];

	if (model->opts.kind != ML_KIND_AUTO) {
		return model->opts.kind == ML_KIND_RACE;
	}
	return hint != 'P' && hint != 'Q' && model->run_type != 'S';
}

/* --- lines --- */

static void count(struct ml_model *model, enum ml_result result)
{
	model->counts.records += result == ML_OK;
	model->counts.damaged += result == ML_DAMAGED;
	model->counts.ignored += result == ML_IGNORED;
	if (result == ML_OK && model->dirty_from_ms < 0) {
		model->dirty_from_ms = model->now_ms;
	}
}

static bool is_text(struct lt_str text, const char *other)
{
	return text.n == strlen(other) && memcmp(text.p, other, text.n) == 0;
}

static void keep_preamble(char *to, struct lt_str preamble)
{
	size_t n = preamble.n < ML_TEXT_LEN ? preamble.n : ML_TEXT_LEN - 1;

	memcpy(to, preamble.p, n);
	to[n] = '\0';
}

static void drop_held(struct ml_model *model)
{
	if (model->held_n > 0) {
		model->held_n = 0;
		count(model, ML_DAMAGED);
	}
}

static void apply_held(struct ml_model *model)
{
	size_t n = model->held_n;

	model->held_n = 0;
	keep_preamble(model->preamble,
			lt_text_n(model->next_preamble, strlen(model->next_preamble)));
	ml_begin_run(model);
	if (ml_parse(lt_text_n(model->held, n), model->opts.lead, &model->record) == ML_OK) {
		count(model, ml_apply(model));
	}
}

/* True: the record is of the run that goes on. False: it waits for another like it. */
static bool is_of_this_run(struct ml_model *model, struct lt_str line)
{
	struct lt_str preamble = model->record.preamble;

	preamble.n = preamble.n < ML_TEXT_LEN ? preamble.n : ML_TEXT_LEN - 1;
	if (preamble.n == 0) {
		return true;
	}
	if (model->preamble[0] == '\0') {
		keep_preamble(model->preamble, preamble);
	}
	if (is_text(preamble, model->preamble)) {
		drop_held(model);
		return true;
	}
	if (model->held_n > 0 && is_text(preamble, model->next_preamble)) {
		apply_held(model);
		return ml_parse(line, model->opts.lead, &model->record) == ML_OK;
	}
	drop_held(model);
	keep_preamble(model->next_preamble, preamble);
	model->held_n = line.n < sizeof(model->held) ? line.n : sizeof(model->held);
	memcpy(model->held, line.p, model->held_n);
	return false;
}

void ml_model_line(struct ml_model *model, struct lt_str line, int64_t now_ms, int64_t wall_s)
{
	enum ml_result result = line.n > ML_LINE_MAX
			? ML_DAMAGED
			: ml_parse(line, model->opts.lead, &model->record);

	model->now_ms = now_ms;
	model->wall_s = wall_s;
	if (result == ML_OK && !is_of_this_run(model, line)) {
		return;
	}
	count(model, result == ML_OK ? ml_apply(model) : result);
}

void ml_model_reconnected(struct ml_model *model)
{
	drop_held(model);
}

const struct ml_counts *ml_model_counts(const struct ml_model *model)
{
	return &model->counts;
}

/* --- view --- */

int64_t ml_model_due_ms(const struct ml_model *model)
{
	return model->dirty_from_ms < 0 ? ML_NEVER : model->dirty_from_ms + PUBLISH_AFTER_MS;
}

bool ml_model_take_due(struct ml_model *model, int64_t now_ms)
{
	if (ml_model_due_ms(model) > now_ms) {
		return false;
	}
	model->dirty_from_ms = -1;
	return true;
}

uint32_t ml_flag_of(const struct ml_model *model)
{
	switch (model->status) {
	case 'G':
		return LT_FLAG_GREEN;
	case 'Y':
		return model->opts.yellow;
	case 'R':
		return LT_FLAG_RED;
	case 'W':
		return LT_FLAG_WHITE;
	case 'K':
		return LT_FLAG_CHEQUERED;
	default: /* U, C: before and after a run */
		return LT_FLAG_NONE;
	}
}

/* Whether a car is in the table of which nobody said yet who it is. */
static bool is_waiting(const struct ml_model *model)
{
	bool has_cars = false;

	for (size_t i = 0; i < ML_CARS_MAX; i++) {
		has_cars = has_cars || model->cars[i].is_known;
		if (model->cars[i].is_known && !model->cars[i].shown.has_entry) {
			return true;
		}
	}
	return !has_cars;
}

struct ml_view ml_model_view(struct ml_model *model, int64_t now_ms)
{
	struct ml_view view = { .event = model->event,
		.run = model->run,
		.track = model->track,
		.venue = model->venue,
		.version = model->version,
		.length_miles = model->length_miles,
		.is_race = ml_is_race(model),
		.is_waiting = is_waiting(model),
		.has_speed = model->has_speed,
		.flag = ml_flag_of(model),
		.laps_remain = model->was_lap_limited ? model->laps_to_go : -1,
		.green_ms = model->green_ms,
		.yellow_ms = model->yellow_ms,
		.red_ms = model->red_ms,
		.yellows = model->yellows,
		.lead_changes = model->lead_changes };

	model->opts.field->set_kind(model->field, view.is_race ? LT_FIELD_RACE : LT_FIELD_TIMED);
	ml_set_positions(model);
	model->opts.field->order(model->field, now_ms);
	return view;
}

struct lt_field *ml_model_field(struct ml_model *model)
{
	return model->field;
}

const struct ml_car *ml_model_car(const struct ml_model *model, int32_t car)
{
	static const struct ml_car none;

	return car >= 0 && car < ML_CARS_MAX ? &model->cars[car].shown : &none;
}

void ml_model_set_yellow(struct ml_model *model, uint32_t flag, int64_t now_ms)
{
	model->opts.yellow = flag;
	model->opts.field->set_flag(model->field, ml_flag_of(model), now_ms);
	model->dirty_from_ms = model->dirty_from_ms < 0 ? now_ms : model->dirty_from_ms;
}
