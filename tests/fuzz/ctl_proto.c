/* Lines of the control socket. */
#include "base/ctl_proto.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf input = { 0 };
	struct lt_str line;
	struct lt_err err;
	size_t used;

	lt_buf_add(&input, bytes, n);
	while (lt_ctl_next_line(&input, &line, &used, &err)) {
		assert(used > line.n && used <= input.n && lt_utf8_valid(line));
		lt_errc_parse(line);
		lt_buf_remove_front(&input, used);
	}
	return 0;
}
