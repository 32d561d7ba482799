/* Messages about the flag of the session. */
#include "race/flag.h"
#include "race/message_generator.h"

static const struct {
	const char *text; /* NULL: no message */
	const char *type;
} shown[LT_FLAG_COUNT] = {
	[LT_GREEN] = { "Green flag - track clear", "green" },
	[LT_SC] = { "Safety car deployed", "yellow" },
	[LT_FCY] = { "Full course yellow", "yellow" },
	[LT_YELLOW] = { "Yellow flags shown", "yellow" },
	[LT_RED] = { "Red flag", "red" },
	[LT_CHEQUERED] = { "Chequered flag", "track" },
	[LT_CODE_60] = { "Code 60", "code60" },
	[LT_VSC] = { "Virtual safety car deployed", "yellow" },
	[LT_CAUTION] = { "Full course caution", "yellow" },
	[LT_WHITE] = { "White flag - final lap", "white" },
};

static bool flag_of(const cJSON *state, enum lt_flag *ret_flag, struct lt_err *err)
{
	const cJSON *flag = lt_json_get(lt_json_get(state, "session"), "flagState");
	char quoted[LT_QUOTE_MAX];

	if (!flag) {
		*ret_flag = LT_NONE;
		return true;
	}
	if (!cJSON_IsString(flag)) {
		return lt_err_set(err, LT_E_FORMAT, "flagState is not a text");
	}
	if (!lt_flag_parse(lt_str_from(flag->valuestring), ret_flag)) {
		return lt_err_set(err, LT_E_FORMAT, "unknown flag %s",
				lt_str_quote(lt_str_from(flag->valuestring), quoted));
	}
	return true;
}

static void add_track_message(const struct lt_message_step *step, cJSON *block, const char *text,
		const char *type)
{
	cJSON_AddItemToArray(block,
			lt_message_new_take(step->now_s, lt_json_new_str(LT_STR("Track")),
					lt_str_from(text), type));
}

bool lt_message_flag(struct lt_message_step *step, cJSON *block, struct lt_err *err)
{
	enum lt_flag before, now;

	if (!flag_of(step->old_state, &before, err) || !flag_of(step->new_state, &now, err)) {
		return false;
	}
	if (now != before && shown[now].text) {
		add_track_message(step, block, shown[now].text, shown[now].type);
	}
	return true;
}

bool lt_message_slow_zone(struct lt_message_step *step, cJSON *block, struct lt_err *err)
{
	enum lt_flag before, now;

	if (!flag_of(step->old_state, &before, err) || !flag_of(step->new_state, &now, err)) {
		return false;
	}
	if (now == LT_SLOW_ZONE && before != LT_SLOW_ZONE) {
		add_track_message(step, block, "Slow zone(s) in operation", "yellow");
	}
	return true;
}
