/*
 * openf1: a session of OpenF1 as a live service, in the session's own time.
 * Fetching is in f1_load.c, what answers say in f1_rows.c and f1_data.c, the
 * table in f1_model.c; here are options and the clock.
 */
#include "openf1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_TURN 300 /* an event takes a microsecond or two */
#define TURN_MS         50
#define LATE_MS         INT64_C(900000) /* after its planned end a session may still go on */

static const struct lt_plugin_option options[] = {
	{ .name = "session",
			.type = LT_OPT_TEXT,
			.default_value = "latest",
			.help = "key of a session, or latest" },
	{ .name = "endpoint",
			.type = LT_OPT_TEXT,
			.default_value = "https://api.openf1.org/v1",
			.help = "address of the server" },
	{ .name = "token-file",
			.type = LT_OPT_FILE,
			.help = "file with an access token, for those who have one" },
	{ .name = "name",
			.type = LT_OPT_TEXT,
			.default_value = "OpenF1",
			.help = "name of the series" },
	{ .name = "speed",
			.type = LT_OPT_NUMBER,
			.default_value = "1",
			.help = "how fast a finished session is played",
			.min = 0.1,
			.max = 1000,
			.live = 1 },
	{ .name = "offset",
			.type = LT_OPT_NUMBER,
			.default_value = "0",
			.help = "where to begin, in seconds after the planned start; less than 0: "
				"before it",
			.min = -3600,
			.max = 86400 },
	{ .name = "pause",
			.type = LT_OPT_NUMBER,
			.default_value = "1",
			.help = "seconds between two requests; half a second at least to the public "
				"server",
			.min = 0.01,
			.max = 60 },
	{ .name = "retry",
			.type = LT_OPT_NUMBER,
			.default_value = "30",
			.help = "seconds until a failed request is tried again; doubled up to ten "
				"minutes",
			.min = 0.05,
			.max = 600 },
	{ .name = "refresh",
			.type = LT_OPT_INT,
			.default_value = "30",
			.help = "seconds between two readings of a session that goes on",
			.min = 5,
			.max = 600 },
	{ .name = NULL },
};

/* --- the clock of the session --- */

static int64_t session_now_ms(const struct openf1 *self)
{
	double played_us = (double)(self->api->mono_us(self->host) - self->from_us) * self->speed;

	return self->is_live ? self->api->wall_us(self->host) / 1000
			     : self->from_ms + (int64_t)(played_us / 1000.0);
}

static void set_clock(struct openf1 *self, int64_t now_ms)
{
	self->from_ms = now_ms;
	self->from_us = self->api->mono_us(self->host);
}

/* --- what was loaded --- */

static void describe_session(struct openf1 *self)
{
	const struct f1_session *session = f1_session(self->data);
	const char *place = session->place[0] != '\0' ? session->place : session->country;
	char year[16] = "";

	if (session->year != F1_NONE) {
		snprintf(year, sizeof(year), " %d", (int)session->year);
	}
	snprintf(self->described, sizeof(self->described), "%s%s%s%s", place, year,
			place[0] != '\0' || year[0] != '\0' ? " - " : "", session->name);
	f1_describe(self);
}

static void load_again(void *arg)
{
	f1_load(arg);
}

static void count_rows(struct openf1 *self, const struct f1_data *data)
{
	struct f1_counts counts = f1_counts(data);
	char text[160];

	self->api->count(self->host, "records", counts.rows);
	self->api->count(self->host, "damaged", counts.damaged);
	self->api->count(self->host, "repeated", counts.repeated);
	if (counts.damaged > 0) {
		snprintf(text, sizeof(text), "%lld of %lld rows could not be used",
				(long long)counts.damaged,
				(long long)(counts.rows + counts.damaged));
		self->api->log(self->host, LT_LOG_WARNING, lt_text_c(text));
	}
}

void f1_loaded(struct openf1 *self, struct f1_data *data)
{
	const struct f1_session *session = f1_session(data);
	int64_t wall_ms = self->api->wall_us(self->host) / 1000;
	bool is_first = self->data == NULL, was_live = self->is_live;
	struct f1_data *before = self->data;

	count_rows(self, data);
	self->data = data;
	self->is_live = wall_ms < session->end_ms + LATE_MS;
	f1_model_begin(self->model, data);
	f1_data_destroy(before);
	if (is_first) {
		set_clock(self,
				session->start_ms +
						(int64_t)(self->api->option_number(
									  self->host, "offset") *
								1000));
		self->told_ms = self->shown_ms = self->is_live ? wall_ms : self->from_ms;
		describe_session(self);
	} else if (was_live && !self->is_live) {
		set_clock(self, wall_ms); /* it ended: the rest is played as it is */
	}
	self->is_behind = true;
	self->is_done = false;
	if (self->is_live) {
		self->api->timer(self->host, self->api->option_int(self->host, "refresh") * 1000, 0,
				load_again, self);
	}
}

