#include "store/new_archive.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

char *lt_new_file_part(const char *path)
{
	LT_AUTO(lt_buf_finish) struct lt_buf unique = { 0 };

	lt_buf_printf(&unique, "%s.%ld", path, (long)getpid());
	return lt_path_hidden(unique.p);
}

bool lt_new_file_check(const char *path, bool replace, struct lt_err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		return errno == ENOENT || lt_err_errno(err, "cannot create %s", path);
	}
	if (!replace) {
		return lt_err_set(err, LT_E_EXISTS, "%s exists already", path);
	}
	return !S_ISDIR(st.st_mode) || lt_err_set(err, LT_E_EXISTS, "%s is a directory", path);
}

bool lt_new_file_publish(const char *part, const char *path, bool replace, struct lt_err *err)
{
	const struct lt_fileops *ops = &lt_fileops_system;
	int result = replace ? ops->rename(ops->arg, part, path)
			     : ops->publish(ops->arg, part, path);

	if (result < 0) {
		if (errno == EEXIST) {
			lt_err_set(err, LT_E_EXISTS, "%s exists already", path);
		} else {
			lt_err_errno(err, "cannot create %s", path);
		}
		ops->unlink(ops->arg, part);
		return false;
	}
	return lt_fileops_sync_parent(ops, path, err);
}

bool lt_new_archive_open(struct lt_new_archive *ret, const char *path, unsigned mode, bool replace,
		struct lt_err *err)
{
	struct lt_new_archive archive = { .replace = replace };

	if (!lt_new_file_check(path, replace, err)) {
		return false;
	}
	archive.path = lt_strdup(path);
	archive.part = lt_new_file_part(path);
	archive.writer = lt_zip_writer_open(archive.part, mode, &lt_fileops_system, err);
	if (!archive.writer) {
		lt_new_archive_finish(&archive);
		return false;
	}
	*ret = archive;
	return true;
}

bool lt_new_archive_copy(struct lt_new_archive *archive, const struct lt_zip *zip, int64_t entry,
		const char *name, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	struct lt_str own_name = lt_zip_name(zip, entry);
	struct lt_zip_info stored;

	if (!lt_zip_read_packed(zip, entry, &stored, &packed, err)) {
		return lt_err_prefix(err, "%.*s", LT_STR_ARG(own_name));
	}
	return lt_zip_writer_add(archive->writer,
			&(struct lt_zip_entry){
					.name = name ? lt_str_from(name) : own_name,
					.method = stored.method,
					.raw_crc = stored.raw_crc,
					.raw_bytes = stored.raw_bytes,
					.packed = lt_buf_str(&packed),
					.time_s = stored.time_s,
			},
			err);
}

bool lt_new_archive_add_json(struct lt_new_archive *archive, const char *name, const cJSON *value,
		int64_t time_s, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_json_print(&text, value, LT_JSON_SPACED);
	return lt_zip_writer_add_text(
			archive->writer, lt_str_from(name), lt_buf_str(&text), time_s, err);
}

bool lt_new_archive_commit(struct lt_new_archive *archive, struct lt_err *err)
{
	if (!lt_zip_writer_finish(archive->writer, LT_STR(""), err)) {
		return false;
	}
	return lt_new_file_publish(archive->part, archive->path, archive->replace, err);
}

void lt_new_archive_finish(struct lt_new_archive *archive)
{
	lt_zip_writer_destroy(archive->writer);
	lt_free(archive->path);
	lt_free(archive->part);
	*archive = (struct lt_new_archive){ 0 };
}
