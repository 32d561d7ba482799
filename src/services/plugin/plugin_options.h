/*
 * Options of a plugin: command line arguments to checked, typed values against
 * the options that the plugin declares. Long options may be abbreviated and
 * have their value attached, as those of the service itself. Pure, but for
 * LT_OPT_FILE, whose file must be readable.
 */
#ifndef LT_SERVICES_PLUGIN_PLUGIN_OPTIONS_H
#define LT_SERVICES_PLUGIN_PLUGIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/service_args.h"
#include "services/plugin/plugin_loader.h"

struct lt_option_value {
	bool given; /* given or defaulted */
	char *text; /* owned, terminated; NULL for flags and when not given */
	int64_t i;
	double d;
	bool flag;
};

struct lt_option_values; /* one for each declared option */

/*
 * Errors     LT_E_INVALID naming the option and what it expects; an unknown one with the
 *            nearest that exists; a missing required one; an argument without an option
 */
struct lt_option_values *lt_option_values_parse(
		const struct lt_plugin *plugin, const struct lt_args *args, struct lt_err *err);
/*
 * Give an option another value. The text before it stays valid until destroy,
 * because a plugin may have kept it.
 *
 * Errors     LT_E_INVALID as above; LT_E_LIMIT changed too often
 */
bool lt_option_values_change(struct lt_option_values *values, struct lt_str name,
		struct lt_str text, struct lt_err *err);
void lt_option_values_destroy(struct lt_option_values *values);

/* NULL: the plugin declares no such option. Borrowed. */
const struct lt_option_value *lt_option_values_get(
		const struct lt_option_values *values, const char *name);

/* {"seed": 71, "fast": true, ...}, those that are given or defaulted; owned by the caller. */
cJSON *lt_option_values_json(const struct lt_option_values *values);

/* Name of a type for people: "text", "integer", ... */
const char *lt_option_type_name(uint32_t type);

#endif
