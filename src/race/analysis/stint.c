#include "race/analysis/stint.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "race/flag.h"

void lt_stint_finish(struct lt_stint *stint)
{
	lt_free(stint->laps);
	stint->laps = NULL;
	stint->lap_count = stint->lap_cap = 0;
}

void lt_stint_add_lap(struct lt_stint *stint, struct lt_number seconds, int flag)
{
	if (stint->lap_count == stint->lap_cap) {
		stint->lap_cap = stint->lap_cap ? stint->lap_cap * 2 : 8;
		stint->laps = lt_reallocarray(stint->laps, stint->lap_cap, sizeof(*stint->laps));
	}
	stint->laps[stint->lap_count++] = (struct lt_lap){
		.seconds = seconds.value,
		.is_float = seconds.is_float,
		.flag = (uint8_t)flag,
	};
}

static struct lt_number number_of(const struct lt_lap *lap)
{
	return (struct lt_number){ lap->seconds, lap->is_float, true };
}

static struct lt_number best_lap(const struct lt_stint *stint)
{
	const struct lt_lap *best = stint->laps;

	if (stint->lap_count == 0) {
		return (struct lt_number){ 0 };
	}
	for (size_t i = 1; i < stint->lap_count; i++) {
		best = stint->laps[i].seconds < best->seconds ? &stint->laps[i] : best;
	}
	return number_of(best);
}

static unsigned yellow_laps(const struct lt_stint *stint)
{
	unsigned count = 0;

	for (size_t i = 0; i < stint->lap_count; i++) {
		count += stint->laps[i].flag >= LT_YELLOW;
	}
	return count;
}

/* Without the lap out of the pits, and in a finished stint without the one into them; 0 without
 * any lap at all, null when no lap is left. */
static struct lt_number average(const struct lt_stint *stint)
{
	size_t end = stint->is_running ? stint->lap_count : stint->lap_count - 1;
	double sum = 0;

	if (stint->lap_count == 0) {
		return (struct lt_number){ 0, true, true };
	}
	if (end <= 1) {
		return (struct lt_number){ 0 };
	}
	for (size_t i = 1; i < end; i++) {
		sum += stint->laps[i].seconds;
	}
	return (struct lt_number){ sum / (double)(end - 1), true, true };
}

static void write_laps(struct lt_buf *buf, const struct lt_stint *stint)
{
	lt_buf_add_char(buf, '[');
	for (size_t i = 0; i < stint->lap_count; i++) {
		lt_buf_add_c(buf, i > 0 ? ",[" : "[");
		lt_number_write(buf, number_of(&stint->laps[i]));
		lt_buf_printf(buf, ",%d]", stint->laps[i].flag);
	}
	lt_buf_add_char(buf, ']');
}

void lt_stint_write(struct lt_buf *buf, const struct lt_stint *stint, int64_t current_lap,
		struct lt_number current_time)
{
	lt_buf_printf(buf, "[%" PRId64 ",", stint->start_lap);
	lt_number_write(buf, stint->start_time);
	lt_buf_printf(buf, ",%" PRId64 ",", stint->is_running ? current_lap : stint->end_lap);
	lt_number_write(buf, stint->is_running ? current_time : stint->end_time);
	lt_buf_printf(buf, ",%s,%d,", stint->is_running ? "true" : "false", stint->driver);
	lt_number_write(buf, best_lap(stint));
	lt_buf_printf(buf, ",%u,", yellow_laps(stint));
	lt_number_write(buf, average(stint));
	lt_buf_add_char(buf, ',');
	write_laps(buf, stint);
	lt_buf_add_char(buf, ']');
}
