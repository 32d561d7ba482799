/*
 * The recording in progress: one append-only file of manifests and packed
 * frames, each with its length and checksums. A process that dies at any byte
 * loses at most the record being written: opening the file again cuts it off.
 * A record that was appended is with the kernel and survives the process; it
 * survives a power cut once the file has been synced.
 *
 * Layout (little endian): the 8 bytes "LTJOURN\1", then records of a header of
 * LT_RECORD_HEADER bytes and the packed JSON; docs/recordings.md has the table.
 *
 * Appending is one write(2) of a few kilobytes and may be done on the loop;
 * opening, syncing and reading belong on a worker (lt_loop_work).
 */
#ifndef LT_STORE_JOURNAL_H
#define LT_STORE_JOURNAL_H

#include "base/json.h"
#include "store/fileops.h"
#include "store/frame.h"

#define LT_JOURNAL_SUFFIX ".journal"
#define LT_RECORD_HEADER  40

enum lt_record_kind {
	LT_RECORD_MANIFEST = 1,   /* the last one counts */
	LT_RECORD_KEY = 2,        /* a whole state */
	LT_RECORD_DIFFERENCE = 3, /* from the state before it; see formats of frame_diff.h */
	LT_RECORD_END = 4,        /* nothing follows: to be finalised, not resumed */
};

struct lt_record {
	enum lt_record_kind kind;
	int64_t time_s;
	uint32_t raw_bytes, raw_crc;
	uint32_t packed_bytes, packed_crc;
	int64_t offset; /* of the packed bytes in the file */
};

/* --- writing --- */

struct lt_journal;

/*
 * A new file, its name synced; LT_E_EXISTS when there is one. `ops` is borrowed
 * for the life of the journal.
 */
struct lt_journal *lt_journal_create(
		const char *path, const struct lt_fileops *ops, struct lt_err *err);

struct lt_journal_reader;

/*
 * Append to a file that exists, after cutting off what a crash left of a
 * record. `ret_reader`, if not NULL, gets a reader of what is there, owned by
 * the caller. Errors: LT_E_UNAVAILABLE another process has it open,
 * LT_E_FORMAT it is no journal.
 */
struct lt_journal *lt_journal_open(const char *path, const struct lt_fileops *ops,
		struct lt_journal_reader **ret_reader, struct lt_err *err);

void lt_journal_close(struct lt_journal *journal);

/*
 * On an error nothing is appended, also not a part (a part that cannot be cut
 * off now is cut off before the next append): call again when there is room.
 */
bool lt_journal_append(struct lt_journal *journal, enum lt_record_kind kind, int64_t time_s,
		const struct lt_packed *packed, struct lt_err *err);

/* Blocking. */
bool lt_journal_sync(struct lt_journal *journal, struct lt_err *err);

/*
 * For syncing on a worker while the loop appends: a descriptor of its own, -1
 * on failure. lt_journal_sync_fd syncs and closes it.
 */
int lt_journal_dup_fd(const struct lt_journal *journal);
bool lt_journal_sync_fd(int fd, struct lt_err *err);

int64_t lt_journal_bytes(const struct lt_journal *journal);
const char *lt_journal_path(const struct lt_journal *journal); /* borrowed */

/* --- reading; also while another thread or process appends. One thread at a time. --- */

/* Reads the whole file and verifies every checksum. */
struct lt_journal_reader *lt_journal_reader_open(const char *path, struct lt_err *err);
void lt_journal_reader_close(struct lt_journal_reader *reader);

/* Look for records appended since. */
bool lt_journal_reader_refresh(struct lt_journal_reader *reader, struct lt_err *err);

/*
 * Frames that make up the recording: times ascend, one a time (the last
 * written), every difference has its base. Borrowed until refresh.
 */
const struct lt_record *lt_journal_reader_frames(
		const struct lt_journal_reader *reader, size_t *ret_count);

const cJSON *lt_journal_reader_manifest(const struct lt_journal_reader *reader); /* or NULL */

struct lt_journal_report {
	bool ended;
	int64_t good_bytes;    /* up to here records are whole */
	int64_t damaged_bytes; /* between whole records */
	size_t dropped_frames; /* whole, but without base or out of order */
};

void lt_journal_reader_report(
		const struct lt_journal_reader *reader, struct lt_journal_report *ret);

/* Append the packed bytes of a frame to buf, verified. */
bool lt_journal_reader_packed(const struct lt_journal_reader *reader, const struct lt_record *frame,
		struct lt_buf *buf, struct lt_err *err);

/* As lt_recording_state_at; the caller owns the result. LT_E_NOT_FOUND without frames. */
cJSON *lt_journal_reader_state_at(
		struct lt_journal_reader *reader, int64_t time_s, struct lt_err *err);

#endif
