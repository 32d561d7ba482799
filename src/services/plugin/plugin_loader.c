#include "services/plugin/plugin_loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/nearest.h"
#include "base/table.h"
#include "services/plugin/plugin_options.h"

#define ENTRY_SYMBOL "lt_plugin_entry_v1"
#define OPTIONS_MAX  256

/* A file that was refused, and which version of it: a changed file is tried again. */
struct broken {
	char *path, *error;
	int64_t modified_ns, size;
	struct broken *prev, *next;
};

struct lt_plugins {
	char *path;
	struct lt_log log;
	struct lt_plugin *loaded;
	struct broken *broken;
};

struct lt_plugins *lt_plugins_create(const char *path, struct lt_log log)
{
	struct lt_plugins *plugins = lt_zalloc(sizeof(*plugins));

	plugins->path = lt_strdup(path ? path : "");
	plugins->log = log;
	plugins->log.module = "plugins";
	return plugins;
}

static void free_plugin(struct lt_plugin *plugin)
{
	lt_free(plugin->path);
	lt_free(plugin->options);
	lt_free(plugin);
}

static void remove_broken(struct lt_plugins *plugins, struct broken *broken)
{
	DL_DELETE(plugins->broken, broken);
	lt_free(broken->path);
	lt_free(broken->error);
	lt_free(broken);
}

void lt_plugins_set_path(struct lt_plugins *plugins, const char *path)
{
	lt_free(plugins->path);
	plugins->path = lt_strdup(path ? path : "");
}

void lt_plugins_destroy(struct lt_plugins *plugins)
{
	struct lt_plugin *plugin, *next_plugin;
	struct broken *broken, *next_broken;

	if (plugins == NULL) {
		return;
	}
	DL_FOREACH_SAFE(plugins->loaded, plugin, next_plugin) {
		DL_DELETE(plugins->loaded, plugin);
		free_plugin(plugin);
	}
	DL_FOREACH_SAFE(plugins->broken, broken, next_broken) {
		remove_broken(plugins, broken);
	}
	lt_free(plugins->path);
	lt_free(plugins);
}

static struct lt_plugin *find_loaded(const struct lt_plugins *plugins, struct lt_str name)
{
	struct lt_plugin *plugin;

	DL_FOREACH(plugins->loaded, plugin) {
		if (lt_str_eq_c(name, plugin->desc.name)) {
			return plugin;
		}
	}
	return NULL;
}

