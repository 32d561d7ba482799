/*
 * A plugin with one mistake: define BAD_NAME and BAD_OPTIONS, and say
 * BAD_PLUGIN(create, start, update), with bad_create, minimal_start and NULL
 * for what is in order.
 */
#ifndef LT_TESTS_PLUGINS_CHECK_BAD_H
#define LT_TESTS_PLUGINS_CHECK_BAD_H

#include <stdlib.h>

#include "../minimal.h"

struct bad {
	const struct lt_host_api *api;
	struct lt_host *host;
	int updates;
};

static inline int32_t bad_create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options, void **ret_self)
{
	struct bad *self = calloc(1, sizeof(*self));
	int32_t result = minimal_create(api, host, options, ret_self);

	self->api = api;
	self->host = host;
	*ret_self = self;
	return result;
}

static inline void bad_destroy(void *self)
{
	free(self);
}

/* A state of one car with these cells. */
static inline void bad_publish(struct bad *self, const struct lt_cell *cells, size_t count)
{
	struct lt_session_info session = { .size = sizeof(session), .flag = LT_FLAG_GREEN };

	self->api->state_begin(self->host);
	self->api->state_row(self->host, cells, count);
	self->api->state_session(self->host, &session);
	self->api->publish_now(self->host);
}

#define BAD_PLUGIN(create_fn, start_fn, update_fn)                                                 \
	static const struct lt_plugin_ops ops = { .size = sizeof(ops),                             \
		.create = create_fn,                                                               \
		.start = start_fn,                                                                 \
		.destroy = bad_destroy,                                                            \
		.update = update_fn };                                                             \
	static const struct lt_plugin_desc desc = { .size = sizeof(desc),                          \
		.abi_major = LT_PLUGIN_ABI_MAJOR,                                                  \
		.name = BAD_NAME,                                                                  \
		.version = "1",                                                                    \
		.summary = "has one mistake",                                                      \
		.options = BAD_OPTIONS,                                                            \
		.option_size = sizeof(struct lt_plugin_option),                                    \
		.ops = &ops };                                                                     \
	const struct lt_plugin_desc *lt_plugin_entry_v1(void)                                      \
	{                                                                                          \
		return &desc;                                                                      \
	}

#endif
