/*
 * The directory of recordings in progress (LIVETIMING_RECORDINGS_TEMP_DIR):
 * names of journals, and what an earlier run left there: journals, and
 * directories of single frames as the original keeps them. Blocking; belongs
 * on a worker or at start.
 */
#ifndef LT_STORE_TEMPDIR_H
#define LT_STORE_TEMPDIR_H

#include "base/str.h"
#include "store/fileops.h"

/*
 * Path for a new journal of a service: DIR/UUID.journal, UUID_1.journal, ...,
 * the first that does not exist. Owned, free with lt_free. NULL with
 * LT_E_INVALID for a uuid that cannot be a file name.
 */
char *lt_tempdir_journal(const char *directory, struct lt_str uuid, struct lt_err *err);

/*
 * Turn a directory of the original (manifest.json and frames, one a file) into
 * a journal, and remove it. Files that cannot be read as JSON are skipped, and
 * so are differences behind one until the next key frame; *ret_skipped, if not
 * NULL, is their number. Interrupted, it can be repeated. `ops` NULL is the
 * system. Errors: LT_E_INVALID no frames; the directory stays then.
 */
bool lt_tempdir_adopt(const char *frames_directory, const struct lt_fileops *ops,
		size_t *ret_skipped, struct lt_err *err);

/*
 * At start: adopt every directory of frames, then call `found` for each
 * journal, in the order of their names. `problem` is told, in a sentence, of
 * what had to be left as it is. Fails only when the directory cannot be read.
 */
bool lt_tempdir_scan(const char *directory, const struct lt_fileops *ops,
		void (*found)(void *arg, const char *journal_path),
		void (*problem)(void *arg, const char *sentence), void *arg, struct lt_err *err);

/*
 * At start, before anything else writes there: remove the hidden ".NAME.part"
 * files that a crash left in the directory of recordings. Parts of journals,
 * which an interrupted adoption still needs, stay.
 */
bool lt_tempdir_sweep(const char *directory, const struct lt_fileops *ops, struct lt_err *err);

#endif