static bool is_name(const char *name)
{
	return name != NULL && *name != '\0' && strlen(name) <= 48 &&
			name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Copy what both sides know of a struct that states its size, the rest is zero. */
static void copy_sized(void *ours, size_t our_size, const void *theirs, size_t their_size)
{
	memset(ours, 0, our_size);
	memcpy(ours, theirs, LT_MIN(our_size, their_size));
}

/* The service reads its own options first, abbreviations too: such a one would never arrive. */
static bool is_reachable(const struct lt_plugin_option *option, struct lt_err *err)
{
	const struct lt_service_option *own;

	for (size_t i = 0; (own = lt_service_option_at(i)) != NULL; i++) {
		if (lt_str_starts(lt_str_from(own->name), lt_str_from(option->name))) {
			return lt_err_set(err, LT_E_FORMAT,
					"its option --%s would be read as the service's own --%s",
					option->name, own->name);
		}
	}
	return true;
}

static bool copy_options(struct lt_plugin *plugin, struct lt_err *err)
{
	const char *entry = (const void *)plugin->desc.options;
	size_t size = plugin->desc.option_size;

	if (entry == NULL) {
		return true;
	}
	/* The first version of the struct had all members up to max. */
	if (size < offsetof(struct lt_plugin_option, live)) {
		return lt_err_set(err, LT_E_FORMAT,
				"its option_size is %zu, at least %zu is needed", size,
				offsetof(struct lt_plugin_option, live));
	}
	for (;; entry += size) {
		struct lt_plugin_option option;

		copy_sized(&option, sizeof(option), entry, size);
		if (option.name == NULL) {
			return true;
		}
		if (option.type < LT_OPT_TEXT || option.type > LT_OPT_FILE ||
				(option.type == LT_OPT_CHOICE && option.choices == NULL)) {
			return lt_err_set(err, LT_E_FORMAT, "option --%s has an unknown type (%u)",
					option.name, option.type);
		}
		if (!is_reachable(&option, err)) {
			return false;
		}
		if (plugin->option_count == OPTIONS_MAX) {
			return lt_err_set(err, LT_E_LIMIT, "it has more than %d options",
					OPTIONS_MAX);
		}
		plugin->options = lt_reallocarray(
				plugin->options, plugin->option_count + 1, sizeof(option));
		plugin->options[plugin->option_count++] = option;
	}
}

static bool check_ops(const struct lt_plugin_ops *ops, struct lt_err *err)
{
	const char *missing = !ops->create ? "create"
			: !ops->start      ? "start"
			: !ops->destroy    ? "destroy"
					   : NULL;

	return missing == NULL ||
			lt_err_set(err, LT_E_FORMAT, "it lacks the function \"%s\"", missing);
}

/* Everything that can be said before any of its functions but the entry is called. */
static bool read_tables(
		struct lt_plugin *plugin, const struct lt_plugin_desc *theirs, struct lt_err *err)
{
	if (theirs == NULL) {
		return lt_err_set(err, LT_E_FORMAT, "%s returned nothing", ENTRY_SYMBOL);
	}
	if (theirs->abi_major != LT_PLUGIN_ABI_MAJOR) {
		return lt_err_set(err, LT_E_FORMAT,
				"it is made for plugin interface %u.%u, this is %u.%u",
				theirs->abi_major, theirs->abi_minor, LT_PLUGIN_ABI_MAJOR,
				LT_PLUGIN_ABI_MINOR);
	}
	copy_sized(&plugin->desc, sizeof(plugin->desc), theirs, theirs->size);
	if (!is_name(plugin->desc.name)) {
		return lt_err_set(err, LT_E_FORMAT, "its name is not made of a-z, 0-9 and _");
	}
	if (plugin->desc.version == NULL) {
		plugin->desc.version = "unknown";
	}
	if (plugin->desc.ops == NULL) {
		return lt_err_set(err, LT_E_FORMAT, "it has no table of functions");
	}
	copy_sized(&plugin->ops, sizeof(plugin->ops), plugin->desc.ops, plugin->desc.ops->size);
	return check_ops(&plugin->ops, err) && copy_options(plugin, err);
}

/* The text of dlerror without the path in front, which our sentence has already. */
static const char *loader_error(const char *path)
{
	const char *text = dlerror();
	size_t n = strlen(path);

	if (text == NULL) {
		return "unknown reason";
	}
	return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

static struct lt_plugin *load(
		const struct lt_plugins *plugins, const char *path, struct lt_err *err)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (object == NULL) {
		lt_err_set(err, LT_E_FORMAT, "cannot be loaded: %s", loader_error(path));
		return NULL;
	}
	/* ISO C has no cast from an object to a function pointer; a copy is what POSIX shows. */
	const struct lt_plugin_desc *(*entry)(void) = NULL;
	void *symbol = dlsym(object, ENTRY_SYMBOL);

	if (symbol == NULL) {
		lt_err_set(err, LT_E_FORMAT,
				"it has no symbol %s: not a plugin, or made for another "
				"major version of the plugin interface than %u",
				ENTRY_SYMBOL, LT_PLUGIN_ABI_MAJOR);
		return NULL;
	}
	memcpy(&entry, &symbol, sizeof(entry));
	struct lt_plugin *plugin = lt_zalloc(sizeof(*plugin));

	if (!read_tables(plugin, entry(), err)) {
		free_plugin(plugin);
		return NULL;
	}
	const struct lt_plugin *other = find_loaded(plugins, lt_str_from(plugin->desc.name));

	if (other != NULL) {
		lt_err_set(err, LT_E_EXISTS, "a plugin named \"%s\" is loaded from %s already",
				plugin->desc.name, other->path);
		free_plugin(plugin);
		return NULL;
	}
	plugin->path = lt_strdup(path);
	return plugin;
}

const struct lt_plugin *lt_plugins_load(
		struct lt_plugins *plugins, const char *path, struct lt_err *err)
{
	struct lt_plugin *plugin = load(plugins, path, err);

	if (plugin == NULL) {
		lt_err_prefix(err, "plugin %s", path);
		return NULL;
	}
	DL_APPEND(plugins->loaded, plugin);
	lt_log(&plugins->log, LT_DEBUG, "plugin loaded", "name=%s version=%s path=%s",
			plugin->desc.name, plugin->desc.version, path);
	return plugin;
}

static bool is_loaded(const struct lt_plugins *plugins, const char *path)
{
	const struct lt_plugin *plugin;

	DL_FOREACH(plugins->loaded, plugin) {
		if (strcmp(plugin->path, path) == 0) {
			return true;
		}
	}
	return false;
}

static int64_t modified_ns(const struct stat *status)
{
	return status->st_mtim.tv_sec * INT64_C(1000000000) + status->st_mtim.tv_nsec;
}

/* Was this very file refused before? One that changed meanwhile gets another chance. */
static bool is_known_broken(struct lt_plugins *plugins, const char *path, const struct stat *status)
{
	struct broken *broken, *next;

	DL_FOREACH_SAFE(plugins->broken, broken, next) {
		if (strcmp(broken->path, path) != 0) {
			continue;
		}
		if (broken->modified_ns == modified_ns(status) && broken->size == status->st_size) {
			return true;
		}
		remove_broken(plugins, broken);
	}
	return false;
}

static void scan_file(struct lt_plugins *plugins, const char *path)
{
	struct stat status;
	struct lt_err err = { 0 };

	if (is_loaded(plugins, path) || stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
			is_known_broken(plugins, path, &status)) {
		return;
	}
	if (lt_plugins_load(plugins, path, &err) != NULL) {
		return;
	}
	struct broken *broken = lt_zalloc(sizeof(*broken));

	broken->path = lt_strdup(path);
	broken->error = lt_strdup(err.msg);
	broken->modified_ns = modified_ns(&status);
	broken->size = status.st_size;
	DL_APPEND(plugins->broken, broken);
	lt_log(&plugins->log, LT_WARN, "plugin left out", "reason=\"%s\"", err.msg);
}

static int select_object(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && lt_str_ends(lt_str_from(entry->d_name), LT_STR(".so"));
}

static void scan_folder(struct lt_plugins *plugins, const char *folder)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, select_object, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = lt_path_join(folder, entries[i]->d_name);

		scan_file(plugins, path);
		lt_free(path);
		free(entries[i]);
	}
	free(entries);
}

