#include "race/analysis/analysis.h"

#include "base/alloc.h"
#include "race/analysis/analysis_state.h"
#include "race/flag.h"

const char *const lt_analysis_keys[] = { "static", "driver", "messages", "session", "lap", "stint",
	"car_messages", NULL };

struct lt_analysis *lt_analysis_create(const cJSON *col_spec)
{
	struct lt_analysis *analysis = lt_zalloc(sizeof(*analysis));

	lt_row_layout_init(&analysis->layout, col_spec);
	analysis->cars = lt_car_list_create();
	analysis->flag = LT_NONE;
	return analysis;
}

void lt_analysis_destroy(struct lt_analysis *analysis)
{
	if (!analysis) {
		return;
	}
	lt_row_layout_finish(&analysis->layout);
	lt_car_list_destroy(analysis->cars);
	lt_session_stats_finish(&analysis->session);
	lt_race_messages_finish(&analysis->messages);
	lt_free(analysis->rows);
	lt_buf_finish(&analysis->key);
	lt_free(analysis);
}

void lt_analysis_on_change(struct lt_analysis *analysis, lt_analysis_changed_fn *fn, void *arg)
{
	analysis->changed = fn;
	analysis->changed_arg = arg;
}

/* --- an update --- */

/* car NULL: the whole part. */
static void notify(struct lt_analysis *analysis, const char *part, const struct lt_car *car)
{
	if (!analysis->changed) {
		return;
	}
	lt_buf_clear(&analysis->key);
	lt_buf_add_c(&analysis->key, part);
	if (car) {
		lt_buf_add_char(&analysis->key, '/');
		lt_buf_add_c(&analysis->key, car->key);
	}
	analysis->changed(analysis->changed_arg, lt_buf_str(&analysis->key));
}

static bool read_flag(const cJSON *state, int *ret_flag, struct lt_err *err)
{
	const cJSON *name = lt_json_get(lt_json_get(state, "session"), "flagState");
	char quoted[LT_QUOTE_MAX];
	enum lt_flag flag = LT_NONE;

	if (name && !cJSON_IsString(name)) {
		return lt_err_set(err, LT_E_FORMAT, "session: flagState: not a text");
	}
	if (name && !lt_flag_parse(lt_str_from(name->valuestring), &flag)) {
		return lt_err_set(err, LT_E_FORMAT, "session: flagState: %s is not a flag",
				lt_str_quote(lt_str_from(name->valuestring), quoted));
	}
	*ret_flag = flag;
	return true;
}

/*
 * The cells of all cars. A leader whose gap is "(23 laps)" turns the gap column
 * into a lap count: each car has that of the nearest such cell above it.
 */
static size_t read_rows(struct lt_analysis *analysis, const cJSON *cars)
{
	size_t count = (size_t)cJSON_GetArraySize(cars), used = 0;
	int64_t gap_laps = -1;
	bool is_first = true;
	const cJSON *item;

	if (count > analysis->row_cap) {
		analysis->row_cap = count;
		analysis->rows = lt_reallocarray(analysis->rows, count, sizeof(*analysis->rows));
	}
	cJSON_ArrayForEach(item, cars) {
		struct lt_row *row = &analysis->rows[used].row;

		if (!lt_row_read(&analysis->layout, item, row)) {
			is_first = false;
			continue;
		}
		if (is_first || gap_laps >= 0) {
			int64_t laps = lt_gap_laps(row->gap);

			gap_laps = laps >= 0 ? laps : gap_laps;
		}
		row->gap_laps = gap_laps;
		is_first = false;
		used++;
	}
	return used;
}

static void update_drivers(struct lt_analysis *analysis, size_t rows, const struct lt_moment *now)
{
	bool changed = false;

	for (size_t i = 0; i < rows; i++) {
		struct lt_car_row *each = &analysis->rows[i];

		changed |= each->car && lt_car_update_driver(each->car, &each->row, now);
	}
	if (changed) {
		notify(analysis, "driver", NULL);
	}
}

