#include "mesh/kept.h"

#include "base/alloc.h"
#include "base/table.h"

struct entry {
	struct lt_kept_entry public;
	UT_hash_handle hh;
	char *topic, *run;
};

struct lt_kept {
	char *run;
	struct entry *entries;
};

struct lt_kept *lt_kept_create(const char *run)
{
	struct lt_kept *kept = lt_zalloc(sizeof(*kept));

	kept->run = lt_strdup(run);
	return kept;
}

static void drop(struct lt_kept *kept, struct entry *entry)
{
	HASH_DEL(kept->entries, entry);
	lt_buf_finish(&entry->public.about);
	lt_free(entry->topic);
	lt_free(entry->run);
	lt_free(entry);
}

void lt_kept_destroy(struct lt_kept *kept)
{
	struct entry *entry, *next;

	if (!kept) {
		return;
	}
	HASH_ITER(hh, kept->entries, entry, next) {
		drop(kept, entry);
	}
	lt_free(kept->run);
	lt_free(kept);
}

static struct entry *find(const struct lt_kept *kept, struct lt_str topic)
{
	struct entry *found = NULL;

	HASH_FIND(hh, kept->entries, topic.p, (unsigned)topic.n, found);
	return found;
}

struct lt_kept_entry *lt_kept_find(const struct lt_kept *kept, struct lt_str topic)
{
	struct entry *entry = find(kept, topic);

	return entry ? &entry->public : NULL;
}

int64_t lt_kept_stamp(const struct lt_kept *kept, struct lt_str topic, int64_t now_us)
{
	const struct entry *entry = find(kept, topic);

	return entry && entry->public.at_us >= now_us ? entry->public.at_us + 1 : now_us;
}

enum lt_kept_order lt_kept_compare(const struct lt_kept *kept, const struct lt_mesh_event *event)
{
	const struct entry *entry = find(kept, event->event.topic);
	int order;

	if (!entry) {
		return LT_KEPT_NEWER;
	}
	if (event->at_us != entry->public.at_us) {
		return event->at_us > entry->public.at_us ? LT_KEPT_NEWER : LT_KEPT_OLDER;
	}
	order = lt_str_cmp(event->run, lt_str_from(entry->run));
	return order == 0 ? LT_KEPT_SAME : order > 0 ? LT_KEPT_NEWER : LT_KEPT_OLDER;
}

struct lt_kept_entry *lt_kept_set(struct lt_kept *kept, const struct lt_mesh_event *event)
{
	struct lt_str topic = event->event.topic;
	struct entry *entry = find(kept, topic);

	if (!entry) {
		entry = lt_zalloc(sizeof(*entry));
		entry->topic = lt_str_dup(topic);
		HASH_ADD_KEYPTR(hh, kept->entries, entry->topic, (unsigned)topic.n, entry);
	}
	lt_free(entry->run);
	entry->run = lt_str_dup(event->run);
	entry->public.topic = entry->topic;
	entry->public.run = entry->run;
	entry->public.at_us = event->at_us;
	entry->public.is_own = lt_str_eq_c(event->run, kept->run);
	entry->public.state = event->is_gone ? LT_KEPT_GONE : LT_KEPT_HERE;
	entry->public.is_due = false;
	lt_buf_clear(&entry->public.about);
	if (entry->public.is_own) {
		struct lt_mesh_event about = *event;

		about.seq = 0;
		about.event.body = (struct lt_body){ .serializer = &lt_serializer_json };
		about.event.kept = (struct lt_body){ 0 };
		lt_mesh_event_write(&entry->public.about, &about);
	} else {
		lt_buf_finish(&entry->public.about);
	}
	return &entry->public;
}

bool lt_kept_again(const struct lt_kept_entry *entry, struct lt_mesh_event_scratch *scratch,
		struct lt_mesh_event *ret)
{
	return lt_mesh_event_read(lt_buf_str(&entry->about), scratch, ret, NULL);
}

void lt_kept_each(const struct lt_kept *kept, void (*fn)(void *arg, struct lt_kept_entry *entry),
		void *arg)
{
	struct entry *entry, *next;

	HASH_ITER(hh, kept->entries, entry, next) {
		fn(arg, &entry->public);
	}
}

void lt_kept_prune(struct lt_kept *kept, int64_t before_us)
{
	struct entry *entry, *next;

	HASH_ITER(hh, kept->entries, entry, next) {
		if (entry->public.state != LT_KEPT_HERE && entry->public.at_us < before_us) {
			drop(kept, entry);
		}
	}
}

size_t lt_kept_count(const struct lt_kept *kept)
{
	return HASH_COUNT(kept->entries);
}
