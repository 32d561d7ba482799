/* Pushed messages, one a line, applied to one service; the first byte chooses the sectors. */
#include <string.h>

#include "fuzz.h"
#include "push/ps_model.h"
#include "race/feed_json.h"
#include "race/field/field.h"

static void push(struct ps_model *model, struct lt_str line, int64_t now_ms)
{
	char error[240] = "";
	struct lt_value *value = lt_json_table.parse(line, error, sizeof(error));
	struct ps_change change;

	assert(value != NULL || error[0] != '\0');
	if (value != NULL && !ps_model_push(model, value, now_ms, &change)) {
		assert(ps_model_error(model)[0] != '\0');
		assert(memchr(ps_model_error(model), '\0', PS_ERROR_LEN) != NULL);
	}
	lt_json_table.free(value);
}

static void check_table(struct ps_model *model, int64_t now_ms)
{
	struct ps_view view = ps_model_view(model, now_ms);
	struct lt_field_row row = { .size = sizeof(row) };
	size_t cars = 0;

	assert(view.flag <= LT_FLAG_CODE_60_ZONE && view.laps_remain >= -1);
	assert(view.columns->n > 0 && view.columns->n <= PS_COLUMNS_MAX);
	assert(view.columns->own <= PS_OWN_MAX);
	for (; lt_field_table.row(ps_model_field(model), cars, &row) == 0; cars++) {
		assert(row.laps >= 0 && row.pits >= 0 && row.state <= LT_CAR_RET);
		assert(row.text[LT_TEXT_NUM].n > 0);
	}
	assert(cars == ps_model_cars(model));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct ps_opts opts = { .field = &lt_field_table, .json = &lt_json_table };
	const char *p = (const char *)bytes + 1;
	int64_t now_ms = 1000;

	if (n == 0 || n > 65536) {
		return 0;
	}
	opts.sectors = bytes[0] % (PS_SECTORS_MAX + 1);
	struct ps_model *model = ps_model_create(&opts);

	for (size_t left = n - 1; left > 0;) {
		const char *end = memchr(p, '\n', left);
		size_t length = end != NULL ? (size_t)(end - p) : left;

		push(model, (struct lt_str){ p, length }, now_ms += 700);
		length += end != NULL;
		p += length;
		left -= length;
	}
	check_table(model, now_ms);
	ps_model_destroy(model);
	return 0;
}
