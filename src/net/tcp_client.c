#include "net/tcp_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/loop.h"
#include "net/backoff.h"
#include "net/resolve.h"
#include "net/watchdog.h"

#define CONNECT_TIMEOUT_MS 10000
#define STALE_MS           10000
#define DEAD_MS            30000
#define READ_BYTES         65536

enum state { IDLE, RESOLVING, CONNECTING, CONNECTED, WAITING };

struct lt_tcp_client {
	struct lt_net_env env;
	struct lt_tcp_client_opts opts;
	char *host;
	char *name; /* in messages: "HOST port PORT", or the path */
	struct sockaddr_un unix_address;
	struct addrinfo unix_info; /* the one address of a unix socket */
	enum state state;
	struct lt_resolve *resolve; /* RESOLVING */
	struct addrinfo *addresses;
	struct addrinfo *next_address;
	struct lt_err last_error; /* of the address tried last */
	int fd;
	struct lt_watch watch;
	struct lt_timer timer; /* connect timeout or backoff */
	struct lt_backoff backoff;
	struct lt_watchdog watchdog;
	struct lt_buf unsent;
	struct lt_deferred free_later;
	char input[READ_BYTES];
};

static void begin(void *arg);
static void try_next_address(struct lt_tcp_client *client);

static void close_socket(struct lt_tcp_client *client)
{
	lt_watch_stop(&client->watch);
	if (client->fd >= 0) {
		close(client->fd);
		client->fd = -1;
	}
	lt_buf_clear(&client->unsent);
}

static void forget_addresses(struct lt_tcp_client *client)
{
	if (client->addresses) {
		freeaddrinfo(client->addresses);
	}
	client->addresses = client->next_address = NULL;
}

/* The one place where an attempt or a connection ends by itself. */
static void fail(struct lt_tcp_client *client, const struct lt_err *err)
{
	struct lt_err reason = *err; /* it may live in the client */

	close_socket(client);
	forget_addresses(client);
	client->state = WAITING;
	lt_watchdog_link(&client->watchdog, false);
	lt_timer_once(&client->timer, client->env.loop,
			lt_backoff_next_ms(&client->backoff, client->env.random), begin, client);
	if (client->opts.disconnected) {
		client->opts.disconnected(client->opts.arg, lt_str_from(reason.msg));
	}
}

/* --- connected --- */

static void flush(struct lt_tcp_client *client)
{
	while (client->unsent.n > 0) {
		ssize_t n = send(client->fd, client->unsent.p, client->unsent.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			break; /* full, or an error that the next read reports */
		}
		lt_buf_remove_front(&client->unsent, (size_t)n);
	}
	lt_watch_set(&client->watch, LT_READABLE | (client->unsent.n ? LT_WRITABLE : 0));
}

/* One read a turn: a flood is parsed in shares, and others come in between. */
static void read_some(struct lt_tcp_client *client)
{
	struct lt_err err = { 0 };
	ssize_t n = recv(client->fd, client->input, sizeof(client->input), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n < 0) {
		lt_err_errno(&err, "connection to %s lost", client->name);
		fail(client, &err);
		return;
	}
	if (n == 0) {
		lt_err_set(&err, LT_E_UNAVAILABLE, "%s closed the connection", client->name);
		fail(client, &err);
		return;
	}
	lt_backoff_reset(&client->backoff);
	lt_watchdog_heard(&client->watchdog);
	/* the watchdog's callback may have stopped us */
	if (client->state == CONNECTED && client->opts.bytes) {
		client->opts.bytes(client->opts.arg, (struct lt_str){ client->input, (size_t)n });
	}
}

static void on_ready(void *arg, int events)
{
	struct lt_tcp_client *client = arg;

	if (events & LT_WRITABLE) {
		flush(client);
	}
	if (events & LT_READABLE) {
		read_some(client);
	}
}

/* --- connecting --- */

static void become_connected(struct lt_tcp_client *client)
{
	int on = 1;

	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(client->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	lt_timer_cancel(&client->timer);
	forget_addresses(client);
	client->state = CONNECTED;
	client->watch.fn = on_ready;
	lt_watch_set(&client->watch, LT_READABLE);
	lt_watchdog_link(&client->watchdog, true);
	if (client->opts.connected) {
		client->opts.connected(client->opts.arg);
	}
}

static void address_failed(struct lt_tcp_client *client, int number)
{
	errno = number;
	lt_err_errno(&client->last_error, "cannot connect to %s", client->name);
	close_socket(client);
	try_next_address(client);
}

static void on_connect_ready(void *arg, int events)
{
	struct lt_tcp_client *client = arg;
	int number = 0;
	socklen_t n = sizeof(number);

	(void)events;
	if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &number, &n) < 0) {
		number = errno;
	}
	if (number) {
		address_failed(client, number);
	} else {
		become_connected(client);
	}
}

static void on_connect_timeout(void *arg)
{
	address_failed(arg, ETIMEDOUT);
}

static void try_next_address(struct lt_tcp_client *client)
{
	struct addrinfo *address = client->next_address;

	if (!address) {
		fail(client, &client->last_error);
		return;
	}
	client->next_address = address->ai_next;
	client->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0 ||
			(connect(client->fd, address->ai_addr, address->ai_addrlen) < 0 &&
					errno != EINPROGRESS)) {
		address_failed(client, errno);
		return;
	}
	if (!lt_watch_start(&client->watch, client->env.loop, client->fd, LT_WRITABLE,
			    on_connect_ready, client, &client->last_error)) {
		close_socket(client);
		try_next_address(client);
		return;
	}
	lt_timer_once(&client->timer, client->env.loop, client->opts.connect_timeout_ms,
			on_connect_timeout, client);
}

