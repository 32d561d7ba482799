/*
 * What an analysis consists of; for analysis.c and analysis_save.c alone.
 */
#ifndef LT_RACE_ANALYSIS_STATE_H
#define LT_RACE_ANALYSIS_STATE_H

#include "race/analysis/analysis.h"
#include "race/analysis/car_list.h"
#include "race/analysis/messages.h"
#include "race/analysis/session.h"

struct lt_analysis {
	struct lt_row_layout layout;
	struct lt_car_list *cars;
	struct lt_session_stats session;
	struct lt_race_messages messages;
	int64_t updates;       /* that succeeded */
	struct lt_number time; /* of the last one */
	int flag;              /* of the last one; none before the first */

	lt_analysis_changed_fn *changed;
	void *changed_arg;

	/* Scratch of an update, kept for its memory. */
	struct lt_car_row *rows;
	size_t row_cap;
	struct lt_buf key;
};

#endif
