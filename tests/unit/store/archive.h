/* Archives of recordings for tests, written entry by entry in the given order. */
#ifndef LT_TESTS_UNIT_STORE_ARCHIVE_H
#define LT_TESTS_UNIT_STORE_ARCHIVE_H

#include "base/json.h"
#include "store/frame.h"
#include "store/recording_zip.h"
#include "store/zip_writer.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define ARCHIVE_MANIFEST                                                                           \
	"{\"uuid\": \"u\", \"name\": \"Series\", \"description\": \"Race\", \"colSpec\": "         \
	"[[\"Num\", \"text\"], [\"Laps\", \"numeric\"]], \"startTime\": 1699999999, "              \
	"\"version\": 1}"
#define ARCHIVE_KEY(n)                                                                             \
	"{\"cars\": [[\"7\", " #n "]], \"session\": {\"flagState\": \"green\"}, \"messages\": "    \
	"[], \"highlight\": []}"
#define ARCHIVE_DIFF(a, b)                                                                         \
	"{\"cars\": [[\"change\", [0, 1], [" #a ", " #b "]]], \"session\": [], \"messages\": [], " \
	"\"highlight\": []}"

struct archive_entry {
	const char *name, *content;
};

/* Four frames, at 0, 1, 2 and 10 seconds from 1700000000. */
static const struct archive_entry archive_good[] = {
	{ "01700000000.json", ARCHIVE_KEY(1) },
	{ "01700000001i.json", ARCHIVE_DIFF(1, 2) },
	{ "01700000002i.json", ARCHIVE_DIFF(2, 3) },
	{ "01700000010.json", ARCHIVE_KEY(4) },
	{ "manifest.json", ARCHIVE_MANIFEST },
};

static inline void archive_write(const char *path, const struct archive_entry *entries, size_t n)
{
	struct lt_zip_writer *writer = lt_zip_writer_open(path, 0664, &lt_fileops_system, NULL);

	assert_non_null(writer);
	for (size_t i = 0; i < n; i++) {
		struct lt_packed packed;

		assert_true(lt_frame_pack(lt_str_from(entries[i].content), &packed, NULL));
		assert_true(lt_zip_writer_add(writer,
				&(struct lt_zip_entry){ lt_str_from(entries[i].name),
						LT_ZIP_DEFLATED, packed.raw_crc, packed.raw_bytes,
						lt_buf_str(&packed.bytes), 1700000000 },
				NULL));
		lt_buf_finish(&packed.bytes);
	}
	assert_true(lt_zip_writer_finish(writer, LT_STR(""), NULL));
	lt_zip_writer_destroy(writer);
}

/* Names of the entries in order, joined with spaces; owned, free with lt_free. */
static inline char *archive_names(const char *path)
{
	struct lt_zip *zip = lt_zip_open(path, NULL);
	struct lt_buf names = { 0 };

	assert_non_null(zip);
	for (int64_t i = 0; i < lt_zip_count(zip); i++) {
		lt_buf_printf(&names, "%s%.*s", i ? " " : "", LT_STR_ARG(lt_zip_name(zip, i)));
	}
	lt_zip_close(zip);
	return lt_buf_steal(&names);
}

/* Content of an entry; finish with lt_buf_finish. */
static inline struct lt_buf archive_content(const char *path, const char *name)
{
	struct lt_zip *zip = lt_zip_open(path, NULL);
	struct lt_buf content = { 0 };
	bool found = false;

	assert_non_null(zip);
	for (int64_t i = 0; i < lt_zip_count(zip); i++) {
		if (lt_str_eq_c(lt_zip_name(zip, i), name)) {
			found = lt_zip_read(zip, i, &content, NULL);
		}
	}
	lt_zip_close(zip);
	if (!found) {
		fail_msg("%s has no entry %s that can be read", path, name);
	}
	return content;
}

#endif
