/*
 * Catalogue of installed plugins: finds shared objects in a list of folders,
 * loads and checks them, and keeps the reasons of those that it refused.
 *
 * A plugin is loaded once (RTLD_NOW | RTLD_LOCAL) and never unloaded, so that
 * its code stays valid for late callbacks. Its tables are copied with the sizes
 * that it states: a member that an older plugin lacks reads as zero here. Of
 * two with one name the first found is used, the other is refused.
 */
#ifndef LT_SERVICES_PLUGIN_PLUGIN_LOADER_H
#define LT_SERVICES_PLUGIN_PLUGIN_LOADER_H

#include <stdbool.h>

#include "base/json.h"
#include "base/log.h"
#include "livetiming_plugin.h"

/* A checked plugin; owned by the catalogue and valid as long as it. */
struct lt_plugin {
	char *path;
	struct lt_plugin_desc desc; /* texts belong to the plugin and stay */
	struct lt_plugin_ops ops;
	struct lt_plugin_option *options; /* copied; option_count of them */
	size_t option_count;
	struct lt_plugin *prev, *next; /* private */
};

struct lt_plugins;

/* path: folders, separated by colons; empty ones are skipped. Copied. */
struct lt_plugins *lt_plugins_create(const char *path, struct lt_log log);
/* Other folders from now on; what is loaded stays. */
void lt_plugins_set_path(struct lt_plugins *plugins, const char *path);
void lt_plugins_destroy(struct lt_plugins *plugins);

/* Load what is new in the folders (files NAME.so). A missing folder is no error. */
void lt_plugins_scan(struct lt_plugins *plugins);

/* Load and check one file; the catalogue owns the result. The error names the file. */
const struct lt_plugin *lt_plugins_load(
		struct lt_plugins *plugins, const char *path, struct lt_err *err);

/*
 * By name; scans again when it is not known yet. The error suggests the nearest
 * name, or tells why a file of that name was refused.
 */
const struct lt_plugin *lt_plugins_find(
		struct lt_plugins *plugins, struct lt_str name, struct lt_err *err);

/* As described at lt_services_plugins and lt_services_plugin; owned by the caller. */
cJSON *lt_plugins_list(const struct lt_plugins *plugins);
cJSON *lt_plugin_show(const struct lt_plugin *plugin);

#endif
