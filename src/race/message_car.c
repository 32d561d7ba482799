/* Messages about single cars: pits and state, driver change, fast lap. */
#include "race/message.h"
#include "race/message_generator.h"

/* --- cells as the original's language sees them --- */

static bool is_null(const cJSON *cell)
{
	return !cell || cJSON_IsNull(cell);
}

/* null, "", 0, false and empty containers. */
static bool is_empty(const cJSON *cell)
{
	if (is_null(cell) || cJSON_IsFalse(cell)) {
		return true;
	}
	if (cJSON_IsString(cell)) {
		return cell->valuestring[0] == '\0';
	}
	if (cJSON_IsNumber(cell)) {
		return cell->valuedouble == 0;
	}
	return (cJSON_IsArray(cell) || cJSON_IsObject(cell)) && !cell->child;
}

static bool is_text(const cJSON *cell, const char *text)
{
	return cJSON_IsString(cell) && strcmp(cell->valuestring, text) == 0;
}

static bool cells_differ(const cJSON *a, const cJSON *b)
{
	return is_null(a) || is_null(b) ? is_null(a) != is_null(b) : !lt_json_equal(a, b);
}

/* The value in words: null is None, as the messages of the original have it. */
static void add_cell(struct lt_buf *text, const cJSON *cell)
{
	if (is_null(cell)) {
		lt_buf_add_c(text, "None");
	} else if (cJSON_IsString(cell)) {
		lt_buf_add_c(text, cell->valuestring);
	} else if (cJSON_IsBool(cell)) {
		lt_buf_add_c(text, cJSON_IsTrue(cell) ? "True" : "False");
	} else {
		lt_json_print(text, cell, LT_JSON_SPACED);
	}
}

/* --- pieces of a message --- */

static const cJSON *old_cell(const struct lt_car_pair *pair, int column)
{
	return lt_cell_at(pair->old_row, column);
}

static const cJSON *new_cell(const struct lt_car_pair *pair, int column)
{
	return lt_cell_at(pair->new_row, column);
}

/* "#7 (Driver)", or "#7" when nobody is in the car. */
static void add_name(struct lt_buf *text, const struct lt_columns *columns,
		const struct lt_car_pair *pair)
{
	const cJSON *driver = new_cell(pair, columns->driver);

	lt_buf_add_char(text, '#');
	add_cell(text, new_cell(pair, columns->num));
	if (!is_empty(driver)) {
		lt_buf_add_c(text, " (");
		add_cell(text, driver);
		lt_buf_add_char(text, ')');
	}
}

/* The car is named by the first cell of its row, whatever column that is. */
static void add_message(const struct lt_message_step *step, const struct lt_car_pair *pair,
		cJSON *block, const char *default_category, struct lt_str text, const char *type)
{
	const cJSON *class_ = new_cell(pair, step->columns.class_);
	cJSON *category = class_ ? cJSON_Duplicate(class_, true)
				 : lt_json_new_str(lt_str_from(default_category));
	cJSON *message = lt_message_new_take(step->now_s, category, text, type);

	cJSON_AddItemToArray(message, cJSON_Duplicate(new_cell(pair, 0), true));
	cJSON_AddItemToArray(block, message);
}

/* --- pits and state --- */

struct state_change {
	const char *text;
	const char *type;
};

/* NULL: a change without words. The order of the rules counts. */
static const struct state_change *describe_change(const cJSON *old, const cJSON *now)
{
	static const struct state_change left = { "has left the pits", "out" };
	static const struct state_change resumed = { "has resumed", "" };
	static const struct {
		const char *state;
		struct state_change change;
	} entered[] = {
		{ "PIT", { "has entered the pits", "pit" } },
		{ "FUEL", { "has entered the fuelling area", "pit" } },
		{ "RET", { "has retired", "" } },
		{ "STOP", { "is running slowly or stopped", "" } },
	};

	if ((!is_text(old, "RUN") && is_text(now, "OUT")) ||
			(is_text(now, "RUN") && is_text(old, "PIT"))) {
		return &left;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(entered); i++) {
		if (is_text(now, entered[i].state)) {
			return &entered[i].change;
		}
	}
	return is_text(old, "STOP") && is_text(now, "RUN") ? &resumed : NULL;
}

