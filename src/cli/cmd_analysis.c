/* livetimingctl analysis: the analysis of a recording, without a daemon. */
#include <inttypes.h>

#include "base/alloc.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "store/recording_analysis.h"

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

static void print_losses(struct lt_cli *cli, const struct lt_recording_losses *losses)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(losses->first.msg));

	if (losses->count > 0) {
		fprintf(cli->err, "%s: %zu frames were left out; the first, @%" PRId64 ": %s\n",
				cli->program, losses->count, losses->first_s, clean);
	}
}

static int analyse(struct lt_cli *cli, struct lt_recording *recording, const char *path,
		struct lt_cli_output *output)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_cli_progress progress;
	struct lt_recording_losses losses;
	struct lt_err err = { 0 };
	bool ok;

	lt_cli_progress_init(&progress, cli, "analysing");
	ok = lt_recording_analyse(recording, lt_cli_progress_tick, &progress, &text, &losses, &err);
	lt_cli_progress_finish(&progress);
	if (!ok) {
		lt_cli_output_abandon(output);
		lt_err_prefix(&err, "recording %s", path);
		return lt_cli_fail(cli, &err);
	}
	print_losses(cli, &losses);
	if (!output->path) {
		lt_buf_add_char(&text, '\n');
	}
	fwrite(text.p, 1, text.n, output->file);
	return lt_cli_output_commit(output, &err) ? LT_EXIT_DONE : lt_cli_fail_output(cli, &err);
}

int lt_cmd_analysis(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	const char *path = NULL;
	bool force = false;
	struct lt_cli_output output;
	struct lt_err err = { 0 };
	const struct lt_cli_option options[] = {
		{ "output", 'o', NULL, &path },
		{ "force", 'f', &force, NULL },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("analysis", NULL), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_cli_open_recording(cli, words.argv[0]);
	if (!recording) {
		return LT_EXIT_REFUSED;
	}
	if (!lt_cli_output_open(cli, path, force, &output, &err)) {
		return lt_cli_fail_output(cli, &err);
	}
	return analyse(cli, recording, words.argv[0], &output);
}
