#include "mesh/nats_live.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/table.h"

#define WAIT_MIN_MS 500 /* before the next try to connect, and as much again at most */

struct item {
	struct item *prev, *next;
	char *subject;
	struct lt_buf body;
	bool is_flush;
};

struct lt_nats_live {
	struct lt_nats_live_env env;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct item *queue;
	size_t queued_bytes, max_payload;
	bool is_up, is_closed, is_stopping, was_refused, was_lost;
	int subscribed;
	struct lt_bus_stats stats;
	/* of the thread alone */
	char *run;
	size_t server;
	unsigned seed;
};

/* --- notes --- */

static void free_note(struct lt_note *base)
{
	struct lt_nats_note *note = lt_container_of(base, struct lt_nats_note, note);

	lt_buf_finish(&note->subject);
	lt_buf_finish(&note->body);
	lt_free(note);
}

struct lt_nats_note *lt_nats_note_create(enum lt_nats_news news, struct lt_str body)
{
	struct lt_nats_note *note = lt_zalloc(sizeof(*note));

	note->note.free = free_note;
	note->news = news;
	lt_buf_add_str(&note->body, body);
	return note;
}

struct lt_nats_note *lt_nats_note_message(struct lt_str subject, struct lt_str body)
{
	struct lt_nats_note *note = lt_nats_note_create(LT_NATS_MESSAGE, body);

	lt_buf_add_str(&note->subject, subject);
	note->note.bytes = sizeof(*note) + subject.n + body.n;
	return note;
}

/* --- threads of libnats --- */

static void on_message(natsConnection *conn, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct lt_nats_live *live = arg;
	struct lt_str body = { natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg) };
	struct lt_nats_note *note =
			lt_nats_note_message(lt_str_from(natsMsg_GetSubject(msg)), body);
	bool has_room = lt_inbox_post(live->env.inbox, &note->note);
	bool is_first = false;

	(void)conn;
	(void)sub;
	natsMsg_Destroy(msg);
	pthread_mutex_lock(&live->lock);
	if (has_room) {
		live->stats.received++;
		live->stats.received_bytes += body.n;
	} else {
		is_first = !live->was_lost;
		live->stats.lost++;
	}
	live->was_lost = !has_room;
	pthread_mutex_unlock(&live->lock);
	if (is_first) {
		lt_inbox_post(live->env.inbox,
				&lt_nats_note_create(LT_NATS_LOST, LT_STR(""))->note);
	}
}

