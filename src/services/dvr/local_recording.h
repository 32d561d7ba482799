/*
 * --recording-file FILE: a service that is recorded on its own, into FILE.zip
 * (".zip" is added when it is not there; FILE_1.zip when that exists: nothing
 * is ever replaced). The recording is made when the service ends. When the
 * daemon ends, or dies, the journal stays beside it as FILE.journal, and is
 * gone on with when the service comes back.
 */
#ifndef LT_SERVICES_DVR_LOCAL_RECORDING_H
#define LT_SERVICES_DVR_LOCAL_RECORDING_H

#include "base/log.h"
#include "base/loop.h"
#include "services/timing/timing_observer.h"

struct lt_local_recordings;

struct lt_local_recordings_env {
	struct lt_loop *loop;
	struct lt_log log;
	int64_t sync_interval_s;
};

struct lt_local_recordings *lt_local_recordings_create(const struct lt_local_recordings_env *env);
void lt_local_recordings_destroy(struct lt_local_recordings *recordings); /* after the services */

/* The daemon ends: services that end from now on keep their journals. */
void lt_local_recordings_drain(struct lt_local_recordings *recordings);
/* After the services have stopped: `done` is called once, when all is written. */
void lt_local_recordings_stop(
		struct lt_local_recordings *recordings, void (*done)(void *arg), void *arg);

/* For lt_services_env; borrowed from the recordings. */
struct lt_timing_watcher lt_local_recordings_watcher(struct lt_local_recordings *recordings);

#endif
