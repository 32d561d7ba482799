#include "services/check/plugin_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/check/plugin_check_priv.h"

#define FIXTURE_BYTES_MAX (16u << 20)

#if defined(__SANITIZE_ADDRESS__)
#	define SLOWER 10 /* everything takes so much longer */
#else
#	define SLOWER 1
#endif

static const struct lt_check_step steps[] = {
	{ "file", lt_check_object, 0 },
	{ "descriptor", lt_check_descriptor, 0 },
	{ "options", lt_check_options, 0 },
	{ "lifecycle", lt_check_lifecycle, 0 },
	{ "instances", lt_check_instances, 0 },
	{ "endings", lt_check_endings, 0 },
	{ "values", lt_check_values, 0 },
	{ "fixture", lt_check_fixture, 0 },
	{ "torn", NULL, LT_DAMAGE_TORN },
	{ "cut", NULL, LT_DAMAGE_CUT },
	{ "merged", NULL, LT_DAMAGE_MERGED },
	{ "reordered", NULL, LT_DAMAGE_REORDERED },
	{ "corrupted", NULL, LT_DAMAGE_CORRUPTED },
	{ "oversized", NULL, LT_DAMAGE_OVERSIZED },
	{ "noise", NULL, LT_DAMAGE_NOISE },
	{ "memory", lt_check_memory, 0 },
};

/* All checks of one plugin. */
struct work {
	struct lt_check check;
	struct lt_check_pieces feed;
	char dir[64];
	cJSON *report, *checks;
	int passed, failed, warnings;
	/* Of all children together. */
	struct lt_check_findings states, api, blocking;
	uint64_t calls, slow_calls, state_count;
	int64_t slowest_us;
	char slowest[48], slowest_step[16];
};

static void add_result(struct work *work, const char *name, const char *summary,
		const struct lt_check_findings *findings)
{
	static const char *const results[] = { "ok", "warning", "failed" };
	uint32_t worst = LT_CHECK_OK, n = LT_MIN(findings->n, (uint32_t)LT_CHECK_FINDINGS);
	cJSON *item = cJSON_CreateObject(), *details = cJSON_CreateArray();
	char text[LT_CHECK_TEXT];

	snprintf(text, sizeof(text), "%.*s", LT_CHECK_TEXT - 1, summary);
	for (uint32_t i = 0; i < n; i++) {
		const struct lt_check_finding *finding = &findings->list[i];

		if (finding->verdict > worst && finding->verdict <= LT_CHECK_FAILED) {
			worst = finding->verdict;
			snprintf(text, sizeof(text), "%.*s", LT_CHECK_TEXT - 1, finding->text);
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		LT_AUTO(lt_free) char *detail = lt_strdup(findings->list[i].text);

		if (strcmp(detail, text) != 0) {
			cJSON_AddItemToArray(details, cJSON_CreateString(detail));
		}
	}
	lt_json_add_c(item, "check", name);
	lt_json_add_c(item, "result", results[worst]);
	lt_json_add_c(item, "text", text);
	lt_json_set_take(item, "details", details);
	cJSON_AddItemToArray(work->checks, item);
	work->failed += worst == LT_CHECK_FAILED;
	work->warnings += worst == LT_CHECK_WARNING;
	work->passed += worst != LT_CHECK_FAILED;
}

static void tidy_findings(struct lt_check_findings *findings)
{
	findings->n = LT_MIN(findings->n, (uint32_t)LT_CHECK_FINDINGS);
	for (int i = 0; i < LT_CHECK_FINDINGS; i++) {
		findings->list[i].text[LT_CHECK_TEXT - 1] = '\0';
	}
}

/* A child may have written anything into it before it died. */
static void tidy(struct lt_check_board *board)
{
	tidy_findings(&board->own);
	tidy_findings(&board->states);
	tidy_findings(&board->api);
	tidy_findings(&board->waits);
	board->summary[LT_CHECK_TEXT - 1] = '\0';
	board->slowest[sizeof(board->slowest) - 1] = '\0';
	board->name[sizeof(board->name) - 1] = board->version[sizeof(board->version) - 1] = '\0';
}

static void gather_findings(struct lt_check_findings *all, const struct lt_check_findings *some)
{
	for (uint32_t i = 0; i < some->n; i++) {
		lt_check_findings_add(all, some->list[i].verdict, some->list[i].text);
	}
}

static void gather(struct work *work, const char *name, const struct lt_check_board *board)
{
	gather_findings(&work->states, &board->states);
	gather_findings(&work->api, &board->api);
	gather_findings(&work->blocking, &board->waits);
	work->calls += board->calls;
	work->slow_calls += board->slow_calls;
	work->state_count += board->state_count;
	if (board->slowest_us > work->slowest_us) {
		work->slowest_us = board->slowest_us;
		memcpy(work->slowest, board->slowest, sizeof(work->slowest));
		snprintf(work->slowest_step, sizeof(work->slowest_step), "%s", name);
	}
	if (board->name[0] != '\0' && lt_json_get(work->report, "plugin") == NULL) {
		lt_json_add_c(work->report, "plugin", board->name);
		lt_json_add_c(work->report, "version", board->version);
	}
}

static bool run_step(struct work *work, const struct lt_check_step *step, struct lt_err *err)
{
	struct lt_check_board *board = work->check.board;

	memset(board, 0, sizeof(*board));
	if (!lt_check_in_child(&work->check, step, err)) {
		return false;
	}
	tidy(board);
	gather(work, step->name, board);
	add_result(work, step->name, board->summary, &board->own);
	return true;
}

static bool is_too_slow(const struct work *work)
{
	return work->blocking.n > 0 || work->slowest_us > (int64_t)LT_CHECK_BLOCKED_US * SLOWER;
}

static void judge_blocking(struct work *work)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	bool is_failure = work->slowest_us > (int64_t)LT_CHECK_BLOCKED_US * SLOWER;

	lt_buf_printf(&text, "%" PRIu64 " calls, the slowest %.1f ms%s%s%s%s", work->calls,
			(double)work->slowest_us / 1000, work->slowest[0] ? ", " : "",
			work->slowest, work->slowest[0] ? " in " : "", work->slowest_step);
	if (is_failure || work->slowest_us > (int64_t)LT_HOST_BUDGET_US * SLOWER) {
		lt_buf_printf(&text, "; %" PRIu64 " took more than the budget of %d ms",
				work->slow_calls, LT_HOST_BUDGET_US / 1000);
		lt_check_findings_add(&work->blocking,
				is_failure ? LT_CHECK_FAILED : LT_CHECK_WARNING, text.p);
	}
	add_result(work, "blocking", text.p, &work->blocking);
}

