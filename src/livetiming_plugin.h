/*
 * Plugin interface of livetimingd, installed as <livetiming/plugin.h>.
 *
 * A plugin is a shared object that exports one function, lt_plugin_entry_v1,
 * which returns a static description. The daemon makes one instance of it for
 * each timing service, and calls everything on its one event loop: a plugin
 * needs no thread, no lock and no network library. It says what cars are where;
 * messages, compression, publishing, saving and recording are the host's.
 *
 * Rules
 *  - Every pointer is borrowed for the call; the receiver copies. Nobody frees
 *    the other's memory.
 *  - Text is UTF-8 with a length ({p, n}), not terminated unless stated.
 *  - Each callback returns within 5 ms; the host times them, logs the slow ones
 *    with the plugin's name and counts them. Longer work goes to "lt.work/1".
 *  - Functions that can fail return 0, or -1 after having said why through
 *    api->fail, which also stops the service; the reason stays in its listing.
 *  - Structs begin with their size and only ever grow at the end. A member that
 *    the other side does not have yet reads as zero: LT_HAS(api, member).
 *
 * Tags: [loop] may be called at any time between create and destroy, from the
 * loop thread; [create] only inside ops->create; [any] from any thread.
 *
 * History (additions only, newest last)
 *  1.0  2026-11-24  first version
 *       2026-11-25  lt_recording_ext: describe (ask LT_HAS before using it)
 *       2026-11-25  lt_plugin_option: live; lt_plugin_ops: option_changed
 *       2026-11-25  "lt.field/1", "lt.text/1": book-keeping and texts of feeds
 *       2026-11-25  "lt.json/1", "lt.inbox/1"; lt_http_result: retry_after_s
 */
#ifndef LIVETIMING_PLUGIN_H
#define LIVETIMING_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LT_PLUGIN_ABI_MAJOR 1u
#define LT_PLUGIN_ABI_MINOR 0u

#define LT_PLUGIN_EXPORT __attribute__((visibility("default")))

/* Does a table that says its own size have this member? */
#define LT_HAS(table, member)                                                                      \
	((table)->size >= offsetof(__typeof__(*(table)), member) + sizeof((table)->member))

#ifndef LT_STR_DEFINED
#	define LT_STR_DEFINED
struct lt_str {
	const char *p;
	size_t n;
};
#endif

struct lt_host; /* the service that the host runs for this instance */

/* ------------------------------------------------------------------------- */
/* Options: declared, so that the host can show, check and convert them.     */

#define LT_OPT_TEXT   1u
#define LT_OPT_INT    2u
#define LT_OPT_NUMBER 3u
#define LT_OPT_FLAG   4u /* --name, no value; false by default */
#define LT_OPT_CHOICE 5u /* one of `choices` */
#define LT_OPT_FILE   6u /* path of a file that must be readable at start */

struct lt_plugin_option {
	const char *name;          /* "host": given as --host VALUE or --host=VALUE */
	uint32_t type;             /* LT_OPT_... */
	uint32_t required;         /* 1: the service does not start without it */
	const char *default_value; /* as it would be typed; NULL: none */
	const char *help;          /* one sentence */
	const char *choices;       /* LT_OPT_CHOICE: "auto|race|practice" */
	double min, max;           /* LT_OPT_INT, LT_OPT_NUMBER: bounds when min < max */
	/* 1: an operator may change it while the service runs; needs ops->option_changed. */
	uint32_t live, reserved;
};

/* ------------------------------------------------------------------------- */
/* Common Timing Data                                                        */

/*
 * A column. The standard ones are LT_COL_... below; others are legal, readers
 * show them as text. type: "text", "class", "numeric", "delta", "time".
 */
struct lt_column {
	const char *title, *type, *description; /* description NULL: none */
};

