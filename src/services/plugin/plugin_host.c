#include "services/plugin/plugin_host.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/table.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

/* --- calls into the plugin --- */

static void begin_call(struct lt_host *host, const char *what, struct lt_host_call *call)
{
	if (host->env.watcher != NULL) {
		host->env.watcher->begun(host->env.watcher_arg, what);
	}
	*call = (struct lt_host_call){ .host = host, .what = what, .started = host->env.clock() };
}

bool lt_host_enter(struct lt_host *host, const char *what, struct lt_host_call *call)
{
	if (host->is_failed || !host->is_created) {
		return false;
	}
	begin_call(host, what, call);
	return true;
}

void lt_host_leave(struct lt_host_call *call)
{
	struct lt_host *host = call->host;
	int64_t took_us = host->env.clock().us - call->started.us;

	if (host->env.watcher != NULL) {
		host->env.watcher->ended(host->env.watcher_arg);
	}
	host->stats.callbacks++;
	host->stats.slowest_us = LT_MAX(host->stats.slowest_us, took_us);
	if (took_us > LT_HOST_BUDGET_US) {
		host->stats.slow_callbacks++;
		lt_log(&host->env.log, LT_WARN, "plugin held up the loop",
				"plugin=%s callback=%s took_ms=%" PRId64
				" budget_ms=%d count=%" PRIu64,
				host->plugin->desc.name, call->what, took_us / LT_US_PER_MS,
				LT_HOST_BUDGET_US / LT_US_PER_MS, host->stats.slow_callbacks);
	}
}

static void report_failure(void *arg)
{
	struct lt_host *host = arg;

	host->env.owner->failed(host->env.owner_arg, host->reason);
}

void lt_host_fail(struct lt_host *host, struct lt_str reason)
{
	if (host->is_failed) {
		return;
	}
	reason.n = LT_MIN(reason.n, sizeof(host->reason) - 1);
	if (reason.n == 0) {
		reason = LT_STR("it gave no reason");
	}
	reason.n = lt_utf8_prefix(reason);
	memcpy(host->reason, reason.p, reason.n);
	host->reason[reason.n] = '\0';
	host->is_failed = true;
	if (!host->is_setup) {
		lt_loop_defer(host->env.loop, &host->report_failure, report_failure, host);
	}
}

void lt_host_fail_err(struct lt_host *host, const struct lt_err *err)
{
	lt_host_fail(host, lt_str_from(err->msg));
}

/* --- what the plugin opened --- */

void lt_resource_add(struct lt_host *host, struct lt_resource *resource)
{
	resource->magic = LT_RESOURCE_MAGIC;
	resource->host = host;
	DL_APPEND(host->resources, resource);
}

static void free_resource(void *arg)
{
	struct lt_resource *resource = arg;

	resource->free(resource);
}

void lt_resource_close(struct lt_resource *resource)
{
	struct lt_host *host = resource->host;

	resource->magic = 0;
	DL_DELETE(host->resources, resource);
	resource->close(resource);
	lt_loop_defer(host->env.loop, &resource->deferred_free, free_resource, resource);
}

void *lt_resource_check(void *handle, void (*close)(struct lt_resource *resource))
{
	struct lt_resource *resource = handle;

	return resource != NULL && resource->magic == LT_RESOURCE_MAGIC && resource->close == close
			? handle
			: NULL;
}

struct host_timer {
	struct lt_resource resource;
	uint64_t id;
	struct lt_timer timer;
	bool repeats;
	lt_callback fn;
	void *arg;
};

static void close_timer(struct lt_resource *resource)
{
	lt_timer_cancel(&lt_container_of(resource, struct host_timer, resource)->timer);
}

static void free_timer(struct lt_resource *resource)
{
	lt_free(lt_container_of(resource, struct host_timer, resource));
}

