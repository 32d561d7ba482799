/*
 * multiloop: the Multiloop timing feed from a TCP server or from a capture
 * file. Lines become records in ml_parse.c, records become a state in
 * ml_model.c; here they meet the host: options, input, clock.
 */
#include "multiloop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_PER_TURN 400  /* of a capture; a line takes a few microseconds */
#define TURN_MS        20   /* between looks at a capture */
#define STEP_MAX_MS    5000 /* longer silence in a capture is shortened to this */
#define LOG_EVERY_US   60000000

static const struct lt_plugin_option options[] = {
	{ .name = "host", .type = LT_OPT_TEXT, .help = "timing computer: name or address" },
	{ .name = "port",
			.type = LT_OPT_INT,
			.default_value = "50003",
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
			.help = "seconds without a record after which the feed is called stale",
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
			.default_value = "Multiloop",
			.help = "name of the series" },
	{ .name = "encoding",
			.type = LT_OPT_CHOICE,
			.default_value = "auto",
			.choices = "auto|utf-8|windows-1252",
			.help = "of names and texts; auto: UTF-8 where it is that, else "
				"Windows-1252" },
	{ .name = "lead",
			.type = LT_OPT_TEXT,
			.default_value = "$",
			.help = "the character in front of each record; empty when the sender "
				"leaves it out" },
	{ .name = "session",
			.type = LT_OPT_CHOICE,
			.default_value = "auto",
			.choices = "auto|race|practice|qualifying",
			.help = "kind of session; auto goes by the run type of the feed" },
	{ .name = "yellow-means",
			.type = LT_OPT_CHOICE,
			.default_value = "yellow",
			.choices = "yellow|fcy|sc|caution",
			.help = "what the yellow flag of this feed stands for",
			.live = 1 },
	{ .name = "sectors",
			.type = LT_OPT_INT,
			.default_value = "3",
			.help = "sectors of a lap, sections S1, S2, ...",
			.min = 0,
			.max = 5 },
	{ .name = "class-field",
			.type = LT_OPT_INT,
			.default_value = "1",
			.help = "free field of an entry that holds the class; 0: none",
			.min = 0,
			.max = 64 },
	{ .name = "car-field",
			.type = LT_OPT_INT,
			.default_value = "2",
			.help = "free field that holds the car; 0: none",
			.min = 0,
			.max = 64 },
	{ .name = "team-field",
			.type = LT_OPT_INT,
			.default_value = "0",
			.help = "free field that holds the team; 0: none",
			.min = 0,
			.max = 64 },
	{ .name = "speed-unit",
			.type = LT_OPT_CHOICE,
			.default_value = "kmh",
			.choices = "kmh|mph",
			.help = "of speed traps" },
	{ .name = NULL },
};

static bool option_is(const struct multiloop *self, const char *name, const char *value)
{
	struct lt_str text = self->api->option_text(self->host, name);

	return text.n == strlen(value) && memcmp(text.p, value, text.n) == 0;
}

/* The model's clock: real time for a connection, the capture's for a file. */
static int64_t model_now_ms(const struct multiloop *self)
{
	int64_t now_us = self->api->mono_us(self->host);

	if (self->player.file == NULL) {
		return now_us / 1000;
	}
	return (int64_t)((double)(now_us - self->player.started_us) * self->player.speed / 1000.0);
}

/* --- counting, and telling when a feed cannot be read --- */

static void report_counts(struct multiloop *self)
{
	const struct ml_counts *counts = ml_model_counts(self->model);
	struct ml_counts *told = &self->reported;

	if (counts->records > told->records) {
		self->api->count(self->host, "records", counts->records - told->records);
		self->good_us = self->api->mono_us(self->host);
		if (self->is_unreadable) {
			self->is_unreadable = false;
			self->api->set_stale(self->host, 0, lt_text_n("", 0));
		}
	}
	if (counts->damaged > told->damaged) {
		self->api->count(self->host, "damaged", counts->damaged - told->damaged);
	}
	if (counts->ignored > told->ignored) {
		self->api->count(self->host, "ignored", counts->ignored - told->ignored);
	}
	*told = *counts;
}

static void log_damage(struct multiloop *self, int64_t now_us)
{
	const struct ml_counts *counts = ml_model_counts(self->model);
	char text[160];

	if (counts->damaged == self->logged.damaged ||
			(self->logged_us != 0 && now_us - self->logged_us < LOG_EVERY_US)) {
		return;
	}
	snprintf(text, sizeof(text), "skipped %lld damaged and %lld unknown lines; %lld were read",
			(long long)(counts->damaged - self->logged.damaged),
			(long long)(counts->ignored - self->logged.ignored),
			(long long)(counts->records - self->logged.records));
	self->api->log(self->host, LT_LOG_WARNING, lt_text_c(text));
	self->logged = *counts;
	self->logged_us = now_us;
}

