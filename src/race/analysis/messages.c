#include "race/analysis/messages.h"

#include <string.h>

#include "race/analysis/row.h"
#include "race/column.h"

#define TEXT_AT 2
#define TYPE_AT 3
#define CAR_AT  4

void lt_race_messages_finish(struct lt_race_messages *messages)
{
	lt_texts_finish(&messages->blocks);
}

static bool is_of_race(const cJSON *message)
{
	const cJSON *car = lt_cell_at(message, CAR_AT);
	const cJSON *text = lt_cell_at(message, TEXT_AT);

	/* One without a text is broken. */
	return text && (!car || cJSON_IsNull(car)) &&
			!(cJSON_IsString(text) && strstr(text->valuestring, "Driver change ("));
}

bool lt_race_messages_add(struct lt_race_messages *messages, const cJSON *new_messages)
{
	struct lt_buf block = { 0 };
	const cJSON *message;

	cJSON_ArrayForEach(message, new_messages) {
		if (is_of_race(message)) {
			if (block.n > 0) {
				lt_buf_add_char(&block, ',');
			}
			lt_json_print(&block, message, LT_JSON_COMPACT);
		}
	}
	if (block.n == 0) {
		return false;
	}
	lt_texts_add_take(&messages->blocks, lt_buf_steal(&block));
	return true;
}

void lt_race_messages_write(struct lt_buf *buf, const struct lt_race_messages *messages)
{
	lt_buf_add_c(buf, "{\"messages\":[");
	for (size_t i = messages->blocks.count; i > 0; i--) {
		lt_buf_add_c(buf, messages->blocks.items[i - 1]);
		if (i > 1) {
			lt_buf_add_char(buf, ',');
		}
	}
	lt_buf_add_c(buf, "]}");
}

bool lt_message_car_number(const cJSON *message, struct lt_buf *number)
{
	const cJSON *type = lt_cell_at(message, TYPE_AT);

	if (cJSON_IsString(type) &&
			(strcmp(type->valuestring, "pit") == 0 ||
					strcmp(type->valuestring, "out") == 0)) {
		return false;
	}
	return lt_number_text(lt_cell_at(message, CAR_AT), number);
}
