/*
 * Directory of the running services: who they are, published as a list.
 *
 * Private services are in no listing but that of the role services, which
 * follows the public one; of listServices a session gets those that it opened.
 *
 * A service says its manifest on livetiming.control (message class 2); the
 * entry belongs to the session that published it and goes the moment that
 * session leaves. Besides, livetiming.service.isAlive.UUID is called every
 * 10 s: an error ends the entry, and so does a call without an answer for two
 * rounds. The listing (class 5, retained, hidden services too: the DVR and old
 * clients rely on that) goes out on livetiming.directory every 60 s and at each
 * change, at most once a turn of the loop. livetiming.directory.listServices
 * (includeHidden=false) answers [manifest, ...].
 *
 * Manifests of the role external_service get the member "external": what the
 * principals' file has for their authid; such a session cannot take over the
 * uuid of a service that another session holds, and nobody outside can take
 * over that of a service in this process. Manifests are bounded in bytes, each
 * and together.
 */
#ifndef LT_SERVICES_DIRECTORY_DIRECTORY_H
#define LT_SERVICES_DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"

struct lt_directory;
struct lt_router;

/* All borrowed; they outlive the directory. */
struct lt_directory_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_router *router; /* with the realm LT_REALM */
	const cJSON *principals;  /* {authid: {"extra": {...}}}; may be NULL */
	/* Private services; each may be NULL: there are none. */
	bool (*is_closed)(void *arg, struct lt_str uuid);
	bool (*may_see)(void *arg, struct lt_str uuid, uint64_t session);
	/* A service elsewhere says that it is private: close it. */
	bool (*adopt)(void *arg, struct lt_str uuid, struct lt_str service_class,
			struct lt_err *err);
	void *arg;
};

struct lt_directory *lt_directory_create(const struct lt_directory_env *env);
void lt_directory_destroy(struct lt_directory *directory); /* stops first; NULL is fine */

/* Join the realm, ask all services for their manifests, publish the first listing. */
bool lt_directory_start(struct lt_directory *directory, struct lt_err *err);
/* Ask all services for their manifests anew: there may be some that did not hear the first time. */
void lt_directory_ask(struct lt_directory *directory);

void lt_directory_stop(struct lt_directory *directory);

/* Others from now on: for the manifests that come. */
void lt_directory_set_principals(struct lt_directory *directory, const cJSON *principals);

/* It was closed or opened: list it accordingly, also when it does not say its manifest again. */
void lt_directory_review(struct lt_directory *directory, struct lt_str uuid);
/* As it is listed, JSON text; n 0: no such service. Borrowed until the next turn. */
struct lt_str lt_directory_manifest(const struct lt_directory *directory, struct lt_str uuid);

struct lt_directory_stats {
	size_t services; /* hidden ones included */
	size_t hidden;
};
void lt_directory_report(
		const struct lt_directory *directory, struct lt_directory_stats *ret_stats);
void lt_directory_write_metrics(const struct lt_directory *directory, struct lt_buf *buf);

/*
 * All services, own and foreign, owned: [{"uuid", "name", "description", "hidden",
 * "age_ms": since its state was last published, or null}]
 */
cJSON *lt_directory_list(const struct lt_directory *directory);

#endif
