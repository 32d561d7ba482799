/* Takes the name of another. */
#include "minimal.h"

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = minimal_create,
	.start = minimal_start,
	.destroy = minimal_destroy,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.name = "probe",
	.version = "1",
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
