#include "base/alloc.h"
#include "daemon/isolation.h"
#include "daemon/priv.h"
#include "router/router.h"

#define ALLOW_ALL "{\"call\":true,\"register\":true,\"publish\":true,\"subscribe\":true}"

/*
 * On top of the router's two roles: who publishes on the control channel is
 * disclosed, because the directory binds each service to the session that
 * announced it; and the role of services that others run, as the original's
 * router has it.
 */
static const char default_permissions[] =
		"{\"roles\":{\"services\":{\"permissions\":["
		"{\"uri\":\"\",\"match\":\"prefix\",\"allow\":" ALLOW_ALL "},"
		"{\"uri\":\"livetiming.control\",\"match\":\"exact\",\"allow\":" ALLOW_ALL
		",\"disclose\":{\"publisher\":true}}]},"
		"\"external_service\":{\"permissions\":["
		"{\"uri\":\"livetiming.\",\"match\":\"prefix\",\"allow\":" ALLOW_ALL
		",\"disclose\":{\"publisher\":true,\"caller\":true}}]}}}";

static unsigned methods_of(const cJSON *entry)
{
	const cJSON *method;
	unsigned methods = 0;

	cJSON_ArrayForEach(method, lt_json_get(entry, "methods")) {
		methods |= strcmp(method->valuestring, "ticket") == 0 ? LT_METHOD_TICKET
								      : LT_METHOD_WAMPCRA;
	}
	return methods;
}

/* One entry of the principals' file; its shape was checked when it was read. Borrows from it. */
static bool read_principal(
		const cJSON *entry, struct lt_principal *ret_principal, struct lt_err *err)
{
	struct lt_str secret, role;
	struct lt_str salt = { 0 }, ticket = { 0 };
	int64_t iterations = 1000, keylen = 32;

	if (!lt_json_get_str(entry, "secret", &secret, err) ||
			!lt_json_get_str(entry, "role", &role, err) ||
			!lt_json_opt_str(entry, "salt", &salt, err) ||
			!lt_json_opt_str(entry, "ticket", &ticket, err) ||
			!lt_json_opt_int(entry, "iterations", 1, 10000000, &iterations, err) ||
			!lt_json_opt_int(entry, "keylen", 1, 64, &keylen, err)) {
		return false;
	}
	*ret_principal = (struct lt_principal){
		.authid = entry->string,
		.role = lt_json_get(entry, "role")->valuestring,
		.secret = secret,
		.salt = salt,
		.iterations = salt.n ? (uint32_t)iterations : 0,
		.keylen = salt.n ? (uint32_t)keylen : 0,
		.ticket = ticket,
		.methods = methods_of(entry),
	};
	return true;
}

/* The services' own, those of the files, and that of our children. */
static bool read_principals(struct lt_daemon *daemon, const struct lt_daemon_conf *conf,
		struct lt_principal *list, size_t *ret_n, struct lt_err *err)
{
	const cJSON *entry;
	size_t n = 0;

	if (conf->shared_secret) {
		list[n++] = (struct lt_principal){ .authid = conf->auth_id,
			.role = "services",
			.secret = lt_str_from(conf->shared_secret) };
	}
	cJSON_ArrayForEach(entry, conf->principals) {
		if (!read_principal(entry, &list[n], err)) {
			return lt_err_prefix(err, "LIVETIMING_AUTH_FILE or LIVETIMING_PERMISSIONS");
		}
		n++;
	}
	n += daemon->isolation && lt_isolation_principal(daemon->isolation, &list[n]);
	*ret_n = n;
	return true;
}

static bool check_permissions(const struct lt_daemon_conf *conf, struct lt_err *err)
{
	return !conf->permissions_file ||
			lt_router_check_permissions(lt_buf_str(&conf->permissions), err) ||
			lt_err_prefix(err, "LIVETIMING_PERMISSIONS: %s", conf->permissions_file);
}

bool lt_daemon_set_access(
		struct lt_daemon *daemon, const struct lt_daemon_conf *conf, struct lt_err *err)
{
	struct lt_str texts[2] = { LT_STR(default_permissions), lt_buf_str(&conf->permissions) };
	size_t max = (size_t)cJSON_GetArraySize(conf->principals) + 2;
	struct lt_principal *list = lt_calloc(max, sizeof(*list));
	struct lt_access access = { .permissions = texts,
		.permission_count = conf->permissions_file ? 2 : 1,
		.principals = list };
	bool ok = check_permissions(conf, err) &&
			read_principals(daemon, conf, list, &access.principal_count, err) &&
			(lt_router_set_access(daemon->router, &access, err) ||
					lt_err_prefix(err,
							"LIVETIMING_AUTH_FILE or LIVETIMING_PERMISSIONS"));

	lt_free(list);
	return ok;
}
