/* The session as it stands: the field's rows with the names that the feed gave. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rm_model_int.h"

/* IMSA: during a race the nationality of $COMP is the car's status. */
static bool is_retired(const struct rm_car *car)
{
	return strcasecmp(car->nationality, "Retired") == 0 ||
			strcasecmp(car->nationality, "Excluded") == 0;
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

/* Names of classes come before or after the cars: what the field has is made good here. */
static void tell_names(struct rm_model *model)
{
	for (size_t i = 0; i < RM_CARS_MAX; i++) {
		const struct rm_car *car = model->cars[i];
		const char *name;
		char number[16];

		if (car == NULL) {
			continue;
		}
		name = class_name(model, car->class_no);
		if (name[0] == '\0') { /* not named yet: a class all the same */
			snprintf(number, sizeof(number), "%d", (int)car->class_no);
			name = number;
		}
		model->api->set_text(model->field, car->number, LT_TEXT_CLASS,
				lt_text_n(name, strlen(name)));
		model->api->set_state(model->field, car->number,
				is_retired(car) ? LT_CAR_RET : LT_CAR_AUTO);
	}
}

static void fill_row(const struct rm_model *model, struct rm_row *row)
{
	const struct rm_car *car = model->cars[row->in_field.car];

	row->reg = car->reg;
	row->num = car->num;
	row->class_name = class_name(model, car->class_no);
	row->driver = car->driver;
	row->nationality = is_retired(car) ? "" : car->nationality;
	row->additional = car->additional;
}

static void fill_session(const struct rm_model *model, struct rm_view *view)
{
	view->description = model->description;
	view->track_name = model->track_name;
	view->track_length = model->track_length;
	view->flag_text = model->flag_text;
	view->run = model->run;
	view->is_over = model->is_over;
	view->is_race = model->is_race;
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
	size_t count;

	fill_session(model, view);
	tell_names(model);
	count = model->api->order(model->field, model->now_ms);
	view->row_count = 0;
	for (size_t i = 0; i < count && i < RM_CARS_MAX; i++) {
		struct rm_row *row = &view->rows[view->row_count];

		row->in_field.size = sizeof(row->in_field);
		if (model->api->row(model->field, i, &row->in_field) == 0) {
			fill_row(model, row);
			view->row_count++;
		}
	}
	return view;
}
