#include "race/analysis/publisher.h"

#include <inttypes.h>

#include "base/table.h"
#include "race/envelope.h"

#define TOPIC_PREFIX   "livetiming.analysis/"
#define INTERVAL_MIN_S 10.0
#define INTERVAL_MAX_S 1e6

struct entry {
	UT_hash_handle hh;
	struct entry *prev, *next; /* in the queue */
	char *key;
	struct lt_buf payload; /* empty: written when it is sent */
	bool is_queued;
	bool was_sent;
	int64_t sent_us;
};

struct lt_analysis_publisher {
	struct lt_analysis *analysis;
	char *uuid;
	int64_t interval_us;
	lt_analysis_send_fn *send;
	void *arg;
	bool is_started;
	struct lt_wall now; /* of the update that is going on */
	struct entry *by_key;
	struct entry *queue;
	struct lt_buf topic, payload, args; /* scratch */
};

static struct entry *get_entry(struct lt_analysis_publisher *publisher, struct lt_str key)
{
	struct entry *entry;

	HASH_FIND(hh, publisher->by_key, key.p, key.n, entry);
	if (!entry) {
		entry = lt_zalloc(sizeof(*entry));
		entry->key = lt_str_dup(key);
		HASH_ADD_KEYPTR(hh, publisher->by_key, entry->key, key.n, entry);
	}
	return entry;
}

static void enqueue(struct lt_analysis_publisher *publisher, struct entry *entry)
{
	if (!entry->is_queued) {
		entry->is_queued = true;
		DL_APPEND(publisher->queue, entry);
	}
}

/* --- sending --- */

static bool is_plain(struct lt_str text, size_t i)
{
	unsigned char c = (unsigned char)text.p[i];

	if (c == '.') {
		return i + 1 < text.n && text.p[i + 1] != '.';
	}
	return c > ' ' && c < 0x7f && c != '#' && c != '%';
}

static void add_encoded(struct lt_buf *buf, struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (is_plain(text, i)) {
			lt_buf_add_char(buf, text.p[i]);
		} else {
			lt_buf_printf(buf, "%%%02X", (unsigned char)text.p[i]);
		}
	}
}

static void write_args(struct lt_buf *buf, bool retain, struct lt_wall now, struct lt_str payload)
{
	lt_buf_printf(buf, "[{\"msgClass\":%d,\"date\":", (int)LT_MSG_ANALYSIS_DATA);
	if (retain) {
		lt_buf_add_c(buf, "true");
	} else {
		lt_buf_printf(buf, "%" PRId64, lt_wall_ms(now));
	}
	lt_buf_add_c(buf, ",\"payload\":");
	lt_buf_add_str(buf, payload);
	lt_buf_add_c(buf, "}]");
}

static void send_entry(
		struct lt_analysis_publisher *publisher, struct entry *entry, struct lt_wall now)
{
	struct lt_str key = lt_str_from(entry->key);
	bool retain = !lt_str_eq_c(key, "lap") && !lt_str_eq_c(key, "stint");
	struct lt_buf *payload = &entry->payload;

	if (payload->n == 0) {
		payload = &publisher->payload;
		lt_buf_clear(payload);
		lt_analysis_write(publisher->analysis, key, payload);
	}
	lt_buf_clear(&publisher->topic);
	lt_buf_add_c(&publisher->topic, TOPIC_PREFIX);
	add_encoded(&publisher->topic, lt_str_from(publisher->uuid));
	lt_buf_add_char(&publisher->topic, '/');
	add_encoded(&publisher->topic, key);
	lt_buf_clear(&publisher->args);
	write_args(&publisher->args, retain, now, lt_buf_str(payload));
	publisher->send(publisher->arg,
			&(struct lt_analysis_event){
					.topic = lt_buf_str(&publisher->topic),
					.retain = retain,
					.args = lt_buf_str(&publisher->args),
			});
}

/* First microsecond at which a queued entry may go out. */
static int64_t due_us(const struct lt_analysis_publisher *publisher, const struct entry *entry)
{
	return entry->was_sent ? entry->sent_us + publisher->interval_us + 1 : INT64_MIN;
}

