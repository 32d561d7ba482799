/* Records about cars: entries, laps, sections, crossings. */
#include <string.h>
#include <strings.h>

#include "ml_model_int.h"

#define LATE_MS          600000 /* a line that is older than this is no late one: the clock was set */
#define SECTION_SLACK_MS 60000 /* a section's time may be of day: then it is far from elapsed */

static int64_t number(const struct ml_model *model, size_t field)
{
	return ml_hex(model->record.field[field]);
}

static int32_t small(int64_t value)
{
	return value > 0 && value < 1000000 ? (int32_t)value : 0;
}

static bool is_word(struct lt_str text, const char *word)
{
	return text.n == strlen(word) && strncasecmp(text.p, word, text.n) == 0;
}

static void set_text(struct ml_model *model, int32_t car, uint32_t what, struct lt_str bytes)
{
	char text[ML_TEXT_LEN * 3 + 1];

	ml_decode(model, bytes, text, sizeof(text));
	model->opts.field->set_text(model->field, car, what, lt_text_n(text, strlen(text)));
}

/* The car with a unique id, made when new; LT_NO_CAR: there is no room. */
static int32_t need_car(struct ml_model *model, struct lt_str id)
{
	int32_t car = model->opts.field->car(model->field, id);

	if (car < 0 || car >= ML_CARS_MAX) {
		return LT_NO_CAR;
	}
	if (!model->cars[car].is_known) {
		model->cars[car] = (struct ml_car_kept){
			.is_known = true, .lower_claim = -1, .void_total_ms = -1
		};
	}
	return car;
}

static int32_t known_car(const struct ml_model *model, struct lt_str id)
{
	int32_t car = model->opts.field->find(model->field, id);

	return car >= 0 && car < ML_CARS_MAX && model->cars[car].is_known ? car : LT_NO_CAR;
}

/* --- entries --- */

static void set_free_field(struct ml_model *model, int32_t car, uint32_t what, uint32_t which)
{
	if (which > 0 && which <= ml_hex(model->record.field[4])) {
		set_text(model, car, what, model->record.field[4 + which]);
	}
}

enum ml_result ml_apply_entry(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	int32_t car = need_car(model, field[1]);

	if (car == LT_NO_CAR) {
		return ML_IGNORED;
	}
	set_text(model, car, LT_TEXT_NUM, field[0]);
	set_text(model, car, LT_TEXT_DRIVER, field[2]);
	set_free_field(model, car, LT_TEXT_CLASS, model->opts.class_field);
	set_free_field(model, car, LT_TEXT_CAR, model->opts.car_field);
	set_free_field(model, car, LT_TEXT_TEAM, model->opts.team_field);
	model->cars[car].start = small(number(model, 3));
	model->cars[car].shown.has_entry = true;
	return ML_OK;
}

/* --- laps --- */

static uint32_t state_of(struct lt_str status)
{
	static const char *const words[] = { "retired", "dnf", "dns", "dsq", "dq", "disqualified",
		"excluded", "withdrawn" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_word(status, words[i])) {
			return LT_CAR_RET;
		}
	}
	return LT_CAR_AUTO; /* other texts are not documented */
}

static void set_pits(struct ml_model *model, int32_t car, bool is_in)
{
	struct ml_car_kept *kept = &model->cars[car];

	model->opts.field->pit(model->field, car, is_in, model->now_ms);
	kept->pits += is_in && !kept->in_pits;
	kept->in_pits = is_in;
}

/* No lap is left: the car begins anew, with its names. */
static void restart_car(struct ml_model *model, int32_t car)
{
	const struct lt_field_ext *f = model->opts.field;
	struct ml_car_kept kept = model->cars[car];
	char text[LT_TEXT_COUNT][ML_TEXT_LEN] = { { 0 } };
	struct lt_field_row row = { .size = sizeof(row) };
	int32_t again;

	f->order(model->field, model->now_ms);
	for (size_t i = 0; f->row(model->field, i, &row) == 0; i++) {
		for (size_t k = 0; row.car == car && k < LT_TEXT_COUNT; k++) {
			size_t n = row.text[k].n < ML_TEXT_LEN ? row.text[k].n : ML_TEXT_LEN - 1;

			memcpy(text[k], row.text[k].p, n);
		}
	}
	f->remove(model->field, car);
	model->cars[car] = (struct ml_car_kept){ 0 };
	again = need_car(model, model->record.field[model->record.command == 'C' ? 2 : 1]);
	if (again == LT_NO_CAR) {
		return;
	}
	kept.laps = 0;
	model->cars[again] = kept;
	for (uint32_t k = 0; k < LT_TEXT_COUNT; k++) {
		f->set_text(model->field, again, k, lt_text_n(text[k], strlen(text[k])));
	}
	f->set_pits(model->field, again, kept.pits);
}

/*
 * A count below the known one is an edit when it is said twice; once is a line
 * that came late. A lap that was invalidated does not come back by its repetition.
 */
