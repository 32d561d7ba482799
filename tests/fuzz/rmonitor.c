/* A line of a timing feed; the first byte chooses the encoding. */
#include "fuzz.h"
#include "race/feed_text.h"
#include "rmonitor/rm_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct rm_record record;
	struct rm_decoder decoder = { .text = &lt_text_table };

	if (n == 0 || n > RM_LINE_MAX) {
		return 0;
	}
	rm_stamp_ms((const char *)bytes + 1, n - 1);
	decoder.encoding = bytes[0] % 3;
	if (rm_parse(&decoder, (const char *)bytes + 1, n - 1, &record) != RM_OK) {
		return 0;
	}
	for (size_t i = 0; i < RM_FIELDS_MAX; i++) {
		assert(lt_utf8_valid(lt_str_from(record.field[i])));
		rm_time_ms(record.field[i]);
		rm_signed_time_ms(record.field[i]);
		rm_number(record.field[i]);
	}
	return 0;
}
