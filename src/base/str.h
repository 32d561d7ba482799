/*
 * Borrowed text (struct lt_str: pointer and length, no terminator promised)
 * and the owned, growing byte buffer (struct lt_buf). Nothing from outside is
 * ever treated as a C string.
 */
#ifndef LT_BASE_STR_H
#define LT_BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "base/err.h"

/* Same definition as in livetiming_plugin.h, which includes nothing of ours. */
#ifndef LT_STR_DEFINED
#	define LT_STR_DEFINED
struct lt_str {
	const char *p;
	size_t n;
};
#endif

#define LT_STR(literal) ((struct lt_str){ (literal), sizeof(literal) - 1 })
#define LT_STR_ARG(s)   (int)(s).n, (s).p /* for "%.*s" */

static inline struct lt_str lt_str_from(const char *text)
{
	return (struct lt_str){ text, text ? strlen(text) : 0 };
}

bool lt_str_eq(struct lt_str a, struct lt_str b);
bool lt_str_eq_c(struct lt_str a, const char *b);
bool lt_str_starts(struct lt_str s, struct lt_str prefix);
bool lt_str_ends(struct lt_str s, struct lt_str suffix);
int lt_str_cmp(struct lt_str a, struct lt_str b); /* bytewise */
struct lt_str lt_str_trim(struct lt_str s);       /* spaces and tabs and line ends at both ends */
struct lt_str lt_str_skip(struct lt_str s, size_t n);

/* Cut `s` at the first `sep`: the part before is returned, *s is what follows
 * (p NULL when there was no separator left). Loop while s->p. */
struct lt_str lt_str_split(struct lt_str *s, char sep);

/* Owned, terminated copy; free with lt_free. */
char *lt_str_dup(struct lt_str s);

/* Whole input, in range, or an error naming the text. */
bool lt_parse_i64(struct lt_str s, int64_t min, int64_t max, int64_t *ret, struct lt_err *err);
bool lt_parse_u64(struct lt_str s, uint64_t max, uint64_t *ret, struct lt_err *err);
bool lt_parse_double(struct lt_str s, double *ret, struct lt_err *err); /* finite */
bool lt_parse_bool(
		struct lt_str s, bool *ret, struct lt_err *err); /* 1/0 true/false yes/no on/off */

/* Is the text well-formed UTF-8 (no surrogates, no overlong forms)? */
bool lt_utf8_valid(struct lt_str s);
/* Length of its well-formed beginning: s.n, or the offset of the first bad sequence. */
size_t lt_utf8_prefix(struct lt_str s);
/* First character of s, which is not empty: its length; an ill-formed byte is U+FFFD of length 1.
 */
size_t lt_utf8_next(struct lt_str s, uint32_t *ret_codepoint);

/*
 * Text from outside for a message: quoted, control and non-ASCII bytes escaped
 * as \xNN, cut with "..." when long. Returns buf.
 */
#define LT_QUOTE_MAX 72
const char *lt_str_quote(struct lt_str s, char buf[LT_QUOTE_MAX]);

/*
 * Growing bytes; zero-initialised is empty and valid. `p` is always followed
 * by a terminator once anything was appended, so small texts can be used as C
 * strings by their owner.
 */
struct lt_buf {
	char *p;
	size_t n;
	size_t cap;
};

void lt_buf_finish(struct lt_buf *buf); /* frees; leaves an empty buffer */
void lt_buf_clear(struct lt_buf *buf);  /* n = 0, keeps the memory */
void lt_buf_reserve(struct lt_buf *buf, size_t extra);
void lt_buf_add(struct lt_buf *buf, const void *bytes, size_t n);
void lt_buf_add_str(struct lt_buf *buf, struct lt_str s);
void lt_buf_add_c(struct lt_buf *buf, const char *text);
void lt_buf_add_char(struct lt_buf *buf, char c);
void lt_buf_add_utf8(struct lt_buf *buf, uint32_t codepoint);
void lt_buf_printf(struct lt_buf *buf, const char *fmt, ...) LT_PRINTF(2, 3);
void lt_buf_remove_front(struct lt_buf *buf, size_t n);
char *lt_buf_steal(struct lt_buf *buf); /* owned, terminated; never NULL; free with lt_free */

static inline struct lt_str lt_buf_str(const struct lt_buf *buf)
{
	return (struct lt_str){ buf->p, buf->n };
}

static inline void lt_auto_lt_buf_finish(struct lt_buf *buf)
{
	lt_buf_finish(buf);
}

#endif
