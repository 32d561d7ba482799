#include "base/fsutil.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define READ_STEP 65536

static bool read_all(int fd, const char *path, size_t max_bytes, struct lt_buf *content,
		struct lt_err *err)
{
	for (;;) {
		ssize_t n;

		lt_buf_reserve(content, READ_STEP);
		n = read(fd, content->p + content->n, READ_STEP);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return lt_err_errno(err, "cannot read %s", path);
		}
		if (n == 0) {
			content->p[content->n] = '\0';
			return true;
		}
		content->n += (size_t)n;
		if (content->n > max_bytes) {
			return lt_err_set(err, LT_E_LIMIT, "%s is over %zu bytes", path, max_bytes);
		}
	}
}

bool lt_file_read(
		const char *path, size_t max_bytes, struct lt_buf *ret_content, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };
	struct stat st;
	bool ok;
	/* without O_NONBLOCK, opening a FIFO would wait for somebody to write to it */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		bool is_absent = errno == ENOENT;

		lt_err_errno(err, "cannot open %s", path);
		if (err && is_absent) {
			err->code = LT_E_NOT_FOUND;
		}
		return false;
	}
	if (fstat(fd, &st) < 0) {
		ok = lt_err_errno(err, "cannot open %s", path);
	} else if (!S_ISREG(st.st_mode)) {
		ok = lt_err_set(err, LT_E_INVALID, "%s is not a regular file", path);
	} else {
		ok = read_all(fd, path, max_bytes, &content, err);
	}
	close(fd);
	if (ok) {
		lt_buf_finish(ret_content);
		*ret_content = content;
		content = (struct lt_buf){ 0 };
	}
	return ok;
}

static bool write_all(int fd, struct lt_str content)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return false;
		}
		content = lt_str_skip(content, (size_t)n);
	}
	return true;
}

/* So that the rename itself survives a power cut. */
static bool sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? lt_str_dup((struct lt_str){ path, (size_t)(slash - path) + 1 })
			  : lt_strdup(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;
	int saved;

	lt_free(dir);
	if (fd < 0) {
		return false;
	}
	/* some file systems cannot sync a directory, and say EINVAL */
	ok = fsync(fd) == 0 || errno == EINVAL;
	saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

bool lt_file_replace(const char *path, struct lt_str content, unsigned mode, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf temp = { 0 };
	bool ok;
	int fd;

	lt_buf_printf(&temp, "%s.tmp-XXXXXX", path);
	fd = mkostemp(temp.p, O_CLOEXEC);
	if (fd < 0) {
		return lt_err_errno(err, "cannot create %s", temp.p);
	}
	ok = write_all(fd, content) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;
	if (!ok) {
		lt_err_errno(err, "cannot write %s", path);
	}
	if (close(fd) < 0 && ok) {
		ok = lt_err_errno(err, "cannot write %s", path);
	}
	if (ok && rename(temp.p, path) < 0) {
		ok = lt_err_errno(err, "cannot replace %s", path);
	}
	if (!ok) {
		unlink(temp.p);
		return false;
	}
	return sync_parent(path) || lt_err_errno(err, "cannot sync the directory of %s", path);
}

static bool make_one(const char *path, struct lt_err *err)
{
	struct stat st;

	if (mkdir(path, 0755) == 0) {
		return true;
	}
	if (stat(path, &st) == 0) {
		return S_ISDIR(st.st_mode) ||
				lt_err_set(err, LT_E_EXISTS, "%s exists and is not a directory",
						path);
	}
	return lt_err_errno(err, "cannot create directory %s", path);
}

bool lt_dir_make(const char *path, struct lt_err *err)
{
	char *partial = lt_strdup(path);
	bool ok = true;

	if (!*path) {
		ok = lt_err_set(err, LT_E_INVALID, "a directory needs a name");
	}
	for (char *p = partial + (*partial == '/'); ok && *p; p++) {
		if (*p == '/' && p[-1] != '/') {
			*p = '\0';
			ok = make_one(partial, err);
			*p = '/';
		}
	}
	ok = ok && make_one(path, err);
	lt_free(partial);
	return ok;
}

bool lt_name_is_safe(struct lt_str name)
{
	if (name.n == 0 || name.n > NAME_MAX || lt_str_eq_c(name, ".") || lt_str_eq_c(name, "..")) {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < 0x20 || c == 0x7f || c == '/') {
			return false;
		}
	}
	return true;
}

char *lt_path_join(const char *dir, const char *name)
{
	struct lt_buf path = { 0 };

	if (dir && *dir) {
		lt_buf_add_c(&path, dir);
		if (path.p[path.n - 1] != '/') {
			lt_buf_add_char(&path, '/');
		}
	}
	lt_buf_add_c(&path, name);
	return lt_buf_steal(&path);
}
