/*
 * The smallest useful plugin: one car that counts laps. Copy this folder,
 * rename it, and replace count_laps with reading your own data.
 *
 * Everything that a plugin may do is in <livetiming/plugin.h>; there is no
 * other interface. All functions below are called on the host's one event
 * loop and must return within 5 ms.
 */
#include <stdlib.h>
#include <string.h>

#include <livetiming/plugin.h>

/* One of these for each running service: no globals, so that many can run. */
struct template
{
	const struct lt_host_api *api;
	struct lt_host *host;
	int64_t lap_s, started_us;
};

/* Options are declared; the host checks them, shows them and fills in defaults. */
static const struct lt_plugin_option options[] = {
	{ .name = "lap-time",
			.type = LT_OPT_INT,
			.default_value = "10",
			.help = "seconds of a lap",
			.min = 1,
			.max = 600 },
	{ .name = NULL },
};

/* What the table on the screen has. Take the standard columns where they fit. */
static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_STATE, LT_COL_DRIVER, LT_COL_LAPS,
	LT_COL_LAST_LAP };
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* Read the options and say what the service is. No input is opened here. */
static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct lt_service_info info = { .size = sizeof(info) };
	struct template *self = calloc(1, sizeof(*self));

	(void)options_json;
	if (self == NULL) {
		api->fail(host, LT_LITERAL("out of memory"));
		return -1;
	}
	self->api = api;
	self->host = host;
	self->lap_s = api->option_int(host, "lap-time");
	info.name = LT_LITERAL("Template");
	info.description = LT_LITERAL("One car going round");
	info.columns = columns;
	info.column_count = COLUMN_COUNT;
	info.poll_interval_s = 1; /* how often update is called */
	if (api->describe(host, &info) != 0) {
		free(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

/* Open inputs here: api->extension(host, "lt.http/1"), "lt.lines/1", "lt.ws/1", ... */
static int32_t start(void *arg)
{
	struct template *self = arg;

	self->started_us = self->api->mono_us(self->host);
	return 0;
}

static int64_t count_laps(const struct template *self)
{
	return (self->api->mono_us(self->host) - self->started_us) / 1000000 / self->lap_s;
}

/* Build one state: begin, a row for each car in order of position, the session, publish. */
static void update(void *arg)
{
	struct template *self = arg;
	int64_t laps = count_laps(self);
	struct lt_session_info session = { .size = sizeof(session), .flag = LT_FLAG_GREEN };
	int64_t elapsed_s = (self->api->mono_us(self->host) - self->started_us) / 1000000;
	const struct lt_cell cells[COLUMN_COUNT] = {
		{ .kind = LT_CELL_TEXT, .s = LT_LITERAL("71") },
		{ .kind = LT_CELL_TEXT, .s = LT_LITERAL("RUN") },
		{ .kind = LT_CELL_TEXT, .s = LT_LITERAL("A. Driver") },
		{ .kind = LT_CELL_INT, .i = laps },
		/* A negative time is an empty one. */
		{ .kind = LT_CELL_TIME, .d = laps > 0 ? (double)self->lap_s : -1 },
	};

	session.time_elapsed_s = (double)elapsed_s;
	session.time_remain_s = -1; /* not known: left out */
	session.laps_remain = -1;
	self->api->state_begin(self->host);
	self->api->state_row(self->host, cells, COLUMN_COUNT);
	self->api->state_session(self->host, &session);
	self->api->publish_now(self->host);
}

/* The last call for this instance. Timers and inputs end by themselves. */
static void destroy(void *arg)
{
	free(arg);
}

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = create,
	.start = start,
	.destroy = destroy,
	.update = update,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "template",
	.version = "1.0",
	.summary = "one car that counts laps, to begin a plugin with",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

/* The one symbol that the host looks for. */
const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
