/*
 * Byte-wise radix trie from texts to pointers: all stored keys that begin a
 * text, or that begin with a text, without looking at the others. Values are
 * borrowed and never NULL. Callbacks must not change the trie.
 */
#ifndef LT_ROUTER_TRIE_H
#define LT_ROUTER_TRIE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct lt_trie;
typedef void (*lt_trie_fn)(void *arg, void *value);

struct lt_trie *lt_trie_create(void);
void lt_trie_destroy(struct lt_trie *trie); /* NULL is fine; values stay the caller's */

void *lt_trie_get(const struct lt_trie *trie, struct lt_str key); /* NULL: not there */
void lt_trie_set(struct lt_trie *trie, struct lt_str key, void *value);
void lt_trie_remove(struct lt_trie *trie, struct lt_str key);

/* Every stored key that is a prefix of `text` (itself too), shortest first. */
void lt_trie_each_prefix_of(
		const struct lt_trie *trie, struct lt_str text, lt_trie_fn fn, void *arg);

/* Every stored key that begins with `prefix`, in bytewise order. */
void lt_trie_each_under(const struct lt_trie *trie, struct lt_str prefix, lt_trie_fn fn, void *arg);

#endif
