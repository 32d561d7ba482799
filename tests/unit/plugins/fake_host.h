/*
 * A host for one plugin instance, with a hand-moved clock: options from a
 * list, defaults as declared, timers, and what was published last as text.
 */
#ifndef LT_TESTS_UNIT_PLUGINS_FAKE_HOST_H
#define LT_TESTS_UNIT_PLUGINS_FAKE_HOST_H

#include <livetiming/plugin.h>

#include "support/test.h"

#define FAKE_TIMERS 16

struct fake_timer {
	uint64_t id;
	int64_t due_ms, every_ms;
	lt_callback fn;
	void *arg;
};

struct lt_host {
	struct lt_host_api api;
	const struct lt_plugin_desc *desc;
	const char *const *options; /* name, value, ..., NULL */
	void *self;
	int64_t now_ms;
	struct fake_timer timers[FAKE_TIMERS];
	uint64_t next_timer;
	/* what the plugin did */
	char name[128], description[128], reason[256];
	size_t columns, rows, short_rows, texts;
	uint32_t generators, flag;
	int described, published, sessions, messages, damaged, records;
	char first_row[1024]; /* cells of the first row, each followed by '|' */
	const void *(*extension)(const char *id);
};

static inline void fake_copy(char *to, size_t size, struct lt_str text)
{
	snprintf(to, size, "%.*s", (int)text.n, text.p != NULL ? text.p : "");
}

static inline const char *fake_option(struct lt_host *host, const char *name)
{
	for (const char *const *p = host->options; *p != NULL; p += 2) {
		if (strcmp(p[0], name) == 0) {
			return p[1];
		}
	}
	for (const struct lt_plugin_option *o = host->desc->options; o->name != NULL; o++) {
		if (strcmp(o->name, name) == 0) {
			return o->default_value;
		}
	}
	fail_msg("option %s is not declared", name);
	return NULL;
}

static inline void fake_log(struct lt_host *host, uint32_t level, struct lt_str text)
{
	(void)host;
	(void)level;
	(void)text;
}

static inline int64_t fake_us(struct lt_host *host)
{
	return host->now_ms * 1000;
}

static inline int32_t fake_option_has(struct lt_host *host, const char *name)
{
	return fake_option(host, name) != NULL;
}

static inline struct lt_str fake_option_text(struct lt_host *host, const char *name)
{
	const char *text = fake_option(host, name);

	return text == NULL ? (struct lt_str){ NULL, 0 } : lt_text_n(text, strlen(text));
}

static inline int64_t fake_option_int(struct lt_host *host, const char *name)
{
	const char *text = fake_option(host, name);

	return text == NULL ? 0 : atoll(text);
}

static inline double fake_option_number(struct lt_host *host, const char *name)
{
	const char *text = fake_option(host, name);

	return text == NULL ? 0 : atof(text);
}

static inline int32_t fake_describe(struct lt_host *host, const struct lt_service_info *info)
{
	fake_copy(host->name, sizeof(host->name), info->name);
	fake_copy(host->description, sizeof(host->description), info->description);
	host->columns = info->column_count;
	host->described++;
	return 0;
}

static inline void fake_set_generators(struct lt_host *host, uint32_t generators)
{
	host->generators = generators;
}

static inline void fake_state_begin(struct lt_host *host)
{
	host->rows = host->short_rows = 0;
	host->first_row[0] = '\0';
}

static inline int32_t fake_state_row(struct lt_host *host, const struct lt_cell *cells, size_t n)
{
	size_t at = 0, size = sizeof(host->first_row);

	host->short_rows += n != host->columns;
	if (host->rows++ > 0) {
		return 0;
	}
	for (size_t i = 0; i < n && at < size; i++) {
		const struct lt_cell *c = &cells[i];

		at += (size_t)(c->kind == LT_CELL_INT ? snprintf(host->first_row + at, size - at,
									"%d|", (int)c->i)
						: c->kind == LT_CELL_TEXT
						? snprintf(host->first_row + at, size - at, "%.*s|",
								  (int)c->s.n, c->s.p)
						: snprintf(host->first_row + at, size - at, "%.3f|",
								  c->d));
	}
	return 0;
}

static inline int32_t fake_state_session(
		struct lt_host *host, const struct lt_session_info *session)
{
	host->flag = session->flag;
	return 0;
}

