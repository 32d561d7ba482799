/* livetimingctl raw: look at raw captures, cut them, take private things out. Needs no daemon. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fsutil.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/text.h"
#include "store/raw_filter.h"

#define FILTER_BYTES_MAX (1u << 20)
#define SHOWN_BYTES      60

LT_DEFINE_AUTO(struct lt_raw_reader, lt_raw_close);
LT_DEFINE_AUTO(struct lt_raw_filter, lt_raw_filter_destroy);

/* The next record; false: the end, or a mistake, which is printed and sets *ret_status. */
static bool next_record(struct lt_cli *cli, struct lt_raw_reader *reader,
		struct lt_raw_record *record, int *ret_status)
{
	struct lt_err err = { 0 };

	switch (lt_raw_next(reader, record, &err)) {
	case LT_RAW_GOT:
		return true;
	case LT_RAW_END:
		break;
	case LT_RAW_CUT:
		fprintf(cli->err, "%s: the capture ends in the middle of a record\n", cli->program);
		break;
	case LT_RAW_BAD:
		*ret_status = lt_cli_fail(cli, &err);
		break;
	}
	return false;
}

/* --- inspect --- */

struct stream {
	struct lt_buf what; /* as the capture names it */
	uint64_t records, bytes;
};

struct sums {
	struct stream streams[LT_RAW_STREAMS_MAX];
	uint64_t records, bytes;
	int64_t last_us, longest_gap_us, gap_at_us;
};

static void finish_sums(struct sums *sums)
{
	for (size_t i = 0; i < LT_RAW_STREAMS_MAX; i++) {
		lt_buf_finish(&sums->streams[i].what);
	}
}

static void add_record(struct sums *sums, const struct lt_raw_record *record)
{
	struct stream *stream = &sums->streams[record->stream - 1];

	if (record->at_us - sums->last_us > sums->longest_gap_us) {
		sums->longest_gap_us = record->at_us - sums->last_us;
		sums->gap_at_us = sums->last_us;
	}
	sums->last_us = LT_MAX(sums->last_us, record->at_us);
	sums->records++;
	if (record->kind == LT_RAW_OPEN) {
		lt_buf_clear(&stream->what);
		lt_buf_add_str(&stream->what, record->bytes);
		return;
	}
	stream->records++;
	stream->bytes += record->bytes.n;
	sums->bytes += record->bytes.n;
}

static void print_record(struct lt_cli *cli, const struct lt_raw_record *record)
{
	struct lt_str shown = record->bytes;

	shown.n = LT_MIN(shown.n, (size_t)SHOWN_BYTES);
	LT_AUTO(lt_free) char *text = lt_cli_clean(shown);
	LT_AUTO(lt_free) char *attribute = lt_cli_clean(record->attribute);

	fprintf(cli->out, "%12.6f  %2" PRIu32 "  %-6s %7zu  %s%s%s%s\n",
			(double)record->at_us / 1e6, record->stream, lt_raw_kind_name(record->kind),
			record->bytes.n, attribute, attribute[0] ? "  " : "", text,
			shown.n < record->bytes.n ? "..." : "");
}

static cJSON *sums_json(const struct sums *sums, const cJSON *header)
{
	cJSON *json = cJSON_Duplicate(header, true);
	cJSON *streams = cJSON_CreateArray();

	for (size_t i = 0; i < LT_RAW_STREAMS_MAX; i++) {
		const struct stream *stream = &sums->streams[i];
		cJSON *entry;

		if (stream->what.n == 0 && stream->records == 0) {
			continue;
		}
		entry = lt_json_parse(lt_buf_str(&stream->what), NULL);
		entry = cJSON_IsObject(entry) ? entry : cJSON_CreateObject();
		lt_json_add_int(entry, "stream", (int64_t)i + 1);
		lt_json_add_int(entry, "records", (int64_t)stream->records);
		lt_json_add_int(entry, "bytes", (int64_t)stream->bytes);
		cJSON_AddItemToArray(streams, entry);
	}
	lt_json_add_int(json, "records", (int64_t)sums->records);
	lt_json_add_int(json, "bytes", (int64_t)sums->bytes);
	cJSON_AddNumberToObject(json, "seconds", (double)sums->last_us / 1e6);
	cJSON_AddNumberToObject(json, "longestGap", (double)sums->longest_gap_us / 1e6);
	cJSON_AddNumberToObject(json, "longestGapAt", (double)sums->gap_at_us / 1e6);
	lt_json_set_take(json, "streams", streams);
	return json;
}

