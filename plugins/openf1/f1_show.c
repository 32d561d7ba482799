/* From the model to the host: description, rows, session, messages. */
#include <stdio.h>
#include <string.h>

#include "openf1.h"

static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_STATE, LT_COL_DRIVER, LT_COL_TEAM,
	LT_COL_TYRE, LT_COL_TYRE_STINT, LT_COL_TYRE_AGE, LT_COL_LAPS, LT_COL_GAP, LT_COL_INT,
	LT_COL_S1, LT_COL_S2, LT_COL_S3, LT_COL_LAST_LAP, LT_COL_BEST_LAP, LT_COL_PITS };
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

int32_t f1_describe(struct openf1 *self)
{
	static const struct lt_str headings[] = { { "Air", 3 }, { "Track", 5 }, { "Humidity", 8 },
		{ "Wind", 4 }, { "Rain", 4 } };
	struct lt_service_info info = { .size = sizeof(info) };

	info.name = self->api->option_text(self->host, "name");
	info.description = lt_text_c(self->described);
	info.columns = columns;
	info.column_count = COLUMN_COUNT;
	info.track_data = headings;
	info.track_data_count = sizeof(headings) / sizeof(headings[0]);
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

/* S M H I W, as tyres are known; another text as it is. */
static struct lt_str compound_of(const struct f1_stint *stint)
{
	static const char *const known[] = { "SOFT", "MEDIUM", "HARD", "INTERMEDIATE", "WET" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(stint->compound, known[i]) == 0) {
			return lt_text_n(known[i], 1);
		}
	}
	return lt_text_c(stint->compound);
}

static size_t give_tyres(
		const struct openf1 *self, const struct lt_field_row *row, struct lt_cell cells[3])
{
	int32_t laps = 0;
	const struct f1_stint *stint = f1_model_tyres(self->model, row, &laps);

	cells[0] = lt_cell_text(stint != NULL ? compound_of(stint) : lt_text_n("", 0));
	cells[1] = stint != NULL ? lt_cell_int(laps) : lt_cell_text(lt_text_n("", 0));
	cells[2] = stint != NULL && stint->age != F1_NONE ? lt_cell_int(stint->age + laps)
							  : lt_cell_text(lt_text_n("", 0));
	return 3;
}

static void give_row(struct openf1 *self, const struct lt_field_row *row)
{
	struct lt_cell cells[COLUMN_COUNT];
	char gap[24], interval[24];
	size_t n = 0;

	cells[n++] = lt_cell_text(row->text[LT_TEXT_NUM]);
	cells[n++] = lt_cell_state(row->state);
	cells[n++] = lt_cell_text(row->text[LT_TEXT_DRIVER]);
	cells[n++] = lt_cell_text(row->text[LT_TEXT_TEAM]);
	n += give_tyres(self, row, cells + n);
	cells[n++] = lt_cell_int(row->laps);
	cells[n++] = self->field->gap_cell(&row->gap, gap);
	cells[n++] = self->field->gap_cell(&row->interval, interval);
	for (size_t i = 0; i < 3; i++) {
		cells[n++] = lt_cell_time(row->sector[i]);
	}
	cells[n++] = lt_cell_time(row->last);
	cells[n++] = lt_cell_time(row->best);
	cells[n++] = lt_cell_int(row->pits);
	self->api->state_row(self->host, cells, n);
}

static struct lt_str write_tenths(char text[24], int32_t tenths, const char *unit)
{
	text[0] = '\0';
	if (tenths != F1_NONE) {
		snprintf(text, 24, "%.1f%s", (double)tenths / 10.0, unit);
	}
	return lt_text_c(text);
}

static void give_session(struct openf1 *self, const struct f1_view *view, int64_t now_ms)
{
	struct lt_session_info info = { .size = sizeof(info) };
	const struct f1_session *session = f1_session(self->data);
	char texts[4][24];
	struct lt_str track[5];

	track[0] = write_tenths(texts[0], view->weather[0],
			" \xC2\xB0"
			"C");
	track[1] = write_tenths(texts[1], view->weather[1],
			" \xC2\xB0"
			"C");
	track[2] = write_tenths(texts[2], view->weather[2], " %");
	track[3] = write_tenths(texts[3], view->weather[3], " m/s");
	track[4] = view->weather[4] == F1_NONE ? lt_text_n("", 0)
			: view->weather[4] > 0 ? LT_LITERAL("yes")
					       : LT_LITERAL("no");
	info.flag = view->flag;
	info.time_elapsed_s = now_ms > session->start_ms
			? (double)(now_ms - session->start_ms) / 1000.0
			: 0;
	/* A race ends when its laps are done, whatever the plan said. */
	info.time_remain_s = session->is_race      ? -1
			: now_ms < session->end_ms ? (double)(session->end_ms - now_ms) / 1000.0
						   : 0;
	info.laps_remain = -1;
	info.track_data = track;
	info.track_data_count = 5;
	self->api->state_session(self->host, &info);
}

static void give_messages(struct openf1 *self)
{
	struct f1_message message;

	while (f1_model_next_message(self->model, &message)) {
		struct lt_message_info info = { .size = sizeof(info),
			.category = LT_LITERAL("Race Control"),
			.type = LT_LITERAL("raceControl"),
			.text = lt_text_c(message.text) };
		char driver[16];

		if (message.at_ms <= self->told_ms) {
			continue; /* before the start, or told before the session was loaded again
				   */
		}
		self->told_ms = message.at_ms;
		if (message.driver != 0) {
			snprintf(driver, sizeof(driver), "%d", (int)message.driver);
			info.car = lt_text_c(driver);
		}
		self->api->message(self->host, &info);
	}
}

void f1_publish(struct openf1 *self, int64_t now_ms)
{
	struct f1_view view = f1_model_view(self->model, now_ms);
	struct lt_field_row row = { .size = sizeof(row) };

	self->shown_ms = now_ms > self->shown_ms ? now_ms : self->shown_ms;
	give_messages(self);
	self->api->state_begin(self->host);
	for (size_t i = 0; self->field->row(f1_model_field(self->model), i, &row) == 0; i++) {
		give_row(self, &row);
	}
	give_session(self, &view, now_ms);
	self->api->publish_now(self->host);
}
