#include "services/dvr/dvr.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/dvr/dvr_priv.h"

#define TOPIC_ANALYSIS   "livetiming.analysis"
#define SERVICES_MAX     10000
#define UUID_BYTES_MAX   128
#define ANALYSIS_WAIT_MS 30000
#define REMEMBER_S       3600

struct lt_dvr *lt_dvr_create(const struct lt_dvr_env *env)
{
	struct lt_dvr *dvr = lt_zalloc(sizeof(*dvr));

	dvr->env = *env;
	dvr->env.log.module = "dvr";
	dvr->is_standby = env->is_standby;
	dvr->temp_dir = lt_strdup(env->temp_dir);
	dvr->done_dir = lt_strdup(env->done_dir);
	return dvr;
}

static void free_service(struct lt_dvr *dvr, struct lt_dvr_service *service)
{
	HASH_DEL(dvr->services, service);
	lt_free(service->uuid);
	cJSON_Delete(service->manifest);
	lt_free(service->finished);
	lt_free(service);
}

static void free_question(struct lt_dvr_question *question)
{
	DL_DELETE(question->dvr->questions, question);
	lt_free(question->uuid);
	lt_free(question);
}

static void leave_realm(struct lt_dvr *dvr)
{
	lt_timer_cancel(&dvr->scan_timer);
	lt_local_leave(LT_STEAL(dvr->local));
	while (dvr->questions != NULL) {
		free_question(dvr->questions);
	}
}

void lt_dvr_destroy(struct lt_dvr *dvr)
{
	struct lt_dvr_service *service, *next_service;
	struct lt_dvr_finish *finish, *next;

	if (dvr == NULL) {
		return;
	}
	leave_realm(dvr);
	lt_dvr_leftover_forget(dvr);
	lt_deferred_cancel(&dvr->stopped_call);
	HASH_ITER(hh, dvr->services, service, next_service) {
		if (service->lane != NULL) {
			lt_lane_abandon(service->lane);
		}
		free_service(dvr, service);
	}
	DL_FOREACH_SAFE(dvr->finishing, finish, next) {
		DL_DELETE(dvr->finishing, finish);
		lt_lane_abandon(finish->lane);
		lt_free(finish);
	}
	lt_free(dvr->temp_dir);
	lt_free(dvr->done_dir);
	lt_free(dvr);
}

/* --- services --- */

struct lt_dvr_service *lt_dvr_service(struct lt_dvr *dvr, struct lt_str uuid)
{
	struct lt_dvr_service *service;

	if (!lt_name_is_safe(uuid) || uuid.p[0] == '.' || uuid.n > UUID_BYTES_MAX) {
		return NULL;
	}
	HASH_FIND(hh, dvr->services, uuid.p, uuid.n, service);
	if (service != NULL) {
		return service;
	}
	if (HASH_COUNT(dvr->services) >= SERVICES_MAX) {
		if (!dvr->too_many) {
			lt_log(&dvr->env.log, LT_ERROR,
					"too many services, new ones are not recorded", "limit=%d",
					SERVICES_MAX);
		}
		dvr->too_many = true;
		return NULL;
	}
	service = lt_zalloc(sizeof(*service));
	service->uuid = lt_str_dup(uuid);
	HASH_ADD_KEYPTR(hh, dvr->services, service->uuid, uuid.n, service);
	return service;
}

static bool same_text(const cJSON *manifest, const cJSON *other, const char *key)
{
	const cJSON *a = lt_json_get(manifest, key), *b = lt_json_get(other, key);

	return a == NULL || b == NULL ? a == b : lt_json_equal(a, b);
}

/* What was public stays so, and the rest does not become so. */
static bool is_private(const cJSON *manifest)
{
	return cJSON_IsTrue(lt_json_get(manifest, "private"));
}

bool lt_dvr_same_recording(const cJSON *manifest, const cJSON *other)
{
	return same_text(manifest, other, "name") && same_text(manifest, other, "description") &&
			is_private(manifest) == is_private(other);
}

