/*
 * What a plugin says in the structs of livetiming_plugin.h, as JSON trees of
 * Common Timing Data. Text that is not UTF-8 has its bad bytes replaced by
 * U+FFFD. Pure; results are owned by the caller.
 */
#ifndef LT_SERVICES_PLUGIN_PLUGIN_STATE_H
#define LT_SERVICES_PLUGIN_PLUGIN_STATE_H

#include "base/json.h"
#include "livetiming_plugin.h"

/* Copy what both sides know of a struct that begins with its size; the rest is zero. */
void lt_copy_sized(void *ours, size_t our_size, const void *theirs);

cJSON *lt_plugin_text(struct lt_str text);

/* {"name", "description", "colSpec", "trackDataSpec", "pollInterval", "source"?} */
cJSON *lt_plugin_description(const struct lt_service_info *theirs, struct lt_err *err);

/* "Name https://url" as ["Name", "https://url"]; NULL for an empty text. */
cJSON *lt_plugin_attribution(const char *attribution);

/* One row; INT is an integer, NUMBER and TIME are floating point. */
cJSON *lt_plugin_row(const struct lt_cell *cells, size_t count, struct lt_err *err);

cJSON *lt_plugin_session(const struct lt_session_info *theirs, struct lt_err *err);

/* [time, category, text, type, car?] */
cJSON *lt_plugin_message(const struct lt_message_info *theirs, int64_t now_s);

/* Does a cell suit the type of its column ("time", "numeric", ...)? */
bool lt_plugin_cell_fits(const struct lt_cell *cell, const char *type);

#endif
