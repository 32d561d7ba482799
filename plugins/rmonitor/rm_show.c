/* From the model's view to the host: description, rows, session, messages. */
#include <stdio.h>
#include <string.h>

#include "rmonitor.h"

#define ENTRY_WAIT_US 35000000 /* a refresh comes every 30 s, if at all */

static void add_column(struct rmonitor *self, struct lt_column column)
{
	self->columns[self->column_count++] = column;
}

static void set_columns(struct rmonitor *self, bool race, bool pits)
{
	static const struct lt_column head[] = { LT_COL_NUM, LT_COL_STATE, LT_COL_CLASS,
		LT_COL_POS_IN_CLASS, LT_COL_DRIVER };
	static const struct lt_column in_race[] = { LT_COL_LAPS, LT_COL_GAP, LT_COL_INT,
		LT_COL_LAST_LAP, LT_COL_BEST_LAP };
	static const struct lt_column in_practice[] = { LT_COL_LAPS, LT_COL_BEST_LAP, LT_COL_GAP,
		LT_COL_INT, LT_COL_LAST_LAP };

	self->column_count = 0;
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
		add_column(self, head[i]);
	}
	add_column(self, (struct lt_column)LT_COL_TEAM);
	if (self->nationality_is_car || self->nationality_is_team) {
		add_column(self, (struct lt_column)LT_COL_CAR);
	}
	if (self->nationality_column) {
		add_column(self, (struct lt_column){ "Nat", "text", "Nationality" });
	}
	for (size_t i = 0; i < sizeof(in_race) / sizeof(in_race[0]); i++) {
		add_column(self, race ? in_race[i] : in_practice[i]);
	}
	if (pits) {
		add_column(self, (struct lt_column)LT_COL_PITS);
	}
}

int32_t rm_describe(struct rmonitor *self, const struct rm_view *view)
{
	static const struct lt_str headings[] = { { "Track", 5 }, { "Length", 6 } };
	struct lt_service_info info = { .size = sizeof(info) };

	set_columns(self, view->is_race, view->has_pits);
	snprintf(self->described, sizeof(self->described), "%s", view->description);
	self->described_race = view->is_race;
	self->described_pits = view->has_pits;
	info.name = self->api->option_text(self->host, "name");
	info.description = lt_text_c(self->described);
	info.columns = self->columns;
	info.column_count = self->column_count;
	info.track_data = headings;
	info.track_data_count = 2;
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

static void give_row(struct rmonitor *self, const struct rm_view *view, const struct rm_row *row)
{
	const struct lt_field_row *in_field = &row->in_field;
	struct lt_cell cells[COLUMNS_MAX];
	char gap[24], interval[24];
	size_t n = 0;

	cells[n++] = lt_cell_text(lt_text_c(row->num));
	cells[n++] = lt_cell_state(in_field->state);
	cells[n++] = lt_cell_text(lt_text_c(row->class_name));
	cells[n++] = lt_cell_int(in_field->position_in_class);
	cells[n++] = lt_cell_text(lt_text_c(row->driver));
	cells[n++] = lt_cell_text(
			lt_text_c(self->nationality_is_team ? row->nationality : row->additional));
	if (self->nationality_is_car || self->nationality_is_team) {
		cells[n++] = lt_cell_text(lt_text_c(
				self->nationality_is_car ? row->nationality : row->additional));
	}
	if (self->nationality_column) {
		cells[n++] = lt_cell_text(lt_text_c(row->nationality));
	}
	cells[n++] = lt_cell_int(in_field->laps);
	if (!view->is_race) {
		cells[n++] = lt_cell_time(in_field->best);
	}
	cells[n++] = self->field->gap_cell(&in_field->gap, gap);
	cells[n++] = self->field->gap_cell(&in_field->interval, interval);
	cells[n++] = lt_cell_time(in_field->last);
	if (view->is_race) {
		cells[n++] = lt_cell_time(in_field->best);
	}
	if (view->has_pits) {
		cells[n++] = lt_cell_int(in_field->pits);
	}
	self->api->state_row(self->host, cells, n);
}

static void give_session(struct rmonitor *self, const struct rm_view *view)
{
	struct lt_session_info session = { .size = sizeof(session) };
	char length[RM_NAME_LEN + 8] = "";
	struct lt_str unit = self->api->option_text(self->host, "track-unit");
	struct lt_str track_data[2];

	if (self->api->option_has(self->host, "track-length")) {
		snprintf(length, sizeof(length), "%.3f %s",
				self->api->option_number(self->host, "track-length"), unit.p);
	} else if (view->track_length[0] != '\0') {
		snprintf(length, sizeof(length), "%s %s", view->track_length, unit.p);
	}
	track_data[0] = lt_text_c(view->track_name);
	track_data[1] = lt_text_c(length);
	session.flag = view->flag == RM_FLAG_YELLOW ? self->yellow : (uint32_t)view->flag;
	session.time_elapsed_s = view->elapsed_ms < 0 ? -1 : (double)view->elapsed_ms / 1000.0;
	session.time_remain_s = view->remain_ms < 0 ? -1 : (double)view->remain_ms / 1000.0;
	session.laps_remain = view->laps_remain;
	session.track_data = track_data;
	session.track_data_count = 2;
	self->api->state_session(self->host, &session);
}

/*
 * A connection that was made between two refreshes says what happens, but not
 * yet who takes part. The table from before a restart is better than one of
 * nameless cars, so wait for an entry, though not for ever.
 */
static bool is_too_early(struct rmonitor *self, const struct rm_view *view)
{
	int64_t now_us = self->api->mono_us(self->host);

	if (self->first_us == 0) {
		self->first_us = now_us;
	}
	return self->lines != NULL && !view->has_entries && now_us - self->first_us < ENTRY_WAIT_US;
}

void rm_publish(struct rmonitor *self)
{
	const struct rm_view *view = rm_model_view(self->model);
	struct rm_message message;

	if (rm_model_take_new_session(self->model)) {
		self->api->new_session(self->host);
	}
	if ((view->is_race != self->described_race || view->has_pits != self->described_pits ||
			    strcmp(view->description, self->described) != 0) &&
			rm_describe(self, view) != 0) {
		return;
	}
	while (rm_model_next_message(self->model, &message)) {
		struct lt_message_info info = { .size = sizeof(info) };

		info.category = LT_LITERAL("Timing");
		info.text = lt_text_c(message.text);
		info.type = LT_LITERAL("");
		info.car = lt_text_c(message.num);
		self->api->message(self->host, &info);
	}
	if (is_too_early(self, view)) {
		return;
	}
	self->api->state_begin(self->host);
	for (size_t i = 0; i < view->row_count; i++) {
		give_row(self, view, &view->rows[i]);
	}
	give_session(self, view);
	self->api->publish_now(self->host);
}