static void on_closed(natsConnection *conn, void *arg)
{
	struct lt_nats_live *live = arg;

	(void)conn;
	pthread_mutex_lock(&live->lock);
	live->is_closed = true;
	pthread_cond_signal(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

/* --- sending --- */

static void free_item(struct item *item)
{
	lt_free(item->subject);
	lt_buf_finish(&item->body);
	lt_free(item);
}

/* Locked. */
static void drop_queue(struct lt_nats_live *live)
{
	while (live->queue) {
		struct item *item = live->queue;

		DL_DELETE(live->queue, item);
		free_item(item);
	}
	live->queued_bytes = 0;
}

/* The next to be sent; NULL: stop, or the connection is gone. */
static struct item *next_item(struct lt_nats_live *live)
{
	struct item *item;

	pthread_mutex_lock(&live->lock);
	while (!live->queue && !live->is_closed && !live->is_stopping) {
		pthread_cond_wait(&live->changed, &live->lock);
	}
	item = live->is_closed ? NULL : live->queue;
	if (item) {
		DL_DELETE(live->queue, item);
	}
	pthread_mutex_unlock(&live->lock);
	return item;
}

static void note_sent(struct lt_nats_live *live, const struct item *item)
{
	bool has_room = false;

	pthread_mutex_lock(&live->lock);
	live->queued_bytes -= LT_MIN(live->queued_bytes, item->body.n);
	live->stats.sent++;
	live->stats.sent_bytes += item->body.n;
	if (live->was_refused && live->queued_bytes <= live->env.conf->queue_bytes / 2) {
		live->was_refused = false;
		has_room = true;
	}
	pthread_mutex_unlock(&live->lock);
	if (has_room) {
		lt_inbox_post(live->env.inbox,
				&lt_nats_note_create(LT_NATS_ROOM, LT_STR(""))->note);
	}
}

static void send_queue(struct lt_nats_live *live, natsConnection *conn)
{
	struct item *item;

	while ((item = next_item(live)) != NULL) {
		natsStatus status = NATS_OK;

		if (item->is_flush) {
			status = natsConnection_FlushTimeout(conn, LT_NATS_WAIT_MS);
			live->env.flushed(live->env.arg, lt_str_from(item->subject));
		} else {
			status = natsConnection_Publish(
					conn, item->subject, item->body.p, (int)item->body.n);
			note_sent(live, item);
		}
		free_item(item);
		if (status != NATS_OK) {
			natsConnection_Close(conn);
			break;
		}
	}
	natsConnection_FlushTimeout(conn, LT_NATS_WAIT_MS);
}

/* --- subscriptions --- */

static void on_complete(void *arg)
{
	struct lt_nats_live *live = arg;

	pthread_mutex_lock(&live->lock);
	live->subscribed--;
	pthread_cond_signal(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

static natsStatus subscribe_one(struct lt_nats_live *live, natsConnection *conn,
		natsSubscription **ret_sub, const char *kind, const char *name)
{
	LT_AUTO(lt_buf_finish) struct lt_buf subject = { 0 };
	natsStatus status;

	lt_buf_printf(&subject, "%s.%s%s", live->env.conf->prefix, kind, name);
	lt_buf_add_char(&subject, '\0');
	status = natsConnection_Subscribe(ret_sub, conn, subject.p, on_message, live);
	if (status != NATS_OK) {
		return status;
	}
	/* what waits is bounded by the inbox, which is where messages go at once */
	natsSubscription_SetPendingLimits(*ret_sub, -1, (int)live->env.conf->queue_bytes);
	pthread_mutex_lock(&live->lock);
	live->subscribed++;
	pthread_mutex_unlock(&live->lock);
	return natsSubscription_SetOnCompleteCB(*ret_sub, on_complete, live);
}

#define SUBSCRIPTIONS 4

static natsStatus subscribe(
		struct lt_nats_live *live, natsConnection *conn, natsSubscription **ret_subs)
{
	const struct {
		const char *kind, *name;
	} subjects[SUBSCRIPTIONS] = { { "live.", ">" }, { "kept.", ">" }, { "nodes", "" },
		{ "to.", live->run } };
	natsStatus status = NATS_OK;

	for (size_t i = 0; status == NATS_OK && i < SUBSCRIPTIONS; i++) {
		status = subscribe_one(
				live, conn, &ret_subs[i], subjects[i].kind, subjects[i].name);
	}
	return status ? status : natsConnection_FlushTimeout(conn, LT_NATS_WAIT_MS);
}

/* --- the thread --- */

/* Locked. Waits for a signal, at most so long. */
static bool wait_ms(struct lt_nats_live *live, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return pthread_cond_timedwait(&live->changed, &live->lock, &until) == 0;
}

/*
 * Nothing of libnats calls back any more when this returns, unless it hangs.
 * That it may be is better than that the daemon does not end.
 */
static void close_all(struct lt_nats_live *live, natsConnection *conn, natsSubscription **subs)
{
	natsConnection_Close(conn);
	for (size_t i = 0; i < SUBSCRIPTIONS; i++) {
		natsSubscription_Destroy(subs[i]);
	}
	pthread_mutex_lock(&live->lock);
	while ((live->subscribed > 0 || !live->is_closed) && wait_ms(live, LT_NATS_WAIT_MS)) {
		continue;
	}
	live->subscribed = 0;
	pthread_mutex_unlock(&live->lock);
	natsConnection_Destroy(conn);
}

static void set_up(struct lt_nats_live *live, natsConnection *conn, bool is_up)
{
	int64_t max_payload = is_up ? natsConnection_GetMaxPayload(conn) : 0;

	pthread_mutex_lock(&live->lock);
	live->is_up = is_up;
	live->stats.is_up = is_up;
	live->stats.server[0] = '\0';
	if (is_up) {
		live->stats.connects++;
		live->max_payload = max_payload > 0 ? (size_t)max_payload : SIZE_MAX;
		snprintf(live->stats.server, sizeof(live->stats.server), "%s",
				live->env.conf->servers[live->server % live->env.conf->n].shown);
	} else {
		drop_queue(live);
		live->was_refused = false;
	}
	pthread_mutex_unlock(&live->lock);
}

static void post_down(struct lt_nats_live *live, const struct lt_err *err, bool had_been_up)
{
	struct lt_nats_note *note = lt_nats_note_create(LT_NATS_DOWN, lt_str_from(err->msg));

	note->ok = had_been_up;
	note->is_denied = err->code == LT_E_DENIED;
	lt_inbox_post(live->env.inbox, &note->note);
}

/* One connection from its beginning to its end. False: it did not come to be. */
static bool run_once(struct lt_nats_live *live, struct lt_err *err)
{
	natsSubscription *subs[SUBSCRIPTIONS] = { NULL };
	natsConnection *conn;
	natsStatus status;
	bool ok;

	pthread_mutex_lock(&live->lock);
	live->is_closed = false;
	pthread_mutex_unlock(&live->lock);
	conn = lt_nats_connect(live->env.conf, live->server, on_closed, live, err);
	if (!conn) {
		return false;
	}
	status = subscribe(live, conn, subs);
	ok = status == NATS_OK
			? live->env.prepare(live->env.arg, conn, err)
			: lt_err_set(err, LT_E_UNAVAILABLE, "%s: %s",
					  live->env.conf->servers[live->server % live->env.conf->n]
							  .shown,
					  natsStatus_GetText(status));
	if (ok) {
		set_up(live, conn, true);
		lt_inbox_post(live->env.inbox,
				&lt_nats_note_create(LT_NATS_UP, lt_str_from(live->stats.server))
						 ->note);
		send_queue(live, conn);
		lt_err_set(err, LT_E_UNAVAILABLE, "%s: the connection ended", live->stats.server);
		set_up(live, conn, false);
		post_down(live, err, true);
	}
	close_all(live, conn, subs);
	return ok;
}

static bool is_stopping(struct lt_nats_live *live)
{
	bool stopping;

	pthread_mutex_lock(&live->lock);
	stopping = live->is_stopping;
	pthread_mutex_unlock(&live->lock);
	return stopping;
}

static void rest(struct lt_nats_live *live)
{
	pthread_mutex_lock(&live->lock);
	if (!live->is_stopping) {
		wait_ms(live, WAIT_MIN_MS + rand_r(&live->seed) % WAIT_MIN_MS);
	}
	pthread_mutex_unlock(&live->lock);
}

static void *run(void *arg)
{
	struct lt_nats_live *live = arg;
	struct lt_err err = { 0 };
	char told[sizeof(err.msg)] = "";

	while (!is_stopping(live)) {
		if (run_once(live, &err)) {
			told[0] = '\0';
		} else if (strcmp(told, err.msg) != 0) { /* each reason once */
			snprintf(told, sizeof(told), "%s", err.msg);
			post_down(live, &err, false);
		}
		live->server++;
		rest(live);
	}
	nats_ReleaseThreadMemory();
	return NULL;
}

/* --- the loop's side --- */

struct lt_nats_live *lt_nats_live_create(const struct lt_nats_live_env *env)
{
	struct lt_nats_live *live = lt_zalloc(sizeof(*live));
	pthread_condattr_t monotonic;

	live->env = *env;
	live->seed = (unsigned)lt_clock_mono().us;
	live->server = live->seed % env->conf->n;
	pthread_mutex_init(&live->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&live->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return live;
}

void lt_nats_live_start(struct lt_nats_live *live, const char *name)
{
	live->run = lt_strdup(name);
	live->has_thread = pthread_create(&live->thread, NULL, run, live) == 0;
}

/* Locked. */
static bool has_room(struct lt_nats_live *live, size_t n, struct lt_err *err)
{
	if (!live->is_up) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "the backplane is not there");
	}
	if (n > live->max_payload) {
		return lt_err_set(err, LT_E_INVALID,
				"%zu bytes, and the server takes messages of %zu (max_payload)", n,
				live->max_payload);
	}
	if (live->queued_bytes + n > live->env.conf->queue_bytes) {
		live->was_refused = true;
		return lt_err_set(err, LT_E_LIMIT, "too much waits to be sent");
	}
	return true;
}

static void enqueue(struct lt_nats_live *live, struct item *item)
{
	DL_APPEND(live->queue, item);
	live->queued_bytes += item->body.n;
	pthread_cond_signal(&live->changed);
}

bool lt_nats_live_send(struct lt_nats_live *live, struct lt_str subject, struct lt_str body,
		struct lt_err *err)
{
	struct item *item;
	bool ok;

	pthread_mutex_lock(&live->lock);
	ok = has_room(live, body.n, err);
	live->stats.refused += !ok;
	if (ok) {
		item = lt_zalloc(sizeof(*item));
		item->subject = lt_str_dup(subject);
		lt_buf_add_str(&item->body, body);
		enqueue(live, item);
	}
	pthread_mutex_unlock(&live->lock);
	return ok;
}

void lt_nats_live_flush(struct lt_nats_live *live, struct lt_str subject)
{
	struct item *item = lt_zalloc(sizeof(*item));

	item->subject = lt_str_dup(subject);
	item->is_flush = true;
	pthread_mutex_lock(&live->lock);
	if (live->is_up) {
		enqueue(live, item);
		item = NULL;
	}
	pthread_mutex_unlock(&live->lock);
	if (item) {
		free_item(item);
	}
}

void lt_nats_live_report(struct lt_nats_live *live, struct lt_bus_stats *ret)
{
	pthread_mutex_lock(&live->lock);
	*ret = live->stats;
	ret->queued_bytes = live->queued_bytes;
	pthread_mutex_unlock(&live->lock);
}

void lt_nats_live_stop(struct lt_nats_live *live)
{
	pthread_mutex_lock(&live->lock);
	live->is_stopping = true;
	pthread_cond_signal(&live->changed);
	pthread_mutex_unlock(&live->lock);
}

void lt_nats_live_join(struct lt_nats_live *live)
{
	if (live->has_thread) {
		pthread_join(live->thread, NULL);
		live->has_thread = false;
	}
}

void lt_nats_live_destroy(struct lt_nats_live *live)
{
	if (!live) {
		return;
	}
	drop_queue(live);
	pthread_cond_destroy(&live->changed);
	pthread_mutex_destroy(&live->lock);
	lt_free(live->run);
	lt_free(live);
}
