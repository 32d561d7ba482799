/*
 * Flags and the leader over the race:
 * {"currentTimestamp": t, "flagStats": [[flag, start lap, start time, end lap,
 * end time], ...], "leaderLap": n}. The current period ends with null, null;
 * laps are the leader's.
 */
#ifndef LT_RACE_ANALYSIS_SESSION_H
#define LT_RACE_ANALYSIS_SESSION_H

#include "race/analysis/number.h"

/* A period lasts until the next one starts. */
struct lt_flag_period {
	int flag;
	int64_t start_lap;
	struct lt_number start_time;
};

struct lt_session_stats {
	struct lt_flag_period *periods;
	size_t count, cap;
	int64_t leader_lap; /* highest lap that a car has completed */
};

void lt_session_stats_finish(struct lt_session_stats *stats);

/* A flag that differs from the current one (or is the first) starts a period: true. */
bool lt_session_stats_flag(struct lt_session_stats *stats, int flag, struct lt_number now);
void lt_session_stats_add(struct lt_session_stats *stats, struct lt_flag_period period);

void lt_session_stats_write(struct lt_buf *buf, const struct lt_session_stats *stats,
		struct lt_number current_time);

#endif
