/*
 * WAMP URIs, by the loose rule: components separated by '.', none empty, no
 * whitespace or control characters, no '#'. Comparison is bytewise. Only
 * patterns (prefix, wildcard) may have empty components, also be empty.
 */
#ifndef LT_ROUTER_WAMP_URI_H
#define LT_ROUTER_WAMP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "router/local.h"

#define LT_URI_COMPONENTS_MAX 64

/* `uri` is well-formed UTF-8. Errors: LT_E_URI. */
bool lt_uri_check(struct lt_str uri, enum lt_match match, size_t max_bytes, struct lt_err *err);

/* The characters of the strict rule alone: [0-9a-z_] and dots. Errors: LT_E_URI. */
bool lt_uri_check_strict(struct lt_str uri, struct lt_err *err);

/* Under "wamp.", which is the router's own. */
bool lt_uri_is_reserved(struct lt_str uri);

/* Does the pattern match this URI? Prefix by characters; an empty component matches any one. */
bool lt_uri_matches(struct lt_str pattern, enum lt_match match, struct lt_str uri);

/* What every match of the pattern begins with: all of it, or what precedes its first gap. */
struct lt_str lt_uri_fixed_part(struct lt_str pattern, enum lt_match match);

#endif
