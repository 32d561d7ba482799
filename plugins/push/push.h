/* The instance of the plugin; shared by push.c (life, inbox) and ps_show.c (output). */
#ifndef LT_PUSH_PUSH_H
#define LT_PUSH_PUSH_H

#include <livetiming/plugin.h>

#include "ps_model.h"

struct push {
	const struct lt_host_api *api;
	struct lt_host *host;
	const struct lt_field_ext *field;
	const struct lt_inbox_ext *inbox_ext;
	void *inbox;
	struct ps_model *model;
	int64_t stale_us; /* silence; 0: never stale */
	int64_t last_us;  /* of the last message, or the start */
	int64_t published_us;
	bool is_stale;
	char answer[PS_ERROR_LEN];
	struct lt_column columns[PS_COLUMNS_MAX];
};

/* Say what the service is. */
int32_t ps_describe(struct push *self);
/* Publish the model's state. */
void ps_publish(struct push *self, int64_t now_ms);
/* The messages of what was just pushed. */
void ps_give_messages(struct push *self);

#endif
