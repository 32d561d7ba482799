/*
 * How services come to life with the daemon: the run list of the last time, the
 * lines of LIVETIMING_SERVICES, and one by one after a crash loop.
 */
#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/table.h"
#include "services/manager/services_priv.h"

/* What fails is kept with its reason, so that an operator sees it. */
static void launch(struct lt_services *services, struct lt_service_entry *entry)
{
	struct lt_service_origin origin = { .saved_state = entry->has_run };
	struct lt_err err = { 0 };

	entry->is_waiting = false;
	if (!lt_services_launch(services, entry, &origin, &err)) {
		if (entry->uuid[0] == '\0') {
			lt_random_uuid(services->env.random, entry->uuid);
		}
		lt_services_keep_failure(entry, err.msg);
		lt_log(&services->env.log, LT_ERROR, "service not started",
				"plugin=%s reason=\"%s\"", entry->plugin, err.msg);
	}
}

static void leave_out(struct lt_services *services, struct lt_service_entry *entry)
{
	struct lt_err err;

	lt_err_set(&err, LT_E_UNAVAILABLE,
			"left out: the daemon died while it was starting; service restart tries again");
	lt_services_keep_failure(entry, err.msg);
	lt_log(&services->env.log, LT_ERROR, "service left out", "uuid=%s plugin=%s reason=\"%s\"",
			entry->uuid, entry->plugin, err.msg);
}

/* A service of the last time (uuid), or a new line of the configuration (NULL). */
static void boot(struct lt_services *services, const struct lt_args *args, const char *uuid,
		bool from_config)
{
	struct lt_service_entry *entry = lt_services_add_entry(services, args);

	entry->from_config = from_config;
	entry->has_run = uuid != NULL;
	if (uuid != NULL) {
		snprintf(entry->uuid, sizeof(entry->uuid), "%s", uuid);
	}
	if (uuid != NULL && lt_start_guard_is_left_out(services->guard, lt_str_from(uuid))) {
		leave_out(services, entry);
	} else if (services->is_careful) {
		struct lt_err err;

		entry->is_waiting = lt_services_name_entry(services, entry, &err);
		if (!entry->is_waiting) {
			launch(services, entry); /* which tells what is wrong with it */
		}
	} else {
		launch(services, entry);
	}
}

/* One more of a careful start; the one before has lasted a step. */
static void launch_next(void *arg)
{
	struct lt_services *services = arg;
	struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		if (entry->is_waiting) {
			break;
		}
	}
	lt_start_guard_mark(services->guard, lt_str_from(entry ? entry->uuid : NULL));
	if (entry == NULL) {
		services->is_careful = false;
		lt_start_guard_all_started(services->guard);
		return;
	}
	launch(services, entry);
	lt_timer_once(&services->careful_timer, services->env.loop,
			lt_start_guard_step_ms(services->guard), launch_next, services);
}

static bool is_ordered(const struct lt_args *lines, size_t n, const struct lt_args *args)
{
	for (size_t i = 0; i < n; i++) {
		if (lt_args_equal(&lines[i], args)) {
			return true;
		}
	}
	return false;
}

static struct lt_run *read_run_list(struct lt_services *services)
{
	struct lt_run *list = NULL;
	struct lt_err err = { 0 };

	if (services->env.fresh || services->env.is_alone ||
			lt_run_list_read(services->run_list_path, &list, &err)) {
		return list;
	}
	LT_AUTO(lt_buf_finish) struct lt_buf aside = { 0 };

	lt_buf_printf(&aside, "%s.broken", services->run_list_path);
	if (rename(services->run_list_path, aside.p) != 0) {
		lt_log(&services->env.log, LT_ERROR, "broken run list stays in its place",
				"reason=\"%s\"", strerror(errno));
	}
	lt_log(&services->env.log, LT_ERROR, "run list not used, set aside",
			"path=%s reason=\"%s\"", aside.p, err.msg);
	return NULL;
}

/* The lines of LIVETIMING_SERVICES: separated by ';' outside quotes. */
#define AUTOSTART_MAX 64
static bool split_autostart(const char *text, struct lt_args lines[AUTOSTART_MAX], size_t *ret_n,
		struct lt_err *err)
{
	const char *start = text;
	char quote = 0;

