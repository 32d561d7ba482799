#include "router/wamp_uri.h"

/* Whitespace beyond ASCII, as the UTF-8 it is written in. */
static bool starts_with_space(struct lt_str s)
{
	static const char *const spaces[] = { "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

	for (size_t i = 0; i < LT_ARRAY_LEN(spaces); i++) {
		if (lt_str_starts(s, lt_str_from(spaces[i]))) {
			return true;
		}
	}
	/* U+2000 to U+200A */
	return lt_str_starts(s, LT_STR("\xe2\x80")) && s.n >= 3 && (unsigned char)s.p[2] >= 0x80 &&
			(unsigned char)s.p[2] <= 0x8a;
}

static bool check_characters(struct lt_str uri, struct lt_err *err)
{
	for (size_t i = 0; i < uri.n; i++) {
		unsigned char c = (unsigned char)uri.p[i];

		if (c <= ' ' || c == 0x7f || c == '#') {
			return lt_err_set(err, LT_E_URI,
					"a URI has no whitespace, control characters or '#'");
		}
		if (c >= 0xc2 && c <= 0xe3 && starts_with_space(lt_str_skip(uri, i))) {
			return lt_err_set(err, LT_E_URI, "a URI has no whitespace");
		}
	}
	return true;
}

bool lt_uri_check(struct lt_str uri, enum lt_match match, size_t max_bytes, struct lt_err *err)
{
	size_t components = 0;

	if (uri.n > max_bytes) {
		return lt_err_set(err, LT_E_URI, "a URI has at most %zu bytes", max_bytes);
	}
	if (!check_characters(uri, err)) {
		return false;
	}
	for (struct lt_str rest = uri; rest.p;) {
		struct lt_str component = lt_str_split(&rest, '.');

		if (component.n == 0 && match == LT_MATCH_EXACT) {
			return lt_err_set(err, LT_E_URI, "a URI has no empty component");
		}
		if (++components > LT_URI_COMPONENTS_MAX) {
			return lt_err_set(err, LT_E_URI, "a URI has at most %d components",
					LT_URI_COMPONENTS_MAX);
		}
	}
	if (components == 0 && match == LT_MATCH_EXACT) {
		return lt_err_set(err, LT_E_URI, "a URI is not empty");
	}
	return true;
}

bool lt_uri_check_strict(struct lt_str uri, struct lt_err *err)
{
	for (size_t i = 0; i < uri.n; i++) {
		char c = uri.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) {
			return lt_err_set(err, LT_E_URI,
					"a URI has only lower-case letters, digits, '_' and dots");
		}
	}
	return true;
}

bool lt_uri_is_reserved(struct lt_str uri)
{
	return lt_str_starts(uri, LT_STR("wamp."));
}

static bool matches_wildcard(struct lt_str pattern, struct lt_str uri)
{
	while (pattern.p && uri.p) {
		struct lt_str want = lt_str_split(&pattern, '.');
		struct lt_str have = lt_str_split(&uri, '.');

		if (want.n > 0 && !lt_str_eq(want, have)) {
			return false;
		}
	}
	return !pattern.p && !uri.p;
}

bool lt_uri_matches(struct lt_str pattern, enum lt_match match, struct lt_str uri)
{
	switch (match) {
	case LT_MATCH_EXACT:
		return lt_str_eq(pattern, uri);
	case LT_MATCH_PREFIX:
		return lt_str_starts(uri, pattern);
	case LT_MATCH_WILDCARD:
		return matches_wildcard(pattern, uri);
	}
	return false;
}

struct lt_str lt_uri_fixed_part(struct lt_str pattern, enum lt_match match)
{
	if (match != LT_MATCH_WILDCARD) {
		return pattern;
	}
	for (size_t i = 0; i < pattern.n; i++) {
		bool at_start = i == 0 || pattern.p[i - 1] == '.';

		if (at_start && pattern.p[i] == '.') {
			return (struct lt_str){ pattern.p, i };
		}
	}
	return pattern;
}