static void judge_states(struct work *work)
{
	char text[80];

	snprintf(text, sizeof(text), "%" PRIu64 " published, all as their columns say",
			work->state_count);
	add_result(work, "states", work->state_count > 0 ? text : "none was published",
			&work->states);
}

static bool run_steps(struct work *work, struct lt_err *err)
{
	bool goes_on = true;

	for (size_t i = 0; i < LT_ARRAY_LEN(steps) && goes_on; i++) {
		if (steps[i].run == lt_check_fixture && work->check.opts->fixture == NULL) {
			continue;
		}
		if (!run_step(work, &steps[i], err)) {
			return false;
		}
		/* what cannot be loaded, or started at all, cannot be checked any further */
		if (steps[i].run == lt_check_descriptor) {
			goes_on = lt_json_get(work->report, "plugin") != NULL;
		} else if (steps[i].run == lt_check_lifecycle) {
			goes_on = work->check.board->was_started != 0;
		}
		/* the others would take minutes */
		goes_on = goes_on && !is_too_slow(work);
	}
	if (lt_json_get(work->report, "plugin") != NULL) {
		add_result(work, "interface", "used as it is meant", &work->api);
		judge_states(work);
		judge_blocking(work);
	}
	return true;
}

/* --- before and after --- */

static bool read_capture(struct work *work, struct lt_raw_reader *reader)
{
	struct lt_raw_record record;

	while (lt_raw_next(reader, &record, NULL) == LT_RAW_GOT &&
			!lt_check_pieces_full(&work->feed)) {
		if (record.kind == LT_RAW_DATA) {
			lt_check_pieces_split(&work->feed, record.bytes);
		} else if (record.kind > LT_RAW_DATA && record.bytes.n > 0) {
			lt_check_pieces_add(&work->feed, record.bytes);
		}
	}
	lt_raw_close(reader);
	return work->feed.n > 0;
}

static bool read_fixture(struct work *work, struct lt_err *err)
{
	const char *path = work->check.opts->fixture;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_raw_reader *reader;

	if (path == NULL) {
		lt_check_pieces_sample(&work->feed);
		return true;
	}
	reader = lt_raw_open(path, NULL);
	if (reader != NULL) {
		return read_capture(work, reader) ||
				lt_err_set(err, LT_E_INVALID,
						"fixture %.150s: nothing is said in it", path);
	}
	if (!lt_file_read(path, FIXTURE_BYTES_MAX, &text, err)) {
		return lt_err_prefix(err, "fixture %.150s", path);
	}
	lt_check_pieces_split(&work->feed, lt_buf_str(&text));
	return work->feed.n > 0 ||
			lt_err_set(err, LT_E_INVALID, "fixture %.150s: it is empty", path);
}

static bool begin(struct work *work, struct lt_err *err)
{
	const char *temp = getenv("TMPDIR");
	void *board;

	snprintf(work->dir, sizeof(work->dir), "%.30s/livetiming-check-XXXXXX",
			temp && strlen(temp) <= 30 ? temp : "/tmp");
	if (mkdtemp(work->dir) == NULL) {
		work->dir[0] = '\0';
		return lt_err_errno(err, "no folder for temporary files");
	}
	board = mmap(NULL, sizeof(*work->check.board), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED) {
		return lt_err_errno(err, "no shared memory");
	}
	work->check.board = board;
	return read_fixture(work, err);
}

static void finish(struct work *work)
{
	static const char *const files[] = { "input", "empty", "silent.raw", "feed.raw", "stderr" };

	for (size_t i = 0; work->dir[0] != '\0' && i < LT_ARRAY_LEN(files); i++) {
		LT_AUTO(lt_free) char *path = lt_path_join(work->dir, files[i]);

		unlink(path);
	}
	if (work->dir[0] != '\0') {
		rmdir(work->dir);
	}
	if (work->check.board != NULL) {
		munmap(work->check.board, sizeof(*work->check.board));
	}
	lt_check_pieces_finish(&work->feed);
}

cJSON *lt_check_plugin(const struct lt_check_opts *opts, struct lt_err *err)
{
	struct work work = { .check = {
					     .opts = opts,
			     } };

	work.report = cJSON_CreateObject();
	work.checks = cJSON_CreateArray();
	work.check.dir = work.dir;
	work.check.feed = &work.feed;
	lt_json_add_c(work.report, "file", opts->path);
	if (!begin(&work, err) || !run_steps(&work, err)) {
		cJSON_Delete(LT_STEAL(work.report));
		cJSON_Delete(work.checks);
	} else {
		lt_json_add_int(work.report, "passed", work.passed);
		lt_json_add_int(work.report, "failed", work.failed);
		lt_json_add_int(work.report, "warnings", work.warnings);
		lt_json_set_take(work.report, "checks", work.checks);
	}
	finish(&work);
	return work.report;
}
