/* "lt.udp/1": a bound UDP socket. */
#include "base/alloc.h"
#include "net/udp_listener.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

struct udp {
	struct lt_resource resource;
	struct lt_udp_listener *listener; /* NULL: played from a capture */
	struct lt_host_stream stream;
	void (*datagram)(void *arg, struct lt_str bytes, struct lt_str from);
	void *arg;
};

static void close_udp(struct lt_resource *resource)
{
	struct udp *udp = lt_container_of(resource, struct udp, resource);

	lt_udp_listener_destroy(udp->listener);
	udp->listener = NULL;
	lt_host_stream_close(&udp->stream);
}

static void free_udp(struct lt_resource *resource)
{
	lt_free(lt_container_of(resource, struct udp, resource));
}

static void on_datagram(void *arg, struct lt_str bytes, struct lt_str from)
{
	struct udp *udp = arg;
	struct lt_host_call call;

	lt_host_stream_record(&udp->stream, LT_RAW_FROM, from, bytes);
	if (lt_host_enter(udp->resource.host, "datagram", &call)) {
		udp->datagram(udp->arg, bytes, from);
		lt_host_leave(&call);
	}
}

static void on_played(void *arg, const struct lt_raw_record *record)
{
	if (record->kind == LT_RAW_FROM) {
		on_datagram(arg, record->bytes, record->attribute);
	}
}

static void *udp_open(struct lt_host *host, const struct lt_udp_opts *theirs)
{
	struct lt_udp_opts opts;
	struct lt_err err = { 0 };

	lt_copy_sized(&opts, sizeof(opts), theirs);
	if (opts.port > UINT16_MAX) {
		lt_err_set(&err, LT_E_INVALID, "port %u is not in 0 to 65535", opts.port);
		lt_host_fail_err(host, &err);
		return NULL;
	}
	struct udp *udp = lt_zalloc(sizeof(*udp));
	struct lt_udp_listener_opts listener = { .address = opts.address,
		.port = (uint16_t)opts.port,
		.datagram = on_datagram,
		.arg = udp };

	udp->resource.close = close_udp;
	udp->resource.free = free_udp;
	udp->datagram = opts.datagram;
	udp->arg = opts.arg;
	lt_resource_add(host, &udp->resource);
	if (lt_host_stream_open(
			    &udp->stream, host, "udp", lt_str_from(opts.address), on_played, udp)) {
		return udp;
	}
	udp->listener = lt_udp_listener_create(&host->net, &listener);
	if (!lt_udp_listener_start(udp->listener, &err)) {
		lt_resource_close(&udp->resource);
		lt_host_fail_err(host, &err);
		return NULL;
	}
	return udp;
}

static uint32_t udp_port(void *handle)
{
	struct udp *udp = lt_resource_check(handle, close_udp);

	return udp && udp->listener ? lt_udp_listener_port(udp->listener) : 0;
}

static int32_t udp_send(void *handle, struct lt_str bytes, struct lt_str to)
{
	struct udp *udp = lt_resource_check(handle, close_udp);

	return udp != NULL &&
					(!udp->listener ||
							lt_udp_listener_send_to(udp->listener,
									bytes, to, NULL))
			? 0
			: -1;
}

static void udp_close(void *handle)
{
	struct udp *udp = lt_resource_check(handle, close_udp);

	if (udp != NULL) {
		lt_resource_close(&udp->resource);
	}
}

const struct lt_udp_ext lt_host_udp_ext = { .size = sizeof(lt_host_udp_ext),
	.open = udp_open,
	.port = udp_port,
	.send = udp_send,
	.close = udp_close };
