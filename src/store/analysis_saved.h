/*
 * The analysis of a live service that survives a restart: UUID.analysis.json in
 * LIVETIMING_ANALYSIS_DIR, in our own format (race/analysis/analysis_save.c);
 * the original's UUID.data.p is private to it and not read. Replaced atomically,
 * so a crash leaves the old file or the new one. Blocking; the daemon calls it
 * on a worker, with text that lt_analysis_save made on the loop.
 */
#ifndef LT_STORE_ANALYSIS_SAVED_H
#define LT_STORE_ANALYSIS_SAVED_H

#include "race/analysis/analysis.h"

#define LT_ANALYSIS_MAX_BYTES (256u * 1024 * 1024)

/* DIR/UUID.analysis.json; owned. NULL when the uuid is not a safe file name. */
char *lt_analysis_saved_path(const char *analysis_dir, struct lt_str uuid, struct lt_err *err);

bool lt_analysis_saved_write(const char *path, struct lt_str saved, struct lt_err *err);

/*
 * An analysis that goes on where the saved one was, or NULL: the caller owns
 * it. LT_E_NOT_FOUND when there is no file, which is no mistake.
 *
 * col_spec  of the service now; borrowed for the call
 */
struct lt_analysis *lt_analysis_saved_read(
		const char *path, const cJSON *col_spec, struct lt_err *err);

#endif
