/* Life of instances: in order, many, ended at any time, with any option, again and again. */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/check/plugin_check_priv.h"

#define INSTANCES   3
#define WARM_ROUNDS 12
#define ROUNDS      12 /* of each of the windows */
#define WINDOWS     3
#define LONG_TEXT   5000
#define LATE_MS     50 /* in which work that was under way comes back */

/* Of a sanitizer, when the daemon or the plugin was built with one. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* Loaded, with options in args; false: told why not. */
static bool begin(struct lt_check *check, struct lt_args *args)
{
	if (!lt_check_open(check)) {
		return false;
	}
	lt_check_args(check, args);
	return true;
}

/* An instance, created and started; what it says on refusing is a finding. */
static bool live(struct lt_check_run *run, struct lt_check *check, const struct lt_args *args)
{
	if (!lt_check_run_create(run, check, args, NULL)) {
		lt_check_find(check, LT_CHECK_FAILED, "%.200s; give its options behind the file",
				run->reason);
		return false;
	}
	if (!lt_check_run_start(run)) {
		lt_check_find(check, LT_CHECK_FAILED, "%.200s; give its options behind the file",
				run->reason);
		return false;
	}
	return true;
}

void lt_check_lifecycle(struct lt_check *check)
{
	struct lt_args args = { 0 };
	struct lt_check_run run;

	if (!begin(check, &args)) {
		return;
	}
	if (live(&run, check, &args)) {
		lt_check_run_update(&run);
		if (run.has_failed) {
			lt_check_find(check, LT_CHECK_WARNING, "it gave up: %.200s", run.reason);
		}
		lt_check_say(check,
				"created, started, updated %s, stopped, destroyed; %llu state%s",
				run.updates > 0 ? "once or more" : "never (it has no update)",
				(unsigned long long)run.states, run.states == 1 ? "" : "s");
	}
	lt_check_run_finish(&run);
	lt_args_finish(&args);
}

void lt_check_instances(struct lt_check *check)
{
	struct lt_check_run runs[INSTANCES];
	struct lt_args args = { 0 };
	int n = 0;

	if (!begin(check, &args)) {
		return;
	}
	while (n < INSTANCES && live(&runs[n++], check, &args)) {
		lt_check_doing(check, "with %d instances", n);
	}
	if (n == INSTANCES && !runs[n - 1].has_failed) {
		lt_check_run_update(&runs[0]);
		/* the one in the middle ends first, the others go on */
		lt_check_doing(check, "while one of %d instances ends", n);
		lt_check_run_finish(&runs[1]);
		lt_check_turn(check, 20);
		lt_check_doing(check, "while the last instances end");
		lt_check_run_finish(&runs[0]);
		lt_check_run_finish(&runs[2]);
		lt_check_say(check, "%d at once, ended one by one", n);
	} else {
		while (n > 0) {
			lt_check_run_finish(&runs[--n]);
		}
	}
	lt_args_finish(&args);
}

/* Ends at every moment at which a daemon may end a service. */
void lt_check_endings(struct lt_check *check)
{
	static const char *const moments[] = { "before start", "right after start",
		"after two turns of the loop", "after its first update",
		"with stop asked for twice" };
	struct lt_args args = { 0 };
	struct lt_check_run run;

	if (!begin(check, &args)) {
		return;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(moments); i++) {
		lt_check_doing(check, "on ending it %s", moments[i]);
		if (!lt_check_run_create(&run, check, &args, NULL) ||
				(i > 0 && !lt_check_run_start(&run))) {
			lt_check_run_finish(&run);
			continue; /* told by the lifecycle */
		}
		if (i == 2) {
			lt_check_turn(check, 1);
		} else if (i >= 3) {
			lt_check_run_update(&run);
		}
		if (i == 4) {
			lt_host_stop(run.host);
			lt_host_stop(run.host);
		}
		lt_check_run_finish(&run);
		lt_check_turn(check, LATE_MS);
	}
	lt_check_say(check, "ended at %zu moments, nothing came after destroy",
			LT_ARRAY_LEN(moments));
	lt_args_finish(&args);
}

