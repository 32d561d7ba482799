#include "router/retained.h"

#include "base/alloc.h"
#include "base/table.h"
#include "router/trie.h"
#include "router/wamp_uri.h"

/* What one event costs beside its texts, roughly. */
#define OVERHEAD_BYTES 256

struct lt_retained_store {
	struct lt_trie *topics;
	struct lt_retained *by_age; /* oldest first */
	size_t bytes, max_bytes;
	uint64_t last_serial;
	uint32_t count, max_count;
};

struct lt_retained_store *lt_retained_create(size_t max_bytes, uint32_t max_topics)
{
	struct lt_retained_store *store = lt_zalloc(sizeof(*store));

	store->topics = lt_trie_create();
	store->max_bytes = max_bytes;
	store->max_count = max_topics;
	return store;
}

static void release_lazy(struct lt_retained *retained)
{
	struct lt_lazy lazy = retained->lazy;

	retained->lazy = (struct lt_lazy){ 0 };
	if (lazy.encode && lazy.release) {
		lazy.release(lazy.arg);
	}
}

void lt_retained_uncache(struct lt_retained *retained)
{
	for (size_t i = 0; i < LT_SERIALIZERS_MAX; i++) {
		lt_payload_unref(LT_STEAL(retained->cached[i]));
	}
	retained->cached_subscription = 0;
}

/* Forget the value, keep topic and serial. */
static void empty(struct lt_retained_store *store, struct lt_retained *retained)
{
	release_lazy(retained);
	lt_retained_uncache(retained);
	lt_filter_destroy(LT_STEAL(retained->filter));
	lt_buf_finish(&retained->args);
	lt_buf_finish(&retained->kwargs);
	if (retained->forms) {
		lt_forms_finish(retained->forms);
		lt_free(LT_STEAL(retained->forms));
	}
	lt_free((void *)(uintptr_t)retained->disclosure.p);
	retained->disclosure = (struct lt_str){ 0 };
	store->bytes -= retained->bytes;
	retained->bytes = 0;
}

static void drop(struct lt_retained_store *store, struct lt_retained *retained)
{
	lt_trie_remove(store->topics, retained->topic);
	DL_DELETE(store->by_age, retained);
	store->count--;
	empty(store, retained);
	lt_free((void *)(uintptr_t)retained->topic.p);
	lt_free(retained);
}

void lt_retained_destroy(struct lt_retained_store *store)
{
	if (!store) {
		return;
	}
	while (store->by_age) {
		drop(store, store->by_age);
	}
	lt_trie_destroy(store->topics);
	lt_free(store);
}

static struct lt_str dup(struct lt_str text)
{
	return (struct lt_str){ lt_str_dup(text), text.n };
}

static void count_bytes(struct lt_retained_store *store, struct lt_retained *retained)
{
	store->bytes -= retained->bytes;
	retained->bytes = OVERHEAD_BYTES + retained->topic.n + retained->disclosure.n +
			retained->args.n + retained->kwargs.n +
			(retained->forms ? sizeof(*retained->forms) + retained->forms->bytes : 0);
	store->bytes += retained->bytes;
}

/* Back within the bounds, sparing one event as long as others are there. */
static void evict(struct lt_retained_store *store, const struct lt_retained *spared)
{
	while (store->count > store->max_count || store->bytes > store->max_bytes) {
		struct lt_retained *oldest = store->by_age;

		if (oldest == spared) {
			oldest = oldest->next;
		}
		if (!oldest) {
			return;
		}
		drop(store, oldest);
	}
}

static struct lt_retained *slot_of(struct lt_retained_store *store, struct lt_str topic)
{
	struct lt_retained *retained = lt_trie_get(store->topics, topic);

	if (retained) {
		empty(store, retained);
		DL_DELETE(store->by_age, retained);
	} else {
		retained = lt_zalloc(sizeof(*retained));
		retained->topic = dup(topic);
		retained->serial = ++store->last_serial;
		lt_trie_set(store->topics, retained->topic, retained);
		store->count++;
	}
	DL_APPEND(store->by_age, retained);
	return retained;
}

struct lt_retained *lt_retained_set(
		struct lt_retained_store *store, const struct lt_retained_value *value)
{
	struct lt_retained *retained = slot_of(store, value->topic);

	retained->publication = value->publication;
	retained->at = value->at;
	retained->disclosure = dup(value->disclosure);
	retained->filter = value->filter;
	retained->lazy = value->lazy;
	retained->serializer = &lt_serializer_json;
	if (value->body) {
		retained->serializer = value->body->serializer;
		lt_buf_add_str(&retained->args, value->body->args);
		lt_buf_add_str(&retained->kwargs, value->body->kwargs);
	}
	count_bytes(store, retained);
	evict(store, retained);
	return retained;
}

void lt_retained_remove(struct lt_retained_store *store, struct lt_str topic)
{
	struct lt_retained *retained = lt_trie_get(store->topics, topic);

	if (retained) {
		drop(store, retained);
	}
}

struct lt_body lt_retained_form(struct lt_retained_store *store, struct lt_retained *retained,
		const struct lt_serializer *serializer)
{
	struct lt_body body = { .serializer = retained->serializer };

	if (retained->lazy.encode) {
		retained->lazy.encode(retained->lazy.arg, &retained->args);
		release_lazy(retained);
	}
	if (retained->args.n > 0) {
		body.args = lt_buf_str(&retained->args);
	}
	if (retained->kwargs.n > 0) {
		body.kwargs = lt_buf_str(&retained->kwargs);
	}
	if (serializer->values != body.serializer->values) {
		if (!retained->forms) {
			retained->forms = lt_zalloc(sizeof(*retained->forms));
		}
		body = lt_forms_get(retained->forms, &body, serializer);
	} else {
		body.serializer = serializer;
	}
	/* Over the bound until the next publication: nobody may be dropped while walking. */
	count_bytes(store, retained);
	return body;
}

struct walk {
	struct lt_str pattern;
	enum lt_match match;
	void (*fn)(void *arg, struct lt_retained *retained);
	void *arg;
};

static void visit(void *arg, void *value)
{
	const struct walk *walk = arg;
	struct lt_retained *retained = value;

	if (lt_uri_matches(walk->pattern, walk->match, retained->topic)) {
		walk->fn(walk->arg, retained);
	}
}

void lt_retained_each(const struct lt_retained_store *store, struct lt_str pattern,
		enum lt_match match, void (*fn)(void *arg, struct lt_retained *retained), void *arg)
{
	struct walk walk = { pattern, match, fn, arg };

	if (match == LT_MATCH_EXACT) {
		struct lt_retained *retained = lt_trie_get(store->topics, pattern);

		if (retained) {
			fn(arg, retained);
		}
		return;
	}
	lt_trie_each_under(store->topics, lt_uri_fixed_part(pattern, match), visit, &walk);
}

void lt_retained_report(
		const struct lt_retained_store *store, uint64_t *ret_topics, uint64_t *ret_bytes)
{
	*ret_topics = store->count;
	*ret_bytes = store->bytes;
}
