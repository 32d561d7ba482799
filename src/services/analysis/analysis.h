/*
 * Live analysis: one analyser for each timing service of this daemon that has
 * not been started with --disable-analysis.
 *
 * Every new state goes through the analyser; what changes is published on
 * livetiming.analysis/UUID/KEY as race/analysis/publisher.h says. Registered for
 * each service, with or without analysis:
 *
 *   livetiming.service.requestAnalysisData.UUID      the seven parts, or null
 *   livetiming.service.requestAnalysisManifest.UUID  names of the keys, or null
 *   livetiming.service.requestAnalysisCarList.UUID   car numbers, or null
 *
 * The data is saved once a minute and at the end in analysis_dir, and gone on
 * with when the service comes back with its state. A new session of a service
 * begins with nothing.
 */
#ifndef LT_SERVICES_ANALYSIS_ANALYSIS_H
#define LT_SERVICES_ANALYSIS_ANALYSIS_H

#include "base/log.h"
#include "base/loop.h"
#include "services/timing/timing_observer.h"

struct lt_analyses;
struct lt_router;

/* Borrowed: loop, router. Texts are copied. */
struct lt_analyses_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router;
	const char *analysis_dir; /* exists */
};

struct lt_analyses *lt_analyses_create(const struct lt_analyses_env *env);
void lt_analyses_destroy(struct lt_analyses *analyses); /* after the services */

bool lt_analyses_start(struct lt_analyses *analyses, struct lt_err *err);

/* After the services have stopped: `done` is called once, when all is written. */
void lt_analyses_stop(struct lt_analyses *analyses, void (*done)(void *arg), void *arg);

/* For lt_services_env; borrowed from the analyses. */
struct lt_timing_watcher lt_analyses_watcher(struct lt_analyses *analyses);

#endif
