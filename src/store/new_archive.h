/*
 * A new zip archive that nobody sees until it is whole: it is written to a
 * hidden file beside its place, synced, and given its name. Unless told to
 * replace, an existing file of that name is never touched. Blocking.
 */
#ifndef LT_STORE_NEW_ARCHIVE_H
#define LT_STORE_NEW_ARCHIVE_H

#include "base/json.h"
#include "store/recording_zip.h"
#include "store/zip_writer.h"

struct lt_new_archive {
	struct lt_zip_writer *writer;
	char *path, *part;
	bool replace;
};

/* "DIR/.NAME.PID.part" for "DIR/NAME": several processes do not disturb each other. Owned. */
char *lt_new_file_part(const char *path);

/* LT_E_EXISTS when there is something of that name and it is not to be replaced. */
bool lt_new_file_check(const char *path, bool replace, struct lt_err *err);

/* Give a finished hidden file its name; on an error it is removed. */
bool lt_new_file_publish(const char *part, const char *path, bool replace, struct lt_err *err);

/* On success end with commit or finish. */
bool lt_new_archive_open(struct lt_new_archive *ret, const char *path, unsigned mode, bool replace,
		struct lt_err *err);

/* Copy an entry without unpacking it; name NULL: its own. */
bool lt_new_archive_copy(struct lt_new_archive *archive, const struct lt_zip *zip, int64_t entry,
		const char *name, struct lt_err *err);

/* An entry of JSON as the original writes it. */
bool lt_new_archive_add_json(struct lt_new_archive *archive, const char *name, const cJSON *value,
		int64_t time_s, struct lt_err *err);

bool lt_new_archive_commit(struct lt_new_archive *archive, struct lt_err *err);

/* Without a commit before it nothing is left behind. */
void lt_new_archive_finish(struct lt_new_archive *archive);

static inline void lt_auto_lt_new_archive_finish(struct lt_new_archive *archive)
{
	lt_new_archive_finish(archive);
}

#endif
