#include "store/fileops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"

static int system_open(void *arg LT_UNUSED, const char *path, int flags, unsigned mode)
{
	return open(path, flags | O_CLOEXEC, mode);
}

static ssize_t system_write(void *arg LT_UNUSED, int fd, const void *bytes, size_t n)
{
	return write(fd, bytes, n);
}

static int system_truncate(void *arg LT_UNUSED, int fd, int64_t size)
{
	return ftruncate(fd, size);
}

static int system_sync(void *arg LT_UNUSED, int fd)
{
	return fsync(fd);
}

static int system_rename(void *arg LT_UNUSED, const char *from, const char *to)
{
	return rename(from, to);
}

static int system_publish(void *arg LT_UNUSED, const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS) {
		return -1;
	}
	/* A file system without that kind of rename; a link does not replace either. */
	if (link(from, to) < 0) {
		return -1;
	}
	return unlink(from);
}

static int system_unlink(void *arg LT_UNUSED, const char *path)
{
	return unlink(path);
}

const struct lt_fileops lt_fileops_system = {
	.open = system_open,
	.write = system_write,
	.truncate = system_truncate,
	.sync = system_sync,
	.rename = system_rename,
	.publish = system_publish,
	.unlink = system_unlink,
};

bool lt_fileops_write_all(const struct lt_fileops *ops, int fd, struct lt_str bytes)
{
	while (bytes.n > 0) {
		ssize_t n = ops->write(ops->arg, fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return false;
		}
		bytes = lt_str_skip(bytes, (size_t)n);
	}
	return true;
}

bool lt_fileops_sync_parent(const struct lt_fileops *ops, const char *path, struct lt_err *err)
{
	LT_AUTO(lt_free) char *dir = lt_path_parent(path);
	int fd = ops->open(ops->arg, dir, O_RDONLY | O_DIRECTORY, 0);
	bool ok;

	if (fd < 0) {
		return lt_err_errno(err, "cannot open directory %s", dir);
	}
	/* Some file systems cannot sync a directory, and say EINVAL. */
	ok = ops->sync(ops->arg, fd) == 0 || errno == EINVAL ||
			lt_err_errno(err, "cannot sync directory %s", dir);
	close(fd);
	return ok;
}

static bool write_file(const struct lt_fileops *ops, int fd, struct lt_str content, unsigned mode)
{
	return lt_fileops_write_all(ops, fd, content) && fchmod(fd, mode) == 0 &&
			ops->sync(ops->arg, fd) == 0;
}

bool lt_fileops_replace(const struct lt_fileops *ops, const char *path, struct lt_str content,
		unsigned mode, struct lt_err *err)
{
	LT_AUTO(lt_free) char *part = lt_path_hidden(path);
	int fd = ops->open(ops->arg, part, O_WRONLY | O_CREAT | O_TRUNC, mode);
	bool ok;

	if (fd < 0) {
		return lt_err_errno(err, "cannot create %s", part);
	}
	ok = write_file(ops, fd, content, mode) || lt_err_errno(err, "cannot write %s", path);
	close(fd);
	ok = ok &&
			(ops->rename(ops->arg, part, path) == 0 ||
					lt_err_errno(err, "cannot replace %s", path));
	if (!ok) {
		ops->unlink(ops->arg, part);
		return false;
	}
	return lt_fileops_sync_parent(ops, path, err);
}

char *lt_path_hidden(const char *path)
{
	LT_AUTO(lt_free) char *dir = lt_path_parent(path);
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	lt_buf_printf(&name, ".%s.part", lt_path_base(path));
	return lt_path_join(dir, name.p);
}

char *lt_path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash) {
		return lt_strdup(".");
	}
	return lt_str_dup((struct lt_str){ path, LT_MAX((size_t)(slash - path), 1u) });
}

const char *lt_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
