#include "router/match.h"

#include "base/alloc.h"
#include "base/table.h"
#include "router/trie.h"
#include "router/wamp_uri.h"

struct exact {
	UT_hash_handle hh;
	void *value;
	size_t n;
	char uri[];
};

/* A component of wildcard patterns; the key "" stands for any component. */
struct component {
	UT_hash_handle hh;
	struct component *children, *parent;
	void *value;
	size_t n;
	char text[];
};

struct lt_match_index {
	struct exact *exact;
	struct lt_trie *prefixes;
	struct component *wildcards; /* the root, empty */
};

static struct exact *find_exact(const struct lt_match_index *index, struct lt_str uri)
{
	struct exact *found = NULL;

	HASH_FIND(hh, index->exact, uri.p, uri.n, found);
	return found;
}

static void insert_exact(struct lt_match_index *index, struct lt_str uri, void *value)
{
	struct exact *entry = lt_zalloc(sizeof(*entry) + uri.n);

	entry->value = value;
	entry->n = uri.n;
	memcpy(entry->uri, uri.p, uri.n);
	HASH_ADD_KEYPTR(hh, index->exact, entry->uri, entry->n, entry);
}

static void remove_exact(struct lt_match_index *index, struct exact *entry)
{
	HASH_DEL(index->exact, entry);
	lt_free(entry);
}

static struct component *find_child(const struct component *node, struct lt_str text)
{
	struct component *found = NULL;

	HASH_FIND(hh, node->children, text.p, text.n, found);
	return found;
}

static struct component *insert_child(struct component *node, struct lt_str text)
{
	struct component *child = lt_zalloc(sizeof(*child) + text.n + 1);

	child->parent = node;
	child->n = text.n;
	memcpy(child->text, text.p, text.n);
	HASH_ADD_KEYPTR(hh, node->children, child->text, child->n, child);
	return child;
}

/* Take out a component that stands for nothing any more, and those above it alike. */
static void prune(struct component *node)
{
	while (node->parent && !node->value && !node->children) {
		struct component *parent = node->parent;

		HASH_DEL(parent->children, node);
		lt_free(node);
		node = parent;
	}
}

static void component_destroy(struct component *node)
{
	struct component *child, *next;

	HASH_ITER(hh, node->children, child, next) {
		HASH_DEL(node->children, child);
		component_destroy(child);
	}
	lt_free(node);
}

static struct component *find_wildcard(const struct lt_match_index *index, struct lt_str pattern)
{
	struct component *node = index->wildcards;

	while (node && pattern.p) {
		node = find_child(node, lt_str_split(&pattern, '.'));
	}
	return node;
}

struct lt_match_index *lt_match_create(void)
{
	struct lt_match_index *index = lt_zalloc(sizeof(*index));

	index->prefixes = lt_trie_create();
	index->wildcards = lt_zalloc(sizeof(*index->wildcards) + 1);
	return index;
}

void lt_match_destroy(struct lt_match_index *index)
{
	struct exact *entry, *next;

	if (!index) {
		return;
	}
	HASH_ITER(hh, index->exact, entry, next) {
		remove_exact(index, entry);
	}
	lt_trie_destroy(index->prefixes);
	component_destroy(index->wildcards);
	lt_free(index);
}

void *lt_match_get(const struct lt_match_index *index, struct lt_str pattern, enum lt_match match)
{
	switch (match) {
	case LT_MATCH_EXACT: {
		const struct exact *entry = find_exact(index, pattern);

		return entry ? entry->value : NULL;
	}
	case LT_MATCH_PREFIX:
		return lt_trie_get(index->prefixes, pattern);
	case LT_MATCH_WILDCARD: {
		const struct component *node = find_wildcard(index, pattern);

		return node ? node->value : NULL;
	}
	}
	return NULL;
}

static void set_wildcard(struct lt_match_index *index, struct lt_str pattern, void *value)
{
	struct component *node = index->wildcards;

	while (pattern.p) {
		struct lt_str text = lt_str_split(&pattern, '.');
		struct component *child = find_child(node, text);

		node = child ? child : insert_child(node, text);
	}
	node->value = value;
}

