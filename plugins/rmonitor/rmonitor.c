/*
 * rmonitor: the RMonitor scoreboard feed with the IMSA additions, from a TCP
 * server or from a capture file. Lines become records in rm_parse.c, records
 * become a state in rm_model.c; here they meet the host: options, input,
 * clock, rows.
 */
#include "rmonitor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <livetiming/plugin.h>

#define LINES_PER_TURN 400  /* of a capture; a line takes a few microseconds */
#define TURN_MS        20   /* between looks at a capture */
#define STEP_MAX_MS    5000 /* longer silence in a capture is shortened to this */
#define DAY_MS         86400000
#define NONE_YET       INT64_MIN

static const struct lt_plugin_option options[] = {
	{ .name = "host", .type = LT_OPT_TEXT, .help = "timing computer: name or address" },
	{ .name = "port",
			.type = LT_OPT_INT,
			.default_value = "50000",
			.help = "its TCP port",
			.min = 1,
			.max = 65535 },
	{ .name = "file",
			.type = LT_OPT_FILE,
			.help = "a capture to play instead of a connection" },
	{ .name = "speed",
			.type = LT_OPT_NUMBER,
			.default_value = "1",
			.help = "how fast a capture is played",
			.min = 0.1,
			.max = 1000,
			.live = 1 },
	{ .name = "connect-timeout",
			.type = LT_OPT_INT,
			.default_value = "10",
			.help = "seconds to wait for a connection",
			.min = 1,
			.max = 600 },
	{ .name = "stale",
			.type = LT_OPT_INT,
			.default_value = "10",
			.help = "seconds of silence after which the feed is called stale",
			.min = 1,
			.max = 3600 },
	{ .name = "reconnect",
			.type = LT_OPT_INT,
			.default_value = "30",
			.help = "seconds of silence after which the connection is made anew",
			.min = 1,
			.max = 3600 },
	{ .name = "name",
			.type = LT_OPT_TEXT,
			.default_value = "RMonitor",
			.help = "name of the series" },
	{ .name = "encoding",
			.type = LT_OPT_CHOICE,
			.default_value = "auto",
			.choices = "auto|utf-8|windows-1252",
			.help = "of the texts; auto takes a line that is not UTF-8 as "
				"Windows-1252" },
	{ .name = "session",
			.type = LT_OPT_CHOICE,
			.default_value = "auto",
			.choices = "auto|race|practice|qualifying",
			.help = "kind of session; auto goes by its description" },
	{ .name = "yellow-means",
			.type = LT_OPT_CHOICE,
			.default_value = "yellow",
			.choices = "yellow|fcy|sc|caution",
			.help = "what the yellow flag of this feed stands for",
			.live = 1 },
	{ .name = "nationality-as",
			.type = LT_OPT_CHOICE,
			.default_value = "none",
			.choices = "none|car|team|nationality",
			.help = "where to show the nationality field, which often holds "
				"something else" },
	{ .name = "rename-driver",
			.type = LT_OPT_TEXT,
			.default_value = "",
			.help = "\"regex=text;...\": replace in drivers' names" },
	{ .name = "rename-class",
			.type = LT_OPT_TEXT,
			.default_value = "",
			.help = "\"regex=text;...\": replace in names of classes" },
	{ .name = "transponders",
			.type = LT_OPT_TEXT,
			.default_value = "",
			.help = "\"number=driver;...\": who drives with which transponder" },
	{ .name = "track-length",
			.type = LT_OPT_NUMBER,
			.help = "length of a lap; without it that of the feed",
			.min = 0.01,
			.max = 1000 },
	{ .name = "track-unit",
			.type = LT_OPT_CHOICE,
			.default_value = "km",
			.choices = "km|mi",
			.help = "unit of the track length, which the feed does not say" },
	{ .name = NULL },
};

static bool option_is(const struct rmonitor *self, const char *name, const char *value)
{
	struct lt_str text = self->api->option_text(self->host, name);

	return text.n == strlen(value) && memcmp(text.p, value, text.n) == 0;
}

/* The model's clock: real time for a connection, the capture's for a file. */
static int64_t model_now_ms(struct rmonitor *self)
{
	int64_t now_us = self->api->mono_us(self->host);

	if (self->player.file == NULL) {
		return now_us / 1000;
	}
	return (int64_t)((double)(now_us - self->player.started_us) * self->player.speed / 1000.0);
}

static void on_tick(void *arg);

static void tick(struct rmonitor *self, int64_t now_ms)
{
	bool due;
	int64_t next_ms = rm_model_tick(self->model, now_ms, &due);

	if (due) {
		rm_publish(self);
	}
	/* A capture is looked at often anyway. */
	if (next_ms == RM_NEVER || self->player.file != NULL ||
			(self->tick_timer != 0 && self->tick_due_ms <= next_ms)) {
		return;
	}
	if (self->tick_timer != 0) {
		self->api->timer_cancel(self->host, self->tick_timer);
	}
	self->tick_due_ms = next_ms;
	self->tick_timer = self->api->timer(
			self->host, next_ms > now_ms ? next_ms - now_ms : 1, 0, on_tick, self);
}

