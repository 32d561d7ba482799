/*
 * What nodes of a mesh send each other, and on what: the engine behind it seen
 * from the loop. One implementation for use (bus_nats.c), one in memory for
 * tests (tests/support/bus_memory.c). The struct is embedded by the
 * implementation; all functions and callbacks are on the loop thread, none
 * blocks, and no callback comes from inside a call.
 *
 * Subjects are the engine's: parts of printable ASCII without blanks, '.', '*'
 * and '>', joined by '.', at most LT_BUS_SUBJECT_BYTES long (subject.h makes
 * them). Messages are bytes. What one node publishes arrives at each other
 * node in that order, at most once or not at all, and never at itself.
 *
 * Of subjects below "<prefix>.kept." the newest message of each is stored by
 * the engine, for nodes that come later.
 */
#ifndef LT_MESH_BUS_H
#define LT_MESH_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define LT_BUS_SUBJECT_BYTES 4096

struct lt_bus;

struct lt_bus_message {
	struct lt_str subject, body; /* borrowed for the call */
	bool is_stored;              /* it is of lt_bus_replay: it may have been here before */
};

/* Who listens: set once, before lt_bus_start. */
struct lt_bus_listener {
	void (*message)(void *arg, const struct lt_bus_message *message);
	/*
	 * Messages flow from now on, and those of any time before may be missing:
	 * the first connection, the next one, or more came than could be held.
	 */
	void (*up)(void *arg);
	/* The connection is gone; `reason` is a sentence without secrets. */
	void (*down)(void *arg, const char *reason);
	/*
	 * The end of a replay: every message that was stored when it began has
	 * been delivered; false: it failed, and may be asked for again.
	 */
	void (*replayed)(void *arg, bool ok);
	/*
	 * Something that lt_bus_publish refused for want of room could be sent
	 * now. Only after such a refusal.
	 */
	void (*room)(void *arg);
	const char *name; /* of messages below <prefix>.to. only those to it come */
	void *arg;
};

/* The answer to a claim; `holder` is borrowed and empty when nobody is known. */
typedef void (*lt_bus_claimed_fn)(void *arg, bool is_ours, struct lt_str holder);

struct lt_bus_stats {
	bool is_up;
	uint64_t sent, received, sent_bytes, received_bytes;
	uint64_t refused;      /* lt_bus_publish returned false */
	uint64_t lost;         /* arrived, and could not be held */
	uint64_t connects;     /* times the connection was made */
	uint64_t queued_bytes; /* on their way out */
	char server[256];      /* host:port it is connected to; "" when down */
};

struct lt_bus_ops {
	void (*start)(struct lt_bus *bus, const struct lt_bus_listener *listener);
	bool (*publish)(struct lt_bus *bus, struct lt_str subject, struct lt_str body,
			struct lt_err *err);
	void (*replay)(struct lt_bus *bus);
	void (*forget)(struct lt_bus *bus, struct lt_str subject);
	void (*claim)(struct lt_bus *bus, struct lt_str key, struct lt_str holder,
			lt_bus_claimed_fn fn, void *arg);
	void (*release)(struct lt_bus *bus, struct lt_str key, struct lt_str holder);
	void (*report)(const struct lt_bus *bus, struct lt_bus_stats *ret);
	void (*stop)(struct lt_bus *bus, void (*done)(void *arg), void *arg);
	void (*destroy)(struct lt_bus *bus);
};

struct lt_bus {
	const struct lt_bus_ops *ops;
};

/* Connect, and go on trying for ever; nothing is delivered before `up`. */
static inline void lt_bus_start(struct lt_bus *bus, const struct lt_bus_listener *listener)
{
	bus->ops->start(bus, listener);
}

/*
 * Copies its arguments. Errors: LT_E_UNAVAILABLE the bus is down; LT_E_LIMIT
 * too much is on its way out; LT_E_INVALID the message is larger than the engine takes.
 */
static inline bool lt_bus_publish(
		struct lt_bus *bus, struct lt_str subject, struct lt_str body, struct lt_err *err)
{
	return bus->ops->publish(bus, subject, body, err);
}

/*
 * Deliver what is stored, then `replayed`. One at a time; a `down` or `up` ends
 * it without an answer.
 */
static inline void lt_bus_replay(struct lt_bus *bus)
{
	bus->ops->replay(bus);
}

/* What is stored of a subject before this moment is deleted; a later message of it stays. */
static inline void lt_bus_forget(struct lt_bus *bus, struct lt_str subject)
{
	bus->ops->forget(bus, subject);
}

/*
 * A lease: `key` is ours for LT_BUS_LEASE_MS when nobody else holds it; a claim
 * by its holder renews it. `holder` is an id of this run of this node. The
 * answer may take long or say nothing of the engine's health: a claim that
 * fails is not ours.
 */
#define LT_BUS_LEASE_MS 6000
static inline void lt_bus_claim(struct lt_bus *bus, struct lt_str key, struct lt_str holder,
		lt_bus_claimed_fn fn, void *arg)
{
	bus->ops->claim(bus, key, holder, fn, arg);
}

/* Give the lease up, if it is ours; without an answer. */
static inline void lt_bus_release(struct lt_bus *bus, struct lt_str key, struct lt_str holder)
{
	bus->ops->release(bus, key, holder);
}

static inline void lt_bus_report(const struct lt_bus *bus, struct lt_bus_stats *ret)
{
	bus->ops->report(bus, ret);
}

/* Send what is queued and end; `done` within some 5 s, whatever the engine does. No callbacks of
 * the listener after it. */
static inline void lt_bus_stop(struct lt_bus *bus, void (*done)(void *arg), void *arg)
{
	bus->ops->stop(bus, done, arg);
}

/* Stopped, or never started. */
static inline void lt_bus_destroy(struct lt_bus *bus)
{
	if (bus) {
		bus->ops->destroy(bus);
	}
}

#endif
