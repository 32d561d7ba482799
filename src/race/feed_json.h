/*
 * JSON for plugins: the table behind "lt.json/1" (livetiming_plugin.h, struct
 * lt_json_ext), over base/json.h. Pure, for any thread. A struct lt_value is a
 * cJSON node.
 */
#ifndef LT_RACE_FEED_JSON_H
#define LT_RACE_FEED_JSON_H

#include "base/json.h"
#include "livetiming_plugin.h"

#define LT_FEED_JSON_DEPTH 64

extern const struct lt_json_ext lt_json_table;

/* A tree as plugins see it; borrowed. */
const struct lt_value *lt_feed_value(const cJSON *item);

#endif
