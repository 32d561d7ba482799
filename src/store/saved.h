/*
 * State that survives: UUID.json in LIVETIMING_STATE_DIR (the whole state, as
 * the original writes and reads it) and the run list of the daemon. Blocking;
 * the daemon calls it on a worker.
 */
#ifndef LT_STORE_SAVED_H
#define LT_STORE_SAVED_H

#include "base/json.h"

#define LT_STATE_MAX_BYTES (64u * 1024 * 1024)

/* DIR/UUID.json; owned. NULL when the uuid is not a safe file name. */
char *lt_saved_path(const char *state_dir, struct lt_str uuid, struct lt_err *err);

bool lt_saved_write(const char *path, struct lt_str state_json, struct lt_err *err);

/* A state file, checked; the caller owns it. */
cJSON *lt_saved_read(const char *path, struct lt_err *err);

/* UUID of an initial-state file: its base name without extension. Owned. */
char *lt_saved_uuid(const char *path);

#endif
