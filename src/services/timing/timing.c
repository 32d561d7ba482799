#include "services/timing/timing.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/state.h"
#include "services/plugin/raw_input.h"
#include "services/timing/timing_priv.h"
#include "store/saved.h"

#define QUEUE_MAX 100 /* messages and race control texts that wait for an update */

/* --- what the plugin says --- */

static void add_description(struct lt_timing *timing, cJSON *manifest, const cJSON *description)
{
	static const char *const keys[] = { "colSpec", "trackDataSpec", "pollInterval" };

	for (size_t i = 0; i < LT_ARRAY_LEN(keys); i++) {
		lt_json_set_take(manifest, keys[i],
				cJSON_Duplicate(lt_json_get(description, keys[i]), true));
	}
	lt_json_add_bool(manifest, "hasAnalysis", timing->has_analysis);
	lt_json_add_bool(manifest, "hidden", timing->hidden);
	cJSON *version = cJSON_AddObjectToObject(manifest, "livetimingVersion");

	lt_json_add_c(version, "core", LT_VERSION);
	lt_json_add_c(version, "plugin", lt_host_plugin(timing->host)->desc.version);
	if (lt_json_get(description, "source") != NULL) {
		lt_json_set_take(manifest, "source",
				cJSON_Duplicate(lt_json_get(description, "source"), true));
	}
	if (timing->do_not_record) {
		lt_json_add_bool(manifest, "doNotRecord", true);
	}
}

/* The manifest, in the original's order of keys. */
static void make_manifest(struct lt_timing *timing, const cJSON *description)
{
	cJSON *manifest = cJSON_CreateObject();

	lt_json_add_c(manifest, "uuid", timing->uuid);
	lt_json_set_take(manifest, "name", cJSON_Duplicate(lt_json_get(description, "name"), true));
	lt_json_add_c(manifest, "serviceClass", timing->service_class);
	if (timing->description != NULL) {
		lt_json_add_c(manifest, "description", timing->description);
	} else {
		lt_json_set_take(manifest, "description",
				cJSON_Duplicate(lt_json_get(description, "description"), true));
	}
	add_description(timing, manifest, description);
	cJSON_Delete(timing->feed_manifest);
	timing->feed_manifest = manifest;
	cJSON_Delete(timing->manifest);
	timing->manifest = cJSON_Duplicate(manifest, true);
	lt_timing_desk_on_manifest(timing->desk, timing->manifest);
}

static void tell_described(struct lt_timing *timing)
{
	for (size_t i = 0; i < timing->observer_count; i++) {
		if (timing->observers[i].described != NULL) {
			timing->observers[i].described(timing->observers[i].arg, timing->manifest);
		}
	}
}

void lt_timing_renew_manifest(struct lt_timing *timing)
{
	cJSON_Delete(timing->manifest);
	timing->manifest = cJSON_Duplicate(timing->feed_manifest, true);
	lt_timing_desk_on_manifest(timing->desk, timing->manifest);
	tell_described(timing);
}

static void describe_take(void *arg, cJSON *description)
{
	struct lt_timing *timing = arg;
	bool is_first = timing->manifest == NULL;

	/* While the plugin's create runs there is no host to ask yet: kept for after it. */
	if (timing->host == NULL) {
		cJSON_Delete(timing->manifest);
		timing->manifest = description;
		return;
	}
	make_manifest(timing, description);
	cJSON_Delete(description);
	tell_described(timing);
	if (is_first) {
		lt_timing_announce_now(timing);
		lt_timing_publish(timing, (struct lt_str){ NULL, 0 });
	} else {
		lt_timing_announce(timing);
	}
}

static void set_generators(void *arg, uint32_t generators)
{
	((struct lt_timing *)arg)->generators = generators;
}

static void keep_newest(cJSON *queue)
{
	while (cJSON_GetArraySize(queue) > QUEUE_MAX) {
		cJSON_DeleteItemFromArray(queue, 0);
	}
}

static void message_take(void *arg, cJSON *message)
{
	struct lt_timing *timing = arg;

	cJSON_AddItemToArray(timing->messages, message);
	keep_newest(timing->messages);
}

static void race_control(void *arg, struct lt_str text)
{
	struct lt_timing *timing = arg;

	if (timing->generators & LT_GENERATE_RACE_CONTROL) {
		cJSON_AddItemToArray(timing->race_control, lt_json_new_str(text));
		keep_newest(timing->race_control);
	}
}

