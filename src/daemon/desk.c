#include "daemon/desk.h"

#include <stdio.h>

#include "services/directory/directory.h"
#include "services/dvr/dvr.h"
#include "services/manager/services.h"

/* --- what others ask --- */

bool lt_daemon_desk_adopt(
		void *arg, struct lt_str uuid, struct lt_str service_class, struct lt_err *err)
{
	const struct lt_daemon_desk *desk = arg;

	return lt_private_adopt(desk->private_, uuid, service_class, err);
}

bool lt_daemon_desk_is_closed(void *arg, struct lt_str uuid)
{
	const struct lt_daemon_desk *desk = arg;

	return lt_private_is_closed(desk->private_, uuid);
}

bool lt_daemon_desk_may_see(void *arg, struct lt_str uuid, uint64_t session)
{
	const struct lt_daemon_desk *desk = arg;

	return lt_private_may_see(desk->private_, uuid, session);
}

int lt_daemon_desk_gate(void *arg, struct lt_str uuid, struct lt_http_req *req)
{
	const struct lt_daemon_desk *desk = arg;

	return lt_private_gate(desk->private_, uuid, req);
}

struct lt_str lt_daemon_desk_owner(void *arg, struct lt_str file_name)
{
	const struct lt_daemon_desk *desk = arg;

	return lt_private_owner(desk->private_, file_name);
}

/* --- what the desk asks --- */

static bool find(void *arg, struct lt_str name, char ret_uuid[LT_DESK_UUID_BYTES],
		struct lt_err *err)
{
	const struct lt_daemon_desk *desk = arg;
	struct lt_str uuid;

	if (lt_services_uuid(desk->services, name, &uuid, err)) {
		snprintf(ret_uuid, LT_DESK_UUID_BYTES, "%.*s", LT_STR_ARG(uuid));
		return true;
	}
	/* one that others run is known by its UUID */
	if (name.n < LT_DESK_UUID_BYTES && lt_directory_manifest(desk->directory, name).n > 0) {
		snprintf(ret_uuid, LT_DESK_UUID_BYTES, "%.*s", LT_STR_ARG(name));
		return true;
	}
	return false;
}

static void split(void *arg, struct lt_str uuid)
{
	const struct lt_daemon_desk *desk = arg;

	if (desk->dvr) {
		lt_dvr_split(desk->dvr, uuid);
	}
}

static void review(void *arg, struct lt_str uuid)
{
	const struct lt_daemon_desk *desk = arg;

	lt_directory_review(desk->directory, uuid);
}

static struct lt_str manifest_of(void *arg, struct lt_str uuid)
{
	const struct lt_daemon_desk *desk = arg;

	return lt_directory_manifest(desk->directory, uuid);
}

/* --- life --- */

void lt_daemon_desk_create(struct lt_daemon_desk *desk, const struct lt_daemon_desk_env *env)
{
	desk->audit = lt_audit_create(
			env->loop, (struct lt_log){ env->log_sink, "desk" }, env->conf->log_dir);
	desk->private_ = lt_private_create(&(struct lt_private_env){
			.loop = env->loop,
			.random = env->random,
			.log = { env->log_sink, "private" },
			.router = env->router,
			.state_dir = env->conf->state_dir,
			.node = env->conf->mesh.bus.urls ? env->conf->mesh.node : NULL,
			.review = review,
			.codes_file = env->conf->private_codes,
			.manifest = manifest_of,
			.arg = desk,
	});
	desk->desk = lt_desk_create(&(struct lt_desk_env){
			.loop = env->loop,
			.router = env->router,
			.audit = desk->audit,
			.private_ = desk->private_,
			.find = find,
			.split = split,
			.review = review,
			.arg = desk,
	});
}

void lt_daemon_desk_destroy(struct lt_daemon_desk *desk)
{
	lt_desk_destroy(desk->desk);
	lt_private_destroy(desk->private_);
	lt_audit_destroy(desk->audit);
}

bool lt_daemon_desk_start(struct lt_daemon_desk *desk, struct lt_err *err)
{
	return lt_private_start(desk->private_, err) && lt_desk_start(desk->desk, err);
}

void lt_daemon_desk_stop(struct lt_daemon_desk *desk)
{
	lt_desk_stop(desk->desk);
	lt_private_stop(desk->private_);
}
