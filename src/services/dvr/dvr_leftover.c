/* What an earlier run left in the temporary directory: gone on with, or finished. */
#include "base/alloc.h"
#include "services/dvr/dvr_priv.h"
#include "store/fileops.h"
#include "store/tempdir.h"

/* One journal as the worker found it. */
struct item {
	char *path, *uuid;
	struct lt_recorder *recorder; /* NULL: complete, it has only to be finished */
	cJSON *manifest;              /* NULL: none */
	int64_t last_s;
	size_t frames;
	struct item *prev, *next;
};

struct problem {
	char *sentence;
	struct problem *next;
};

struct lt_dvr_scan {
	struct lt_dvr *dvr; /* NULL: it has gone meanwhile */
	char *temp_dir;
	struct item *items;
	struct problem *problems;
};

static void add_problem(void *arg, const char *sentence)
{
	struct lt_dvr_scan *scan = arg;
	struct problem *problem = lt_zalloc(sizeof(*problem));

	problem->sentence = lt_strdup(sentence);
	LL_APPEND(scan->problems, problem);
}

static void free_item(struct item *item)
{
	lt_recorder_close(item->recorder);
	cJSON_Delete(item->manifest);
	lt_free(item->path);
	lt_free(item->uuid);
	lt_free(item);
}

/* "UUID" of "UUID_1.journal" and "UUID.journal"; only where the manifest does not say. */
static char *uuid_from_path(const char *path)
{
	struct lt_str name = lt_str_from(lt_path_base(path));
	size_t n = 0;

	name.n -= strlen(LT_JOURNAL_SUFFIX);
	while (n < name.n && name.p[n] != '_') {
		n++;
	}
	return lt_str_dup((struct lt_str){ name.p, n });
}

static void look_at(void *arg, const char *path)
{
	struct lt_dvr_scan *scan = arg;
	struct item *item = lt_zalloc(sizeof(*item));
	struct lt_recorder_report report = { 0 };
	struct lt_err err = { 0 };
	struct lt_str uuid;

	item->path = lt_strdup(path);
	item->recorder = lt_recorder_resume(path, NULL, &err);
	if (item->recorder == NULL && err.code != LT_E_INVALID) {
		add_problem(scan, err.msg);
		free_item(item);
		return;
	}
	if (item->recorder != NULL) {
		lt_recorder_report(item->recorder, &report);
		item->frames = report.frames;
		item->last_s = report.last_s;
		item->manifest = report.manifest ? cJSON_Duplicate(report.manifest, true) : NULL;
		cJSON_DeleteItemFromObjectCaseSensitive(item->manifest, "startTime");
	}
	item->uuid = lt_json_get_str(item->manifest, "uuid", &uuid, NULL) ? lt_str_dup(uuid)
									  : uuid_from_path(path);
	DL_APPEND(scan->items, item);
}

static void scan_work(void *arg)
{
	struct lt_dvr_scan *scan = arg;
	struct lt_err err = { 0 };

	if (!lt_tempdir_scan(scan->temp_dir, NULL, look_at, add_problem, scan, &err)) {
		add_problem(scan, err.msg);
	}
}

/* Of several journals of a service only the newest can go on. */
static bool is_newest(const struct lt_dvr_scan *scan, const struct item *item)
{
	const struct item *other;

	DL_FOREACH(scan->items, other) {
		if (other != item && other->recorder != NULL &&
				strcmp(other->uuid, item->uuid) == 0 &&
				other->last_s > item->last_s) {
			return false;
		}
	}
	return true;
}

static void finish_item(struct lt_dvr *dvr, struct item *item)
{
	struct lt_lane *lane = lt_dvr_new_lane(dvr, lt_str_from(item->uuid), false);

	if (item->recorder != NULL) {
		lt_lane_resume_take(lane, LT_STEAL(item->recorder), item->path);
	} else {
		lt_lane_set_complete(lane, item->path);
	}
	lt_dvr_finish_lane(dvr, lane);
}

/* May this journal go on as the recording of its service? */
static bool go_on(struct lt_dvr *dvr, const struct lt_dvr_scan *scan, struct item *item)
{
	int64_t now_s = lt_wall_s(lt_loop_wall(dvr->env.loop));
	struct lt_dvr_service *service;

	if (item->recorder == NULL || item->frames == 0 ||
			now_s - item->last_s > dvr->env.thresholds.resume_s ||
			!is_newest(scan, item)) {
		return false;
	}
	service = lt_dvr_service(dvr, lt_str_from(item->uuid));
	if (service == NULL ||
			(service->manifest != NULL && item->manifest != NULL &&
					!lt_dvr_same_recording(
							service->manifest, item->manifest))) {
		return false;
	}
	struct lt_lane_report report = { 0 };

	if (service->lane != NULL) {
		lt_lane_report(service->lane, &report);
	}
	if (report.is_resumed) {
		return false;
	}
	if (service->lane == NULL) {
		service->lane = lt_dvr_new_lane(dvr, lt_str_from(service->uuid), true);
		service->active_s = now_s;
	}
	if (service->manifest == NULL) {
		service->manifest = LT_STEAL(item->manifest);
		service->manifest_at = lt_loop_wall(dvr->env.loop);
	}
	lt_lane_resume_take(service->lane, LT_STEAL(item->recorder), item->path);
	service->wants_analysis = true;
	dvr->resumed++;
	lt_log(&dvr->env.log, LT_INFO, "recording of an earlier run goes on", "uuid=%s frames=%zu",
			service->uuid, item->frames);
	return true;
}

static void free_scan(struct lt_dvr_scan *scan)
{
	struct item *item, *next;
	struct problem *problem, *next_problem;

	DL_FOREACH_SAFE(scan->items, item, next) {
		DL_DELETE(scan->items, item);
		free_item(item);
	}
	LL_FOREACH_SAFE(scan->problems, problem, next_problem) {
		lt_free(problem->sentence);
		lt_free(problem);
	}
	lt_free(scan->temp_dir);
	lt_free(scan);
}

static void scan_done(void *arg)
{
	struct lt_dvr_scan *scan = arg;
	struct lt_dvr *dvr = scan->dvr;
	const struct problem *problem;
	struct item *item;
	char quoted[LT_LOG_VALUE_MAX];

	if (dvr == NULL || dvr->is_stopping) {
		lt_dvr_leftover_forget(dvr);
		free_scan(scan);
		return;
	}
	LL_FOREACH(scan->problems, problem) {
		lt_log(&dvr->env.log, LT_ERROR, "left of an earlier run, and not usable as it is",
				"reason=%s", lt_log_value(lt_str_from(problem->sentence), quoted));
	}
	dvr->leftover = NULL;
	DL_FOREACH(scan->items, item) {
		if (!go_on(dvr, scan, item)) {
			finish_item(dvr, item);
		}
	}
	free_scan(scan);
	lt_dvr_release(dvr);
}

void lt_dvr_leftover_start(struct lt_dvr *dvr)
{
	dvr->leftover = lt_zalloc(sizeof(*dvr->leftover));
	dvr->leftover->dvr = dvr;
	dvr->leftover->temp_dir = lt_strdup(dvr->temp_dir);
	lt_loop_work(dvr->env.loop, scan_work, scan_done, dvr->leftover);
}

void lt_dvr_leftover_forget(struct lt_dvr *dvr)
{
	if (dvr != NULL && dvr->leftover != NULL) {
		dvr->leftover->dvr = NULL;
		dvr->leftover = NULL;
	}
}
