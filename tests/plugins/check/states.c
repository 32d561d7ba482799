/* Publishes a text in a column of times, and a cell more than there are columns. */
#define BAD_NAME    "states"
#define BAD_OPTIONS NULL
#include "bad.h"

static int32_t create(const struct lt_host_api *api, struct lt_host *host, struct lt_str options,
		void **ret_self)
{
	static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_LAST_LAP };
	struct lt_service_info info = { .size = sizeof(info), .name = LT_LITERAL("States") };

	bad_create(api, host, options, ret_self);
	info.columns = columns;
	info.column_count = 2;
	return api->describe(host, &info);
}

static void update(void *arg)
{
	const struct lt_cell cells[] = {
		{ .kind = LT_CELL_TEXT, .s = LT_LITERAL("71") },
		{ .kind = LT_CELL_TEXT, .s = LT_LITERAL("fast") },
		{ .kind = LT_CELL_INT, .i = 3 },
	};
	struct bad *self = arg;

	bad_publish(self, cells, self->updates++ == 0 ? 2 : 3);
	self->api->option_int(self->host, "laps");
}

BAD_PLUGIN(create, minimal_start, update)
