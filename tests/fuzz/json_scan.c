/* What the scanner accepts the parser accepts, and what is printed of it reads back equal. */
#include "base/json_scan.h"

#include "base/json.h"
#include "fuzz.h"

static bool scans(struct lt_str text)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;
	struct lt_err err;

	return lt_json_scan_init(&scan, text, LT_JSON_DEPTH_MAX, &err) &&
			lt_json_scan_value(&scan, &slice, &err) && lt_json_scan_end(&scan, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_str text = fuzz_text(bytes, n);
	struct lt_err err;
	LT_AUTO(cJSON_Delete) cJSON *tree = lt_json_parse(text, &err);

	if (!scans(text)) {
		assert(!tree);
		return 0;
	}
	if (tree) {
		LT_AUTO(lt_buf_finish) struct lt_buf first = { 0 };
		LT_AUTO(lt_buf_finish) struct lt_buf second = { 0 };
		LT_AUTO(cJSON_Delete) cJSON *again = NULL;

		lt_json_print(&first, tree, LT_JSON_COMPACT);
		again = lt_json_parse(lt_buf_str(&first), &err);
		assert(again);
		lt_json_print(&second, again, LT_JSON_COMPACT);
		assert(lt_str_eq(lt_buf_str(&first), lt_buf_str(&second)));
	}
	return 0;
}