void lt_timing_new_session(struct lt_timing *timing)
{
	timing->begins_session = true;
	for (size_t i = 0; i < timing->observer_count; i++) {
		if (timing->observers[i].new_session != NULL) {
			timing->observers[i].new_session(timing->observers[i].arg);
		}
	}
}

static void new_session(void *arg)
{
	lt_timing_new_session(arg);
}

static void set_stale(void *arg, bool stale, struct lt_str reason)
{
	struct lt_timing *timing = arg;
	bool changed = stale != timing->stale;
	char quoted[LT_LOG_VALUE_MAX];

	timing->stale = stale;
	snprintf(timing->stale_reason, sizeof(timing->stale_reason), "%.*s",
			stale ? (int)LT_MIN(reason.n, sizeof(timing->stale_reason) - 1) : 0,
			reason.p ? reason.p : "");
	if (changed) {
		lt_log(&timing->log, stale ? LT_WARN : LT_INFO,
				stale ? "feed is silent, viewers are told" : "feed is alive again",
				"uuid=%s reason=%s", timing->uuid, lt_log_value(reason, quoted));
		lt_timing_publish(timing, (struct lt_str){ NULL, 0 });
	}
}

static void host_failed(void *arg, const char *reason)
{
	struct lt_timing *timing = arg;

	lt_log(&timing->log, LT_ERROR, "service failed, stopped", "uuid=%s reason=\"%s\"",
			timing->uuid, reason);
	timing->env.failed(timing->env.arg, timing, reason);
}

static const struct lt_host_owner host_owner = {
	.described_take = describe_take,
	.generators = set_generators,
	.update_take = lt_timing_update_take,
	.update_due_take = lt_timing_update_due_take,
	.replace_take = lt_timing_replace_take,
	.message_take = message_take,
	.race_control = race_control,
	.new_session = new_session,
	.stale = set_stale,
	.failed = host_failed,
};

/* --- life --- */

/* It may have been cleaned away since the start: no race shall fail for want of a log. */
static bool make_log_dir(const struct lt_timing *timing, struct lt_err *err)
{
	const char *log_dir = timing->env.log_dir;

	return !log_dir || !*log_dir || lt_dir_make(log_dir, err);
}

static bool open_log(
		struct lt_timing *timing, const struct lt_service_args *args, struct lt_err *err)
{
	timing->log = timing->env.log;
	timing->log.module = "timing";
	if (args->verbose || args->no_write_state) {
		return true;
	}
	char name[sizeof(timing->uuid) + 8];
	const char *log_dir =
			timing->env.log_dir && *timing->env.log_dir ? timing->env.log_dir : ".";

	snprintf(name, sizeof(name), "%s.log", timing->uuid);
	char *path = lt_path_join(log_dir, name);

	if (make_log_dir(timing, err)) {
		timing->sink = lt_log_sink_file(path, args->debug ? LT_DEBUG : LT_INFO, LT_LOG_TEXT,
				timing->env.log.sink, err);
	}
	lt_free(path);
	timing->log.sink = timing->sink;
	return timing->sink != NULL || lt_err_prefix(err, "log of the service");
}

bool lt_timing_reopen_log(struct lt_timing *timing, struct lt_err *err)
{
	return timing->sink == NULL ||
			(make_log_dir(timing, err) && lt_log_sink_reopen(timing->sink, err));
}

static void capture_ended(void *arg, bool is_error, const char *reason)
{
	if (is_error) {
		host_failed(arg, reason);
	} else {
		set_stale(arg, true, lt_str_from(reason));
	}
}

/* The plugin's own arguments go into the capture: it is played with the same ones. */
static cJSON *capture_header(const struct lt_timing *timing, const struct lt_timing_opts *opts)
{
	cJSON *header = cJSON_CreateObject();
	cJSON *args = cJSON_AddArrayToObject(header, "args");

	lt_json_add_c(header, "plugin", opts->plugin->desc.name);
	lt_json_add_c(header, "version", opts->plugin->desc.version);
	lt_json_add_c(header, "uuid", timing->uuid);
	for (size_t i = 0; i < opts->args->extra.n; i++) {
		cJSON_AddItemToArray(args, cJSON_CreateString(opts->args->extra.v[i]));
	}
	return header;
}

