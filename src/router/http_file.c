/*
 * Replies from files: conditions, ranges, and the descriptor that the transport
 * reads piece by piece while the client takes what it got.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"
#include "router/http_req.h"

struct range {
	uint64_t from, n;
};

enum range_kind { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE };

/* RFC 9110 14.1.2, one range; what is malformed, or several, counts as none. */
static enum range_kind parse_range(struct lt_str text, uint64_t size, struct range *ret)
{
	static const struct lt_str unit = { "bytes=", 6 };
	uint64_t first = 0, last = UINT64_MAX;

	if (!lt_str_starts(text, unit)) {
		return RANGE_NONE;
	}
	struct lt_str to = lt_str_trim(lt_str_skip(text, unit.n));
	struct lt_str from = lt_str_split(&to, '-');
	if (!to.p || (from.n == 0 && to.n == 0) ||
			(from.n > 0 && !lt_parse_u64(from, INT64_MAX, &first, NULL)) ||
			(to.n > 0 && !lt_parse_u64(to, INT64_MAX, &last, NULL)) ||
			(from.n > 0 && last < first)) {
		return RANGE_NONE;
	}
	if (from.n == 0) { /* the last so many bytes */
		first = last < size ? size - last : 0;
		if (last == 0) {
			return RANGE_OUTSIDE;
		}
		last = UINT64_MAX;
	}
	if (first >= size) {
		return RANGE_OUTSIDE;
	}
	*ret = (struct range){ first, LT_MIN(last, size - 1) - first + 1 };
	return RANGE_PART;
}

/* If-Range: the file is still the one of which the client has a part. Tags compare strongly. */
static bool is_same(struct lt_http_req *req, const char *etag, const char *changed)
{
	struct lt_str condition = lt_http_header(req, "if-range");

	return !condition.p || lt_str_eq_c(condition, etag) || lt_str_eq_c(condition, changed);
}

/* attachment; filename="...": what a quoted text must not hold becomes '_'. */
static void print_disposition(struct lt_buf *buf, const char *name)
{
	lt_buf_add_c(buf, "attachment; filename=\"");
	for (; *name; name++) {
		bool plain = (unsigned char)*name >= 0x20 && (unsigned char)*name < 0x7f &&
				*name != '"' && *name != '\\';

		lt_buf_add_char(buf, plain ? *name : '_');
	}
	lt_buf_add_char(buf, '"');
}

static int open_regular(const char *path, struct stat *ret_status)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, ret_status) != 0 || !S_ISREG(ret_status->st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The head; `req` gets the descriptor when a body follows. */
static void answer(struct lt_http_req *req, struct lt_http_reply *reply, const struct range *range,
		int fd)
{
	bool has_body = req->method != LT_HTTP_HEAD && reply->status != 304 && range->n > 0;

	if (has_body && req->ready) {
		req->file_fd = fd;
		req->file_at = range->from;
		req->file_left = range->n;
	} else {
		close(fd);
	}
	lt_http_req_answer(req, reply, range->n);
}

void lt_http_reply_file(struct lt_http_req *req, const struct lt_http_file *file)
{
	struct stat status;
	int fd = open_regular(file->path, &status);
	struct lt_buf disposition = { 0 };
	char etag[64], changed[40], content_range[80];

	if (fd < 0) {
		lt_http_reply_text(req, 404, "there is nothing at this address");
		return;
	}
	uint64_t size = (uint64_t)status.st_size;
	struct range range = { 0, size };
	snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 ".%lx\"", size,
			(uint64_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
	lt_http_print_date(status.st_mtim.tv_sec, changed);
	const char *headers[] = { "Accept-Ranges", "bytes", "Last-Modified", changed, NULL, NULL,
		NULL, NULL, NULL };
	size_t n = 4;
	if (file->download_name) {
		print_disposition(&disposition, file->download_name);
		headers[n++] = "Content-Disposition";
		headers[n++] = disposition.p;
	}
	struct lt_http_reply reply = {
		.status = 200,
		.content_type = file->content_type,
		.cache_control = file->cache_control,
		.etag = etag,
		.headers = headers,
	};
	struct lt_str wanted = lt_http_header(req, "range");
	if (lt_http_etag_matches(lt_http_header(req, "if-none-match"), etag)) {
		reply.status = 304;
	} else if (wanted.p && req->method == LT_HTTP_GET && is_same(req, etag, changed)) {
		enum range_kind kind = parse_range(wanted, size, &range);

		if (kind == RANGE_PART) {
			reply.status = 206;
			snprintf(content_range, sizeof(content_range),
					"bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.from,
					range.from + range.n - 1, size);
		} else if (kind == RANGE_OUTSIDE) {
			reply.status = 416;
			range.n = 0;
			snprintf(content_range, sizeof(content_range), "bytes */%" PRIu64, size);
		}
		if (kind != RANGE_NONE) {
			headers[n++] = "Content-Range";
			headers[n++] = content_range;
		}
	}
	answer(req, &reply, &range, fd);
	lt_buf_finish(&disposition);
}
