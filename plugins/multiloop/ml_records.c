/* Records about the run: status, clocks, track, race control. */
#include <stdio.h>
#include <string.h>

#include "ml_model_int.h"

#define DAY_S 86400

static int64_t number(const struct ml_model *model, size_t field)
{
	return ml_hex(model->record.field[field]);
}

static int64_t at_least_0(int64_t value)
{
	return value > 0 ? value : 0;
}

static void set_status(struct ml_model *model, char status)
{
	bool was_running = model->status != '\0' && strchr("GYRWK", model->status) != NULL;

	model->opts.field->set_over(model->field,
			(status == 'U' || status == 'C') && (was_running || model->elapsed_ms > 0));
	model->status = status;
	model->opts.field->set_flag(model->field, ml_flag_of(model), model->now_ms);
}

static enum ml_result apply_heartbeat(struct ml_model *model)
{
	const struct lt_field_ext *f = model->opts.field;
	int64_t elapsed_ms = number(model, 2), laps = at_least_0(number(model, 3));
	int64_t remain_ms = at_least_0(number(model, 4));
	bool runs = elapsed_ms > model->elapsed_ms;

	if (elapsed_ms > ML_TIME_MAX_MS || remain_ms > ML_TIME_MAX_MS || laps > 99999) {
		return ML_DAMAGED;
	}
	set_status(model, model->record.field[0].p[0]);
	model->elapsed_ms = elapsed_ms;
	model->laps_to_go = laps;
	model->was_lap_limited = model->was_lap_limited || laps > 0;
	model->was_timed = model->was_timed || remain_ms > 0;
	f->set_clock(model->field, LT_CLOCK_ELAPSED, elapsed_ms, runs, model->now_ms);
	f->set_clock(model->field, LT_CLOCK_REMAIN, model->was_timed ? remain_ms : LT_NO_TIME, runs,
			model->now_ms);
	return ML_OK;
}

static enum ml_result apply_flag(struct ml_model *model)
{
	if (number(model, 2) > ML_TIME_MAX_MS || number(model, 4) > ML_TIME_MAX_MS ||
			number(model, 6) > ML_TIME_MAX_MS) {
		return ML_DAMAGED;
	}
	model->green_ms = at_least_0(number(model, 2));
	model->yellow_ms = at_least_0(number(model, 4));
	model->red_ms = at_least_0(number(model, 6));
	model->yellows = at_least_0(number(model, 7));
	model->lead_changes = at_least_0(number(model, 9));
	if (model->record.type != 'R') { /* a repeated one may be older than the heartbeat */
		set_status(model, model->record.field[0].p[0]);
	}
	return ML_OK;
}

static enum ml_result apply_run(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	int64_t start_s = at_least_0(number(model, 4));
	char run[ML_TEXT_LEN];

	if (field[3].n > 1) {
		return ML_DAMAGED;
	}
	ml_decode(model, field[2], run, sizeof(run));
	/* Both differ: another run, though its preamble is the same. */
	if (model->run[0] != '\0' && strcmp(model->run, run) != 0 && model->run_start_s != 0 &&
			start_s != model->run_start_s) {
		ml_begin_run(model);
	}
	memcpy(model->run, run, sizeof(run));
	ml_decode(model, field[0], model->event, sizeof(model->event));
	model->run_type = field[3].n == 1 && strchr("PQSR", field[3].p[0]) ? field[3].p[0] : '\0';
	model->run_start_s = start_s;
	return ML_OK;
}

static enum ml_result apply_track(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	size_t sections = (size_t)number(model, 3);

	ml_decode(model, field[0], model->track, sizeof(model->track));
	ml_decode(model, field[1], model->venue, sizeof(model->venue));
	model->length_miles = ml_decimal(field[2]);
	model->trap_count = 0;
	for (size_t i = 0; i < sections && model->trap_count < ML_TRAPS_MAX; i++) {
		struct ml_trap *trap = &model->traps[model->trap_count];

		ml_decode(model, field[4 + 4 * i], trap->name, sizeof(trap->name));
		trap->inches = ml_hex(field[5 + 4 * i]);
		/* Sectors, the pit lane and the lap are no speed traps. */
		if (trap->inches > 0 && strcmp(trap->name, "PIT") != 0 &&
				strcmp(trap->name, "LAP") != 0 &&
				!(trap->name[0] == 'S' && trap->name[1] >= '0' &&
						trap->name[1] <= '9')) {
			model->trap_count++;
		}
	}
	return ML_OK;
}

