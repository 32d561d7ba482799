/*
 * Writes files on workers, so that the loop never waits for a disk: for each
 * path one write is in flight at most, and of the contents that arrive
 * meanwhile the newest wins. Contents are shared texts, which several holders
 * (the saver, a publication, an HTTP reply) keep without copying. The files are
 * for the daemon's user alone: a state may be that of a private service.
 */
#ifndef LT_SERVICES_TIMING_SAVER_H
#define LT_SERVICES_TIMING_SAVER_H

#include <stdbool.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

/* Counted, immutable text; the count is used on the loop thread only. */
struct lt_text;
struct lt_text *lt_text_take(struct lt_buf *buf); /* moves the bytes out of buf */
struct lt_text *lt_text_ref(struct lt_text *text);
void lt_text_unref(struct lt_text *text); /* NULL is fine */
struct lt_str lt_text_str(const struct lt_text *text);

struct lt_saver;
struct lt_saver *lt_saver_create(struct lt_loop *loop, struct lt_log log);
/* What is in flight is finished by itself; what waits behind it is dropped. */
void lt_saver_destroy(struct lt_saver *saver);

/* Replace the file atomically, soon. Takes a reference of its own. What could not be written is
 * tried again every 5 s until it is, or newer content comes. Failures are logged, once until a
 * write succeeds again. */
void lt_saver_write(struct lt_saver *saver, const char *path, struct lt_text *text);

/*
 * As above, and tell when this content, or a newer one, is in the file, or
 * could not be written. The waiter is the caller's memory; it is told once, or
 * never when the saver is destroyed, or lt_saver_forget comes first.
 */
struct lt_saver_waiter {
	void (*saved)(void *arg, bool ok);
	void *arg;
	struct lt_saver_waiter *prev, *next; /* private */
	bool is_for_next;
};
void lt_saver_write_then(struct lt_saver *saver, const char *path, struct lt_text *text,
		struct lt_saver_waiter *waiter);
void lt_saver_forget(struct lt_saver *saver, const struct lt_saver_waiter *waiter);

/* Is a write of that path waiting or in flight? */
bool lt_saver_is_busy(const struct lt_saver *saver, const char *path);

/* Call `done` once everything is written, or was tried: at once when nothing waits. One at a
 * time. */
void lt_saver_flush(struct lt_saver *saver, lt_loop_fn done, void *arg);

#endif
