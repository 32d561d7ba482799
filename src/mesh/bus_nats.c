#include "mesh/bus_nats.h"

#include <openssl/crypto.h>

#include "base/alloc.h"
#include "mesh/nats_keeper.h"

struct bus {
	struct lt_bus bus;
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_nats_conf *conf;
	struct lt_inbox *inbox;
	struct lt_nats_live *live;
	struct lt_nats_keeper *stored, *leases; /* two: a lease waits for no replay */
	struct lt_bus_listener listener;
	uint64_t round; /* of replays; answers of earlier ones are not told */
	bool is_started, is_up, is_stopping, was_prepared;
	void (*done)(void *arg);
	void *done_arg;
};

static struct bus *of(const struct lt_bus *base)
{
	return (struct bus *)(uintptr_t)base;
}

/* --- what threads have to say --- */

static void go_up(struct bus *bus)
{
	bus->is_up = true;
	bus->round++;
	bus->listener.up(bus->listener.arg);
}

static void on_down(struct bus *bus, const struct lt_nats_note *note)
{
	struct lt_str why = lt_buf_str(&note->body);
	char quoted[LT_LOG_VALUE_MAX];

	lt_log(&bus->log, note->is_denied ? LT_ERROR : LT_WARN,
			note->ok ? "backplane lost; trying to connect again"
				 : "no backplane; trying again",
			"reason=%s", lt_log_value(why, quoted));
	if (bus->is_up) {
		LT_AUTO(lt_free) char *text = lt_str_dup(why);

		bus->is_up = false;
		bus->round++;
		bus->listener.down(bus->listener.arg, text);
	}
}

static void on_message(struct bus *bus, const struct lt_nats_note *note)
{
	const struct lt_bus_message message = { lt_buf_str(&note->subject), lt_buf_str(&note->body),
		note->is_stored };

	if (bus->is_up && (!note->is_stored || note->round == bus->round)) {
		bus->listener.message(bus->listener.arg, &message);
	}
}

static void on_note(void *arg, struct lt_note *base)
{
	struct bus *bus = arg;
	const struct lt_nats_note *note = lt_container_of(base, struct lt_nats_note, note);

	if (bus->is_stopping) {
		return;
	}
	switch (note->news) {
	case LT_NATS_MESSAGE:
		on_message(bus, note);
		break;
	case LT_NATS_UP:
		lt_log(&bus->log, LT_INFO, "backplane connected", "server=%.*s",
				LT_STR_ARG(lt_buf_str(&note->body)));
		go_up(bus);
		break;
	case LT_NATS_DOWN:
		on_down(bus, note);
		break;
	case LT_NATS_LOST:
		lt_log(&bus->log, LT_WARN, "messages came faster than they could be taken", NULL);
		go_up(bus);
		break;
	case LT_NATS_ROOM:
		bus->listener.room(bus->listener.arg);
		break;
	case LT_NATS_REPLAYED:
		if (bus->is_up && note->round == bus->round) {
			bus->listener.replayed(bus->listener.arg, note->ok);
		}
		break;
	case LT_NATS_CLAIMED:
		note->claimed(note->arg, note->ok, lt_buf_str(&note->body));
		break;
	}
}

/* On the thread of the live connection. What was there once is there. */
static bool prepare(void *arg, natsConnection *conn, struct lt_err *err)
{
	struct bus *bus = arg;
	struct lt_err failure = { 0 };

	if (lt_nats_keeper_prepare(bus->conf, conn, &failure)) {
		bus->was_prepared = true;
	} else if (!bus->was_prepared) {
		return lt_err_set(err, failure.code, "%s", failure.msg);
	}
	return true;
}

static void flushed(void *arg, struct lt_str subject)
{
	lt_nats_keeper_forget(((struct bus *)arg)->stored, subject);
}

/* --- the functions of a bus --- */

static void bus_start(struct lt_bus *base, const struct lt_bus_listener *listener)
{
	struct bus *bus = of(base);

	bus->listener = *listener;
	bus->is_started = true;
	lt_nats_keeper_start(bus->stored);
	lt_nats_keeper_start(bus->leases);
	lt_nats_live_start(bus->live, listener->name);
}

