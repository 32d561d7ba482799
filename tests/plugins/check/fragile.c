/* Takes a long line without a comma for impossible. */
#define BAD_NAME    "fragile"
#define BAD_OPTIONS options
#include "bad.h"

static const struct lt_plugin_option options[] = {
	{ .name = "host", .type = LT_OPT_TEXT, .required = 1, .help = "timing computer" },
	{ .name = NULL },
};

static void on_line(void *arg, struct lt_str line)
{
	struct bad *self = arg;

	if (memchr(line.p, ',', line.n) == NULL && line.n > 60) {
		abort();
	}
	self->api->count(self->host, "records", 1);
}

static int32_t start(void *arg)
{
	struct bad *self = arg;
	const struct lt_lines_ext *lines = self->api->extension(self->host, LT_EXT_LINES);
	struct lt_lines_opts opts = { .size = sizeof(opts), .line = on_line, .arg = self };

	opts.host = self->api->option_text(self->host, "host").p;
	opts.port = 9000;
	return lines->open(self->host, &opts) != NULL ? 0 : -1;
}

BAD_PLUGIN(bad_create, start, NULL)
