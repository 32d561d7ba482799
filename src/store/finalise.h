/*
 * From the journal of a recording in progress to the zip that is kept, and
 * perhaps the analysis file beside it. Blocking for seconds: belongs on a
 * worker.
 *
 * The archive is written to a hidden file of the recordings directory, synced,
 * and given its name without ever replacing another: UUID.zip, UUID_1.zip (and
 * then the uuid of its manifest is "UUID:1"), and so on. Then the journal is
 * removed. Interrupted at any point, the call can be repeated: an archive that
 * already has its name is recognised by its comment, a digest of the frames.
 */
#ifndef LT_STORE_FINALISE_H
#define LT_STORE_FINALISE_H

#include "base/json.h"
#include "store/fileops.h"

#define LT_RECORDING_MODE 0664

struct lt_finalise_opts {
	const char *journal_path;
	const char *directory; /* where recordings are kept; exists */
	const char *file_name; /* this one and no other; NULL: by the uuid */
	/* NAME.json beside the archive, borrowed, NULL: none. "uuid" in its "service" follows the
	 * name. */
	const cJSON *analysis;
	const struct lt_fileops *ops; /* NULL: the system */
	/* Called now and then; false cancels, which leaves the journal as it was. */
	bool (*progress)(void *arg, size_t done_frames, size_t all_frames);
	void *arg;
};

/*
 * On success *ret_name (if ret_name is not NULL) is the name of the archive in
 * the directory; owned, free with lt_free. Errors: LT_E_NOT_FOUND the journal
 * is not there, LT_E_INVALID no frames, no manifest, or a uuid that cannot be a
 * file name, LT_E_EXISTS file_name is taken, LT_E_UNAVAILABLE cancelled, or the
 * journal is being written, LT_E_IO or LT_E_DENIED the disk. The journal stays
 * on every error.
 */
bool lt_finalise(const struct lt_finalise_opts *opts, char **ret_name, struct lt_err *err);

/*
 * Is the archive of this journal in the directory already? Then a crash came
 * between naming it and removing the journal; lt_finalise completes that.
 */
bool lt_finalise_is_published(const char *journal_path, const char *directory);

#endif
