#include "router/trie.h"

#include "base/alloc.h"

/*
 * A node stands for the bytes on the way to it. Every node but the root has a
 * value or at least two children, so there are fewer than twice as many nodes
 * as keys. Children are ordered by the first byte of their labels.
 */
struct node {
	struct node **children;
	uint32_t child_count;
	void *value;
	size_t label_bytes;
	char label[];
};

struct lt_trie {
	struct node *root;
};

static struct node *node_create(struct lt_str label)
{
	struct node *node = lt_zalloc(sizeof(*node) + label.n);

	node->label_bytes = label.n;
	if (label.n > 0) {
		memcpy(node->label, label.p, label.n);
	}
	return node;
}

static void node_destroy(struct node *node)
{
	for (uint32_t i = 0; i < node->child_count; i++) {
		node_destroy(node->children[i]);
	}
	lt_free(node->children);
	lt_free(node);
}

static struct lt_str label_of(const struct node *node)
{
	return (struct lt_str){ node->label, node->label_bytes };
}

/* Index of the first child that does not sort before this byte. */
static uint32_t child_position(const struct node *node, char first)
{
	uint32_t low = 0, high = node->child_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if ((unsigned char)node->children[middle]->label[0] < (unsigned char)first) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* The slot of the child whose label begins with this byte, or NULL. */
static struct node **child_slot(const struct node *node, char first)
{
	uint32_t at = child_position(node, first);

	return at < node->child_count && node->children[at]->label[0] == first ? &node->children[at]
									       : NULL;
}

static void add_child_take(struct node *node, struct node *child)
{
	uint32_t at = child_position(node, child->label[0]);

	node->children = lt_reallocarray(
			node->children, node->child_count + 1, sizeof(*node->children));
	memmove(&node->children[at + 1], &node->children[at],
			(node->child_count - at) * sizeof(*node->children));
	node->children[at] = child;
	node->child_count++;
}

/* Cut the node in two after `at` bytes of its label; returns the upper half. */
static struct node *split(struct node *node, size_t at)
{
	struct node *upper = node_create((struct lt_str){ node->label, at });

	node->label_bytes -= at;
	memmove(node->label, node->label + at, node->label_bytes);
	add_child_take(upper, node);
	return upper;
}

struct lt_trie *lt_trie_create(void)
{
	struct lt_trie *trie = lt_alloc(sizeof(*trie));

	trie->root = node_create((struct lt_str){ NULL, 0 });
	return trie;
}

void lt_trie_destroy(struct lt_trie *trie)
{
	if (trie) {
		node_destroy(trie->root);
		lt_free(trie);
	}
}

void *lt_trie_get(const struct lt_trie *trie, struct lt_str key)
{
	const struct node *node = trie->root;

	while (key.n > 0) {
		struct node **slot = child_slot(node, key.p[0]);

		if (!slot || !lt_str_starts(key, label_of(*slot))) {
			return NULL;
		}
		node = *slot;
		key = lt_str_skip(key, node->label_bytes);
	}
	return node->value;
}

void lt_trie_set(struct lt_trie *trie, struct lt_str key, void *value)
{
	struct node *node = trie->root;

	while (key.n > 0) {
		struct node **slot = child_slot(node, key.p[0]);
		size_t common = 0;

		if (!slot) {
			struct node *leaf = node_create(key);

			add_child_take(node, leaf);
			leaf->value = value;
			return;
		}
		while (common < key.n && common < (*slot)->label_bytes &&
				(*slot)->label[common] == key.p[common]) {
			common++;
		}
		if (common < (*slot)->label_bytes) {
			*slot = split(*slot, common);
		}
		node = *slot;
		key = lt_str_skip(key, common);
	}
	node->value = value;
}

static void remove_child(struct node *parent, struct node **slot)
{
	size_t at = (size_t)(slot - parent->children);

	node_destroy(*slot);
	parent->child_count--;
	memmove(slot, slot + 1, (parent->child_count - at) * sizeof(*slot));
}

/* Make one node of a node without a value and its only child. */
static void join(struct node **slot)
{
	struct node *node = *slot, *child = node->children[0];
	struct node *joined = node_create(label_of(node));

	joined = lt_realloc(joined, sizeof(*joined) + node->label_bytes + child->label_bytes);
	memcpy(joined->label + node->label_bytes, child->label, child->label_bytes);
	joined->label_bytes += child->label_bytes;
	joined->value = child->value;
	joined->children = child->children;
	joined->child_count = child->child_count;
	*slot = joined;
	lt_free(child);
	lt_free(node->children);
	lt_free(node);
}

void lt_trie_remove(struct lt_trie *trie, struct lt_str key)
{
	struct node *node = trie->root, *parent = NULL;
	struct node **slot = NULL, **parent_slot = NULL;

	while (key.n > 0) {
		struct node **next = child_slot(node, key.p[0]);

		if (!next || !lt_str_starts(key, label_of(*next))) {
			return;
		}
		parent = node;
		parent_slot = slot;
		slot = next;
		node = *next;
		key = lt_str_skip(key, node->label_bytes);
	}
	node->value = NULL;
	if (!parent) {
		return;
	}
	if (node->child_count == 0) {
		remove_child(parent, slot);
	} else if (node->child_count == 1) {
		join(slot);
	}
	/* The parent may be left with one child; its own parent is where its slot lies. */
	if (parent_slot && !parent->value && parent->child_count == 1) {
		join(parent_slot);
	}
}

void lt_trie_each_prefix_of(
		const struct lt_trie *trie, struct lt_str text, lt_trie_fn fn, void *arg)
{
	const struct node *node = trie->root;

	for (;;) {
		if (node->value) {
			fn(arg, node->value);
		}
		if (text.n == 0) {
			return;
		}

		struct node **slot = child_slot(node, text.p[0]);

		if (!slot || !lt_str_starts(text, label_of(*slot))) {
			return;
		}
		node = *slot;
		text = lt_str_skip(text, node->label_bytes);
	}
}

/* Recursion is as deep as the longest key has bytes at most: keys are URIs, bounded. */
static void each_below(const struct node *node, lt_trie_fn fn, void *arg)
{
	if (node->value) {
		fn(arg, node->value);
	}
	for (uint32_t i = 0; i < node->child_count; i++) {
		each_below(node->children[i], fn, arg);
	}
}

void lt_trie_each_under(const struct lt_trie *trie, struct lt_str prefix, lt_trie_fn fn, void *arg)
{
	const struct node *node = trie->root;

	while (prefix.n > 0) {
		struct node **slot = child_slot(node, prefix.p[0]);

		if (!slot) {
			return;
		}
		node = *slot;
		if (lt_str_starts(label_of(node), prefix)) {
			break; /* the prefix ends inside or at the end of this label */
		}
		if (!lt_str_starts(prefix, label_of(node))) {
			return;
		}
		prefix = lt_str_skip(prefix, node->label_bytes);
	}
	each_below(node, fn, arg);
}
