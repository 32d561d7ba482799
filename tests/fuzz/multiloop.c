/* Lines of a timing feed, applied to a state: the first byte chooses the leading character. */
#include <string.h>

#include "fuzz.h"
#include "multiloop/ml_model.h"
#include "race/feed_text.h"
#include "race/field/field.h"

static void check_table(struct ml_model *model, int64_t now_ms)
{
	struct lt_field_row row = { .size = sizeof(row) };
	struct ml_view view = ml_model_view(model, now_ms);

	assert(view.laps_remain >= -1);
	for (size_t i = 0; lt_field_table.row(ml_model_field(model), i, &row) == 0; i++) {
		assert(row.laps >= 0 && row.pits >= 0 && row.state <= LT_CAR_RET);
		assert(row.best.ms == LT_NO_TIME || row.best.ms > 0);
		assert(lt_utf8_valid((struct lt_str){
				row.text[LT_TEXT_DRIVER].p, row.text[LT_TEXT_DRIVER].n }));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct ml_opts opts = { .field = &lt_field_table,
		.text = &lt_text_table,
		.sectors = 3,
		.class_field = 1,
		.car_field = 2,
		.yellow = LT_FLAG_YELLOW };
	const char *p = (const char *)bytes + 1;
	struct ml_message message;
	struct ml_model *model;
	int64_t now_ms = 1000;

	if (n == 0 || n > 65536) {
		return 0;
	}
	opts.lead = bytes[0] == '-' ? '\0' : '$';
	model = ml_model_create(&opts);
	for (size_t left = n - 1; left > 0;) {
		const char *end = memchr(p, '\n', left);
		size_t length = end != NULL ? (size_t)(end - p) : left;

		ml_model_line(model, (struct lt_str){ p, length }, now_ms += 500, 1795600800);
		length += end != NULL;
		p += length;
		left -= length;
	}
	check_table(model, now_ms);
	while (ml_model_next_message(model, &message)) {
		assert(memchr(message.text, '\0', sizeof(message.text)) != NULL);
	}
	ml_model_destroy(model);
	return 0;
}
