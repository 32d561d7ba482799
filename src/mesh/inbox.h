/*
 * What other threads have for the loop: notes, in order, bounded in bytes.
 * Posting is for any thread; the rest is for that of the loop. Notes are given
 * out in batches of bounded time, the rest in the next turn.
 */
#ifndef LT_MESH_INBOX_H
#define LT_MESH_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

/* Embedded by what is posted. */
struct lt_note {
	struct lt_note *next; /* private */
	size_t bytes;         /* what it holds, for the bound; 0: it is always taken */
	void (*free)(struct lt_note *note);
};

struct lt_inbox;

/* `fn` gets each note on the loop; it is freed afterwards. Errors: LT_E_IO. */
struct lt_inbox *lt_inbox_create(struct lt_loop *loop, size_t max_bytes,
		void (*fn)(void *arg, struct lt_note *note), void *arg, struct lt_err *err);
/* No thread posts any more. What waits is freed. NULL is fine. */
void lt_inbox_destroy(struct lt_inbox *inbox);

/* Any thread. Takes the note; false: no room, it was freed. */
bool lt_inbox_post(struct lt_inbox *inbox, struct lt_note *note_take);
/* Any thread: bytes that wait. */
size_t lt_inbox_bytes(struct lt_inbox *inbox);

#endif
