/*
 * Services as children of the daemon: each in a process of its own, so that a
 * plugin that crashes, leaks or hangs takes nobody with it. A child is this very
 * program (main_service.h). It is given a channel, descriptor LT_CHILD_CHANNEL:
 * the daemon says on it where to join (the secret is in no environment and no
 * command line) and when to stop, and hears how the service is. What the child
 * prints goes to the daemon's log.
 *
 * A child that dies is started again after a wait, with the same UUID, and its
 * saved state; so is one that is silent for hang_ms, after it was made to end
 * (its callbacks do not return). One that says why it ends (the plugin gave up, wrong options) is
 * not. `crash_limit` deaths in LT_CHILD_WINDOW_S seconds are a crash loop: it is
 * given up, with its reason. When the daemon dies, the kernel kills its
 * children; there is one instance of a service at any time: a child begins when
 * the one before with its UUID has gone.
 */
#ifndef LT_SERVICES_OUTSIDE_CHILD_H
#define LT_SERVICES_OUTSIDE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/service_args.h"

#define LT_CHILD_CHANNEL  3
#define LT_CHILD_WINDOW_S 600

struct lt_child;
struct lt_children;

/* Where children join; borrowed while the daemon lives. */
struct lt_child_place {
	const char *url, *authid, *secret;
};

struct lt_children_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	const char *program;         /* file to run; copied */
	const char *const *settings; /* "NAME=value" ..., NULL; over the environment; copied */
	unsigned crash_limit;        /* 0: none is too many */
	int64_t hang_ms;             /* without a word; then it is ended as hung; 0: never */
	const int64_t *waits_ms;     /* before a new start; borrowed; NULL: 0.2, 1, 2, 5, 10 s */
	size_t waits_n;
	/* Asked before each start. */
	bool (*place)(void *arg, struct lt_child_place *ret_place, struct lt_err *err);
	void *arg;
};

struct lt_children *lt_children_create(const struct lt_children_env *env);
/* Kills what still runs. NULL is fine. */
void lt_children_destroy(struct lt_children *children);

/* The daemon ends: all are stopped, recordings stay open. `done` is called once, within 5 s. */
void lt_children_stop(struct lt_children *children, void (*done)(void *arg), void *arg);

struct lt_child_opts {
	struct lt_str uuid;
	const struct lt_args *args; /* CLASS [options]; copied */
	bool continues;             /* with the state that is saved for this UUID */
	/* It ended for good, with its reason. At the end of a turn; not after release. */
	void (*failed)(void *arg, struct lt_child *child, const char *reason);
	void *arg;
};

/* Starts at once, or when the one before has gone. */
struct lt_child *lt_child_start(
		struct lt_children *children, const struct lt_child_opts *opts, struct lt_err *err);

/* Stop it and forget it; it ends in its own time. NULL is fine. */
void lt_child_release(struct lt_child *child);

/* What the service said last, as lt_services_show has it; NULL: nothing yet, or it is down. */
const cJSON *lt_child_report(const struct lt_child *child);
int lt_child_pid(const struct lt_child *child); /* 0: not running */
unsigned lt_child_deaths(const struct lt_child *child);
void lt_child_reopen_logs(const struct lt_child *child); /* SIGUSR1 */

#endif