static bool bus_publish(
		struct lt_bus *base, struct lt_str subject, struct lt_str body, struct lt_err *err)
{
	return lt_nats_live_send(of(base)->live, subject, body, err);
}

static void bus_replay(struct lt_bus *base)
{
	lt_nats_keeper_replay(of(base)->stored, of(base)->round);
}

static void bus_forget(struct lt_bus *base, struct lt_str subject)
{
	lt_nats_live_flush(of(base)->live, subject);
}

static void bus_claim(struct lt_bus *base, struct lt_str key, struct lt_str holder,
		lt_bus_claimed_fn fn, void *arg)
{
	lt_nats_keeper_claim(of(base)->leases, key, holder, fn, arg);
}

static void bus_release(struct lt_bus *base, struct lt_str key, struct lt_str holder)
{
	lt_nats_keeper_release(of(base)->leases, key, holder);
}

static void bus_report(const struct lt_bus *base, struct lt_bus_stats *ret)
{
	lt_nats_live_report(of(base)->live, ret);
}

static void join(void *arg)
{
	struct bus *bus = arg;

	lt_nats_live_join(bus->live);
	lt_nats_keeper_join(bus->stored);
	lt_nats_keeper_join(bus->leases);
}

static void joined(void *arg)
{
	struct bus *bus = arg;

	bus->is_started = false;
	if (bus->done) {
		bus->done(bus->done_arg);
	}
}

static void bus_stop(struct lt_bus *base, void (*done)(void *arg), void *arg)
{
	struct bus *bus = of(base);

	bus->is_stopping = true;
	bus->done = done;
	bus->done_arg = arg;
	lt_nats_live_stop(bus->live);
	lt_nats_keeper_stop(bus->stored);
	lt_nats_keeper_stop(bus->leases);
	lt_loop_work(bus->loop, join, joined, bus);
}

static void bus_destroy(struct lt_bus *base)
{
	struct bus *bus = of(base);

	if (bus->is_started) { /* an error on the way up */
		lt_nats_live_stop(bus->live);
		lt_nats_keeper_stop(bus->stored);
		lt_nats_keeper_stop(bus->leases);
		join(bus);
	}
	lt_nats_live_destroy(bus->live);
	lt_nats_keeper_destroy(bus->stored);
	lt_nats_keeper_destroy(bus->leases);
	lt_inbox_destroy(bus->inbox);
	lt_nats_conf_destroy(bus->conf);
	lt_free(bus);
}

static const struct lt_bus_ops ops = { bus_start, bus_publish, bus_replay, bus_forget, bus_claim,
	bus_release, bus_report, bus_stop, bus_destroy };

bool lt_bus_nats_check(const struct lt_bus_nats_conf *conf, struct lt_err *err)
{
	struct lt_nats_conf *checked = lt_nats_conf_create(conf, err);

	lt_nats_conf_destroy(checked);
	return checked != NULL;
}

struct lt_bus *lt_bus_nats_create(const struct lt_bus_nats_env *env, struct lt_err *err)
{
	struct bus *bus = lt_zalloc(sizeof(*bus));

	/* libnats 3.4 and OpenSSL both clean up at exit, and free the same things. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	nats_SetMessageDeliveryPoolSize(1); /* one thread: the order of arrival is kept */
	bus->bus.ops = &ops;
	bus->loop = env->loop;
	bus->log = env->log;
	bus->log.module = "mesh";
	bus->conf = lt_nats_conf_create(&env->conf, err);
	if (bus->conf) {
		bus->inbox = lt_inbox_create(env->loop, bus->conf->queue_bytes, on_note, bus, err);
	}
	if (!bus->inbox) {
		bus_destroy(&bus->bus);
		return NULL;
	}
	bus->live = lt_nats_live_create(&(struct lt_nats_live_env){
			.conf = bus->conf,
			.inbox = bus->inbox,
			.prepare = prepare,
			.flushed = flushed,
			.arg = bus,
	});
	bus->stored = lt_nats_keeper_create(bus->conf, bus->inbox);
	bus->leases = lt_nats_keeper_create(bus->conf, bus->inbox);
	return &bus->bus;
}