/* --- recordings --- */

static void start_next_finish(struct lt_dvr *dvr)
{
	struct lt_dvr_finish *finish = dvr->finishing;

	/* one after the other: several would keep all workers from the recordings that go on */
	if (finish != NULL && !finish->is_started) {
		finish->is_started = true;
		lt_lane_finish(finish->lane);
	}
}

void lt_dvr_finish_lane(struct lt_dvr *dvr, struct lt_lane *lane)
{
	struct lt_dvr_finish *finish = lt_zalloc(sizeof(*finish));

	finish->lane = lane;
	DL_APPEND(dvr->finishing, finish);
	start_next_finish(dvr);
}

static void all_stopped(void *arg)
{
	struct lt_dvr *dvr = arg;

	dvr->stopped(dvr->stopped_arg);
}

static void check_stopped(struct lt_dvr *dvr)
{
	if (dvr->is_stopping && dvr->lanes == 0) {
		lt_loop_defer(dvr->env.loop, &dvr->stopped_call, all_stopped, dvr);
	}
}

/* Viewers of the service go on with the archive. */
static void note_finished(struct lt_dvr *dvr, const struct lt_lane *lane)
{
	struct lt_dvr_service *service = lt_dvr_service(dvr, lt_lane_uuid(lane));
	struct lt_str name = lt_str_from(lt_lane_archive(lane));
	struct lt_live_finished *newest;
	struct lt_lane_report report;

	if (service == NULL || name.p == NULL) {
		return;
	}
	if (lt_str_ends(name, LT_STR(".zip"))) {
		name.n -= strlen(".zip");
	}
	if (service->finished == NULL) {
		service->finished = lt_calloc(LT_LIVE_FINISHED_MAX, sizeof(*service->finished));
	}
	service->finished_count = LT_MIN(service->finished_count + 1, (size_t)LT_LIVE_FINISHED_MAX);
	newest = service->finished;
	memmove(newest + 1, newest, (service->finished_count - 1) * sizeof(*newest));
	lt_lane_report(lane, &report);
	*newest = (struct lt_live_finished){
		.start_s = report.first_s, .end_s = report.last_s, .is_public = report.is_public
	};
	snprintf(newest->id, sizeof(newest->id), "%.*s", LT_STR_ARG(name));
}

static void lane_ended(void *arg, struct lt_lane *lane, enum lt_lane_end end)
{
	struct lt_dvr *dvr = arg;
	struct lt_dvr_finish *finish, *next;
	struct lt_dvr_service *service, *next_service;
	struct lt_lane_report report;

	lt_lane_report(lane, &report);
	dvr->ended_bytes += (uint64_t)report.bytes;
	dvr->ended_frames += report.frames;
	dvr->ended_lost += report.lost;
	dvr->lanes--;
	if (end == LT_LANE_KEPT && !dvr->is_stopping) {
		note_finished(dvr, lane);
	}
	dvr->kept += end == LT_LANE_KEPT;
	dvr->discarded += end == LT_LANE_DISCARDED;
	DL_FOREACH_SAFE(dvr->finishing, finish, next) {
		if (finish->lane == lane) {
			DL_DELETE(dvr->finishing, finish);
			lt_free(finish);
		}
	}
	HASH_ITER(hh, dvr->services, service, next_service) {
		if (service->lane == lane) {
			service->lane = NULL;
		}
	}
	if (!dvr->is_stopping) {
		start_next_finish(dvr);
	}
	check_stopped(dvr);
}

static void begin_recording(struct lt_dvr *dvr, struct lt_dvr_service *service)
{
	service->lane = lt_dvr_new_lane(dvr, lt_str_from(service->uuid), dvr->leftover != NULL);
	service->active_s = lt_wall_s(lt_loop_wall(dvr->env.loop));
	if (service->manifest != NULL) {
		lt_lane_set_manifest(service->lane, service->manifest, service->manifest_at);
	}
}