static void print_sums(struct lt_cli *cli, const cJSON *json)
{
	static const char *const titles[] = { ">STREAM", "TYPE", "TO", ">RECORDS", ">BYTES" };
	struct lt_cli_table *table = lt_cli_table_create(titles, LT_ARRAY_LEN(titles));
	LT_AUTO(lt_free) char *plugin = lt_cli_clean(lt_cli_member(json, "plugin"));
	LT_AUTO(lt_free) char *version = lt_cli_clean(lt_cli_member(json, "version"));
	int64_t started_ms = 0;
	char started[LT_WALL_TEXT] = "";
	const cJSON *entry;

	if (lt_json_opt_int(json, "startedAt", 0, INT64_MAX / 1000, &started_ms, NULL)) {
		lt_wall_format((struct lt_wall){ started_ms * 1000 }, started);
	}
	fprintf(cli->out,
			"plugin       %s %s\nstarted      %s\nseconds      %.3f\nrecords      %d\n"
			"longest gap  %.3f s, at %.3f\n\n",
			plugin, version, started, lt_json_get(json, "seconds")->valuedouble,
			lt_json_get(json, "records")->valueint,
			lt_json_get(json, "longestGap")->valuedouble,
			lt_json_get(json, "longestGapAt")->valuedouble);
	cJSON_ArrayForEach(entry, lt_json_get(json, "streams")) {
		lt_cli_table_add_int(table, lt_json_get(entry, "stream")->valueint);
		lt_cli_table_add(table, lt_cli_member(entry, "type"));
		lt_cli_table_add(table, lt_cli_member(entry, "to"));
		lt_cli_table_add_int(table, lt_json_get(entry, "records")->valueint);
		lt_cli_table_add_int(table, (int64_t)lt_json_get(entry, "bytes")->valuedouble);
	}
	lt_cli_table_print(table, cli->out);
	lt_cli_table_destroy(table);
}

int lt_cmd_raw_inspect(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	bool all = false;
	const struct lt_cli_option options[] = { { "records", 'r', &all, NULL }, { 0 } };
	struct sums sums = { 0 };
	struct lt_raw_record record;
	struct lt_err err = { 0 };
	int status = LT_EXIT_DONE;

	if (!lt_cli_options(cli, lt_cli_find("raw", "inspect"), &words, options, 1, 1)) {
		return LT_EXIT_USAGE;
	}
	LT_AUTO(lt_raw_close) struct lt_raw_reader *reader = lt_raw_open(words.argv[0], &err);
	if (!reader) {
		return lt_cli_fail(cli, &err);
	}
	while (next_record(cli, reader, &record, &status)) {
		add_record(&sums, &record);
		if (all && !cli->is_json) {
			print_record(cli, &record);
		}
	}
	LT_AUTO(cJSON_Delete) cJSON *json = sums_json(&sums, lt_raw_header(reader));
	finish_sums(&sums);
	if (cli->is_json) {
		lt_cli_print_json(cli, json);
	} else if (!all) {
		print_sums(cli, json);
	}
	return status;
}

/* --- cut --- */

struct cut {
	int64_t from_us, to_us;
	/* The link of a stream before the part begins: a plugin is told so first. */
	bool is_up[LT_RAW_STREAMS_MAX];
	bool has_begun;
};

