/*
 * Answers of OpenF1: "NAME JSON" lines go into the collection of that name, in
 * any order; then the session is played to its end.
 */
#include <string.h>

#include "fuzz.h"
#include "openf1/f1_model.h"
#include "race/feed_json.h"
#include "race/feed_text.h"
#include "race/field/field.h"

static void read_line(struct f1_data *data, struct lt_str line)
{
	char error[F1_ERROR_LEN] = "";

	for (unsigned c = 0; c < F1_COLLECTIONS; c++) {
		const char *name = f1_name((enum f1_collection)c);
		size_t n = strlen(name);

		if (line.n > n && memcmp(line.p, name, n) == 0 && line.p[n] == ' ' &&
				!f1_read(data, &lt_json_table, (enum f1_collection)c,
						lt_str_skip(line, n + 1), error)) {
			assert(error[0] != '\0');
		}
	}
}

static void play(const struct f1_data *data)
{
	struct f1_model *model = f1_model_create(&lt_field_table, &lt_text_table);
	struct lt_field_row row = { .size = sizeof(row) };
	struct f1_message message;
	int32_t laps;
	int64_t flag_ms;

	f1_model_begin(model, data);
	while (!f1_model_play(model, INT64_MAX, 50, &flag_ms)) {
		while (f1_model_next_message(model, &message)) {
			assert(message.text[0] != '\0');
		}
	}
	assert(f1_model_is_over(model));
	assert(f1_model_view(model, f1_session(data)->end_ms).flag <= LT_FLAG_CODE_60_ZONE);
	for (size_t i = 0; lt_field_table.row(f1_model_field(model), i, &row) == 0; i++) {
		assert(row.laps >= 0 && row.pits >= 0 && row.state <= LT_CAR_RET);
		f1_model_tyres(model, &row, &laps);
	}
	f1_model_destroy(model);
}

static void check_order(const struct f1_data *data)
{
	size_t n;
	const struct f1_event *events = f1_events(data, &n);

	for (size_t i = 1; i < n; i++) {
		assert(events[i - 1].at_ms <= events[i].at_ms);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct f1_data *data = f1_data_create();
	const char *p = (const char *)bytes;

	f1_date(fuzz_text(bytes, n));
	for (size_t left = n > 65536 ? 0 : n; left > 0;) {
		const char *end = memchr(p, '\n', left);
		size_t length = end != NULL ? (size_t)(end - p) : left;

		read_line(data, (struct lt_str){ p, length });
		length += end != NULL;
		p += length;
		left -= length;
	}
	f1_finish(data);
	check_order(data);
	play(data);
	f1_data_destroy(data);
	return 0;
}
