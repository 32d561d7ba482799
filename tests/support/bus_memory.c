#include "support/bus_memory.h"

#include <string.h>

#include "base/alloc.h"
#include "base/table.h"

struct message {
	struct message *prev, *next;
	char *subject;
	struct lt_buf body;
	enum { LIVE, STORED, REPLAYED, UP, DOWN, ROOM } kind;
};

struct bus {
	struct lt_bus bus;
	struct bus_hub *hub;
	struct bus *prev, *next;
	struct lt_bus_listener listener;
	struct message *inbox;
	struct lt_deferred deferred;
	bool started, is_up, is_full, refused;
	const char *lose, *twice;
	unsigned lose_n, twice_n;
	size_t limit;
};

struct lease {
	struct lease *next;
	char *key, *holder;
	int64_t until_us;
};

struct bus_hub {
	struct lt_loop *loop;
	struct bus *buses;
	struct message *stored;
	struct lease *leases;
};

struct bus_hub *bus_hub_create(struct lt_loop *loop)
{
	struct bus_hub *hub = lt_zalloc(sizeof(*hub));

	hub->loop = loop;
	return hub;
}

static void free_message(struct message *message)
{
	lt_free(message->subject);
	lt_buf_finish(&message->body);
	lt_free(message);
}

void bus_hub_wipe(struct bus_hub *hub)
{
	while (hub->stored) {
		struct message *message = hub->stored;

		DL_DELETE(hub->stored, message);
		free_message(message);
	}
}

void bus_hub_destroy(struct bus_hub *hub)
{
	bus_hub_wipe(hub);
	while (hub->leases) {
		struct lease *lease = hub->leases;

		LL_DELETE(hub->leases, lease);
		lt_free(lease->key);
		lt_free(lease->holder);
		lt_free(lease);
	}
	lt_free(hub);
}

static struct message *make(const char *subject, struct lt_str body, int kind)
{
	struct message *message = lt_zalloc(sizeof(*message));

	message->subject = lt_strdup(subject);
	lt_buf_add_str(&message->body, body);
	message->kind = kind;
	return message;
}

static void deliver_one(struct bus *bus, const struct message *message)
{
	const struct lt_bus_listener *listener = &bus->listener;
	const struct lt_bus_message out = { lt_str_from(message->subject),
		lt_buf_str(&message->body), message->kind == STORED };

	switch (message->kind) {
	case LIVE:
	case STORED:
		listener->message(listener->arg, &out);
		break;
	case REPLAYED:
		listener->replayed(listener->arg, true);
		break;
	case UP:
		listener->up(listener->arg);
		break;
	case DOWN:
		listener->down(listener->arg, "by hand");
		break;
	case ROOM:
		listener->room(listener->arg);
		break;
	}
}

static void deliver(void *arg)
{
	struct bus *bus = arg;

	while (bus->inbox) {
		struct message *message = bus->inbox;

		DL_DELETE(bus->inbox, message);
		deliver_one(bus, message);
		free_message(message);
	}
}

static void put_take(struct bus *bus, struct message *message)
{
	DL_APPEND(bus->inbox, message);
	lt_loop_defer(bus->hub->loop, &bus->deferred, deliver, bus);
}

static bool counts(const char *wanted, unsigned *n, const char *subject)
{
	if (*n == 0 || !strstr(subject, wanted)) {
		return false;
	}
	--*n;
	return true;
}

static void store(struct bus_hub *hub, const char *subject, struct lt_str body)
{
	struct message *message;

	DL_FOREACH(hub->stored, message) {
		if (strcmp(message->subject, subject) == 0) {
			DL_DELETE(hub->stored, message);
			free_message(message);
			break;
		}
	}
	message = make(subject, body, STORED);
	DL_APPEND(hub->stored, message);
}

static void spread(struct bus_hub *hub, const struct bus *from, const char *subject,
		struct lt_str body)
{
	struct bus *bus;

	if (strstr(subject, ".kept.")) {
		store(hub, subject, body);
	}
	DL_FOREACH(hub->buses, bus) {
		if (bus == from || !bus->is_up || counts(bus->lose, &bus->lose_n, subject)) {
			continue;
		}
		put_take(bus, make(subject, body, LIVE));
		if (counts(bus->twice, &bus->twice_n, subject)) {
			put_take(bus, make(subject, body, LIVE));
		}
	}
}

static void bus_start(struct lt_bus *base, const struct lt_bus_listener *listener)
{
	struct bus *bus = (struct bus *)base;

	bus->listener = *listener;
	bus->started = true;
	bus_memory_set_up(base, true);
}

static bool bus_publish(
		struct lt_bus *base, struct lt_str subject, struct lt_str body, struct lt_err *err)
{
	struct bus *bus = (struct bus *)base;
	LT_AUTO(lt_free) char *name = lt_str_dup(subject);

	if (!bus->is_up) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "down by hand");
	}
	if (bus->is_full) {
		bus->refused = true;
		return lt_err_set(err, LT_E_LIMIT, "full by hand");
	}
	if (bus->limit && body.n > bus->limit) {
		return lt_err_set(err, LT_E_INVALID, "too large by hand");
	}
	spread(bus->hub, bus, name, body);
	return true;
}

