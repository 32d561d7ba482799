#include "support/fault.h"

#include <errno.h>
#include <unistd.h>

/* Is this call to go wrong? Does not return when the process is to die before it. */
static bool is_due(struct fault *fault)
{
	fault->calls++;
	if (fault->kind == FAULT_NONE || fault->calls < fault->from ||
			fault->calls - fault->from >= fault->count) {
		return false;
	}
	if (fault->kind == FAULT_DIE) {
		_exit(0);
	}
	return true;
}

/* A call other than write that is due. */
static int go_wrong(struct fault *fault)
{
	if (fault->kind == FAULT_DIE_HALF) {
		_exit(0);
	}
	errno = fault->code;
	return -1;
}

static int done(const struct fault *fault, bool due, int result)
{
	if (due && fault->kind == FAULT_DIE_AFTER) {
		_exit(0);
	}
	return result;
}

static bool fails(const struct fault *fault, bool due)
{
	return due && fault->kind != FAULT_DIE_AFTER;
}

static int fault_open(void *arg, const char *path, int flags, unsigned mode)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	return fails(fault, due)
			? go_wrong(fault)
			: done(fault, due, fault->next->open(fault->next->arg, path, flags, mode));
}

static ssize_t fault_write(void *arg, int fd, const void *bytes, size_t n)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	if (!due) {
		return fault->next->write(fault->next->arg, fd, bytes, n);
	}
	ssize_t written = fault->next->write(
			fault->next->arg, fd, bytes, fault->kind == FAULT_DIE_AFTER ? n : n / 2);
	if (fault->kind != FAULT_FAIL) {
		_exit(written < 0);
	}
	errno = fault->code;
	return -1;
}

static int fault_truncate(void *arg, int fd, int64_t size)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	return fails(fault, due)
			? go_wrong(fault)
			: done(fault, due, fault->next->truncate(fault->next->arg, fd, size));
}

static int fault_sync(void *arg, int fd)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	return fails(fault, due) ? go_wrong(fault)
				 : done(fault, due, fault->next->sync(fault->next->arg, fd));
}

static int fault_rename(void *arg, const char *from, const char *to)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	return fails(fault, due)
			? go_wrong(fault)
			: done(fault, due, fault->next->rename(fault->next->arg, from, to));
}

static int fault_publish(void *arg, const char *from, const char *to)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	return fails(fault, due)
			? go_wrong(fault)
			: done(fault, due, fault->next->publish(fault->next->arg, from, to));
}

static int fault_unlink(void *arg, const char *path)
{
	struct fault *fault = arg;
	bool due = is_due(fault);

	return fails(fault, due) ? go_wrong(fault)
				 : done(fault, due, fault->next->unlink(fault->next->arg, path));
}

void fault_init(struct fault *fault, const struct lt_fileops *next)
{
	*fault = (struct fault){
		.ops = {
			.open = fault_open,
			.write = fault_write,
			.truncate = fault_truncate,
			.sync = fault_sync,
			.rename = fault_rename,
			.publish = fault_publish,
			.unlink = fault_unlink,
			.arg = fault,
		},
		.next = next,
	};
}
