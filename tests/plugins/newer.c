/* Made for a later minor version: longer tables, of which this host reads what it knows. */
#include "minimal.h"

static const struct {
	struct lt_plugin_ops ops;
	void *later[4];
} ops = {
	.ops = { .size = sizeof(ops),
			.create = minimal_create,
			.start = minimal_start,
			.destroy = minimal_destroy },
};

static const struct {
	struct lt_plugin_desc desc;
	void *later[4];
} desc = {
	.desc = { .size = sizeof(desc),
			.abi_major = LT_PLUGIN_ABI_MAJOR,
			.abi_minor = LT_PLUGIN_ABI_MINOR + 7,
			.name = "newer",
			.version = "9",
			.ops = &ops.ops },
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc.desc;
}
