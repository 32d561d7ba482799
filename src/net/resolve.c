#include "net/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/loop.h"

/* Belongs to the worker until it is done; whoever asked may be gone by then. */
struct lt_resolve {
	lt_resolve_fn done; /* NULL: nobody waits any more */
	void *arg;
	char *host;
	char port[8];
	struct addrinfo *addresses;
	int failed;
};

static void resolve_on_worker(void *arg)
{
	struct lt_resolve *resolve = arg;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	resolve->failed = getaddrinfo(resolve->host, resolve->port, &hints, &resolve->addresses);
}

static void on_resolved(void *arg)
{
	struct lt_resolve *resolve = arg;
	struct lt_err err = { 0 };

	if (resolve->done) {
		if (resolve->failed) {
			resolve->addresses = NULL;
			lt_err_set(&err, LT_E_UNAVAILABLE, "cannot resolve %s: %s", resolve->host,
					gai_strerror(resolve->failed));
		}
		resolve->done(resolve->arg, LT_STEAL(resolve->addresses), &err);
	}
	if (resolve->addresses) {
		freeaddrinfo(resolve->addresses);
	}
	lt_free(resolve->host);
	lt_free(resolve);
}

struct lt_resolve *lt_resolve_start(struct lt_loop *loop, const char *host, uint16_t port,
		lt_resolve_fn done, void *arg)
{
	struct lt_resolve *resolve = lt_zalloc(sizeof(*resolve));

	resolve->done = done;
	resolve->arg = arg;
	resolve->host = lt_strdup(host);
	snprintf(resolve->port, sizeof(resolve->port), "%u", port);
	lt_loop_work(loop, resolve_on_worker, on_resolved, resolve);
	return resolve;
}

void lt_resolve_cancel(struct lt_resolve *resolve)
{
	if (resolve) {
		resolve->done = NULL;
	}
}
