/*
 * Patterns and the things that stand for them: exact by hash, prefixes by
 * trie, wildcards by a tree of components. Used by the broker (every pattern
 * that matches a topic), the dealer and the permissions (the best one).
 * Values are borrowed, one per (pattern, policy); patterns were checked by
 * lt_uri_check. Callbacks must not change the index.
 */
#ifndef LT_ROUTER_MATCH_H
#define LT_ROUTER_MATCH_H

#include "base/str.h"
#include "router/local.h"

struct lt_match_index;
typedef void (*lt_match_fn)(void *arg, void *value);

struct lt_match_index *lt_match_create(void);
void lt_match_destroy(struct lt_match_index *index); /* NULL is fine; values stay the caller's */

/* The value of exactly this pattern, or NULL. */
void *lt_match_get(const struct lt_match_index *index, struct lt_str pattern, enum lt_match match);
void lt_match_set(struct lt_match_index *index, struct lt_str pattern, enum lt_match match,
		void *value);
void lt_match_remove(struct lt_match_index *index, struct lt_str pattern, enum lt_match match);

/* Every value whose pattern matches: exact, then prefixes from the shortest, then wildcards. */
void lt_match_each(
		const struct lt_match_index *index, struct lt_str uri, lt_match_fn fn, void *arg);

/*
 * The most specific: exact, else the longest prefix, else the wildcard with
 * the longest first fixed part (then the second, and so on); NULL if none.
 */
void *lt_match_best(const struct lt_match_index *index, struct lt_str uri);

/* Every value there is, in no order. */
void lt_match_all(const struct lt_match_index *index, lt_match_fn fn, void *arg);

#endif
