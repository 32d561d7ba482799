#include "base/json_scan.h"

#include <assert.h>

#ifdef __SSE2__
#	include <emmintrin.h>
#endif

/* Report what is wrong at the current byte, once: after an error the scan is over. */
static bool fail_expected(struct lt_json_scan *scan, const char *expected, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	size_t offset = (size_t)(scan->p - scan->start);

	if (scan->failed) {
		return false;
	}
	scan->failed = true;
	if (scan->p == scan->end) {
		return lt_err_set(err, LT_E_FORMAT, "byte %zu: expected %s, found the end", offset,
				expected);
	}
	return lt_err_set(err, LT_E_FORMAT, "byte %zu: expected %s, found %s", offset, expected,
			lt_str_quote((struct lt_str){ scan->p, 1 }, quoted));
}

bool lt_json_scan_init(struct lt_json_scan *scan, struct lt_str text, uint32_t max_depth,
		struct lt_err *err)
{
	/* An empty text may have a NULL pointer; the scanner compares pointers only. */
	const char *start = text.n ? text.p : "";
	size_t valid = lt_utf8_prefix(text);

	scan->p = start;
	scan->start = start;
	scan->end = start + text.n;
	scan->depth = 0;
	scan->max_depth = LT_MIN(max_depth, (uint32_t)LT_JSON_DEPTH_MAX);
	scan->first = false;
	scan->failed = valid != text.n;
	if (scan->failed) {
		return lt_err_set(err, LT_E_FORMAT, "byte %zu: not well-formed UTF-8", valid);
	}
	return true;
}

/* The byte at the current place, or NUL at the end: NUL is never right outside of a string. */
static inline char skip_blanks(struct lt_json_scan *scan)
{
	const char *p = scan->p;

	while (p < scan->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
		p++;
	}
	scan->p = p;
	return p < scan->end ? *p : '\0';
}

static inline bool in_object(const struct lt_json_scan *scan)
{
	uint32_t level = scan->depth - 1;

	return scan->depth > 0 && (scan->objects[level / 64] >> (level % 64) & 1);
}

static bool push(struct lt_json_scan *scan, bool object, struct lt_err *err)
{
	uint32_t level = scan->depth;
	uint64_t bit = (uint64_t)1 << (level % 64);

	if (level >= scan->max_depth) {
		scan->failed = true;
		return lt_err_set(err, LT_E_LIMIT, "byte %zu: nested deeper than %u levels",
				(size_t)(scan->p - scan->start), scan->max_depth);
	}
	if (object) {
		scan->objects[level / 64] |= bit;
	} else {
		scan->objects[level / 64] &= ~bit;
	}
	scan->depth++;
	scan->p++;
	return true;
}

/* First byte from p on that ends a string, starts an escape or is a control byte; or end. */
static inline const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i control = _mm_set1_epi8(0x1F);

	while (end - p >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* min(byte, 0x1F) is the byte itself only for control bytes. */
		__m128i hits = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
							    _mm_cmpeq_epi8(bytes, backslash)),
				_mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes));
		unsigned mask = (unsigned)_mm_movemask_epi8(hits);

		if (mask) {
			return p + __builtin_ctz(mask);
		}
		p += 16;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) {
		p++;
	}
	return p;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* At a backslash: step over the escape. */
static bool skip_escape(struct lt_json_scan *scan, struct lt_err *err)
{
	char c = ++scan->p < scan->end ? *scan->p : '\0';

	if (c == 'u') {
		scan->p++;
		for (int i = 0; i < 4; i++, scan->p++) {
			if (scan->p == scan->end || hex_digit(*scan->p) < 0) {
				return fail_expected(scan, "a hexadecimal digit", err);
			}
		}
		return true;
	}
	if (c == '\0' || !strchr("\"\\/bfnrt", c)) {
		return fail_expected(scan, "an escape letter", err);
	}
	scan->p++;
	return true;
}

/* At the opening quote: step over the string. */
static bool skip_string(struct lt_json_scan *scan, bool *ret_escaped, struct lt_err *err)
{
	*ret_escaped = false;
	scan->p++;
	for (;;) {
		scan->p = skip_plain(scan->p, scan->end);
		if (scan->p < scan->end && *scan->p == '"') {
			scan->p++;
			return true;
		}
		if (scan->p == scan->end || *scan->p != '\\') {
			return fail_expected(scan, "the rest of a string", err);
		}
		*ret_escaped = true;
		if (!skip_escape(scan, err)) {
			return false;
		}
	}
}

static inline bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static bool skip_digits(struct lt_json_scan *scan, struct lt_err *err)
{
	if (!is_digit(scan->p, scan->end)) {
		return fail_expected(scan, "a digit", err);
	}
	while (is_digit(scan->p, scan->end)) {
		scan->p++;
	}
	return true;
}

