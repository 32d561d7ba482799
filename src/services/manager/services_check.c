/*
 * What the scheduler asks about services without touching them: which there
 * are, and whether a command line would do.
 */
#include <unistd.h>

#include "base/table.h"
#include "services/manager/services_priv.h"
#include "services/plugin/plugin_options.h"

bool lt_services_check(struct lt_services *services, const struct lt_args *args, struct lt_err *err)
{
	struct lt_service_args parsed = { 0 };
	const struct lt_plugin *plugin;
	struct lt_option_values *values = NULL;
	bool ok = false;

	if (!lt_service_args_parse(args, &parsed, err)) {
		return false;
	}
	plugin = lt_plugins_find(services->plugins, lt_str_from(parsed.service_class), err);
	if (plugin != NULL && parsed.initial_state != NULL &&
			access(parsed.initial_state, R_OK) != 0) {
		lt_err_errno(err, "--initial-state: %.120s", parsed.initial_state);
	} else if (plugin != NULL) {
		values = lt_option_values_parse(plugin, &parsed.extra, err);
		ok = values != NULL;
	}
	lt_option_values_destroy(values);
	lt_service_args_finish(&parsed);
	return ok;
}

bool lt_services_at(
		const struct lt_services *services, size_t i, struct lt_service_ref *ret_service)
{
	const struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		if (i-- == 0) {
			*ret_service = (struct lt_service_ref){
				.uuid = entry->uuid,
				.service_class = entry->service_class,
				.args = &entry->args,
				.is_scheduled = entry->is_scheduled,
				.is_failed = entry->reason != NULL,
				.is_left_out = lt_start_guard_is_left_out(
						services->guard, lt_str_from(entry->uuid)),
			};
			return true;
		}
	}
	return false;
}
