/* What a feed says, whole and damaged, to whatever the plugin opened. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/check/plugin_check_priv.h"

#define STREAMS  4u
#define PIECE_US (200 * LT_US_PER_MS) /* between two pieces */

/* What a link is told when its server goes away, and what a server that is ill answers. */
static void add_trouble(struct lt_buf *text, struct lt_raw_record record)
{
	static const struct {
		enum lt_raw_kind kind;
		const char *attribute, *bytes;
	} trouble[] = {
		{ LT_RAW_DOWN, "", "the server closed the connection" },
		{ LT_RAW_HTTP, "0", "no connection" },
		{ LT_RAW_HTTP, "500", "<html>Internal Server Error</html>" },
		{ LT_RAW_HTTP, "404", "" },
		{ LT_RAW_HTTP, "204", "" },
		{ LT_RAW_UP, "", "" },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(trouble); i++) {
		record.kind = trouble[i].kind;
		record.attribute = lt_str_from(trouble[i].attribute);
		record.bytes = lt_str_from(trouble[i].bytes);
		lt_raw_write_record(text, &record);
	}
}

/* A piece to a stream, whichever kind of link it is: the others' kinds pass it by. */
static void add_piece(struct lt_buf *text, struct lt_raw_record record, struct lt_str piece)
{
	static const struct {
		enum lt_raw_kind kind;
		const char *attribute;
	} kinds[] = {
		{ LT_RAW_DATA, "" },
		{ LT_RAW_FROM, "127.0.0.1:40071" },
		{ LT_RAW_TEXT, "" },
		{ LT_RAW_BINARY, "" },
		{ LT_RAW_HTTP, "200" },
	};

	record.bytes = piece;
	for (size_t i = 0; i < LT_ARRAY_LEN(kinds); i++) {
		record.kind = kinds[i].kind;
		record.attribute = lt_str_from(kinds[i].attribute);
		lt_raw_write_record(text, &record);
	}
}

char *lt_check_capture(const struct lt_check *check, const struct lt_check_pieces *pieces,
		size_t pieces_max)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	char *path = lt_check_path(check, "feed.raw");
	size_t n = LT_MIN(pieces->n, pieces_max);
	cJSON *header = cJSON_CreateObject();

	lt_raw_write_header(&text, header);
	cJSON_Delete(header);
	for (size_t i = 0; i < n; i++) {
		struct lt_raw_record record = { .at_us = (int64_t)i * PIECE_US };

		for (record.stream = 1; record.stream <= STREAMS; record.stream++) {
			if (i == n / 2 || i == 0) {
				add_trouble(&text, record);
			}
			add_piece(&text, record, lt_buf_str(&pieces->list[i]));
		}
	}
	lt_file_replace(path, lt_buf_str(&text), 0600, NULL);
	return path;
}

static void say_what_came(
		struct lt_check *check, const struct lt_check_run *run, const char *before)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	cJSON *counters = lt_host_counters(run->host);
	const cJSON *counter;

	lt_buf_printf(&text, "%s; %llu state%s", before, (unsigned long long)run->states,
			run->states == 1 ? "" : "s");
	cJSON_ArrayForEach(counter, counters) {
		lt_buf_printf(&text, ", %s %.0f", counter->string, counter->valuedouble);
	}
	lt_check_say(check, "%s", text.p);
	cJSON_Delete(counters);
}

/* Live through a capture. True: it came to its end. */
static bool live_through(struct lt_check *check, struct lt_check_run *run, const char *capture)
{
	struct lt_args args = { 0 };
	bool ok;

	lt_check_args(check, &args);
	ok = lt_check_run_create(run, check, &args, capture) && lt_check_run_start(run);
	if (ok) {
		lt_check_run_through(run);
	}
	lt_args_finish(&args);
	return ok && !run->has_failed;
}

void lt_check_damaged(struct lt_check *check, enum lt_damage damage)
{
	struct lt_check_pieces pieces = { 0 };
	LT_AUTO(lt_free) char *capture = NULL;
	struct lt_check_run run;
	char before[80];

	if (!lt_check_open(check)) {
		return;
	}
	lt_check_damage(check->feed, damage, &pieces);
	capture = lt_check_capture(check, &pieces, SIZE_MAX);
	lt_check_write_input(check, &pieces);
	check->is_damaged = true;
	lt_check_doing(check, "on %s input", lt_damage_name(damage));
	if (!live_through(check, &run, capture)) {
		lt_check_say(check, "it gave up: %.200s", run.reason);
		if (run.host != NULL && lt_check_run_streams(&run) > 0) {
			lt_check_find(check, LT_CHECK_WARNING,
					"it gave up on %s input, where it should skip and count: %.200s",
					lt_damage_name(damage), run.reason);
		}
	} else {
		uint32_t streams = lt_check_run_streams(&run);

		snprintf(before, sizeof(before), "%zu pieces to %u link%s", pieces.n, streams,
				streams == 1 ? "" : "s");
		say_what_came(check, &run, before);
	}
	lt_check_run_finish(&run);
	lt_check_pieces_finish(&pieces);
}

/* The fixture as it is: a raw capture is played, a file of lines goes to every link. */
void lt_check_fixture(struct lt_check *check)
{
	LT_AUTO(lt_free) char *made = NULL;
	struct lt_raw_reader *reader;
	struct lt_check_run run;

	if (!lt_check_open(check)) {
		return;
	}
	reader = lt_raw_open(check->opts->fixture, NULL);
	if (reader == NULL) {
		made = lt_check_capture(check, check->feed, SIZE_MAX);
	}
	lt_raw_close(reader);
	lt_check_doing(check, "on its fixture");
	if (!live_through(check, &run, made ? made : check->opts->fixture)) {
		lt_check_find(check, LT_CHECK_FAILED, "it gave up on its fixture: %.200s",
				run.reason);
	} else if (run.states == 0) {
		lt_check_find(check, LT_CHECK_FAILED, "it published nothing of its fixture");
	} else {
		say_what_came(check, &run, "read whole");
	}
	lt_check_run_finish(&run);
}
