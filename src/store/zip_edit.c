#include "store/zip_edit.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "store/recording_zip.h"
#include "store/zip_writer.h"

#define MANIFEST_NAME "manifest.json"
#define NAME_BYTES    65534

LT_DEFINE_AUTO(struct lt_zip, lt_zip_close);

static bool copy_entry(const struct lt_zip *zip, int64_t index, struct lt_zip_writer *writer,
		struct lt_buf *scratch, struct lt_err *err)
{
	struct lt_str name = lt_zip_name(zip, index);
	struct lt_zip_info info;

	lt_buf_clear(scratch);
	if (name.n > NAME_BYTES || !lt_zip_read_packed(zip, index, &info, scratch, err)) {
		return lt_err_prefix(err, "entry %lld", (long long)index);
	}
	struct lt_zip_entry entry = {
		.name = name,
		.method = info.method,
		.raw_crc = info.raw_crc,
		.raw_bytes = info.raw_bytes,
		.packed = lt_buf_str(scratch),
		.time_s = info.time_s,
	};
	return lt_zip_writer_add(writer, &entry, err);
}

static bool add_manifest(struct lt_zip_writer *writer, const cJSON *manifest, int64_t time_s,
		struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_json_print(&text, manifest, LT_JSON_SPACED);
	return lt_zip_writer_add_text(
			writer, LT_STR(MANIFEST_NAME), lt_buf_str(&text), time_s, err);
}

static bool copy_archive(const struct lt_zip *zip, struct lt_zip_writer *writer,
		const cJSON *manifest, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf scratch = { 0 };
	struct lt_zip_info info = { .time_s = 0 };
	int64_t count = lt_zip_count(zip);

	for (int64_t i = 0; i < count; i++) {
		if (lt_str_eq_c(lt_zip_name(zip, i), MANIFEST_NAME)) {
			lt_buf_clear(&scratch);
			lt_zip_read_packed(zip, i, &info, &scratch, NULL);
		} else if (!copy_entry(zip, i, writer, &scratch, err)) {
			return false;
		}
	}
	return add_manifest(writer, manifest, info.time_s, err) &&
			lt_zip_writer_finish(writer, lt_zip_comment(zip), err);
}

static bool rewrite(const char *path, const char *part, const cJSON *manifest,
		const struct lt_fileops *ops, struct lt_err *err)
{
	LT_AUTO(lt_zip_close) struct lt_zip *zip = lt_zip_open(path, err);
	struct stat st;
	struct lt_zip_writer *writer;
	bool ok;

	if (!zip) {
		return false;
	}
	if (stat(path, &st) < 0) {
		return lt_err_errno(err, "cannot open");
	}
	writer = lt_zip_writer_open(part, st.st_mode & 0777, ops, err);
	ok = writer && copy_archive(zip, writer, manifest, err);
	lt_zip_writer_destroy(writer);
	if (ok && ops->rename(ops->arg, part, path) < 0) {
		ok = lt_err_errno(err, "cannot be replaced");
		ops->unlink(ops->arg, part);
	}
	return ok && lt_fileops_sync_parent(ops, path, err);
}

bool lt_zip_set_manifest(const char *path, const cJSON *manifest, const struct lt_fileops *ops,
		struct lt_err *err)
{
	LT_AUTO(lt_free) char *part = lt_path_hidden(path);

	return rewrite(path, part, manifest, ops ? ops : &lt_fileops_system, err) ||
			lt_err_prefix(err, "recording %s", path);
}
