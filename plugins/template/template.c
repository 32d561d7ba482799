/*
 * Cars and their laps: lines "number,driver,seconds" from a TCP server, one for
 * each lap. Without --host it makes laps up, so that there is something to see.
 *
 * To read another feed, replace take_line, and in start the input. Everything
 * that a plugin may do is in <livetiming/plugin.h>; there is no other interface.
 * All functions below are called on the host's one event loop and must return
 * within 5 ms.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <livetiming/plugin.h>

#define LINE_MAX  200
#define LAP_MAX_S 3600.0

/* One of these for each running service: no globals, so that many can run. */
struct feed {
	const struct lt_host_api *api;
	struct lt_host *host;
	const struct lt_field_ext *fields; /* functions of the host for ... */
	struct lt_field *field;            /* ... the cars of a session and their laps */
	int64_t lap_s, started_us;
};

/* Options are declared; the host checks them, shows them and fills in defaults. */
static const struct lt_plugin_option options[] = {
	{ .name = "host",
			.type = LT_OPT_TEXT,
			.help = "timing computer; without one laps are made up" },
	{ .name = "port",
			.type = LT_OPT_INT,
			.default_value = "9000",
			.help = "its TCP port",
			.min = 1,
			.max = 65535 },
	{ .name = "lap-time",
			.type = LT_OPT_INT,
			.default_value = "10",
			.help = "seconds of a made up lap",
			.min = 1,
			.max = 600 },
	{ .name = NULL },
};

/* What the table on the screen has. Take the standard columns where they fit. */
static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_STATE, LT_COL_DRIVER, LT_COL_LAPS,
	LT_COL_GAP, LT_COL_LAST_LAP, LT_COL_BEST_LAP };
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static int64_t now_ms(const struct feed *feed)
{
	return feed->api->mono_us(feed->host) / 1000;
}

/* --- from the feed to the field --- */

/* The car with this number, made when new. LT_NO_CAR: no number, or too many cars. */
static int32_t need_car(struct feed *feed, const char *num, const char *driver)
{
	int32_t car = feed->fields->car(feed->field, lt_text_c(num));

	feed->fields->set_text(feed->field, car, LT_TEXT_NUM, lt_text_c(num));
	feed->fields->set_text(feed->field, car, LT_TEXT_DRIVER, lt_text_c(driver));
	return car;
}

/* One line, such as "71,Ada Ash,83.412". False: it is damaged, and changed nothing. */
static bool take_line(struct feed *feed, struct lt_str line)
{
	struct lt_field_lap lap = { .size = sizeof(lap), .total_ms = LT_NO_TIME };
	char text[LINE_MAX], *driver, *seconds, *end;
	double lap_s;
	int32_t car;

	/* A line has a length and no terminator. */
	if (line.n >= sizeof(text)) {
		return false;
	}
	memcpy(text, line.p, line.n);
	text[line.n] = '\0';
	driver = strchr(text, ',');
	seconds = driver != NULL ? strchr(driver + 1, ',') : NULL;
	if (seconds == NULL) {
		return false;
	}
	*driver++ = '\0';
	*seconds++ = '\0';
	lap_s = strtod(seconds, &end);
	/* This way round, what is not a number fails as well. */
	if (end == seconds || *end != '\0' || !(lap_s > 0 && lap_s < LAP_MAX_S)) {
		return false;
	}
	car = need_car(feed, text, driver);
	if (car == LT_NO_CAR) {
		return false;
	}
	lap.lap_ms = (int64_t)(lap_s * 1000 + 0.5);
	feed->fields->lap(feed->field, car, &lap, now_ms(feed));
	return true;
}

/* --- from the field to the screen --- */

static void publish_row(struct feed *feed, size_t index)
{
	struct lt_field_row row = { .size = sizeof(row) };
	char gap[24];

	feed->fields->row(feed->field, index, &row);
	const struct lt_cell cells[COLUMN_COUNT] = {
		lt_cell_text(row.text[LT_TEXT_NUM]),
		lt_cell_state(row.state),
		lt_cell_text(row.text[LT_TEXT_DRIVER]),
		lt_cell_int(row.laps),
		feed->fields->gap_cell(&row.gap, gap),
		lt_cell_time(row.last),
		lt_cell_time(row.best),
	};

	feed->api->state_row(feed->host, cells, COLUMN_COUNT);
}