static bool parse_seconds(struct lt_cli *cli, const char *word, const char *name, int64_t *ret_us)
{
	double seconds;

	if (!word) {
		return true;
	}
	if (!lt_parse_double(lt_str_from(word), &seconds, NULL) ||
			!(seconds >= 0 && seconds <= 1e9)) {
		lt_cli_usage_error(
				cli, "--%s: expected seconds from the start of the capture", name);
		return false;
	}
	*ret_us = (int64_t)(seconds * 1e6);
	return true;
}

static void begin_part(struct cut *cut, struct lt_buf *buf)
{
	for (uint32_t i = 0; i < LT_RAW_STREAMS_MAX; i++) {
		if (cut->is_up[i]) {
			lt_raw_write_record(buf,
					&(struct lt_raw_record){
							.stream = i + 1, .kind = LT_RAW_UP });
		}
	}
	cut->has_begun = true;
}

static void cut_record(struct cut *cut, struct lt_raw_record record, struct lt_buf *buf)
{
	if (record.kind == LT_RAW_OPEN) { /* all of them: streams are told by their order */
		record.at_us = LT_MAX(record.at_us - cut->from_us, 0);
		lt_raw_write_record(buf, &record);
		return;
	}
	if (record.at_us < cut->from_us) {
		if (record.kind == LT_RAW_UP || record.kind == LT_RAW_DOWN) {
			cut->is_up[record.stream - 1] = record.kind == LT_RAW_UP;
		}
		return;
	}
	if (!cut->has_begun) {
		begin_part(cut, buf);
	}
	record.at_us -= cut->from_us;
	lt_raw_write_record(buf, &record);
}

/* The header of a part, or of a capture without private things. */
static void write_header(const struct lt_raw_reader *reader, int64_t from_us, bool is_scrubbed,
		struct lt_buf *buf)
{
	LT_AUTO(cJSON_Delete) cJSON *header = cJSON_Duplicate(lt_raw_header(reader), true);
	int64_t started_ms = 0;

	if (lt_json_opt_int(header, "startedAt", 0, INT64_MAX / 1000, &started_ms, NULL) &&
			started_ms > 0) {
		lt_json_set_take(header, "startedAt", lt_json_new_int(started_ms + from_us / 1000));
	}
	if (is_scrubbed) {
		cJSON_DeleteItemFromObjectCaseSensitive(header, "args");
		cJSON_DeleteItemFromObjectCaseSensitive(header, "uuid");
	}
	lt_raw_write_header(buf, header);
}

static void write_out(struct lt_cli_output *output, struct lt_buf *buf)
{
	fwrite(buf->p ? buf->p : "", 1, buf->n, output->file);
	lt_buf_clear(buf);
}

static int end_output(struct lt_cli *cli, struct lt_cli_output *output, int status)
{
	struct lt_err err = { 0 };

	if (status != LT_EXIT_DONE) {
		lt_cli_output_abandon(output);
		return status;
	}
	return lt_cli_output_commit(output, &err) ? LT_EXIT_DONE : lt_cli_fail_output(cli, &err);
}

int lt_cmd_raw_cut(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	const char *path = NULL, *from = NULL, *to = NULL;
	bool force = false;
	const struct lt_cli_option options[] = {
		{ "from", '\0', NULL, &from },
		{ "to", '\0', NULL, &to },
		{ "output", 'o', NULL, &path },
		{ "force", 'f', &force, NULL },
		{ 0 },
	};
	struct cut cut = { .to_us = INT64_MAX };
	struct lt_cli_output output;
	struct lt_raw_record record;
	struct lt_err err = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	int status = LT_EXIT_DONE;

	if (!lt_cli_options(cli, lt_cli_find("raw", "cut"), &words, options, 1, 1) ||
			!parse_seconds(cli, from, "from", &cut.from_us) ||
			!parse_seconds(cli, to, "to", &cut.to_us)) {
		return LT_EXIT_USAGE;
	}
	if (cut.to_us <= cut.from_us) {
		return lt_cli_usage_error(cli, "--to is not after --from");
	}
	LT_AUTO(lt_raw_close) struct lt_raw_reader *reader = lt_raw_open(words.argv[0], &err);
	LT_AUTO(lt_free) char *beside = lt_cli_beside(words.argv[0], "_cut.raw");
	if (!reader) {
		return lt_cli_fail(cli, &err);
	}
	if (!lt_cli_output_open(cli, path ? path : beside, force, &output, &err)) {
		return lt_cli_fail_output(cli, &err);
	}
	write_header(reader, cut.from_us, false, &buf);
	while (next_record(cli, reader, &record, &status) && record.at_us <= cut.to_us) {
		cut_record(&cut, record, &buf);
		write_out(&output, &buf);
	}
	write_out(&output, &buf);
	return end_output(cli, &output, status);
}

