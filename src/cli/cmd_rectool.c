/* livetimingctl rectool: looking into recordings. See cmd_rectool_edit.c for changing them. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/text.h"
#include "store/entries.h"

#define LOCAL_TIME_MAX 64

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

/* --- inspect --- */

struct summary {
	size_t keys, differences;
	int64_t first_s, last_s;
	cJSON *manifest; /* startTime is that of the first frame, as for every reader */
};

static void local_time(int64_t time_s, char buf[LOCAL_TIME_MAX])
{
	time_t seconds = (time_t)time_s;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
			strftime(buf, LOCAL_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0) {
		snprintf(buf, LOCAL_TIME_MAX, "@%" PRId64, time_s);
	}
}

static bool summarise(const struct lt_recording *recording, const char *path, struct summary *ret,
		struct lt_err *err)
{
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };

	if (!lt_entries_open(path, &entries, err)) {
		return lt_err_prefix(err, "recording %s", path);
	}
	*ret = (struct summary){
		.first_s = lt_recording_first(recording),
		.last_s = lt_recording_last(recording),
		.manifest = cJSON_Duplicate(lt_recording_manifest(recording), true),
	};
	for (size_t i = 0; i < entries.count; i++) {
		const struct lt_entry_frame *frame = &entries.frames[i];

		ret->keys += frame->is_key && !frame->is_hidden;
		ret->differences += !frame->is_key && !frame->is_hidden;
	}
	lt_json_set_take(ret->manifest, "startTime", lt_json_new_int(ret->first_s));
	return true;
}

static void print_text_member(struct lt_cli *cli, const cJSON *manifest, const char *key)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_cli_member(manifest, key));

	fputs(clean, cli->out);
}

static void print_summary(struct lt_cli *cli, const struct summary *summary)
{
	LT_AUTO(lt_buf_finish) struct lt_buf duration = { 0 };
	char start[LOCAL_TIME_MAX];

	fputs("##########\n", cli->out);
	print_text_member(cli, summary->manifest, "description");
	fputs("\n##########\nService: ", cli->out);
	print_text_member(cli, summary->manifest, "name");
	fputs(" (", cli->out);
	print_text_member(cli, summary->manifest, "uuid");
	lt_json_write_double(&duration, (double)(summary->last_s - summary->first_s));
	local_time(summary->first_s, start);
	fprintf(cli->out,
			")\n%zu frames (%zuk/%zui), %s duration\nStart time: %s\nFull manifest:\n",
			summary->keys + summary->differences, summary->keys, summary->differences,
			duration.p, start);
	lt_cli_print_json(cli, summary->manifest);
}

static void print_summary_json(struct lt_cli *cli, const char *path, struct summary *summary)
{
	LT_AUTO(cJSON_Delete) cJSON *result = cJSON_CreateObject();

	lt_json_add_c(result, "file", path);
	lt_json_add_int(result, "frames", (int64_t)(summary->keys + summary->differences));
	lt_json_add_int(result, "keyFrames", (int64_t)summary->keys);
	lt_json_add_int(result, "differenceFrames", (int64_t)summary->differences);
	lt_json_add_int(result, "startTime", summary->first_s);
	lt_json_add_int(result, "duration", summary->last_s - summary->first_s);
	lt_json_set_take(result, "manifest", LT_STEAL(summary->manifest));
	lt_cli_print_json(cli, result);
}

int lt_cmd_rectool_inspect(struct lt_cli *cli, int argc, char **argv)
{
	static const struct lt_cli_option options[] = { { 0 } };
	struct lt_cli_words words = { argc, argv };
	struct summary summary = { 0 };
	struct lt_err err;

	if (!lt_cli_options(cli, lt_cli_find("rectool", "inspect"), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_cli_open_recording(cli, words.argv[0]);
	if (!recording) {
		return LT_EXIT_REFUSED;
	}
	if (!summarise(recording, words.argv[0], &summary, &err)) {
		return lt_cli_fail(cli, &err);
	}
	if (cli->is_json) {
		print_summary_json(cli, words.argv[0], &summary);
	} else {
		print_summary(cli, &summary);
	}
	cJSON_Delete(summary.manifest);
	return LT_EXIT_DONE;
}

/* --- show --- */

int lt_cmd_rectool_show(struct lt_cli *cli, int argc, char **argv)
{
	static const struct lt_cli_option options[] = { { 0 } };
	struct lt_cli_words words = { argc, argv };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err;
	int64_t time_s;

	if (!lt_cli_options(cli, lt_cli_find("rectool", "show"), &words, options, 2, 2)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_cli_open_recording(cli, words.argv[0]);
	if (!recording) {
		return LT_EXIT_REFUSED;
	}
	if (!lt_cli_parse_moment(cli, words.argv[1], lt_recording_first(recording), &time_s)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(cJSON_Delete) cJSON *state = lt_recording_state_at(recording, time_s, &err);
	if (!state) {
		lt_err_prefix(&err, "recording %s", words.argv[0]);
		return lt_cli_fail(cli, &err);
	}
	lt_json_print(&text, state, LT_JSON_SPACED);
	fprintf(cli->out, "%s\n", text.p);
	return LT_EXIT_DONE;
}
