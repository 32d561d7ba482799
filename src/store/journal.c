#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/journal_record.h"

#define FILE_MODE 0644

struct lt_journal {
	const struct lt_fileops *ops;
	char *path;
	int fd;
	int64_t end;  /* of the last whole record */
	bool is_torn; /* a part of a record may lie behind the end */
	struct lt_buf scratch;
};

LT_DEFINE_AUTO(struct lt_journal, lt_journal_close);

static struct lt_journal *new_journal(const char *path, const struct lt_fileops *ops)
{
	struct lt_journal *journal = lt_zalloc(sizeof(*journal));

	journal->ops = ops;
	journal->path = lt_strdup(path);
	journal->fd = -1;
	return journal;
}

void lt_journal_close(struct lt_journal *journal)
{
	if (!journal) {
		return;
	}
	if (journal->fd >= 0) {
		close(journal->fd);
	}
	lt_buf_finish(&journal->scratch);
	lt_free(journal->path);
	lt_free(journal);
}

/* Two writers would interleave their records. The lock goes with the descriptor. */
static bool lock(const struct lt_journal *journal, struct lt_err *err)
{
	if (flock(journal->fd, LOCK_EX | LOCK_NB) == 0) {
		return true;
	}
	return errno == EWOULDBLOCK
			? lt_err_set(err, LT_E_UNAVAILABLE,
					  "%s is being written by another process", journal->path)
			: lt_err_errno(err, "cannot lock %s", journal->path);
}

static bool cut_torn(struct lt_journal *journal, struct lt_err *err)
{
	if (!journal->is_torn) {
		return true;
	}
	if (journal->ops->truncate(journal->ops->arg, journal->fd, journal->end) < 0) {
		return lt_err_errno(err, "cannot repair %s", journal->path);
	}
	journal->is_torn = false;
	return true;
}

/* All of the bytes or none. */
static bool append_bytes(struct lt_journal *journal, struct lt_str bytes, struct lt_err *err)
{
	if (!cut_torn(journal, err)) {
		return false;
	}
	if (!lt_fileops_write_all(journal->ops, journal->fd, bytes)) {
		lt_err_errno(err, "cannot write %s", journal->path);
		journal->is_torn = true;
		cut_torn(journal, NULL);
		return false;
	}
	journal->end += (int64_t)bytes.n;
	return true;
}

static bool write_magic(struct lt_journal *journal, struct lt_err *err)
{
	struct lt_str magic = { LT_JOURNAL_MAGIC, LT_JOURNAL_MAGIC_BYTES };

	return append_bytes(journal, magic, err);
}

struct lt_journal *lt_journal_create(
		const char *path, const struct lt_fileops *ops, struct lt_err *err)
{
	LT_AUTO(lt_journal_close) struct lt_journal *journal = new_journal(path, ops);

	journal->fd = ops->open(ops->arg, path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, FILE_MODE);
	if (journal->fd < 0) {
		lt_err_errno(err, "cannot create %s", path);
		return NULL;
	}
	if (!lock(journal, err) || !write_magic(journal, err) ||
			!lt_fileops_sync_parent(ops, path, err)) {
		ops->unlink(ops->arg, path);
		return NULL;
	}
	return LT_STEAL(journal);
}

static bool recover(struct lt_journal *journal, struct lt_journal_reader **ret_reader,
		struct lt_err *err)
{
	struct lt_journal_report report;
	struct lt_journal_reader *reader = lt_journal_reader_open(journal->path, err);
	struct stat st;

	if (!reader) {
		return false;
	}
	lt_journal_reader_report(reader, &report);
	journal->end = report.good_bytes;
	if (fstat(journal->fd, &st) < 0) {
		lt_journal_reader_close(reader);
		return lt_err_errno(err, "cannot open %s", journal->path);
	}
	journal->is_torn = st.st_size > journal->end;
	if (!cut_torn(journal, err) || (journal->end == 0 && !write_magic(journal, err))) {
		lt_journal_reader_close(reader);
		return false;
	}
	if (ret_reader) {
		*ret_reader = reader;
	} else {
		lt_journal_reader_close(reader);
	}
	return true;
}

struct lt_journal *lt_journal_open(const char *path, const struct lt_fileops *ops,
		struct lt_journal_reader **ret_reader, struct lt_err *err)
{
	LT_AUTO(lt_journal_close) struct lt_journal *journal = new_journal(path, ops);

	journal->fd = ops->open(ops->arg, path, O_RDWR | O_APPEND, 0);
	if (journal->fd < 0) {
		lt_err_errno(err, "cannot open %s", path);
		return NULL;
	}
	return lock(journal, err) && recover(journal, ret_reader, err) ? LT_STEAL(journal) : NULL;
}

bool lt_journal_append(struct lt_journal *journal, enum lt_record_kind kind, int64_t time_s,
		const struct lt_packed *packed, struct lt_err *err)
{
	struct lt_str bytes = lt_buf_str(&packed->bytes);
	struct lt_record record = {
		.kind = kind,
		.time_s = time_s,
		.raw_bytes = packed->raw_bytes,
		.raw_crc = packed->raw_crc,
		.packed_bytes = (uint32_t)bytes.n,
		.packed_crc = lt_crc32(bytes),
	};
	uint8_t header[LT_RECORD_HEADER];

	lt_record_encode(&record, header);
	lt_buf_clear(&journal->scratch);
	lt_buf_add(&journal->scratch, header, sizeof(header));
	lt_buf_add_str(&journal->scratch, bytes);
	return append_bytes(journal, lt_buf_str(&journal->scratch), err);
}

bool lt_journal_sync(struct lt_journal *journal, struct lt_err *err)
{
	return journal->ops->sync(journal->ops->arg, journal->fd) == 0 ||
			lt_err_errno(err, "cannot sync %s", journal->path);
}

int lt_journal_dup_fd(const struct lt_journal *journal)
{
	return fcntl(journal->fd, F_DUPFD_CLOEXEC, 0);
}

bool lt_journal_sync_fd(int fd, struct lt_err *err)
{
	bool ok = fdatasync(fd) == 0 || lt_err_errno(err, "cannot sync a recording in progress");

	close(fd);
	return ok;
}

int64_t lt_journal_bytes(const struct lt_journal *journal)
{
	return journal->end;
}

const char *lt_journal_path(const struct lt_journal *journal)
{
	return journal->path;
}
