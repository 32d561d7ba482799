#include "mesh/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base.h"

#define SLICE_US 2000 /* of a turn */

struct lt_inbox {
	pthread_mutex_t lock; /* of the list and its size */
	struct lt_note *first, **end;
	size_t bytes, max_bytes;
	int fd; /* an eventfd: there is something */
	struct lt_loop *loop;
	struct lt_watch watch;
	struct lt_timer more;
	void (*fn)(void *arg, struct lt_note *note);
	void *arg;
};

static struct lt_note *take_first(struct lt_inbox *inbox)
{
	struct lt_note *note;

	pthread_mutex_lock(&inbox->lock);
	note = inbox->first;
	if (note) {
		inbox->first = note->next;
		inbox->end = note->next ? inbox->end : &inbox->first;
		inbox->bytes -= note->bytes;
	}
	pthread_mutex_unlock(&inbox->lock);
	return note;
}

static void give_out(void *arg)
{
	struct lt_inbox *inbox = arg;
	int64_t until_us = lt_clock_mono().us + SLICE_US;
	struct lt_note *note;

	while ((note = take_first(inbox)) != NULL) {
		inbox->fn(inbox->arg, note);
		note->free(note);
		if (lt_clock_mono().us > until_us) {
			lt_timer_once(&inbox->more, inbox->loop, 0, give_out, inbox);
			return;
		}
	}
}

static void on_readable(void *arg, int events)
{
	struct lt_inbox *inbox = arg;
	uint64_t count;
	ssize_t n = read(inbox->fd, &count, sizeof(count)); /* only to have it unready again */

	(void)events;
	(void)n;
	if (!lt_timer_is_armed(&inbox->more)) {
		give_out(inbox);
	}
}

struct lt_inbox *lt_inbox_create(struct lt_loop *loop, size_t max_bytes,
		void (*fn)(void *arg, struct lt_note *note), void *arg, struct lt_err *err)
{
	struct lt_inbox *inbox = lt_zalloc(sizeof(*inbox));

	inbox->loop = loop;
	inbox->max_bytes = max_bytes;
	inbox->fn = fn;
	inbox->arg = arg;
	inbox->end = &inbox->first;
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (inbox->fd < 0) {
		lt_err_errno(err, "eventfd");
		lt_inbox_destroy(inbox);
		return NULL;
	}
	if (!lt_watch_start(&inbox->watch, loop, inbox->fd, LT_READABLE, on_readable, inbox, err)) {
		lt_inbox_destroy(inbox);
		return NULL;
	}
	return inbox;
}

void lt_inbox_destroy(struct lt_inbox *inbox)
{
	struct lt_note *note;

	if (!inbox) {
		return;
	}
	lt_watch_stop(&inbox->watch);
	lt_timer_cancel(&inbox->more);
	while ((note = take_first(inbox)) != NULL) {
		note->free(note);
	}
	if (inbox->fd >= 0) {
		close(inbox->fd);
	}
	pthread_mutex_destroy(&inbox->lock);
	lt_free(inbox);
}

bool lt_inbox_post(struct lt_inbox *inbox, struct lt_note *note)
{
	const uint64_t one = 1;
	bool has_room;
	ssize_t n;

	pthread_mutex_lock(&inbox->lock);
	has_room = note->bytes == 0 || inbox->bytes + note->bytes <= inbox->max_bytes;
	if (has_room) {
		note->next = NULL;
		*inbox->end = note;
		inbox->end = &note->next;
		inbox->bytes += note->bytes;
	}
	pthread_mutex_unlock(&inbox->lock);
	if (!has_room) {
		note->free(note);
		return false;
	}
	n = write(inbox->fd, &one, sizeof(one)); /* full means that it is ready anyway */
	(void)n;
	return true;
}

size_t lt_inbox_bytes(struct lt_inbox *inbox)
{
	size_t bytes;

	pthread_mutex_lock(&inbox->lock);
	bytes = inbox->bytes;
	pthread_mutex_unlock(&inbox->lock);
	return bytes;
}
