/* Datagrams of a game server, each with two bytes of length in front, applied to a state. */
#include <string.h>

#include "assettocorsa/ac_model.h"
#include "fuzz.h"
#include "race/field/field.h"

static void check_table(struct ac_model *model, int64_t now_ms)
{
	struct lt_field_row row = { .size = sizeof(row) };
	struct ac_view view = ac_model_view(model, now_ms);

	assert(view.laps_remain >= -1);
	assert(view.session == NULL || lt_utf8_valid(lt_str_from(view.session->server)));
	for (size_t i = 0; lt_field_table.row(ac_model_field(model), i, &row) == 0; i++) {
		assert(row.laps >= 0 && row.state <= LT_CAR_RET);
		assert(row.best.ms == LT_NO_TIME || row.best.ms > 0);
		assert(lt_utf8_valid(row.text[LT_TEXT_DRIVER]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct ac_packet packet;
	struct ac_opts opts = {
		.field = &lt_field_table, .class_is_model = true, .wants_chat = true
	};
	struct ac_model *model = ac_model_create(&opts);
	struct ac_message message;
	int64_t now_ms = 1000;

	while (n >= 2) {
		size_t length = (size_t)(bytes[0] | bytes[1] << 8);

		bytes += 2;
		n -= 2;
		length = length < n ? length : n;
		if (ac_parse((struct lt_str){ (const char *)bytes, length }, &packet) == AC_OK) {
			ac_model_apply(model, &packet, now_ms);
		}
		bytes += length;
		n -= length;
		now_ms += 1500;
	}
	check_table(model, now_ms);
	while (ac_model_next_message(model, &message)) {
		assert(lt_utf8_valid(lt_str_from(message.text)));
	}
	while (ac_model_next_ask(model) >= 0) {
	}
	ac_model_destroy(model);
	return 0;
}