void lt_plugins_scan(struct lt_plugins *plugins)
{
	struct lt_str rest = lt_str_from(plugins->path);

	while (rest.p != NULL) {
		struct lt_str part = lt_str_split(&rest, ':');

		if (part.n > 0) {
			char *folder = lt_str_dup(part);

			scan_folder(plugins, folder);
			lt_free(folder);
		}
	}
}

/* The reason why NAME.so was refused, or NULL. */
static const char *broken_reason(const struct lt_plugins *plugins, struct lt_str name)
{
	const struct broken *broken;

	DL_FOREACH(plugins->broken, broken) {
		const char *slash = strrchr(broken->path, '/');
		struct lt_str file = lt_str_from(slash ? slash + 1 : broken->path);

		file.n -= sizeof(".so") - 1;
		if (lt_str_eq(file, name)) {
			return broken->error;
		}
	}
	return NULL;
}

const struct lt_plugin *lt_plugins_find(
		struct lt_plugins *plugins, struct lt_str name, struct lt_err *err)
{
	const struct lt_plugin *plugin = find_loaded(plugins, name);
	char quoted[LT_QUOTE_MAX];

	if (plugin == NULL) {
		lt_plugins_scan(plugins);
		plugin = find_loaded(plugins, name);
	}
	if (plugin != NULL) {
		return plugin;
	}
	const char *reason = broken_reason(plugins, name);
	struct lt_nearest nearest = { .wanted = name };

