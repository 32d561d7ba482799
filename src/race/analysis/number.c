#include "race/analysis/number.h"

struct lt_number lt_number_from_json(const cJSON *item)
{
	if (!cJSON_IsNumber(item)) {
		return (struct lt_number){ 0 };
	}
	return (struct lt_number){ item->valuedouble, lt_json_is_float(item), true };
}

struct lt_number lt_number_from_s(int64_t time_s)
{
	return (struct lt_number){ (double)time_s, false, true };
}

struct lt_number lt_number_from_wall(struct lt_wall time)
{
	return (struct lt_number){ (double)time.us / LT_US_PER_S, true, true };
}

void lt_number_write(struct lt_buf *buf, struct lt_number number)
{
	if (!number.is_set) {
		lt_buf_add_c(buf, "null");
	} else if (number.is_float) {
		lt_json_write_double(buf, number.value);
	} else {
		lt_buf_printf(buf, "%.0f", number.value);
	}
}
