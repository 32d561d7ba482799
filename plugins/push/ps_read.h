/*
 * A pushed message, read and checked (docs/push.md has the schema). All of it is
 * checked before any of it counts: a message is taken whole or not at all. Pure.
 *
 * Texts and values are borrowed from the document. A number that was not said is
 * PS_ABSENT; one that was said to be null is PS_NULL, for times LT_NO_TIME.
 */
#ifndef LT_PUSH_PS_READ_H
#define LT_PUSH_PS_READ_H

#include <stdbool.h>

#include <livetiming/plugin.h>

#define PS_CARS_MAX     400
#define PS_COLUMNS_MAX  40
#define PS_OWN_MAX      24 /* columns whose values the sender gives */
#define PS_TRACK_MAX    12
#define PS_MESSAGES_MAX 50
#define PS_SECTORS_MAX  5
#define PS_ERROR_LEN    240
#define PS_NUM_MAX      16 /* bytes */
#define PS_TEXT_MAX     127
#define PS_VALUE_MAX    63

#define PS_ABSENT INT64_MIN
#define PS_NULL   (INT64_MIN + 1)

/* Where the cells of a column come from. */
enum ps_source {
	PS_NUM,
	PS_STATE,
	PS_CLASS,
	PS_PIC,
	PS_TEAM,
	PS_DRIVER,
	PS_CAR,
	PS_TYRE,
	PS_LAPS,
	PS_GAP,
	PS_INT,
	PS_CLASS_GAP,
	PS_CLASS_INT,
	PS_LAST,
	PS_BEST,
	PS_PITS,
	PS_S1, /* ... S5 */
	PS_BS1 = PS_S1 + PS_SECTORS_MAX,
	PS_OWN = PS_BS1 + PS_SECTORS_MAX, /* from the `values` of a car */
};

enum ps_type { PS_TYPE_TEXT, PS_TYPE_NUMBER, PS_TYPE_TIME, PS_TYPE_DELTA, PS_TYPE_CLASS };

struct ps_column {
	char title[PS_VALUE_MAX + 1], description[PS_TEXT_MAX + 1];
	enum ps_type type;
	uint32_t source; /* enum ps_source; for own ones PS_OWN and the place in `values` */
};

struct ps_columns {
	struct ps_column at[PS_COLUMNS_MAX];
	size_t n, own;
};

/* "text", ... as colspecs have it. */
const char *ps_type_name(enum ps_type type);
/* Those of a service to which none were given. */
void ps_default_columns(struct ps_columns *columns, uint32_t sectors);

struct ps_session {
	struct lt_str id, series, description; /* p NULL: not said */
	int64_t kind;                          /* LT_FIELD_... */
	int64_t flag;                          /* LT_FLAG_... */
	int64_t elapsed_ms, remain_ms, laps_remain;
	int64_t runs, over;
};

/* A gap: absent, null (computed), or one that counts. */
struct ps_gap {
	bool is_said, is_given;
	struct lt_field_gap gap;
};

struct ps_car {
	struct lt_str num;
	struct lt_str text[LT_TEXT_COUNT]; /* p NULL: not said */
	int64_t removed, laps, last_ms, best_ms, best_lap, total_ms;
	int64_t state, in_pits, pits, position;
	struct ps_gap gap, interval;
	size_t sector_count; /* 0: not said */
	int64_t sector[PS_SECTORS_MAX];
	const struct lt_value *values; /* NULL: not said; each checked against the columns */
};

struct ps_say {
	struct lt_str text, car; /* car p NULL: none */
	bool is_control;
};

struct ps_track {
	struct lt_str name, value;
};

struct ps_message {
	bool is_full;
	struct ps_session session;
	bool has_columns;
	struct ps_columns columns;
	bool has_track;
	struct ps_track track[PS_TRACK_MAX];
	size_t track_count;
	bool has_cars;
	struct ps_car cars[PS_CARS_MAX];
	size_t car_count;
	struct ps_say says[PS_MESSAGES_MAX];
	size_t say_count;
	char error[PS_ERROR_LEN];
};

/*
 * Read a message. columns: those that hold until it says others. False:
 * message->error names the field: "cars[3].lastLap: expected seconds".
 */
bool ps_read(const struct lt_json_ext *json, const struct lt_value *value,
		const struct ps_columns *columns, struct ps_message *message);

#endif
