/* Answers of a store, and the seed of an nkey. */
#include "net/s3_xml.h"

#include "fuzz.h"
#include "mesh/nkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_str rest = fuzz_text(bytes, n), inside;
	struct lt_buf text = { 0 };
	char public[LT_NKEY_TEXT];
	struct lt_err err;

	while (lt_s3_xml_next(&rest, "Key", &inside)) {
		lt_s3_xml_text(&text, inside);
	}
	lt_s3_xml_text(&text, fuzz_text(bytes, n));
	lt_nkey_public(lt_nkey_find_seed(fuzz_text(bytes, n)), public, &err);
	lt_buf_finish(&text);
	return 0;
}