static void end_recording(struct lt_dvr *dvr, struct lt_dvr_service *service)
{
	lt_dvr_finish_lane(dvr, LT_STEAL(service->lane));
}

/* The clock of the sender went back by more than a recording can bear. */
static void turned_back(void *arg, struct lt_lane *lane)
{
	struct lt_dvr *dvr = arg;
	struct lt_dvr_service *service, *next;

	HASH_ITER(hh, dvr->services, service, next) {
		if (service->lane == lane) {
			lt_log(&dvr->env.log, LT_WARN,
					"clock of a service went back, a new recording begins",
					"uuid=%s", service->uuid);
			service->lane = NULL;
			begin_recording(dvr, service);
			lt_lane_move(lane, service->lane);
			lt_dvr_finish_lane(dvr, lane);
			return;
		}
	}
}

struct lt_lane *lt_dvr_new_lane(struct lt_dvr *dvr, struct lt_str uuid, bool is_held)
{
	struct lt_lane_env env = { .loop = dvr->env.loop,
		.log = dvr->env.log,
		.temp_dir = dvr->temp_dir,
		.done_dir = dvr->done_dir,
		.min_duration_s = dvr->env.thresholds.min_duration_s,
		.sync_interval_s = dvr->env.thresholds.sync_s,
		.turned_back = turned_back,
		.ended = lane_ended,
		.arg = dvr };
	struct lt_lane_opts opts = { .uuid = uuid, .is_held = is_held };

	dvr->lanes++;
	return lt_lane_create(&env, &opts);
}

/* --- events --- */

static void got_analysis(void *arg, const struct lt_result *result)
{
	struct lt_dvr_question *question = arg;
	struct lt_dvr_service *service = lt_dvr_service(question->dvr, lt_str_from(question->uuid));

	if (result->ok && service != NULL && service->lane != NULL) {
		lt_lane_set_analysis(service->lane, result->args);
	}
	free_question(question);
}

/* What a resumed recording has missed, or lost with the daemon. */
static void ask_analysis(struct lt_dvr *dvr, struct lt_dvr_service *service)
{
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	struct lt_dvr_question *question = lt_zalloc(sizeof(*question));
	struct lt_err err;

	question->dvr = dvr;
	question->uuid = lt_strdup(service->uuid);
	DL_APPEND(dvr->questions, question);
	service->wants_analysis = false;
	lt_buf_printf(&name, "%s%s", LT_RPC_REQUEST_ANALYSIS, service->uuid);
	if (!lt_local_call(dvr->local, lt_buf_str(&name), LT_STR("[]"), ANALYSIS_WAIT_MS,
			    got_analysis, question, &err)) {
		lt_log(&dvr->env.log, LT_DEBUG, "analysis cannot be asked for",
				"uuid=%s reason=\"%s\"", service->uuid, err.msg);
		free_question(question);
	}
}

static void on_state(void *arg, const struct lt_event *event)
{
	struct lt_dvr *dvr = arg;
	struct lt_str uuid = lt_str_skip(event->topic, strlen(LT_TOPIC_SERVICE));
	struct lt_dvr_service *service = lt_dvr_service(dvr, uuid);
	struct lt_wall now = lt_loop_wall(dvr->env.loop);
	char quoted[LT_LOG_VALUE_MAX];

	if (service == NULL) {
		lt_log(&dvr->env.log, LT_DEBUG, "state not recorded", "topic=%s",
				lt_log_value(event->topic, quoted));
		return;
	}
	if (dvr->is_standby) {
		return;
	}
	if (service->lane == NULL) {
		begin_recording(dvr, service);
	}
	service->active_s = lt_wall_s(now);
	lt_lane_add_event(service->lane, event->args, now);
	if (service->wants_analysis) {
		ask_analysis(dvr, service);
	}
}

