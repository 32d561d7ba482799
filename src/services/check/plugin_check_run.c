/* One instance of the plugin under test, in the daemon's own host. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/column.h"
#include "services/check/plugin_check_priv.h"

#define SPEED       1000.0 /* of its clock: what takes a second takes a millisecond */
#define AFTER_MS    15     /* for what is still going on when all was said */
#define ASKED_MAX   4      /* options made up because the plugin asked for them */
#define UPDATE_MS   20     /* for a plugin without update */
#define PATIENCE_MS 60000  /* for its first update, on a busy machine */

/* --- telling --- */

void lt_check_findings_add(
		struct lt_check_findings *findings, enum lt_check_verdict verdict, const char *text)
{
	for (uint32_t i = 0; i < findings->n; i++) {
		if (strcmp(findings->list[i].text, text) == 0) {
			return;
		}
	}
	if (findings->n < LT_CHECK_FINDINGS) {
		struct lt_check_finding *finding = &findings->list[findings->n++];

		finding->verdict = verdict;
		snprintf(finding->text, sizeof(finding->text), "%s", text);
	}
}

static void add_formatted(struct lt_check_findings *findings, enum lt_check_verdict verdict,
		const char *fmt, va_list ap) LT_PRINTF(3, 0);

static void add_formatted(struct lt_check_findings *findings, enum lt_check_verdict verdict,
		const char *fmt, va_list ap)
{
	char text[LT_CHECK_TEXT];

	vsnprintf(text, sizeof(text), fmt, ap);
	lt_check_findings_add(findings, verdict, text);
}

void lt_check_find(struct lt_check *check, enum lt_check_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_formatted(&check->board->own, verdict, fmt, ap);
	va_end(ap);
}

void lt_check_say(struct lt_check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->board->summary, sizeof(check->board->summary), fmt, ap);
	va_end(ap);
}

void lt_check_doing(struct lt_check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->board->doing, sizeof(check->board->doing), fmt, ap);
	va_end(ap);
}

/* --- what the host says of the plugin --- */

/* What it does with the interface that it should not; the same in every check. */
static void find_misuse(struct lt_check *check, enum lt_check_verdict verdict, const char *fmt, ...)
		LT_PRINTF(3, 4);

static void find_misuse(struct lt_check *check, enum lt_check_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_formatted(&check->board->api, verdict, fmt, ap);
	va_end(ap);
}

static void on_record(void *arg, const struct lt_log_record *record)
{
	static const struct {
		const char *phrase, *sentence;
	} known[] = {
		{ "plugin reads an option that it does not declare",
				"it reads an option that it does not declare" },
		{ "plugin gave something that cannot be used, left out",
				"it gave something that cannot be used" },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(known); i++) {
		if (strcmp(record->phrase, known[i].phrase) == 0) {
			find_misuse(arg, LT_CHECK_FAILED, "%s (%.*s)", known[i].sentence,
					LT_STR_ARG(record->fields));
		}
	}
}

static void swallow(void *arg, enum lt_level level, struct lt_str line)
{
	(void)arg;
	(void)level;
	(void)line;
}

void lt_check_write_input(const struct lt_check *check, const struct lt_check_pieces *pieces)
{
	LT_AUTO(lt_free) char *path = lt_check_path(check, "input");
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	for (size_t i = 0; i < pieces->n; i++) {
		lt_buf_add_str(&text, lt_buf_str(&pieces->list[i]));
	}
	lt_file_replace(path, lt_buf_str(&text), 0600, NULL);
}

bool lt_check_open(struct lt_check *check)
{
	struct lt_err err = { 0 };

	lt_check_write_input(check, check->feed);
	check->sink = lt_log_sink_fn(LT_WARN, swallow, NULL);
	lt_log_sink_tap(check->sink, on_record, check);
	check->loop = lt_loop_create(&err);
	check->random = lt_random_create(71, &err);
	if (check->loop == NULL || check->random == NULL) {
		lt_check_find(check, LT_CHECK_FAILED, "%s", err.msg);
		return false;
	}
	check->plugins = lt_plugins_create("", (struct lt_log){ check->sink, "plugins" });
	lt_check_doing(check, "while it was loaded");
	check->plugin = lt_plugins_load(check->plugins, check->opts->path, &err);
	lt_check_doing(check, "%s", "");
	if (check->plugin == NULL) {
		/* The file is known to whoever reads this. */
		const char *text = strstr(err.msg, check->opts->path);

		text = text ? text + strlen(check->opts->path) : err.msg;
		lt_check_find(check, LT_CHECK_FAILED, "%s",
				strncmp(text, ": ", 2) == 0 ? text + 2 : text);
		return false;
	}
	snprintf(check->board->name, sizeof(check->board->name), "%s", check->plugin->desc.name);
	snprintf(check->board->version, sizeof(check->board->version), "%s",
			check->plugin->desc.version);
	return true;
}

