/*
 * Reader of recordings, zip version 1: manifest.json, key frames TTTTTTTTTTT.json
 * and difference frames TTTTTTTTTTTi.json (an iframe is a difference from the
 * frame before it and cannot stand alone: the reverse of video usage). Blocking:
 * use it on a worker or in a command. One thread at a time.
 */
#ifndef LT_STORE_RECORDING_H
#define LT_STORE_RECORDING_H

#include <stdint.h>

#include "base/json.h"

struct lt_recording;

/* Refuses: not a zip, no manifest, version other than 1, entries that are larger than 64 MiB, no
 * frames. */
struct lt_recording *lt_recording_open(const char *path, struct lt_err *err);
void lt_recording_close(struct lt_recording *recording);

const cJSON *lt_recording_manifest(const struct lt_recording *recording); /* borrowed */
int64_t lt_recording_first(const struct lt_recording *recording);         /* unix seconds */
int64_t lt_recording_last(const struct lt_recording *recording);

/* Times of all frames, ascending, without duplicates; borrowed. */
const int64_t *lt_recording_times(const struct lt_recording *recording, size_t *ret_count);

/*
 * State at a time: the latest key frame at or before it (or the first of all)
 * with the difference frames up to it applied. Reading forwards reuses the
 * state before. The caller owns the result.
 */
cJSON *lt_recording_state_at(struct lt_recording *recording, int64_t time_s, struct lt_err *err);

/*
 * The same for the frame of times[index], without a copy: borrowed until the
 * next call. For walking through a recording, forwards.
 */
const cJSON *lt_recording_frame(struct lt_recording *recording, size_t index, struct lt_err *err);

#endif
