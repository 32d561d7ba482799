/* livetimingctl rectool export: laps, stints and states as CSV or JSON Lines. */
#include <string.h>

#include "base/alloc.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "store/export.h"

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

struct export_args {
	const char *what, *format, *output;
	bool force;
};

struct writer {
	FILE *file;
	bool is_csv;
	struct lt_buf line;
	struct lt_cli_progress progress;
};

/* --- lines --- */

/* RFC 4180: quoted when it has to be, quotes doubled. */
static void add_field(struct lt_buf *line, struct lt_str text)
{
	bool is_plain = true;

	for (size_t i = 0; i < text.n && is_plain; i++) {
		is_plain = !strchr("\",\r\n", text.p[i]);
	}
	if (is_plain) {
		lt_buf_add_str(line, text);
		return;
	}
	lt_buf_add_char(line, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"') {
			lt_buf_add_char(line, '"');
		}
		lt_buf_add_char(line, text.p[i]);
	}
	lt_buf_add_char(line, '"');
}

static void add_csv(struct lt_buf *line, const cJSON *row)
{
	const cJSON *value;

	cJSON_ArrayForEach(value, row) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		if (value != row->child) {
			lt_buf_add_char(line, ',');
		}
		if (cJSON_IsString(value)) {
			add_field(line, lt_str_from(value->valuestring));
		} else if (!cJSON_IsNull(value)) {
			lt_json_print(&text, value, LT_JSON_UTF8);
			add_field(line, lt_buf_str(&text));
		}
	}
}

static bool write_line(struct writer *writer, struct lt_err *err)
{
	lt_buf_add_char(&writer->line, '\n');
	return fwrite(writer->line.p, 1, writer->line.n, writer->file) == writer->line.n ||
			lt_err_errno(err, "cannot write");
}

static bool write_row(void *arg, const cJSON *row, struct lt_err *err)
{
	struct writer *writer = arg;

	lt_buf_clear(&writer->line);
	if (writer->is_csv) {
		add_csv(&writer->line, row);
	} else {
		lt_json_print(&writer->line, row, LT_JSON_UTF8);
	}
	return write_line(writer, err);
}

static bool on_progress(void *arg, size_t done, size_t total)
{
	struct writer *writer = arg;

	return lt_cli_progress_tick(&writer->progress, done, total);
}

/* --- the command --- */

static bool write_all(struct lt_cli *cli, struct lt_recording *recording,
		enum lt_export_table table, struct writer *writer, struct lt_err *err)
{
	const struct lt_export_opts opts = { table, write_row, on_progress, writer };
	bool ok = true;

	if (writer->is_csv) {
		LT_AUTO(cJSON_Delete) cJSON *columns = lt_export_columns(recording, table);

		ok = write_row(writer, columns, err);
	}
	lt_cli_progress_init(&writer->progress, cli, "exporting");
	ok = ok && lt_export(recording, &opts, err);
	lt_cli_progress_finish(&writer->progress);
	lt_buf_finish(&writer->line);
	return ok;
}

/* A usage error is printed. States are a line each in JSON, in CSV a row for each car. */
static bool parse(struct lt_cli *cli, const struct export_args *args,
		enum lt_export_table *ret_table, bool *ret_is_csv)
{
	char quoted[LT_QUOTE_MAX];
	bool is_csv = strcmp(args->format, "csv") == 0;

	if (!is_csv && strcmp(args->format, "jsonl") != 0) {
		lt_cli_usage_error(cli, "--format %s: there are csv and jsonl",
				lt_str_quote(lt_str_from(args->format), quoted));
		return false;
	}
	*ret_is_csv = is_csv;
	if (strcmp(args->what, "laps") == 0) {
		*ret_table = LT_EXPORT_LAPS;
	} else if (strcmp(args->what, "stints") == 0) {
		*ret_table = LT_EXPORT_STINTS;
	} else if (strcmp(args->what, "states") == 0) {
		*ret_table = is_csv ? LT_EXPORT_CARS : LT_EXPORT_STATES;
	} else {
		lt_cli_usage_error(cli, "--what %s: there are laps, stints and states",
				lt_str_quote(lt_str_from(args->what), quoted));
		return false;
	}
	return true;
}

static int export(struct lt_cli *cli, const char *path, const struct export_args *args,
		enum lt_export_table table, bool is_csv)
{
	struct writer writer = { .is_csv = is_csv };
	struct lt_cli_output output;
	struct lt_err err = { 0 };
	LT_AUTO(lt_recording_close)
	struct lt_recording *recording = lt_cli_open_recording(cli, path);

	if (!recording) {
		return LT_EXIT_REFUSED;
	}
	if (!lt_cli_output_open(cli, args->output, args->force, &output, &err)) {
		return lt_cli_fail_output(cli, &err);
	}
	writer.file = output.file;
	if (!write_all(cli, recording, table, &writer, &err)) {
		lt_cli_output_abandon(&output);
		lt_err_prefix(&err, "recording %s", path);
		return lt_cli_fail(cli, &err);
	}
	return lt_cli_output_commit(&output, &err) ? LT_EXIT_DONE : lt_cli_fail_output(cli, &err);
}

int lt_cmd_rectool_export(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	struct export_args args = { .what = "laps", .format = NULL };
	enum lt_export_table table;
	bool is_csv;
	const struct lt_cli_option options[] = {
		{ "what", 'w', NULL, &args.what },
		{ "format", 'F', NULL, &args.format },
		{ "output", 'o', NULL, &args.output },
		{ "force", 'f', &args.force, NULL },
		{ 0 },
	};

	if (!lt_cli_options(cli, lt_cli_find("rectool", "export"), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	if (!args.format) {
		args.format = cli->is_json ? "jsonl" : "csv";
	}
	return parse(cli, &args, &table, &is_csv) ? export(cli, words.argv[0], &args, table, is_csv)
						  : LT_EXIT_USAGE;
}