static void stop_loop(void *arg)
{
	lt_loop_stop(arg);
}

void lt_check_turn(struct lt_check *check, int64_t ms)
{
	struct lt_timer timer = { 0 };

	lt_timer_once(&timer, check->loop, ms, stop_loop, check->loop);
	lt_loop_run(check->loop);
	lt_timer_cancel(&timer);
}

char *lt_check_path(const struct lt_check *check, const char *name)
{
	return lt_path_join(check->dir, name);
}

/* --- the meter --- */

static struct lt_mono thread_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (struct lt_mono){ now.tv_sec * LT_US_PER_S + now.tv_nsec / 1000 };
}

static void look_at_states(struct lt_check_run *run)
{
	char text[LT_CHECK_STATE_TEXT];

	for (size_t i = 0; i < run->queue_n; i++) {
		enum lt_check_verdict verdict =
				lt_check_state(run->description, run->queue[i], text);

		/* what is odd in a damaged feed may be so in what comes of it */
		if (verdict == LT_CHECK_FAILED ||
				(verdict == LT_CHECK_WARNING && !run->check->is_damaged)) {
			lt_check_findings_add(&run->check->board->states, verdict, text);
		}
		cJSON_Delete(run->queue[i]);
	}
	run->queue_n = 0;
}

static void on_begun(void *arg, const char *what)
{
	struct lt_check_run *run = arg;
	struct lt_check_board *board = run->check->board;

	snprintf(board->what, sizeof(board->what), "%s", what);
	atomic_fetch_add(&board->call, 1);
	run->begun = thread_clock();
}

static void on_ended(void *arg)
{
	struct lt_check_run *run = arg;
	struct lt_check_board *board = run->check->board;
	int64_t took_us = thread_clock().us - run->begun.us;

	atomic_fetch_add(&board->call, 1);
	board->calls++;
	board->slow_calls += took_us > LT_HOST_BUDGET_US;
	if (took_us > board->slowest_us) {
		board->slowest_us = took_us;
		memcpy(board->slowest, board->what, sizeof(board->slowest));
	}
	if (strcmp(board->what, "update") == 0) {
		run->updates++;
		if (run->waits_for_update) {
			lt_loop_stop(run->check->loop);
		}
	}
	look_at_states(run);
}

/* --- the owner --- */

static void on_described_take(void *arg, cJSON *description)
{
	struct lt_check_run *run = arg;

	look_at_states(run);
	cJSON_Delete(run->description);
	run->description = description;
}

static void on_generators(void *arg, uint32_t generators)
{
	struct lt_check_run *run = arg;
	uint32_t known = LT_GENERATE_DEFAULT | LT_GENERATE_SLOW_ZONE | LT_GENERATE_RACE_CONTROL;

	if ((generators & ~known) != 0) {
		find_misuse(run->check, LT_CHECK_FAILED,
				"set_generators: 0x%x are no LT_GENERATE_... bits",
				generators & ~known);
	}
}

static void take_state(struct lt_check_run *run, cJSON *state)
{
	run->states++;
	run->check->board->state_count++;
	if (run->queue_n == LT_CHECK_QUEUE) {
		cJSON_Delete(state); /* more than that in one call are much alike */
		return;
	}
	run->queue[run->queue_n++] = state;
}

static bool on_update_take(void *arg, cJSON *state, struct lt_err *err)
{
	(void)err;
	take_state(arg, state);
	return true;
}

static void on_update_due_take(void *arg, cJSON *state)
{
	take_state(arg, state);
}