static void pits_of_car(
		const struct lt_message_step *step, const struct lt_car_pair *pair, cJSON *block)
{
	const cJSON *old = old_cell(pair, step->columns.state);
	const cJSON *now = new_cell(pair, step->columns.state);
	const struct state_change *change;

	if (!cells_differ(old, now) || is_null(new_cell(pair, step->columns.num)) ||
			is_text(old, "N/S")) {
		return;
	}
	change = describe_change(old, now);
	if (change) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		add_name(&text, &step->columns, pair);
		lt_buf_add_char(&text, ' ');
		lt_buf_add_c(&text, change->text);
		add_message(step, pair, block, "Pits", lt_buf_str(&text), change->type);
	}
}

/* --- driver change --- */

static void driver_of_car(
		const struct lt_message_step *step, const struct lt_car_pair *pair, cJSON *block)
{
	const cJSON *old = old_cell(pair, step->columns.driver);
	const cJSON *now = new_cell(pair, step->columns.driver);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (!cells_differ(old, now) || is_null(new_cell(pair, step->columns.num))) {
		return;
	}
	lt_buf_add_char(&text, '#');
	add_cell(&text, new_cell(pair, step->columns.num));
	lt_buf_add_c(&text, " Driver change (");
	if (is_empty(old)) {
		lt_buf_add_c(&text, "to ");
		add_cell(&text, now);
	} else if (!is_empty(now)) {
		add_cell(&text, old);
		lt_buf_add_c(&text, " to ");
		add_cell(&text, now);
	} else {
		lt_buf_add_c(&text, "from ");
		add_cell(&text, old);
		lt_buf_add_c(&text, " to nobody");
	}
	lt_buf_add_char(&text, ')');
	add_message(step, pair, block, "Pits", lt_buf_str(&text), NULL);
}

/* --- fast lap --- */

struct lap {
	double time;
	const cJSON *flag;
};

/* Only [time, flag] with a time that was written as floating point. */
static bool read_lap(const cJSON *cell, struct lap *ret)
{
	const cJSON *time = lt_cell_at(cell, 0);

	if (!time || !time->next || !lt_json_is_float(time)) {
		return false;
	}
	*ret = (struct lap){ time->valuedouble, time->next };
	return true;
}

static void fast_lap_of_car(
		const struct lt_message_step *step, const struct lt_car_pair *pair, cJSON *block)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lap old, now;
	bool personal, overall;

	if (!read_lap(old_cell(pair, step->columns.last_lap), &old) ||
			!read_lap(new_cell(pair, step->columns.last_lap), &now) || now.time <= 0 ||
			is_empty(new_cell(pair, step->columns.num))) {
		return;
	}
	if (now.time == old.time && !cells_differ(now.flag, old.flag)) {
		return;
	}
	personal = is_text(now.flag, "pb") && (is_text(old.flag, "") || now.time < old.time);
	overall = is_text(now.flag, "sb-new");
	if (!personal && !overall) {
		return;
	}
	add_name(&text, &step->columns, pair);
	lt_buf_add_c(&text, overall ? " set a new overall best: " : " set a new personal best: ");
	lt_format_time(&text, now.time);
	add_message(step, pair, block, "Timing", lt_buf_str(&text), overall ? "sb" : "pb");
}

/* --- generators --- */

static bool for_each_car(struct lt_message_step *step, cJSON *block, struct lt_err *err,
		void (*generate)(const struct lt_message_step *, const struct lt_car_pair *,
				cJSON *))
{
	if (!lt_car_pairs_find(step, err)) {
		return false;
	}
	for (size_t i = 0; i < step->pair_count; i++) {
		generate(step, &step->pairs[i], block);
	}
	return true;
}

bool lt_message_pits(struct lt_message_step *step, cJSON *block, struct lt_err *err)
{
	return for_each_car(step, block, err, pits_of_car);
}

bool lt_message_driver(struct lt_message_step *step, cJSON *block, struct lt_err *err)
{
	return for_each_car(step, block, err, driver_of_car);
}

bool lt_message_fast_lap(struct lt_message_step *step, cJSON *block, struct lt_err *err)
{
	return for_each_car(step, block, err, fast_lap_of_car);
}
