/*
 * Tells the service manager that started us how we are (sd_notify's protocol:
 * one datagram of NAME=value lines), and pings its watchdog: as long as the
 * loop turns, it hears from us twice in each of its periods.
 *
 * Without a socket nothing is sent and no timer runs.
 */
#ifndef LT_BASE_NOTIFY_H
#define LT_BASE_NOTIFY_H

#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"

struct lt_notify;

/* Borrowed: loop, and what arg points to. Texts are copied. */
struct lt_notify_env {
	struct lt_loop *loop;
	struct lt_log log;
	const char *socket;  /* path, or "@name"; NULL or empty: nobody listens */
	int64_t watchdog_us; /* the period of $WATCHDOG_USEC; 0: none */
	/* Appends one line, without its end, on how things are. NULL: none is sent. */
	void (*describe)(void *arg, struct lt_buf *buf);
	void *arg;
};

struct lt_notify *lt_notify_create(const struct lt_notify_env *env);
void lt_notify_destroy(struct lt_notify *notify); /* NULL is fine */

/* "READY=1" with the first STATUS; pings begin. Also after lt_notify_reloading. */
void lt_notify_ready(struct lt_notify *notify);
void lt_notify_reloading(struct lt_notify *notify);
/* "STOPPING=1"; pings go on until destroy. */
void lt_notify_stopping(struct lt_notify *notify);

#endif
