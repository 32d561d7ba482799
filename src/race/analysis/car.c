#include "race/analysis/car.h"

#include "base/alloc.h"

static char *fixed_of(const struct lt_row *row)
{
	LT_AUTO(lt_free) char *class_ = lt_text_of(row->class_);
	LT_AUTO(lt_free) char *team = lt_text_of(row->team);
	LT_AUTO(lt_free) char *model = lt_text_of(row->car);
	struct lt_buf buf = { 0 };

	lt_buf_printf(&buf, "[%s,%s,%s]", class_, team, model);
	return lt_buf_steal(&buf);
}

struct lt_car *lt_car_create_empty(void)
{
	struct lt_car *car = lt_zalloc(sizeof(*car));

	car->current_lap = 1;
	car->seen_in = LT_NEVER;
	return car;
}

struct lt_car *lt_car_create(const char *number, char *key_take, const struct lt_row *row)
{
	struct lt_car *car = lt_car_create_empty();

	car->number = lt_strdup(number);
	car->key = key_take;
	car->class_ = lt_text_of(row->class_);
	car->fixed = fixed_of(row);
	return car;
}

void lt_car_destroy(struct lt_car *car)
{
	if (!car) {
		return;
	}
	for (size_t i = 0; i < car->stint_count; i++) {
		lt_stint_finish(&car->stints[i]);
	}
	lt_free(car->stints);
	lt_texts_finish(&car->drivers);
	lt_texts_finish(&car->messages);
	cJSON_Delete(car->old_state);
	cJSON_Delete(car->old_laps);
	cJSON_Delete(car->old_lap_time);
	cJSON_Delete(car->old_driver);
	lt_free(car->number);
	lt_free(car->key);
	lt_free(car->class_);
	lt_free(car->fixed);
	lt_free(car);
}

/* --- the row before --- */

static bool was_there(const struct lt_car *car, const struct lt_moment *now)
{
	return car->seen_in != LT_NEVER && car->seen_in == now->number - 1;
}

static bool same_cell(const cJSON *old_cell, const cJSON *cell)
{
	return old_cell && cell ? lt_json_equal(old_cell, cell) : old_cell == cell;
}

static void keep_cell(cJSON **slot, const cJSON *cell)
{
	/* 90 and 90.0 are equal; either will do to see the next change. */
	if (!same_cell(*slot, cell)) {
		cJSON_Delete(*slot);
		*slot = cell ? cJSON_Duplicate(cell, true) : NULL;
	}
}

void lt_car_keep_row(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now)
{
	keep_cell(&car->old_state, row->state);
	keep_cell(&car->old_laps, row->laps);
	keep_cell(&car->old_lap_time, lt_row_lap_time(row));
	keep_cell(&car->old_driver, row->driver);
	car->seen_in = now->number;
}

/* --- stints --- */

static struct lt_stint *last_stint(const struct lt_car *car)
{
	return car->stint_count ? &car->stints[car->stint_count - 1] : NULL;
}

static struct lt_stint *running_stint(const struct lt_car *car)
{
	struct lt_stint *last = last_stint(car);

	return last && last->is_running ? last : NULL;
}

const struct lt_stint *lt_car_running(const struct lt_car *car)
{
	return running_stint(car);
}

struct lt_stint *lt_car_add_stint(struct lt_car *car)
{
	if (car->stint_count == car->stint_cap) {
		car->stint_cap = car->stint_cap ? car->stint_cap * 2 : 4;
		car->stints = lt_reallocarray(car->stints, car->stint_cap, sizeof(*car->stints));
	}
	car->stints[car->stint_count] = (struct lt_stint){ .driver = -1 };
	return &car->stints[car->stint_count++];
}

static void start_stint(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now)
{
	const struct lt_stint *before = last_stint(car);
	int64_t start_lap = before ? before->end_lap + 1 : car->current_lap;
	struct lt_stint *stint = lt_car_add_stint(car);

	stint->start_lap = LT_MAX(start_lap, 1);
	stint->start_time = now->time;
	stint->driver = lt_texts_find(&car->drivers, row->driver);
	stint->is_running = true;
}

bool lt_car_update_stint(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now)
{
	const cJSON *old_state = was_there(car, now) ? car->old_state : NULL;

	if (old_state && same_cell(old_state, row->state)) {
		return false;
	}
	bool was_in_pits = lt_state_is_pits(old_state), in_pits = lt_state_is_pits(row->state);
	bool fuel_changed = lt_state_is_fuel(old_state) != lt_state_is_fuel(row->state);
	struct lt_stint *last = last_stint(car);

	if (in_pits && !was_in_pits) {
		if (last) {
			last->end_lap = car->current_lap;
			last->end_time = now->time;
			last->is_running = false;
		}
		return true;
	}
	if (!in_pits && (was_in_pits || !old_state)) {
		bool starts = !running_stint(car);

		if (starts) {
			start_stint(car, row, now);
		}
		/* Without a State column every update looks like the first. */
		return starts || was_in_pits || !was_there(car, now);
	}
	return fuel_changed;
}

/* --- laps --- */

static void count_lap(struct lt_car *car, struct lt_number seconds)
{
	struct lt_stint *stint = last_stint(car);

	car->laps_recorded++;
	/* A lap in the pits before any stint belongs to none. */
	if (stint) {
		lt_stint_add_lap(stint, seconds, car->worst_flag);
		stint->end_lap = car->current_lap;
	}
}

bool lt_car_update_lap(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now)
{
	const cJSON *time = lt_row_lap_time(row);
	int64_t laps;

	if (!was_there(car, now) ||
			(same_cell(car->old_lap_time, time) &&
					same_cell(car->old_laps, row->laps))) {
		return false;
	}
	struct lt_number seconds = lt_lap_seconds(time);
	if (!seconds.is_set) {
		return false;
	}
	laps = lt_row_lap_count(row);
	car->current_lap = laps >= 0 ? laps : car->laps_recorded;
	if (!running_stint(car) && !lt_state_is_pits(row->state)) {
		start_stint(car, row, now);
	}
	if (seconds.value > 0) {
		count_lap(car, seconds);
	}
	car->last_pass = now->time;
	car->worst_flag = now->flag;
	return true;
}

/* --- drivers --- */

bool lt_car_update_driver(struct lt_car *car, const struct lt_row *row, const struct lt_moment *now)
{
	const cJSON *old_driver = was_there(car, now) ? car->old_driver : NULL;

	if (same_cell(old_driver, row->driver) || lt_texts_find(&car->drivers, row->driver) >= 0) {
		return false;
	}
	lt_texts_add(&car->drivers, row->driver);
	return true;
}

/* --- JSON --- */

void lt_car_write_lap(struct lt_buf *buf, const struct lt_car *car, struct lt_number current_time)
{
	const struct lt_stint *running = running_stint(car);

	lt_buf_add_char(buf, '[');
	if (running) {
		lt_stint_write(buf, running, car->current_lap, current_time);
	} else {
		lt_buf_add_c(buf, "null");
	}
	lt_buf_add_char(buf, ',');
	lt_number_write(buf, car->last_pass);
	lt_buf_add_char(buf, ']');
}

void lt_car_write_stints(struct lt_buf *buf, const struct lt_car *car)
{
	size_t finished = car->stint_count - (lt_car_running(car) != NULL);

	lt_buf_add_char(buf, '[');
	for (size_t i = 0; i < finished; i++) {
		if (i > 0) {
			lt_buf_add_char(buf, ',');
		}
		lt_stint_write(buf, &car->stints[i], car->current_lap, (struct lt_number){ 0 });
	}
	lt_buf_add_char(buf, ']');
}
