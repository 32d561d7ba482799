#include "services/plugin/plugin_options.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/nearest.h"

#define RETIRED_MAX 1000

struct lt_option_values {
	const struct lt_plugin *plugin;
	struct lt_option_value *v; /* plugin->option_count of them */
	char **retired;            /* texts that a plugin may still read */
	size_t retired_count;
};

const char *lt_option_type_name(uint32_t type)
{
	switch (type) {
	case LT_OPT_TEXT:
		return "text";
	case LT_OPT_INT:
		return "integer";
	case LT_OPT_NUMBER:
		return "number";
	case LT_OPT_FLAG:
		return "flag";
	case LT_OPT_CHOICE:
		return "choice";
	case LT_OPT_FILE:
		return "file";
	default:
		return "unknown";
	}
}

/* "--port: expected an integer from 1 to 65535, not \"x\"" */
static bool refuse(const struct lt_plugin_option *option, struct lt_str text, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX], range[80] = "";

	if (option->min < option->max) {
		snprintf(range, sizeof(range), " from %.15g to %.15g", option->min, option->max);
	}
	lt_str_quote(text, quoted);
	switch (option->type) {
	case LT_OPT_INT:
		return lt_err_set(err, LT_E_INVALID, "--%s: expected an integer%s, not %s",
				option->name, range, quoted);
	case LT_OPT_NUMBER:
		return lt_err_set(err, LT_E_INVALID, "--%s: expected a number%s, not %s",
				option->name, range, quoted);
	case LT_OPT_CHOICE:
		return lt_err_set(err, LT_E_INVALID, "--%s: expected one of %s, not %s",
				option->name, option->choices, quoted);
	default:
		return lt_err_set(err, LT_E_INVALID, "--%s: expected text in UTF-8, not %s",
				option->name, quoted);
	}
}

static bool is_choice(const char *choices, struct lt_str text)
{
	struct lt_str rest = lt_str_from(choices);

	while (rest.p != NULL) {
		if (lt_str_eq(lt_str_split(&rest, '|'), text)) {
			return true;
		}
	}
	return false;
}

static bool in_range(const struct lt_plugin_option *option, double value)
{
	return !(option->min < option->max) || (value >= option->min && value <= option->max);
}

static bool check_file(const struct lt_plugin_option *option, const char *path, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	return access(path, R_OK) == 0 ||
			lt_err_errno(err, "--%s: file %s cannot be read", option->name,
					lt_str_quote(lt_str_from(path), quoted));
}

/* Convert and store; a later value of the same option replaces the earlier one. */
static bool set_value(const struct lt_plugin_option *option, struct lt_option_value *value,
		struct lt_str text, struct lt_err *err)
{
	bool ok = lt_utf8_valid(text) && memchr(text.p, '\0', text.n) == NULL;

	if (ok && option->type == LT_OPT_INT) {
		ok = lt_parse_i64(text, INT64_MIN, INT64_MAX, &value->i, NULL) &&
				in_range(option, (double)value->i);
		value->d = (double)value->i;
	} else if (ok && option->type == LT_OPT_NUMBER) {
		ok = lt_parse_double(text, &value->d, NULL) && in_range(option, value->d);
		value->i = fabs(value->d) < 9e15 ? (int64_t)value->d : 0;
	} else if (ok && option->type == LT_OPT_CHOICE) {
		ok = is_choice(option->choices, text);
	}
	if (!ok) {
		return refuse(option, text, err);
	}
	lt_free(value->text);
	value->text = lt_str_dup(text);
	value->given = true;
	return option->type != LT_OPT_FILE || check_file(option, value->text, err);
}

static bool set_flag(const struct lt_plugin_option *option, struct lt_option_value *value,
		struct lt_str text, struct lt_err *err)
{
	value->given = true;
	value->flag = true;
	/* --name alone; --name=no is accepted too, so that a default can be switched off. */
	return text.p == NULL || lt_parse_bool(text, &value->flag, NULL) ||
			lt_err_set(err, LT_E_INVALID, "--%s takes no value", option->name);
}

static bool unknown_option(const struct lt_plugin *plugin, struct lt_str name, struct lt_err *err)
{
	struct lt_nearest nearest = { .wanted = name };

	for (size_t i = 0; i < plugin->option_count; i++) {
		lt_nearest_offer(&nearest, plugin->options[i].name);
	}
	return lt_err_set(err, LT_E_INVALID, "plugin %s has no option --%.*s%s%s%s",
			plugin->desc.name, (int)LT_MIN(name.n, 60), name.p,
			nearest.best ? " (did you mean --" : "", nearest.best ? nearest.best : "",
			nearest.best ? "?)" : "");
}

/* Index of the option that a name means: exact, or the only one that begins so. */
static bool find_option(const struct lt_plugin *plugin, struct lt_str name, size_t *ret_index,
		struct lt_err *err)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < plugin->option_count; i++) {
		struct lt_str full = lt_str_from(plugin->options[i].name);

		if (lt_str_eq(full, name)) {
			*ret_index = i;
			return true;
		}
		if (name.n == 0 || !lt_str_starts(full, name)) {
			continue;
		}
		if (found != SIZE_MAX) {
			return lt_err_set(err, LT_E_INVALID,
					"option --%.*s could mean --%s or --%s", (int)name.n,
					name.p, plugin->options[found].name,
					plugin->options[i].name);
		}
		found = i;
	}
	if (found == SIZE_MAX) {
		return unknown_option(plugin, name, err);
	}
	*ret_index = found;
	return true;
}

static bool parse_args(
		struct lt_option_values *values, const struct lt_args *args, struct lt_err *err)
{
	const struct lt_plugin *plugin = values->plugin;
	char quoted[LT_QUOTE_MAX];