static void update(void *arg)
{
	struct multiloop *self = arg;
	int64_t now_us = self->api->mono_us(self->host);
	int64_t limit_s = self->api->option_int(self->host, "stale");
	char text[120];

	log_damage(self, now_us);
	/* Silence is the link's affair: here bytes come, and none of them make sense. */
	if (self->lines != NULL && self->is_connected &&
			now_us - self->good_us >= limit_s * 1000000) {
		self->is_unreadable = true;
		snprintf(text, sizeof(text), "no readable record for %lld s",
				(long long)((now_us - self->good_us) / 1000000));
		self->api->set_stale(self->host, 1, lt_text_c(text));
	}
}

/* --- input --- */

static void on_due(void *arg);

static void tick(struct multiloop *self, int64_t now_ms)
{
	int64_t due_ms;

	if (ml_model_take_due(self->model, now_ms)) {
		ml_publish(self, now_ms);
	}
	due_ms = ml_model_due_ms(self->model);
	/* A capture is looked at often anyway. */
	if (due_ms != ML_NEVER && self->player.file == NULL && self->due_timer == 0) {
		self->due_timer = self->api->timer(
				self->host, due_ms > now_ms ? due_ms - now_ms : 1, 0, on_due, self);
	}
}

static void on_due(void *arg)
{
	struct multiloop *self = arg;

	self->due_timer = 0;
	tick(self, model_now_ms(self));
}

static void take_line(struct multiloop *self, struct lt_str line, int64_t now_ms)
{
	ml_model_line(self->model, line, now_ms, self->api->wall_us(self->host) / 1000000);
	report_counts(self);
	tick(self, now_ms);
}

static void on_line(void *arg, struct lt_str line)
{
	struct multiloop *self = arg;

	take_line(self, line, model_now_ms(self));
}

static void on_connected(void *arg)
{
	struct multiloop *self = arg;

	self->is_connected = true;
	self->good_us = self->api->mono_us(self->host);
	ml_model_reconnected(self->model);
	report_counts(self);
}

static void on_disconnected(void *arg, struct lt_str reason)
{
	struct multiloop *self = arg;

	(void)reason;
	self->is_connected = self->is_unreadable = false;
}

/* Keep a line of the capture; it is due at player.clock_ms. */
static void keep_line(struct multiloop *self, struct lt_str line)
{
	struct player *player = &self->player;
	int64_t date_s, step_ms;

	player->has_line = true;
	player->line_n = line.n < sizeof(player->line) ? line.n : sizeof(player->line);
	memcpy(player->line, line.p, player->line_n);
	if (ml_parse(line, self->opts.lead, &self->record) != ML_OK ||
			self->record.command != 'H' ||
			(date_s = ml_hex(self->record.field[1])) < 0) {
		return;
	}
	step_ms = player->date_s < 0 ? 0 : (date_s - player->date_s) * 1000;
	/* Back: the computer's clock was set. */
	player->clock_ms += step_ms < 0 ? 1000 : step_ms > STEP_MAX_MS ? STEP_MAX_MS : step_ms;
	player->date_s = date_s;
}

/* Play what is due. */
static void on_play(void *arg)
{
	struct multiloop *self = arg;
	struct player *player = &self->player;
	int64_t now_ms = model_now_ms(self);

	for (int i = 0; i < LINES_PER_TURN && !player->ended; i++) {
		struct lt_str line;
		int32_t got;

		if (player->has_line) {
			if (player->clock_ms > now_ms) {
				break;
			}
			player->has_line = false;
			tick(self, player->clock_ms);
			take_line(self, lt_text_n(player->line, player->line_n), player->clock_ms);
			continue;
		}
		got = player->ext->next_line(player->file, &line);
		if (got != 1) {
			player->ended = got == 0;
			break;
		}
		if (line.n > 0) {
			keep_line(self, line);
		}
	}
	/* When behind, the model's time is that of its last record. */
	tick(self, now_ms < player->clock_ms || player->ended ? now_ms : player->clock_ms);
}

/* --- life --- */

static int32_t refuse(struct multiloop *self, const char *reason)
{
	self->api->fail(self->host, lt_text_c(reason));
	return -1;
}

