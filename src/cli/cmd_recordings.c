/* livetimingctl recordings index: index.json of a directory, without a daemon. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/conf.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "store/finalise.h"
#include "store/index.h"
#include "store/new_archive.h"
#include "store/recording_analysis.h"

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);
LT_DEFINE_AUTO(struct lt_conf, lt_conf_destroy);

struct indexing {
	struct lt_cli *cli;
	struct lt_cli_progress progress;
	size_t done, all; /* archives; for the bar while one is analysed */
	bool has_stopped;
};

static void tell_problem(void *arg, const char *sentence)
{
	const struct indexing *indexing = arg;
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(sentence));

	fprintf(indexing->cli->err, "%s: %s\n", indexing->cli->program, clean);
}

static bool on_progress(void *arg, size_t done, size_t all)
{
	struct indexing *indexing = arg;

	indexing->done = done;
	indexing->all = all;
	return !indexing->has_stopped && lt_cli_progress_tick(&indexing->progress, done, all);
}

static bool while_analysing(void *arg, size_t done LT_UNUSED, size_t total LT_UNUSED)
{
	struct indexing *indexing = arg;

	indexing->has_stopped =
			!lt_cli_progress_tick(&indexing->progress, indexing->done, indexing->all);
	return !indexing->has_stopped;
}

static bool write_analysis(struct indexing *indexing, const char *recording_path,
		const char *analysis_path, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_recording_open(recording_path, err);

	return recording &&
			lt_recording_analyse(
					recording, while_analysing, indexing, &text, NULL, err) &&
			lt_fileops_replace(&lt_fileops_system, analysis_path, lt_buf_str(&text),
					LT_RECORDING_MODE, err);
}

static bool make_analysis(void *arg, const char *recording_path, const char *analysis_path)
{
	struct indexing *indexing = arg;
	struct lt_err err = { 0 };

	if (write_analysis(indexing, recording_path, analysis_path, &err)) {
		return true;
	}
	if (!indexing->has_stopped) {
		lt_err_prefix(&err, "no analysis");
		tell_problem(indexing, err.msg);
	}
	return false;
}

static const struct lt_conf_key keys[] = {
	{ "LIVETIMING_RECORDINGS_DIR", "./recordings", "finished recordings", false, NULL },
	{ "REINDEX", NULL, "read every recording again", false, NULL },
	{ "GENERATE_ANALYSIS", NULL, "make analysis files", false, NULL },
	{ 0 },
};

static void print_index(struct lt_cli *cli, const cJSON *index, const char *directory)
{
	int count = cJSON_GetArraySize(index);

	if (cli->is_json) {
		lt_cli_print_json(cli, index);
		return;
	}
	fprintf(cli->out, "%s: %d %s\n", directory, count, count == 1 ? "recording" : "recordings");
}

int lt_cmd_recordings_index(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	struct indexing indexing = { .cli = cli };
	LT_AUTO(lt_conf_destroy) struct lt_conf *conf = lt_cli_settings(keys, cli->environment);
	LT_AUTO(cJSON_Delete) cJSON *index = NULL;
	bool reindex = lt_conf_get(conf, "REINDEX") != NULL;
	bool analyse = lt_conf_get(conf, "GENERATE_ANALYSIS") != NULL;
	struct lt_err err = { 0 };
	const struct lt_cli_option options[] = {
		{ "reindex", '\0', &reindex, NULL },
		{ "generate-analysis", '\0', &analyse, NULL },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("recordings", "index"), &words, options, 0, 1)) {
		return LT_EXIT_USAGE;
	}
	const char *directory = words.argc > 0 ? words.argv[0]
					       : lt_conf_get(conf, "LIVETIMING_RECORDINGS_DIR");
	struct lt_index_opts opts = {
		.directory = directory,
		.reindex = reindex,
		.problem = tell_problem,
		.progress = on_progress,
		.make_analysis = analyse ? make_analysis : NULL,
		.arg = &indexing,
	};
	lt_cli_progress_init(&indexing.progress, cli, "indexing");
	index = lt_index_update(&opts, &err);
	lt_cli_progress_finish(&indexing.progress);
	if (!index) {
		return lt_cli_fail(cli, &err);
	}
	print_index(cli, index, directory);
	return LT_EXIT_DONE;
}