/* "livetiming.analysis/UUID/KEY", perhaps with "/CAR", which belongs to the data. */
static void on_analysis(void *arg, const struct lt_event *event)
{
	struct lt_dvr *dvr = arg;
	struct lt_str rest = event->topic;
	struct lt_str prefix = lt_str_split(&rest, '/');
	struct lt_str uuid = rest.p ? lt_str_split(&rest, '/') : rest;
	struct lt_str key = rest.p ? lt_str_split(&rest, '/') : rest;
	struct lt_dvr_service *service;
	char quoted[LT_LOG_VALUE_MAX];

	if (!lt_str_eq_c(prefix, TOPIC_ANALYSIS) || key.n == 0) {
		lt_log(&dvr->env.log, LT_WARN, "analysis with a malformed topic", "topic=%s",
				lt_log_value(event->topic, quoted));
		return;
	}
	service = lt_dvr_service(dvr, uuid);
	if (service == NULL || dvr->is_standby) {
		return;
	}
	if (service->lane == NULL) {
		begin_recording(dvr, service);
	}
	lt_lane_add_analysis(service->lane, key, event->args, lt_loop_wall(dvr->env.loop));
}

/* The manifest of a service that an operator closed and that does not say so itself, or NULL. */
static cJSON *as_closed(const struct lt_dvr *dvr, struct lt_str uuid, const cJSON *manifest)
{
	cJSON *copy;

	if (is_private(manifest) || !dvr->env.is_closed ||
			!dvr->env.is_closed(dvr->env.arg, uuid)) {
		return NULL;
	}
	copy = cJSON_Duplicate(manifest, true);
	lt_json_set_take(copy, "hidden", cJSON_CreateTrue());
	lt_json_set_take(copy, "private", cJSON_CreateTrue());
	return copy;
}

static void take_manifest(struct lt_dvr *dvr, const cJSON *manifest)
{
	struct lt_str uuid;
	struct lt_dvr_service *service;

	if (!lt_json_get_str(manifest, "uuid", &uuid, NULL) ||
			(service = lt_dvr_service(dvr, uuid)) == NULL) {
		return;
	}
	service->is_listed = true;
	LT_AUTO(cJSON_Delete) cJSON *closed = as_closed(dvr, uuid, manifest);

	manifest = closed ? closed : manifest;
	if (service->manifest != NULL && lt_json_equal(service->manifest, manifest)) {
		return;
	}
	if (service->lane != NULL && service->manifest != NULL &&
			!lt_dvr_same_recording(service->manifest, manifest)) {
		end_recording(dvr, service);
	}
	cJSON_Delete(service->manifest);
	service->manifest = cJSON_Duplicate(manifest, true);
	service->manifest_at = lt_loop_wall(dvr->env.loop);
	if (service->lane != NULL) {
		lt_lane_set_manifest(service->lane, service->manifest, service->manifest_at);
	}
}

static bool read_event(struct lt_dvr *dvr, const struct lt_event *event, cJSON **ret_args,
		struct lt_envelope *ret)
{
	*ret_args = lt_json_parse(event->args, NULL);
	return *ret_args != NULL &&
			lt_envelope_read(*ret_args, lt_loop_wall(dvr->env.loop), ret, NULL);
}

static void on_control(void *arg, const struct lt_event *event)
{
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	struct lt_envelope envelope;

	if (read_event(arg, event, &args, &envelope) &&
			envelope.msg_class == LT_MSG_SERVICE_REGISTRATION) {
		take_manifest(arg, envelope.payload);
	}
}

static void on_directory(void *arg, const struct lt_event *event)
{
	struct lt_dvr *dvr = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	struct lt_dvr_service *service, *next;
	struct lt_envelope envelope;
	const cJSON *manifest;

	if (!read_event(dvr, event, &args, &envelope) ||
			envelope.msg_class != LT_MSG_DIRECTORY_LISTING) {
		return;
	}
	HASH_ITER(hh, dvr->services, service, next) {
		service->is_listed = false;
	}
	cJSON_ArrayForEach(manifest, envelope.payload) {
		take_manifest(dvr, manifest);
	}
}