/* The number of the car with this unique id; empty when it has none. */
static void number_of(struct ml_model *model, struct lt_str id, char *num, size_t size)
{
	struct lt_field_row row = { .size = sizeof(row) };
	int32_t car = model->opts.field->find(model->field, id);

	num[0] = '\0';
	if (car == LT_NO_CAR) {
		return;
	}
	model->opts.field->order(model->field, model->now_ms);
	for (size_t i = 0; model->opts.field->row(model->field, i, &row) == 0; i++) {
		if (row.car == car) {
			snprintf(num, size, "%.*s", (int)row.text[LT_TEXT_NUM].n,
					row.text[LT_TEXT_NUM].p);
		}
	}
}

static enum ml_result apply_leader(struct ml_model *model)
{
	struct ml_message message = { 0 };
	int64_t lap = number(model, 2), index = at_least_0(number(model, 4));
	bool is_first = model->lead_index == 0;

	if (lap > ML_LAPS_MAX) {
		return ML_DAMAGED;
	}
	if (index <= model->lead_index) {
		return ML_OK; /* said before */
	}
	model->lead_index = index;
	if (is_first || lap <= 0 || model->record.type == 'R' || !ml_is_race(model)) {
		return ML_OK;
	}
	number_of(model, model->record.field[1], message.num, sizeof(message.num));
	if (message.num[0] != '\0') {
		snprintf(message.text, sizeof(message.text), "#%s takes the lead on lap %d",
				message.num, (int)lap);
		ml_say(model, &message);
	}
	return ML_OK;
}

/* --- race control --- */

static struct ml_announcement *find_announcement(struct ml_model *model, const char *num)
{
	for (size_t i = 0; i < model->announcement_count; i++) {
		if (strcmp(model->announcements[i].number, num) == 0) {
			return &model->announcements[i];
		}
	}
	return NULL;
}

static struct ml_announcement *add_announcement(struct ml_model *model, const char *num)
{
	struct ml_announcement *added;

	if (model->announcement_count == ML_ANNOUNCEMENTS_MAX) { /* the oldest makes room */
		model->announcement_count--;
		memmove(&model->announcements[0], &model->announcements[1],
				model->announcement_count * sizeof(model->announcements[0]));
	}
	added = &model->announcements[model->announcement_count++];
	snprintf(added->number, sizeof(added->number), "%s", num);
	added->text[0] = '\0';
	return added;
}

static void announce(struct ml_model *model, const char *prefix, const char *text)
{
	struct ml_message message = { .is_race_control = true };
	struct lt_control_text control = { .size = sizeof(control) };
	int64_t time_s = number(model, 3);

	snprintf(message.text, sizeof(message.text), "%s%.*s", prefix, ML_MESSAGE_LEN - 20, text);
	/* Of a capture, or by another epoch: then it is news of now. */
	if (time_s > model->wall_s - DAY_S && time_s <= model->wall_s) {
		message.time_s = time_s;
	}
	model->opts.text->parse_control(lt_text_n(text, strlen(text)), &control);
	snprintf(message.num, sizeof(message.num), "%.*s", (int)control.car.n,
			control.car.n > 0 ? control.car.p : "");
	ml_say(model, &message);
}

static enum ml_result apply_announcement(struct ml_model *model)
{
	const struct lt_str *field = model->record.field;
	struct ml_announcement *known;
	char num[16], text[ML_MESSAGE_LEN], old[ML_MESSAGE_LEN];

	ml_decode(model, field[0], num, sizeof(num));
	ml_decode(model, field[4], text, sizeof(text));
	known = find_announcement(model, num);
	if (known == NULL && text[0] != '\0') {
		known = add_announcement(model, num);
		announce(model, "", text);
	} else if (known == NULL || strcmp(known->text, text) == 0) {
		return ML_OK; /* repeated, or gone before it was seen */
	} else if (text[0] != '\0') {
		announce(model, known->text[0] != '\0' ? "Changed: " : "", text);
	} else {
		snprintf(old, sizeof(old), "%s", known->text);
		announce(model, "Withdrawn: ", old);
	}
	snprintf(known->text, sizeof(known->text), "%s", text);
	return ML_OK;
}

static enum ml_result apply_version(struct ml_model *model)
{
	ml_decode(model, model->record.field[2], model->version, sizeof(model->version));
	return ML_OK;
}

enum ml_result ml_apply(struct ml_model *model)
{
	static const struct {
		char command;
		enum ml_result (*apply)(struct ml_model *model);
	} commands[] = {
		{ 'H', apply_heartbeat },
		{ 'E', ml_apply_entry },
		{ 'C', ml_apply_lap },
		{ 'S', ml_apply_section },
		{ 'L', ml_apply_crossing },
		{ 'I', ml_apply_invalidated },
		{ 'N', apply_leader },
		{ 'F', apply_flag },
		{ 'R', apply_run },
		{ 'T', apply_track },
		{ 'A', apply_announcement },
		{ 'V', apply_version },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].command == model->record.command) {
			return commands[i].apply(model);
		}
	}
	return ML_IGNORED;
}
