/*
 * assettocorsa: the UDP plugin protocol of the Assetto Corsa dedicated server.
 * Datagrams become packets in ac_parse.c, packets become a state in ac_model.c;
 * here they meet the host: options, network, questions to the server.
 */
#include "assettocorsa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLISH_AFTER_MS 250
#define ASK_EVERY_MS     100 /* questions about cars go out in small groups */
#define ASKS_PER_TURN    8
#define QUIET_US         5000000  /* then the server is asked whether it is there */
#define SYNC_US          30000000 /* between looks at its clock */
#define LOG_EVERY_US     60000000

static const struct lt_plugin_option options[] = {
	{ .name = "server",
			.type = LT_OPT_TEXT,
			.default_value = "127.0.0.1",
			.help = "address of the game server, in numbers; nobody else is believed" },
	{ .name = "server-port",
			.type = LT_OPT_INT,
			.default_value = "11000",
			.help = "its UDP_PLUGIN_LOCAL_PORT",
			.min = 1,
			.max = 65535 },
	{ .name = "listen",
			.type = LT_OPT_TEXT,
			.default_value = "127.0.0.1",
			.help = "address to listen on, that of its UDP_PLUGIN_ADDRESS" },
	{ .name = "listen-port",
			.type = LT_OPT_INT,
			.default_value = "12000",
			.help = "port to listen on, that of its UDP_PLUGIN_ADDRESS; 0: a free one",
			.min = 0,
			.max = 65535 },
	{ .name = "name",
			.type = LT_OPT_TEXT,
			.default_value = "Assetto Corsa",
			.help = "name of the series" },
	{ .name = "update-ms",
			.type = LT_OPT_INT,
			.default_value = "1000",
			.help = "milliseconds between positions on the track, for the order within "
				"a lap; 0: none",
			.min = 0,
			.max = 10000 },
	{ .name = "cars",
			.type = LT_OPT_INT,
			.default_value = "32",
			.help = "how many car slots the server is asked about",
			.min = 1,
			.max = 255 },
	{ .name = "stale",
			.type = LT_OPT_INT,
			.default_value = "15",
			.help = "seconds without an answer after which the feed is called stale",
			.min = 3,
			.max = 3600 },
	{ .name = "class-by",
			.type = LT_OPT_CHOICE,
			.default_value = "none",
			.choices = "none|model",
			.help = "what the class of a car is" },
	{ .name = "chat", .type = LT_OPT_FLAG, .help = "show what drivers write, as messages" },
	{ .name = NULL },
};

static bool option_is(const struct assettocorsa *self, const char *name, const char *value)
{
	struct lt_str text = self->api->option_text(self->host, name);

	return text.n == strlen(value) && memcmp(text.p, value, text.n) == 0;
}

static int64_t now_ms(const struct assettocorsa *self)
{
	return self->api->mono_us(self->host) / 1000;
}

/* --- questions --- */

static void send_command(struct assettocorsa *self, const char *command, size_t n)
{
	self->udp_ext->send(self->udp, lt_text_n(command, n), lt_text_c(self->server));
}

static void ask_session(struct assettocorsa *self)
{
	char command[AC_COMMAND_MAX];

	self->asked_us = self->api->mono_us(self->host);
	send_command(self, command, ac_ask_session(-1, command));
}

/* All that a server is asked when it is new to us, or back. */
static void greet(struct assettocorsa *self)
{
	char command[AC_COMMAND_MAX];

	ask_session(self);
	send_command(self, command,
			ac_ask_updates((uint16_t)self->api->option_int(self->host, "update-ms"),
					command));
	ac_model_ask_all(self->model, (uint32_t)self->api->option_int(self->host, "cars"));
}

static void on_ask(void *arg)
{
	struct assettocorsa *self = arg;
	char command[AC_COMMAND_MAX];
	int32_t car;

	for (int i = 0; self->udp != NULL && i < ASKS_PER_TURN &&
			(car = ac_model_next_ask(self->model)) >= 0;
			i++) {
		send_command(self, command, ac_ask_car((uint8_t)car, command));
	}
}

/* --- answers --- */

