/* livetimingctl recordings list and show: what the daemon has, and what it records now. */
#include <inttypes.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/text.h"

static void add_time(struct lt_buf *buf, int64_t time_s)
{
	time_t at = (time_t)time_s;
	struct tm tm;
	char text[32];

	if (localtime_r(&at, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) > 0) {
		lt_buf_add_c(buf, text);
	}
}

/* "2026-05-16 13:00  6h 0m  UUID  Name - Description  (status)" */
static void print_entry(struct lt_cli *cli, const cJSON *entry, const char *status)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 }, duration = { 0 };

	add_time(&line, lt_cli_number(entry, "startTime"));
	lt_cli_duration(&duration, lt_cli_number(entry, "duration"));
	lt_buf_printf(&line, "  %8.*s  %.*s  %.*s - %.*s", LT_STR_ARG(lt_buf_str(&duration)),
			LT_STR_ARG(lt_cli_member(entry, "uuid")),
			LT_STR_ARG(lt_cli_member(entry, "name")),
			LT_STR_ARG(lt_cli_member(entry, "description")));
	if (status != NULL) {
		lt_buf_printf(&line, "  (%s)", status);
	}
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_buf_str(&line));
	fprintf(cli->out, "%s\n", clean);
}

static void print_list(struct lt_cli *cli, const cJSON *result)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, lt_json_get(result, "inProgress")) {
		LT_AUTO(lt_free) char *status = lt_str_dup(lt_cli_member(entry, "status"));

		print_entry(cli, entry, status);
	}
	cJSON_ArrayForEach(entry, lt_json_get(result, "recordings")) {
		print_entry(cli, entry, NULL);
	}
	if (lt_cli_number(result, "pages") > 1) {
		fprintf(cli->err, "%" PRId64 " recordings on %" PRId64 " pages: see --page\n",
				lt_cli_number(result, "total"), lt_cli_number(result, "pages"));
	}
}

int lt_cmd_recordings_list(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	const char *page = NULL;
	bool hidden = false;
	const struct lt_cli_option options[] = {
		{ .name = "page", .ret_value = &page },
		{ .name = "hidden", .ret_flag = &hidden },
		{ 0 },
	};
	int status;

	if (!lt_cli_options(cli, lt_cli_find("recordings", "list"), &words, options, 0, 1)) {
		return LT_EXIT_USAGE;
	}
	cJSON *args = cJSON_CreateObject();

	if (words.argc > 0) {
		lt_json_add_c(args, "text", words.argv[0]);
	}
	if (page != NULL) {
		lt_json_add_c(args, "page", page);
	}
	lt_json_add_bool(args, "hidden", hidden);
	LT_AUTO(cJSON_Delete)
	cJSON *result = lt_cli_ask_take(cli, "recordings.list", args, &status);
	if (result == NULL) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, result);
	} else {
		print_list(cli, result);
	}
	return LT_EXIT_DONE;
}

int lt_cmd_recordings_show(struct lt_cli *cli, int argc, char **argv)
{
	int status;

	if (!lt_cli_check_args(cli, lt_cli_find("recordings", "show"), argc, argv, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	cJSON *args = cJSON_CreateObject();

	lt_json_add_c(args, "recording", argv[0]);
	LT_AUTO(cJSON_Delete)
	cJSON *result = lt_cli_ask_take(cli, "recordings.show", args, &status);
	if (result == NULL) {
		return status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, result);
	} else {
		lt_cli_print_members(cli, result);
	}
	return LT_EXIT_DONE;
}