static void on_tick(void *arg)
{
	struct rmonitor *self = arg;

	self->tick_timer = 0;
	tick(self, model_now_ms(self));
}

static void take_record(struct rmonitor *self, enum rm_result result, int64_t now_ms)
{
	if (result == RM_OK && !rm_model_apply(self->model, &self->record, now_ms)) {
		result = RM_DAMAGED;
	}
	self->api->count(self->host,
			result == RM_OK                        ? "records"
					: result == RM_DAMAGED ? "damaged"
							       : "ignored",
			1);
}

static void on_line(void *arg, struct lt_str line)
{
	struct rmonitor *self = arg;
	int64_t now_ms = model_now_ms(self);

	take_record(self, rm_parse(&self->decoder, line.p, line.n, &self->record), now_ms);
	tick(self, now_ms);
}

/* Move the capture's clock on; silence and jumps are cut short. */
static void advance_clock(struct player *player, int64_t *last_ms, int64_t at_ms, int64_t odd_ms)
{
	int64_t step = *last_ms == NONE_YET ? 0 : at_ms - *last_ms;

	*last_ms = at_ms;
	player->clock_ms += step < 0 ? odd_ms : step > STEP_MAX_MS ? STEP_MAX_MS : step;
}

/* One line of a capture, parsed into self->record; it is due at player.clock_ms. */
static enum rm_result read_line(struct rmonitor *self, struct lt_str line)
{
	struct player *player = &self->player;
	int64_t stamp_ms = rm_stamp_ms(line.p, line.n);
	enum rm_result result;

	if (stamp_ms >= 0) {
		player->is_stamped = true;
		advance_clock(player, &player->stamp_ms, stamp_ms, 0);
		return RM_IGNORED;
	}
	result = rm_parse(&self->decoder, line.p, line.n, &self->record);
	if (result == RM_OK && self->record.kind == RM_HEARTBEAT && !player->is_stamped) {
		int64_t time_ms = rm_time_ms(self->record.field[2]);

		if (time_ms >= 0) {
			/* Back by a day is midnight; else the computer's clock was set. */
			if (player->time_of_day_ms > time_ms + DAY_MS / 2) {
				player->time_of_day_ms -= DAY_MS;
			}
			advance_clock(player, &player->time_of_day_ms, time_ms, 1000);
		}
	}
	return result;
}

/* Play what is due; the line read last waits in self->record for its time. */
static void on_play(void *arg)
{
	struct rmonitor *self = arg;
	struct player *player = &self->player;
	int64_t now_ms = model_now_ms(self);

	for (int i = 0; i < LINES_PER_TURN && !player->ended; i++) {
		struct lt_str line;
		enum rm_result result;
		int32_t got;

		if (player->has_line) {
			if (player->clock_ms > now_ms) {
				break;
			}
			player->has_line = false;
			tick(self, player->clock_ms);
			take_record(self, RM_OK, player->clock_ms);
			continue;
		}
		got = player->ext->next_line(player->file, &line);
		if (got != 1) {
			player->ended = got == 0;
			break;
		}
		result = read_line(self, line);
		player->has_line = result == RM_OK;
		if (result == RM_DAMAGED) {
			self->api->count(self->host, "damaged", 1);
		}
	}
	if (player->ended && !player->has_line) {
		tick(self, now_ms > player->clock_ms ? now_ms : player->clock_ms);
		return;
	}
	/* When behind, the model's time is that of its last record. */
	tick(self, now_ms < player->clock_ms ? now_ms : player->clock_ms);
}

static int32_t refuse(struct rmonitor *self, const char *what, const char *reason)
{
	char text[240];

	snprintf(text, sizeof(text), "%s%s", what, reason);
	self->api->fail(self->host, lt_text_c(text));
	return -1;
}

static int32_t read_rules(
		struct rmonitor *self, const char *option, bool is_pattern, struct rm_rules **ret)
{
	char error[160], what[40];
	struct lt_str text = self->api->option_text(self->host, option);

	*ret = rm_rules_create(text.n > 0 ? text.p : "", is_pattern, error, sizeof(error));
	if (*ret != NULL) {
		return 0;
	}
	snprintf(what, sizeof(what), "--%s: ", option);
	return refuse(self, what, error);
}

static void destroy(void *arg)
{
	struct rmonitor *self = arg;

	rm_model_destroy(self->model);
	rm_rules_destroy(self->driver_rules);
	rm_rules_destroy(self->class_rules);
	rm_rules_destroy(self->transponders);
	free(self);
}

static uint32_t yellow_flag(const struct rmonitor *self)
{
	return option_is(self, "yellow-means", "fcy")                ? LT_FLAG_FCY
			: option_is(self, "yellow-means", "sc")      ? LT_FLAG_SC
			: option_is(self, "yellow-means", "caution") ? LT_FLAG_CAUTION
								     : LT_FLAG_YELLOW;
}

