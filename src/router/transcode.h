/*
 * Values from one format to another: JSON, MessagePack, CBOR. Pure; one pass
 * without recursion, or two where the target must say how many elements a
 * container has and the source does not tell.
 *
 * Exact: integers of 64 bits (of 512 between JSON and CBOR; elsewhere such
 * are floating point), floating point, text, order of members. 1 and 1.0 stay
 * what they are. What is not in the target:
 *
 *   bytes in JSON              "\u0000" and base64 (Binary support in JSON), and back
 *   NaN, infinity in JSON      null
 *   floats of JavaScript that are integers above 32 bits   integers in JSON
 *   undefined, other simple values, and tags of CBOR       null; skipped
 *   lone surrogates in JSON    U+FFFD
 */
#ifndef LT_ROUTER_TRANSCODE_H
#define LT_ROUTER_TRANSCODE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct lt_binary;

/*
 * Append one value in another format; NULL stands for JSON. `from` and `to`
 * differ. Containers may be nested LT_JSON_DEPTH_MAX deep.
 *
 * Errors: LT_E_FORMAT, LT_E_LIMIT as when reading the source; `out` is as before
 */
bool lt_transcode(const struct lt_binary *from, struct lt_str value, const struct lt_binary *to,
		struct lt_buf *out, struct lt_err *err);

#endif
