#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "services/plugin/raw_input.h"

#define BATCH_RECORDS 512
#define BATCH_BYTES   (1u << 20)
#define TURN_RECORDS  200 /* a record takes a plugin some microseconds */

/* Records in the order of the file; their texts stand in `texts`, one behind the other. */
struct batch {
	struct lt_raw_record records[BATCH_RECORDS];
	size_t n, next;
	struct lt_buf texts;
};

struct stream {
	lt_raw_play_fn *play; /* NULL: closed, or not open yet */
	void *arg;
};

struct lt_raw_player {
	struct lt_raw_player_env env;
	char *path;
	struct stream streams[LT_RAW_STREAMS_MAX];
	uint32_t opened;
	uint64_t left_out; /* records of streams that are not open */
	struct batch *now;
	struct lt_timer timer;
	int64_t started_us, clock_us, epoch_us; /* started_us 0: nothing read yet */
	bool is_reading, is_closing, is_started, has_ended;
	/* The worker's while is_reading. */
	struct lt_raw_reader *reader;
	struct batch *ahead;
	enum lt_raw_result result; /* of the last reading; LT_RAW_GOT: there is more */
	struct lt_err err;
};

struct lt_raw_player *lt_raw_player_create(const struct lt_raw_player_env *env)
{
	struct lt_raw_player *player = lt_zalloc(sizeof(*player));

	player->env = *env;
	player->path = lt_strdup(env->path);
	player->now = lt_zalloc(sizeof(*player->now));
	player->ahead = lt_zalloc(sizeof(*player->ahead));
	return player;
}

static void free_batch(struct batch *batch)
{
	lt_buf_finish(&batch->texts);
	lt_free(batch);
}

static void free_player(struct lt_raw_player *player)
{
	lt_raw_close(player->reader);
	free_batch(player->now);
	free_batch(player->ahead);
	lt_free(player->path);
	lt_free(player);
}

void lt_raw_player_destroy(struct lt_raw_player *player)
{
	if (!player) {
		return;
	}
	lt_timer_cancel(&player->timer);
	player->is_closing = true;
	if (!player->is_reading) {
		free_player(player);
	}
}

/* --- the worker --- */

/* The buffer moves while it grows, so texts get their places in the end. */
static void place_texts(struct batch *batch)
{
	const char *p = batch->texts.p;

	for (size_t i = 0; i < batch->n; i++) {
		batch->records[i].attribute.p = p;
		p += batch->records[i].attribute.n;
		batch->records[i].bytes.p = p;
		p += batch->records[i].bytes.n;
	}
}

static void read_batch(void *arg)
{
	struct lt_raw_player *player = arg;
	struct batch *batch = player->ahead;

	batch->n = batch->next = 0;
	lt_buf_clear(&batch->texts);
	if (!player->reader) {
		player->reader = lt_raw_open(player->path, &player->err);
		if (!player->reader) {
			player->result = LT_RAW_BAD;
			return;
		}
	}
	while (batch->n < BATCH_RECORDS && batch->texts.n < BATCH_BYTES) {
		struct lt_raw_record record;

		player->result = lt_raw_next(player->reader, &record, &player->err);
		if (player->result != LT_RAW_GOT) {
			break;
		}
		lt_buf_add_str(&batch->texts, record.attribute);
		lt_buf_add_str(&batch->texts, record.bytes);
		batch->records[batch->n++] = record;
	}
	place_texts(batch);
}

/* --- the loop --- */

static void play(void *arg);

static void batch_read(void *arg)
{
	struct lt_raw_player *player = arg;

	player->is_reading = false;
	if (player->is_closing) {
		free_player(player);
		return;
	}
	if (player->started_us == 0) {
		int64_t started_ms = 0;

		player->started_us = lt_loop_now(player->env.loop).us;
		if (player->reader) {
			lt_json_opt_int(lt_raw_header(player->reader), "startedAt", 0,
					INT64_MAX / 1000, &started_ms, NULL);
		}
		player->epoch_us = started_ms * 1000;
	}
	play(player);
}

static void read_ahead(struct lt_raw_player *player)
{
	if (!player->is_reading) {
		player->is_reading = true;
		lt_loop_work(player->env.loop, read_batch, batch_read, player);
	}
}

