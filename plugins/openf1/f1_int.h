/* Inside of f1_data.c (what was read, in order) and f1_rows.c (rows of answers). */
#ifndef LT_OPENF1_F1_INT_H
#define LT_OPENF1_F1_INT_H

#include "f1_data.h"

#define F1_DRIVERS_MAX 100
#define F1_LAPS_MAX    30000
#define F1_STINTS_MAX  4000
#define F1_EVENTS_MAX  500000
#define F1_TEXTS_MAX   (1u << 20)
#define F1_LAP_MAX     1000

struct f1_lap {
	int32_t driver, number;
	int64_t start_ms;  /* F1_NO_DATE: not known */
	int32_t ms;        /* F1_NONE: not known */
	int32_t sector[3]; /* the same */
	int64_t end_ms;    /* found by f1_finish */
};

struct f1_data {
	struct f1_session session;
	struct f1_driver drivers[F1_DRIVERS_MAX];
	size_t driver_count;
	struct f1_lap *laps;
	struct f1_stint *stints;
	struct f1_event *events;
	char *texts; /* each terminated; the first one is empty */
	size_t lap_count, lap_room, stint_count, stint_room, event_count, event_room;
	size_t texts_n, texts_room;
	struct f1_counts counts;
};

/* False: there are too many, or no memory. */
bool f1_add_lap(struct f1_data *data, const struct f1_lap *lap);
bool f1_add_stint(struct f1_data *data, const struct f1_stint *stint);
bool f1_add_event(struct f1_data *data, const struct f1_event *event);
uint32_t f1_add_text(struct f1_data *data, struct lt_str text); /* 0: empty, or no room */

#endif
