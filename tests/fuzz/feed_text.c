/* What feeds write: decoded text is valid UTF-8 and fits; race control's meaning is one of the
 * known. */
#include "race/feed_text.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_str text = fuzz_text(bytes, n);
	struct lt_control_text found = { .size = sizeof(found) };
	char decoded[64];
	size_t used = 0;

	for (uint32_t encoding = LT_ENCODING_AUTO; encoding <= LT_ENCODING_WINDOWS_1252;
			encoding++) {
		used = lt_text_table.decode(text, encoding, decoded, sizeof(decoded));
		assert(used < sizeof(decoded) && strlen(decoded) == used);
		assert(lt_utf8_valid((struct lt_str){ decoded, used }));
	}
	lt_text_table.parse_control(text, &found);
	assert(found.kind <= LT_CONTROL_CLEARED);
	assert(found.seconds == 0 || found.kind == LT_CONTROL_PENALTY);
	assert(found.car.n == 0 ||
			(found.car.p >= text.p && found.car.p + found.car.n <= text.p + text.n));
	return 0;
}