static void on_message_take(void *arg, cJSON *message)
{
	struct lt_check_run *run = arg;
	const cJSON *text = cJSON_GetArrayItem(message, 2);

	if (!cJSON_IsString(text) || text->valuestring[0] == '\0') {
		find_misuse(run->check, LT_CHECK_WARNING, "a message has no text");
	}
	cJSON_Delete(message);
}

static void on_race_control(void *arg, struct lt_str text)
{
	(void)arg;
	(void)text;
}

static void on_new_session(void *arg)
{
	(void)arg;
}

static void on_stale(void *arg, bool stale, struct lt_str reason)
{
	struct lt_check_run *run = arg;

	if (stale && reason.n == 0) {
		find_misuse(run->check, LT_CHECK_WARNING,
				"set_stale: it does not say why, which operators would read");
	}
}

static void on_failed(void *arg, const char *reason)
{
	struct lt_check_run *run = arg;

	run->has_failed = true;
	snprintf(run->reason, sizeof(run->reason), "%s", reason);
	lt_loop_stop(run->check->loop);
}

static const struct lt_host_owner owner = {
	.described_take = on_described_take,
	.generators = on_generators,
	.update_take = on_update_take,
	.update_due_take = on_update_due_take,
	.replace_take = on_update_take,
	.message_take = on_message_take,
	.race_control = on_race_control,
	.new_session = on_new_session,
	.stale = on_stale,
	.failed = on_failed,
};

static const struct lt_host_watcher watcher = { on_begun, on_ended };

/* --- options --- */

static bool is_given(const struct lt_args *args, const char *name)
{
	LT_AUTO(lt_buf_finish) struct lt_buf option = { 0 };

	lt_buf_printf(&option, "--%s", name);
	for (size_t i = 0; i < args->n; i++) {
		struct lt_str word = lt_str_from(args->v[i]);

		if (lt_str_eq(lt_str_split(&word, '='), lt_buf_str(&option))) {
			return true;
		}
	}
	return false;
}

static void add_made_up(const struct lt_check *check, const struct lt_plugin_option *option,
		struct lt_args *args)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_free) char *file = lt_check_path(check, "input");

	lt_buf_printf(&text, "--%s=", option->name);
	if (option->type == LT_OPT_INT || option->type == LT_OPT_NUMBER) {
		lt_buf_printf(&text, "%.0f", option->min < option->max ? option->min : 1.0);
	} else if (option->type == LT_OPT_CHOICE) {
		struct lt_str rest = lt_str_from(option->choices);

		lt_buf_add_str(&text, lt_str_split(&rest, '|'));
	} else if (option->type == LT_OPT_FILE) {
		lt_buf_add_c(&text, file);
	} else if (strstr(option->name, "url") != NULL) {
		lt_buf_add_c(&text, "http://127.0.0.1/");
	} else {
		lt_buf_add_c(&text, "127.0.0.1");
	}
	lt_args_add(args, lt_buf_str(&text));
}

static void add_required(const struct lt_check *check, struct lt_args *ret_args)
{
	lt_args_dup(ret_args, check->opts->args);
	for (size_t i = 0; i < check->plugin->option_count; i++) {
		const struct lt_plugin_option *option = &check->plugin->options[i];

		if (option->required && option->type != LT_OPT_FLAG &&
				!is_given(ret_args, option->name)) {
			add_made_up(check, option, ret_args);
		}
	}
}

/* The first option that a sentence names and that was not given; NULL: none. */
static const struct lt_plugin_option *asked_for(
		const struct lt_check *check, const struct lt_args *args, const char *reason)
{
	const char *at = reason;

	while ((at = strstr(at, "--")) != NULL) {
		size_t n = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");

		for (size_t i = 0; i < check->plugin->option_count; i++) {
			const struct lt_plugin_option *option = &check->plugin->options[i];

			if (lt_str_eq_c((struct lt_str){ at + 2, n }, option->name) &&
					option->type != LT_OPT_FLAG &&
					!is_given(args, option->name)) {
				return option;
			}
		}
		at += 2;
	}
	return NULL;
}

void lt_check_args(struct lt_check *check, struct lt_args *ret_args)
{
	add_required(check, ret_args);
	for (int i = 0; i < ASKED_MAX; i++) {
		const struct lt_plugin_option *option;
		struct lt_check_run run;
		bool was_made = lt_check_run_create(&run, check, ret_args, NULL);

		option = was_made ? NULL : asked_for(check, ret_args, run.reason);
		lt_check_run_finish(&run);
		if (option == NULL) {
			return;
		}
		add_made_up(check, option, ret_args);
	}
}

