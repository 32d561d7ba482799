/*
 * What a service's input says, kept in a raw capture (store/raw_capture.h), and
 * a capture played in place of the network.
 *
 * A recorder takes records on the loop and writes them on a worker, twice a
 * second. It never holds up the service: what the disk does not take in time is
 * lost and counted, and after an error it records no more. A file that exists
 * is never touched: FILE.1, FILE.2 ... are taken then.
 *
 * A player reads ahead on a worker and hands records out at their times, divided
 * by the speed. Streams are numbered in the order in which the plugin opens
 * its links, in both directions.
 */
#ifndef LT_SERVICES_PLUGIN_RAW_INPUT_H
#define LT_SERVICES_PLUGIN_RAW_INPUT_H

#include "base/log.h"
#include "base/loop.h"
#include "store/raw_capture.h"

struct lt_raw_recorder;

/* Texts are copied; the header is owned from the call on. No I/O yet. */
struct lt_raw_recorder *lt_raw_recorder_create_take(
		struct lt_loop *loop, struct lt_log log, const char *path, cJSON *header);
/* What was recorded is still written, on a worker. NULL is fine. */
void lt_raw_recorder_destroy(struct lt_raw_recorder *recorder);

/* The number of a new stream; 0: there are too many, it is not recorded. */
uint32_t lt_raw_recorder_open(struct lt_raw_recorder *recorder, const char *type, struct lt_str to);
void lt_raw_recorder_add(struct lt_raw_recorder *recorder, uint32_t stream, enum lt_raw_kind kind,
		struct lt_str attribute, struct lt_str bytes);

struct lt_raw_player;

struct lt_raw_player_env {
	struct lt_loop *loop;
	struct lt_log log;
	const char *path; /* copied */
	double speed;     /* above 0 */
	/* Once, at the end of the file or at its first mistake; reason is a sentence. */
	void (*ended)(void *arg, bool is_error, const char *reason);
	void *arg;
};

/* No I/O yet. */
struct lt_raw_player *lt_raw_player_create(const struct lt_raw_player_env *env);
void lt_raw_player_destroy(struct lt_raw_player *player); /* NULL is fine */
void lt_raw_player_start(struct lt_raw_player *player);

/* The next stream; 0: there are too many. Records that come while none is open are left out. */
typedef void lt_raw_play_fn(void *arg, const struct lt_raw_record *record);
uint32_t lt_raw_player_open(struct lt_raw_player *player, lt_raw_play_fn *fn, void *arg);
void lt_raw_player_close(struct lt_raw_player *player, uint32_t stream);

double lt_raw_player_speed(const struct lt_raw_player *player);
/* Time of the capture, since its start; and its start, unix us, 0: not known (yet). */
int64_t lt_raw_player_now_us(const struct lt_raw_player *player);
int64_t lt_raw_player_epoch_us(const struct lt_raw_player *player);

#endif
