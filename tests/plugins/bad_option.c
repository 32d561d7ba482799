/* Its option is hidden by one of the service. */
#include "minimal.h"

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = minimal_create,
	.start = minimal_start,
	.destroy = minimal_destroy,
};

static const struct lt_plugin_option options[] = {
	{ .name = "recording", .type = LT_OPT_TEXT, .help = "never arrives" },
	{ .name = NULL },
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.name = "bad_option",
	.version = "1",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
