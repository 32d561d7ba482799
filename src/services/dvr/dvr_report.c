/* What the DVR tells: live recordings, figures, metrics, the list for livetimingctl. */
#include "base/exposition.h"
#include "services/dvr/dvr_priv.h"

/* The one in progress, or the newest of those that are being finished. */
static const struct lt_lane *current_lane(
		const struct lt_dvr *dvr, const struct lt_dvr_service *service, struct lt_str uuid)
{
	const struct lt_lane *lane = NULL;
	const struct lt_dvr_finish *finish;

	if (service != NULL && service->lane != NULL) {
		return service->lane;
	}
	DL_FOREACH(dvr->finishing, finish) {
		if (lt_str_eq(lt_lane_uuid(finish->lane), uuid)) {
			lane = finish->lane;
		}
	}
	return lane;
}

bool lt_dvr_live(void *arg, struct lt_str uuid, struct lt_live_recording *ret)
{
	const struct lt_dvr *dvr = arg;
	const struct lt_dvr_service *service;
	const struct lt_lane *lane;
	struct lt_lane_report report;

	*ret = (struct lt_live_recording){ 0 };
	HASH_FIND(hh, dvr->services, uuid.p, uuid.n, service);
	lane = current_lane(dvr, service, uuid);
	if (lane != NULL) {
		lt_lane_report(lane, &report);
		if (report.frames > 0) {
			ret->journal = lt_lane_journal(lane);
			ret->start_s = report.first_s;
		}
	}
	if (service != NULL) {
		lt_json_opt_bool(service->manifest, "doNotRecord", &ret->do_not_record, NULL);
		ret->finished = service->finished;
		ret->finished_count = service->finished_count;
	}
	return service != NULL || lane != NULL;
}

static void count(struct lt_dvr_stats *stats, const struct lt_lane *lane)
{
	struct lt_lane_report report;

	lt_lane_report(lane, &report);
	stats->in_trouble += report.trouble != NULL;
	stats->frames += report.frames;
	stats->lost += report.lost;
	stats->bytes += (uint64_t)report.bytes;
}

void lt_dvr_report(const struct lt_dvr *dvr, struct lt_dvr_stats *ret_stats)
{
	const struct lt_dvr_service *service;
	const struct lt_dvr_finish *finish;

	*ret_stats = (struct lt_dvr_stats){
		.kept = dvr->kept, .discarded = dvr->discarded, .resumed = dvr->resumed
	};
	for (service = dvr->services; service != NULL; service = service->hh.next) {
		if (service->lane != NULL) {
			ret_stats->recording++;
			count(ret_stats, service->lane);
		}
	}
	DL_FOREACH(dvr->finishing, finish) {
		ret_stats->finishing++;
		count(ret_stats, finish->lane);
	}
	ret_stats->bytes_total = dvr->ended_bytes + ret_stats->bytes;
	ret_stats->frames_total = dvr->ended_frames + ret_stats->frames;
	ret_stats->lost_total = dvr->ended_lost + ret_stats->lost;
}

void lt_dvr_write_metrics(const struct lt_dvr *dvr, struct lt_buf *buf)
{
	struct lt_dvr_stats stats;

	lt_dvr_report(dvr, &stats);
	const struct lt_expo_figure figures[] = {
		{ "livetiming_recordings_in_progress", "gauge", "services being recorded",
				stats.recording },
		{ "livetiming_recordings_finishing", "gauge", "recordings being finished",
				stats.finishing },
		{ "livetiming_recordings_failing", "gauge", "recordings that cannot be written now",
				stats.in_trouble },
		{ "livetiming_recordings_kept_total", "counter", "recordings that were kept",
				stats.kept },
		{ "livetiming_recordings_discarded_total", "counter",
				"recordings that were thrown away", stats.discarded },
		{ "livetiming_dvr_bytes_total", "counter",
				"bytes written for recordings, before they are finished",
				stats.bytes_total },
		{ "livetiming_dvr_frames_total", "counter", "states recorded", stats.frames_total },
		{ "livetiming_dvr_write_errors_total", "counter",
				"states that could not be recorded", stats.lost_total },
	};

	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
}

static cJSON *describe(const struct lt_lane *lane, const cJSON *manifest, const char *status)
{
	cJSON *entry = cJSON_CreateObject();
	struct lt_lane_report report;
	struct lt_str name = { "", 0 }, description = { "", 0 };

	lt_lane_report(lane, &report);
	lt_json_opt_str(manifest, "name", &name, NULL);
	lt_json_opt_str(manifest, "description", &description, NULL);
	lt_json_add_str(entry, "uuid", lt_lane_uuid(lane));
	lt_json_add_str(entry, "name", name);
	lt_json_add_str(entry, "description", description);
	lt_json_add_int(entry, "frames", (int64_t)report.frames);
	lt_json_add_int(entry, "startTime", report.first_s);
	lt_json_add_int(entry, "duration", report.last_s - report.first_s);
	lt_json_add_int(entry, "bytes", report.bytes);
	lt_json_add_int(entry, "lost", (int64_t)report.lost);
	lt_json_add_bool(entry, "resumed", report.is_resumed);
	lt_json_add_c(entry, "status", report.trouble ? "failing" : status);
	if (report.trouble != NULL) {
		lt_json_add_c(entry, "reason", report.trouble);
	}
	return entry;
}

cJSON *lt_dvr_list(const struct lt_dvr *dvr)
{
	cJSON *list = cJSON_CreateArray();
	const struct lt_dvr_service *service;
	const struct lt_dvr_finish *finish;

	for (service = dvr->services; service != NULL; service = service->hh.next) {
		if (service->lane != NULL) {
			cJSON_AddItemToArray(list,
					describe(service->lane, service->manifest, "recording"));
		}
	}
	DL_FOREACH(dvr->finishing, finish) {
		cJSON_AddItemToArray(list, describe(finish->lane, NULL, "finishing"));
	}
	return list;
}
