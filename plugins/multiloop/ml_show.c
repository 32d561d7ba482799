/* From the model to the host: description, rows, session, messages. */
#include <stdio.h>
#include <string.h>

#include "multiloop.h"

#define MPH_PER_INCH_S 0.05681818
#define KMH_PER_INCH_S 0.09144

static bool is_mph(const struct multiloop *self)
{
	struct lt_str unit = self->api->option_text(self->host, "speed-unit");

	return unit.n == 3 && memcmp(unit.p, "mph", 3) == 0;
}

static void add_column(struct multiloop *self, struct lt_column column)
{
	self->columns[self->column_count++] = column;
}

static void set_columns(struct multiloop *self, const struct ml_view *view)
{
	static const struct lt_column sectors[] = { LT_COL_S1, LT_COL_S2, LT_COL_S3, LT_COL_S4,
		LT_COL_S5 };
	bool mph = is_mph(self);

	self->column_count = 0;
	add_column(self, (struct lt_column)LT_COL_NUM);
	add_column(self, (struct lt_column)LT_COL_STATE);
	add_column(self, (struct lt_column)LT_COL_CLASS);
	add_column(self, (struct lt_column)LT_COL_POS_IN_CLASS);
	add_column(self, (struct lt_column)LT_COL_DRIVER);
	add_column(self, (struct lt_column)LT_COL_TEAM);
	add_column(self, (struct lt_column)LT_COL_CAR);
	add_column(self, (struct lt_column)LT_COL_LAPS);
	if (!view->is_race) {
		add_column(self, (struct lt_column)LT_COL_BEST_LAP);
	}
	add_column(self, (struct lt_column)LT_COL_GAP);
	add_column(self, (struct lt_column)LT_COL_INT);
	for (uint32_t i = 0; i < self->opts.sectors; i++) {
		add_column(self, sectors[i]);
	}
	add_column(self, (struct lt_column)LT_COL_LAST_LAP);
	if (view->is_race) {
		add_column(self, (struct lt_column)LT_COL_BEST_LAP);
	}
	if (view->has_speed) {
		add_column(self,
				(struct lt_column){ "Spd", "numeric",
						mph ? "Speed at the trap, mph"
						    : "Speed at the trap, km/h" });
		add_column(self,
				(struct lt_column){ "B.Spd", "numeric",
						mph ? "Best speed at the trap, mph"
						    : "Best speed at the trap, km/h" });
	}
	add_column(self, (struct lt_column)LT_COL_PITS);
}

static void describe_run(const struct ml_view *view, char *text, size_t size)
{
	const char *dash = view->event[0] != '\0' && view->run[0] != '\0' ? " - " : "";

	snprintf(text, size, "%s%s%s", view->event, dash, view->run);
}

