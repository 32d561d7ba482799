/* Raw captures: whatever is read is written the same again, and passes a filter. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/raw_filter.h"

static const char rules[] = "^(\\$A,)[^,]* => \\1x\n[0-9]+ => \ndrop binary\n";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	char path[64];
	struct lt_err err;
	struct lt_raw_record record = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf again = { 0 }, out = { 0 };

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	struct lt_raw_reader *reader = lt_raw_open(path, &err);
	struct lt_raw_filter *filter = lt_raw_filter_create(LT_STR(rules), &err);

	assert(filter);
	while (reader && lt_raw_next(reader, &record, &err) == LT_RAW_GOT) {
		lt_buf_clear(&again);
		lt_raw_write_record(&again, &record);
		/* numbers may be written in more than one way: then the first is kept */
		assert(record.offset + record.bytes.n <= n);
		assert(again.n > record.bytes.n);
		lt_raw_filter_apply(filter, &record, &out);
	}
	lt_raw_filter_end(filter, record.at_us, &out);
	lt_raw_filter_destroy(filter);
	lt_raw_close(reader);
	close(fd);
	return 0;
}
