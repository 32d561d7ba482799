/*
 * The verbs of the control socket, a table over the daemon's modules; what
 * each takes and answers: docs/control-protocol.md.
 */
#ifndef LT_SERVICES_CONTROL_CONTROL_VERBS_H
#define LT_SERVICES_CONTROL_CONTROL_VERBS_H

#include "base/loop.h"
#include "services/control/control.h"

struct lt_announce;
struct lt_desk;
struct lt_directory;
struct lt_dvr;
struct lt_offload;
struct lt_recordings;
struct lt_router;
struct lt_scheduler;
struct lt_services;

/* What the verbs work on; the verbs_arg of lt_control_env. All borrowed. */
struct lt_control_modules {
	struct lt_loop *loop;
	struct lt_router *router;
	struct lt_services *services;
	struct lt_directory *directory;
	struct lt_dvr *dvr; /* NULL: nothing is recorded */
	struct lt_recordings *recordings;
	struct lt_offload *offload; /* NULL: there is no bucket */
	struct lt_scheduler *scheduler;
	struct lt_announce *announce;
	struct lt_desk *desk;
	const char *version;
	struct lt_mono started;
	const char *const *names; /* of the modules that run, for status; ends with NULL */
	/* Why the daemon is not ready, one sentence, static; NULL: it is. NULL function: always. */
	const char *(*trouble)(void *arg);
	/* Read the settings again; the result is the caller's, NULL with err: nothing changed. */
	cJSON *(*reload)(void *arg, struct lt_err *err);
	/* Of a daemon that is one of several, the caller's; NULL: it is the only one. */
	cJSON *(*mesh)(void *arg);
	void *arg;
};

extern const struct lt_control_verb lt_control_verbs[];

/* Of announcements (control_announce.c). */
extern const struct lt_control_arg lt_control_announce_test_args[];
void lt_control_announce_list(void *arg, struct lt_control_request *request, const cJSON *args);
void lt_control_announce_test(void *arg, struct lt_control_request *request, const cJSON *args);

#endif