	if (reason != NULL) {
		lt_err_set(err, LT_E_FORMAT, "%s", reason);
		return NULL;
	}
	DL_FOREACH(plugins->loaded, plugin) {
		lt_nearest_offer(&nearest, plugin->desc.name);
	}
	if (nearest.best != NULL) {
		lt_err_set(err, LT_E_NOT_FOUND, "no plugin is named %s (did you mean %s?)",
				lt_str_quote(name, quoted), nearest.best);
	} else {
		lt_err_set(err, LT_E_NOT_FOUND,
				"no plugin is named %s (the installed ones: livetimingctl plugins list)",
				lt_str_quote(name, quoted));
	}
	return NULL;
}

static void add_optional_text(cJSON *object, const char *key, const char *text)
{
	if (text != NULL) {
		lt_json_add_c(object, key, text);
	}
}

static cJSON *summary(const struct lt_plugin *plugin)
{
	cJSON *object = cJSON_CreateObject();

	lt_json_add_c(object, "name", plugin->desc.name);
	lt_json_add_c(object, "version", plugin->desc.version);
	lt_json_add_c(object, "summary", plugin->desc.summary ? plugin->desc.summary : "");
	lt_json_add_c(object, "path", plugin->path);
	return object;
}

cJSON *lt_plugins_list(const struct lt_plugins *plugins)
{
	cJSON *list = cJSON_CreateObject();
	cJSON *loaded = cJSON_AddArrayToObject(list, "plugins");
	cJSON *refused = cJSON_AddArrayToObject(list, "broken");
	const struct lt_plugin *plugin;
	const struct broken *broken;

	DL_FOREACH(plugins->loaded, plugin) {
		cJSON_AddItemToArray(loaded, summary(plugin));
	}
	DL_FOREACH(plugins->broken, broken) {
		cJSON *object = cJSON_CreateObject();

		lt_json_add_c(object, "path", broken->path);
		lt_json_add_c(object, "error", broken->error);
		cJSON_AddItemToArray(refused, object);
	}
	return list;
}

static cJSON *show_option(const struct lt_plugin_option *option)
{
	cJSON *object = cJSON_CreateObject();

	lt_json_add_c(object, "name", option->name);
	lt_json_add_c(object, "type", lt_option_type_name(option->type));
	lt_json_add_bool(object, "required", option->required != 0);
	add_optional_text(object, "default", option->default_value);
	lt_json_add_c(object, "help", option->help ? option->help : "");
	if (option->type == LT_OPT_CHOICE) {
		cJSON *choices = cJSON_AddArrayToObject(object, "choices");
		struct lt_str rest = lt_str_from(option->choices);

		while (rest.p != NULL) {
			cJSON_AddItemToArray(choices, lt_json_new_str(lt_str_split(&rest, '|')));
		}
	}
	if (option->min < option->max) {
		cJSON_AddNumberToObject(object, "min", option->min);
		cJSON_AddNumberToObject(object, "max", option->max);
	}
	if (option->live) {
		lt_json_add_bool(object, "live", true);
	}
	return object;
}

cJSON *lt_plugin_show(const struct lt_plugin *plugin)
{
	cJSON *object = summary(plugin);

	add_optional_text(object, "attribution", plugin->desc.attribution);
	cJSON *options = cJSON_AddArrayToObject(object, "options");

	for (size_t i = 0; i < plugin->option_count; i++) {
		cJSON_AddItemToArray(options, show_option(&plugin->options[i]));
	}
	return object;
}
