/* From the model to the host: description, rows, session, messages. */
#include <string.h>

#include "push.h"

int32_t ps_describe(struct push *self)
{
	struct lt_service_info info = { .size = sizeof(info) };
	struct ps_view view = ps_model_view(self->model, self->api->mono_us(self->host) / 1000);
	struct lt_str headings[PS_TRACK_MAX];

	for (size_t i = 0; i < view.columns->n; i++) {
		const struct ps_column *column = &view.columns->at[i];

		self->columns[i] = (struct lt_column){ column->title, ps_type_name(column->type),
			column->description[0] != '\0' ? column->description : NULL };
	}
	for (size_t i = 0; i < view.track_count; i++) {
		headings[i] = lt_text_c(view.track_names[i]);
	}
	info.name = view.series[0] != '\0' ? lt_text_c(view.series)
					   : self->api->option_text(self->host, "name");
	info.description = lt_text_c(view.description);
	info.columns = self->columns;
	info.column_count = view.columns->n;
	info.track_data = headings;
	info.track_data_count = view.track_count;
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

static struct lt_cell own_cell(const struct ps_value *value, enum ps_type type)
{
	if (type == PS_TYPE_TIME) {
		return (struct lt_cell){ .kind = LT_CELL_TIME,
			.d = value->kind == LT_VALUE_NUMBER ? value->number : -1 };
	}
	if (value->kind == LT_VALUE_NUMBER && type != PS_TYPE_DELTA &&
			value->number == (double)(int64_t)value->number) {
		return lt_cell_int((int64_t)value->number);
	}
	return value->kind == LT_VALUE_NUMBER
			? (struct lt_cell){ .kind = LT_CELL_NUMBER, .d = value->number }
			: lt_cell_text(lt_text_c(value->text));
}

static struct lt_cell car_cell(uint32_t source, const struct lt_field_row *row)
{
	static const uint32_t texts[] = { [PS_NUM] = LT_TEXT_NUM,
		[PS_CLASS] = LT_TEXT_CLASS,
		[PS_TEAM] = LT_TEXT_TEAM,
		[PS_DRIVER] = LT_TEXT_DRIVER,
		[PS_CAR] = LT_TEXT_CAR,
		[PS_TYRE] = LT_TEXT_TYRE };

	switch (source) {
	case PS_STATE:
		return lt_cell_state(row->state);
	case PS_PIC:
		return lt_cell_int(row->position_in_class);
	case PS_LAPS:
		return lt_cell_int(row->laps);
	case PS_LAST:
		return lt_cell_time(row->last);
	case PS_BEST:
		return lt_cell_time(row->best);
	case PS_PITS:
		return lt_cell_int(row->pits);
	default:
		return source >= PS_BS1           ? lt_cell_time(row->best_sector[source - PS_BS1])
				: source >= PS_S1 ? lt_cell_time(row->sector[source - PS_S1])
						  : lt_cell_text(row->text[texts[source]]);
	}
}

static void give_row(
		struct push *self, const struct ps_columns *columns, const struct lt_field_row *row)
{
	const struct lt_field_gap *gaps[] = { [PS_GAP] = &row->gap,
		[PS_INT] = &row->interval,
		[PS_CLASS_GAP] = &row->class_gap,
		[PS_CLASS_INT] = &row->class_interval };
	struct lt_cell cells[PS_COLUMNS_MAX];
	char scratch[PS_CLASS_INT + 1][24];

	for (size_t i = 0; i < columns->n; i++) {
		const struct ps_column *column = &columns->at[i];
		uint32_t source = column->source;

		if (source >= PS_OWN) {
			cells[i] = own_cell(ps_model_value(self->model, row->car, source - PS_OWN),
					column->type);
		} else if (source >= PS_GAP && source <= PS_CLASS_INT) {
			cells[i] = self->field->gap_cell(gaps[source], scratch[source]);
		} else {
			cells[i] = car_cell(source, row);
		}
	}
	self->api->state_row(self->host, cells, columns->n);
}

static double seconds(int64_t ms)
{
	return ms == LT_NO_TIME ? -1 : (double)ms / 1000.0;
}

static void give_session(struct push *self, const struct ps_view *view, int64_t now_ms)
{
	struct lt_session_info session = { .size = sizeof(session) };
	struct lt_field *field = ps_model_field(self->model);
	struct lt_str track[PS_TRACK_MAX];

	for (size_t i = 0; i < view->track_count; i++) {
		track[i] = lt_text_c(view->track_values[i]);
	}
	session.flag = view->flag;
	session.time_elapsed_s = seconds(self->field->clock(field, LT_CLOCK_ELAPSED, now_ms));
	session.time_remain_s = seconds(self->field->clock(field, LT_CLOCK_REMAIN, now_ms));
	session.laps_remain = view->laps_remain;
	session.track_data = view->track_count > 0 ? track : NULL;
	session.track_data_count = view->track_count;
	self->api->state_session(self->host, &session);
}

void ps_give_messages(struct push *self)
{
	const struct ps_message *message = ps_model_message(self->model);

	for (size_t i = 0; i < message->say_count; i++) {
		const struct ps_say *say = &message->says[i];
		struct lt_message_info info = { .size = sizeof(info) };

		if (say->is_control && say->car.n == 0) {
			self->api->race_control(self->host, say->text);
			continue;
		}
		info.category = say->is_control  ? LT_LITERAL("Race Control")
				: say->car.n > 0 ? LT_LITERAL("Timing")
						 : LT_LITERAL("Info");
		info.type = say->is_control ? LT_LITERAL("raceControl") : LT_LITERAL("");
		info.text = say->text;
		info.car = say->car.n > 0 ? say->car : lt_text_n(NULL, 0);
		self->api->message(self->host, &info);
	}
}

void ps_publish(struct push *self, int64_t now_ms)
{
	struct ps_view view = ps_model_view(self->model, now_ms);
	struct lt_field *field = ps_model_field(self->model);
	struct lt_field_row row = { .size = sizeof(row) };

	self->api->state_begin(self->host);
	for (size_t i = 0; self->field->row(field, i, &row) == 0; i++) {
		give_row(self, view.columns, &row);
	}
	give_session(self, &view, now_ms);
	self->api->publish_due(self->host);
	self->published_us = self->api->mono_us(self->host);
}
