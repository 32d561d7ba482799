#include "net/ws_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "base/table.h"

#define QUEUE_BYTES ((size_t)32 * 1024 * 1024)
#define CLIENTS_MAX 1000
#define BACKLOG     128
#define RX_BYTES    4096
#define END_TURNS   4 /* of the loop, for the handles of lws to close */

/* A text on its way to several clients. */
struct text {
	unsigned refs;
	size_t n;
	unsigned char bytes[]; /* LWS_PRE of room, then the text */
};

struct item {
	struct text *text;
	struct item *next;
};

/* Memory of lws, one for each connection; zeroed by it. */
struct client {
	struct lws *wsi; /* NULL: not (or no longer) a WebSocket */
	struct item *queue;
	size_t queued_bytes;
	bool is_slow; /* to be ended */
	struct client *prev, *next;
};

struct lt_ws_server {
	struct lt_ws_server_env env;
	struct lws_context *context;
	struct lws_vhost *vhost;
	int fd;
	uint16_t port;
	struct lt_watch watch;
	struct client *clients;
	size_t client_count;
	bool is_ending;
	int end_turns;
};

struct lt_ws_server *lt_ws_server_create(const struct lt_ws_server_env *env)
{
	struct lt_ws_server *server = lt_zalloc(sizeof(*server));

	server->env = *env;
	server->env.queue_bytes = env->queue_bytes ? env->queue_bytes : QUEUE_BYTES;
	server->env.clients_max = env->clients_max ? env->clients_max : CLIENTS_MAX;
	server->fd = -1;
	return server;
}

/* --- clients --- */

static void unref(struct text *text)
{
	if (--text->refs == 0) {
		lt_free(text);
	}
}

static void pop(struct client *client)
{
	struct item *item = client->queue;

	client->queued_bytes -= item->text->n;
	LL_DELETE(client->queue, item);
	unref(item->text);
	lt_free(item);
}

static int on_opened(struct lt_ws_server *server, struct client *client, struct lws *wsi)
{
	if (server->is_ending || server->client_count >= server->env.clients_max) {
		return -1;
	}
	client->wsi = wsi;
	DL_APPEND(server->clients, client);
	server->client_count++;
	if (server->env.opened) {
		server->env.opened(server->env.arg, server->client_count);
	}
	return 0;
}

static void on_closed(struct lt_ws_server *server, struct client *client)
{
	if (!client->wsi) {
		return;
	}
	client->wsi = NULL;
	while (client->queue) {
		pop(client);
	}
	DL_DELETE(server->clients, client);
	server->client_count--;
	if (server->env.closed && !server->is_ending) {
		server->env.closed(server->env.arg, server->client_count);
	}
}

static int on_writable(struct client *client)
{
	struct text *text;
	int written;

	if (client->is_slow) {
		unsigned char why[] = "too slow";

		lws_close_reason(client->wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, why,
				sizeof(why) - 1);
		return -1;
	}
	if (!client->queue) {
		return 0;
	}
	text = client->queue->text;
	written = lws_write(client->wsi, text->bytes + LWS_PRE, text->n, LWS_WRITE_TEXT);
	if (written < 0) {
		return -1;
	}
	pop(client);
	if (client->queue) {
		lws_callback_on_writable(client->wsi);
	}
	return 0;
}

static int on_lws(
		struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct lt_ws_server *server = wsi ? lws_context_user(lws_get_context(wsi)) : NULL;

	(void)in;
	(void)len;
	if (!server) {
		return 0;
	}
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP:
		lws_return_http_status(wsi, 426, "this is a WebSocket server");
		return -1;
	case LWS_CALLBACK_ESTABLISHED:
		return on_opened(server, user, wsi);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(user);
	case LWS_CALLBACK_CLOSED:
		on_closed(server, user);
		return 0;
	default:
		return 0;
	}
}

/* --- listening --- */

static const struct lws_protocols protocols[] = {
	{ .name = "livetiming",
			.callback = on_lws,
			.per_session_data_size = sizeof(struct client),
			.rx_buffer_size = RX_BYTES },
	{ 0 },
};