static void on_timer(void *arg)
{
	struct host_timer *timer = arg;
	struct lt_host *host = timer->resource.host;
	struct lt_host_call call;

	if (!timer->repeats) {
		lt_resource_close(
				&timer->resource); /* its memory stays until the end of the turn */
	}
	if (lt_host_enter(host, "timer", &call)) {
		timer->fn(timer->arg);
		lt_host_leave(&call);
	}
}

uint64_t lt_host_timer(
		struct lt_host *host, int64_t delay_ms, uint32_t repeat, lt_callback fn, void *arg)
{
	struct host_timer *timer = lt_zalloc(sizeof(*timer));

	timer->resource.close = close_timer;
	timer->resource.free = free_timer;
	timer->id = ++host->next_timer;
	timer->repeats = repeat != 0;
	timer->fn = fn;
	timer->arg = arg;
	lt_resource_add(host, &timer->resource);
	delay_ms = lt_host_delay_ms(host, delay_ms);
	if (timer->repeats) {
		lt_timer_every(&timer->timer, host->env.loop, LT_MAX(delay_ms, 1), on_timer, timer);
	} else {
		lt_timer_once(&timer->timer, host->env.loop, LT_MAX(delay_ms, 0), on_timer, timer);
	}
	return timer->id;
}

void lt_host_timer_cancel(struct lt_host *host, uint64_t id)
{
	struct lt_resource *resource;

	DL_FOREACH(host->resources, resource) {
		if (resource->close == close_timer &&
				lt_container_of(resource, struct host_timer, resource)->id == id) {
			lt_resource_close(resource);
			return;
		}
	}
}

/* --- work off the loop --- */

static void job_work(void *arg)
{
	struct lt_host_job *job = arg;

	job->work(job->arg);
}

static void job_done(void *arg)
{
	struct lt_host_job *job = arg;
	struct lt_host *host = job->host;
	struct lt_host_call call;

	if (host != NULL) {
		DL_DELETE(host->jobs, job);
	}
	if (host != NULL && lt_host_enter(host, "work done", &call)) {
		job->done(job->arg, 0);
		lt_host_leave(&call);
	} else {
		job->done(job->arg, 1);
	}
	lt_free(job);
}

void lt_host_run(struct lt_host *host, void (*work)(void *arg),
		void (*done)(void *arg, uint32_t cancelled), void *arg)
{
	struct lt_host_job *job = lt_zalloc(sizeof(*job));

	*job = (struct lt_host_job){ .host = host, .work = work, .done = done, .arg = arg };
	DL_APPEND(host->jobs, job);
	lt_loop_work(host->env.loop, job_work, job_done, job);
}

const struct lt_work_ext lt_host_work_ext = { .size = sizeof(lt_host_work_ext),
	.run = lt_host_run };

/* --- what the extensions tell --- */

void lt_host_count(struct lt_host *host, const char *name, int64_t delta)
{
	for (size_t i = 0; i < host->counter_count; i++) {
		if (strcmp(host->counters[i].name, name) == 0) {
			host->counters[i].value += delta;
			return;
		}
	}
	if (host->counter_count < LT_HOST_COUNTERS_MAX) {
		host->counters[host->counter_count++] =
				(struct lt_host_counter){ lt_strdup(name), delta };
	}
}

void lt_host_link_stale(struct lt_host *host, bool is_stale, const char *what)
{
	if (host->is_failed) {
		return;
	}
	char reason[160];

	snprintf(reason, sizeof(reason), "nothing comes from %s", what);
	host->env.owner->stale(host->env.owner_arg, is_stale, lt_str_from(is_stale ? reason : ""));
}

void lt_host_set_description_take(struct lt_host *host, cJSON *description)
{
	cJSON *source = lt_plugin_attribution(host->plugin->desc.attribution);

	if (lt_json_get(description, "source") == NULL && source != NULL) {
		lt_json_set_take(description, "source", source);
	} else {
		cJSON_Delete(source);
	}
	cJSON_Delete(host->description);
	host->description = description;
	host->misfit_columns = 0;
	host->env.owner->described_take(host->env.owner_arg, cJSON_Duplicate(description, true));
}

