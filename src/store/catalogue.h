/*
 * The list of recordings as it is asked for: pages, names, one by its uuid,
 * search. A catalogue is made of an index (index.h) and never changes, so
 * questions need no lock and do no I/O: they are for the loop, a few
 * milliseconds at most for 20,000 recordings. Making and destroying one takes
 * tens of milliseconds then: both belong on the worker that read the index; the
 * loop swaps one for the next.
 */
#ifndef LT_STORE_CATALOGUE_H
#define LT_STORE_CATALOGUE_H

#include "base/json.h"

struct lt_catalogue;

#define LT_CATALOGUE_PAGE 50

/* Owns `index` from the call on. */
struct lt_catalogue *lt_catalogue_create_take(cJSON *index);
void lt_catalogue_destroy(struct lt_catalogue *catalogue);

size_t lt_catalogue_count(const struct lt_catalogue *catalogue); /* hidden ones too */

/*
 * {"recordings": [entry, ...], "pages": n, "total": n} of a page counted from
 * 1, newest first; `name` is exact, p NULL: any. A page that is not there is
 * empty. Those of private services are left out. The caller owns the result.
 */
cJSON *lt_catalogue_page(const struct lt_catalogue *catalogue, int64_t page, struct lt_str name,
		bool show_hidden);

/* Distinct names, sorted; the caller owns the list. */
cJSON *lt_catalogue_names(
		const struct lt_catalogue *catalogue, bool show_hidden, bool show_private);

/* Entry of the recording whose manifest has this uuid, or NULL; borrowed. */
const cJSON *lt_catalogue_manifest(const struct lt_catalogue *catalogue, struct lt_str uuid);

enum lt_catalogue_sort { LT_SORT_START, LT_SORT_NAME, LT_SORT_DURATION };

/* "startTime", "name", "duration". */
bool lt_catalogue_sort_parse(struct lt_str text, enum lt_catalogue_sort *ret, struct lt_err *err);

struct lt_catalogue_query {
	struct lt_str text; /* each word occurs in name or description, in any case; n 0: any */
	struct lt_str name; /* exact; p NULL: any */
	int64_t from_s, until_s; /* from <= start < until; 0: open */
	enum lt_catalogue_sort sort;
	bool ascending; /* default: newest, longest, last name first */
	bool show_hidden;
	bool show_private; /* those of private services: for who may see all */
	int64_t page;      /* from 1 */
	int64_t per_page;  /* 1 to LT_CATALOGUE_PER_PAGE_MAX; 0: LT_CATALOGUE_PAGE */
};

#define LT_CATALOGUE_PER_PAGE_MAX 500
#define LT_CATALOGUE_TEXT_MAX     256 /* bytes of the text searched for; the rest is not looked at */

/* Shaped as lt_catalogue_page; the caller owns the result. */
cJSON *lt_catalogue_search(
		const struct lt_catalogue *catalogue, const struct lt_catalogue_query *query);

#endif