/* clang-format off */
#define LT_COL_NUM        { "Num", "text", "Car number" }
#define LT_COL_STATE      { "State", "text", NULL }
#define LT_COL_CLASS      { "Class", "class", NULL }
#define LT_COL_TEAM       { "Team", "text", NULL }
#define LT_COL_DRIVER     { "Driver", "text", NULL }
#define LT_COL_CAR        { "Car", "text", NULL }
#define LT_COL_TYRE       { "T", "text", "Tyre" }
#define LT_COL_TYRE_STINT { "TS", "text", "Tyre stint - laps on these tyres since last stop" }
#define LT_COL_TYRE_AGE   { "TA", "text", "Tyre age - total laps on these tyres from new" }
#define LT_COL_LAPS       { "Laps", "numeric", NULL }
#define LT_COL_GAP        { "Gap", "delta", "Gap to leader" }
#define LT_COL_CLASS_GAP  { "C.Gap", "delta", "Gap to class leader" }
#define LT_COL_INT        { "Int", "delta", "Interval to car in front" }
#define LT_COL_CLASS_INT  { "C.Int", "delta", "Interval to class car in front" }
#define LT_COL_LAST_LAP   { "Last", "time", "Last lap time" }
#define LT_COL_BEST_LAP   { "Best", "time", "Best lap time" }
#define LT_COL_S1         { "S1", "time", "Sector 1 time" }
#define LT_COL_S2         { "S2", "time", "Sector 2 time" }
#define LT_COL_S3         { "S3", "time", "Sector 3 time" }
#define LT_COL_S4         { "S4", "time", "Sector 4 time" }
#define LT_COL_S5         { "S5", "time", "Sector 5 time" }
#define LT_COL_BS1        { "BS1", "time", "Best sector 1 time" }
#define LT_COL_BS2        { "BS2", "time", "Best sector 2 time" }
#define LT_COL_BS3        { "BS3", "time", "Best sector 3 time" }
#define LT_COL_BS4        { "BS4", "time", "Best sector 4 time" }
#define LT_COL_BS5        { "BS5", "time", "Best sector 5 time" }
#define LT_COL_SPEED      { "Spd", "numeric", "Last lap speed" }
#define LT_COL_BEST_SPEED { "B.Spd", "numeric", "Best lap speed" }
#define LT_COL_PITS       { "Pits", "numeric", NULL }
#define LT_COL_POS_IN_CLASS { "PIC", "numeric", "Position in class" }
#define LT_COL_PUSH_TO_PASS { "PTP", "numeric", "Push-to-Pass remaining" }
#define LT_COL_DRIVER_1_BEST_LAP { "D1 Best", "time", "Driver 1 best lap" }
#define LT_COL_DRIVER_2_BEST_LAP { "D2 Best", "time", "Driver 2 best lap" }
#define LT_COL_AGGREGATE_BEST_LAP { "Average", "time", "Average of best laps" }
#define LT_COL_T1_SPEED   { "T1 Spd", "numeric", "Turn 1 speed" }
#define LT_COL_BEST_T1_SPEED { "BT1S", "numeric", "Best turn 1 speed" }
#define LT_COL_T3_SPEED   { "T3 Spd", "numeric", "Turn 3 speed" }
#define LT_COL_BEST_T3_SPEED { "BT3S", "numeric", "Best turn 3 speed" }
#define LT_COL_NO_TOW_SPEED { "NTS", "numeric", "No-tow speed - best speed without tow" }
#define LT_COL_NO_TOW_RANK { "NTR", "numeric", "No-tow rank" }
/* clang-format on */

/* What the service is; the host makes the manifest of it. */
struct lt_service_info {
	uint32_t size, reserved;
	struct lt_str name;        /* series: "Club Endurance" */
	struct lt_str description; /* event or session; the operator's --description wins */
	const struct lt_column *columns;
	size_t column_count;
	const struct lt_str *track_data; /* headings */
	size_t track_data_count;
	double poll_interval_s;                /* how often ops->update is called; 0: 1 s */
	struct lt_str source_name, source_url; /* attribution; empty: that of the plugin */
};

/* A cell of a row. */
#define LT_CELL_NULL   0u
#define LT_CELL_INT    1u /* .i */
#define LT_CELL_NUMBER 2u /* .d, always written with a fraction */
#define LT_CELL_TEXT   3u /* .s */
#define LT_CELL_TIME   4u /* [.d seconds, flag]; .d < 0: ["", flag] */
#define LT_CELL_JSON   5u /* .s is one JSON value */

#define LT_TIME_PLAIN  0u /* "" */
#define LT_TIME_PB     1u /* personal best */
#define LT_TIME_SB     2u /* session best */
#define LT_TIME_SB_NEW 3u /* session best, just set */
#define LT_TIME_OLD    4u /* of a lap before */

struct lt_cell {
	uint32_t kind; /* LT_CELL_... */
	uint32_t flag; /* LT_TIME_... */
	int64_t i;
	double d;
	struct lt_str s;
};

#define LT_FLAG_NONE         0u
#define LT_FLAG_GREEN        1u
#define LT_FLAG_WHITE        2u
#define LT_FLAG_CHEQUERED    3u
#define LT_FLAG_YELLOW       4u
#define LT_FLAG_FCY          5u
#define LT_FLAG_CODE_60      6u
#define LT_FLAG_VSC          7u
#define LT_FLAG_SC           8u
#define LT_FLAG_CAUTION      9u
#define LT_FLAG_RED          10u
#define LT_FLAG_SLOW_ZONE    11u
#define LT_FLAG_CODE_60_ZONE 12u

