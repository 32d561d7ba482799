/*
 * Black and white lists of one publication: who may get it. All lists that
 * are there must agree; an empty list of eligible ones reaches nobody.
 */
#ifndef LT_ROUTER_FILTER_H
#define LT_ROUTER_FILTER_H

#include <stdbool.h>

#include "base/err.h"
#include "router/options.h"

struct lt_filter;
struct lt_member;

/* *ret_filter is NULL when there are no lists. Errors: LT_E_INVALID a wrong element. */
bool lt_filter_create(const struct lt_str lists[LT_LISTS], struct lt_filter **ret_filter,
		struct lt_err *err);
void lt_filter_destroy(struct lt_filter *filter); /* NULL is fine */

bool lt_filter_passes(const struct lt_filter *filter, const struct lt_member *member);

#endif