/* --- values of options --- */

struct values {
	struct lt_check *check;
	const struct lt_args *args;
	size_t tried, refused_by_host, refused;
};

static void try_value(
		struct values *values, const struct lt_plugin_option *option, struct lt_str value)
{
	struct lt_check *check = values->check;
	LT_AUTO(lt_buf_finish) struct lt_buf word = { 0 };
	struct lt_args args = { 0 };
	struct lt_check_run run;
	char quoted[LT_QUOTE_MAX];
	bool was_made;

	lt_args_dup(&args, values->args);
	lt_buf_printf(&word, "--%s=%.*s", option->name, LT_STR_ARG(value));
	lt_args_add(&args, lt_buf_str(&word));
	lt_check_doing(check, "with --%.40s %s", option->name, lt_str_quote(value, quoted));
	values->tried++;
	was_made = lt_check_run_create(&run, check, &args, NULL);
	if (!run.is_parsed) {
		values->refused_by_host++;
	} else if (!was_made || !lt_check_run_start(&run)) {
		values->refused++;
		if (strstr(run.reason, "it gave no reason") != NULL) {
			lt_check_find(check, LT_CHECK_FAILED,
					"it refuses --%.40s %s without a word: call fail first",
					option->name, quoted);
		}
	} else {
		lt_check_run_update(&run);
	}
	lt_check_run_finish(&run);
	lt_args_finish(&args);
}

static void try_number(struct values *values, const struct lt_plugin_option *option)
{
	static const char *const unbounded[] = { "0", "-1", "1", "2147483648",
		"9223372036854775807", "-9223372036854775808" };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (option->min < option->max) {
		lt_buf_printf(&text, "%.15g", option->min);
		try_value(values, option, lt_buf_str(&text));
		lt_buf_clear(&text);
		lt_buf_printf(&text, "%.15g", option->max);
		try_value(values, option, lt_buf_str(&text));
		return;
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(unbounded); i++) {
		try_value(values, option, lt_str_from(unbounded[i]));
	}
}

static void try_text(struct values *values, const struct lt_plugin_option *option)
{
	static const char *const texts[] = { "", "a\"b'c\\<>&", "\xc3\xa4\xe2\x82\xac", "-1",
		"../../etc/passwd", "http://127.0.0.1:1/%s%n", "[::1]" };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		try_value(values, option, lt_str_from(texts[i]));
	}
	while (text.n < LONG_TEXT) {
		lt_buf_add_char(&text, 'x');
	}
	try_value(values, option, lt_buf_str(&text));
}

static void try_file(struct values *values, const struct lt_plugin_option *option)
{
	LT_AUTO(lt_free) char *empty = lt_check_path(values->check, "empty");
	LT_AUTO(lt_free) char *input = lt_check_path(values->check, "input");

	lt_file_replace(empty, LT_STR(""), 0600, NULL);
	try_value(values, option, lt_str_from(empty));
	try_value(values, option, lt_str_from(input));
	try_value(values, option, lt_str_from(values->check->dir));
}

static void try_option(struct values *values, const struct lt_plugin_option *option)
{
	struct lt_str rest = lt_str_from(option->choices);

	switch (option->type) {
	case LT_OPT_INT:
	case LT_OPT_NUMBER:
		try_number(values, option);
		break;
	case LT_OPT_FLAG:
		try_value(values, option, LT_STR("yes"));
		try_value(values, option, LT_STR("no"));
		break;
	case LT_OPT_CHOICE:
		while (rest.p != NULL) {
			try_value(values, option, lt_str_split(&rest, '|'));
		}
		break;
	case LT_OPT_FILE:
		try_file(values, option);
		break;
	default:
		try_text(values, option);
	}
}