/*
 * A capture is opened here already, so that a wrong one is refused at the start.
 * Its arguments are the plugin's, unless others are given.
 */
static bool read_capture(
		const struct lt_timing_opts *opts, struct lt_args *ret_extra, struct lt_err *err)
{
	struct lt_raw_reader *reader = lt_raw_open(opts->args->replay_raw, err);
	const cJSON *arg;
	struct lt_str plugin = { "", 0 };
	bool is_same;

	if (!reader) {
		return false;
	}
	lt_json_opt_str(lt_raw_header(reader), "plugin", &plugin, NULL);
	is_same = lt_str_eq_c(plugin, opts->plugin->desc.name);
	if (!is_same) {
		char quoted[LT_QUOTE_MAX];

		lt_err_set(err, LT_E_INVALID, "%s is a capture of plugin %s",
				opts->args->replay_raw, lt_str_quote(plugin, quoted));
	}
	cJSON_ArrayForEach(arg, lt_json_get(lt_raw_header(reader), "args")) {
		if (opts->args->extra.n == 0 && cJSON_IsString(arg)) {
			lt_args_add(ret_extra, lt_str_from(arg->valuestring));
		}
	}
	lt_raw_close(reader);
	return is_same;
}

static void make_raw(struct lt_timing *timing, const struct lt_timing_opts *opts)
{
	const struct lt_service_args *args = opts->args;

	if (args->record_raw) {
		timing->raw_recorder = lt_raw_recorder_create_take(timing->env.loop,
				timing->env.log, args->record_raw, capture_header(timing, opts));
	}
	if (args->replay_raw) {
		timing->raw_player = lt_raw_player_create(&(struct lt_raw_player_env){
				.loop = timing->env.loop,
				.log = timing->env.log,
				.path = args->replay_raw,
				.speed = args->raw_speed,
				.ended = capture_ended,
				.arg = timing,
		});
	}
}

static struct lt_local *session_of(void *arg)
{
	return ((struct lt_timing *)arg)->local;
}

static bool make_host(
		struct lt_timing *timing, const struct lt_timing_opts *opts, struct lt_err *err)
{
	struct lt_args extra = { 0 };
	struct lt_option_values *options;
	struct lt_host_env env = { .loop = timing->env.loop,
		.log = timing->log,
		.random = timing->env.random,
		.fetcher = timing->env.fetcher,
		.ws_hub = timing->env.ws_hub,
		.raw_recorder = timing->raw_recorder,
		.raw_player = timing->raw_player,
		.owner = &host_owner,
		.owner_arg = timing,
		.session = session_of,
		.uuid = timing->uuid,
		.push_token = timing->env.push_token };

	if (opts->args->replay_raw && !read_capture(opts, &extra, err)) {
		lt_args_finish(&extra);
		return lt_err_prefix(err, "--replay-raw");
	}
	options = lt_option_values_parse(
			opts->plugin, extra.n > 0 ? &extra : &opts->args->extra, err);
	lt_args_finish(&extra);
	if (options == NULL) {
		return false;
	}
	lt_timing_desk_on_options(timing->desk, options);
	timing->host = lt_host_create_take(&env, opts->plugin, options, err);
	if (timing->host != NULL && timing->manifest != NULL) {
		LT_AUTO(cJSON_Delete) cJSON *description = LT_STEAL(timing->manifest);

		make_manifest(timing, description);
	}
	return timing->host != NULL;
}

static bool set_up(struct lt_timing *timing, const struct lt_timing_opts *opts, struct lt_err *err)
{
	const struct lt_service_args *args = opts->args;
	const char *dir = timing->env.state_dir && *timing->env.state_dir ? timing->env.state_dir
									  : ".";

	if (!lt_name_is_safe(opts->uuid) || opts->uuid.n >= sizeof(timing->uuid)) {
		return lt_err_set(err, LT_E_INVALID, "the UUID cannot be used as a file name");
	}
	memcpy(timing->uuid, opts->uuid.p, opts->uuid.n);
	timing->service_class =
			lt_strdup(args->masquerade ? args->masquerade : opts->plugin->desc.name);
	timing->description = args->description ? lt_strdup(args->description) : NULL;
	timing->hidden = args->hidden;
	timing->do_not_record = args->do_not_record;
	timing->has_analysis = !args->disable_analysis;
	timing->load_path = opts->state_file ? lt_strdup(opts->state_file) : NULL;
	timing->load_required = opts->state_file_required;
	if (!args->no_write_state) {
		timing->state_path = lt_saved_path(dir, opts->uuid, err);
		if (timing->state_path == NULL) {
			return false;
		}
	}
	if (!open_log(timing, args, err)) {
		return false;
	}
	timing->desk = lt_timing_desk_create(timing, opts, dir);
	make_raw(timing, opts);
	return make_host(timing, opts, err);
}