/*
 * Messages that name the car's number. Where two cars share it, the category,
 * which is the class, tells whose it is; in doubt it is the first one's.
 */
static bool add_car_messages(struct lt_car *car, const cJSON *new_messages)
{
	LT_AUTO(lt_buf_finish) struct lt_buf number = { 0 };
	bool is_first = strcmp(car->key, car->number) == 0;
	bool added = false;
	const cJSON *message;

	cJSON_ArrayForEach(message, new_messages) {
		if (!lt_message_car_number(message, &number) ||
				!lt_str_eq_c(lt_buf_str(&number), car->number)) {
			continue;
		}
		LT_AUTO(lt_free) char *category = lt_text_of(cJSON_GetArrayItem(message, 1));
		if (is_first || strcmp(category, car->class_) == 0) {
			lt_texts_add(&car->messages, message);
			added = true;
		}
	}
	return added;
}

/* Returns whether the leader's lap is a new one. */
static bool update_cars(struct lt_analysis *analysis, size_t rows, const struct lt_moment *now,
		const cJSON *new_messages)
{
	int64_t leader_before = analysis->session.leader_lap;

	for (size_t i = 0; i < rows; i++) {
		struct lt_car *car = analysis->rows[i].car;
		const struct lt_row *row = &analysis->rows[i].row;

		if (!car) {
			continue;
		}
		if (lt_car_update_lap(car, row, now)) {
			analysis->session.leader_lap =
					LT_MAX(analysis->session.leader_lap, car->current_lap);
			notify(analysis, "lap", car);
		}
		if (lt_car_update_stint(car, row, now)) {
			notify(analysis, "stint", car);
		}
		if (add_car_messages(car, new_messages)) {
			notify(analysis, "car_messages", car);
		}
		lt_car_keep_row(car, row, now);
	}
	return analysis->session.leader_lap != leader_before;
}

/* A new flag counts for the lap that every car is in now. */
static void spread_flag(struct lt_analysis *analysis, int flag)
{
	for (size_t i = 0; i < lt_car_list_count(analysis->cars); i++) {
		struct lt_car *car = lt_car_list_at(analysis->cars, i);

		car->worst_flag = LT_MAX(car->worst_flag, flag);
	}
}

bool lt_analysis_update(struct lt_analysis *analysis, const cJSON *state, struct lt_number time,
		const cJSON *new_messages, struct lt_err *err)
{
	const cJSON *cars = lt_json_get(state, "cars");
	const cJSON *messages = cJSON_IsArray(new_messages) ? new_messages : NULL;
	struct lt_moment now = { .number = analysis->updates, .time = time };
	size_t rows, created;
	bool session_changed;

	if (!cJSON_IsArray(cars)) {
		return lt_err_set(err, LT_E_FORMAT, "cars: %s", cars ? "not a list" : "missing");
	}
	if (!read_flag(state, &now.flag, err)) {
		return false;
	}
	rows = read_rows(analysis, cars);
	lt_car_list_claim(analysis->cars, analysis->rows, rows, &created);
	if (created > 0) {
		notify(analysis, "static", NULL);
	}
	update_drivers(analysis, rows, &now);
	session_changed = update_cars(analysis, rows, &now, messages);
	if (lt_race_messages_add(&analysis->messages, messages)) {
		notify(analysis, "messages", NULL);
	}
	if (now.flag != analysis->flag) {
		spread_flag(analysis, now.flag);
	}
	if (lt_session_stats_flag(&analysis->session, now.flag, time) || session_changed) {
		notify(analysis, "session", NULL);
	}
	analysis->flag = now.flag;
	analysis->time = time;
	analysis->updates++;
	return true;
}

/* --- JSON --- */

typedef void write_car_fn(
		const struct lt_analysis *analysis, const struct lt_car *car, struct lt_buf *buf);

static void write_static(
		const struct lt_analysis *analysis, const struct lt_car *car, struct lt_buf *buf)
{
	(void)analysis;
	lt_buf_add_c(buf, car->fixed);
}