/* Session part of a state. Negative numbers and NULL arrays leave the member out. */
struct lt_session_info {
	uint32_t size, flag; /* LT_FLAG_... */
	double time_elapsed_s, time_remain_s;
	int64_t laps_remain;
	const struct lt_str *track_data; /* one text for each heading */
	size_t track_data_count;
	struct lt_str extra_json; /* object whose members are added; empty: none */
};

/* Message: [time, category, text, type, car]. The host adds the time. */
struct lt_message_info {
	uint32_t size, reserved;
	struct lt_str category, text;
	struct lt_str type; /* "green" "yellow" "red" "white" "code60" "track" "pit" "out" "pb" "sb"
			       "raceControl" ""; p NULL: null */
	struct lt_str car;  /* p NULL: none */
	int64_t time_s;     /* unix time; 0: now */
};

/* Which of the host's message generators run over each update. */
#define LT_GENERATE_DEFAULT      1u /* flag, pits and state, driver change, fast lap */
#define LT_GENERATE_SLOW_ZONE    2u
#define LT_GENERATE_RACE_CONTROL 4u /* texts given to api->race_control */

#define LT_LOG_ERROR   0u
#define LT_LOG_WARNING 1u
#define LT_LOG_INFO    2u
#define LT_LOG_DEBUG   3u

typedef void (*lt_callback)(void *arg);

/* ------------------------------------------------------------------------- */
/* What the host gives                                                       */

struct lt_host_api {
	uint32_t size, abi_minor;

	/* [any] One line in the service's log. */
	void (*log)(struct lt_host *host, uint32_t level, struct lt_str text);

	/* [loop] Monotonic and UTC time of this turn, microseconds. */
	int64_t (*mono_us)(struct lt_host *host);
	int64_t (*wall_us)(struct lt_host *host);

	/* [loop] Options as declared, converted and checked by the host. has: given or defaulted.
	 */
	int32_t (*option_has)(struct lt_host *host, const char *name);
	struct lt_str (*option_text)(struct lt_host *host,
			const char *name); /* valid until destroy, terminated */
	int64_t (*option_int)(struct lt_host *host, const char *name);
	double (*option_number)(struct lt_host *host, const char *name);
	int32_t (*option_flag)(struct lt_host *host, const char *name);

	/* [loop] Say, or say again when it changed, what this service is. First in create. */
	int32_t (*describe)(struct lt_host *host, const struct lt_service_info *info);

	/* [create] LT_GENERATE_... bits; default LT_GENERATE_DEFAULT. */
	void (*set_generators)(struct lt_host *host, uint32_t generators);

	/*
	 * [loop] Build one state: begin, a row for each car in order of position,
	 * session, then publish. Cells follow the columns; a row may be shorter. A
	 * cell that does not fit its column is published as it is and logged once.
	 * publish_now runs the pipeline at once; publish_due at most once a second
	 * and at least every 60 s: call it as often as you like.
	 */
	void (*state_begin)(struct lt_host *host);
	int32_t (*state_row)(struct lt_host *host, const struct lt_cell *cells, size_t count);
	int32_t (*state_session)(struct lt_host *host, const struct lt_session_info *session);
	int32_t (*publish_now)(struct lt_host *host);
	int32_t (*publish_due)(struct lt_host *host);

	/* [loop] A message of the plugin's own; goes out with the next update. */
	void (*message)(struct lt_host *host, const struct lt_message_info *message);
	/* [loop] A race control text, for LT_GENERATE_RACE_CONTROL. */
	void (*race_control)(struct lt_host *host, struct lt_str text);

	/* [loop] A new session begins: messages so far and analysis are closed off. */
	void (*new_session)(struct lt_host *host);

	/*
	 * [loop] The feed is silent (1) or alive again (0); shown to viewers and
	 * operators. reason: a sentence.
	 */
	void (*set_stale)(struct lt_host *host, uint32_t stale, struct lt_str reason);

	/* [loop] Counters of the service, shown by `livetimingctl service show`: "records",
	 * "damaged". */
	void (*count)(struct lt_host *host, const char *name, int64_t delta);

	/* [loop] Cannot go on: stop this service; the sentence is kept in its listing. */
	void (*fail)(struct lt_host *host, struct lt_str reason);

	/*
	 * [loop] Timers. Returns an id; one-shot or repeating until cancelled;
	 * all end with the instance.
	 */
	uint64_t (*timer)(struct lt_host *host, int64_t delay_ms, uint32_t repeat, lt_callback fn,
			void *arg);
	void (*timer_cancel)(struct lt_host *host, uint64_t timer);

	/* [loop] Further tables by name, e.g. "lt.lines/1"; NULL: this host does not have it. */
	const void *(*extension)(struct lt_host *host, const char *id);
};

