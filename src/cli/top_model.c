#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cli/top.h"

void lt_top_sample_finish(struct lt_top_sample *sample)
{
	cJSON_Delete(sample->status);
	cJSON_Delete(sample->services);
	cJSON_Delete(sample->listed);
	cJSON_Delete(sample->recordings);
	cJSON_Delete(sample->schedule);
	*sample = (struct lt_top_sample){ 0 };
}

/* --- rates --- */

static double elapsed_s(const struct lt_top_sample *before, const struct lt_top_sample *now)
{
	return (double)(now->at_us - before->at_us) / LT_US_PER_S;
}

/* Counters begin anew with each process. */
static bool is_same_process(const struct lt_top_sample *before, const struct lt_top_sample *now)
{
	return before->status && now->status && now->at_us > before->at_us &&
			lt_cli_number(before->status, "pid") == lt_cli_number(now->status, "pid");
}

static int64_t number_at(const cJSON *json, const char *path)
{
	const char *dot = strchr(path, '.');
	char part[32];

	if (!dot || (size_t)(dot - path) >= sizeof(part)) {
		return lt_cli_number(json, path);
	}
	memcpy(part, path, (size_t)(dot - path));
	part[dot - path] = '\0';
	return lt_cli_number(lt_json_get(json, part), dot + 1);
}

static double rate_of(
		const struct lt_top_sample *before, const struct lt_top_sample *now, int64_t growth)
{
	return growth > 0 ? (double)growth / elapsed_s(before, now) : 0;
}

double lt_top_rate(const struct lt_top_sample *before, const struct lt_top_sample *now,
		const char *path)
{
	if (!is_same_process(before, now)) {
		return 0;
	}
	return rate_of(before, now, number_at(now->status, path) - number_at(before->status, path));
}

static const cJSON *find(const cJSON *list, struct lt_str uuid)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		if (lt_str_eq(lt_cli_member(item, "uuid"), uuid)) {
			return item;
		}
	}
	return NULL;
}

double lt_top_service_rate(const struct lt_top_sample *before, const struct lt_top_sample *now,
		struct lt_str uuid)
{
	const cJSON *then = find(before->services, uuid), *service = find(now->services, uuid);

	if (!is_same_process(before, now) || !then || !service) {
		return 0;
	}
	return rate_of(before, now,
			lt_cli_number(service, "updates") - lt_cli_number(then, "updates"));
}

/* Turns in bucket i of the loop's delays; ret_bound 0: it has none. */
static int64_t bucket(const cJSON *lag, int i, int64_t *ret_bound)
{
	const cJSON *pair = cJSON_GetArrayItem(lag, i);
	const cJSON *bound = cJSON_GetArrayItem(pair, 0), *turns = cJSON_GetArrayItem(pair, 1);

	*ret_bound = cJSON_IsNumber(bound) ? (int64_t)bound->valuedouble : 0;
	return cJSON_IsNumber(turns) ? (int64_t)turns->valuedouble : 0;
}

int64_t lt_top_loop_p99(const struct lt_top_sample *before, const struct lt_top_sample *now)
{
	const cJSON *lag = lt_json_get(lt_json_get(now->status, "loop"), "lag");
	const cJSON *old = is_same_process(before, now)
			? lt_json_get(lt_json_get(before->status, "loop"), "lag")
			: NULL;
	int buckets = cJSON_GetArraySize(lag);
	int64_t all = 0, seen = 0, bound;

	for (int i = 0; i < buckets; i++) {
		all += bucket(lag, i, &bound) - bucket(old, i, &bound);
	}
	if (all <= 0) {
		return -1;
	}
	for (int i = 0; i < buckets; i++) {
		seen -= bucket(old, i, &bound);
		seen += bucket(lag, i, &bound);
		if (seen * 100 >= all * 99) {
			return bound;
		}
	}
	return 0;
}

/* --- services --- */

static void note_recording(const struct lt_top_sample *sample, struct lt_top_service *service)
{
	const cJSON *recording = find(lt_json_get(sample->recordings, "inProgress"), service->uuid);

	service->is_recorded = recording != NULL;
	service->is_recording_failing =
			recording && lt_str_eq_c(lt_cli_member(recording, "status"), "failing");
}

static void fill_own(
		const struct lt_top_sample *sample, const cJSON *item, struct lt_top_service *ret)
{
	int64_t updated_ms = lt_cli_number(item, "lastUpdated");

	*ret = (struct lt_top_service){
		.uuid = lt_cli_member(item, "uuid"),
		.class_name = lt_cli_member(item, "serviceClass"),
		.name = lt_cli_member(item, "name"),
		.description = lt_cli_member(item, "description"),
		.status = lt_cli_member(item, "status"),
		.reason = lt_cli_member(item, "reason"),
		.flag = lt_cli_member(item, "flag"),
		.age_ms = updated_ms > 0 ? LT_MAX(sample->now_ms - updated_ms, INT64_C(0)) : -1,
		.cars = lt_cli_number(item, "cars"),
		.is_stale = cJSON_IsTrue(lt_json_get(item, "stale")),
	};
	ret->is_failed = lt_str_eq_c(ret->status, "failed");
	if (ret->is_stale && !ret->is_failed) {
		ret->status = LT_STR("silent");
		ret->reason = lt_cli_member(item, "staleReason");
	}
}

static void fill_foreign(const cJSON *item, struct lt_top_service *ret)
{
	const cJSON *age = lt_json_get(item, "age_ms");

	*ret = (struct lt_top_service){
		.uuid = lt_cli_member(item, "uuid"),
		.name = lt_cli_member(item, "name"),
		.description = lt_cli_member(item, "description"),
		.status = LT_STR("remote"),
		.age_ms = cJSON_IsNumber(age) ? (int64_t)age->valuedouble : -1,
		.cars = -1,
		.is_foreign = true,
	};
}

size_t lt_top_services(const struct lt_top_sample *sample, struct lt_top_service **ret)
{
	size_t n = 0,
	       room = (size_t)cJSON_GetArraySize(sample->services) +
			(size_t)cJSON_GetArraySize(sample->listed);
	struct lt_top_service *services = lt_calloc(room + 1, sizeof(*services));
	const cJSON *item;

	cJSON_ArrayForEach(item, sample->services) {
		fill_own(sample, item, &services[n]);
		note_recording(sample, &services[n++]);
	}
	cJSON_ArrayForEach(item, sample->listed) {
		if (!find(sample->services, lt_cli_member(item, "uuid"))) {
			fill_foreign(item, &services[n]);
			note_recording(sample, &services[n++]);
		}
	}
	*ret = services;
	return n;
}
