/* livetimingctl rectool scan: when something first happens in a recording. */
#include <inttypes.h>

#include "base/alloc.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "race/dictdiff.h"

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

/* What is compared with the first state, in this order. */
static const struct {
	const char *key, *word;
} scanned[] = {
	{ "session", "session" },
	{ "messages", "message" },
	{ "cars", "car" },
};

struct scan {
	struct lt_cli *cli;
	struct lt_recording *recording;
	cJSON *first;
	int64_t first_s, last_s, step_s;
	size_t found;
	bool is_found[LT_ARRAY_LEN(scanned)];
	cJSON *result; /* -j */
};

static void print_change_take(struct scan *scan, size_t which, int64_t time_s, cJSON *diff)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (scan->cli->is_json) {
		cJSON *change = cJSON_CreateObject();

		lt_json_add_int(change, "time", time_s);
		lt_json_set_take(change, "difference", diff);
		lt_json_set_take(scan->result, scanned[which].key, change);
		return;
	}
	lt_json_print(&text, diff, LT_JSON_SPACED);
	fprintf(scan->cli->out, "\nFirst %s change at %" PRId64 " (@%" PRId64 ")\n%s\n",
			scanned[which].word, time_s - scan->first_s, time_s, text.p);
	cJSON_Delete(diff);
}

static void compare(struct scan *scan, int64_t time_s, const cJSON *state)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(scanned); i++) {
		const cJSON *old = lt_json_get(scan->first, scanned[i].key);
		const cJSON *now = lt_json_get(state, scanned[i].key);

		if (scan->is_found[i] || !old || !now || lt_json_equal(old, now)) {
			continue;
		}
		cJSON *diff = lt_dictdiff_make(old, now);
		if (!diff->child) {
			cJSON_Delete(diff); /* equal but for rounding */
			continue;
		}
		scan->is_found[i] = true;
		scan->found++;
		print_change_take(scan, i, time_s, diff);
	}
}

/* In steps of the poll interval, as the service made them; a state is looked at once. */
static bool walk(struct scan *scan, struct lt_cli_progress *progress, struct lt_err *err)
{
	size_t count, at = 0, looked_at = SIZE_MAX;
	const int64_t *times = lt_recording_times(scan->recording, &count);

	for (int64_t time_s = scan->first_s;
			time_s <= scan->last_s && scan->found < LT_ARRAY_LEN(scanned);
			time_s += scan->step_s) {
		while (at + 1 < count && times[at + 1] <= time_s) {
			at++;
		}
		if (at != looked_at) {
			const cJSON *state = lt_recording_frame(scan->recording, at, err);

			if (!state) {
				return false;
			}
			compare(scan, time_s, state);
			looked_at = at;
		}
		if (!lt_cli_progress_tick(progress, (size_t)(time_s - scan->first_s),
				    (size_t)(scan->last_s - scan->first_s))) {
			return lt_err_set(err, LT_E_UNAVAILABLE, "interrupted");
		}
	}
	return true;
}

static int64_t poll_interval(const cJSON *manifest)
{
	const cJSON *interval = lt_json_get(manifest, "pollInterval");

	return cJSON_IsNumber(interval) && interval->valuedouble >= 1 &&
					interval->valuedouble <= (double)INT32_MAX
			? (int64_t)interval->valuedouble
			: 1;
}

static int run(struct scan *scan, const char *path)
{
	struct lt_cli_progress progress;
	struct lt_err err;
	bool ok;

	if (scan->cli->is_json) {
		scan->result = cJSON_CreateObject();
		lt_json_add_int(scan->result, "first", scan->first_s);
	} else {
		fprintf(scan->cli->out, "First frame: %" PRId64 "\n", scan->first_s);
	}
	lt_cli_progress_init(&progress, scan->cli, "scanning");
	ok = walk(scan, &progress, &err);
	lt_cli_progress_finish(&progress);
	if (!ok) {
		lt_err_prefix(&err, "recording %s", path);
		return lt_cli_fail(scan->cli, &err);
	}
	if (scan->cli->is_json) {
		lt_cli_print_json(scan->cli, scan->result);
	}
	return LT_EXIT_DONE;
}

int lt_cmd_rectool_scan(struct lt_cli *cli, int argc, char **argv)
{
	static const struct lt_cli_option options[] = { { 0 } };
	struct lt_cli_words words = { argc, argv };
	struct scan scan = { .cli = cli };
	struct lt_err err;
	int status;

	if (!lt_cli_options(cli, lt_cli_find("rectool", "scan"), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_cli_open_recording(cli, words.argv[0]);
	if (!recording) {
		return LT_EXIT_REFUSED;
	}
	scan.recording = recording;
	scan.first_s = lt_recording_first(recording);
	scan.last_s = lt_recording_last(recording);
	scan.step_s = poll_interval(lt_recording_manifest(recording));
	scan.first = lt_recording_state_at(recording, scan.first_s, &err);
	if (!scan.first) {
		lt_err_prefix(&err, "recording %s", words.argv[0]);
		return lt_cli_fail(cli, &err);
	}
	status = run(&scan, words.argv[0]);
	cJSON_Delete(scan.first);
	cJSON_Delete(scan.result);
	return status;
}