/* "lt.lines/1": text lines from a TCP server, reconnecting for ever. */
#define LT_EXT_LINES "lt.lines/1"
struct lt_lines_opts {
	uint32_t size, port;
	const char *host;
	uint32_t connect_timeout_ms; /* 0: 10000 */
	uint32_t stale_ms;           /* silence after which the link is called stale; 0: 10000 */
	uint32_t dead_ms;            /* silence after which it is dropped and made anew; 0: 30000 */
	uint32_t line_max;           /* longer lines are dropped and counted; 0: 8192 */
	void (*line)(void *arg, struct lt_str line);           /* without line end; never blank */
	void (*connected)(void *arg);                          /* may be NULL */
	void (*disconnected)(void *arg, struct lt_str reason); /* may be NULL */
	void *arg;
};
struct lt_lines_ext {
	uint32_t size, reserved;
	/* [loop] Starts at once. stale/alive is reported to the host by itself. NULL after fail. */
	void *(*open)(struct lt_host *host, const struct lt_lines_opts *opts);
	void (*close)(void *lines); /* no callback after this */
};

/* "lt.file/1": a capture file, line by line, read ahead off the loop. */
#define LT_EXT_FILE "lt.file/1"
struct lt_file_ext {
	uint32_t size, reserved;
	void *(*open)(struct lt_host *host, const char *path); /* NULL after fail */
	/* [loop] 1: a line; 0: end of file; 2: not read yet, ask again on a later turn. */
	int32_t (*next_line)(void *file, struct lt_str *ret_line);
	void (*close)(void *file);
};

/* "lt.tcp/1": bytes from and to a TCP server, reconnecting. Limits as in lt_lines_opts. */
#define LT_EXT_TCP "lt.tcp/1"
struct lt_tcp_opts {
	uint32_t size, port;
	const char *host;
	uint32_t connect_timeout_ms, stale_ms, dead_ms, reserved;
	void (*bytes)(void *arg, struct lt_str bytes);
	void (*connected)(void *arg);
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};
struct lt_tcp_ext {
	uint32_t size, reserved;
	void *(*open)(struct lt_host *host, const struct lt_tcp_opts *opts);
	int32_t (*send)(void *tcp, struct lt_str bytes); /* -1: not connected or too much queued */
	void (*close)(void *tcp);
};

/* "lt.udp/1": a bound UDP socket. */
#define LT_EXT_UDP "lt.udp/1"
struct lt_udp_opts {
	uint32_t size, port; /* port 0: a free one */
	const char *address; /* NULL: 127.0.0.1 */
	/* from: "address:port" of the sender */
	void (*datagram)(void *arg, struct lt_str bytes, struct lt_str from);
	void *arg;
};
struct lt_udp_ext {
	uint32_t size, reserved;
	void *(*open)(struct lt_host *host, const struct lt_udp_opts *opts);
	uint32_t (*port)(void *udp);
	int32_t (*send)(void *udp, struct lt_str bytes, struct lt_str to);
	void (*close)(void *udp);
};

/* "lt.http/1": fetch a URL once, or again and again with exponential backoff on errors. */
#define LT_EXT_HTTP "lt.http/1"
struct lt_http_result {
	uint32_t size;
	int32_t status;      /* HTTP status; 0: no answer, see error */
	struct lt_str body;  /* decoded */
	struct lt_str error; /* empty: fine */
	/* Seconds that the answer asks to wait; -1: it does not say. */
	int32_t retry_after_s, reserved;
};
struct lt_http_opts {
	uint32_t size, interval_ms; /* 0: once */
	const char *url, *method;   /* method NULL: GET */
	const char *const *headers; /* "Name: value", ..., NULL; may be NULL */
	struct lt_str body;
	uint32_t timeout_ms; /* 0: 10000 */
	uint32_t body_max;   /* 0: 8 MiB */
	/* When repeating, an unchanged body (304, same ETag) is not delivered again. */
	void (*result)(void *arg, const struct lt_http_result *result);
	void *arg;
};
struct lt_http_ext {
	uint32_t size, reserved;
	void *(*fetch)(struct lt_host *host, const struct lt_http_opts *opts);
	void (*cancel)(void *fetch); /* also frees a finished one */
};

/* "lt.ws/1": a WebSocket client with watchdog, reconnecting. */
#define LT_EXT_WS "lt.ws/1"
struct lt_ws_opts {
	uint32_t size, message_max;    /* 0: 4 MiB */
	const char *url, *subprotocol; /* subprotocol may be NULL */
	const char *const *headers;
	uint32_t stale_ms, dead_ms; /* silence; pings are sent in between */
	void (*message)(void *arg, struct lt_str message, uint32_t binary);
	void (*connected)(void *arg);
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};
struct lt_ws_ext {
	uint32_t size, reserved;
	void *(*open)(struct lt_host *host, const struct lt_ws_opts *opts);
	int32_t (*send)(void *ws, struct lt_str message, uint32_t binary);
	void (*close)(void *ws);
};

