/*
 * Files without half-written states: new content goes to a temporary file in
 * the same directory, is synced and renamed. Blocking; call it for small files
 * at start, or on a worker (lt_loop_work).
 */
#ifndef LT_BASE_FSUTIL_H
#define LT_BASE_FSUTIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* The whole file; refuses more than max_bytes and anything but regular files. */
bool lt_file_read(
		const char *path, size_t max_bytes, struct lt_buf *ret_content, struct lt_err *err);

/* Write temp, fsync, rename, fsync the directory. The old content stays on any error. */
bool lt_file_replace(const char *path, struct lt_str content, unsigned mode, struct lt_err *err);

/* mkdir -p, 0755. */
bool lt_dir_make(const char *path, struct lt_err *err);

/* A plain file name: not empty, no '/', no NUL, no control bytes, not "." or "..". */
bool lt_name_is_safe(struct lt_str name);

/* "dir/name", owned; free with lt_free. An empty dir gives the name alone. */
char *lt_path_join(const char *dir, const char *name);

#endif
