/* Made when the table of functions ended with destroy: what comes behind it is not read. */
#include "minimal.h"

static void never(void *self)
{
	(void)self;
	__builtin_trap();
}

static const struct lt_plugin_ops ops = {
	.size = offsetof(struct lt_plugin_ops, update),
	.create = minimal_create,
	.start = minimal_start,
	.destroy = minimal_destroy,
	.update = never,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.name = "older",
	.version = "1",
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
