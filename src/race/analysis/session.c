#include "race/analysis/session.h"

#include <inttypes.h>

#include "base/alloc.h"

void lt_session_stats_finish(struct lt_session_stats *stats)
{
	lt_free(stats->periods);
	*stats = (struct lt_session_stats){ 0 };
}

void lt_session_stats_add(struct lt_session_stats *stats, struct lt_flag_period period)
{
	if (stats->count == stats->cap) {
		stats->cap = stats->cap ? stats->cap * 2 : 16;
		stats->periods = lt_reallocarray(stats->periods, stats->cap, sizeof(period));
	}
	stats->periods[stats->count++] = period;
}

bool lt_session_stats_flag(struct lt_session_stats *stats, int flag, struct lt_number now)
{
	if (stats->count > 0 && stats->periods[stats->count - 1].flag == flag) {
		return false;
	}
	lt_session_stats_add(stats, (struct lt_flag_period){ flag, stats->leader_lap, now });
	return true;
}

static void write_point(struct lt_buf *buf, int64_t lap, struct lt_number time)
{
	lt_buf_printf(buf, ",%" PRId64 ",", lap);
	lt_number_write(buf, time);
}

void lt_session_stats_write(struct lt_buf *buf, const struct lt_session_stats *stats,
		struct lt_number current_time)
{
	lt_buf_add_c(buf, "{\"currentTimestamp\":");
	lt_number_write(buf, current_time);
	lt_buf_add_c(buf, ",\"flagStats\":[");
	for (size_t i = 0; i < stats->count; i++) {
		const struct lt_flag_period *period = &stats->periods[i];

		lt_buf_printf(buf, "%s[%d", i > 0 ? "," : "", period->flag);
		write_point(buf, period->start_lap, period->start_time);
		if (i + 1 < stats->count) {
			write_point(buf, period[1].start_lap, period[1].start_time);
			lt_buf_add_char(buf, ']');
		} else {
			lt_buf_add_c(buf, ",null,null]");
		}
	}
	lt_buf_printf(buf, "],\"leaderLap\":%" PRId64 "}", stats->leader_lap);
}