/*
 * "lt.json/1": JSON, read. Pure: every function may be called from any thread, also by work off
 * the loop, as long as one document is used by one thread at a time. Strict RFC 8259, UTF-8, 64
 * levels. Values and their texts are borrowed from the document until it is freed.
 */
#define LT_EXT_JSON     "lt.json/1"
#define LT_VALUE_NONE   0u /* there is none: what the functions make of NULL */
#define LT_VALUE_NULL   1u
#define LT_VALUE_BOOL   2u
#define LT_VALUE_NUMBER 3u
#define LT_VALUE_TEXT   4u
#define LT_VALUE_LIST   5u
#define LT_VALUE_OBJECT 6u

struct lt_value; /* opaque */
struct lt_json_ext {
	uint32_t size, reserved;
	/* NULL: it is not JSON; error (terminated) says why and where. */
	struct lt_value *(*parse)(struct lt_str text, char *error, size_t error_size);
	void (*free)(struct lt_value *document); /* NULL is fine */
	uint32_t (*kind)(const struct lt_value *value);
	/* Of an object; NULL: it has none of this name. A name that stands there twice counts
	 * with its last value. */
	const struct lt_value *(*member)(const struct lt_value *object, const char *name);
	/* What a list or an object holds, in order; NULL: no more. */
	const struct lt_value *(*first)(const struct lt_value *container);
	const struct lt_value *(*next)(const struct lt_value *value);
	struct lt_str (*name)(const struct lt_value *member); /* empty: no member */
	struct lt_str (*text)(const struct lt_value *value);  /* terminated; empty: no text */
	double (*number)(const struct lt_value *value);       /* 0: no number */
	uint32_t (*is_true)(const struct lt_value *value);
};

/*
 * "lt.inbox/1": messages that somebody sends to this service, as JSON: by HTTP
 * (POST /push/NAME-OR-UUID) with the service's token, or by a call of
 * livetiming.push.UUID from a session of the role "services". What is no JSON, too large, too
 * often, or without the right is refused before the plugin hears of it.
 */
#define LT_EXT_INBOX "lt.inbox/1"
struct lt_inbox_opts {
	uint32_t size;
	uint32_t per_second; /* messages, bursts of twice as many; 0: 20 */
	/* A file whose first line is the token; NULL: that of the host (LIVETIMING_PUSH_TOKEN),
	 * and without one sessions of the role "services" alone may send. */
	const char *token_file;
	/*
	 * One message, borrowed. 0: taken; -1: refused. Either way *ret_answer may be set,
	 * borrowed until the next call: a JSON object to be added to the answer, or a sentence
	 * why not.
	 */
	int32_t (*message)(void *arg, const struct lt_value *message, struct lt_str *ret_answer);
	void *arg;
};
struct lt_inbox_ext {
	uint32_t size, reserved;
	/* [loop] From start on, one for each service. NULL after fail. */
	void *(*open)(struct lt_host *host, const struct lt_inbox_opts *opts);
	void (*close)(void *inbox);
};

/* "lt.work/1": run something off the loop. */
#define LT_EXT_WORK "lt.work/1"
struct lt_work_ext {
	uint32_t size, reserved;
	/*
	 * work(arg) runs on another thread and touches nothing but arg; then
	 * done(arg, cancelled) on the loop, exactly once; cancelled is 1 when the
	 * instance was destroyed meanwhile: only free arg then.
	 */
	void (*run)(struct lt_host *host, void (*work)(void *arg),
			void (*done)(void *arg, uint32_t cancelled), void *arg);
};

/* "lt.recording/1": frames of a recording zip, opened and read off the loop. */
#define LT_EXT_RECORDING "lt.recording/1"
struct lt_recording_info {
	uint32_t size, frames;
	struct lt_str manifest_json;
	int64_t first_s, last_s; /* unix times of the first and last frame */
};
struct lt_recording_opts {
	uint32_t size, reserved;
	const char *path;
	void (*opened)(void *arg, const struct lt_recording_info *info);
	/* Answer to request: the state at that frame as JSON, and the messages new in it. */
	void (*state)(void *arg, int64_t time_s, struct lt_str state_json);
	void *arg;
};
struct lt_recording_ext {
	uint32_t size, reserved;
	void *(*open)(struct lt_host *host,
			const struct lt_recording_opts *opts); /* a bad file: fail */
	/* [loop] Time of the first frame at or after time_s; INT64_MAX: none. */
	int64_t (*next_time)(void *recording, int64_t time_s);
	/* [loop] Ask for the state at time_s; answered through opts->state. One at a time. */
	int32_t (*request)(void *recording, int64_t time_s);
	/* [loop] Inside opts->state: publish that state as it is (cars, session, messages,
	 * highlight). */
	int32_t (*publish)(void *recording);
	void (*close)(void *recording);
	/*
	 * [loop] After opts->opened: describe the service from the recording's
	 * manifest (name, description, colSpec, trackDataSpec) in place of
	 * api->describe; the operator's --description still wins. -1 after fail.
	 */
	int32_t (*describe)(void *recording);
};