static bool skip_number(struct lt_json_scan *scan, struct lt_err *err)
{
	if (*scan->p == '-') {
		scan->p++;
	}
	if (scan->p < scan->end && *scan->p == '0') {
		scan->p++;
		if (is_digit(scan->p, scan->end)) {
			return fail_expected(scan, "no digit after a leading zero", err);
		}
	} else if (!skip_digits(scan, err)) {
		return false;
	}
	if (scan->p < scan->end && *scan->p == '.') {
		scan->p++;
		if (!skip_digits(scan, err)) {
			return false;
		}
	}
	if (scan->p < scan->end && (*scan->p == 'e' || *scan->p == 'E')) {
		scan->p++;
		if (scan->p < scan->end && (*scan->p == '+' || *scan->p == '-')) {
			scan->p++;
		}
		return skip_digits(scan, err);
	}
	return true;
}

static bool skip_word(struct lt_json_scan *scan, struct lt_str word, struct lt_err *err)
{
	for (size_t i = 0; i < word.n; i++, scan->p++) {
		if (scan->p == scan->end || *scan->p != word.p[i]) {
			return fail_expected(scan, word.p, err);
		}
	}
	return true;
}

/* Kind by the first byte of a value. */
static inline bool kind_of(char c, enum lt_json_kind *ret_kind)
{
	switch (c) {
	case '"':
		*ret_kind = LT_JSON_STRING;
		return true;
	case '[':
		*ret_kind = LT_JSON_ARRAY;
		return true;
	case '{':
		*ret_kind = LT_JSON_OBJECT;
		return true;
	case 't':
		*ret_kind = LT_JSON_TRUE;
		return true;
	case 'f':
		*ret_kind = LT_JSON_FALSE;
		return true;
	case 'n':
		*ret_kind = LT_JSON_NULL;
		return true;
	default:
		*ret_kind = LT_JSON_NUMBER;
		return c == '-' || (c >= '0' && c <= '9');
	}
}

bool lt_json_scan_peek(struct lt_json_scan *scan, enum lt_json_kind *ret_kind, struct lt_err *err)
{
	if (scan->failed) {
		return false;
	}
	if (!kind_of(skip_blanks(scan), ret_kind)) {
		return fail_expected(scan, "a value", err);
	}
	return true;
}

/* A whole scalar, or only the opening bracket of a container, whose kind says so. */
static inline bool skip_item(struct lt_json_scan *scan, enum lt_json_kind *ret_kind,
		bool *ret_escaped, struct lt_err *err)
{
	if (!lt_json_scan_peek(scan, ret_kind, err)) {
		return false;
	}
	switch (*ret_kind) {
	case LT_JSON_STRING:
		return skip_string(scan, ret_escaped, err);
	case LT_JSON_NUMBER:
		return skip_number(scan, err);
	case LT_JSON_NULL:
		return skip_word(scan, LT_STR("null"), err);
	case LT_JSON_FALSE:
		return skip_word(scan, LT_STR("false"), err);
	case LT_JSON_TRUE:
		return skip_word(scan, LT_STR("true"), err);
	case LT_JSON_ARRAY:
	case LT_JSON_OBJECT:
		return push(scan, *ret_kind == LT_JSON_OBJECT, err);
	}
	return false;
}

/* A member's name and its colon. */
static bool skip_key(struct lt_json_scan *scan, bool *ret_escaped, const char **ret_end,
		struct lt_err *err)
{
	if (skip_blanks(scan) != '"') {
		return fail_expected(scan, "a member name", err);
	}
	if (!skip_string(scan, ret_escaped, err)) {
		return false;
	}
	*ret_end = scan->p;
	if (skip_blanks(scan) != ':') {
		return fail_expected(scan, "':'", err);
	}
	scan->p++;
	return true;
}

static bool skip_inner_key(struct lt_json_scan *scan, struct lt_err *err)
{
	const char *end;
	bool escaped;

	return skip_key(scan, &escaped, &end, err);
}

/* After a value inside of the container being skipped: to the next value, or out of `base`. */
static bool skip_separators(struct lt_json_scan *scan, uint32_t base, struct lt_err *err)
{
	while (scan->depth > base) {
		bool object = in_object(scan);
		char c = skip_blanks(scan);

		if (c == ',') {
			scan->p++;
			return !object || skip_inner_key(scan, err);
		}
		if (c != (object ? '}' : ']')) {
			return fail_expected(scan, object ? "',' or '}'" : "',' or ']'", err);
		}
		scan->p++;
		scan->depth--;
	}
	return true;
}

/* The container has been opened: step past its closing bracket. */
static bool skip_container(struct lt_json_scan *scan, struct lt_err *err)
{
	uint32_t base = scan->depth - 1;
	bool opened = true;

	while (scan->depth > base) {
		enum lt_json_kind kind;
		bool escaped;

		if (opened) {
			bool object = in_object(scan);

			if (skip_blanks(scan) == (object ? '}' : ']')) {
				scan->p++;
				scan->depth--;
				opened = false;
				if (!skip_separators(scan, base, err)) {
					return false;
				}
				continue;
			}
			if (object && !skip_inner_key(scan, err)) {
				return false;
			}
		}
		if (!skip_item(scan, &kind, &escaped, err)) {
			return false;
		}
		opened = kind >= LT_JSON_ARRAY;
		if (!opened && !skip_separators(scan, base, err)) {
			return false;
		}
	}
	return true;
}