static inline int32_t fake_publish(struct lt_host *host)
{
	host->published++;
	return 0;
}

static inline void fake_message(struct lt_host *host, const struct lt_message_info *message)
{
	(void)message;
	host->messages++;
}

static inline void fake_race_control(struct lt_host *host, struct lt_str text)
{
	(void)text;
	host->texts++;
}

static inline void fake_new_session(struct lt_host *host)
{
	host->sessions++;
}

static inline void fake_set_stale(struct lt_host *host, uint32_t stale, struct lt_str reason)
{
	(void)host;
	(void)stale;
	(void)reason;
}

static inline void fake_count(struct lt_host *host, const char *name, int64_t delta)
{
	host->damaged += strcmp(name, "damaged") == 0 ? (int)delta : 0;
	host->records += strcmp(name, "records") == 0 ? (int)delta : 0;
}

static inline void fake_fail(struct lt_host *host, struct lt_str reason)
{
	fake_copy(host->reason, sizeof(host->reason), reason);
}

static inline uint64_t fake_timer_add(
		struct lt_host *host, int64_t delay_ms, uint32_t repeat, lt_callback fn, void *arg)
{
	for (size_t i = 0; i < FAKE_TIMERS; i++) {
		if (host->timers[i].id == 0) {
			host->timers[i] = (struct fake_timer){ .id = ++host->next_timer,
				.due_ms = host->now_ms + delay_ms,
				.every_ms = repeat ? delay_ms : 0,
				.fn = fn,
				.arg = arg };
			return host->next_timer;
		}
	}
	fail_msg("too many timers");
	return 0;
}

static inline void fake_timer_cancel(struct lt_host *host, uint64_t id)
{
	for (size_t i = 0; i < FAKE_TIMERS; i++) {
		if (host->timers[i].id == id) {
			host->timers[i].id = 0;
		}
	}
}

static inline const void *fake_extension(struct lt_host *host, const char *id)
{
	return host->extension != NULL ? host->extension(id) : NULL;
}

/* Let ms pass, one at a time; update every second as the host does. */
static inline void fake_run(struct lt_host *host, int64_t ms)
{
	for (int64_t end = host->now_ms + ms; host->now_ms < end;) {
		host->now_ms++;
		for (size_t i = 0; i < FAKE_TIMERS; i++) {
			struct fake_timer *timer = &host->timers[i];
			struct fake_timer due = *timer;

			if (timer->id == 0 || timer->due_ms > host->now_ms) {
				continue;
			}
			timer->due_ms += timer->every_ms;
			timer->id = timer->every_ms > 0 ? timer->id : 0;
			due.fn(due.arg);
		}
		if (host->desc->ops->update != NULL && host->now_ms % 1000 == 0) {
			host->desc->ops->update(host->self);
		}
	}
}

/* Create and start; -1 when the plugin refused (see host->reason). */
static inline int32_t fake_start(struct lt_host *host, const char *const *options)
{
	host->api = (struct lt_host_api){ .size = sizeof(host->api),
		.log = fake_log,
		.mono_us = fake_us,
		.wall_us = fake_us,
		.option_has = fake_option_has,
		.option_text = fake_option_text,
		.option_int = fake_option_int,
		.option_number = fake_option_number,
		.option_flag = fake_option_has,
		.describe = fake_describe,
		.set_generators = fake_set_generators,
		.state_begin = fake_state_begin,
		.state_row = fake_state_row,
		.state_session = fake_state_session,
		.publish_now = fake_publish,
		.publish_due = fake_publish,
		.message = fake_message,
		.race_control = fake_race_control,
		.new_session = fake_new_session,
		.set_stale = fake_set_stale,
		.count = fake_count,
		.fail = fake_fail,
		.timer = fake_timer_add,
		.timer_cancel = fake_timer_cancel,
		.extension = fake_extension };
	host->desc = lt_plugin_entry_v1();
	host->options = options;
	if (host->desc->ops->create(&host->api, host, LT_LITERAL("{}"), &host->self) != 0) {
		return -1;
	}
	return host->desc->ops->start(host->self);
}

static inline void fake_end(struct lt_host *host)
{
	if (host->desc->ops->stop != NULL) {
		host->desc->ops->stop(host->self);
	}
	host->desc->ops->destroy(host->self);
}

#endif
