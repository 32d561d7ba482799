#include "daemon/isolation.h"

#include <stdio.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "router/router.h"
#include "services/outside/child.h"

#define AUTHID       "livetimingd-children"
#define SECRET_BYTES 32

struct lt_isolation {
	struct lt_isolation_env env;
	struct lt_children *children;
	char *url; /* NULL: not opened yet */
	char secret[2 * SECRET_BYTES + 1];
};

static void make_secret(struct lt_isolation *isolation)
{
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };
	uint8_t bytes[SECRET_BYTES];

	lt_random_bytes(isolation->env.random, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		lt_buf_printf(&hex, "%02x", bytes[i]);
	}
	memcpy(isolation->secret, hex.p, hex.n);
	explicit_bzero(hex.p, hex.n);
}

bool lt_isolation_principal(
		const struct lt_isolation *isolation, struct lt_principal *ret_principal)
{
	*ret_principal = (struct lt_principal){ .authid = AUTHID,
		.role = "services",
		.secret = lt_str_from(isolation->secret),
		.methods = LT_METHOD_WAMPCRA };
	return isolation->url != NULL;
}

static bool add_principal(struct lt_isolation *isolation, struct lt_err *err)
{
	struct lt_principal principal;

	return lt_isolation_principal(isolation, &principal) &&
			lt_router_add_principal(isolation->env.router, &principal, err);
}

/* Beside the control socket; where that path is too long, on the loopback interface. */
static bool open_listener(struct lt_isolation *isolation, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf address = { 0 };
	struct sockaddr_un place;
	const char *listener = NULL, *next;

	lt_buf_printf(&address, "%s.services", isolation->env.conf->control_socket);
	if (address.n < sizeof(place.sun_path)) {
		lt_buf_clear(&address);
		lt_buf_printf(&address, "rs:unix:%s.services", isolation->env.conf->control_socket);
	} else {
		lt_buf_clear(&address);
		lt_buf_add_c(&address, "rs:127.0.0.1:0");
	}
	if (!lt_router_listen(isolation->env.router, lt_buf_str(&address), err)) {
		return false;
	}
	for (size_t i = 0; (next = lt_router_listener(isolation->env.router, i)) != NULL; i++) {
		listener = next;
	}
	isolation->url = lt_strdup(listener ? listener : address.p);
	return true;
}

static bool place(void *arg, struct lt_child_place *ret_place, struct lt_err *err)
{
	struct lt_isolation *isolation = arg;

	if (isolation->url == NULL) {
		make_secret(isolation);
		if (!open_listener(isolation, err) || !add_principal(isolation, err)) {
			return lt_err_prefix(err, "isolated services");
		}
	}
	*ret_place = (struct lt_child_place){
		.url = isolation->url, .authid = AUTHID, .secret = isolation->secret
	};
	return true;
}

/* What a child needs of the settings, wherever the daemon has them from. */
static char *setting(const char *name, const char *value)
{
	struct lt_buf text = { 0 };

	lt_buf_printf(&text, "%s=%s", name, value ? value : "");
	return lt_buf_steal(&text);
}

struct lt_isolation *lt_isolation_create(const struct lt_isolation_env *env)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	struct lt_isolation *isolation = lt_zalloc(sizeof(*isolation));
	const struct lt_daemon_conf *conf = env->conf;
	char sync[24];

	isolation->env = *env;
	snprintf(sync, sizeof(sync), "%lld", (long long)conf->dvr_sync_s);
	char *settings[] = { setting("LIVETIMING_STATE_DIR", conf->state_dir),
		setting("LIVETIMING_LOG_DIR", conf->log_dir),
		setting("LIVETIMING_ANALYSIS_DIR", conf->analysis_dir),
		setting("LIVETIMING_PLUGIN_PATH", conf->plugin_path),
		setting("LIVETIMING_LOG_LEVEL", levels[conf->log_level]),
		setting("LIVETIMING_LOG_FORMAT", "text"), setting("LIVETIMING_DVR_SYNC_S", sync),
		NULL };

	isolation->children = lt_children_create(&(struct lt_children_env){ .loop = env->loop,
			.random = env->random,
			.log = env->log,
			.program = "/proc/self/exe", /* also when a newer one has been installed */
			.settings = (const char *const *)settings,
			.crash_limit = conf->crash_limit,
			.hang_ms = conf->hang_s * 1000,
			.place = place,
			.arg = isolation });
	for (char **text = settings; *text != NULL; text++) {
		lt_free(*text);
	}
	return isolation;
}

void lt_isolation_destroy(struct lt_isolation *isolation)
{
	if (isolation != NULL) {
		lt_children_destroy(isolation->children);
		explicit_bzero(isolation->secret, sizeof(isolation->secret));
		lt_free(isolation->url);
		lt_free(isolation);
	}
}

struct lt_children *lt_isolation_children(struct lt_isolation *isolation)
{
	return isolation->children;
}
