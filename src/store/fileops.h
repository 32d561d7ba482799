/*
 * The system calls by which the store changes files, as a table: tests put one
 * in their place that fails or stops at any call. Each function returns what
 * the system call does, -1 with errno on failure.
 */
#ifndef LT_STORE_FILEOPS_H
#define LT_STORE_FILEOPS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct lt_fileops {
	int (*open)(void *arg, const char *path, int flags, unsigned mode);
	ssize_t (*write)(void *arg, int fd, const void *bytes, size_t n);
	int (*truncate)(void *arg, int fd, int64_t size);
	int (*sync)(void *arg, int fd);                              /* of a file or a directory */
	int (*rename)(void *arg, const char *from, const char *to);  /* replaces `to` */
	int (*publish)(void *arg, const char *from, const char *to); /* EEXIST if `to` exists */
	int (*unlink)(void *arg, const char *path);
	void *arg;
};

extern const struct lt_fileops lt_fileops_system;

/* All of the bytes, or false with errno; part of them may have been written then. */
bool lt_fileops_write_all(const struct lt_fileops *ops, int fd, struct lt_str bytes);

/* Make renames and removals in the directory of `path` survive a power cut. */
bool lt_fileops_sync_parent(const struct lt_fileops *ops, const char *path, struct lt_err *err);

/*
 * As lt_file_replace, but the new content waits in a hidden file, ".NAME.part":
 * nobody who lists the directory sees a half one. One writer at a time.
 */
bool lt_fileops_replace(const struct lt_fileops *ops, const char *path, struct lt_str content,
		unsigned mode, struct lt_err *err);

/* "DIR/.NAME.part" for "DIR/NAME"; owned, free with lt_free. */
char *lt_path_hidden(const char *path);

/* Directory of a path, "." for a bare name; owned, free with lt_free. */
char *lt_path_parent(const char *path);

/* Part of a path after the last slash; borrowed from it. */
const char *lt_path_base(const char *path);

#endif
