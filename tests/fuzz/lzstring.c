/* Compressed states from outside; and text that we compress comes back. */
#include "race/lzstring.h"

#include "fuzz.h"

#define MAX_BYTES (256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf out = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf packed = { 0 };
	struct lt_str text = fuzz_text(bytes, n);
	struct lt_err err;

	if (lt_lzstring_decompress(&out, text, MAX_BYTES, &err)) {
		assert(out.n <= MAX_BYTES);
	}
	if (lt_utf8_valid(text)) {
		lt_buf_clear(&out);
		lt_lzstring_compress(&packed, text);
		assert(lt_lzstring_decompress(&out, lt_buf_str(&packed), MAX_BYTES, &err));
		assert(lt_str_eq(lt_buf_str(&out), text));
	}
	return 0;
}
