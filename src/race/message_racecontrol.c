/* Messages of race control: a text in upper case, with the car it names. */
#include "race/message.h"
#include "race/message_generator.h"
#include "race/upper.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c, char lower)
{
	return c == lower || c == lower - 'a' + 'A';
}

/*
 * Digits of the first "car ", perhaps "#", perhaps a space, digits; also inside
 * a word, as the original does it. p NULL when there is none.
 */
static struct lt_str find_car(struct lt_str text)
{
	for (; text.n >= 5; text = lt_str_skip(text, 1)) {
		size_t start = 4, end;

		if (!is_letter(text.p[0], 'c') || !is_letter(text.p[1], 'a') ||
				!is_letter(text.p[2], 'r') || text.p[3] != ' ') {
			continue;
		}
		start += text.p[start] == '#';
		start += start < text.n && text.p[start] == ' ';
		for (end = start; end < text.n && is_digit(text.p[end]); end++) {
		}
		if (end > start) {
			return (struct lt_str){ text.p + start, end - start };
		}
	}
	return (struct lt_str){ NULL, 0 };
}

cJSON *lt_message_race_control(struct lt_str text, int64_t now_s)
{
	LT_AUTO(lt_buf_finish) struct lt_buf upper = { 0 };
	struct lt_str car = find_car(text);
	cJSON *message;

	lt_upper(&upper, text);
	message = lt_message_new_take(now_s, lt_json_new_str(LT_STR("Race Control")),
			lt_buf_str(&upper), "raceControl");
	if (car.p) {
		cJSON_AddItemToArray(message, lt_json_new_str(car));
	}
	return message;
}
