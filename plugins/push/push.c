/*
 * push: a race that somebody's script tells, as JSON over HTTP or WAMP. What a
 * message may say is checked in ps_read.c and kept in ps_model.c; here it meets
 * the host: options, inbox, silence.
 */
#include "push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lt_plugin_option options[] = {
	{ .name = "token-file",
			.type = LT_OPT_FILE,
			.help = "file with the token that senders need; without it "
				"LIVETIMING_PUSH_TOKEN" },
	{ .name = "name",
			.type = LT_OPT_TEXT,
			.default_value = "Pushed",
			.help = "name of the series until a sender says another" },
	{ .name = "stale",
			.type = LT_OPT_INT,
			.default_value = "30",
			.help = "seconds without a message after which the feed is called stale; 0: "
				"never",
			.min = 0,
			.max = 86400 },
	{ .name = "sectors",
			.type = LT_OPT_INT,
			.default_value = "3",
			.help = "sectors of a lap",
			.min = 0,
			.max = PS_SECTORS_MAX },
	{ .name = "pit-settle",
			.type = LT_OPT_NUMBER,
			.default_value = "0",
			.help = "seconds for which a car has to be in, or out of, the pits before it "
				"is believed",
			.min = 0,
			.max = 60 },
	{ .name = "rate",
			.type = LT_OPT_INT,
			.default_value = "20",
			.help = "messages a second; more are refused",
			.min = 1,
			.max = 1000 },
	{ .name = NULL },
};

static int64_t now_ms(const struct push *self)
{
	return self->api->mono_us(self->host) / 1000;
}

static void be_alive(struct push *self)
{
	self->last_us = self->api->mono_us(self->host);
	if (self->is_stale) {
		self->is_stale = false;
		self->api->set_stale(self->host, 0, lt_text_n("", 0));
	}
}

static int32_t on_message(void *arg, const struct lt_value *message, struct lt_str *ret_answer)
{
	struct push *self = arg;
	struct ps_change change;

	if (!ps_model_push(self->model, message, now_ms(self), &change)) {
		*ret_answer = lt_text_c(ps_model_error(self->model));
		return -1;
	}
	be_alive(self);
	if (change.is_new_session) {
		self->api->new_session(self->host);
	}
	if (change.is_redescribed && ps_describe(self) != 0) {
		return -1;
	}
	ps_give_messages(self);
	ps_publish(self, now_ms(self));
	snprintf(self->answer, sizeof(self->answer), "{\"cars\":%zu}", ps_model_cars(self->model));
	*ret_answer = lt_text_c(self->answer);
	return 0;
}

/* Once a second: silence, and clocks and gaps that go on between messages. */
static void update(void *arg)
{
	struct push *self = arg;
	int64_t silent_us = self->api->mono_us(self->host) - self->last_us;
	char reason[80];

	if (self->stale_us > 0 && silent_us >= self->stale_us) {
		if (!self->is_stale) {
			self->is_stale = true;
			snprintf(reason, sizeof(reason), "nobody has sent anything for %lld s",
					(long long)(silent_us / 1000000));
			self->api->set_stale(self->host, 1, lt_text_c(reason));
		}
		return;
	}
	if (self->published_us != 0 && ps_model_view(self->model, now_ms(self)).runs) {
		ps_publish(self, now_ms(self));
	}
}

/* --- life --- */

static int32_t refuse(struct push *self, const char *reason)
{
	self->api->fail(self->host, lt_text_c(reason));
	return -1;
}

static void destroy(void *arg)
{
	struct push *self = arg;

	ps_model_destroy(self->model);
	free(self);
}

static int32_t configure(struct push *self)
{
	const struct lt_host_api *api = self->api;
	struct ps_opts opts = { .json = api->extension(self->host, LT_EXT_JSON),
		.field = api->extension(self->host, LT_EXT_FIELD) };

	self->field = opts.field;
	self->inbox_ext = api->extension(self->host, LT_EXT_INBOX);
	if (opts.json == NULL || opts.field == NULL || self->inbox_ext == NULL) {
		return refuse(self, "this host is too old: it takes no messages");
	}
	opts.sectors = (uint32_t)api->option_int(self->host, "sectors");
	opts.pit_settle_ms = (uint32_t)(api->option_number(self->host, "pit-settle") * 1000);
	self->stale_us = api->option_int(self->host, "stale") * 1000000;
	self->model = ps_model_create(&opts);
	if (self->model == NULL) {
		return refuse(self, "out of memory");
	}
	api->set_generators(self->host, LT_GENERATE_DEFAULT | LT_GENERATE_RACE_CONTROL);
	return ps_describe(self);
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	struct push *self = calloc(1, sizeof(*self));

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
	struct push *self = arg;
	struct lt_inbox_opts opts = { .size = sizeof(opts), .message = on_message, .arg = self };

	if (self->api->option_has(self->host, "token-file")) {
		opts.token_file = self->api->option_text(self->host, "token-file").p;
	}
	opts.per_second = (uint32_t)self->api->option_int(self->host, "rate");
	self->last_us = self->api->mono_us(self->host);
	self->inbox = self->inbox_ext->open(self->host, &opts);
	return self->inbox != NULL ? 0 : -1;
}

static void stop(void *arg)
{
	struct push *self = arg;

	self->inbox_ext->close(self->inbox);
	self->inbox = NULL;
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
	.name = "push",
	.version = "1.0",
	.summary = "a race that scripts send as JSON, by HTTP or WAMP",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
