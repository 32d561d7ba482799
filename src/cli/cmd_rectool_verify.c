/* livetimingctl rectool verify: every frame of recordings and journals. */
#include "base/alloc.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "store/verify.h"

#define FILES_MAX 100000

struct verify {
	struct lt_cli *cli;
	struct lt_cli_progress progress;
	const char *path;
	cJSON *problems, *remarks; /* -j */
};

static void tell(const struct verify *verify, cJSON *list, const char *kind, const char *where,
		const char *what)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(what));
	LT_AUTO(lt_free) char *clean_where = lt_cli_clean(lt_str_from(where));

	if (list) {
		cJSON *item = cJSON_CreateObject();

		lt_json_add_c(item, "entry", where);
		lt_json_add_c(item, "problem", what);
		cJSON_AddItemToArray(list, item);
		return;
	}
	fprintf(verify->cli->out, "%s: %s%s%s%s\n", verify->path, kind, clean_where,
			*where ? ": " : "", clean);
}

static void on_problem(void *arg, const char *where, const char *what)
{
	const struct verify *verify = arg;

	tell(verify, verify->problems, "", where, what);
}

static void on_remark(void *arg, const char *where, const char *what)
{
	const struct verify *verify = arg;

	tell(verify, verify->remarks, "remark: ", where, what);
}

static bool on_progress(void *arg, size_t done, size_t total)
{
	struct verify *verify = arg;

	return lt_cli_progress_tick(&verify->progress, done, total);
}

static void print_report(const struct verify *verify, const struct lt_verify_report *report)
{
	FILE *out = verify->cli->out;

	fprintf(out, "%s: %zu frames (%zu key frames): ", verify->path, report->frames,
			report->keys);
	if (report->problems == 0) {
		fputs("all right\n", out);
		return;
	}
	fprintf(out, "%zu %s", report->problems, report->problems == 1 ? "problem" : "problems");
	if (report->unchecked > 0) {
		fprintf(out, ", %zu differences cannot be applied", report->unchecked);
	}
	fputc('\n', out);
}

/* Owned. */
static cJSON *report_json(struct verify *verify, const struct lt_verify_report *report)
{
	cJSON *result = cJSON_CreateObject();

	lt_json_add_c(result, "file", verify->path);
	lt_json_add_bool(result, "ok", report->problems == 0);
	lt_json_add_int(result, "frames", (int64_t)report->frames);
	lt_json_add_int(result, "keyFrames", (int64_t)report->keys);
	lt_json_add_int(result, "unchecked", (int64_t)report->unchecked);
	lt_json_set_take(result, "problems", LT_STEAL(verify->problems));
	lt_json_set_take(result, "remarks", LT_STEAL(verify->remarks));
	return result;
}

/* One file; its report goes into `results`, if not NULL. */
static int verify_file(struct lt_cli *cli, const char *path, cJSON *results)
{
	struct verify verify = { .cli = cli, .path = path };
	const struct lt_verify_sink sink = { on_problem, on_remark, on_progress, &verify };
	struct lt_verify_report report;
	struct lt_err err;
	bool ok;

	if (results) {
		verify.problems = cJSON_CreateArray();
		verify.remarks = cJSON_CreateArray();
	}
	lt_cli_progress_init(&verify.progress, cli, "verifying");
	ok = lt_verify(path, &sink, &report, &err);
	lt_cli_progress_finish(&verify.progress);
	if (!ok) {
		lt_cli_fail(cli, &err);
	} else if (results) {
		cJSON_AddItemToArray(results, report_json(&verify, &report));
	} else {
		print_report(&verify, &report);
	}
	cJSON_Delete(verify.problems);
	cJSON_Delete(verify.remarks);
	return ok && report.problems == 0 ? LT_EXIT_DONE : LT_EXIT_REFUSED;
}

int lt_cmd_rectool_verify(struct lt_cli *cli, int argc, char **argv)
{
	static const struct lt_cli_option options[] = { { 0 } };
	struct lt_cli_words words = { argc, argv };
	LT_AUTO(cJSON_Delete) cJSON *results = NULL;
	int status = LT_EXIT_DONE;

	if (!lt_cli_options(cli, lt_cli_find("rectool", "verify"), &words, options, 1, FILES_MAX)) {
		return LT_EXIT_USAGE;
	}
	results = cli->is_json ? cJSON_CreateArray() : NULL;
	for (int i = 0; i < words.argc; i++) {
		int one = verify_file(cli, words.argv[i], results);

		status = LT_MAX(status, one);
	}
	if (results) {
		lt_cli_print_json(
				cli, words.argc == 1 && results->child ? results->child : results);
	}
	return status;
}
