/* livetimingctl rectool set, clip, convert, repair: recordings from recordings. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "store/recording_edit.h"
#include "store/salvage.h"

#define MANIFEST_MAX_BYTES ((size_t)16 * 1024 * 1024)

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

/* What clip, convert and repair have in common. */
struct output_options {
	const char *path; /* -o */
	bool force;
};

/* {"output": path} and what `result` has besides; owned by the call. */
static void print_result_take(struct lt_cli *cli, const char *path, cJSON *result)
{
	lt_json_add_c(result, "output", path);
	lt_cli_print_json(cli, result);
	cJSON_Delete(result);
}

/* --- set --- */

/* A text, or with --json-value whatever it is. NULL: the error was printed. */
static cJSON *parse_value(struct lt_cli *cli, const char *word, bool is_json)
{
	struct lt_str text = lt_str_from(word);
	struct lt_err err;
	cJSON *value;

	if (!lt_utf8_valid(text)) {
		lt_cli_usage_error(cli, "set: the value is not UTF-8");
		return NULL;
	}
	if (!is_json) {
		return lt_json_new_str(text);
	}
	value = lt_json_parse(text, &err);
	if (!value) {
		lt_cli_usage_error(cli, "set: the value is no JSON: %s", err.msg);
	}
	return value;
}

int lt_cmd_rectool_set(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	bool is_json = false, ok;
	struct lt_err err;
	char *path;
	cJSON *value;
	const struct lt_cli_option options[] = {
		{ "json-value", '\0', &is_json, NULL },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("rectool", "set"), &words, options, 3, 3)) {
		return LT_EXIT_USAGE;
	}
	if (!words.argv[1][0] || !lt_utf8_valid(lt_str_from(words.argv[1]))) {
		return lt_cli_usage_error(cli, "set: the key is empty or not UTF-8");
	}
	value = parse_value(cli, words.argv[2], is_json);
	if (!value) {
		return LT_EXIT_USAGE;
	}
	/* A link stays one: its target is replaced. */
	path = realpath(words.argv[0], NULL);
	ok = lt_recording_set_take(path ? path : words.argv[0], words.argv[1], value, &err);
	free(path);
	return ok ? LT_EXIT_DONE : lt_cli_fail(cli, &err);
}

/* --- clip --- */

static int clip(struct lt_cli *cli, const struct lt_cli_words *words,
		const struct output_options *output, struct lt_recording *recording)
{
	int64_t start_s = lt_recording_first(recording), first_s = start_s, end_s = INT64_MAX;
	LT_AUTO(lt_free)
	char *path = output->path ? lt_strdup(output->path)
				  : lt_cli_beside(words->argv[0], "_clip.zip");
	struct lt_cli_progress progress;
	struct lt_err err;
	bool ok;

	if ((words->argc > 1 && !lt_cli_parse_moment(cli, words->argv[1], first_s, &start_s)) ||
			(words->argc > 2 &&
					!lt_cli_parse_moment(
							cli, words->argv[2], first_s, &end_s))) {
		return LT_EXIT_USAGE;
	}
	lt_cli_progress_init(&progress, cli, "clipping");
	ok = lt_recording_clip(
			&(struct lt_edit_opts){
					.in_path = words->argv[0],
					.out_path = path,
					.replace = output->force,
					.progress = lt_cli_progress_tick,
					.arg = &progress,
			},
			start_s, end_s, &err);
	lt_cli_progress_finish(&progress);
	if (!ok) {
		return lt_cli_fail_output(cli, &err);
	}
	if (cli->is_json) {
		print_result_take(cli, path, cJSON_CreateObject());
	}
	return LT_EXIT_DONE;
}

int lt_cmd_rectool_clip(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	struct output_options output = { 0 };
	const struct lt_cli_option options[] = {
		{ "output", 'o', NULL, &output.path },
		{ "force", 'f', &output.force, NULL },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("rectool", "clip"), &words, options, 1, 3)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_cli_open_recording(cli, words.argv[0]);
	return recording ? clip(cli, &words, &output, recording) : LT_EXIT_REFUSED;
}

/* --- convert --- */

/* Each frame's number and the time that it becomes, key frames first. */
static void print_frames(struct lt_cli *cli, const struct lt_entries *entries, int64_t start_s)
{
	for (int keys = 1; keys >= 0; keys--) {
		for (size_t i = 0; i < entries->count; i++) {
			const struct lt_entry_frame *frame = &entries->frames[i];
			const char *mark = frame->is_key ? "" : "i";

			if (frame->is_key == (keys == 1) && !frame->is_hidden) {
				fprintf(cli->out, "%" PRId64 "%s => %" PRId64 "%s\n", frame->time_s,
						mark, start_s + frame->time_s, mark);
			}
		}
	}
}

static void print_conversion(struct lt_cli *cli, const struct lt_entries *entries, int64_t start_s,
		enum lt_start_source source, const char *path)
{
	cJSON *result;

	if (cli->is_json) {
		result = cJSON_CreateObject();
		lt_json_add_int(result, "startTime", start_s);
		lt_json_add_bool(result, "startTimeFromManifest", source == LT_START_MANIFEST);
		lt_json_add_int(result, "frames", (int64_t)entries->count);
		print_result_take(cli, path, result);
		return;
	}
	fprintf(cli->out,
			source == LT_START_MANIFEST
					? "Start time in the manifest is %" PRId64 ".0\n"
					: "Start time not available, inferring from first keyframe as %" PRId64
					  ".0\n",
			start_s);
	print_frames(cli, entries, start_s);
}

