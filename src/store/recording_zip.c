#include "store/recording_zip.h"

#include <sys/stat.h>
#include <time.h>

#include <zip.h>

#include "base/alloc.h"

struct lt_zip {
	zip_t *archive;
	int64_t count;
};

static bool check_regular(const char *path, struct lt_err *err)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		return lt_err_errno(err, "cannot open");
	}
	/* libzip would wait for the other side of a FIFO. */
	return S_ISREG(st.st_mode) || lt_err_set(err, LT_E_INVALID, "not a regular file");
}

struct lt_zip *lt_zip_open(const char *path, struct lt_err *err)
{
	struct lt_zip *zip;
	zip_t *archive;
	int code = 0;

	if (!check_regular(path, err)) {
		return NULL;
	}
	archive = zip_open(path, ZIP_RDONLY, &code);
	if (!archive) {
		zip_error_t error;

		zip_error_init_with_code(&error, code);
		lt_err_set(err, code == ZIP_ER_OPEN ? LT_E_IO : LT_E_FORMAT,
				"not a readable zip archive (%s)", zip_error_strerror(&error));
		zip_error_fini(&error);
		return NULL;
	}
	zip = lt_zalloc(sizeof(*zip));
	zip->archive = archive;
	zip->count = zip_get_num_entries(archive, 0);
	if (zip->count > LT_ZIP_ENTRIES_MAX) {
		lt_err_set(err, LT_E_LIMIT, "over %d entries", LT_ZIP_ENTRIES_MAX);
		lt_zip_close(zip);
		return NULL;
	}
	return zip;
}

void lt_zip_close(struct lt_zip *zip)
{
	if (zip) {
		zip_discard(zip->archive);
		lt_free(zip);
	}
}

int64_t lt_zip_count(const struct lt_zip *zip)
{
	return zip->count;
}

struct lt_str lt_zip_name(const struct lt_zip *zip, int64_t index)
{
	return lt_str_from(zip_get_name(zip->archive, (zip_uint64_t)index, ZIP_FL_ENC_RAW));
}

static bool entry_size(
		const struct lt_zip *zip, int64_t index, size_t *ret_bytes, struct lt_err *err)
{
	zip_stat_t st;

	if (zip_stat_index(zip->archive, (zip_uint64_t)index, 0, &st) != 0 ||
			!(st.valid & ZIP_STAT_SIZE)) {
		return lt_err_set(err, LT_E_FORMAT, "no size in the archive");
	}
	if (st.size > LT_ZIP_ENTRY_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "over %u bytes", LT_ZIP_ENTRY_MAX);
	}
	*ret_bytes = (size_t)st.size;
	return true;
}

bool lt_zip_check_size(const struct lt_zip *zip, int64_t index, struct lt_err *err)
{
	size_t bytes;

	return entry_size(zip, index, &bytes, err);
}

/* Exactly `bytes`, and then the end, which is where libzip compares the checksum. */
static bool read_exactly(zip_file_t *file, struct lt_buf *buf, size_t bytes, struct lt_err *err)
{
	zip_int64_t n = 1;
	size_t got = 0;
	char more;

	lt_buf_reserve(buf, bytes + 1);
	while (got < bytes && n > 0) {
		n = zip_fread(file, buf->p + buf->n + got, bytes - got);
		got += n > 0 ? (size_t)n : 0;
	}
	if (n >= 0 && got == bytes) {
		n = zip_fread(file, &more, 1);
	}
	if (n < 0) {
		return lt_err_set(err, LT_E_FORMAT, "cannot be unpacked (%s)",
				zip_error_strerror(zip_file_get_error(file)));
	}
	if (got != bytes || n != 0) {
		return lt_err_set(err, LT_E_FORMAT, "its size is not what the archive says");
	}
	buf->n += got;
	buf->p[buf->n] = '\0';
	return true;
}

bool lt_zip_read(const struct lt_zip *zip, int64_t index, struct lt_buf *buf, struct lt_err *err)
{
	zip_file_t *file;
	size_t bytes;
	bool ok;

	if (!entry_size(zip, index, &bytes, err)) {
		return false;
	}
	file = zip_fopen_index(zip->archive, (zip_uint64_t)index, 0);
	if (!file) {
		return lt_err_set(err, LT_E_FORMAT, "cannot be unpacked (%s)",
				zip_strerror(zip->archive));
	}
	ok = read_exactly(file, buf, bytes, err);
	zip_fclose(file);
	return ok;
}

/* libzip takes the stored time for local time. */
static int64_t stored_time(time_t local)
{
	struct tm tm;

	return localtime_r(&local, &tm) ? (int64_t)timegm(&tm) : 0;
}

static bool packed_info(const struct lt_zip *zip, int64_t index, struct lt_zip_info *ret_info,
		size_t *ret_packed, struct lt_err *err)
{
	const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC |
			ZIP_STAT_COMP_METHOD | ZIP_STAT_MTIME;
	zip_stat_t st;

	if (!lt_zip_check_size(zip, index, err)) {
		return false;
	}
	if (zip_stat_index(zip->archive, (zip_uint64_t)index, 0, &st) != 0 ||
			(st.valid & needed) != needed) {
		return lt_err_set(err, LT_E_FORMAT, "not described in the archive");
	}
	if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE) {
		return lt_err_set(err, LT_E_FORMAT, "encrypted");
	}
	if (st.comp_size > 2 * (zip_uint64_t)LT_ZIP_ENTRY_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "over %u bytes", 2 * LT_ZIP_ENTRY_MAX);
	}
	*ret_info = (struct lt_zip_info){
		.method = st.comp_method,
		.raw_crc = st.crc,
		.raw_bytes = (uint32_t)st.size,
		.time_s = stored_time(st.mtime),
	};
	*ret_packed = (size_t)st.comp_size;
	return true;
}

bool lt_zip_read_packed(const struct lt_zip *zip, int64_t index, struct lt_zip_info *ret_info,
		struct lt_buf *buf, struct lt_err *err)
{
	zip_file_t *file;
	size_t bytes;
	bool ok;

	if (!packed_info(zip, index, ret_info, &bytes, err)) {
		return false;
	}
	file = zip_fopen_index(zip->archive, (zip_uint64_t)index, ZIP_FL_COMPRESSED);
	if (!file) {
		return lt_err_set(err, LT_E_FORMAT, "cannot be read (%s)",
				zip_strerror(zip->archive));
	}
	ok = read_exactly(file, buf, bytes, err);
	zip_fclose(file);
	return ok;
}

struct lt_str lt_zip_comment(const struct lt_zip *zip)
{
	int n = 0;
	const char *text = zip_get_archive_comment(zip->archive, &n, ZIP_FL_ENC_RAW);

	return (struct lt_str){ text ? text : "", text && n > 0 ? (size_t)n : 0 };
}
