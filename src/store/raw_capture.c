#include "store/raw_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"

#define MAGIC    "LTRAW 1 "
#define LINE_MAX 256

static const char *const kinds[LT_RAW_KIND_COUNT] = {
	[LT_RAW_OPEN] = "open",
	[LT_RAW_UP] = "up",
	[LT_RAW_DOWN] = "down",
	[LT_RAW_DATA] = "data",
	[LT_RAW_FROM] = "from",
	[LT_RAW_TEXT] = "text",
	[LT_RAW_BINARY] = "binary",
	[LT_RAW_HTTP] = "http",
};

const char *lt_raw_kind_name(enum lt_raw_kind kind)
{
	return kinds[kind];
}

/* --- writing --- */

void lt_raw_write_header(struct lt_buf *buf, const cJSON *header)
{
	lt_buf_add_c(buf, MAGIC);
	lt_json_print(buf, header, LT_JSON_UTF8);
	lt_buf_add_char(buf, '\n');
}

void lt_raw_write_record(struct lt_buf *buf, const struct lt_raw_record *record)
{
	lt_buf_printf(buf, "+%" PRId64 " %" PRIu32 " %s %zu", record->at_us, record->stream,
			kinds[record->kind], record->bytes.n);
	if (record->attribute.n > 0) {
		lt_buf_add_char(buf, ' ');
		lt_buf_add_str(buf, record->attribute);
	}
	lt_buf_add_char(buf, '\n');
	lt_buf_add_str(buf, record->bytes);
	lt_buf_add_char(buf, '\n');
}

/* --- reading --- */

struct lt_raw_reader {
	FILE *file;
	char *path;
	cJSON *header;
	char line[LINE_MAX];
	struct lt_buf bytes;
	uint64_t offset, number; /* of the next record */
};

void lt_raw_close(struct lt_raw_reader *reader)
{
	if (reader) {
		if (reader->file) {
			fclose(reader->file);
		}
		cJSON_Delete(reader->header);
		lt_buf_finish(&reader->bytes);
		lt_free(reader->path);
		lt_free(reader);
	}
}

/* Up to the line end, which is not part of it; false: none within the bound. */
static bool read_line(FILE *file, struct lt_buf *line, size_t max)
{
	int c;

	while ((c = getc(file)) != EOF && c != '\n' && line->n < max) {
		lt_buf_add_char(line, (char)c);
	}
	return c == '\n';
}

static bool read_header(struct lt_raw_reader *reader, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
	struct lt_str text;

	if (!read_line(reader->file, &line, LT_RAW_HEADER_MAX)) {
		return ferror(reader->file) ? lt_err_errno(err, "cannot read %s", reader->path)
					    : lt_err_set(err, LT_E_FORMAT, "%s is no raw capture",
							      reader->path);
	}
	text = lt_buf_str(&line);
	reader->offset = text.n + 1;
	if (!lt_str_starts(text, LT_STR(MAGIC))) {
		return lt_err_set(err, LT_E_FORMAT,
				lt_str_starts(text, LT_STR("LTRAW "))
						? "%s is a raw capture of another version"
						: "%s is no raw capture",
				reader->path);
	}
	reader->header = lt_json_parse(lt_str_skip(text, strlen(MAGIC)), err);
	if (!reader->header) {
		return lt_err_prefix(err, "%s: header", reader->path);
	}
	return cJSON_IsObject(reader->header) ||
			lt_err_set(err, LT_E_FORMAT, "%s: header: not an object", reader->path);
}

struct lt_raw_reader *lt_raw_open(const char *path, struct lt_err *err)
{
	struct lt_raw_reader *reader = lt_zalloc(sizeof(*reader));

	reader->path = lt_strdup(path);
	reader->file = fopen(path, "re");
	if (!reader->file) {
		lt_err_errno(err, "cannot open %s", path);
		lt_raw_close(reader);
		return NULL;
	}
	if (!read_header(reader, err)) {
		lt_raw_close(reader);
		return NULL;
	}
	return reader;
}