	*ret_n = 0;
	for (const char *p = text;; p++) {
		if (*p == '\\' && quote != '\'' && p[1] != '\0') {
			p++;
		} else if (quote == 0 && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (quote != 0 && *p == quote) {
			quote = 0;
		} else if ((*p == ';' && quote == 0) || *p == '\0') {
			struct lt_str line = { start, (size_t)(p - start) };

			if (*ret_n == AUTOSTART_MAX) {
				return lt_err_set(err, LT_E_LIMIT, "more than %d services",
						AUTOSTART_MAX);
			}
			if (!lt_args_split(&lines[*ret_n], line, err)) {
				(*ret_n)++;
				return false;
			}
			*ret_n += lines[*ret_n].n > 0;
			start = p + 1;
		}
		if (*p == '\0') {
			return true;
		}
	}
}

static void free_lines(struct lt_args *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		lt_args_finish(&lines[i]);
	}
}

static void boot_all(struct lt_services *services, const struct lt_args *lines, size_t n)
{
	struct lt_run *list = read_run_list(services), *run;
	bool started[AUTOSTART_MAX] = { false };

	LL_FOREACH(list, run) {
		/* A line that was taken out of the configuration does not come back. */
		if (run->from_config && !is_ordered(lines, n, &run->args)) {
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			if (!started[i] && lt_args_equal(&lines[i], &run->args)) {
				started[i] = true;
				break;
			}
		}
		boot(services, &run->args, run->uuid, run->from_config);
		services->entries->prev->is_scheduled = run->is_scheduled; /* the last one */
	}
	for (size_t i = 0; i < n; i++) {
		if (!started[i]) {
			boot(services, &lines[i], NULL, true);
		}
	}
	lt_run_list_free(list);
}

bool lt_services_start(struct lt_services *services, struct lt_err *err)
{
	struct lt_args lines[AUTOSTART_MAX] = { 0 };
	size_t n = 0;
	bool ok = split_autostart(services->autostart, lines, &n, err) ||
			lt_err_prefix(err, "LIVETIMING_SERVICES");

	if (ok && services->env.refusal) {
		lt_plugins_scan(services->plugins); /* the run list stays as it is */
	} else if (ok) {
		services->is_careful = lt_start_guard_begin(services->guard, services->env.fresh);
		lt_plugins_scan(services->plugins);
		boot_all(services, lines, n);
		if (services->is_careful) {
			/* with the UUIDs, which the next start must know whatever happens now */
			lt_run_list_save_now(services);
			launch_next(services);
		} else {
			lt_run_list_save(services);
			lt_start_guard_all_started(services->guard);
		}
	}
	free_lines(lines, n);
	return ok;
}

/* Is a service with this command line there? Each entry counts for one line. */
static bool has_line(struct lt_services *services, const struct lt_args *line,
		const struct lt_service_entry *counted[AUTOSTART_MAX], size_t *counted_n)
{
	const struct lt_service_entry *entry;

	DL_FOREACH(services->entries, entry) {
		bool is_counted = false;

		for (size_t i = 0; i < *counted_n; i++) {
			is_counted = is_counted || counted[i] == entry;
		}
		if (!is_counted && lt_args_equal(&entry->args, line)) {
			counted[(*counted_n)++] = entry;
			return true;
		}
	}
	return false;
}

bool lt_services_set_autostart(struct lt_services *services, const char *autostart,
		unsigned *ret_started, struct lt_err *err)
{
	const struct lt_service_entry *counted[AUTOSTART_MAX];
	struct lt_args lines[AUTOSTART_MAX] = { 0 };
	size_t n = 0, counted_n = 0;
	bool is_new[AUTOSTART_MAX] = { false };
	bool ok = split_autostart(autostart ? autostart : "", lines, &n, err) ||
			lt_err_prefix(err, "LIVETIMING_SERVICES");

	*ret_started = 0;
	for (size_t i = 0; ok && i < n; i++) {
		is_new[i] = !has_line(services, &lines[i], counted, &counted_n);
	}
	for (size_t i = 0; ok && i < n; i++) {
		if (is_new[i]) {
			boot(services, &lines[i], NULL, true);
			(*ret_started)++;
		}
	}
	if (*ret_started > 0) {
		lt_run_list_save(services);
	}
	free_lines(lines, n);
	return ok;
}
