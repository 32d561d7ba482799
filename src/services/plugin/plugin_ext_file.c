/* "lt.file/1": lines of a file, read ahead on a worker. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/line_splitter.h"
#include "services/plugin/plugin_host_priv.h"

#define CHUNK_BYTES (256u * 1024)

/* One read in flight; it owns the descriptor when the file was closed meanwhile. */
struct read_job {
	struct file *file; /* NULL: closed */
	int fd;
	ssize_t n;
	int error;
	char bytes[CHUNK_BYTES];
};

struct file {
	struct lt_resource resource;
	int fd;
	char *path;
	struct lt_line_splitter splitter;
	struct read_job *reading; /* on a worker */
	struct read_job *ready;   /* read, not yet given to the splitter */
	struct read_job *current; /* the splitter borrows from it */
	bool at_end, gave_last;
};

static void close_file(struct lt_resource *resource)
{
	struct file *file = lt_container_of(resource, struct file, resource);

	if (file->reading != NULL) {
		file->reading->file = NULL;
	} else {
		close(file->fd);
	}
	file->fd = -1;
}

static void free_file(struct lt_resource *resource)
{
	struct file *file = lt_container_of(resource, struct file, resource);

	lt_line_splitter_finish(&file->splitter);
	lt_free(file->ready);
	lt_free(file->current);
	lt_free(file->path);
	lt_free(file);
}

static void read_chunk(void *arg)
{
	struct read_job *job = arg;

	do {
		job->n = read(job->fd, job->bytes, sizeof(job->bytes));
	} while (job->n < 0 && errno == EINTR);
	job->error = errno;
}

static void chunk_read(void *arg)
{
	struct read_job *job = arg;
	struct file *file = job->file;

	if (file == NULL) {
		close(job->fd);
		lt_free(job);
		return;
	}
	file->reading = NULL;
	if (job->n > 0) {
		file->ready = job;
		return;
	}
	file->at_end = true;
	if (job->n < 0) {
		struct lt_err err = { 0 };

		errno = job->error;
		lt_err_errno(&err, "file %.150s", file->path);
		lt_host_fail_err(file->resource.host, &err);
	}
	lt_free(job);
}

static void read_ahead(struct file *file)
{
	if (file->reading == NULL && file->ready == NULL && !file->at_end) {
		struct read_job *job = lt_zalloc(sizeof(*job));

		job->file = file;
		job->fd = file->fd;
		file->reading = job;
		lt_loop_work(file->resource.host->env.loop, read_chunk, chunk_read, job);
	}
}

static void *file_open(struct lt_host *host, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		struct lt_err err = { 0 };

		lt_err_errno(&err, "file %.150s", path);
		lt_host_fail_err(host, &err);
		return NULL;
	}
	struct file *file = lt_zalloc(sizeof(*file));

	file->fd = fd;
	file->path = lt_strdup(path);
	file->splitter.skip_bom = true;
	file->resource.close = close_file;
	file->resource.free = free_file;
	lt_resource_add(host, &file->resource);
	read_ahead(file);
	return file;
}

static int32_t file_next_line(void *handle, struct lt_str *ret_line)
{
	struct file *file = lt_resource_check(handle, close_file);

	if (file == NULL || file->gave_last) {
		return 0;
	}
	for (;;) {
		if (lt_line_splitter_next(&file->splitter, ret_line)) {
			return 1;
		}
		if (file->ready == NULL) {
			break;
		}
		lt_free(file->current);
		file->current = LT_STEAL(file->ready);
		lt_line_splitter_feed(&file->splitter,
				(struct lt_str){ file->current->bytes, (size_t)file->current->n });
		read_ahead(file);
	}
	if (!file->at_end) {
		read_ahead(file);
		return 2;
	}
	file->gave_last = true;
	return lt_line_splitter_last(&file->splitter, ret_line);
}

static void file_close(void *handle)
{
	struct file *file = lt_resource_check(handle, close_file);

	if (file != NULL) {
		lt_resource_close(&file->resource);
	}
}

const struct lt_file_ext lt_host_file_ext = { .size = sizeof(lt_host_file_ext),
	.open = file_open,
	.next_line = file_next_line,
	.close = file_close };