const cJSON *lt_raw_header(const struct lt_raw_reader *reader)
{
	return reader->header;
}

static bool parse_kind(struct lt_str name, enum lt_raw_kind *ret_kind)
{
	for (int i = 0; i < LT_RAW_KIND_COUNT; i++) {
		if (lt_str_eq_c(name, kinds[i])) {
			*ret_kind = (enum lt_raw_kind)i;
			return true;
		}
	}
	return false;
}

/* "+1234 1 data 27 attribute" */
static bool parse_line(struct lt_str line, struct lt_raw_record *record, struct lt_err *err)
{
	struct lt_str rest = line, at = lt_str_split(&rest, ' '), stream = lt_str_split(&rest, ' '),
		      kind = lt_str_split(&rest, ' '), size = lt_str_split(&rest, ' ');
	int64_t number, bytes;

	if (at.n < 2 || at.p[0] != '+' ||
			!lt_parse_i64(lt_str_skip(at, 1), 0, INT64_MAX, &record->at_us, err)) {
		return lt_err_set(err, LT_E_FORMAT, "its line has no time");
	}
	if (!lt_parse_i64(stream, 1, LT_RAW_STREAMS_MAX, &number, err)) {
		return lt_err_prefix(err, "stream");
	}
	if (!parse_kind(kind, &record->kind)) {
		return lt_err_set(err, LT_E_FORMAT, "unknown kind");
	}
	if (!lt_parse_i64(size, 0, LT_RAW_BYTES_MAX, &bytes, err)) {
		return lt_err_prefix(err, "size");
	}
	record->stream = (uint32_t)number;
	record->bytes.n = (size_t)bytes;
	record->attribute = rest.p ? rest : (struct lt_str){ "", 0 };
	return true;
}

/* The bytes of the record and the line end behind them. */
static enum lt_raw_result read_bytes(
		struct lt_raw_reader *reader, struct lt_raw_record *record, struct lt_err *err)
{
	int c;

	lt_buf_clear(&reader->bytes);
	lt_buf_reserve(&reader->bytes, record->bytes.n + 1);
	if (fread(reader->bytes.p, 1, record->bytes.n, reader->file) != record->bytes.n) {
		return LT_RAW_CUT;
	}
	c = getc(reader->file);
	if (c == EOF) {
		return LT_RAW_CUT;
	}
	if (c != '\n') {
		lt_err_set(err, LT_E_FORMAT, "it does not end where its line says");
		return LT_RAW_BAD;
	}
	record->bytes.p = reader->bytes.p;
	return LT_RAW_GOT;
}

enum lt_raw_result lt_raw_next(
		struct lt_raw_reader *reader, struct lt_raw_record *ret_record, struct lt_err *err)
{
	struct lt_raw_record record = { .offset = reader->offset };
	enum lt_raw_result result;
	size_t n = 0;
	int c;

	while ((c = getc(reader->file)) != EOF && c != '\n' && n < sizeof(reader->line)) {
		reader->line[n++] = (char)c;
	}
	if (c == EOF) {
		if (ferror(reader->file)) {
			lt_err_errno(err, "cannot read %s", reader->path);
			return LT_RAW_BAD;
		}
		return n == 0 ? LT_RAW_END : LT_RAW_CUT;
	}
	reader->number++;
	result = LT_RAW_BAD;
	if (c != '\n') {
		lt_err_set(err, LT_E_FORMAT, "its line is too long");
	} else if (parse_line((struct lt_str){ reader->line, n }, &record, err)) {
		result = read_bytes(reader, &record, err);
	}
	if (result == LT_RAW_BAD) {
		lt_err_prefix(err, "%s: record %" PRIu64 " at byte %" PRIu64, reader->path,
				reader->number, record.offset);
		return result;
	}
	if (result == LT_RAW_GOT) {
		reader->offset += n + 1 + record.bytes.n + 1;
		*ret_record = record;
	}
	return result;
}