static void bus_replay(struct lt_bus *base)
{
	struct bus *bus = (struct bus *)base;
	const struct message *message;

	DL_FOREACH(bus->hub->stored, message) {
		put_take(bus, make(message->subject, lt_buf_str(&message->body), STORED));
	}
	put_take(bus, make("", LT_STR(""), REPLAYED));
}

static void bus_forget(struct lt_bus *base, struct lt_str subject)
{
	struct bus *bus = (struct bus *)base;
	struct message *message, *next;

	DL_FOREACH_SAFE(bus->hub->stored, message, next) {
		if (lt_str_eq_c(subject, message->subject)) {
			DL_DELETE(bus->hub->stored, message);
			free_message(message);
		}
	}
}

/* Answers at once, unlike a real one: who claims must not mind. */
static void bus_claim(struct lt_bus *base, struct lt_str key, struct lt_str holder,
		lt_bus_claimed_fn fn, void *arg)
{
	struct bus *bus = (struct bus *)base;
	int64_t now_us = lt_loop_now(bus->hub->loop).us;
	struct lease *lease;

	if (!bus->is_up) {
		fn(arg, false, LT_STR(""));
		return;
	}
	LL_FOREACH(bus->hub->leases, lease) {
		if (lt_str_eq_c(key, lease->key)) {
			break;
		}
	}
	if (!lease) {
		lease = lt_zalloc(sizeof(*lease));
		lease->key = lt_str_dup(key);
		LL_PREPEND(bus->hub->leases, lease);
	}
	if (lease->until_us <= now_us || lt_str_eq_c(holder, lease->holder)) {
		lt_free(lease->holder);
		lease->holder = lt_str_dup(holder);
		lease->until_us = now_us + LT_BUS_LEASE_MS * 1000;
	}
	fn(arg, lt_str_eq_c(holder, lease->holder), lt_str_from(lease->holder));
}

static void bus_release(struct lt_bus *base, struct lt_str key, struct lt_str holder)
{
	struct bus *bus = (struct bus *)base;
	struct lease *lease;

	LL_FOREACH(bus->hub->leases, lease) {
		if (lt_str_eq_c(key, lease->key) && lt_str_eq_c(holder, lease->holder)) {
			lease->until_us = 0;
		}
	}
}

static void bus_report(const struct lt_bus *base, struct lt_bus_stats *ret)
{
	*ret = (struct lt_bus_stats){ .is_up = ((const struct bus *)base)->is_up };
}

static void empty(struct bus *bus)
{
	while (bus->inbox) {
		struct message *message = bus->inbox;

		DL_DELETE(bus->inbox, message);
		free_message(message);
	}
	lt_deferred_cancel(&bus->deferred);
}

static void bus_stop(struct lt_bus *base, void (*done)(void *arg), void *arg)
{
	struct bus *bus = (struct bus *)base;

	bus->is_up = bus->started = false;
	empty(bus);
	if (done) {
		done(arg);
	}
}

static void bus_destroy(struct lt_bus *base)
{
	struct bus *bus = (struct bus *)base;

	empty(bus);
	DL_DELETE(bus->hub->buses, bus);
	lt_free(bus);
}

static const struct lt_bus_ops ops = { bus_start, bus_publish, bus_replay, bus_forget, bus_claim,
	bus_release, bus_report, bus_stop, bus_destroy };

struct lt_bus *bus_memory_create(struct bus_hub *hub)
{
	struct bus *bus = lt_zalloc(sizeof(*bus));

	bus->bus.ops = &ops;
	bus->hub = hub;
	DL_APPEND(hub->buses, bus);
	return &bus->bus;
}

void bus_memory_set_up(struct lt_bus *base, bool is_up)
{
	struct bus *bus = (struct bus *)base;

	if (bus->started && bus->is_up != is_up) {
		bus->is_up = is_up;
		put_take(bus, make("", LT_STR(""), is_up ? UP : DOWN));
	}
}

void bus_memory_lose(struct lt_bus *base, const char *subject, unsigned n)
{
	struct bus *bus = (struct bus *)base;

	bus->lose = subject;
	bus->lose_n = n;
}

void bus_memory_double(struct lt_bus *base, const char *subject, unsigned n)
{
	struct bus *bus = (struct bus *)base;

	bus->twice = subject;
	bus->twice_n = n;
}

void bus_memory_limit(struct lt_bus *base, size_t message_bytes)
{
	((struct bus *)base)->limit = message_bytes;
}

void bus_memory_fill(struct lt_bus *base, bool is_full)
{
	struct bus *bus = (struct bus *)base;

	bus->is_full = is_full;
	if (!is_full && bus->refused) {
		bus->refused = false;
		put_take(bus, make("", LT_STR(""), ROOM));
	}
}

void bus_hub_inject(struct bus_hub *hub, const char *subject, struct lt_str body)
{
	spread(hub, NULL, subject, body);
}

size_t bus_hub_stored(const struct bus_hub *hub)
{
	const struct message *message;
	size_t n = 0;

	DL_COUNT(hub->stored, message, n);
	return n;
}