static int64_t send_due(struct lt_analysis_publisher *publisher, struct lt_wall now)
{
	struct entry *entry, *next;
	int64_t next_us = INT64_MAX;

	if (!publisher->is_started) {
		return next_us;
	}
	DL_FOREACH_SAFE(publisher->queue, entry, next) {
		if (due_us(publisher, entry) > now.us) {
			next_us = LT_MIN(next_us, due_us(publisher, entry));
			continue;
		}
		DL_DELETE(publisher->queue, entry);
		entry->is_queued = false;
		entry->was_sent = true;
		entry->sent_us = now.us;
		send_entry(publisher, entry, now);
		lt_buf_finish(&entry->payload);
	}
	return next_us;
}

struct lt_wall lt_analysis_publisher_tick(
		struct lt_analysis_publisher *publisher, struct lt_wall now)
{
	return (struct lt_wall){ send_due(publisher, now) };
}

/* --- changes --- */

/*
 * Laps, stints and the session show the moment of the change, so they are
 * written at once. The other lists only grow: what is written when they are
 * sent is the same, and cheaper than writing a long list at every change.
 */
static bool shows_moment(struct lt_str key)
{
	return lt_str_starts(key, LT_STR("lap/")) || lt_str_starts(key, LT_STR("stint/")) ||
			lt_str_eq_c(key, "session");
}

static void take_change(void *arg, struct lt_str key)
{
	struct lt_analysis_publisher *publisher = arg;
	struct entry *entry = get_entry(publisher, key);

	lt_buf_clear(&entry->payload);
	if (shows_moment(key)) {
		lt_analysis_write(publisher->analysis, key, &entry->payload);
	}
	enqueue(publisher, entry);
	send_due(publisher, publisher->now);
}

bool lt_analysis_publisher_update(struct lt_analysis_publisher *publisher, const cJSON *state,
		const cJSON *new_messages, struct lt_wall now, struct lt_err *err)
{
	publisher->now = now;
	return lt_analysis_update(
			publisher->analysis, state, lt_number_from_wall(now), new_messages, err);
}

void lt_analysis_publisher_start(struct lt_analysis_publisher *publisher, struct lt_wall now)
{
	publisher->is_started = true;
	for (const char *const *key = lt_analysis_keys; *key; key++) {
		struct entry *entry = get_entry(publisher, lt_str_from(*key));

		lt_buf_finish(&entry->payload);
		enqueue(publisher, entry);
	}
	send_due(publisher, now);
}

void lt_analysis_publisher_stop(struct lt_analysis_publisher *publisher)
{
	publisher->is_started = false;
}

/* --- life --- */

struct lt_analysis_publisher *lt_analysis_publisher_create(struct lt_analysis *analysis,
		struct lt_str uuid, double poll_interval_s, lt_analysis_send_fn *send, void *arg)
{
	struct lt_analysis_publisher *publisher = lt_zalloc(sizeof(*publisher));
	double interval_s = LT_MIN(LT_MAX(poll_interval_s, INTERVAL_MIN_S), INTERVAL_MAX_S);

	publisher->analysis = analysis;
	publisher->uuid = lt_str_dup(uuid);
	publisher->interval_us = (int64_t)(interval_s * LT_US_PER_S);
	publisher->send = send;
	publisher->arg = arg;
	lt_analysis_on_change(analysis, take_change, publisher);
	return publisher;
}

void lt_analysis_publisher_destroy(struct lt_analysis_publisher *publisher)
{
	struct entry *entry, *next;

	if (!publisher) {
		return;
	}
	lt_analysis_on_change(publisher->analysis, NULL, NULL);
	HASH_ITER(hh, publisher->by_key, entry, next) {
		HASH_DEL(publisher->by_key, entry);
		lt_buf_finish(&entry->payload);
		lt_free(entry->key);
		lt_free(entry);
	}
	lt_free(publisher->uuid);
	lt_buf_finish(&publisher->topic);
	lt_buf_finish(&publisher->payload);
	lt_buf_finish(&publisher->args);
	lt_free(publisher);
}
