#include "net/ws_hub.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/loop.h"

#define FDS_MAX   1024 /* connections of one hub; lws searches so few linearly */
#define END_TURNS 4    /* of the loop, for its handles to close */

bool lt_ws_hub_open(
		struct lt_ws_hub *hub, const struct lws_protocols *protocols, struct lt_err *err)
{
	void *loops[] = { lt_loop_native(hub->env.loop) };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
				LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
				LWS_SERVER_OPTION_NO_LWS_SYSTEM_STATES |
				LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = loops,
		.pcontext = &hub->context, /* lws sets it to NULL at the very end */
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.protocols = protocols,
		.pt_serv_buf_size = LT_WS_RX_BYTES,
		.fd_limit_per_thread = FDS_MAX,
		.client_ssl_ca_filepath = hub->ca_file,
		.vhost_name = LT_WS_PROTOCOL,
	};

	if (hub->context) {
		return true;
	}
	hub->context = lws_create_context(&info);
	if (hub->context) {
		hub->vhost = lws_create_vhost(hub->context, &info);
	}
	if (!hub->vhost) {
		if (hub->context) {
			lws_context_destroy(LT_STEAL(hub->context));
		}
		return lt_err_set(err, LT_E_IO, "libwebsockets cannot be started on libuv");
	}
	return true;
}

void lt_ws_hub_silence(void)
{
	lws_set_log_level(LLL_ERR, NULL);
}

struct lt_ws_hub *lt_ws_hub_create(const struct lt_net_env *env, const char *ca_file)
{
	struct lt_ws_hub *hub = lt_zalloc(sizeof(*hub));

	hub->env = *env;
	hub->ca_file = ca_file ? lt_strdup(ca_file) : NULL;
	return hub;
}

static void no_work(void *arg)
{
	(void)arg;
}

static void free_hub(struct lt_ws_hub *hub)
{
	lt_free(hub->ca_file);
	lt_free(hub);
}

static void end_context(void *arg)
{
	struct lt_ws_hub *hub = arg;

	if (++hub->end_turns < END_TURNS) {
		lt_loop_work(hub->env.loop, no_work, end_context, hub);
		return;
	}
	if (hub->context) {
		lws_context_destroy(hub->context);
	}
	free_hub(hub);
}

void lt_ws_hub_destroy(struct lt_ws_hub *hub)
{
	if (!hub) {
		return;
	}
	assert(hub->clients_n == 0);
	if (!hub->context) {
		free_hub(hub);
		return;
	}
	/* On a foreign loop the first call closes handles and the second frees, some turns
	 * later; work is what also the destruction of the loop waits for. */
	lws_context_destroy(hub->context);
	lt_loop_work(hub->env.loop, no_work, end_context, hub);
}
