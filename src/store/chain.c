#include "store/chain.h"

#include "race/dictdiff_check.h"
#include "race/state.h"

void lt_chain_finish(struct lt_chain *chain)
{
	lt_chain_break(chain);
}

void lt_chain_break(struct lt_chain *chain)
{
	cJSON_Delete(chain->state);
	chain->state = NULL;
}

/* Was this difference made from the state that we have? */
static bool check_follows(const cJSON *state, const cJSON *frame, struct lt_err *err)
{
	static const char *const parts[] = { "cars", "session" };

	for (size_t i = 0; i < LT_ARRAY_LEN(parts); i++) {
		if (!lt_dictdiff_check(lt_json_get(state, parts[i]), lt_json_get(frame, parts[i]),
				    err)) {
			lt_err_prefix(err, "%s", parts[i]);
			return lt_err_prefix(err, "does not follow from the frame before it");
		}
	}
	return true;
}

static bool add_difference(struct lt_chain *chain, const cJSON *frame, struct lt_err *err)
{
	struct lt_err doubt;

	if (!chain->state) {
		return lt_err_set(err, LT_E_UNAVAILABLE,
				chain->has_begun ? "follows a frame that is missing or broken"
						 : "no key frame before it");
	}
	bool follows = check_follows(chain->state, frame, &doubt);
	if (!lt_state_apply(chain->state, frame, err)) {
		lt_chain_break(chain);
		return false;
	}
	return follows || lt_err_set(err, LT_E_INVALID, "%s", doubt.msg);
}

bool lt_chain_add(struct lt_chain *chain, bool is_key, struct lt_str json, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *frame = lt_json_parse(json, err);

	if (frame && !is_key) {
		return add_difference(chain, frame, err);
	}
	lt_chain_break(chain);
	chain->has_begun = chain->has_begun || is_key;
	if (!frame || !lt_state_check(frame, err)) {
		return false;
	}
	chain->state = LT_STEAL(frame);
	return true;
}