void lt_match_set(struct lt_match_index *index, struct lt_str pattern, enum lt_match match,
		void *value)
{
	struct exact *entry;

	switch (match) {
	case LT_MATCH_EXACT:
		entry = find_exact(index, pattern);
		if (entry) {
			entry->value = value;
		} else {
			insert_exact(index, pattern, value);
		}
		break;
	case LT_MATCH_PREFIX:
		lt_trie_set(index->prefixes, pattern, value);
		break;
	case LT_MATCH_WILDCARD:
		set_wildcard(index, pattern, value);
		break;
	}
}

void lt_match_remove(struct lt_match_index *index, struct lt_str pattern, enum lt_match match)
{
	struct exact *entry;
	struct component *node;

	switch (match) {
	case LT_MATCH_EXACT:
		entry = find_exact(index, pattern);
		if (entry) {
			remove_exact(index, entry);
		}
		break;
	case LT_MATCH_PREFIX:
		lt_trie_remove(index->prefixes, pattern);
		break;
	case LT_MATCH_WILDCARD:
		node = find_wildcard(index, pattern);
		if (node) {
			node->value = NULL;
			prune(node);
		}
		break;
	}
}

/*
 * Walk the patterns that match what is left of a URI, a literal component
 * before the gap, so the first hit has the longest fixed parts. At most as
 * deep as a URI has components. Returns false when fn wants no more.
 */
static bool walk_wildcards(const struct component *node, struct lt_str rest,
		bool (*fn)(void *arg, void *value), void *arg)
{
	if (!rest.p) {
		return !node->value || fn(arg, node->value);
	}

	struct lt_str text = lt_str_split(&rest, '.');
	const struct component *literal = text.n > 0 ? find_child(node, text) : NULL;
	const struct component *gap = find_child(node, (struct lt_str){ "", 0 });

	return (!literal || walk_wildcards(literal, rest, fn, arg)) &&
			(!gap || walk_wildcards(gap, rest, fn, arg));
}

struct visit {
	lt_match_fn fn;
	void *arg;
};

static bool visit_one(void *arg, void *value)
{
	const struct visit *visit = arg;

	visit->fn(visit->arg, value);
	return true;
}

void lt_match_each(const struct lt_match_index *index, struct lt_str uri, lt_match_fn fn, void *arg)
{
	const struct exact *entry = find_exact(index, uri);
	struct visit visit = { fn, arg };

	if (entry) {
		fn(arg, entry->value);
	}
	lt_trie_each_prefix_of(index->prefixes, uri, fn, arg);
	if (index->wildcards->children) {
		walk_wildcards(index->wildcards, uri, visit_one, &visit);
	}
}

static void keep_last(void *arg, void *value)
{
	*(void **)arg = value;
}

static bool keep_first(void *arg, void *value)
{
	*(void **)arg = value;
	return false;
}

void *lt_match_best(const struct lt_match_index *index, struct lt_str uri)
{
	const struct exact *entry = find_exact(index, uri);
	void *best = NULL;

	if (entry) {
		return entry->value;
	}
	lt_trie_each_prefix_of(index->prefixes, uri, keep_last, &best);
	if (!best && index->wildcards->children) {
		walk_wildcards(index->wildcards, uri, keep_first, &best);
	}
	return best;
}

static void all_components(const struct component *node, lt_match_fn fn, void *arg)
{
	const struct component *child, *next;

	if (node->value) {
		fn(arg, node->value);
	}
	HASH_ITER(hh, node->children, child, next) {
		all_components(child, fn, arg);
	}
}

void lt_match_all(const struct lt_match_index *index, lt_match_fn fn, void *arg)
{
	struct exact *entry, *next;

	HASH_ITER(hh, index->exact, entry, next) {
		fn(arg, entry->value);
	}
	lt_trie_each_under(index->prefixes, LT_STR(""), fn, arg);
	all_components(index->wildcards, fn, arg);
}
