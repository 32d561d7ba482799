#include "daemon/main_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "services/check/plugin_check.h"

enum exit_status { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define TUNABLES "GLIBC_TUNABLES"

static const char usage[] = "plugin check [--fixture FILE] FILE.so [OPTION...]";

/* What comes from a plugin cannot drive the terminal. */
static void print_clean(const char *text)
{
	for (; *text != '\0'; text++) {
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
	}
}

static void print_check(const cJSON *check)
{
	const char *result = lt_json_get(check, "result")->valuestring;
	const cJSON *detail;

	printf("%-7s  %-10s  ", strcmp(result, "failed") == 0 ? "FAILED" : result,
			lt_json_get(check, "check")->valuestring);
	print_clean(lt_json_get(check, "text")->valuestring);
	putchar('\n');
	cJSON_ArrayForEach(detail, lt_json_get(check, "details")) {
		printf("%21s", "");
		print_clean(detail->valuestring);
		putchar('\n');
	}
}

static void print_report(const cJSON *report)
{
	const cJSON *check;
	int warnings = lt_json_get(report, "warnings")->valueint;

	cJSON_ArrayForEach(check, lt_json_get(report, "checks")) {
		print_check(check);
	}
	printf("%d passed, %d failed", lt_json_get(report, "passed")->valueint,
			lt_json_get(report, "failed")->valueint);
	if (warnings > 0) {
		printf(", %d with a warning", warnings);
	}
	putchar('\n');
}

static int run(const char *program, const struct lt_check_opts *opts, bool is_json)
{
	struct lt_err err = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *report = lt_check_plugin(opts, &err);

	if (report == NULL) {
		fprintf(stderr, "%s: %s\n", program, err.msg);
		return EXIT_FAILED;
	}
	if (is_json) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_json_print(&text, report, LT_JSON_INDENTED);
		printf("%s\n", text.p);
	} else {
		print_report(report);
	}
	return lt_json_get(report, "failed")->valueint == 0 ? EXIT_PASSED : EXIT_FAILED;
}

/*
 * Without the caches of each thread, which keep freed memory that would look
 * like a leak: a setting of the C library, read when a program begins.
 */
static void begin_exact(char **command)
{
	if (getenv(TUNABLES) == NULL) {
		setenv(TUNABLES, "glibc.malloc.tcache_count=0", 1);
		execv("/proc/self/exe", command); /* when it fails, it goes on inexactly */
	}
}

int lt_main_check(char **command, int argc, char **argv)
{
	const char *program = basename(command[0]);
	struct lt_check_opts opts = { 0 };
	struct lt_args args = { 0 };
	bool is_json = false;
	int i = 0, status;
	char *path;

	begin_exact(command);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0) {
			is_json = true;
		} else if (strcmp(argv[i], "--fixture") == 0 && i + 1 < argc) {
			opts.fixture = argv[++i];
		} else if (strncmp(argv[i], "--fixture=", strlen("--fixture=")) == 0) {
			opts.fixture = argv[i] + strlen("--fixture=");
		} else {
			break;
		}
	}
	if (i >= argc || argv[i][0] == '-') {
		fprintf(stderr, "%s: usage: %s\n", program, usage);
		return EXIT_USAGE;
	}
	path = realpath(argv[i], NULL);
	if (path == NULL) {
		fprintf(stderr, "%s: %s: %s\n", program, argv[i], strerror(errno));
		return EXIT_USAGE;
	}
	for (i++; i < argc; i++) {
		lt_args_add(&args, lt_str_from(argv[i]));
	}
	opts.path = path;
	opts.args = &args;
	status = run(program, &opts, is_json);
	lt_args_finish(&args);
	free(path);
	return status;
}