struct lt_timing *lt_timing_create(const struct lt_timing_env *env,
		const struct lt_timing_opts *opts, struct lt_err *err)
{
	struct lt_timing *timing = lt_zalloc(sizeof(*timing));

	timing->env = *env;
	timing->generators = LT_GENERATE_DEFAULT;
	timing->state = opts->state ? opts->state : lt_state_initial();
	timing->messages = cJSON_CreateArray();
	timing->race_control = cJSON_CreateArray();
	if (!set_up(timing, opts, err)) {
		lt_timing_destroy(timing);
		return NULL;
	}
	return timing;
}

/* A second is near enough, and one timer serves however often the state changes. */
static void on_republish(void *arg)
{
	struct lt_timing *timing = arg;
	int64_t since_us = lt_loop_now(timing->env.loop).us - timing->last_published_us;

	if (since_us >= (LT_REPUBLISH_MS - LT_DUE_MS) * (int64_t)LT_US_PER_MS) {
		lt_timing_publish(timing, (struct lt_str){ NULL, 0 });
	}
}

static bool begin(struct lt_timing *timing, struct lt_err *err)
{
	if (!lt_timing_join(timing, err)) {
		return false;
	}
	timing->status = LT_TIMING_RUNNING;
	if (timing->manifest != NULL) {
		tell_described(timing);
	}
	lt_timer_every(&timing->republish, timing->env.loop, LT_DUE_MS, on_republish, timing);
	lt_timing_announce_now(timing);
	lt_timing_publish(timing, (struct lt_str){ NULL, 0 });
	if (!lt_host_start(timing->host, err)) {
		return false;
	}
	if (timing->raw_player != NULL) {
		lt_raw_player_start(timing->raw_player);
	}
	char ready[128];

	/* The original's service manager looks for this very line. */
	snprintf(ready, sizeof(ready), "Session ready for service %s", timing->uuid);
	lt_log(&timing->log, LT_INFO, ready, NULL);
	return true;
}

/* A state file on its way; outlives the service, which is NULL then. */
struct lt_timing_load {
	struct lt_timing *timing;
	char *path;
	cJSON *state;
	struct lt_err err;
};

static void load_work(void *arg)
{
	struct lt_timing_load *load = arg;

	load->state = lt_saved_read(load->path, &load->err);
}

static void finish_load(struct lt_timing *timing, struct lt_timing_load *load)
{
	struct lt_err err = load->err;

	timing->load = NULL;
	if (load->state != NULL) {
		cJSON_Delete(timing->state);
		timing->state = LT_STEAL(load->state);
	} else if (timing->load_required) {
		lt_err_prefix(&err, "initial state");
		host_failed(timing, err.msg);
		return;
	} else if (err.code != LT_E_NOT_FOUND) {
		lt_log(&timing->log, LT_WARN, "saved state not used, starting without",
				"uuid=%s reason=\"%s\"", timing->uuid, err.msg);
	}
	if (!begin(timing, &err)) {
		host_failed(timing, err.msg);
	}
}

static void load_done(void *arg)
{
	struct lt_timing_load *load = arg;

	if (load->timing != NULL) {
		finish_load(load->timing, load);
	}
	cJSON_Delete(load->state);
	lt_free(load->path);
	lt_free(load);
}

bool lt_timing_start(struct lt_timing *timing, struct lt_err *err)
{
	if (timing->load_path == NULL) {
		return begin(timing, err);
	}
	timing->status = LT_TIMING_LOADING;
	timing->load = lt_zalloc(sizeof(*timing->load));
	timing->load->timing = timing;
	timing->load->path = lt_strdup(timing->load_path);
	lt_loop_work(timing->env.loop, load_work, load_done, timing->load);
	return true;
}

