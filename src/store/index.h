/*
 * index.json of a directory of recordings, in the form of the original: one
 * object, a member a recording, {"UUID:1": {"description", "duration",
 * "filename", "name", "startTime", "uuid", "hidden"?, "external"?,
 * "hasAnalysis"?}}. It is a cache of what the archives say, so it can be
 * removed at any time. Everything here reads directories and archives: it
 * belongs on a worker, and two calls for a directory must not overlap.
 */
#ifndef LT_STORE_INDEX_H
#define LT_STORE_INDEX_H

#include "base/json.h"
#include "store/fileops.h"

#define LT_INDEX_NAME "index.json"

/* Beside it: recordings that are elsewhere, {"entries": {"UUID_1.zip": entry}} (services/offload).
 */
#define LT_REMOTE_NAME "remote.json"

struct lt_index_opts {
	const char *directory;
	bool reindex;                 /* read every archive again, not only those not listed */
	const struct lt_fileops *ops; /* NULL: the system */
	/*
	 * Told, in a sentence, of each archive that is left out, of an index that
	 * could not be read (it is made anew) or written (the result is right
	 * nevertheless); may be NULL.
	 */
	void (*problem)(void *arg, const char *sentence);
	/* Called for each archive that has to be read; false cancels. May be NULL. */
	bool (*progress)(void *arg, size_t done, size_t all);
	/* Makes the analysis file of a recording without one (GENERATE_ANALYSIS). May be NULL. */
	bool (*make_analysis)(void *arg, const char *recording_path, const char *analysis_path);
	void *arg;
};

/*
 * Bring index.json up to date and return it; owned by the caller. Entries whose
 * file is gone are dropped, files that are not listed are read. Fails only when
 * the directory cannot be listed, or with LT_E_UNAVAILABLE when cancelled.
 */
cJSON *lt_index_update(const struct lt_index_opts *opts, struct lt_err *err);

/*
 * Change a recording for good: members of `changes` (an object that names the
 * recording by its "uuid") go into the manifest of its archive and into
 * "service" of its analysis file; what belongs to the recording itself (uuid,
 * version, startTime, and filename, duration and hasAnalysis of the index) does
 * not. Then the index follows; it is returned, owned by the caller.
 *
 * Errors: LT_E_NOT_FOUND no such recording, LT_E_INVALID no object with a uuid.
 * Interrupted, the next update of the index tells what became of the archive.
 */
cJSON *lt_index_change(const struct lt_index_opts *opts, const cJSON *changes, struct lt_err *err);

/* Add the entries of another object, a member a file name ("UUID_1.zip"), that are not in it. */
void lt_index_add_take(cJSON *index, cJSON *entries);

/* "UUID:1" for "UUID_1.zip": without ending, the first underscore a colon. Appends to buf. */
void lt_index_key(struct lt_buf *buf, struct lt_str file_name);

#endif