/* Is a datagram from the server? from: "address:port", "[address]:port". */
static bool is_server(const struct assettocorsa *self, struct lt_str from)
{
	struct lt_str server = self->api->option_text(self->host, "server");

	while (from.n > 0 && from.p[from.n - 1] != ':') {
		from.n--;
	}
	from.n -= from.n > 0;
	if (from.n >= 2 && from.p[0] == '[') {
		from = lt_text_n(from.p + 1, from.n - 2);
	}
	if (from.n > 7 && memcmp(from.p, "::ffff:", 7) == 0) { /* version 4 on a socket of 6 */
		from = lt_text_n(from.p + 7, from.n - 7);
	}
	return from.n == server.n && memcmp(from.p, server.p, from.n) == 0;
}

static void on_publish(void *arg)
{
	struct assettocorsa *self = arg;

	self->publish_timer = 0;
	ac_publish(self, now_ms(self));
}

static void publish_soon(struct assettocorsa *self)
{
	if (ac_model_take_changed(self->model) && self->publish_timer == 0) {
		self->publish_timer =
				self->api->timer(self->host, PUBLISH_AFTER_MS, 0, on_publish, self);
	}
}

/* A good packet: the server is there. */
static void hear(struct assettocorsa *self)
{
	self->heard_us = self->api->mono_us(self->host);
	if (self->is_silent) {
		self->is_silent = false;
		self->api->set_stale(self->host, 0, lt_text_n("", 0));
		greet(self); /* it may have been restarted */
	}
}

static void refuse_packet(struct assettocorsa *self, enum ac_result parsed)
{
	const struct ac_packet *packet = &self->packet;

	self->damaged++;
	self->api->count(self->host, "damaged", 1);
	if (parsed == AC_DAMAGED &&
			(packet->type == AC_NEW_SESSION || packet->type == AC_SESSION_INFO) &&
			packet->session.version != AC_PROTOCOL) {
		self->other_version = packet->session.version;
	}
}

static void on_datagram(void *arg, struct lt_str bytes, struct lt_str from)
{
	struct assettocorsa *self = arg;
	enum ac_result parsed, result;

	if (!is_server(self, from)) {
		self->foreign++;
		self->api->count(self->host, "from others", 1);
		return;
	}
	parsed = result = ac_parse(bytes, &self->packet);
	if (parsed == AC_OK) {
		result = ac_model_apply(self->model, &self->packet, now_ms(self));
		hear(self);
	}
	if (result == AC_DAMAGED) {
		refuse_packet(self, parsed);
	} else {
		self->api->count(self->host, result == AC_OK ? "records" : "ignored", 1);
	}
	publish_soon(self);
}

/* --- every second --- */

static void log_damage(struct assettocorsa *self, int64_t now_us)
{
	int64_t bad = self->damaged + self->foreign;
	char text[200];

	if (bad == self->logged ||
			(self->logged_us != 0 && now_us - self->logged_us < LOG_EVERY_US)) {
		return;
	}
	snprintf(text, sizeof(text), "skipped %lld damaged datagrams and %lld from other addresses",
			(long long)self->damaged, (long long)self->foreign);
	self->api->log(self->host, LT_LOG_WARNING, lt_text_c(text));
	if (self->other_version != 0) {
		snprintf(text, sizeof(text), "the server speaks version %u of the protocol, not %u",
				self->other_version, AC_PROTOCOL);
		self->api->log(self->host, LT_LOG_ERROR, lt_text_c(text));
	}
	self->logged = bad;
	self->logged_us = now_us;
}

static void watch_silence(struct assettocorsa *self, int64_t now_us)
{
	int64_t stale_us = self->api->option_int(self->host, "stale") * 1000000;
	int64_t quiet_us = stale_us / 2 < QUIET_US ? stale_us / 2 : QUIET_US;
	int64_t silent_us = now_us - self->heard_us;
	char text[160];

	/* A server without drivers says nothing unless it is asked. */
	if ((silent_us >= quiet_us && now_us - self->asked_us >= quiet_us) ||
			now_us - self->asked_us >= SYNC_US) {
		ask_session(self);
	}
	if (silent_us < stale_us) {
		return;
	}
	self->is_silent = true;
	if (self->other_version != 0) {
		snprintf(text, sizeof(text), "%s speaks version %u of the protocol, not %u",
				self->server, self->other_version, AC_PROTOCOL);
	} else {
		snprintf(text, sizeof(text), "no answer from %s for %lld s", self->server,
				(long long)(silent_us / 1000000));
	}
	self->api->set_stale(self->host, 1, lt_text_c(text));
}