int32_t ml_describe(struct multiloop *self, const struct ml_view *view)
{
	static const struct lt_str headings[] = { { "Track", 5 }, { "Length", 6 }, { "Green", 5 },
		{ "Yellow", 6 }, { "Lead changes", 12 }, { "Entries", 7 } };
	struct lt_service_info info = { .size = sizeof(info) };

	set_columns(self, view);
	describe_run(view, self->described, sizeof(self->described));
	self->described_race = view->is_race;
	self->described_speed = view->has_speed;
	info.name = self->api->option_text(self->host, "name");
	info.description = lt_text_c(self->described);
	info.columns = self->columns;
	info.column_count = self->column_count;
	info.track_data = headings;
	info.track_data_count = sizeof(headings) / sizeof(headings[0]);
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

/* One decimal, as speed traps are read. */
static struct lt_cell speed_cell(double inches_s, bool mph)
{
	double speed = inches_s * (mph ? MPH_PER_INCH_S : KMH_PER_INCH_S);

	return inches_s <= 0 ? lt_cell_text(lt_text_n("", 0))
			     : (struct lt_cell){ .kind = LT_CELL_NUMBER,
				       .d = (double)(int64_t)(speed * 10 + 0.5) / 10 };
}

static void give_row(
		struct multiloop *self, const struct ml_view *view, const struct lt_field_row *row)
{
	const struct ml_car *car = ml_model_car(self->model, row->car);
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
	if (!view->is_race) {
		cells[n++] = lt_cell_time(row->best);
	}
	cells[n++] = self->field_ext->gap_cell(&row->gap, gap);
	cells[n++] = self->field_ext->gap_cell(&row->interval, interval);
	for (uint32_t i = 0; i < self->opts.sectors; i++) {
		cells[n++] = lt_cell_time(row->sector[i]);
	}
	cells[n++] = lt_cell_time(row->last);
	if (view->is_race) {
		cells[n++] = lt_cell_time(row->best);
	}
	if (view->has_speed) {
		cells[n++] = speed_cell(car->speed, is_mph(self));
		cells[n++] = speed_cell(car->best_speed, is_mph(self));
	}
	cells[n++] = lt_cell_int(row->pits);
	self->api->state_row(self->host, cells, n);
}

static struct lt_str write_clock(char *text, size_t size, int64_t ms)
{
	int64_t s = ms / 1000;

	text[0] = '\0';
	if (ms >= 0) {
		snprintf(text, size, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
				(int)(s % 60));
	}
	return lt_text_c(text);
}

static double seconds(int64_t ms)
{
	return ms == LT_NO_TIME ? -1 : (double)ms / 1000.0;
}

static void give_session(struct multiloop *self, const struct ml_view *view, int64_t now_ms)
{
	struct lt_session_info session = { .size = sizeof(session) };
	struct lt_field *field = ml_model_field(self->model);
	char length[40] = "", green[24], yellow[24], changes[24] = "";
	struct lt_str track_data[6];

	if (view->length_miles > 0 && view->length_miles < 1000) {
		snprintf(length, sizeof(length), "%.2f mi", view->length_miles);
	}
	if (view->green_ms >= 0) {
		snprintf(changes, sizeof(changes), "%d", (int)view->lead_changes);
	}
	track_data[0] = lt_text_c(view->track);
	track_data[1] = lt_text_c(length);
	track_data[2] = write_clock(green, sizeof(green), view->green_ms);
	track_data[3] = write_clock(yellow, sizeof(yellow), view->yellow_ms);
	track_data[4] = lt_text_c(changes);
	track_data[5] = view->is_waiting ? LT_LITERAL("waiting for entries") : LT_LITERAL("");
	session.flag = view->flag;
	session.time_elapsed_s = seconds(self->field_ext->clock(field, LT_CLOCK_ELAPSED, now_ms));
	session.time_remain_s = seconds(self->field_ext->clock(field, LT_CLOCK_REMAIN, now_ms));
	session.laps_remain = view->laps_remain;
	session.track_data = track_data;
	session.track_data_count = 6;
	self->api->state_session(self->host, &session);
}

static void give_messages(struct multiloop *self)
{
	struct ml_message message;

	while (ml_model_next_message(self->model, &message)) {
		struct lt_message_info info = { .size = sizeof(info) };

		info.category = message.is_race_control ? LT_LITERAL("Race Control")
							: LT_LITERAL("Timing");
		info.type = message.is_race_control ? LT_LITERAL("raceControl") : LT_LITERAL("");
		info.text = lt_text_c(message.text);
		info.time_s = message.time_s;
		if (message.num[0] != '\0') {
			info.car = lt_text_c(message.num);
		}
		self->api->message(self->host, &info);
	}
}

void ml_publish(struct multiloop *self, int64_t now_ms)
{
	struct ml_view view = ml_model_view(self->model, now_ms);
	struct lt_field_row row = { .size = sizeof(row) };
	char description[sizeof(self->described)];

	if (ml_model_take_new_session(self->model)) {
		self->api->new_session(self->host);
	}
	describe_run(&view, description, sizeof(description));
	if ((view.is_race != self->described_race || view.has_speed != self->described_speed ||
			    strcmp(description, self->described) != 0) &&
			ml_describe(self, &view) != 0) {
		return;
	}
	give_messages(self);
	self->api->state_begin(self->host);
	for (size_t i = 0; self->field_ext->row(ml_model_field(self->model), i, &row) == 0; i++) {
		give_row(self, &view, &row);
	}
	give_session(self, &view, now_ms);
	self->api->publish_now(self->host);
}