/* --- life --- */

static bool setup_failed(struct lt_host *host, const char *what, struct lt_err *err)
{
	if (!host->is_failed) {
		lt_host_fail(host, LT_STR(""));
	}
	return lt_err_set(err, LT_E_UNAVAILABLE, "plugin %s could not %s: %s",
			host->plugin->desc.name, what, host->reason);
}

static bool call_create(struct lt_host *host, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *options = lt_option_values_json(host->options);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_host_call call;

	lt_json_print(&text, options, LT_JSON_UTF8);
	begin_call(host, "create", &call);
	host->is_setup = true;
	int32_t result = host->plugin->ops.create(
			&lt_host_api_table, host, lt_buf_str(&text), &host->self);
	host->is_setup = false;
	lt_host_leave(&call);
	/* A create that refused has cleaned up after itself: its destroy is not called. */
	host->is_created = result == 0;
	return (result == 0 && !host->is_failed) || setup_failed(host, "be set up", err);
}

struct lt_host *lt_host_create_take(const struct lt_host_env *env, const struct lt_plugin *plugin,
		struct lt_option_values *options, struct lt_err *err)
{
	struct lt_host *host = lt_zalloc(sizeof(*host));

	host->env = *env;
	host->env.clock = env->clock ? env->clock : lt_clock_mono;
	host->net = (struct lt_net_env){ .loop = env->loop, .random = env->random };
	host->plugin = plugin;
	host->options = options;
	if (!call_create(host, err)) {
		lt_host_destroy(host);
		return NULL;
	}
	return host;
}

void lt_host_destroy(struct lt_host *host)
{
	if (host == NULL) {
		return;
	}
	lt_host_stop(host);
	for (size_t i = 0; i < host->counter_count; i++) {
		lt_free(host->counters[i].name);
	}
	cJSON_Delete(host->description);
	cJSON_Delete(host->cars);
	cJSON_Delete(host->session);
	lt_option_values_destroy(host->options);
	lt_free(host);
}

static void end_resources(struct lt_host *host)
{
	struct lt_host_job *job, *next;

	while (host->resources != NULL) {
		lt_resource_close(host->resources);
	}
	DL_FOREACH_SAFE(host->jobs, job, next) {
		DL_DELETE(host->jobs, job);
		job->host = NULL;
	}
}

static int64_t poll_ms(const struct lt_host *host)
{
	const cJSON *seconds = lt_json_get(host->description, "pollInterval");
	double ms = cJSON_IsNumber(seconds) ? seconds->valuedouble * 1000 : 1000;

	return ms < 10 ? 10 : (int64_t)ms;
}

static void on_update(void *arg)
{
	struct lt_host *host = arg;
	struct lt_host_call call;

	/* The interval may change with each description: armed anew each time. */
	lt_timer_once(&host->update, host->env.loop, poll_ms(host), on_update, host);
	if (lt_host_enter(host, "update", &call)) {
		host->plugin->ops.update(host->self);
		lt_host_leave(&call);
	}
}

bool lt_host_start(struct lt_host *host, struct lt_err *err)
{
	struct lt_host_call call;
	int32_t result = -1;

	host->is_setup = true;
	if (lt_host_enter(host, "start", &call)) {
		host->is_started = true;
		result = host->plugin->ops.start(host->self);
		lt_host_leave(&call);
	}
	host->is_setup = false;
	if (result != 0 || host->is_failed) {
		return setup_failed(host, "start", err);
	}
	if (host->plugin->ops.update != NULL) {
		lt_timer_once(&host->update, host->env.loop, 0, on_update, host);
	}
	return true;
}