static void update(void *arg)
{
	struct assettocorsa *self = arg;
	int64_t now_us = self->api->mono_us(self->host);

	if (self->udp == NULL) {
		return;
	}
	log_damage(self, now_us);
	watch_silence(self, now_us);
	ac_model_tick(self->model, now_us / 1000);
	publish_soon(self);
}

/* --- life --- */

static int32_t refuse(struct assettocorsa *self, const char *reason)
{
	self->api->fail(self->host, lt_text_c(reason));
	return -1;
}

static void destroy(void *arg)
{
	struct assettocorsa *self = arg;

	ac_model_destroy(self->model);
	free(self);
}

/* An address in numbers: names would have to be asked for, and could be anybody's. */
static bool is_address(struct lt_str text)
{
	bool has_mark = false;

	for (size_t i = 0; i < text.n; i++) {
		has_mark = has_mark || text.p[i] == '.' || text.p[i] == ':';
		if (text.p[i] == '\0' || strchr("0123456789abcdef.:", text.p[i]) == NULL) {
			return false;
		}
	}
	return has_mark && text.n < 64;
}

static int32_t configure(struct assettocorsa *self)
{
	const struct lt_host_api *api = self->api;
	struct lt_str server = api->option_text(self->host, "server");
	struct ac_opts opts = { .field = api->extension(self->host, LT_EXT_FIELD) };
	struct ac_view view;

	if (!is_address(server)) {
		return refuse(self, "--server: expected an address in numbers, such as 10.0.0.5");
	}
	if (opts.field == NULL) {
		return refuse(self, "this host is too old: it keeps no books of laps");
	}
	snprintf(self->server, sizeof(self->server),
			memchr(server.p, ':', server.n) != NULL ? "[%.*s]:%d" : "%.*s:%d",
			(int)server.n, server.p, (int)api->option_int(self->host, "server-port"));
	self->field_ext = opts.field;
	opts.class_is_model = option_is(self, "class-by", "model");
	opts.wants_chat = api->option_flag(self->host, "chat") != 0;
	self->model = ac_model_create(&opts);
	if (self->model == NULL) {
		return refuse(self, "out of memory");
	}
	view = ac_model_view(self->model, 0);
	return ac_describe(self, &view);
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct assettocorsa *self = calloc(1, sizeof(*self));

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

static int32_t start(void *arg)
{
	struct assettocorsa *self = arg;
	const struct lt_host_api *api = self->api;
	struct lt_udp_opts opts = { .size = sizeof(opts) };

	self->udp_ext = api->extension(self->host, LT_EXT_UDP);
	if (self->udp_ext == NULL) {
		return refuse(self, "this host cannot listen on UDP");
	}
	opts.address = api->option_text(self->host, "listen").p;
	opts.port = (uint32_t)api->option_int(self->host, "listen-port");
	opts.datagram = on_datagram;
	opts.arg = self;
	self->udp = self->udp_ext->open(self->host, &opts);
	if (self->udp == NULL) {
		return -1;
	}
	self->heard_us = api->mono_us(self->host);
	greet(self);
	api->timer(self->host, ASK_EVERY_MS, 1, on_ask, self);
	return 0;
}

static void stop(void *arg)
{
	struct assettocorsa *self = arg;

	if (self->udp != NULL) {
		self->udp_ext->close(self->udp);
		self->udp = NULL;
	}
}

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = create,
	.start = start,
	.stop = stop,
	.destroy = destroy,
	.update = update,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "assettocorsa",
	.version = "1.0",
	.summary = "Assetto Corsa dedicated server, by its UDP plugin protocol",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
