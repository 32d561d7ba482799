/*
 * A session as the collections of OpenF1 have it, turned into events in order of
 * time. Reading may be done off the loop: a struct f1_data is touched by one
 * thread at a time, and by nothing but these functions. Pure.
 *
 * Rows may be missing, repeated, out of order, with nulls or of another shape:
 * what cannot be used is counted and left out. Times are unix milliseconds.
 */
#ifndef LT_OPENF1_F1_DATA_H
#define LT_OPENF1_F1_DATA_H

#include <stdbool.h>

#include <livetiming/plugin.h>

#define F1_TEXT_LEN  64
#define F1_ERROR_LEN 200
#define F1_NONE      INT32_MIN /* a number that is not known */
#define F1_NO_DATE   INT64_MIN

/* In the order in which they are fetched. */
enum f1_collection {
	F1_SESSIONS,
	F1_DRIVERS,
	F1_LAPS,
	F1_POSITION,
	F1_INTERVALS,
	F1_PIT,
	F1_STINTS,
	F1_RACE_CONTROL,
	F1_WEATHER,
	F1_COLLECTIONS,
};
/* "sessions", ... as they stand in addresses. */
const char *f1_name(enum f1_collection collection);

struct f1_session {
	int64_t key; /* 0: not known */
	char name[F1_TEXT_LEN], place[F1_TEXT_LEN], country[F1_TEXT_LEN];
	int32_t year;
	int64_t start_ms, end_ms;
	bool is_race, is_cancelled;
};

struct f1_driver {
	int32_t number;
	char name[F1_TEXT_LEN], team[F1_TEXT_LEN];
};

struct f1_stint {
	int32_t driver, number, lap_start, age; /* age F1_NONE: not known */
	char compound[16];
};

/* At the same moment events are in this order. */
enum f1_kind {
	F1_EV_CONTROL, /* text; v[0]: 1 on the whole track; v[1]: 1 of the safety car */
	F1_EV_WEATHER, /* v: air, track, humidity, wind, rain, in tenths */
	F1_EV_PIT_OUT,
	F1_EV_SECTOR, /* n: lap; v[0]: 1 to 3; v[1]: ms */
	F1_EV_LAP,    /* n: lap; v[0]: ms */
	F1_EV_PIT_IN,
	F1_EV_POSITION, /* n: position */
	F1_EV_GAP,      /* v[0], v[1]: ms and laps to the leader; v[2], v[3] to the car ahead */
};

struct f1_event {
	int64_t at_ms;
	enum f1_kind kind;
	int32_t driver; /* its number; 0: none */
	int32_t n;
	int32_t v[5];
	uint32_t text; /* place in the texts */
};

struct f1_data;

struct f1_data *f1_data_create(void);       /* NULL: no memory */
void f1_data_destroy(struct f1_data *data); /* NULL is fine */

/*
 * One answer. False: it is not what it should be (error says why), and nothing
 * of it counts. A session that is not there: key stays 0.
 */
bool f1_read(struct f1_data *data, const struct lt_json_ext *json, enum f1_collection collection,
		struct lt_str body, char error[F1_ERROR_LEN]);
/* Put all that was read in order; once, after the last answer. */
void f1_finish(struct f1_data *data);

const struct f1_session *f1_session(const struct f1_data *data);
const struct f1_driver *f1_drivers(const struct f1_data *data, size_t *ret_n);
const struct f1_event *f1_events(const struct f1_data *data, size_t *ret_n);
const char *f1_text(const struct f1_data *data, uint32_t text);
/* The tyres with which a driver is in this lap; NULL: not known. */
const struct f1_stint *f1_stint(const struct f1_data *data, int32_t driver, int32_t lap);

struct f1_counts {
	int64_t rows, damaged, repeated;
};
struct f1_counts f1_counts(const struct f1_data *data);

/* "2023-09-16T13:03:35.200000+00:00", also without fraction or zone, or with Z. */
int64_t f1_date(struct lt_str date); /* F1_NO_DATE: it is none */

#endif
