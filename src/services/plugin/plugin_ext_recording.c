/* "lt.recording/1": states of a recording, opened and read on workers. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "race/column.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"
#include "store/recording.h"

/* What a worker has in hand: opening (time_s unset) or one state. */
struct job {
	struct recording *owner; /* NULL: closed meanwhile; then the job owns `recording` */
	char *path;
	struct lt_recording *recording;
	int64_t time_s;
	cJSON *state;
	struct lt_buf text;
	struct lt_err err;
};

struct recording {
	struct lt_resource resource;
	struct lt_recording_opts opts;
	char *path;
	struct lt_recording *recording; /* NULL until opened */
	const int64_t *times;
	size_t frames;
	struct job *job; /* in flight; it alone touches `recording` */
	cJSON *state;    /* inside opts->state */
};

static void free_job(struct job *job)
{
	if (job->owner == NULL) {
		lt_recording_close(job->recording);
	}
	cJSON_Delete(job->state);
	lt_buf_finish(&job->text);
	lt_free(job->path);
	lt_free(job);
}

static void close_recording(struct lt_resource *resource)
{
	struct recording *recording = lt_container_of(resource, struct recording, resource);

	if (recording->job != NULL) {
		recording->job->owner = NULL;
	} else {
		lt_recording_close(recording->recording);
	}
	recording->recording = NULL;
}

static void free_recording(struct lt_resource *resource)
{
	struct recording *recording = lt_container_of(resource, struct recording, resource);

	cJSON_Delete(recording->state);
	lt_free(recording->path);
	lt_free(recording);
}

static struct job *new_job(struct recording *recording)
{
	struct job *job = lt_zalloc(sizeof(*job));

	job->owner = recording;
	job->path = lt_strdup(recording->path);
	job->recording = recording->recording;
	recording->job = job;
	return job;
}

static void open_work(void *arg)
{
	struct job *job = arg;

	job->recording = lt_recording_open(job->path, &job->err);
	if (job->recording != NULL) {
		lt_json_print(&job->text, lt_recording_manifest(job->recording), LT_JSON_UTF8);
	}
}

static void tell_opened(struct recording *recording, struct job *job)
{
	struct lt_recording_info info = { .size = sizeof(info),
		.frames = (uint32_t)recording->frames,
		.manifest_json = lt_buf_str(&job->text),
		.first_s = lt_recording_first(recording->recording),
		.last_s = lt_recording_last(recording->recording) };
	struct lt_host_call call;

	if (lt_host_enter(recording->resource.host, "opened", &call)) {
		recording->opts.opened(recording->opts.arg, &info);
		lt_host_leave(&call);
	}
}

static void open_done(void *arg)
{
	struct job *job = arg;
	struct recording *recording = job->owner;

	if (recording == NULL) {
		free_job(job);
		return;
	}
	recording->job = NULL;
	recording->recording = job->recording;
	if (job->recording == NULL) {
		lt_host_fail_err(recording->resource.host, &job->err);
	} else {
		recording->times = lt_recording_times(job->recording, &recording->frames);
		tell_opened(recording, job);
	}
	job->recording = NULL; /* the owner has it, or closed it in the call */
	free_job(job);
}

static void state_work(void *arg)
{
	struct job *job = arg;

	job->state = lt_recording_state_at(job->recording, job->time_s, &job->err);
	if (job->state != NULL) {
		lt_json_print(&job->text, job->state, LT_JSON_UTF8);
	} else {
		lt_err_prefix(&job->err, "recording %.100s", job->path);
	}
}

static void state_done(void *arg)
{
	struct job *job = arg;
	struct recording *recording = job->owner;
	struct lt_host_call call;

	if (recording == NULL) {
		free_job(job);
		return;
	}
	recording->job = NULL;
	job->recording = NULL;
	if (job->state == NULL) {
		lt_host_fail_err(recording->resource.host, &job->err);
	} else if (lt_host_enter(recording->resource.host, "state", &call)) {
		recording->state = LT_STEAL(job->state);
		recording->opts.state(recording->opts.arg, job->time_s, lt_buf_str(&job->text));
		lt_host_leave(&call);
		cJSON_Delete(LT_STEAL(
				recording->state)); /* memory of a closed one stays this turn */
	}
	free_job(job);
}