/* What an operator may change is changed while it runs. */
static void change_live(struct lt_check *check, const struct lt_args *args)
{
	struct lt_check_run run;
	struct lt_err err;

	if (!lt_check_run_create(&run, check, args, NULL) || !lt_check_run_start(&run)) {
		lt_check_run_finish(&run);
		return;
	}
	for (size_t i = 0; i < check->plugin->option_count; i++) {
		const struct lt_plugin_option *option = &check->plugin->options[i];
		const char *value = option->default_value ? option->default_value : "1";

		if (option->live) {
			lt_check_doing(check, "on changing --%.40s while it runs", option->name);
			lt_host_change_option(run.host, lt_str_from(option->name),
					lt_str_from(value), &err);
			lt_check_run_update(&run);
		}
	}
	lt_check_run_finish(&run);
}

void lt_check_values(struct lt_check *check)
{
	struct values values = { .check = check };
	struct lt_args args = { 0 };

	if (!begin(check, &args)) {
		return;
	}
	values.args = &args;
	for (size_t i = 0; i < check->plugin->option_count; i++) {
		try_option(&values, &check->plugin->options[i]);
	}
	change_live(check, &args);
	lt_check_say(check, "%zu values tried: %zu refused by the daemon, %zu by the plugin",
			values.tried, values.refused_by_host, values.refused);
	lt_args_finish(&args);
}

/* --- memory --- */

static size_t bytes_in_use(void)
{
	struct mallinfo2 info;

	if (__sanitizer_get_current_allocated_bytes != NULL) {
		return __sanitizer_get_current_allocated_bytes();
	}
	info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static size_t entries_of(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	if (dir == NULL) {
		return 0;
	}
	while (readdir(dir) != NULL) {
		n++;
	}
	closedir(dir);
	return n;
}

static void live_rounds(
		struct lt_check *check, const struct lt_args *args, const char *capture, int rounds)
{
	struct lt_check_run run;

	for (int i = 0; i < rounds; i++) {
		if (lt_check_run_create(&run, check, args, capture) && lt_check_run_start(&run)) {
			lt_check_run_through(&run);
		}
		lt_check_run_finish(&run);
	}
}

static void judge_memory(struct lt_check *check, const size_t in_use[WINDOWS + 1])
{
	size_t least = SIZE_MAX;

	for (int i = 0; i < WINDOWS; i++) {
		size_t growth = in_use[i + 1] > in_use[i] ? in_use[i + 1] - in_use[i] : 0;

		least = LT_MIN(least, growth);
	}
	if (least >= (size_t)16 * ROUNDS) {
		lt_check_find(check, LT_CHECK_FAILED,
				"each life leaves about %zu bytes of memory behind: what create and start "
				"allocate is freed by destroy",
				least / ROUNDS);
	}
	if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0) {
		lt_check_find(check, LT_CHECK_FAILED,
				"the leak sanitizer found memory that nothing points to any more");
	}
}

void lt_check_memory(struct lt_check *check)
{
	struct lt_check_pieces pieces = { 0 };
	size_t in_use[WINDOWS + 1], files, threads;
	struct lt_args args = { 0 };

	if (!begin(check, &args)) {
		return;
	}
	lt_check_damage(check->feed, LT_DAMAGE_NONE, &pieces);
	LT_AUTO(lt_free) char *capture = lt_check_capture(check, &pieces, 20);

	lt_check_doing(check, "in one of many lives");
	live_rounds(check, &args, capture, WARM_ROUNDS);
	files = entries_of("/proc/self/fd");
	threads = entries_of("/proc/self/task");
	in_use[0] = bytes_in_use();
	for (int i = 1; i <= WINDOWS; i++) {
		live_rounds(check, &args, capture, ROUNDS);
		in_use[i] = bytes_in_use();
	}
	judge_memory(check, in_use);
	if (entries_of("/proc/self/fd") >= files + ROUNDS) {
		lt_check_find(check, LT_CHECK_FAILED, "each life leaves an open file behind");
	}
	if (entries_of("/proc/self/task") >= threads + ROUNDS) {
		lt_check_find(check, LT_CHECK_FAILED, "each life leaves a thread behind");
	}
	lt_check_say(check, "%d lives, nothing left behind", WARM_ROUNDS + WINDOWS * ROUNDS);
	lt_check_pieces_finish(&pieces);
	lt_args_finish(&args);
}
