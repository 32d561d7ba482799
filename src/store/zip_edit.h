/*
 * Give a recording another manifest: a new archive of the same frames, copied
 * as they are packed, takes the place of the old one in one step. Blocking;
 * belongs on a worker.
 */
#ifndef LT_STORE_ZIP_EDIT_H
#define LT_STORE_ZIP_EDIT_H

#include "base/json.h"
#include "store/fileops.h"

/*
 * The manifest is written as it is, as the last entry; other entries, the
 * comment and the mode of the file stay. `ops` NULL is the system. On any error
 * the old archive is as it was.
 */
bool lt_zip_set_manifest(const char *path, const cJSON *manifest, const struct lt_fileops *ops,
		struct lt_err *err);

#endif
