#include "daemon/settings.h"

#include <unistd.h>

#include "base/alloc.h"

/* An option on the command line is an environment variable that wins over the real one. */
static void load_option(struct lt_conf *conf, const char *name, const char *value)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	char *environment[] = { NULL, NULL };

	if (value) {
		lt_buf_printf(&text, "%s=%s", name, value);
		environment[0] = text.p;
		lt_conf_load_environment(conf, environment);
	}
}

static bool load_all(
		struct lt_conf *conf, const struct lt_settings_source *source, struct lt_err *err)
{
	LT_AUTO(lt_free)
	char *found = source->config || source->no_file ? NULL : lt_conf_find_file(".");
	const char *file = source->config ? source->config : found;

	load_option(conf, "LIVETIMING_LOG_FORMAT", source->log_format);
	load_option(conf, "LIVETIMING_LOG_LEVEL", source->log_level);
	lt_conf_load_environment(conf, environ);
	return !file || lt_conf_load_file(conf, file, err);
}

struct reporter {
	lt_conf_report_fn report;
	void *arg;
	int warnings;
};

static void report_one(void *arg, bool is_error, const char *sentence)
{
	struct reporter *reporter = arg;

	reporter->warnings += !is_error;
	reporter->report(reporter->arg, is_error, sentence);
}

struct lt_settings *lt_settings_load(
		const struct lt_settings_source *source, lt_conf_report_fn report, void *arg)
{
	struct lt_settings *settings = lt_zalloc(sizeof(*settings));
	struct reporter reporter = { report, arg, 0 };
	struct lt_err err = { 0 };

	settings->conf = lt_conf_create(lt_daemon_conf_keys);
	if (!load_all(settings->conf, source, &err)) {
		report(arg, true, err.msg);
		lt_settings_destroy(settings);
		return NULL;
	}
	if (!lt_daemon_conf_read(settings->conf, &settings->daemon, report_one, &reporter)) {
		lt_settings_destroy(settings);
		return NULL;
	}
	settings->warnings = reporter.warnings;
	return settings;
}

void lt_settings_destroy(struct lt_settings *settings)
{
	if (settings) {
		lt_daemon_conf_finish(&settings->daemon);
		lt_conf_destroy(settings->conf);
		lt_free(settings);
	}
}