void lt_timing_stop(struct lt_timing *timing)
{
	bool was_running = timing->status == LT_TIMING_RUNNING;

	if (timing->load != NULL) {
		timing->load->timing = NULL;
		timing->load = NULL;
	}
	timing->status = LT_TIMING_STOPPED;
	if (timing->host != NULL) {
		lt_host_stop(timing->host);
	}
	lt_raw_player_destroy(LT_STEAL(timing->raw_player));
	lt_raw_recorder_destroy(LT_STEAL(timing->raw_recorder));
	lt_timing_drop_due(timing);
	lt_timer_cancel(&timing->republish);
	lt_timing_leave(timing);
	for (size_t i = 0; i < timing->observer_count; i++) {
		if (timing->observers[i].stopped != NULL) {
			timing->observers[i].stopped(timing->observers[i].arg);
		}
	}
	timing->observer_count = 0;
	if (was_running && timing->updates > 0) {
		struct lt_buf plain = { 0 };

		lt_json_print(&plain, timing->state, LT_JSON_SPACED);
		struct lt_text *text = lt_text_take(&plain);

		lt_timing_save(timing, text);
		lt_text_unref(text);
	}
}

void lt_timing_destroy(struct lt_timing *timing)
{
	if (timing == NULL) {
		return;
	}
	lt_timing_stop(timing);
	lt_host_destroy(timing->host);
	lt_timing_desk_destroy(timing->desk);
	cJSON_Delete(timing->manifest);
	cJSON_Delete(timing->feed_manifest);
	cJSON_Delete(timing->state);
	cJSON_Delete(timing->messages);
	cJSON_Delete(timing->race_control);
	lt_text_unref(timing->published);
	lt_log_sink_destroy(timing->sink);
	lt_free(timing->service_class);
	lt_free(timing->description);
	lt_free(timing->state_path);
	lt_free(timing->load_path);
	lt_free(timing);
}

void lt_timing_observe(struct lt_timing *timing, const struct lt_timing_observer *observer)
{
	if (timing->observer_count < LT_TIMING_OBSERVERS_MAX) {
		timing->observers[timing->observer_count++] = *observer;
	}
}

/* --- what others ask --- */

void lt_timing_report(const struct lt_timing *timing, struct lt_timing_report *ret_report)
{
	const cJSON *flag = lt_json_get(lt_json_get(timing->state, "session"), "flagState");
	struct lt_host_stats stats = { 0 };

	lt_host_report(timing->host, &stats);
	*ret_report = (struct lt_timing_report){ .status = timing->status,
		.service_class = timing->service_class,
		.plugin = lt_host_plugin(timing->host)->desc.name,
		.stale = timing->stale,
		.hidden = timing->manifest ? cJSON_IsTrue(lt_json_get(timing->manifest, "hidden"))
					   : timing->hidden,
		.stale_reason = timing->stale_reason,
		.updates = timing->updates,
		.failed_updates = timing->failed_updates,
		.slow_callbacks = stats.slow_callbacks,
		.slowest_us = stats.slowest_us,
		.last_update_ms = timing->last_update_ms,
		.cars = (size_t)cJSON_GetArraySize(lt_json_get(timing->state, "cars")),
		.flag = cJSON_IsString(flag) ? flag->valuestring : "" };
}

struct lt_str lt_timing_uuid(const struct lt_timing *timing)
{
	return lt_str_from(timing->uuid);
}

const cJSON *lt_timing_manifest(const struct lt_timing *timing)
{
	return timing->manifest;
}

const cJSON *lt_timing_state(const struct lt_timing *timing)
{
	return timing->state;
}

const cJSON *lt_timing_overrides(const struct lt_timing *timing)
{
	return lt_timing_desk_overrides(timing->desk);
}

bool lt_timing_is_private(const struct lt_timing *timing)
{
	return lt_timing_desk_is_private(timing->desk);
}

cJSON *lt_timing_counters(const struct lt_timing *timing)
{
	return lt_host_counters(timing->host);
}

cJSON *lt_timing_options(const struct lt_timing *timing)
{
	return lt_option_values_json(lt_host_options(timing->host));
}

struct lt_str lt_timing_published(const struct lt_timing *timing, const char **ret_etag)
{
	*ret_etag = timing->etag;
	return timing->published ? lt_text_str(timing->published) : (struct lt_str){ NULL, 0 };
}