/* "lt.field/1": the book-keeping that most feeds need. A field is the cars of one session:
 * say what the feed says, read rows in order with gaps, class positions, best times and marks.
 * Nothing here touches the service: publish the rows with api->state_row.
 *
 * Times are milliseconds; LT_NO_TIME where there is none. `now_ms` is any steady clock
 * (api->mono_us / 1000, or that of a capture), `total_ms` is race time. A car is a small number
 * that stays the same until it is removed or the field is cleared; functions given one that
 * is none do nothing.
 */
#define LT_EXT_FIELD         "lt.field/1"
#define LT_NO_TIME           ((int64_t)-1)
#define LT_NO_CAR            ((int32_t)-1)
#define LT_FIELD_SECTORS_MAX 8u

#define LT_FIELD_RACE  0u /* by laps and total time; gaps at the last crossing, or in laps */
#define LT_FIELD_TIMED 1u /* by best lap; gaps between best laps */

struct lt_field; /* opaque */

struct lt_field_opts {
	uint32_t size, kind;        /* LT_FIELD_RACE or LT_FIELD_TIMED */
	uint32_t sectors, cars_max; /* sectors of a lap, 0: none; cars_max 0: 400 */
	/* How long a car has to be in, or out of, the pits before it is believed; 0: at once. */
	uint32_t pit_settle_ms;
	/* Gaps grow while a car is overdue at its next line, instead of waiting for it (1). */
	uint32_t live_gaps;
};

/* Texts of a car. */
#define LT_TEXT_NUM    0u
#define LT_TEXT_CLASS  1u
#define LT_TEXT_TEAM   2u
#define LT_TEXT_DRIVER 3u /* empty, or the same but for case and blanks: the one before stays */
#define LT_TEXT_CAR    4u
#define LT_TEXT_TYRE   5u
#define LT_TEXT_EXTRA1 6u /* for columns of the plugin's own */
#define LT_TEXT_EXTRA2 7u
#define LT_TEXT_COUNT  8u

#define LT_CAR_AUTO 0u /* by pits, crossings and flag */
#define LT_CAR_RUN  1u
#define LT_CAR_PIT  2u
#define LT_CAR_OUT  3u
#define LT_CAR_STOP 4u
#define LT_CAR_FIN  5u
#define LT_CAR_RET  6u

#define LT_PIT_NOT  0u /* is not in the pits */
#define LT_PIT_IN   1u /* is in them */
#define LT_PIT_LEFT 2u /* leaves them now, whether or not it was seen to come in */

#define LT_CLOCK_ELAPSED 0u
#define LT_CLOCK_REMAIN  1u

/* A finished lap. */
struct lt_field_lap {
	uint32_t size;
	int32_t lap;      /* its number; 0: one more than before */
	int64_t lap_ms;   /* LT_NO_TIME: not known; then no best lap comes of it */
	int64_t total_ms; /* race time at the crossing; LT_NO_TIME: not known */
	uint32_t is_void; /* 1: counts as a lap, not for best times */
	uint32_t flag;    /* in lap_of: the flag shown when it ended */
};

struct lt_field_gap {
	int64_t ms;   /* LT_NO_TIME: none */
	int32_t laps; /* more than 0: laps instead of a time */
	int32_t reserved;
};

struct lt_field_time {
	int64_t ms;
	uint32_t mark, reserved; /* LT_TIME_... */
};

/* One car as a viewer sees it. */
struct lt_field_row {
	uint32_t size;
	int32_t car, position, position_in_class, laps, pits, best_lap, driver_changes;
	uint32_t state, in_pits; /* state: LT_CAR_RUN ... */
	int64_t total_ms;
	struct lt_field_time last, best;
	struct lt_field_time sector[LT_FIELD_SECTORS_MAX], best_sector[LT_FIELD_SECTORS_MAX];
	struct lt_field_gap gap, interval, class_gap, class_interval;
	struct lt_str text[LT_TEXT_COUNT]; /* borrowed until the car changes */
};

struct lt_field_ext {
	uint32_t size, reserved;
	struct lt_field *(*open)(const struct lt_field_opts *opts);
	void (*close)(struct lt_field *field);
	/* A new session: results go; the cars with their texts stay when keep_cars is 1. */
	void (*clear)(struct lt_field *field, uint32_t keep_cars);
	void (*set_kind)(struct lt_field *field, uint32_t kind);

