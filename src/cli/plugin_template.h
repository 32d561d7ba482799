/*
 * The plugin that new ones begin with: plugins/template, built into the
 * program, so that there is one source of it and no file to be found.
 */
#ifndef LT_CLI_PLUGIN_TEMPLATE_H
#define LT_CLI_PLUGIN_TEMPLATE_H

#include <stdbool.h>

#include "base/str.h"

struct lt_template_file {
	const char *path; /* in the new folder; the name stands in it, too */
	struct lt_str text;
	unsigned mode;
};

/* The i-th; text.p NULL behind the last. Static. */
struct lt_template_file lt_template_file_at(size_t i);

/* A name is begun by a letter and goes on with a-z, 0-9 and _, 48 bytes at most. */
bool lt_plugin_name_check(struct lt_str name, struct lt_err *err);

/* Put the name where the text has that of the template, as "my_feed" and as "My feed". */
void lt_template_fill(struct lt_buf *buf, struct lt_str text, struct lt_str name);

#endif