/* --- life --- */

static void on_capture_ended(void *arg, bool is_error, const char *reason)
{
	struct lt_check_run *run = arg;

	(void)is_error;
	(void)reason;
	run->has_ended = true;
	lt_loop_stop(run->check->loop);
}

/* A capture in which nothing is said. Owned. */
static char *silent_capture(const struct lt_check *check)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	char *path = lt_check_path(check, "silent.raw");
	cJSON *header = cJSON_CreateObject();

	lt_raw_write_header(&text, header);
	cJSON_Delete(header);
	lt_file_replace(path, lt_buf_str(&text), 0600, NULL);
	return path;
}

bool lt_check_run_create(struct lt_check_run *run, struct lt_check *check,
		const struct lt_args *args, const char *capture)
{
	LT_AUTO(lt_free) char *silent = capture ? NULL : silent_capture(check);
	struct lt_log log = { check->sink, "check" };
	struct lt_option_values *values;
	struct lt_err err = { 0 };

	*run = (struct lt_check_run){ .check = check };
	values = lt_option_values_parse(check->plugin, args, &err);
	if (values == NULL) {
		snprintf(run->reason, sizeof(run->reason), "%s", err.msg);
		return false;
	}
	run->is_parsed = true;
	run->player = lt_raw_player_create(&(struct lt_raw_player_env){ .loop = check->loop,
			.log = log,
			.path = capture ? capture : silent,
			.speed = SPEED,
			.ended = on_capture_ended,
			.arg = run });
	run->host = lt_host_create_take(&(struct lt_host_env){ .loop = check->loop,
							.log = log,
							.random = check->random,
							.raw_player = run->player,
							.owner = &owner,
							.owner_arg = run,
							.watcher = &watcher,
							.watcher_arg = run },
			check->plugin, values, &err);
	if (run->host == NULL) {
		snprintf(run->reason, sizeof(run->reason), "%s", err.msg);
		return false;
	}
	if (run->description == NULL) {
		find_misuse(check, LT_CHECK_FAILED, "its create does not call describe");
	}
	return true;
}

bool lt_check_run_start(struct lt_check_run *run)
{
	struct lt_err err = { 0 };

	if (!lt_host_start(run->host, &err)) {
		run->has_failed = true;
		snprintf(run->reason, sizeof(run->reason), "%s", err.msg);
		return false;
	}
	run->check->board->was_started = 1;
	lt_raw_player_start(run->player);
	return true;
}

void lt_check_run_through(struct lt_check_run *run)
{
	while (!run->has_ended && !run->has_failed) {
		lt_loop_run(run->check->loop);
	}
	if (!run->has_failed) {
		lt_check_turn(run->check, AFTER_MS);
	}
}

void lt_check_run_update(struct lt_check_run *run)
{
	uint64_t before = run->updates;

	run->waits_for_update = run->check->plugin->ops.update != NULL;
	for (int i = 0; run->waits_for_update && run->updates == before && !run->has_failed &&
			i < PATIENCE_MS / UPDATE_MS;
			i++) {
		lt_check_turn(run->check, UPDATE_MS);
	}
	if (run->check->plugin->ops.update == NULL) {
		lt_check_turn(run->check, UPDATE_MS);
	}
	run->waits_for_update = false;
}

static void ignore(void *arg, const struct lt_raw_record *record)
{
	(void)arg;
	(void)record;
}

uint32_t lt_check_run_streams(struct lt_check_run *run)
{
	uint32_t next = lt_raw_player_open(run->player, ignore, NULL);

	return next > 0 ? next - 1 : LT_RAW_STREAMS_MAX;
}

void lt_check_run_finish(struct lt_check_run *run)
{
	struct lt_check *check = run->check;

	lt_host_destroy(run->host);
	run->host = NULL;
	lt_raw_player_destroy(run->player);
	run->player = NULL;
	look_at_states(run);
	cJSON_Delete(run->description);
	run->description = NULL;
	/* What it left behind is called now, if ever. */
	snprintf(check->board->what, sizeof(check->board->what), "destroy");
	lt_check_turn(check, 1);
}
