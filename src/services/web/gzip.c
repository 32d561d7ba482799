#include "services/web/gzip.h"

#include <assert.h>
#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/alloc.h"

#define LEVEL       6
#define GZIP_WINDOW (15 + 16) /* largest window, gzip rather than zlib header */
#define MEMORY      8

void lt_gzip(struct lt_buf *buf, struct lt_str data)
{
	z_stream stream = { 0 };
	size_t bound;
	int result;

	assert(data.n < UINT_MAX / 2);
	if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) !=
			Z_OK) {
		lt_oom(); /* the only way for these arguments to fail */
	}
	bound = deflateBound(&stream, (uLong)data.n);
	lt_buf_reserve(buf, bound);
	stream.next_in = (const Bytef *)data.p;
	stream.avail_in = (uInt)data.n;
	stream.next_out = (Bytef *)buf->p + buf->n;
	stream.avail_out = (uInt)bound;
	result = deflate(&stream, Z_FINISH);
	assert(result == Z_STREAM_END);
	(void)result;
	buf->n += stream.total_out;
	deflateEnd(&stream);
}

/* "gzip", "gzip;q=0.5", "*": yes; any q of zero: no. */
static bool part_allows(struct lt_str part)
{
	struct lt_str name = lt_str_trim(lt_str_split(&part, ';'));
	double quality;

	if (!lt_str_eq_c(name, "gzip") && !lt_str_eq_c(name, "*")) {
		return false;
	}
	part = lt_str_trim(part);
	if (!lt_str_starts(part, LT_STR("q="))) {
		return true;
	}
	return lt_parse_double(lt_str_skip(part, 2), &quality, NULL) && quality > 0;
}

bool lt_gzip_is_accepted(struct lt_str accept_encoding)
{
	while (accept_encoding.p) {
		if (part_allows(lt_str_split(&accept_encoding, ','))) {
			return true;
		}
	}
	return false;
}