void lt_raw_player_start(struct lt_raw_player *player)
{
	player->is_started = true;
	read_ahead(player);
}

static void end(struct lt_raw_player *player)
{
	bool is_error = player->result == LT_RAW_BAD;
	char reason[sizeof(player->err.msg)];

	if (player->has_ended) {
		return;
	}
	player->has_ended = true;
	if (player->left_out > 0) {
		lt_log(&player->env.log, LT_WARN,
				"the plugin had not opened what parts of the capture belong to",
				"records=%" PRIu64, player->left_out);
	}
	snprintf(reason, sizeof(reason), "%s",
			is_error ? player->err.msg
					: player->result == LT_RAW_CUT
					? "the capture ends in the middle of a record"
					: "the capture has ended");
	player->env.ended(player->env.arg, is_error, reason);
}

/* The batch that is due; false: it is still being read, or there is no more. */
static bool turn_over(struct lt_raw_player *player)
{
	struct batch *read = player->ahead;

	if (player->now->next < player->now->n) {
		return true;
	}
	if (player->is_reading) {
		return false;
	}
	if (read->n == 0 || read->next > 0) {
		if (player->result != LT_RAW_GOT) {
			end(player);
		} else {
			read_ahead(player);
		}
		return false;
	}
	player->ahead = player->now;
	player->now = read;
	player->ahead->n = 0;
	if (player->result == LT_RAW_GOT) {
		read_ahead(player);
	}
	return true;
}

static int64_t due_us(const struct lt_raw_player *player)
{
	int64_t since_us = lt_loop_now(player->env.loop).us - player->started_us;

	return (int64_t)((double)since_us * player->env.speed);
}

static void give(struct lt_raw_player *player, const struct lt_raw_record *record)
{
	const struct stream *stream = &player->streams[record->stream - 1];

	player->clock_us = LT_MAX(player->clock_us, record->at_us);
	if (record->kind == LT_RAW_OPEN) {
		return;
	}
	if (stream->play) {
		stream->play(stream->arg, record);
	} else {
		player->left_out++;
	}
}

static void play(void *arg)
{
	struct lt_raw_player *player = arg;
	int64_t now_us = due_us(player);

	for (int i = 0; i < TURN_RECORDS; i++) {
		const struct lt_raw_record *record;

		if (!turn_over(player)) {
			return; /* played on when the next batch has come */
		}
		record = &player->now->records[player->now->next];
		if (record->at_us > now_us) {
			double wait_us = (double)(record->at_us - now_us) / player->env.speed;

			lt_timer_once(&player->timer, player->env.loop,
					(int64_t)(wait_us / 1000.0) + 1, play, player);
			return;
		}
		player->now->next++;
		give(player, record);
	}
	lt_timer_once(&player->timer, player->env.loop, 1, play, player);
}

uint32_t lt_raw_player_open(struct lt_raw_player *player, lt_raw_play_fn *fn, void *arg)
{
	if (player->opened == LT_RAW_STREAMS_MAX) {
		return 0;
	}
	player->streams[player->opened] = (struct stream){ fn, arg };
	return ++player->opened;
}

void lt_raw_player_close(struct lt_raw_player *player, uint32_t stream)
{
	if (stream > 0 && stream <= player->opened) {
		player->streams[stream - 1] = (struct stream){ 0 };
	}
}

double lt_raw_player_speed(const struct lt_raw_player *player)
{
	return player->env.speed;
}

int64_t lt_raw_player_now_us(const struct lt_raw_player *player)
{
	const struct batch *batch = player->now;

	if (player->started_us == 0) {
		return 0;
	}
	/* When behind, the time is that of the last record; never beyond the next one. */
	if (batch->next < batch->n) {
		return LT_MAX(player->clock_us,
				LT_MIN(due_us(player), batch->records[batch->next].at_us));
	}
	return player->has_ended ? LT_MAX(player->clock_us, due_us(player)) : player->clock_us;
}

int64_t lt_raw_player_epoch_us(const struct lt_raw_player *player)
{
	return player->epoch_us;
}