bool lt_json_scan_value(
		struct lt_json_scan *scan, struct lt_json_slice *ret_slice, struct lt_err *err)
{
	enum lt_json_kind kind;
	bool escaped = false;

	if (scan->failed) {
		return false;
	}
	skip_blanks(scan);
	const char *from = scan->p;
	if (!skip_item(scan, &kind, &escaped, err)) {
		return false;
	}
	if (kind >= LT_JSON_ARRAY && !skip_container(scan, err)) {
		return false;
	}
	*ret_slice = (struct lt_json_slice){
		.kind = kind,
		.escaped = escaped,
		.raw = { from, (size_t)(scan->p - from) },
	};
	return true;
}

bool lt_json_scan_enter(struct lt_json_scan *scan, enum lt_json_kind kind, struct lt_err *err)
{
	bool object = kind == LT_JSON_OBJECT;

	if (scan->failed) {
		return false;
	}
	if (skip_blanks(scan) != (object ? '{' : '[')) {
		return fail_expected(scan, object ? "'{'" : "'['", err);
	}
	scan->first = true;
	return push(scan, object, err);
}

bool lt_json_scan_more(struct lt_json_scan *scan)
{
	if (scan->failed || scan->depth == 0) {
		return false;
	}
	char c = skip_blanks(scan);
	if (scan->first) {
		scan->first = false;
		return c != (in_object(scan) ? '}' : ']');
	}
	if (c != ',') {
		/* The closing bracket, or something that leave will complain about. */
		return false;
	}
	scan->p++;
	return true;
}

bool lt_json_scan_key(struct lt_json_scan *scan, struct lt_json_slice *ret_key, struct lt_err *err)
{
	const char *end;
	bool escaped;

	if (scan->failed) {
		return false;
	}
	skip_blanks(scan);
	const char *from = scan->p;
	if (!skip_key(scan, &escaped, &end, err)) {
		return false;
	}
	*ret_key = (struct lt_json_slice){
		.kind = LT_JSON_STRING,
		.escaped = escaped,
		.raw = { from, (size_t)(end - from) },
	};
	return true;
}

bool lt_json_scan_leave(struct lt_json_scan *scan, struct lt_err *err)
{
	bool object = in_object(scan);

	assert(scan->depth > 0 || scan->failed);
	if (scan->failed) {
		return false;
	}
	if (skip_blanks(scan) != (object ? '}' : ']')) {
		return fail_expected(scan, object ? "',' or '}'" : "',' or ']'", err);
	}
	scan->p++;
	scan->depth--;
	scan->first = false;
	return true;
}

bool lt_json_scan_end(struct lt_json_scan *scan, struct lt_err *err)
{
	if (scan->failed) {
		return false;
	}
	skip_blanks(scan);
	if (scan->p != scan->end) {
		return fail_expected(scan, "the end", err);
	}
	return true;
}

struct lt_str lt_json_slice_plain(const struct lt_json_slice *slice)
{
	return (struct lt_str){ slice->raw.p + 1, slice->raw.n - 2 };
}

/* Four digits that the scanner has checked. */
static uint32_t hex4(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		value = value << 4 | (uint32_t)hex_digit(p[i]);
	}
	return value;
}

/* At the digits of a \u escape: decode it and a low half that follows; returns past them. */
static const char *decode_unicode(const char *p, const char *end, struct lt_buf *buf)
{
	uint32_t unit = hex4(p);

	p += 4;
	if (unit >= 0xD800 && unit <= 0xDBFF && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
		uint32_t low = hex4(p + 2);

		if (low >= 0xDC00 && low <= 0xDFFF) {
			unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
			p += 6;
		}
	}
	/* A surrogate left alone becomes U+FFFD there. */
	lt_buf_add_utf8(buf, unit);
	return p;
}

void lt_json_slice_text(const struct lt_json_slice *slice, struct lt_buf *buf)
{
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";
	struct lt_str inner = lt_json_slice_plain(slice);
	const char *p = inner.p;
	const char *end = inner.p + inner.n;

	lt_buf_reserve(buf, inner.n);
	while (p < end) {
		const char *stop = memchr(p, '\\', (size_t)(end - p));

		if (!stop) {
			stop = end;
		}
		lt_buf_add(buf, p, (size_t)(stop - p));
		if (stop == end) {
			return;
		}
		char c = stop[1];
		p = stop + 2;
		if (c == 'u') {
			p = decode_unicode(p, end, buf);
		} else {
			const char *at = strchr(letters, c);

			lt_buf_add_char(buf, at ? meanings[at - letters] : c);
		}
	}
}

bool lt_json_slice_u53(const struct lt_json_slice *slice, uint64_t *ret_value)
{
	return slice->kind == LT_JSON_NUMBER &&
			lt_parse_u64(slice->raw, (uint64_t)1 << 53, ret_value, NULL);
}
