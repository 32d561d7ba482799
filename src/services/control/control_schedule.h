/*
 * Verbs of the control socket about the schedule; docs/control-protocol.md.
 */
#ifndef LT_SERVICES_CONTROL_CONTROL_SCHEDULE_H
#define LT_SERVICES_CONTROL_CONTROL_SCHEDULE_H

#include "base/json.h"

struct lt_control_modules;
struct lt_control_request;

/* As lt_scheduler_show. */
void lt_control_schedule_list(void *arg, struct lt_control_request *request, const cJSON *args);
/* {"command": [...]}: {"problem": sentence or null} of a service with this command line. */
void lt_control_schedule_check(void *arg, struct lt_control_request *request, const cJSON *args);
/* Reads all calendars; then as schedule.list. */
void lt_control_schedule_sync(void *arg, struct lt_control_request *request, const cJSON *args);

/* For status; owned by the caller. */
cJSON *lt_control_schedule_figures(const struct lt_control_modules *modules);

#endif