static void on_turn(void *arg)
{
	struct openf1 *self = arg;
	int64_t flag_ms;

	if (self->data == NULL || self->is_done) {
		return;
	}
	self->is_behind = !f1_model_play(
			self->model, session_now_ms(self), EVENTS_PER_TURN, &flag_ms);
	if (flag_ms > self->shown_ms) {
		f1_publish(self, flag_ms); /* however fast: no flag goes unseen */
	}
}

/* Once a second. */
static void update(void *arg)
{
	struct openf1 *self = arg;

	if (self->data == NULL || self->is_behind || self->is_done) {
		return;
	}
	f1_publish(self, session_now_ms(self));
	/* The last table stays on the screen. */
	self->is_done = !self->is_live && f1_model_is_over(self->model);
	if (self->is_done) {
		self->api->log(self->host, LT_LOG_INFO,
				LT_LITERAL("the session was played to its end"));
	}
}

/* --- life --- */

static int32_t refuse(struct openf1 *self, const char *reason)
{
	self->api->fail(self->host, lt_text_c(reason));
	return -1;
}

static void destroy(void *arg)
{
	struct openf1 *self = arg;

	memset(self->authorization, 0, sizeof(self->authorization));
	f1_model_destroy(self->model);
	f1_data_destroy(self->data);
	f1_data_destroy(self->loading);
	free(self);
}

static bool is_key(struct lt_str key)
{
	if (key.n == strlen("latest") && memcmp(key.p, "latest", key.n) == 0) {
		return true;
	}
	for (size_t i = 0; i < key.n; i++) {
		if (key.p[i] < '0' || key.p[i] > '9') {
			return false;
		}
	}
	return key.n > 0 && key.n <= 10;
}

static int32_t configure(struct openf1 *self)
{
	const struct lt_host_api *api = self->api;
	struct lt_str key = api->option_text(self->host, "session");
	struct lt_str endpoint = api->option_text(self->host, "endpoint");

	self->field = api->extension(self->host, LT_EXT_FIELD);
	self->text = api->extension(self->host, LT_EXT_TEXT);
	self->json = api->extension(self->host, LT_EXT_JSON);
	self->http = api->extension(self->host, LT_EXT_HTTP);
	self->work = api->extension(self->host, LT_EXT_WORK);
	if (self->field == NULL || self->text == NULL || self->json == NULL || self->http == NULL ||
			self->work == NULL) {
		return refuse(self,
				"this host is too old: it has no HTTP, or keeps no books of laps");
	}
	if (!is_key(key)) {
		return refuse(self, "--session: expected a number, or latest");
	}
	if (endpoint.n > F1_URL_LEN || strstr(endpoint.p, "://") == NULL) {
		return refuse(self,
				"--endpoint: expected an address such as https://api.openf1.org/v1");
	}
	snprintf(self->key, sizeof(self->key), "%.*s", (int)key.n, key.p);
	self->speed = api->option_number(self->host, "speed");
	self->model = f1_model_create(self->field, self->text);
	if (self->model == NULL) {
		return refuse(self, "out of memory");
	}
	return f1_describe(self);
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct openf1 *self = calloc(1, sizeof(*self));

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

/* The first line of the file; small, and read once. */
static int32_t read_token(struct openf1 *self)
{
	char token[512] = "";
	FILE *file = fopen(self->api->option_text(self->host, "token-file").p, "re");

	if (file != NULL) {
		if (fgets(token, sizeof(token), file) == NULL) {
			token[0] = '\0';
		}
		fclose(file);
	}
	token[strcspn(token, "\r\n")] = '\0';
	if (token[0] == '\0') {
		return refuse(self, "--token-file: there is no token in it");
	}
	snprintf(self->authorization, sizeof(self->authorization), "Authorization: Bearer %s",
			token);
	self->headers[1] = self->authorization;
	memset(token, 0, sizeof(token));
	return 0;
}

static int32_t start(void *arg)
{
	struct openf1 *self = arg;

	self->headers[0] = "Accept: application/json";
	if (self->api->option_has(self->host, "token-file") && read_token(self) != 0) {
		return -1;
	}
	self->api->timer(self->host, TURN_MS, 1, on_turn, self);
	f1_load(self);
	return 0;
}

static void stop(void *arg)
{
	f1_load_stop(arg);
}

static int32_t option_changed(void *arg, const char *name, struct lt_str *ret_reason)
{
	struct openf1 *self = arg;

	(void)name;
	if (self->is_live) {
		*ret_reason = LT_LITERAL("a session that goes on has its own speed");
		return -1;
	}
	if (self->data != NULL) {
		set_clock(self, session_now_ms(self));
	}
	self->speed = self->api->option_number(self->host, "speed");
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
	.name = "openf1",
	.version = "1.0",
	.summary = "sessions of OpenF1, played in their own time",
	.attribution = "OpenF1 https://openf1.org",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