static void destroy(void *arg)
{
	struct multiloop *self = arg;

	ml_model_destroy(self->model);
	free(self);
}

static uint32_t yellow_flag(const struct multiloop *self)
{
	return option_is(self, "yellow-means", "fcy")                ? LT_FLAG_FCY
			: option_is(self, "yellow-means", "sc")      ? LT_FLAG_SC
			: option_is(self, "yellow-means", "caution") ? LT_FLAG_CAUTION
								     : LT_FLAG_YELLOW;
}

static int32_t configure(struct multiloop *self)
{
	const struct lt_host_api *api = self->api;
	struct lt_str lead = api->option_text(self->host, "lead");
	struct ml_opts *opts = &self->opts;
	struct ml_view view;

	if (!api->option_has(self->host, "host") && !api->option_has(self->host, "file")) {
		return refuse(self, "give --host or --file");
	}
	if (lead.n > 1) {
		return refuse(self, "--lead: expected one character or none");
	}
	opts->field = self->field_ext = api->extension(self->host, LT_EXT_FIELD);
	opts->text = api->extension(self->host, LT_EXT_TEXT);
	if (opts->field == NULL || opts->text == NULL) {
		return refuse(self, "this host is too old: it keeps no books of laps");
	}
	opts->lead = lead.n == 1 ? lead.p[0] : '\0';
	opts->encoding = option_is(self, "encoding", "utf-8")         ? LT_ENCODING_UTF8
			: option_is(self, "encoding", "windows-1252") ? LT_ENCODING_WINDOWS_1252
								      : LT_ENCODING_AUTO;
	opts->kind = option_is(self, "session", "race")            ? ML_KIND_RACE
			: option_is(self, "session", "practice")   ? ML_KIND_PRACTICE
			: option_is(self, "session", "qualifying") ? ML_KIND_QUALIFYING
								   : ML_KIND_AUTO;
	opts->sectors = (uint32_t)api->option_int(self->host, "sectors");
	opts->class_field = (uint32_t)api->option_int(self->host, "class-field");
	opts->car_field = (uint32_t)api->option_int(self->host, "car-field");
	opts->team_field = (uint32_t)api->option_int(self->host, "team-field");
	opts->yellow = yellow_flag(self);
	self->model = ml_model_create(opts);
	if (self->model == NULL) {
		return refuse(self, "out of memory");
	}
	view = ml_model_view(self->model, 0);
	return ml_describe(self, &view);
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct multiloop *self = calloc(1, sizeof(*self));

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

static int32_t start_file(struct multiloop *self)
{
	struct player *player = &self->player;

	player->ext = self->api->extension(self->host, LT_EXT_FILE);
	if (player->ext == NULL) {
		return refuse(self, "this host cannot read captures");
	}
	player->date_s = -1;
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
	struct multiloop *self = arg;
	const struct lt_host_api *api = self->api;
	struct lt_lines_opts opts = { .size = sizeof(opts) };

	if (api->option_has(self->host, "file")) {
		return start_file(self);
	}
	self->lines_ext = api->extension(self->host, LT_EXT_LINES);
	if (self->lines_ext == NULL) {
		return refuse(self, "this host cannot read lines from a server");
	}
	opts.host = api->option_text(self->host, "host").p;
	opts.port = (uint32_t)api->option_int(self->host, "port");
	opts.connect_timeout_ms = (uint32_t)api->option_int(self->host, "connect-timeout") * 1000;
	opts.stale_ms = (uint32_t)api->option_int(self->host, "stale") * 1000;
	opts.dead_ms = (uint32_t)api->option_int(self->host, "reconnect") * 1000;
	opts.line_max = ML_LINE_MAX;
	opts.line = on_line;
	opts.connected = on_connected;
	opts.disconnected = on_disconnected;
	opts.arg = self;
	self->lines = self->lines_ext->open(self->host, &opts);
	return self->lines == NULL ? -1 : 0;
}

static void stop(void *arg)
{
	struct multiloop *self = arg;

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
	struct multiloop *self = arg;
	struct player *player = &self->player;
	int64_t now_us = self->api->mono_us(self->host);
	double played_us = (double)(now_us - player->started_us) * player->speed;

	if (strcmp(name, "yellow-means") == 0) {
		ml_model_set_yellow(self->model, yellow_flag(self), model_now_ms(self));
		tick(self, model_now_ms(self));
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
	.update = update,
	.option_changed = option_changed,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "multiloop",
	.version = "1.0",
	.summary = "Multiloop timing feed: sectors, pit stops, race control",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
