/*
 * lz-string's "UTF-16" compression, as browsers and the original read it. The
 * result is text (code units 0x20..0x801F, never surrogates), given as UTF-8.
 */
#ifndef LT_RACE_LZSTRING_H
#define LT_RACE_LZSTRING_H

#include "base/str.h"

/* Compress text (UTF-8; ASCII JSON in practice; astral characters as surrogate pairs) onto buf. */
void lt_lzstring_compress(struct lt_buf *buf, struct lt_str text);

/*
 * The text of a compressed value (UTF-8), appended to buf: stops at the end
 * marker, ignores the filling after it, accepts both forms of ending. A result
 * of more than max_bytes, a bad code and a missing end are errors.
 */
bool lt_lzstring_decompress(
		struct lt_buf *buf, struct lt_str compressed, size_t max_bytes, struct lt_err *err);

#endif