static void *recording_open(struct lt_host *host, const struct lt_recording_opts *theirs)
{
	struct recording *recording = lt_zalloc(sizeof(*recording));

	lt_copy_sized(&recording->opts, sizeof(recording->opts), theirs);
	recording->path = lt_strdup(recording->opts.path ? recording->opts.path : "");
	recording->resource.close = close_recording;
	recording->resource.free = free_recording;
	lt_resource_add(host, &recording->resource);
	lt_loop_work(host->env.loop, open_work, open_done, new_job(recording));
	return recording;
}

static int64_t recording_next_time(void *handle, int64_t time_s)
{
	struct recording *recording = lt_resource_check(handle, close_recording);
	size_t low = 0, high = recording ? recording->frames : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (recording->times[middle] < time_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return recording != NULL && low < recording->frames ? recording->times[low] : INT64_MAX;
}

static int32_t recording_request(void *handle, int64_t time_s)
{
	struct recording *recording = lt_resource_check(handle, close_recording);

	if (recording == NULL || recording->recording == NULL || recording->job != NULL) {
		return -1;
	}
	struct job *job = new_job(recording);

	job->time_s = time_s;
	lt_loop_work(recording->resource.host->env.loop, state_work, state_done, job);
	return 0;
}

static int32_t recording_publish(void *handle)
{
	struct recording *recording = lt_resource_check(handle, close_recording);
	struct lt_err err = { 0 };

	if (recording == NULL || recording->state == NULL) {
		return -1;
	}
	struct lt_host *host = recording->resource.host;

	if (!host->env.owner->replace_take(host->env.owner_arg, LT_STEAL(recording->state), &err)) {
		lt_log(&host->env.log, LT_WARN, "state of the recording left out", "reason=\"%s\"",
				err.msg);
		return -1;
	}
	return 0;
}

/* Members of the manifest that describe a feed; what is missing gets a value that is legal. */
static cJSON *description_of(const cJSON *manifest)
{
	static const struct {
		const char *key, *fallback;
	} members[] = {
		{ "name", "\"\"" },
		{ "description", "\"\"" },
		{ "colSpec", "[]" },
		{ "trackDataSpec", "[]" },
		{ "pollInterval", "1" },
		{ "source", NULL },
	};
	cJSON *description = cJSON_CreateObject();

	for (size_t i = 0; i < LT_ARRAY_LEN(members); i++) {
		const cJSON *value = lt_json_get(manifest, members[i].key);

		if (value != NULL) {
			lt_json_set_take(description, members[i].key, cJSON_Duplicate(value, true));
		} else if (members[i].fallback != NULL) {
			lt_json_set_take(description, members[i].key,
					lt_json_parse(lt_str_from(members[i].fallback), NULL));
		}
	}
	return description;
}

static int32_t recording_describe(void *handle)
{
	struct recording *recording = lt_resource_check(handle, close_recording);
	struct lt_err err = { 0 };

	if (recording == NULL || recording->recording == NULL) {
		return -1;
	}
	cJSON *description = description_of(lt_recording_manifest(recording->recording));

	if (!lt_col_spec_check(lt_json_get(description, "colSpec"), &err)) {
		cJSON_Delete(description);
		lt_err_prefix(&err, "recording %.100s: colSpec", recording->path);
		lt_host_fail_err(recording->resource.host, &err);
		return -1;
	}
	lt_host_set_description_take(recording->resource.host, description);
	return 0;
}

static void recording_close(void *handle)
{
	struct recording *recording = lt_resource_check(handle, close_recording);

	if (recording != NULL) {
		lt_resource_close(&recording->resource);
	}
}

const struct lt_recording_ext lt_host_recording_ext = { .size = sizeof(lt_host_recording_ext),
	.open = recording_open,
	.next_time = recording_next_time,
	.request = recording_request,
	.publish = recording_publish,
	.close = recording_close,
	.describe = recording_describe };
