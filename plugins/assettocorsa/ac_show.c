/* From the model to the host: description, rows, session, messages. */
#include <stdio.h>
#include <string.h>

#include "assettocorsa.h"

static void add_column(struct assettocorsa *self, struct lt_column column)
{
	self->columns[self->column_count++] = column;
}

static void set_columns(struct assettocorsa *self, bool is_race)
{
	self->column_count = 0;
	add_column(self, (struct lt_column)LT_COL_NUM);
	add_column(self, (struct lt_column)LT_COL_STATE);
	add_column(self, (struct lt_column)LT_COL_CLASS);
	add_column(self, (struct lt_column)LT_COL_POS_IN_CLASS);
	add_column(self, (struct lt_column)LT_COL_DRIVER);
	add_column(self, (struct lt_column)LT_COL_TEAM);
	add_column(self, (struct lt_column)LT_COL_CAR);
	add_column(self, (struct lt_column)LT_COL_LAPS);
	if (!is_race) {
		add_column(self, (struct lt_column)LT_COL_BEST_LAP);
	}
	add_column(self, (struct lt_column)LT_COL_GAP);
	add_column(self, (struct lt_column)LT_COL_INT);
	add_column(self, (struct lt_column)LT_COL_LAST_LAP);
	if (is_race) {
		add_column(self, (struct lt_column)LT_COL_BEST_LAP);
	}
}

/* "Practice - Spa", by the session's name or else its kind. */
static void describe_session(const struct ac_view *view, char *text, size_t size)
{
	static const char *const kinds[] = { "Booking", "Practice", "Qualifying", "Race" };
	const struct ac_session *session = view->session;

	text[0] = '\0';
	if (session != NULL) {
		snprintf(text, size, "%s%s%s",
				session->name[0] != '\0' ? session->name : kinds[session->kind],
				session->track[0] != '\0' ? " - " : "", session->track);
	}
}

int32_t ac_describe(struct assettocorsa *self, const struct ac_view *view)
{
	static const struct lt_str headings[] = { { "Server", 6 }, { "Track", 5 },
		{ "Layout", 6 } };
	struct lt_service_info info = { .size = sizeof(info) };

	set_columns(self, view->is_race);
	describe_session(view, self->described, sizeof(self->described));
	self->described_race = view->is_race;
	info.name = self->api->option_text(self->host, "name");
	info.description = lt_text_c(self->described);
	info.columns = self->columns;
	info.column_count = self->column_count;
	info.track_data = headings;
	info.track_data_count = 3;
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

static void give_row(struct assettocorsa *self, bool is_race, const struct lt_field_row *row)
{
	struct lt_cell cells[COLUMNS_MAX];
	char gap[24], interval[24];
	size_t n = 0;

	cells[n++] = lt_cell_text(row->text[LT_TEXT_NUM]);
	cells[n++] = lt_cell_state(row->state);
	cells[n++] = lt_cell_text(row->text[LT_TEXT_CLASS]);
	cells[n++] = lt_cell_int(row->position_in_class);
	cells[n++] = lt_cell_text(row->text[LT_TEXT_DRIVER]);
	cells[n++] = lt_cell_text(row->text[LT_TEXT_TEAM]);
	cells[n++] = lt_cell_text(row->text[LT_TEXT_CAR]);
	cells[n++] = lt_cell_int(row->laps);
	if (!is_race) {
		cells[n++] = lt_cell_time(row->best);
	}
	cells[n++] = self->field_ext->gap_cell(&row->gap, gap);
	cells[n++] = self->field_ext->gap_cell(&row->interval, interval);
	cells[n++] = lt_cell_time(row->last);
	if (is_race) {
		cells[n++] = lt_cell_time(row->best);
	}
	self->api->state_row(self->host, cells, n);
}

static double seconds(int64_t ms)
{
	return ms == LT_NO_TIME ? -1 : (double)ms / 1000.0;
}

static void give_session(struct assettocorsa *self, const struct ac_view *view, int64_t now_ms)
{
	struct lt_session_info session = { .size = sizeof(session) };
	struct lt_field *field = ac_model_field(self->model);
	struct lt_str track_data[3] = { { "", 0 }, { "", 0 }, { "", 0 } };

	if (view->session != NULL) {
		track_data[0] = lt_text_c(view->session->server);
		track_data[1] = lt_text_c(view->session->track);
		track_data[2] = lt_text_c(view->session->layout);
	}
	session.flag = view->flag;
	session.time_elapsed_s = seconds(self->field_ext->clock(field, LT_CLOCK_ELAPSED, now_ms));
	session.time_remain_s = seconds(self->field_ext->clock(field, LT_CLOCK_REMAIN, now_ms));
	session.laps_remain = view->laps_remain;
	session.track_data = track_data;
	session.track_data_count = 3;
	self->api->state_session(self->host, &session);
}

static void give_messages(struct assettocorsa *self)
{
	struct ac_message message;
	char text[sizeof(message.text) + 32];

	while (ac_model_next_message(self->model, &message)) {
		struct lt_message_info info = { .size = sizeof(info) };

		if (message.is_error) {
			snprintf(text, sizeof(text), "the server says: %s", message.text);
			self->api->log(self->host, LT_LOG_WARNING, lt_text_c(text));
			continue;
		}
		info.category = LT_LITERAL("Chat");
		info.text = lt_text_c(message.text);
		info.type = LT_LITERAL("");
		if (message.num[0] != '\0') {
			info.car = lt_text_c(message.num);
		}
		self->api->message(self->host, &info);
	}
}

void ac_publish(struct assettocorsa *self, int64_t now_ms)
{
	struct ac_view view = ac_model_view(self->model, now_ms);
	struct lt_field_row row = { .size = sizeof(row) };
	char description[sizeof(self->described)];

	if (ac_model_take_new_session(self->model)) {
		self->api->new_session(self->host);
	}
	describe_session(&view, description, sizeof(description));
	if ((view.is_race != self->described_race || strcmp(description, self->described) != 0) &&
			ac_describe(self, &view) != 0) {
		return;
	}
	give_messages(self);
	self->api->state_begin(self->host);
	for (size_t i = 0; self->field_ext->row(ac_model_field(self->model), i, &row) == 0; i++) {
		give_row(self, view.is_race, &row);
	}
	give_session(self, &view, now_ms);
	self->api->publish_now(self->host);
}
