/*
 * replay: plays a recording as if it were live. The host opens and reads the
 * recording off the loop and publishes its states as they are, messages
 * included; this plugin only decides when.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <livetiming/plugin.h>

#define LOOK_MS 100 /* how often the clock is compared with the next frame */
/* Frames skipped in one look when the replay is faster than the reader. */
#define SKIP_MAX 2000

struct replay {
	const struct lt_host_api *api;
	struct lt_host *host;
	const struct lt_recording_ext *ext;
	void *recording;
	double speed;
	int64_t offset_s; /* --start */
	bool loops, waiting, ended;
	uint64_t timer;
	/* of the recording and of this pass through it */
	int64_t first_s, last_s, from_s, started_us, shown_s;
};

static const struct lt_plugin_option options[] = {
	{ .name = "file", .type = LT_OPT_FILE, .required = 1, .help = "recording to play (.zip)" },
	{ .name = "speed",
			.type = LT_OPT_NUMBER,
			.default_value = "1",
			.help = "how fast it is played",
			.min = 0.1,
			.max = 1000,
			.live = 1 },
	{ .name = "loop", .type = LT_OPT_FLAG, .help = "begin again at the end" },
	{ .name = "start",
			.type = LT_OPT_INT,
			.default_value = "0",
			.help = "seconds into the recording at which to begin",
			.min = 0,
			.max = 31536000 },
	{ .name = NULL },
};

static struct lt_str base_name(struct lt_str path)
{
	size_t from = path.n;

	while (from > 0 && path.p[from - 1] != '/') {
		from--;
	}
	return lt_text_n(path.p + from, path.n - from);
}

/* What is known before the file is open; its manifest replaces this. */
static int32_t describe(struct replay *self)
{
	static const struct lt_column columns[] = { LT_COL_NUM };
	struct lt_service_info info = { .size = sizeof(info) };

	info.name = LT_LITERAL("Replay");
	info.description = base_name(self->api->option_text(self->host, "file"));
	info.columns = columns;
	info.column_count = 1;
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct replay *self = calloc(1, sizeof(*self));

	(void)options_json;
	if (self == NULL) {
		api->fail(host, LT_LITERAL("out of memory"));
		return -1;
	}
	self->api = api;
	self->host = host;
	self->speed = api->option_number(host, "speed");
	self->offset_s = api->option_int(host, "start");
	self->loops = api->option_flag(host, "loop") != 0;
	/* The recording has its own messages. */
	api->set_generators(host, 0);
	if (describe(self) != 0) {
		free(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

static void begin_pass(struct replay *self, int64_t from_s)
{
	self->from_s = from_s;
	self->shown_s = from_s - 1;
	self->started_us = self->api->mono_us(self->host);
}

static void end_pass(struct replay *self)
{
	if (self->loops) {
		self->api->new_session(self->host);
		begin_pass(self, self->first_s);
		return;
	}
	self->ended = true;
	self->api->timer_cancel(self->host, self->timer);
	self->timer = 0;
	self->api->log(self->host, LT_LOG_INFO, LT_LITERAL("end of the recording"));
}

static void look(void *arg)
{
	struct replay *self = arg;
	double played_s = (double)(self->api->mono_us(self->host) - self->started_us) *
			self->speed / 1e6;
	int64_t now_s = self->from_s + (int64_t)played_s;
	int64_t next_s, later_s;

	if (self->waiting || self->ended) {
		return;
	}
	next_s = self->ext->next_time(self->recording, self->shown_s + 1);
	if (next_s == INT64_MAX) {
		end_pass(self);
		return;
	}
	if (next_s > now_s) {
		return;
	}
	for (int i = 0; i < SKIP_MAX; i++) {
		later_s = self->ext->next_time(self->recording, next_s + 1);
		if (later_s > now_s) {
			break;
		}
		next_s = later_s;
	}
	self->waiting = true;
	self->shown_s = next_s;
	if (self->ext->request(self->recording, next_s) != 0) {
		self->waiting = false;
	}
}

static void on_opened(void *arg, const struct lt_recording_info *info)
{
	struct replay *self = arg;

	self->first_s = info->first_s;
	self->last_s = info->last_s;
	if (self->ext->describe(self->recording) != 0) {
		return;
	}
	if (self->offset_s > self->last_s - self->first_s) {
		self->api->fail(self->host,
				LT_LITERAL("--start lies behind the end of the recording"));
		return;
	}
	begin_pass(self, self->first_s + self->offset_s);
	self->timer = self->api->timer(self->host, LOOK_MS, 1, look, self);
	look(self);
}

static void on_state(void *arg, int64_t time_s, struct lt_str state_json)
{
	struct replay *self = arg;

	(void)time_s;
	(void)state_json;
	self->waiting = false;
	self->ext->publish(self->recording);
}

static int32_t start(void *arg)
{
	struct replay *self = arg;
	struct lt_recording_opts opts = { .size = sizeof(opts) };

	self->ext = self->api->extension(self->host, LT_EXT_RECORDING);
	if (self->ext == NULL || !LT_HAS(self->ext, describe)) {
		self->api->fail(self->host, LT_LITERAL("this host cannot play recordings"));
		return -1;
	}
	opts.path = self->api->option_text(self->host, "file").p;
	opts.opened = on_opened;
	opts.state = on_state;
	opts.arg = self;
	self->recording = self->ext->open(self->host, &opts);
	return self->recording == NULL ? -1 : 0;
}

static void stop(void *arg)
{
	struct replay *self = arg;

	self->ended = true;
	if (self->recording != NULL) {
		self->ext->close(self->recording);
		self->recording = NULL;
	}
}

/* What was played by now stays played. */
static int32_t option_changed(void *arg, const char *name, struct lt_str *ret_reason)
{
	struct replay *self = arg;
	int64_t now_us = self->api->mono_us(self->host);
	double played_us = (double)(now_us - self->started_us) * self->speed;

	(void)ret_reason;
	if (strcmp(name, "speed") != 0) {
		return -1;
	}
	self->speed = self->api->option_number(self->host, "speed");
	self->started_us = now_us - (int64_t)(played_us / self->speed);
	return 0;
}

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = free,
	.option_changed = option_changed,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "replay",
	.version = "1.0",
	.summary = "plays a recording as a live service",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