static void write_list(struct lt_buf *buf, const struct lt_texts *texts)
{
	lt_buf_add_char(buf, '[');
	lt_texts_write(buf, texts);
	lt_buf_add_char(buf, ']');
}

static void write_drivers(
		const struct lt_analysis *analysis, const struct lt_car *car, struct lt_buf *buf)
{
	(void)analysis;
	write_list(buf, &car->drivers);
}

static void write_lap(
		const struct lt_analysis *analysis, const struct lt_car *car, struct lt_buf *buf)
{
	lt_car_write_lap(buf, car, analysis->time);
}

static void write_stints(
		const struct lt_analysis *analysis, const struct lt_car *car, struct lt_buf *buf)
{
	(void)analysis;
	lt_car_write_stints(buf, car);
}

static void write_car_messages(
		const struct lt_analysis *analysis, const struct lt_car *car, struct lt_buf *buf)
{
	(void)analysis;
	write_list(buf, &car->messages);
}

static const struct {
	const char *key;
	write_car_fn *write;
	bool has_own_key; /* is published car by car */
} car_parts[] = {
	{ "static", write_static, false },
	{ "driver", write_drivers, false },
	{ "lap", write_lap, true },
	{ "stint", write_stints, true },
	{ "car_messages", write_car_messages, true },
};

static void write_member(const struct lt_analysis *analysis, const struct lt_car *car,
		write_car_fn *write, struct lt_buf *buf)
{
	lt_json_write_ascii(buf, lt_str_from(car->key));
	lt_buf_add_char(buf, ':');
	write(analysis, car, buf);
}

/* only: NULL for all cars. */
static void write_part(const struct lt_analysis *analysis, write_car_fn *write,
		const struct lt_car *only, struct lt_buf *buf)
{
	size_t count = only ? 0 : lt_car_list_count(analysis->cars);

	lt_buf_add_char(buf, '{');
	if (only) {
		write_member(analysis, only, write, buf);
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0) {
			lt_buf_add_char(buf, ',');
		}
		write_member(analysis, lt_car_list_at(analysis->cars, i), write, buf);
	}
	lt_buf_add_char(buf, '}');
}

bool lt_analysis_write(const struct lt_analysis *analysis, struct lt_str key, struct lt_buf *buf)
{
	struct lt_str of_car = key;
	struct lt_str part = lt_str_split(&of_car, '/');

	if (lt_str_eq_c(key, "messages")) {
		lt_race_messages_write(buf, &analysis->messages);
		return true;
	}
	if (lt_str_eq_c(key, "session")) {
		lt_session_stats_write(buf, &analysis->session, analysis->time);
		return true;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(car_parts); i++) {
		if (!lt_str_eq_c(part, car_parts[i].key)) {
			continue;
		}
		const struct lt_car *car =
				of_car.p ? lt_car_list_find(analysis->cars, of_car) : NULL;
		if (of_car.p && (!car || !car_parts[i].has_own_key)) {
			return false;
		}
		write_part(analysis, car_parts[i].write, car, buf);
		return true;
	}
	return false;
}

void lt_analysis_write_members(const struct lt_analysis *analysis, struct lt_buf *buf)
{
	for (const char *const *key = lt_analysis_keys; *key; key++) {
		lt_buf_printf(buf, "%s\"%s\":", key == lt_analysis_keys ? "" : ",", *key);
		lt_analysis_write(analysis, lt_str_from(*key), buf);
	}
}

void lt_analysis_write_whole(const struct lt_analysis *analysis, struct lt_buf *buf)
{
	lt_buf_add_char(buf, '{');
	lt_analysis_write_members(analysis, buf);
	lt_buf_add_char(buf, '}');
}

cJSON *lt_analysis_get(const struct lt_analysis *analysis, struct lt_str key)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	return lt_analysis_write(analysis, key, &text) ? lt_json_parse(lt_buf_str(&text), NULL)
						       : NULL;
}

cJSON *lt_analysis_whole(const struct lt_analysis *analysis)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_analysis_write_whole(analysis, &text);
	return lt_json_parse(lt_buf_str(&text), NULL);
}