	for (size_t at = 0; at < args->n; at++) {
		struct lt_str arg = lt_str_from(args->v[at]), text;
		size_t i = 0;

		if (!lt_str_starts(arg, LT_STR("--")) || arg.n == 2) {
			return lt_err_set(err, LT_E_INVALID,
					"plugin %s does not take the argument %s: options begin with --",
					plugin->desc.name, lt_str_quote(arg, quoted));
		}
		text = lt_str_skip(arg, 2);
		struct lt_str name = lt_str_split(&text, '=');

		if (!find_option(plugin, name, &i, err)) {
			return false;
		}
		const struct lt_plugin_option *option = &plugin->options[i];

		if (option->type == LT_OPT_FLAG) {
			if (!set_flag(option, &values->v[i], text, err)) {
				return false;
			}
			continue;
		}
		if (text.p == NULL && at + 1 == args->n) {
			return lt_err_set(err, LT_E_INVALID, "--%s expects a value (%s)",
					option->name, lt_option_type_name(option->type));
		}
		if (!set_value(option, &values->v[i], text.p ? text : lt_str_from(args->v[++at]),
				    err)) {
			return false;
		}
	}
	return true;
}

static bool fill_defaults(struct lt_option_values *values, struct lt_err *err)
{
	const struct lt_plugin *plugin = values->plugin;

	for (size_t i = 0; i < plugin->option_count; i++) {
		const struct lt_plugin_option *option = &plugin->options[i];
		struct lt_option_value *value = &values->v[i];

		if (value->given) {
			continue;
		}
		if (option->type == LT_OPT_FLAG) {
			value->given = true;
			if (option->default_value != NULL &&
					!lt_parse_bool(lt_str_from(option->default_value),
							&value->flag, err)) {
				return lt_err_prefix(err, "default of --%s", option->name);
			}
		} else if (option->default_value != NULL) {
			if (!set_value(option, value, lt_str_from(option->default_value), err)) {
				return lt_err_prefix(err, "default");
			}
		} else if (option->required) {
			return lt_err_set(err, LT_E_INVALID, "plugin %s needs the option --%s (%s)",
					plugin->desc.name, option->name,
					option->help ? option->help
						     : lt_option_type_name(option->type));
		}
	}
	return true;
}

struct lt_option_values *lt_option_values_parse(
		const struct lt_plugin *plugin, const struct lt_args *args, struct lt_err *err)
{
	struct lt_option_values *values = lt_zalloc(sizeof(*values));

	values->plugin = plugin;
	values->v = lt_calloc(plugin->option_count + 1, sizeof(*values->v));
	if (!parse_args(values, args, err) || !fill_defaults(values, err)) {
		lt_option_values_destroy(values);
		return NULL;
	}
	return values;
}

static const struct lt_plugin_option *find_exact(
		const struct lt_plugin *plugin, struct lt_str name, size_t *ret_index)
{
	for (size_t i = 0; i < plugin->option_count; i++) {
		if (lt_str_eq_c(name, plugin->options[i].name)) {
			*ret_index = i;
			return &plugin->options[i];
		}
	}
	return NULL;
}

bool lt_option_values_change(struct lt_option_values *values, struct lt_str name,
		struct lt_str text, struct lt_err *err)
{
	size_t i = 0;
	const struct lt_plugin_option *option = find_exact(values->plugin, name, &i);
	struct lt_option_value fresh = { 0 };

	if (option == NULL) {
		return unknown_option(values->plugin, name, err);
	}
	if (values->retired_count >= RETIRED_MAX) {
		return lt_err_set(err, LT_E_LIMIT,
				"options were changed %d times; restart the service first",
				RETIRED_MAX);
	}
	if (!(option->type == LT_OPT_FLAG ? set_flag(option, &fresh, text, err)
					  : set_value(option, &fresh, text, err))) {
		lt_free(fresh.text);
		return false;
	}
	if (values->v[i].text != NULL) {
		values->retired = lt_reallocarray(values->retired, values->retired_count + 1,
				sizeof(*values->retired));
		values->retired[values->retired_count++] = values->v[i].text;
	}
	values->v[i] = fresh;
	return true;
}

void lt_option_values_destroy(struct lt_option_values *values)
{
	if (values == NULL) {
		return;
	}
	for (size_t i = 0; i < values->plugin->option_count; i++) {
		lt_free(values->v[i].text);
	}
	for (size_t i = 0; i < values->retired_count; i++) {
		lt_free(values->retired[i]);
	}
	lt_free(values->retired);
	lt_free(values->v);
	lt_free(values);
}

const struct lt_option_value *lt_option_values_get(
		const struct lt_option_values *values, const char *name)
{
	for (size_t i = 0; name != NULL && i < values->plugin->option_count; i++) {
		if (strcmp(values->plugin->options[i].name, name) == 0) {
			return &values->v[i];
		}
	}
	return NULL;
}

cJSON *lt_option_values_json(const struct lt_option_values *values)
{
	cJSON *object = cJSON_CreateObject();

	for (size_t i = 0; i < values->plugin->option_count; i++) {
		const struct lt_plugin_option *option = &values->plugin->options[i];
		const struct lt_option_value *value = &values->v[i];

		if (!value->given) {
			continue;
		}
		if (option->type == LT_OPT_FLAG) {
			lt_json_add_bool(object, option->name, value->flag);
		} else if (option->type == LT_OPT_INT) {
			lt_json_add_int(object, option->name, value->i);
		} else if (option->type == LT_OPT_NUMBER) {
			lt_json_add_float(object, option->name, value->d);
		} else {
			lt_json_add_c(object, option->name, value->text);
		}
	}
	return object;
}
