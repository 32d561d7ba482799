/*
 * Keeps index.json of a directory: one piece of work at a time, on a worker,
 * ends in a new catalogue. What changed is noticed by inotify, and by looking
 * through the directory now and then.
 */
#ifndef LT_SERVICES_RECORDINGS_RECORDINGS_INDEX_H
#define LT_SERVICES_RECORDINGS_RECORDINGS_INDEX_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_rec_index;
struct lt_catalogue;

struct lt_rec_index_env {
	struct lt_loop *loop;
	struct lt_log log;
	const char *directory; /* copied */
	bool reindex, generate_analysis;
	/* A new one; borrowed until the next, or until the index is destroyed. */
	void (*renewed)(void *arg, const struct lt_catalogue *catalogue);
	/* A change was made, or refused with err. */
	void (*changed)(void *arg, uint64_t id, const struct lt_err *err);
	void *arg;
};

struct lt_rec_index *lt_rec_index_create(const struct lt_rec_index_env *env);
void lt_rec_index_destroy(struct lt_rec_index *index); /* no call comes any more */

/* Without inotify it goes on, and says so. */
void lt_rec_index_start(struct lt_rec_index *index);

/* lt_index_change, soon; `id` is handed back. */
void lt_rec_index_change(struct lt_rec_index *index, const cJSON *changes, uint64_t id);

#endif