/* --- resolving --- */

static void on_resolved(void *arg, struct addrinfo *addresses, const struct lt_err *err)
{
	struct lt_tcp_client *client = arg;

	client->resolve = NULL;
	if (!addresses) {
		fail(client, err);
		return;
	}
	client->addresses = client->next_address = addresses;
	client->state = CONNECTING;
	try_next_address(client);
}

static void begin(void *arg)
{
	struct lt_tcp_client *client = arg;

	if (client->opts.unix_path) {
		client->next_address = &client->unix_info;
		client->state = CONNECTING;
		try_next_address(client);
		return;
	}
	client->state = RESOLVING;
	client->resolve = lt_resolve_start(
			client->env.loop, client->host, client->opts.port, on_resolved, client);
}

/* --- life --- */

static void on_stale(void *arg, bool is_stale)
{
	struct lt_tcp_client *client = arg;

	if (client->opts.stale) {
		client->opts.stale(client->opts.arg, is_stale);
	}
}

static void on_dead(void *arg)
{
	struct lt_tcp_client *client = arg;
	struct lt_err err;

	lt_err_set(&err, LT_E_TIMEOUT, "%s was silent for %u ms", client->name,
			client->opts.dead_ms);
	fail(client, &err);
}

/* LT_E_INVALID: neither a host and a port nor a path that fits. */
static bool check_target(const struct lt_tcp_client_opts *opts, struct lt_err *err)
{
	struct sockaddr_un address;

	if (opts->unix_path) {
		return (*opts->unix_path && strlen(opts->unix_path) < sizeof(address.sun_path)) ||
				lt_err_set(err, LT_E_INVALID,
						"the path of a unix socket has 1 to %zu bytes",
						sizeof(address.sun_path) - 1);
	}
	return (opts->host && *opts->host && opts->port) ||
			lt_err_set(err, LT_E_INVALID, "a TCP client needs a host and a port");
}

static void set_target(struct lt_tcp_client *client)
{
	struct lt_tcp_client_opts *opts = &client->opts;
	struct lt_buf name = { 0 };

	if (opts->unix_path) {
		client->host = lt_strdup(opts->unix_path);
		opts->unix_path = client->host;
		client->unix_address.sun_family = AF_UNIX;
		memcpy(client->unix_address.sun_path, client->host, strlen(client->host));
		client->unix_info = (struct addrinfo){
			.ai_family = AF_UNIX,
			.ai_addr = (struct sockaddr *)&client->unix_address,
			.ai_addrlen = sizeof(client->unix_address),
		};
		client->name = lt_strdup(client->host);
	} else {
		client->host = lt_strdup(opts->host);
		opts->host = client->host;
		lt_buf_printf(&name, "%s port %u", client->host, opts->port);
		client->name = lt_buf_steal(&name);
	}
}

struct lt_tcp_client *lt_tcp_client_create(const struct lt_net_env *env,
		const struct lt_tcp_client_opts *opts, struct lt_err *err)
{
	struct lt_tcp_client *client;

	if (!check_target(opts, err)) {
		return NULL;
	}
	client = lt_zalloc(sizeof(*client));
	client->env = *env;
	client->opts = *opts;
	set_target(client);
	if (!client->opts.send_max) {
		client->opts.send_max = LT_TCP_SEND_MAX;
	}
	client->fd = -1;
	if (!opts->connect_timeout_ms) {
		client->opts.connect_timeout_ms = CONNECT_TIMEOUT_MS;
	}
	if (!opts->dead_ms) {
		client->opts.dead_ms = DEAD_MS;
	}
	client->backoff.delays_ms = opts->backoff_ms;
	client->backoff.n = opts->backoff_n;
	client->watchdog = (struct lt_watchdog){
		.stale_ms = opts->stale_ms ? opts->stale_ms : STALE_MS,
		.dead_ms = client->opts.dead_ms,
		.on_stale = on_stale,
		.on_dead = on_dead,
		.arg = client,
	};
	return client;
}

void lt_tcp_client_start(struct lt_tcp_client *client)
{
	if (client->state == IDLE) {
		lt_backoff_reset(&client->backoff);
		lt_watchdog_start(&client->watchdog, client->env.loop);
		begin(client);
	}
}

void lt_tcp_client_stop(struct lt_tcp_client *client)
{
	client->state = IDLE;
	lt_resolve_cancel(LT_STEAL(client->resolve));
	lt_timer_cancel(&client->timer);
	lt_watchdog_stop(&client->watchdog);
	close_socket(client);
	forget_addresses(client);
}

static void free_client(void *arg)
{
	struct lt_tcp_client *client = arg;

	lt_buf_finish(&client->unsent);
	lt_free(client->host);
	lt_free(client->name);
	lt_free(client);
}

void lt_tcp_client_destroy(struct lt_tcp_client *client)
{
	if (client) {
		lt_tcp_client_stop(client);
		/* a callback of ours may be on the stack */
		lt_loop_defer(client->env.loop, &client->free_later, free_client, client);
	}
}

bool lt_tcp_client_is_connected(const struct lt_tcp_client *client)
{
	return client->state == CONNECTED;
}

bool lt_tcp_client_send(struct lt_tcp_client *client, struct lt_str bytes, struct lt_err *err)
{
	if (client->state != CONNECTED) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "not connected");
	}
	if (bytes.n > client->opts.send_max - client->unsent.n) {
		return lt_err_set(err, LT_E_LIMIT, "over %zu bytes wait to be sent",
				client->opts.send_max);
	}
	lt_buf_add_str(&client->unsent, bytes);
	flush(client);
	return true;
}

size_t lt_tcp_client_queued(const struct lt_tcp_client *client)
{
	return client->unsent.n;
}