/* --- scrub --- */

/* What a stream was connected to is private; its type is not. */
static void scrub_open(const struct lt_raw_record *record, struct lt_buf *buf)
{
	LT_AUTO(cJSON_Delete) cJSON *what = lt_json_parse(record->bytes, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_raw_record changed = *record;

	cJSON_DeleteItemFromObjectCaseSensitive(what, "to");
	if (what) {
		lt_json_print(&text, what, LT_JSON_UTF8);
	}
	changed.bytes = lt_buf_str(&text);
	lt_raw_write_record(buf, &changed);
}

static int scrub(struct lt_cli *cli, struct lt_raw_reader *reader, struct lt_raw_filter *filter,
		struct lt_cli_output *output)
{
	LT_AUTO(lt_buf_finish) struct lt_buf buf = { 0 };
	struct lt_raw_record record = { 0 };
	int64_t last_us = 0;
	int status = LT_EXIT_DONE;

	write_header(reader, 0, true, &buf);
	while (next_record(cli, reader, &record, &status)) {
		last_us = record.at_us;
		if (record.kind == LT_RAW_DOWN) {
			record.bytes = LT_STR(""); /* the reason names the address */
		}
		if (record.kind == LT_RAW_OPEN) {
			scrub_open(&record, &buf);
		} else {
			lt_raw_filter_apply(filter, &record, &buf);
		}
		write_out(output, &buf);
	}
	lt_raw_filter_end(filter, last_us, &buf);
	write_out(output, &buf);
	status = end_output(cli, output, status);
	if (status == LT_EXIT_DONE) {
		fprintf(cli->err, "%s: replaced or dropped %" PRIu64 " times\n", cli->program,
				lt_raw_filter_hits(filter));
	}
	return status;
}

int lt_cmd_raw_scrub(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	const char *path = NULL;
	bool force = false;
	const struct lt_cli_option options[] = {
		{ "output", 'o', NULL, &path },
		{ "force", 'f', &force, NULL },
		{ 0 },
	};
	struct lt_cli_output output;
	struct lt_err err = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf rules = { 0 };

	if (!lt_cli_options(cli, lt_cli_find("raw", "scrub"), &words, options, 2, 2)) {
		return LT_EXIT_USAGE;
	}
	if (!lt_file_read(words.argv[1], FILTER_BYTES_MAX, &rules, &err)) {
		return lt_cli_fail(cli, &err);
	}
	LT_AUTO(lt_raw_filter_destroy)
	struct lt_raw_filter *filter = lt_raw_filter_create(lt_buf_str(&rules), &err);
	if (!filter) {
		lt_err_prefix(&err, "filter %s", words.argv[1]);
		return lt_cli_fail(cli, &err);
	}
	LT_AUTO(lt_raw_close) struct lt_raw_reader *reader = lt_raw_open(words.argv[0], &err);
	LT_AUTO(lt_free) char *beside = lt_cli_beside(words.argv[0], "_scrubbed.raw");
	if (!reader) {
		return lt_cli_fail(cli, &err);
	}
	if (!lt_cli_output_open(cli, path ? path : beside, force, &output, &err)) {
		return lt_cli_fail_output(cli, &err);
	}
	return scrub(cli, reader, filter, &output);
}
