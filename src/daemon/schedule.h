/*
 * Wiring between the scheduler and the services: its callbacks, answered by
 * the service manager.
 */
#ifndef LT_DAEMON_SCHEDULE_H
#define LT_DAEMON_SCHEDULE_H

#include "services/manager/services.h"
#include "services/schedule/scheduler.h"

/* Zero-initialised, filled in and kept as long as the scheduler. */
struct lt_daemon_schedule {
	struct lt_services *services;
	/* An event has begun; NULL: nobody is told. */
	void (*started)(void *arg, const struct lt_schedule_event *event);
	void *arg;
};

/* For the scheduler's env, with the struct as its arg. */
extern const struct lt_scheduler_services lt_daemon_schedule_services;

#endif
