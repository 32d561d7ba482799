#include "f1_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 64 /* that wait; older ones are dropped */

struct f1_model {
	const struct lt_field_ext *ext;
	const struct lt_text_ext *text;
	struct lt_field *field;
	const struct f1_data *data;
	size_t at;                    /* the next event */
	int32_t drivers[F1_CARS_MAX]; /* by their place in the field */
	uint32_t flag;
	bool is_clearing; /* the safety car comes in: green when the lap is over */
	int32_t weather[5];
	size_t messages[MESSAGES_MAX]; /* events */
	size_t message_count;
};

static void forget(struct f1_model *model)
{
	model->at = model->message_count = 0;
	model->flag = LT_FLAG_NONE;
	model->is_clearing = false;
	memset(model->drivers, 0, sizeof(model->drivers));
	for (size_t i = 0; i < 5; i++) {
		model->weather[i] = F1_NONE;
	}
}

struct f1_model *f1_model_create(const struct lt_field_ext *field, const struct lt_text_ext *text)
{
	struct f1_model *model = calloc(1, sizeof(*model));
	struct lt_field_opts opts = { .size = sizeof(opts) };

	if (model == NULL) {
		return NULL;
	}
	model->ext = field;
	model->text = text;
	opts.sectors = 3;
	opts.cars_max = F1_CARS_MAX;
	model->field = field->open(&opts);
	if (model->field == NULL) {
		free(model);
		return NULL;
	}
	forget(model);
	return model;
}

void f1_model_destroy(struct f1_model *model)
{
	if (model != NULL) {
		model->ext->close(model->field);
		free(model);
	}
}

/* --- cars --- */

static int32_t car_of(struct f1_model *model, int32_t driver)
{
	char key[16];
	int32_t car, n = snprintf(key, sizeof(key), "%d", (int)driver);
	bool is_new;

	is_new = model->ext->find(model->field, lt_text_n(key, (size_t)n)) == LT_NO_CAR;
	car = model->ext->car(model->field, lt_text_n(key, (size_t)n));
	if (car >= 0 && car < F1_CARS_MAX && is_new) {
		model->drivers[car] = driver;
		model->ext->set_text(model->field, car, LT_TEXT_NUM, lt_text_n(key, (size_t)n));
	}
	return car;
}

static void set_text(struct f1_model *model, int32_t car, uint32_t what, const char *text)
{
	model->ext->set_text(model->field, car, what, lt_text_n(text, strlen(text)));
}

void f1_model_begin(struct f1_model *model, const struct f1_data *data)
{
	const struct f1_session *session = f1_session(data);
	const struct f1_driver *drivers;
	size_t n;

	forget(model);
	model->data = data;
	/* a field's time only goes on: another one begins at the start */
	model->ext->close(model->field);
	model->field = model->ext->open(
			&(struct lt_field_opts){ .size = sizeof(struct lt_field_opts),
					.kind = session->is_race ? LT_FIELD_RACE : LT_FIELD_TIMED,
					.sectors = 3,
					.cars_max = F1_CARS_MAX });
	drivers = f1_drivers(data, &n);
	for (size_t i = 0; i < n; i++) {
		int32_t car = car_of(model, drivers[i].number);

		set_text(model, car, LT_TEXT_DRIVER, drivers[i].name);
		set_text(model, car, LT_TEXT_TEAM, drivers[i].team);
	}
}

/* --- events --- */

static void set_flag(struct f1_model *model, uint32_t flag, int64_t at_ms)
{
	model->flag = flag;
	model->is_clearing = false;
	model->ext->set_flag(model->field, flag, at_ms);
}

static void take_control(struct f1_model *model, const struct f1_event *event)
{
	const char *text = f1_text(model->data, event->text);
	struct lt_control_text control = { .size = sizeof(control) };

	model->text->parse_control(lt_text_n(text, strlen(text)), &control);
	if (event->v[0] && event->driver == 0 && control.kind == LT_CONTROL_FLAG) {
		set_flag(model, control.flag, event->at_ms);
	} else if (event->v[1] && control.kind == LT_CONTROL_INFO &&
			(model->flag == LT_FLAG_SC || model->flag == LT_FLAG_VSC)) {
		model->is_clearing = true; /* "in this lap", "ending" */
	}
	if (model->message_count == MESSAGES_MAX) {
		memmove(model->messages, model->messages + 1,
				(MESSAGES_MAX - 1) * sizeof(model->messages[0]));
		model->message_count--;
	}
	model->messages[model->message_count++] = model->at;
}