	/* The car with this key (a registration number, a unique id); made when new. LT_NO_CAR:
	 * an empty key, one over 63 bytes, or the field is full. */
	int32_t (*car)(struct lt_field *field, struct lt_str key);
	int32_t (*find)(const struct lt_field *field, struct lt_str key); /* LT_NO_CAR: none */
	void (*remove)(struct lt_field *field, int32_t car);
	void (*set_text)(struct lt_field *field, int32_t car, uint32_t what, struct lt_str text);

	/* A lap was finished now: cross and set_lap in one. */
	void (*lap)(struct lt_field *field, int32_t car, const struct lt_field_lap *lap,
			int64_t now_ms);
	/* Start/finish was crossed now, by a feed that tells the lap later. */
	void (*cross)(struct lt_field *field, int32_t car, int64_t now_ms);
	/* Laps and total time, without a crossing. A lower count forgets the laps beyond it. */
	void (*set_lap)(struct lt_field *field, int32_t car, const struct lt_field_lap *lap);
	/* A lap that was counted is void: best times are found again without it. */
	void (*void_lap)(struct lt_field *field, int32_t car, int32_t lap);
	/* Sector n (1 to sectors) of the lap that the car is on; total_ms as in a lap. */
	void (*sector)(struct lt_field *field, int32_t car, uint32_t n, int64_t ms,
			int64_t total_ms, int64_t now_ms);
	/* The car was seen at some line: it moves. */
	void (*seen)(struct lt_field *field, int32_t car, int64_t now_ms);
	/* where: LT_PIT_... */
	void (*pit)(struct lt_field *field, int32_t car, uint32_t where, int64_t now_ms);

	/* What the feed knows better. */
	void (*set_best)(struct lt_field *field, int32_t car, int32_t lap, int64_t ms);
	void (*set_last)(struct lt_field *field, int32_t car, int64_t ms);
	void (*set_position)(struct lt_field *field, int32_t car, int32_t position); /* 0: auto */
	void (*set_pits)(struct lt_field *field, int32_t car, int32_t pits);
	void (*set_state)(struct lt_field *field, int32_t car, uint32_t state);
	void (*set_gap)(struct lt_field *field, int32_t car, const struct lt_field_gap *gap,
			const struct lt_field_gap *interval); /* NULL: computed */

	/* The flag shown; a chequered one ends cars at their crossings, from the leader on. */
	void (*set_flag)(struct lt_field *field, uint32_t flag, int64_t now_ms);
	/* The session is over (1): cars that were not seen to finish stopped, or just ended. */
	void (*set_over)(struct lt_field *field, uint32_t is_over);
	/* A clock as the feed gave it; read at any time, moving while `runs`. LT_NO_TIME: none. */
	void (*set_clock)(struct lt_field *field, uint32_t which, int64_t ms, uint32_t runs,
			int64_t now_ms);
	int64_t (*clock)(const struct lt_field *field, uint32_t which, int64_t now_ms);

	/* Put the cars in order; returns how many. Rows are read by their index, 0 leads. */
	size_t (*order)(struct lt_field *field, int64_t now_ms);
	int32_t (*row)(struct lt_field *field, size_t index, struct lt_field_row *ret);
	/* A finished lap of a car; -1 when it is not known. */
	int32_t (*lap_of)(const struct lt_field *field, int32_t car, int32_t lap,
			struct lt_field_lap *ret);
	/* A gap as a cell: seconds, "2 laps", or "". The text stands in scratch. */
	struct lt_cell (*gap_cell)(const struct lt_field_gap *gap, char scratch[24]);

	/* Laps and total time as the feed states them, neither counted nor timed here: 0 and
	 * less too. A lower count forgets the laps beyond it; none at all only hides them. */
	void (*set_count)(struct lt_field *field, int32_t car, int32_t laps, int64_t total_ms);
};

/* "lt.text/1": what feeds write, as text. */
#define LT_EXT_TEXT              "lt.text/1"
#define LT_ENCODING_AUTO         0u /* UTF-8 when it is valid, else Windows-1252 */
#define LT_ENCODING_UTF8         1u
#define LT_ENCODING_WINDOWS_1252 2u

#define LT_CONTROL_INFO          0u
#define LT_CONTROL_FLAG          1u /* .flag is shown from now on, on the whole track */
#define LT_CONTROL_LOCAL_FLAG    2u /* in one sector or for one car */
#define LT_CONTROL_INVESTIGATION 3u
#define LT_CONTROL_PENALTY       4u
#define LT_CONTROL_LAP_DELETED   5u
#define LT_CONTROL_CLEARED       6u /* no further action */

