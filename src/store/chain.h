/*
 * The states of a recording, rebuilt frame by frame with every doubt: what
 * verifying and salvaging have in common. A frame that cannot be used breaks
 * the chain, and the differences after it are of no use until a key frame
 * mends it.
 */
#ifndef LT_STORE_CHAIN_H
#define LT_STORE_CHAIN_H

#include "base/json.h"

/* Zero-initialised is the chain before its first frame. */
struct lt_chain {
	cJSON *state; /* NULL: broken, or not begun */
	bool has_begun;
};

void lt_chain_finish(struct lt_chain *chain);

/*
 * Take in the JSON of the next frame. Errors: LT_E_FORMAT the frame is wrong,
 * LT_E_UNAVAILABLE a difference while the chain is broken, which says nothing
 * about the frame itself, LT_E_INVALID a difference that was made from another
 * state: a frame before it is missing or misplaced. The last one was applied
 * nevertheless, as readers do; break the chain to go on without it.
 */
bool lt_chain_add(struct lt_chain *chain, bool is_key, struct lt_str json, struct lt_err *err);

/* A frame is known to be missing here. */
void lt_chain_break(struct lt_chain *chain);

#endif