/* One state: begin, a row for each car in order of position, the session, publish. */
static void publish(struct feed *feed)
{
	const struct lt_host_api *api = feed->api;
	struct lt_session_info session = { .size = sizeof(session), .flag = LT_FLAG_GREEN };
	size_t cars = feed->fields->order(feed->field, now_ms(feed));

	session.time_elapsed_s = (double)(api->mono_us(feed->host) - feed->started_us) / 1000000;
	session.time_remain_s = -1; /* not known: left out */
	session.laps_remain = -1;
	api->state_begin(feed->host);
	for (size_t i = 0; i < cars; i++) {
		publish_row(feed, i);
	}
	api->state_session(feed->host, &session);
	api->publish_due(feed->host); /* at most once a second, however fast lines come */
}

/* --- inputs --- */

static void on_line(void *arg, struct lt_str line)
{
	struct feed *feed = arg;
	bool is_good = take_line(feed, line);

	/* Damaged input is skipped and counted, never fatal. */
	feed->api->count(feed->host, is_good ? "records" : "damaged", 1);
	if (is_good) {
		publish(feed);
	}
}

static void on_made_up_lap(struct feed *feed, const char *car, const char *fraction)
{
	char line[LINE_MAX];

	snprintf(line, sizeof(line), "%s,%d.%s", car, (int)feed->lap_s, fraction);
	on_line(feed, lt_text_c(line));
}

static void on_first_car(void *arg)
{
	on_made_up_lap(arg, "12,A. Driver", "0");
}

/* Half a second slower. */
static void on_second_car(void *arg)
{
	on_made_up_lap(arg, "71,B. Driver", "5");
}

static int32_t make_laps_up(struct feed *feed)
{
	need_car(feed, "12", "A. Driver");
	need_car(feed, "71", "B. Driver");
	publish(feed);
	feed->api->timer(feed->host, feed->lap_s * 1000, 1, on_first_car, feed);
	feed->api->timer(feed->host, feed->lap_s * 1000 + 500, 1, on_second_car, feed);
	return 0;
}

/* --- life --- */

static void destroy(void *arg)
{
	struct feed *feed = arg;

	if (feed->field != NULL) {
		feed->fields->close(feed->field);
	}
	free(feed);
}

/* Refuse: say why, and leave nothing behind. */
static int32_t refuse(struct feed *feed, const char *why)
{
	feed->api->fail(feed->host, lt_text_c(why));
	destroy(feed);
	return -1;
}

/* Read the options and say what the service is. No input is opened here. */
static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	const struct lt_field_opts opts = { .size = sizeof(opts), .kind = LT_FIELD_RACE };
	struct lt_service_info info = { .size = sizeof(info) };
	struct feed *feed = calloc(1, sizeof(*feed));

	(void)options_json;
	if (feed == NULL) {
		api->fail(host, LT_LITERAL("out of memory"));
		return -1;
	}
	feed->api = api;
	feed->host = host;
	feed->fields = api->extension(host, LT_EXT_FIELD);
	if (feed->fields == NULL) {
		return refuse(feed, "this livetimingd is too old: it keeps no field of cars");
	}
	feed->field = feed->fields->open(&opts);
	feed->lap_s = api->option_int(host, "lap-time");
	info.name = LT_LITERAL("Template");
	info.description = LT_LITERAL("Cars going round");
	info.columns = columns;
	info.column_count = COLUMN_COUNT;
	if (api->describe(host, &info) != 0) {
		destroy(feed);
		return -1;
	}
	*ret_self = feed;
	return 0;
}

/* Connecting, waiting, connecting again, telling viewers of silence: all of that is the host's. */
static int32_t start(void *arg)
{
	struct feed *feed = arg;
	const struct lt_lines_ext *lines = feed->api->extension(feed->host, LT_EXT_LINES);
	struct lt_lines_opts opts = { .size = sizeof(opts), .line = on_line, .arg = feed };

	feed->started_us = feed->api->mono_us(feed->host);
	if (!feed->api->option_has(feed->host, "host")) {
		return make_laps_up(feed);
	}
	if (lines == NULL) {
		feed->api->fail(feed->host, LT_LITERAL("this livetimingd cannot read lines"));
		return -1;
	}
	opts.host = feed->api->option_text(feed->host, "host").p;
	opts.port = (uint32_t)feed->api->option_int(feed->host, "port");
	return lines->open(feed->host, &opts) != NULL ? 0 : -1;
}

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = create,
	.start = start,
	.destroy = destroy,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "template",
	.version = "1.0",
	.summary = "laps as lines of number,driver,seconds",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

/* The one symbol that the host looks for. */
const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