static int32_t configure(struct rmonitor *self)
{
	struct rm_opts opts = { .kind = RM_SESSION_AUTO };

	if (!self->api->option_has(self->host, "host") &&
			!self->api->option_has(self->host, "file")) {
		return refuse(self, "give --host or --file", "");
	}
	self->field = self->api->extension(self->host, LT_EXT_FIELD);
	self->decoder.text = self->api->extension(self->host, LT_EXT_TEXT);
	if (self->field == NULL || !LT_HAS(self->field, set_count) || self->decoder.text == NULL) {
		return refuse(self, "this host keeps no field", "");
	}
	if (read_rules(self, "rename-driver", true, &self->driver_rules) != 0 ||
			read_rules(self, "rename-class", true, &self->class_rules) != 0 ||
			read_rules(self, "transponders", false, &self->transponders) != 0) {
		return -1;
	}
	self->decoder.encoding = option_is(self, "encoding", "utf-8") ? LT_ENCODING_UTF8
			: option_is(self, "encoding", "windows-1252") ? LT_ENCODING_WINDOWS_1252
								      : LT_ENCODING_AUTO;
	self->yellow = yellow_flag(self);
	self->nationality_is_car = option_is(self, "nationality-as", "car");
	self->nationality_is_team = option_is(self, "nationality-as", "team");
	self->nationality_column = option_is(self, "nationality-as", "nationality");
	opts.kind = option_is(self, "session", "race")             ? RM_SESSION_RACE
			: option_is(self, "session", "practice")   ? RM_SESSION_PRACTICE
			: option_is(self, "session", "qualifying") ? RM_SESSION_QUALIFYING
								   : RM_SESSION_AUTO;
	opts.field = self->field;
	opts.driver_rules = self->driver_rules;
	opts.class_rules = self->class_rules;
	opts.transponders = self->transponders;
	self->model = rm_model_create(&opts);
	if (self->model == NULL) {
		return refuse(self, "out of memory", "");
	}
	return rm_describe(self, rm_model_view(self->model));
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct rmonitor *self = calloc(1, sizeof(*self));

	(void)options_json;
	if (self == NULL) {
		api->fail(host, LT_LITERAL("out of memory"));
		return -1;
	}
	self->api = api;
	self->host = host;
	if (configure(self) != 0) {
		destroy(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

static int32_t start_file(struct rmonitor *self)
{
	struct player *player = &self->player;

	player->ext = self->api->extension(self->host, LT_EXT_FILE);
	if (player->ext == NULL) {
		return refuse(self, "this host cannot read captures", "");
	}
	player->stamp_ms = player->time_of_day_ms = NONE_YET;
	player->speed = self->api->option_number(self->host, "speed");
	player->started_us = self->api->mono_us(self->host);
	player->file = player->ext->open(self->host, self->api->option_text(self->host, "file").p);
	if (player->file == NULL) {
		return -1;
	}
	self->api->timer(self->host, TURN_MS, 1, on_play, self);
	return 0;
}

static int32_t start(void *arg)
{
	struct rmonitor *self = arg;
	const struct lt_host_api *api = self->api;
	struct lt_lines_opts opts = { .size = sizeof(opts) };

	if (api->option_has(self->host, "file")) {
		return start_file(self);
	}
	self->lines_ext = api->extension(self->host, LT_EXT_LINES);
	if (self->lines_ext == NULL) {
		return refuse(self, "this host cannot read lines from a server", "");
	}
	opts.host = api->option_text(self->host, "host").p;
	opts.port = (uint32_t)api->option_int(self->host, "port");
	opts.connect_timeout_ms = (uint32_t)api->option_int(self->host, "connect-timeout") * 1000;
	opts.stale_ms = (uint32_t)api->option_int(self->host, "stale") * 1000;
	opts.dead_ms = (uint32_t)api->option_int(self->host, "reconnect") * 1000;
	opts.line_max = RM_LINE_MAX;
	opts.line = on_line;
	opts.arg = self;
	self->lines = self->lines_ext->open(self->host, &opts);
	return self->lines == NULL ? -1 : 0;
}

static void stop(void *arg)
{
	struct rmonitor *self = arg;

	if (self->lines != NULL) {
		self->lines_ext->close(self->lines);
		self->lines = NULL;
	}
	if (self->player.file != NULL) {
		self->player.ext->close(self->player.file);
		self->player.file = NULL;
		self->player.ended = true;
		self->player.has_line = false;
	}
}

static int32_t option_changed(void *arg, const char *name, struct lt_str *ret_reason)
{
	struct rmonitor *self = arg;
	struct player *player = &self->player;
	int64_t now_us = self->api->mono_us(self->host);
	double played_us = (double)(now_us - player->started_us) * player->speed;

	if (strcmp(name, "yellow-means") == 0) {
		self->yellow = yellow_flag(self);
		return 0;
	}
	if (player->file == NULL) {
		*ret_reason = LT_LITERAL("a connection has no speed");
		return -1;
	}
	player->speed = self->api->option_number(self->host, "speed");
	player->started_us = now_us - (int64_t)(played_us / player->speed);
	return 0;
}

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
	.option_changed = option_changed,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "rmonitor",
	.version = "1.0",
	.summary = "RMonitor scoreboard feed (MYLAPS Orbits and compatible), with the IMSA additions",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