static void on_connection(void *arg, int events)
{
	struct lt_ws_server *server = arg;
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	lws_sock_file_fd_type socket = { .sockfd = fd };

	(void)events;
	/* on failure lws has closed it */
	if (fd >= 0) {
		lws_adopt_descriptor_vhost(server->vhost, LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, socket,
				NULL, NULL);
	}
}

/* On both kinds of addresses where the machine has both. */
static int open_socket(uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int on = 1, off = 0, flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(AF_INET6, flags, 0);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0 &&
				bind(fd, (struct sockaddr *)&v6, sizeof(v6)) == 0) {
			return fd;
		}
		close(fd);
	}
	fd = socket(AF_INET, flags, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&v4, sizeof(v4)) == 0) {
			return fd;
		}
		int number = errno;

		close(fd);
		errno = number;
	}
	return -1;
}

static bool listen_on(struct lt_ws_server *server, struct lt_err *err)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} address = { 0 };
	socklen_t n = sizeof(address);

	server->fd = open_socket(server->env.port);
	if (server->fd < 0 || listen(server->fd, BACKLOG) != 0 ||
			getsockname(server->fd, &address.any, &n) != 0) {
		return lt_err_errno(err, "port %u", server->env.port);
	}
	server->port = ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
							       : address.ipv4.sin_port);
	return lt_watch_start(&server->watch, server->env.loop, server->fd, LT_READABLE,
			on_connection, server, err);
}

bool lt_ws_server_start(struct lt_ws_server *server, struct lt_err *err)
{
	void *loops[] = { lt_loop_native(server->env.loop) };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
				LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
				LWS_SERVER_OPTION_NO_LWS_SYSTEM_STATES,
		.foreign_loops = loops,
		.pcontext = &server->context,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.protocols = protocols,
		.pt_serv_buf_size = RX_BYTES,
		.vhost_name = "standalone",
		.user = server,
	};

	server->context = lws_create_context(&info);
	if (server->context) {
		server->vhost = lws_create_vhost(server->context, &info);
	}
	if (!server->vhost) {
		return lt_err_set(err, LT_E_IO, "libwebsockets cannot be started on libuv");
	}
	return listen_on(server, err);
}

uint16_t lt_ws_server_port(const struct lt_ws_server *server)
{
	return server->port;
}

void lt_ws_server_send_all(struct lt_ws_server *server, struct lt_str text)
{
	struct text *shared;
	struct client *client;

	if (!server->clients) {
		return;
	}
	shared = lt_zalloc(sizeof(*shared) + LWS_PRE + text.n);
	shared->refs = 1;
	shared->n = text.n;
	memcpy(shared->bytes + LWS_PRE, text.p, text.n);
	DL_FOREACH(server->clients, client) {
		struct item *item;

		client->is_slow = client->is_slow ||
				client->queued_bytes + text.n > server->env.queue_bytes;
		if (!client->is_slow) {
			item = lt_zalloc(sizeof(*item));
			item->text = shared;
			shared->refs++;
			client->queued_bytes += text.n;
			LL_APPEND(client->queue, item);
		}
		lws_callback_on_writable(client->wsi);
	}
	unref(shared);
}

/* --- the end --- */

static void no_work(void *arg)
{
	(void)arg;
}

static void end_context(void *arg)
{
	struct lt_ws_server *server = arg;

	if (++server->end_turns < END_TURNS) {
		lt_loop_work(server->env.loop, no_work, end_context, server);
		return;
	}
	if (server->context) {
		lws_context_destroy(server->context);
	}
	lt_free(server);
}

void lt_ws_server_destroy(struct lt_ws_server *server)
{
	if (!server) {
		return;
	}
	server->is_ending = true;
	lt_watch_stop(&server->watch);
	if (server->fd >= 0) {
		close(server->fd);
	}
	if (!server->context) {
		lt_free(server);
		return;
	}
	/* as in ws_hub.c: the first call closes handles, the second frees */
	lws_context_destroy(server->context);
	lt_loop_work(server->env.loop, no_work, end_context, server);
}
