/* [value, difference, other]: apply what came, and what we make ourselves. */
#include "race/dictdiff.h"

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	LT_AUTO(cJSON_Delete) cJSON *input = lt_json_parse(fuzz_text(bytes, n), NULL);
	LT_AUTO(cJSON_Delete) cJSON *value = cJSON_DetachItemFromArray(input, 0);
	LT_AUTO(cJSON_Delete) cJSON *diff = cJSON_DetachItemFromArray(input, 0);
	LT_AUTO(cJSON_Delete) cJSON *other = cJSON_DetachItemFromArray(input, 0);
	LT_AUTO(cJSON_Delete) cJSON *made = NULL;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err;

	if (!diff) {
		return 0;
	}
	lt_dictdiff_apply(&value, diff, &err);
	assert(value);
	if (other) {
		made = lt_dictdiff_make(value, other);
		lt_dictdiff_shortens_list(made);
		assert(lt_dictdiff_apply(&value, made, &err));
	}
	lt_json_print(&text, value, LT_JSON_COMPACT);
	return 0;
}