static bool is_late(struct ml_car_kept *kept, int32_t laps, int64_t total_ms)
{
	if (laps > kept->laps) {
		return total_ms == kept->void_total_ms;
	}
	if (laps < kept->laps && kept->lower_claim != laps) {
		kept->lower_claim = laps;
		return true;
	}
	kept->lower_claim = -1;
	return false;
}

static void set_laps(struct ml_model *model, int32_t car, const struct lt_field_lap *lap)
{
	const struct lt_field_ext *f = model->opts.field;
	struct ml_car_kept *kept = &model->cars[car];
	bool is_event = lap->lap > kept->laps && (model->record.type != 'R' || kept->was_lapped);

	if (lap->lap > 0 && is_event) {
		set_pits(model, car, model->record.field[6].p[0] == 'P');
		f->lap(model->field, car, lap, model->now_ms);
		kept->is_finished = model->status == 'K' && model->record.type != 'R';
	} else if (lap->lap > 0) {
		f->set_lap(model->field, car, lap);
	} else if (model->record.type != 'R') {
		f->cross(model->field, car, model->now_ms);
	}
	kept->laps = lap->lap;
	model->has_moved = model->has_moved || lap->lap > 0;
	kept->was_lapped = true;
}

enum ml_result ml_apply_lap(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	int64_t best_ms = number(model, 7), best_lap = number(model, 8);
	struct lt_field_lap lap = { .size = sizeof(lap),
		.lap = (int32_t)(number(model, 3) > ML_LAPS_MAX ? -1 : number(model, 3)),
		.total_ms = number(model, 4),
		.lap_ms = number(model, 5) };
	struct ml_car_kept *kept;
	int32_t car;

	if (lap.lap < 0 || lap.total_ms > ML_TIME_MAX_MS || lap.lap_ms > ML_TIME_MAX_MS ||
			best_ms > ML_TIME_MAX_MS) {
		return ML_DAMAGED;
	}
	car = need_car(model, field[2]);
	if (car == LT_NO_CAR || is_late(&model->cars[car], lap.lap, lap.total_ms)) {
		return ML_IGNORED;
	}
	if (lap.lap == 0 && model->cars[car].laps > 0) {
		restart_car(model, car);
		car = known_car(model, field[2]);
	}
	kept = &model->cars[car];
	set_text(model, car, LT_TEXT_NUM, field[1]);
	set_laps(model, car, &lap);
	if (best_ms > 0 && best_lap > 0 && best_lap <= lap.lap) {
		model->opts.field->set_best(model->field, car, (int32_t)best_lap, best_ms);
	}
	kept->rank = small(number(model, 13)) > 0 ? small(number(model, 13))
						  : small(number(model, 0));
	if (small(number(model, 17)) > kept->pits) {
		kept->pits = small(number(model, 17));
		model->opts.field->set_pits(model->field, car, kept->pits);
	}
	model->opts.field->set_state(model->field, car, state_of(field[15]));
	return ML_OK;
}

/* The lap that ended at this total time; the car's last one when it cannot be told. 0: none. */
static int32_t lap_at(const struct ml_model *model, int32_t car, int64_t total_ms)
{
	const struct ml_car_kept *kept = &model->cars[car];
	struct lt_field_lap lap = { .size = sizeof(lap) };

	for (int32_t n = kept->laps; n > 0; n--) {
		if (model->opts.field->lap_of(model->field, car, n, &lap) == 0 &&
				lap.total_ms == total_ms) {
			return n;
		}
		if (n == kept->laps && lap.total_ms < total_ms) {
			return n;
		}
	}
	return 0;
}

enum ml_result ml_apply_invalidated(struct ml_model *model)
{
	const struct lt_field_ext *f = model->opts.field;
	struct lt_field_lap before = { .size = sizeof(before) };
	int64_t total_ms = number(model, 2);
	int32_t car = known_car(model, model->record.field[1]);
	struct ml_car_kept *kept;
	int32_t lap;

	if (car == LT_NO_CAR || total_ms == model->cars[car].void_total_ms) {
		return ML_IGNORED; /* said before */
	}
	kept = &model->cars[car];
	lap = lap_at(model, car, total_ms);
	if (lap == 0) {
		return ML_IGNORED;
	}
	f->void_lap(model->field, car, lap);
	if (lap < kept->laps) {
		return ML_OK; /* not its last one: how many are left, $C will say */
	}
	kept->void_total_ms = total_ms;
	if (lap == 1) {
		restart_car(model, car);
		return ML_OK;
	}
	if (f->lap_of(model->field, car, lap - 1, &before) != 0) {
		before.lap_ms = before.total_ms = LT_NO_TIME;
	}
	before.lap = lap - 1;
	kept->laps = lap - 1;
	f->set_lap(model->field, car, &before);
	f->set_last(model->field, car, before.lap_ms);
	return ML_OK;
}

/* --- sections and lines --- */