void lt_host_stop(struct lt_host *host)
{
	struct lt_host_call call;

	lt_timer_cancel(&host->update);
	if (host->is_started && host->plugin->ops.stop != NULL) {
		begin_call(host, "stop", &call);
		host->plugin->ops.stop(host->self);
		lt_host_leave(&call);
	}
	host->is_started = false;
	host->is_failed = true; /* nothing calls it any more */
	if (host->is_created) {
		host->is_created = false;
		begin_call(host, "destroy", &call);
		host->plugin->ops.destroy(host->self);
		lt_host_leave(&call);
	}
	end_resources(host);
	lt_deferred_cancel(&host->report_failure);
}

static const struct lt_plugin_option *find_option(
		const struct lt_plugin *plugin, struct lt_str name)
{
	for (size_t i = 0; i < plugin->option_count; i++) {
		if (lt_str_eq_c(name, plugin->options[i].name)) {
			return &plugin->options[i];
		}
	}
	return NULL;
}

static bool may_change(const struct lt_host *host, struct lt_str name, struct lt_err *err)
{
	const struct lt_plugin *plugin = host->plugin;
	const struct lt_plugin_option *option = find_option(plugin, name);

	if (option == NULL) {
		return true; /* refused with the nearest name when it is changed */
	}
	if (plugin->ops.option_changed == NULL) {
		return lt_err_set(err, LT_E_INVALID,
				"plugin %s takes no options while it runs; restart the service",
				plugin->desc.name);
	}
	return option->live ||
			lt_err_set(err, LT_E_INVALID,
					"plugin %s does not take --%s while it runs; restart the service",
					plugin->desc.name, option->name);
}

static char *value_text(const struct lt_host *host, const char *name)
{
	const struct lt_option_value *value = lt_option_values_get(host->options, name);

	if (value != NULL && value->text != NULL) {
		return lt_strdup(value->text);
	}
	return lt_strdup(value != NULL && value->flag ? "yes" : "no");
}

/* Tell the plugin; false: it said no. */
static bool tell_changed(struct lt_host *host, const char *name, struct lt_err *err)
{
	struct lt_host_call call;
	struct lt_str reason = { NULL, 0 };
	char quoted[LT_QUOTE_MAX];
	int32_t result = -1;

	if (!lt_host_enter(host, "option_changed", &call)) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "the plugin does not run");
	}
	result = host->plugin->ops.option_changed(host->self, name, &reason);
	lt_host_leave(&call);
	return result == 0 ||
			lt_err_set(err, LT_E_DENIED, "plugin %s refused the value%s%s",
					host->plugin->desc.name, reason.n ? ": " : "",
					reason.n ? lt_str_quote(reason, quoted) : "");
}

bool lt_host_change_option(
		struct lt_host *host, struct lt_str name, struct lt_str text, struct lt_err *err)
{
	LT_AUTO(lt_free) char *key = lt_str_dup(name);
	LT_AUTO(lt_free) char *before = value_text(host, key);
	const struct lt_option_value *value = lt_option_values_get(host->options, key);
	bool was_given = value != NULL && value->given;

	if (!may_change(host, name, err) ||
			!lt_option_values_change(host->options, name, text, err)) {
		return false;
	}
	if (tell_changed(host, key, err)) {
		return true;
	}
	/* what was not given cannot be put back by a text: the plugin kept its own value */
	if (was_given) {
		lt_option_values_change(host->options, name, lt_str_from(before), NULL);
	}
	return false;
}

const struct lt_plugin *lt_host_plugin(const struct lt_host *host)
{
	return host->plugin;
}

const struct lt_option_values *lt_host_options(const struct lt_host *host)
{
	return host->options;
}

void lt_host_report(const struct lt_host *host, struct lt_host_stats *ret_stats)
{
	*ret_stats = host->stats;
}

cJSON *lt_host_counters(const struct lt_host *host)
{
	cJSON *counters = cJSON_CreateObject();

	for (size_t i = 0; i < host->counter_count; i++) {
		lt_json_add_int(counters, host->counters[i].name, host->counters[i].value);
	}
	return counters;
}
