/* Options that are not as they should be. */
#define BAD_NAME    "options"
#define BAD_OPTIONS options
#include "bad.h"

static const struct lt_plugin_option options[] = {
	{ .name = "port",
			.type = LT_OPT_INT,
			.default_value = "70000",
			.help = "a port",
			.min = 1,
			.max = 65535 },
	{ .name = "kind",
			.type = LT_OPT_CHOICE,
			.default_value = "fast",
			.help = "a kind",
			.choices = "race|practice",
			.live = 1 },
	{ .name = "secret", .type = LT_OPT_TEXT },
	{ .name = "port", .type = LT_OPT_TEXT, .help = "again" },
	{ .name = NULL },
};

BAD_PLUGIN(bad_create, minimal_start, NULL)
