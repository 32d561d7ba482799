#include "store/recording_zip.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/frame.h"
#include "store/zip_directory.h"
#include "store/zip_writer.h"

#define LOCAL_BYTES 30
#define PACKED_MAX  (2u * LT_ZIP_ENTRY_MAX)

struct lt_zip {
	int fd;
	struct lt_zip_directory directory;
};

LT_DEFINE_AUTO(struct lt_zip, lt_zip_close);

/* --- opening --- */

static bool open_file(struct lt_zip *zip, const char *path, int64_t *ret_bytes, struct lt_err *err)
{
	struct stat st;

	/* Without O_NONBLOCK, opening a FIFO would wait for its other side. */
	zip->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (zip->fd < 0 || fstat(zip->fd, &st) < 0) {
		return lt_err_errno(err, "cannot open");
	}
	*ret_bytes = st.st_size;
	return S_ISREG(st.st_mode) || lt_err_set(err, LT_E_INVALID, "not a regular file");
}

struct lt_zip *lt_zip_open(const char *path, struct lt_err *err)
{
	LT_AUTO(lt_zip_close) struct lt_zip *zip = lt_zalloc(sizeof(*zip));
	int64_t bytes;

	if (!open_file(zip, path, &bytes, err)) {
		return NULL;
	}
	if (!lt_zip_directory_read(&zip->directory, zip->fd, bytes, LT_ZIP_ENTRIES_MAX, err)) {
		lt_err_prefix(err, "not a readable zip archive");
		return NULL;
	}
	return LT_STEAL(zip);
}

void lt_zip_close(struct lt_zip *zip)
{
	if (!zip) {
		return;
	}
	if (zip->fd >= 0) {
		close(zip->fd);
	}
	lt_zip_directory_finish(&zip->directory);
	lt_free(zip);
}

int64_t lt_zip_count(const struct lt_zip *zip)
{
	return (int64_t)zip->directory.count;
}

struct lt_str lt_zip_name(const struct lt_zip *zip, int64_t index)
{
	return lt_zip_directory_name(&zip->directory, (size_t)index);
}

struct lt_str lt_zip_comment(const struct lt_zip *zip)
{
	return lt_buf_str(&zip->directory.comment);
}

/* --- entries --- */

static bool check_size(const struct lt_zip_item *item, struct lt_err *err)
{
	return item->raw_bytes <= LT_ZIP_ENTRY_MAX ||
			lt_err_set(err, LT_E_LIMIT, "over %u bytes", LT_ZIP_ENTRY_MAX);
}

bool lt_zip_check_size(const struct lt_zip *zip, int64_t index, struct lt_err *err)
{
	if (zip->directory.raw_bytes_max <= LT_ZIP_ENTRY_MAX) {
		return true; /* as nearly always, without a look at the entry */
	}
	struct lt_zip_item item = lt_zip_directory_item(&zip->directory, (size_t)index);
	return check_size(&item, err);
}

bool lt_zip_read_packed(const struct lt_zip *zip, int64_t index, struct lt_zip_info *ret_info,
		struct lt_buf *buf, struct lt_err *err)
{
	struct lt_zip_item item = lt_zip_directory_item(&zip->directory, (size_t)index);
	LT_AUTO(lt_buf_finish) struct lt_buf local = { 0 };

	if (!check_size(&item, err)) {
		return false;
	}
	if (item.packed_bytes > PACKED_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "over %u bytes packed", PACKED_MAX);
	}
	if (item.is_encrypted) {
		return lt_err_set(err, LT_E_FORMAT, "encrypted");
	}
	if (!lt_zip_read_at(zip->fd, item.offset, LOCAL_BYTES, &local, err)) {
		return false;
	}
	if (memcmp(local.p, "PK\3\4", 4) != 0) {
		return lt_err_set(err, LT_E_FORMAT, "not where the directory says");
	}
	/* Only the lengths count: the rest is in the directory, and the truth is there. */
	size_t name_n = (uint8_t)local.p[26] | (size_t)(uint8_t)local.p[27] << 8;
	size_t extra_n = (uint8_t)local.p[28] | (size_t)(uint8_t)local.p[29] << 8;
	*ret_info = (struct lt_zip_info){
		.method = item.method,
		.raw_crc = item.raw_crc,
		.raw_bytes = (uint32_t)item.raw_bytes,
		.time_s = lt_zip_unix_time(item.dos_time),
	};
	return lt_zip_read_at(zip->fd, item.offset + LOCAL_BYTES + name_n + extra_n,
			(size_t)item.packed_bytes, buf, err);
}

static bool read_stored(struct lt_str packed, const struct lt_zip_info *info, struct lt_buf *buf,
		struct lt_err *err)
{
	if (packed.n != info->raw_bytes) {
		return lt_err_set(err, LT_E_FORMAT, "its size is not what the archive says");
	}
	if (lt_crc32(packed) != info->raw_crc) {
		return lt_err_set(err, LT_E_FORMAT, "its checksum is wrong");
	}
	lt_buf_add_str(buf, packed);
	return true;
}

bool lt_zip_read(const struct lt_zip *zip, int64_t index, struct lt_buf *buf, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	struct lt_zip_info info;

	if (!lt_zip_read_packed(zip, index, &info, &packed, err)) {
		return false;
	}
	if (info.method == LT_ZIP_STORED) {
		return read_stored(lt_buf_str(&packed), &info, buf, err);
	}
	if (info.method != LT_ZIP_DEFLATED) {
		return lt_err_set(err, LT_E_FORMAT, "packed in a way that is not supported (%u)",
				info.method);
	}
	return lt_frame_unpack(lt_buf_str(&packed), info.raw_bytes, info.raw_crc, buf, err);
}