/* The sector that a section is; 0: none. S3b is a virtual loop beside S3. */
static uint32_t sector_of(const struct ml_model *model, struct lt_str name)
{
	uint32_t n = name.n == 2 && (name.p[0] == 'S' || name.p[0] == 's')
			? (uint32_t)name.p[1] - '0'
			: 0;

	return n <= model->opts.sectors ? n : 0;
}

static void pass_trap(struct ml_model *model, int32_t car, struct lt_str name, int64_t ms)
{
	struct ml_car *shown = &model->cars[car].shown;

	for (size_t i = 0; i < model->trap_count; i++) {
		if (is_word(name, model->traps[i].name)) {
			shown->speed = (double)model->traps[i].inches * 1000.0 / (double)ms;
			shown->best_speed = shown->speed > shown->best_speed ? shown->speed
									     : shown->best_speed;
			model->has_speed = true;
			return;
		}
	}
}

/* Race time of a section's end, by the clock of the run where the feed gives the time of day. */
static int64_t section_total(struct ml_model *model, int64_t elapsed_ms)
{
	int64_t clock_ms = model->opts.field->clock(model->field, LT_CLOCK_ELAPSED, model->now_ms);
	int64_t off_ms = elapsed_ms - model->section_offset_ms - clock_ms;

	if (clock_ms == LT_NO_TIME) {
		return LT_NO_TIME;
	}
	if (off_ms > SECTION_SLACK_MS || off_ms < -SECTION_SLACK_MS) {
		model->section_offset_ms = elapsed_ms - clock_ms;
	}
	return elapsed_ms - model->section_offset_ms;
}

enum ml_result ml_apply_section(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	int64_t elapsed_ms = number(model, 3), ms = number(model, 4), lap = number(model, 5);
	uint32_t sector = sector_of(model, field[2]);
	int32_t car = known_car(model, field[1]);

	if (ms == 0 || elapsed_ms > ML_TIME_MAX_MS || ms > ML_TIME_MAX_MS) {
		return ML_DAMAGED;
	}
	/* A car that has finished stands where it finished. */
	if (car == LT_NO_CAR || model->cars[car].is_finished ||
			(lap >= 0 && lap < model->cars[car].laps)) {
		return ML_IGNORED;
	}
	if (sector == 0) {
		pass_trap(model, car, field[2], ms);
	} else {
		model->has_moved = true;
		model->opts.field->sector(model->field, car, sector, ms,
				section_total(model, elapsed_ms), model->now_ms);
	}
	return ML_OK;
}

enum ml_result ml_apply_crossing(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	int32_t car = known_car(model, field[1]);
	int64_t elapsed_ms = number(model, 4), since_ms;
	bool is_in;

	if (car == LT_NO_CAR) { /* perhaps "??": a transponder that nobody knows */
		return ML_IGNORED;
	}
	since_ms = elapsed_ms - model->cars[car].crossed_ms;
	if (since_ms < 0 && since_ms > -LATE_MS) {
		return ML_IGNORED;
	}
	model->cars[car].crossed_ms = elapsed_ms;
	model->opts.field->seen(model->field, car, model->now_ms);
	if (model->record.type == 'R') {
		return ML_OK;
	}
	is_in = !is_word(field[2], "POUT") && (is_word(field[2], "PIN") || field[6].p[0] == 'P');
	if (is_in || model->cars[car].in_pits) {
		set_pits(model, car, is_in);
	}
	return ML_OK;
}

/* --- positions --- */

/*
 * Ranks come with each car's own lap, so that those of the others are old until
 * they cross, too: laps and times tell the order better. But only the feed knows
 * the grid, and penalties at the end. Then its ranks are taken, if they are all
 * there and no two the same.
 */
static bool are_ranks_good(const struct ml_model *model)
{
	bool has_rank[ML_CARS_MAX + 1] = { false };
	size_t cars = 0;

	for (size_t i = 0; i < ML_CARS_MAX; i++) {
		cars += model->cars[i].is_known;
	}
	for (size_t i = 0; i < ML_CARS_MAX; i++) {
		const struct ml_car_kept *kept = &model->cars[i];
		int32_t rank = kept->rank > 0 ? kept->rank : kept->start;

		if (!kept->is_known) {
			continue;
		}
		if (rank <= 0 || (size_t)rank > cars || has_rank[rank]) {
			return false;
		}
		has_rank[rank] = true;
	}
	return !model->has_moved || (model->status != '\0' && strchr("KUC", model->status) != NULL);
}

void ml_set_positions(struct ml_model *model)
{
	bool are_good = are_ranks_good(model);

	for (int32_t i = 0; i < ML_CARS_MAX; i++) {
		const struct ml_car_kept *kept = &model->cars[i];

		if (kept->is_known) {
			model->opts.field->set_position(model->field, i,
					!are_good                        ? 0
							: kept->rank > 0 ? kept->rank
									 : kept->start);
		}
	}
}