static void take_lap(struct f1_model *model, int32_t car, const struct f1_event *event)
{
	struct lt_field_lap lap = { .size = sizeof(lap),
		.lap = event->n,
		.lap_ms = event->v[0] != F1_NONE ? event->v[0] : LT_NO_TIME,
		.total_ms = event->at_ms - f1_session(model->data)->start_ms };

	if (lap.total_ms <= 0) {
		lap.total_ms = LT_NO_TIME;
	}
	model->ext->lap(model->field, car, &lap, event->at_ms);
	if (model->is_clearing) {
		set_flag(model, LT_FLAG_GREEN, event->at_ms);
	}
}

static struct lt_field_gap gap_of(const int32_t v[2])
{
	struct lt_field_gap gap = { .ms = v[0] != F1_NONE ? v[0] : LT_NO_TIME,
		.laps = v[1] != F1_NONE ? v[1] : 0 };

	return gap;
}

static void take_gap(struct f1_model *model, int32_t car, const int32_t v[4])
{
	struct lt_field_gap gap = gap_of(v), interval = gap_of(v + 2);
	bool has_gap = v[0] != F1_NONE || v[1] != F1_NONE;
	bool has_interval = v[2] != F1_NONE || v[3] != F1_NONE;

	model->ext->set_gap(
			model->field, car, has_gap ? &gap : NULL, has_interval ? &interval : NULL);
}

static void take(struct f1_model *model, const struct f1_event *event)
{
	const struct lt_field_ext *ext = model->ext;
	int32_t car;

	if (event->kind == F1_EV_CONTROL) {
		take_control(model, event);
		return;
	}
	if (event->kind == F1_EV_WEATHER) {
		memcpy(model->weather, event->v, sizeof(model->weather));
		return;
	}
	car = car_of(model, event->driver);
	switch (event->kind) {
	case F1_EV_SECTOR:
		ext->sector(model->field, car, (uint32_t)event->v[0], event->v[1], LT_NO_TIME,
				event->at_ms);
		break;
	case F1_EV_LAP:
		take_lap(model, car, event);
		break;
	case F1_EV_PIT_IN:
	case F1_EV_PIT_OUT:
		ext->pit(model->field, car, event->kind == F1_EV_PIT_IN, event->at_ms);
		break;
	case F1_EV_POSITION:
		ext->set_position(model->field, car, event->n);
		break;
	case F1_EV_GAP:
		take_gap(model, car, event->v);
		break;
	case F1_EV_CONTROL:
	case F1_EV_WEATHER:
		break;
	}
}

bool f1_model_play(struct f1_model *model, int64_t until_ms, size_t max, int64_t *ret_flag_ms)
{
	size_t n;
	const struct f1_event *events = f1_events(model->data, &n);
	uint32_t flag = model->flag;

	*ret_flag_ms = INT64_MIN;
	while (model->at < n && events[model->at].at_ms <= until_ms) {
		if (max-- == 0) {
			return false;
		}
		take(model, &events[model->at]);
		model->at++;
		if (model->flag != flag) {
			*ret_flag_ms = events[model->at - 1].at_ms;
			break;
		}
	}
	if (model->at == n) {
		model->ext->set_over(model->field, 1);
	}
	return model->at == n || events[model->at].at_ms > until_ms;
}

bool f1_model_is_over(const struct f1_model *model)
{
	size_t n;

	f1_events(model->data, &n);
	return model->at == n;
}

bool f1_model_next_message(struct f1_model *model, struct f1_message *ret)
{
	size_t n;
	const struct f1_event *event;

	if (model->message_count == 0) {
		return false;
	}
	event = &f1_events(model->data, &n)[model->messages[0]];
	*ret = (struct f1_message){ f1_text(model->data, event->text), event->driver,
		event->at_ms };
	memmove(model->messages, model->messages + 1,
			(model->message_count - 1) * sizeof(model->messages[0]));
	model->message_count--;
	return true;
}

/* --- view --- */

struct f1_view f1_model_view(struct f1_model *model, int64_t now_ms)
{
	model->ext->order(model->field, now_ms);
	return (struct f1_view){ model->flag, model->weather };
}

struct lt_field *f1_model_field(struct f1_model *model)
{
	return model->field;
}

const struct f1_stint *f1_model_tyres(
		const struct f1_model *model, const struct lt_field_row *row, int32_t *ret_laps)
{
	const struct f1_stint *stint;

	if (row->car < 0 || row->car >= F1_CARS_MAX) {
		return NULL;
	}
	stint = f1_stint(model->data, model->drivers[row->car], row->laps + 1);
	if (stint != NULL) {
		*ret_laps = row->laps + 1 - (stint->lap_start > 0 ? stint->lap_start : 1);
	}
	return stint;
}
