/*
 * Retained events of a realm: the latest one per topic, bounded in number and
 * bytes; beyond a bound the event published longest ago goes. A value may be
 * lazy: encoded when first asked for.
 */
#ifndef LT_ROUTER_RETAINED_H
#define LT_ROUTER_RETAINED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "router/filter.h"
#include "router/local.h"
#include "router/payload.h"
#include "router/wamp_msg.h"

struct lt_retained_store;

/* A value that is encoded when needed: as lt_local_publish_lazy. */
struct lt_lazy {
	lt_encode_fn encode; /* NULL: not lazy */
	void (*release)(void *arg);
	void *arg;
};

/* One retained event; fields are for reading, valid until its topic changes. */
struct lt_retained {
	struct lt_retained *prev, *next; /* private: by age */
	struct lt_str topic;
	uint64_t publication;
	uint64_t serial;          /* of the topic, unique in this store, kept over updates */
	struct lt_str disclosure; /* members of EVENT.Details: ,"publisher":1 */
	struct lt_filter *filter;
	const struct lt_serializer *serializer;
	struct lt_buf args, kwargs; /* private: lt_retained_form */
	struct lt_forms *forms;     /* private: of other formats; NULL: none yet */
	struct lt_lazy lazy;        /* private */
	size_t bytes;               /* private: counted */
	struct lt_mono at;          /* when it was published */
	/* The EVENT as last built for an exact subscription, for the next who asks. */
	uint64_t cached_subscription;
	struct lt_payload *cached[LT_SERIALIZERS_MAX];
};

struct lt_retained_store *lt_retained_create(size_t max_bytes, uint32_t max_topics);
void lt_retained_destroy(struct lt_retained_store *store); /* NULL is fine */

struct lt_retained_value {
	struct lt_str topic;
	uint64_t publication;
	struct lt_mono at;
	struct lt_str disclosure;
	struct lt_filter *filter;   /* taken */
	const struct lt_body *body; /* copied; NULL when lazy */
	struct lt_lazy lazy;
};

/* Replace the event of a topic. The newest is kept even when it alone is over the bound. */
struct lt_retained *lt_retained_set(
		struct lt_retained_store *store, const struct lt_retained_value *value);
void lt_retained_remove(struct lt_retained_store *store, struct lt_str topic);

/* Let go of the built EVENTs. */
void lt_retained_uncache(struct lt_retained *retained);

/*
 * Its arguments in the format of a receiver, encoded or converted now if they
 * were not yet, once; borrowed until the topic changes.
 */
struct lt_body lt_retained_form(struct lt_retained_store *store, struct lt_retained *retained,
		const struct lt_serializer *serializer);

/* Each retained event whose topic matches the pattern. fn must not change the store. */
void lt_retained_each(const struct lt_retained_store *store, struct lt_str pattern,
		enum lt_match match, void (*fn)(void *arg, struct lt_retained *retained),
		void *arg);

void lt_retained_report(
		const struct lt_retained_store *store, uint64_t *ret_topics, uint64_t *ret_bytes);

#endif
