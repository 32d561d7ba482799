/* What can be said of a plugin before any of its functions is called. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/check/plugin_check_elf.h"
#include "services/check/plugin_check_priv.h"

#define OBJECT_BYTES_MAX (256u << 20)
#define ENTRY            "lt_plugin_entry_v1"

/* Names that linkers add by themselves, and those that every system has. */
static bool is_one_of(const char *name, const char *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (lt_str_starts(lt_str_from(name), lt_str_from(known[i]))) {
			return true;
		}
	}
	return false;
}

static void check_exports(struct lt_check *check, const struct lt_elf *elf)
{
	static const char *const linkers[] = { "_init", "_fini", "__bss_start", "_edata", "_end",
		"__asan_", "__odr_asan", "__ubsan_", "__start___", "__stop___" };
	LT_AUTO(lt_buf_finish) struct lt_buf others = { 0 };
	bool has_entry = false;
	size_t n = 0;

	for (size_t i = 0; i < elf->exports.n; i++) {
		const char *name = elf->exports.v[i];

		if (strcmp(name, ENTRY) == 0) {
			has_entry = true;
		} else if (!is_one_of(name, linkers, LT_ARRAY_LEN(linkers)) && ++n <= 4) {
			lt_buf_printf(&others, "%s%.60s", others.n ? ", " : "", name);
		}
	}
	if (!has_entry) {
		lt_check_find(check, LT_CHECK_FAILED, "it does not export " ENTRY);
	}
	if (n > 0) {
		lt_check_find(check, LT_CHECK_FAILED,
				"it exports %zu symbol%s beside " ENTRY
				": %s%s; build it with -fvisibility=hidden",
				n, n == 1 ? "" : "s", others.p, n > 4 ? ", ..." : "");
	}
}

static void check_needs(struct lt_check *check, const struct lt_elf *elf, struct lt_buf *needs)
{
	static const char *const everywhere[] = { "libc.so", "libm.so", "libpthread.so", "libdl.so",
		"librt.so", "libgcc_s.so", "libstdc++.so", "ld-linux", "libasan.so",
		"libubsan.so" };

	for (size_t i = 0; i < elf->needs.n; i++) {
		const char *name = elf->needs.v[i];

		lt_buf_printf(needs, "%s%s", needs->n ? ", " : "", name);
		if (!is_one_of(name, everywhere, LT_ARRAY_LEN(everywhere))) {
			lt_check_find(check, LT_CHECK_WARNING,
					"it needs %.80s, which has to be installed wherever it runs",
					name);
		}
	}
}

void lt_check_object(struct lt_check *check)
{
	LT_AUTO(lt_buf_finish) struct lt_buf bytes = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf needs = { 0 };
	struct lt_elf elf = { 0 };
	struct lt_err err = { 0 };

	if (!lt_file_read(check->opts->path, OBJECT_BYTES_MAX, &bytes, &err) ||
			!lt_elf_read(lt_buf_str(&bytes), &elf, &err)) {
		lt_check_find(check, LT_CHECK_FAILED, "%s", err.msg);
		return;
	}
	check_exports(check, &elf);
	check_needs(check, &elf, &needs);
	lt_check_say(check, "exports " ENTRY "%s; needs %s",
			elf.weak.n > 0 ? " (and weak symbols of C++)" : " alone",
			needs.n ? needs.p : "nothing");
	lt_elf_finish(&elf);
}

static bool is_empty(const char *text)
{
	return text == NULL || *text == '\0';
}

void lt_check_descriptor(struct lt_check *check)
{
	const struct lt_plugin_desc *desc;
	char expected[80];
	const char *file;

	if (!lt_check_open(check)) {
		return;
	}
	desc = &check->plugin->desc;
	file = strrchr(check->opts->path, '/');
	file = file ? file + 1 : check->opts->path;
	snprintf(expected, sizeof(expected), "%s.so", desc->name);
	if (strcmp(expected, file) != 0) {
		lt_check_find(check, LT_CHECK_WARNING,
				"the file is %.80s, services are started by the name %s: call it %s",
				file, desc->name, expected);
	}
	if (strcmp(desc->version, "unknown") == 0 || is_empty(desc->version)) {
		lt_check_find(check, LT_CHECK_FAILED, "it has no version");
	}
	if (is_empty(desc->summary)) {
		lt_check_find(check, LT_CHECK_WARNING,
				"it has no summary, the line that plugins list shows");
	}
	if (desc->abi_minor > LT_PLUGIN_ABI_MINOR) {
		lt_check_find(check, LT_CHECK_WARNING,
				"it was made for interface %u.%u, newer than this one: ask LT_HAS before use",
				desc->abi_major, desc->abi_minor);
	}
	lt_check_say(check, "%s %s, interface %u.%u", desc->name, desc->version, desc->abi_major,
			desc->abi_minor);
}

static void check_default(struct lt_check *check, const struct lt_plugin_option *option)
{
	LT_AUTO(lt_buf_finish) struct lt_buf word = { 0 };
	struct lt_args args = { 0 };
	struct lt_err err = { 0 };
	struct lt_option_values *values;

	if (option->required) {
		lt_check_find(check, LT_CHECK_WARNING,
				"--%s: it is required, and has a default that is never used",
				option->name);
		return;
	}
	if (option->type == LT_OPT_FILE) {
		return;
	}
	/* With what is required, so that the default is all that can be wrong. */
	lt_check_args(check, &args);
	lt_buf_printf(&word, "--%s=%s", option->name, option->default_value);
	lt_args_add(&args, lt_buf_str(&word));
	values = lt_option_values_parse(check->plugin, &args, &err);
	if (values == NULL) {
		lt_check_find(check, LT_CHECK_FAILED, "the default is refused: %s", err.msg);
	}
	lt_option_values_destroy(values);
	lt_args_finish(&args);
}

static bool is_option_name(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' &&
			name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static void check_option(struct lt_check *check, size_t i)
{
	const struct lt_plugin_option *option = &check->plugin->options[i];

	if (!is_option_name(option->name)) {
		lt_check_find(check, LT_CHECK_FAILED, "--%.60s: a name is made of a-z, 0-9 and -",
				option->name);
	}
	for (size_t other = 0; other < i; other++) {
		if (strcmp(check->plugin->options[other].name, option->name) == 0) {
			lt_check_find(check, LT_CHECK_FAILED, "--%.60s is there twice",
					option->name);
		}
	}
	if (is_empty(option->help)) {
		lt_check_find(check, LT_CHECK_FAILED, "--%.60s has no help", option->name);
	}
	if (option->min > option->max) {
		lt_check_find(check, LT_CHECK_FAILED, "--%.60s: its lower bound is the higher one",
				option->name);
	}
	if (option->live && check->plugin->ops.option_changed == NULL) {
		lt_check_find(check, LT_CHECK_FAILED,
				"--%.60s is declared live, and there is no option_changed",
				option->name);
	}
	if (option->default_value != NULL) {
		check_default(check, option);
	}
}

void lt_check_options(struct lt_check *check)
{
	size_t live = 0, required = 0;

	if (!lt_check_open(check)) {
		return;
	}
	for (size_t i = 0; i < check->plugin->option_count; i++) {
		check_option(check, i);
		live += check->plugin->options[i].live != 0;
		required += check->plugin->options[i].required != 0;
	}
	lt_check_say(check, "%zu options, %zu required, %zu live", check->plugin->option_count,
			required, live);
}
