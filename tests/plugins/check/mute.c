/* Refuses to start for some values, and does not say why. */
#define BAD_NAME    "mute"
#define BAD_OPTIONS options
#include "bad.h"

static const struct lt_plugin_option options[] = {
	{ .name = "laps",
			.type = LT_OPT_INT,
			.default_value = "10",
			.help = "of a race",
			.min = 1,
			.max = 99 },
	{ .name = NULL },
};

static int32_t start(void *arg)
{
	const struct bad *self = arg;

	return self->api->option_int(self->host, "laps") == 99 ? -1 : 0;
}

BAD_PLUGIN(bad_create, start, NULL)