struct lt_control_text {
	uint32_t size, kind, flag, seconds; /* seconds: of a time penalty; 0: another one */
	uint32_t sector, reserved;          /* 0: none was named */
	struct lt_str car;                  /* number, a part of the text; empty: none */
};
struct lt_text_ext {
	uint32_t size, reserved;
	/*
	 * To UTF-8, terminated; control characters become spaces. Needs three times the bytes
	 * and one; what does not fit is left out at a whole character. Returns the length.
	 */
	size_t (*decode)(struct lt_str bytes, uint32_t encoding, char *buf, size_t buf_size);
	/* What a race control message means. */
	void (*parse_control)(struct lt_str text, struct lt_control_text *ret);
};

/* ------------------------------------------------------------------------- */
/* What the plugin gives                                                     */

struct lt_plugin_ops {
	uint32_t size, reserved;
	/*
	 * Make an instance: read options, describe the service; no I/O. options_json:
	 * the checked options as an object, for those who prefer it.
	 */
	int32_t (*create)(const struct lt_host_api *api, struct lt_host *host,
			struct lt_str options_json, void **ret_self);
	int32_t (*start)(void *self); /* open inputs, arm timers */
	void (*stop)(void *self);     /* close them; may be NULL */
	void (*destroy)(void *self);  /* free self; nothing is called afterwards */
	/* Called once after start and then every poll interval; may be NULL for event-driven
	 * inputs. */
	void (*update)(void *self);
	/* Tables that the host may ask for by name; may be NULL. */
	const void *(*extension)(void *self, const char *id);
	/*
	 * [loop] An option that is declared live has a new value, checked as at the
	 * start: read it with api->option_... -1 keeps the old one; *ret_reason may
	 * then say why (borrowed until the next call). NULL: nothing changes live.
	 * An operator's value is there from create on after a restart.
	 */
	int32_t (*option_changed)(void *self, const char *name, struct lt_str *ret_reason);
};

struct lt_plugin_desc {
	uint32_t size, abi_major, abi_minor, reserved;
	const char *name; /* unique, [a-z0-9_] */
	const char *version;
	const char *summary;     /* one line for `plugins list` */
	const char *attribution; /* who the data comes from, "Name" or "Name https://url"; NULL:
				    none */
	const struct lt_plugin_option *options; /* ends with a NULL name; NULL: none */
	uint32_t option_size, reserved2;        /* sizeof(struct lt_plugin_option) */
	const struct lt_plugin_ops *ops;
};

/* The one exported symbol. */
LT_PLUGIN_EXPORT const struct lt_plugin_desc *lt_plugin_entry_v1(void);

/* Small conveniences for plugins. */
#define LT_LITERAL(text) lt_text_n((text), sizeof(text) - 1)
static inline struct lt_str lt_text_n(const char *text, size_t n)
{
	struct lt_str s;
	s.p = text;
	s.n = n;
	return s;
}
static inline struct lt_str lt_text_c(const char *text)
{
	return lt_text_n(text, strlen(text));
}

/* Cells of a row. */
static inline struct lt_cell lt_cell_of(uint32_t kind, int64_t i, double d, struct lt_str s)
{
	struct lt_cell cell;
	cell.kind = kind;
	cell.flag = LT_TIME_PLAIN;
	cell.i = i;
	cell.d = d;
	cell.s = s;
	return cell;
}
static inline struct lt_cell lt_cell_text(struct lt_str text)
{
	return lt_cell_of(LT_CELL_TEXT, 0, 0, text);
}
static inline struct lt_cell lt_cell_int(int64_t i)
{
	return lt_cell_of(LT_CELL_INT, i, 0, lt_text_n("", 0));
}
static inline struct lt_cell lt_cell_number(double number)
{
	return lt_cell_of(LT_CELL_NUMBER, 0, number, lt_text_n("", 0));
}
/* A time as the field has it: LT_NO_TIME is an empty cell. */
static inline struct lt_cell lt_cell_time(struct lt_field_time time)
{
	struct lt_cell cell = lt_cell_of(LT_CELL_TIME, 0,
			time.ms == LT_NO_TIME ? -1 : (double)time.ms / 1000, lt_text_n("", 0));
	cell.flag = time.mark;
	return cell;
}
/* For the column State: "RUN" of LT_CAR_RUN ...; empty: none of them. */
static inline struct lt_cell lt_cell_state(uint32_t state)
{
	static const char *const names[] = { "", "RUN", "PIT", "OUT", "STOP", "FIN", "RET" };
	return lt_cell_text(lt_text_c(state <= LT_CAR_RET ? names[state] : ""));
}

#ifdef __cplusplus
}
#endif

#endif
