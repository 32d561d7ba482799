/* The least that a plugin needs; the bad ones of the tests are made of it. */
#ifndef LT_TESTS_PLUGINS_MINIMAL_H
#define LT_TESTS_PLUGINS_MINIMAL_H

#include <string.h>

#include <livetiming/plugin.h>

static inline int32_t minimal_create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options, void **ret_self)
{
	static const struct lt_column columns[] = { LT_COL_NUM };
	struct lt_service_info info;

	(void)options;
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.name = LT_LITERAL("Minimal");
	info.columns = columns;
	info.column_count = 1;
	*ret_self = NULL;
	return api->describe(host, &info);
}

static inline int32_t minimal_start(void *self)
{
	(void)self;
	return 0;
}

static inline void minimal_destroy(void *self)
{
	(void)self;
}

#endif
