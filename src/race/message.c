#include "race/message.h"

#include <math.h>

#include "base/alloc.h"
#include "race/message_generator.h"

static const struct {
	const char *name;
	unsigned set; /* LT_MESSAGES_* */
	lt_message_generator *generate;
} generators_in_order[] = {
	{ "flag", LT_MESSAGES_DEFAULT, lt_message_flag },
	{ "pits", LT_MESSAGES_DEFAULT, lt_message_pits },
	{ "driver", LT_MESSAGES_DEFAULT, lt_message_driver },
	{ "fast lap", LT_MESSAGES_DEFAULT, lt_message_fast_lap },
	{ "slow zone", LT_MESSAGES_SLOW_ZONE, lt_message_slow_zone },
};

void lt_format_time(struct lt_buf *buf, double seconds)
{
	double minutes = floor(seconds / 60);

	/* Rounded after the split, so that 59.9996 is 0:60.000, as the original has it. */
	lt_buf_printf(buf, "%.0f:%06.3f", minutes, seconds - 60 * minutes);
}

cJSON *lt_message_new_take(int64_t now_s, cJSON *category, struct lt_str text, const char *type)
{
	cJSON *message = cJSON_CreateArray();

	cJSON_AddItemToArray(message, lt_json_new_int(now_s));
	cJSON_AddItemToArray(message, category);
	cJSON_AddItemToArray(message, lt_json_new_str(text));
	cJSON_AddItemToArray(
			message, type ? lt_json_new_str(lt_str_from(type)) : cJSON_CreateNull());
	return message;
}

/* Move all elements over; owns `more`. */
static void append_all_take(cJSON *block, cJSON *more)
{
	while (more->child) {
		cJSON_AddItemToArray(block, cJSON_DetachItemViaPointer(more, more->child));
	}
	cJSON_Delete(more);
}

cJSON *lt_messages_generate(const cJSON *old_state, const cJSON *new_state, const cJSON *col_spec,
		int64_t now_s, unsigned generators,
		void (*failed)(void *arg, const char *generator, const char *why), void *arg)
{
	struct lt_message_step step = {
		.old_state = old_state,
		.new_state = new_state,
		.now_s = now_s,
	};
	cJSON *block = cJSON_CreateArray();

	lt_columns_find(col_spec, &step.columns);
	for (size_t i = 0; i < LT_ARRAY_LEN(generators_in_order); i++) {
		struct lt_err err = { .code = LT_E_NONE };
		cJSON *own;

		if (!(generators_in_order[i].set & generators)) {
			continue;
		}
		own = cJSON_CreateArray();
		if (generators_in_order[i].generate(&step, own, &err)) {
			append_all_take(block, own);
			continue;
		}
		cJSON_Delete(own);
		if (failed) {
			failed(arg, generators_in_order[i].name, err.msg);
		}
	}
	lt_free(step.pairs);
	return block;
}

static bool contains(const cJSON *list, const cJSON *value)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		if (lt_json_equal(item, value)) {
			return true;
		}
	}
	return false;
}

static cJSON *highlight_of(const cJSON *block)
{
	cJSON *highlight = cJSON_CreateArray();
	const cJSON *message;

	cJSON_ArrayForEach(message, block) {
		const cJSON *car = lt_cell_at(message, 4);

		if (car && !contains(highlight, car)) {
			cJSON_AddItemToArray(highlight, cJSON_Duplicate(car, true));
		}
	}
	return highlight;
}

/* The old list can be that of new_state itself: then its messages move instead of being copied. */
static void append_old(cJSON *block, cJSON *own, const cJSON *old, int count)
{
	const cJSON *message = cJSON_IsArray(old) ? old->child : NULL;

	while (count++ < LT_MESSAGES_MAX && message) {
		const cJSON *next = message->next;

		cJSON_AddItemToArray(block,
				own == old ? cJSON_DetachItemViaPointer(own, own->child)
					   : cJSON_Duplicate(message, true));
		message = next;
	}
}

void lt_messages_apply_take(cJSON *new_state, const cJSON *old_state, cJSON *block)
{
	cJSON *highlight = highlight_of(block);
	int count = cJSON_GetArraySize(block);

	for (; count > LT_MESSAGES_MAX; count--) {
		cJSON_DeleteItemFromArray(block, LT_MESSAGES_MAX);
	}
	append_old(block, lt_json_get(new_state, "messages"), lt_json_get(old_state, "messages"),
			count);
	lt_json_set_take(new_state, "messages", block);
	lt_json_set_take(new_state, "highlight", highlight);
}
