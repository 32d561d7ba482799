/*
 * Who did what at the control desk, and when: one line in the log at info, and
 * one JSON object a line in LIVETIMING_LOG_DIR/audit.log, which is only ever
 * appended to (mode 0600), opened for each write so that it may be rotated:
 *
 *   {"time": "2026-05-16T13:00:00.123Z", "order": "rename", "uuid": text, "params": {...},
 *    "by": {"via": "control", "uid": n, "user": text, "pid": n}
 *        | {"via": "wamp", "authid": text, "role": text, "session": n, "address": text},
 *    "error": text (when it was refused)}
 *
 * Files and names of users are the business of workers. A line is in the file
 * soon after the order, in the order of the orders.
 */
#ifndef LT_SERVICES_DESK_AUDIT_H
#define LT_SERVICES_DESK_AUDIT_H

#include <stdint.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_audit;

struct lt_audit *lt_audit_create(struct lt_loop *loop, struct lt_log log, const char *log_dir);
/* What waits is written here and now (blocking). NULL is fine. */
void lt_audit_destroy(struct lt_audit *audit);

/* Who gave an order. */
struct lt_audit_who {
	bool is_wamp;
	int64_t uid, pid;           /* control socket; -1: not known */
	uint64_t session;           /* WAMP */
	char authid[128], role[64]; /* likewise */
	char address[64];
};

struct lt_audit_entry {
	const struct lt_audit_who *who;
	const char *order, *uuid; /* uuid "": none */
	const cJSON *params;      /* may be NULL */
	const char *error;        /* NULL: done */
};
void lt_audit_add(struct lt_audit *audit, const struct lt_audit_entry *entry);

#define LT_AUDIT_READ_MAX 1000
/* The last lines, oldest first; fn owns the list. Lines that are none are left out. */
void lt_audit_read(struct lt_audit *audit, int64_t count, void (*fn)(void *arg, cJSON *lines),
		void *arg);
/* fn of this arg is not called any more. */
void lt_audit_forget(struct lt_audit *audit, const void *arg);

#endif
