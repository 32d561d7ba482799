/* A directory for one test, removed with all that is in it. */
#ifndef LT_TESTS_SUPPORT_TMPDIR_H
#define LT_TESTS_SUPPORT_TMPDIR_H

#include "base/str.h"

#define TMPDIR_MAX 64

void tmpdir_make(char path[TMPDIR_MAX]);
void tmpdir_remove(const char *path);

/* "DIR/NAME" in one of a few buffers that are used in turn: for the arguments of one call. */
const char *in_dir(const char *dir, const char *name);

void file_write(const char *path, struct lt_str bytes);
struct lt_buf file_bytes(const char *path); /* finish with lt_buf_finish */

/* Names in a directory, sorted, joined with spaces; owned, free with lt_free. */
char *dir_names(const char *path);

#endif
