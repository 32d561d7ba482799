/*
 * A plugin that misbehaves as its options say: ends the process, hangs, or
 * prints. Otherwise it counts its updates as cars' laps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "minimal.h"

struct crash {
	const struct lt_host_api *api;
	struct lt_host *host;
	int updates;
};

static int32_t create(const struct lt_host_api *api, struct lt_host *host, struct lt_str options,
		void **ret_self)
{
	static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_LAPS };
	struct crash *self = calloc(1, sizeof(*self));
	struct lt_service_info info;

	(void)options;
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.name = LT_LITERAL("Crash");
	info.columns = columns;
	info.column_count = 2;
	self->api = api;
	self->host = host;
	*ret_self = self;
	return api->describe(host, &info);
}

/* When the file named by the option exists. */
static int is_told(const struct crash *self, const char *option)
{
	struct lt_str path = self->api->option_text(self->host, option);
	char name[1024];

	if (path.n == 0 || path.n >= sizeof(name)) {
		return 0;
	}
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	return access(name, F_OK) == 0;
}

static void hang(void)
{
	for (;;) {
		pause();
	}
}

static int32_t start(void *arg)
{
	const struct crash *self = arg;

	if (self->api->option_flag(self->host, "print")) {
		fprintf(stderr, "printed by a plugin\nand \x1b[31mred\n");
	}
	if (is_told(self, "die-at-start")) {
		_exit(77);
	}
	return 0;
}

static void stop(void *arg)
{
	const struct crash *self = arg;

	if (self->api->option_flag(self->host, "hang-in-stop")) {
		hang();
	}
}

static void update(void *arg)
{
	struct crash *self = arg;
	struct lt_session_info session;
	struct lt_cell row[2];

	if (is_told(self, "die")) {
		_exit(78);
	}
	if (is_told(self, "hang")) {
		hang();
	}
	memset(row, 0, sizeof(row));
	row[0].kind = LT_CELL_TEXT;
	row[0].s = LT_LITERAL("7");
	row[1].kind = LT_CELL_INT;
	row[1].i = ++self->updates;
	memset(&session, 0, sizeof(session));
	session.size = sizeof(session);
	session.flag = LT_FLAG_GREEN;
	session.time_elapsed_s = self->updates;
	session.time_remain_s = -1;
	session.laps_remain = -1;
	self->api->state_begin(self->host);
	self->api->state_row(self->host, row, 2);
	self->api->state_session(self->host, &session);
	self->api->publish_now(self->host);
}

static void destroy(void *self)
{
	free(self);
}

static const struct lt_plugin_option options[] = {
	{ "die-at-start", LT_OPT_TEXT, 0, NULL, "die at the start if it exists", NULL, 0, 0, 0, 0 },
	{ "die", LT_OPT_TEXT, 0, NULL, "die in an update if it exists", NULL, 0, 0, 0, 0 },
	{ "hang", LT_OPT_TEXT, 0, NULL, "hang in an update if it exists", NULL, 0, 0, 0, 0 },
	{ "hang-in-stop", LT_OPT_FLAG, 0, NULL, "never stop", NULL, 0, 0, 0, 0 },
	{ "print", LT_OPT_FLAG, 0, NULL, "print at the start", NULL, 0, 0, 0, 0 },
	{ NULL, 0, 0, NULL, NULL, NULL, 0, 0, 0, 0 },
};

static const struct lt_plugin_ops ops = { sizeof(ops), 0, create, start, stop, destroy, update,
	NULL, NULL };

static const struct lt_plugin_desc desc = { sizeof(desc), LT_PLUGIN_ABI_MAJOR, LT_PLUGIN_ABI_MINOR,
	0, "crash", "1.0", "misbehaves", NULL, options, sizeof(options[0]), 0, &ops };

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