static bool convert(struct lt_cli *cli, const char *in_path, const char *start_word,
		const struct output_options *output, struct lt_err *err)
{
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	LT_AUTO(lt_free)
	char *path = output->path ? lt_strdup(output->path) : lt_cli_beside(in_path, "_conv.zip");
	enum lt_start_source source = LT_START_ARCHIVE;
	struct lt_cli_progress progress;
	int64_t start_s;
	bool ok;

	manifest = lt_entries_open(in_path, &entries, err) ? lt_entries_manifest(&entries, err)
							   : NULL;
	if (!manifest || !lt_convert_start(&entries, manifest, &start_s, &source, err)) {
		return lt_err_prefix(err, "recording %s", in_path);
	}
	if (start_word &&
			!lt_parse_i64(lt_str_from(start_word), 0, LT_FRAME_TIME_MAX, &start_s,
					err)) {
		return lt_err_prefix(err, "--start");
	}
	lt_cli_progress_init(&progress, cli, "converting");
	ok = lt_convert(&(struct lt_edit_opts){ in_path, path, output->force, lt_cli_progress_tick,
					&progress },
			&entries, manifest, start_s, err);
	lt_cli_progress_finish(&progress);
	if (ok) {
		print_conversion(cli, &entries, start_s, source, path);
	}
	return ok;
}

int lt_cmd_rectool_convert(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	struct output_options output = { 0 };
	const char *start = NULL;
	struct lt_err err;
	const struct lt_cli_option options[] = {
		{ "output", 'o', NULL, &output.path },
		{ "force", 'f', &output.force, NULL },
		{ "start", '\0', NULL, &start },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("rectool", "convert"), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	return convert(cli, words.argv[0], start, &output, &err) ? LT_EXIT_DONE
								 : lt_cli_fail_output(cli, &err);
}

/* --- repair --- */

struct repair {
	struct lt_cli *cli;
	struct lt_cli_progress progress;
	cJSON *losses; /* -j */
};

static void tell_loss(void *arg, const char *where, const char *what)
{
	struct repair *repair = arg;
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(what));
	cJSON *loss;

	if (repair->losses) {
		loss = cJSON_CreateObject();
		lt_json_add_c(loss, "entry", where);
		lt_json_add_c(loss, "problem", what);
		cJSON_AddItemToArray(repair->losses, loss);
		return;
	}
	fprintf(repair->cli->out, "lost %s: %s\n", where, clean);
}

static bool repair_tick(void *arg, size_t done, size_t total)
{
	struct repair *repair = arg;

	return lt_cli_progress_tick(&repair->progress, done, total);
}

static void print_repair(
		struct repair *repair, const struct lt_salvage_report *report, const char *path)
{
	static const char *const sources[] = {
		[LT_MANIFEST_FOUND] = "found",
		[LT_MANIFEST_GIVEN] = "given",
		[LT_MANIFEST_MADE] = "made",
	};
	struct lt_cli *cli = repair->cli;

	if (cli->is_json) {
		cJSON *result = cJSON_CreateObject();

		lt_json_add_int(result, "kept", (int64_t)report->kept);
		lt_json_add_int(result, "lost", (int64_t)report->lost);
		lt_json_add_c(result, "manifest", sources[report->manifest]);
		lt_json_set_take(result, "losses", LT_STEAL(repair->losses));
		print_result_take(cli, path, result);
		return;
	}
	if (report->manifest == LT_MANIFEST_MADE) {
		fputs("no manifest was found: the new one has no names and no columns;\n"
		      "--manifest FILE puts in another, of a recording of the same service\n",
				cli->out);
	}
	fprintf(cli->out, "%s: %zu frames saved, %zu lost\n", path, report->kept, report->lost);
}

/* The manifest of --manifest: a file of its JSON, or a recording. */
static bool read_manifest(const char *path, cJSON **ret_manifest, struct lt_err *err)
{
	LT_AUTO(lt_recording_close) struct lt_recording *recording = NULL;
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;

	if (lt_str_ends(lt_str_from(path), LT_STR(".zip"))) {
		recording = lt_recording_open(path, err);
		*ret_manifest = recording ? cJSON_Duplicate(lt_recording_manifest(recording), true)
					  : NULL;
		return recording != NULL;
	}
	manifest = lt_json_parse_file(path, MANIFEST_MAX_BYTES, err);
	if (!manifest) {
		return false;
	}
	if (!cJSON_IsObject(manifest)) {
		return lt_err_set(err, LT_E_FORMAT, "%s: not an object", path);
	}
	*ret_manifest = LT_STEAL(manifest);
	return true;
}

int lt_cmd_rectool_repair(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	struct output_options output = { 0 };
	const char *manifest_path = NULL;
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	struct lt_salvage_report report;
	struct repair repair = { .cli = cli };
	struct lt_err err;
	bool ok;
	const struct lt_cli_option options[] = {
		{ "output", 'o', NULL, &output.path },
		{ "force", 'f', &output.force, NULL },
		{ "manifest", '\0', NULL, &manifest_path },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("rectool", "repair"), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	if (manifest_path && !read_manifest(manifest_path, &manifest, &err)) {
		return lt_cli_fail(cli, &err);
	}
	LT_AUTO(lt_free)
	char *path = output.path ? lt_strdup(output.path)
				 : lt_cli_beside(words.argv[0], "_repaired.zip");
	repair.losses = cli->is_json ? cJSON_CreateArray() : NULL;
	lt_cli_progress_init(&repair.progress, cli, "repairing");
	ok = lt_salvage(&(struct lt_salvage_opts){ words.argv[0], path, output.force, manifest,
					tell_loss, repair_tick, &repair },
			&report, &err);
	lt_cli_progress_finish(&repair.progress);
	if (ok) {
		print_repair(&repair, &report, path);
	}
	cJSON_Delete(repair.losses);
	return ok ? LT_EXIT_DONE : lt_cli_fail_output(cli, &err);
}