void lt_dvr_set_active(struct lt_dvr *dvr, bool is_active)
{
	dvr->is_standby = !is_active;
}

void lt_dvr_split(struct lt_dvr *dvr, struct lt_str uuid)
{
	struct lt_dvr_service *service = lt_dvr_service(dvr, uuid);

	if (service != NULL && service->lane != NULL && dvr->leftover == NULL) {
		end_recording(dvr, service);
	}
}

/* --- time --- */

/* Whoever watched it to its end still wants to know where it is. */
static bool is_remembered(const struct lt_dvr_service *service, int64_t now_s)
{
	return service->finished != NULL && now_s < service->finished[0].end_s + REMEMBER_S;
}

static void on_scan(void *arg)
{
	struct lt_dvr *dvr = arg;
	int64_t now_s = lt_wall_s(lt_loop_wall(dvr->env.loop));
	struct lt_dvr_service *service, *next;

	if (dvr->finishing != NULL) {
		lt_lane_retry(dvr->finishing->lane);
	}
	HASH_ITER(hh, dvr->services, service, next) {
		if (service->lane != NULL &&
				now_s - service->active_s > dvr->env.thresholds.idle_s &&
				dvr->leftover == NULL) {
			end_recording(dvr, service);
		}
		if (service->lane == NULL && !service->is_listed &&
				!is_remembered(service, now_s) &&
				now_s - lt_wall_s(service->manifest_at) >
						dvr->env.thresholds.idle_s) {
			free_service(dvr, service);
		}
	}
	dvr->too_many = HASH_COUNT(dvr->services) >= SERVICES_MAX;
}

void lt_dvr_release(struct lt_dvr *dvr)
{
	struct lt_dvr_service *service, *next;

	HASH_ITER(hh, dvr->services, service, next) {
		if (service->lane != NULL) {
			lt_lane_release(service->lane);
		}
	}
}

/* --- life --- */

static bool join(struct lt_dvr *dvr, struct lt_err *err)
{
	dvr->local = lt_local_join(dvr->env.router, LT_STR(LT_REALM), "dvr", "services", err);
	return dvr->local != NULL &&
			lt_local_subscribe(dvr->local, LT_STR(LT_TOPIC_CONTROL), LT_MATCH_EXACT,
					false, on_control, dvr, err) &&
			lt_local_subscribe(dvr->local, LT_STR(LT_TOPIC_DIRECTORY), LT_MATCH_EXACT,
					true, on_directory, dvr, err) &&
			lt_local_subscribe(dvr->local, LT_STR(LT_TOPIC_SERVICE), LT_MATCH_PREFIX,
					false, on_state, dvr, err) &&
			lt_local_subscribe(dvr->local, LT_STR(TOPIC_ANALYSIS), LT_MATCH_PREFIX,
					true, on_analysis, dvr, err);
}

bool lt_dvr_start(struct lt_dvr *dvr, struct lt_err *err)
{
	if (!join(dvr, err)) {
		leave_realm(dvr);
		return lt_err_prefix(err, "dvr");
	}
	lt_timer_every(&dvr->scan_timer, dvr->env.loop, dvr->env.thresholds.scan_s * 1000, on_scan,
			dvr);
	lt_dvr_leftover_start(dvr);
	return true;
}

void lt_dvr_stop(struct lt_dvr *dvr, void (*done)(void *arg), void *arg)
{
	struct lt_dvr_service *service, *next_service;
	struct lt_dvr_finish *finish, *next;

	leave_realm(dvr);
	dvr->is_stopping = true;
	dvr->stopped = done;
	dvr->stopped_arg = arg;
	HASH_ITER(hh, dvr->services, service, next_service) {
		if (service->lane != NULL) {
			lt_lane_leave(service->lane);
		}
	}
	/* those that are to be finished are next time: their journals are complete or silent */
	DL_FOREACH_SAFE(dvr->finishing, finish, next) {
		lt_lane_leave(finish->lane);
	}
	check_stopped(dvr);
}
