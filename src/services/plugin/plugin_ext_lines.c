/* "lt.lines/1" and "lt.tcp/1": a reconnecting TCP client, as lines or as bytes. */
#include <stdio.h>

#include "base/alloc.h"
#include "net/line_splitter.h"
#include "net/tcp_client.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

/* Both kinds of link: `is_lines` tells which options are filled. */
struct link {
	struct lt_resource resource;
	struct lt_tcp_client *client; /* NULL: played from a capture */
	struct lt_host_stream stream; /* open as long as the link */
	struct lt_line_splitter splitter;
	uint64_t dropped_seen;
	bool is_lines;
	char *name; /* "host:port", for people */
	void (*line)(void *arg, struct lt_str line);
	void (*bytes)(void *arg, struct lt_str bytes);
	void (*connected)(void *arg);
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};

static void close_link(struct lt_resource *resource)
{
	struct link *link = lt_container_of(resource, struct link, resource);

	lt_tcp_client_destroy(link->client);
	link->client = NULL;
	lt_host_stream_close(&link->stream);
}

static void free_link(struct lt_resource *resource)
{
	struct link *link = lt_container_of(resource, struct link, resource);

	lt_line_splitter_finish(&link->splitter);
	lt_free(link->name);
	lt_free(link);
}

static void on_connected(void *arg)
{
	struct link *link = arg;
	struct lt_host_call call;

	lt_host_stream_record(&link->stream, LT_RAW_UP, (struct lt_str){ 0 }, (struct lt_str){ 0 });
	lt_line_splitter_reset(&link->splitter);
	lt_log(&link->resource.host->env.log, LT_INFO, "connected", "to=%s", link->name);
	if (link->connected != NULL && lt_host_enter(link->resource.host, "connected", &call)) {
		link->connected(link->arg);
		lt_host_leave(&call);
	}
}

static void on_disconnected(void *arg, struct lt_str reason)
{
	struct link *link = arg;
	struct lt_host_call call;
	char value[LT_LOG_VALUE_MAX];

	lt_host_stream_record(&link->stream, LT_RAW_DOWN, (struct lt_str){ 0 }, reason);
	lt_log(&link->resource.host->env.log, LT_WARN, "no connection, trying again",
			"to=%s reason=%s", link->name, lt_log_value(reason, value));
	if (link->disconnected != NULL &&
			lt_host_enter(link->resource.host, "disconnected", &call)) {
		link->disconnected(link->arg, reason);
		lt_host_leave(&call);
	}
}

static void on_stale(void *arg, bool is_stale)
{
	struct link *link = arg;

	lt_host_link_stale(link->resource.host, is_stale, link->name);
}

static void read_lines(struct link *link)
{
	struct lt_host *host = link->resource.host;
	struct lt_host_call call;
	struct lt_str line;

	/* The plugin may close the link in any of these calls, or fail. */
	while (link->stream.host != NULL && lt_line_splitter_next(&link->splitter, &line)) {
		if (!lt_host_enter(host, "line", &call)) {
			return;
		}
		link->line(link->arg, line);
		lt_host_leave(&call);
	}
}

static void on_bytes(void *arg, struct lt_str bytes)
{
	struct link *link = arg;
	struct lt_host *host = link->resource.host;
	struct lt_host_call call;

	lt_host_stream_record(&link->stream, LT_RAW_DATA, (struct lt_str){ 0 }, bytes);
	if (link->is_lines) {
		lt_line_splitter_feed(&link->splitter, bytes);
		read_lines(link);
		if (link->splitter.dropped != link->dropped_seen) {
			lt_host_count(host, "overlong lines",
					(int64_t)(link->splitter.dropped - link->dropped_seen));
			link->dropped_seen = link->splitter.dropped;
		}
	} else if (lt_host_enter(host, "bytes", &call)) {
		link->bytes(link->arg, bytes);
		lt_host_leave(&call);
	}
}

/* A record of a capture, in place of the network. */
static void on_played(void *arg, const struct lt_raw_record *record)
{
	struct link *link = arg;
	bool is_down = record->kind == LT_RAW_DOWN;

	on_stale(link, is_down);
	if (is_down) {
		on_disconnected(link, record->bytes);
	} else if (record->kind == LT_RAW_UP) {
		on_connected(link);
	} else if (record->kind == LT_RAW_DATA) {
		on_bytes(link, record->bytes);
	}
}

/* Fills in the callbacks and opens; the link is owned by its host, also on failure. */
static void *open_link(struct lt_host *host, struct link *link, struct lt_tcp_client_opts opts)
{
	struct lt_err err = { 0 };
	struct lt_buf name = { 0 };

	lt_buf_printf(&name, "%s:%u", opts.host ? opts.host : "", (unsigned)opts.port);
	link->name = lt_buf_steal(&name);
	link->resource.close = close_link;
	link->resource.free = free_link;
	lt_resource_add(host, &link->resource);
	if (lt_host_stream_open(&link->stream, host, link->is_lines ? "lines" : "tcp",
			    lt_str_from(link->name), on_played, link)) {
		return link;
	}
	opts.connected = on_connected;
	opts.disconnected = on_disconnected;
	opts.stale = on_stale;
	opts.bytes = on_bytes;
	opts.arg = link;
	link->client = lt_tcp_client_create(&host->net, &opts, &err);
	if (link->client == NULL) {
		lt_resource_close(&link->resource);
		lt_host_fail_err(host, &err);
		return NULL;
	}
	lt_tcp_client_start(link->client);
	return link;
}

static bool port_fits(struct lt_host *host, uint32_t port)
{
	struct lt_err err = { 0 };

	if (port <= UINT16_MAX) {
		return true;
	}
	lt_err_set(&err, LT_E_INVALID, "port %u is not in 1 to 65535", port);
	lt_host_fail_err(host, &err);
	return false;
}

static void *lines_open(struct lt_host *host, const struct lt_lines_opts *theirs)
{
	struct lt_lines_opts opts;

	lt_copy_sized(&opts, sizeof(opts), theirs);
	if (!port_fits(host, opts.port)) {
		return NULL;
	}
	struct link *link = lt_zalloc(sizeof(*link));

	link->is_lines = true;
	link->splitter.line_max = opts.line_max;
	link->line = opts.line;
	link->connected = opts.connected;
	link->disconnected = opts.disconnected;
	link->arg = opts.arg;
	return open_link(host, link,
			(struct lt_tcp_client_opts){ .host = opts.host,
					.port = (uint16_t)opts.port,
					.connect_timeout_ms = opts.connect_timeout_ms,
					.stale_ms = opts.stale_ms,
					.dead_ms = opts.dead_ms });
}

static void *tcp_open(struct lt_host *host, const struct lt_tcp_opts *theirs)
{
	struct lt_tcp_opts opts;

	lt_copy_sized(&opts, sizeof(opts), theirs);
	if (!port_fits(host, opts.port)) {
		return NULL;
	}
	struct link *link = lt_zalloc(sizeof(*link));

	link->bytes = opts.bytes;
	link->connected = opts.connected;
	link->disconnected = opts.disconnected;
	link->arg = opts.arg;
	return open_link(host, link,
			(struct lt_tcp_client_opts){ .host = opts.host,
					.port = (uint16_t)opts.port,
					.connect_timeout_ms = opts.connect_timeout_ms,
					.stale_ms = opts.stale_ms,
					.dead_ms = opts.dead_ms });
}

static int32_t tcp_send(void *handle, struct lt_str bytes)
{
	struct link *link = lt_resource_check(handle, close_link);

	return link != NULL &&
					(link->client == NULL ||
							lt_tcp_client_send(
									link->client, bytes, NULL))
			? 0
			: -1;
}

static void link_close(void *handle)
{
	struct link *link = lt_resource_check(handle, close_link);

	if (link != NULL) {
		lt_resource_close(&link->resource);
	}
}

const struct lt_lines_ext lt_host_lines_ext = {
	.size = sizeof(lt_host_lines_ext), .open = lines_open, .close = link_close
};

const struct lt_tcp_ext lt_host_tcp_ext = {
	.size = sizeof(lt_host_tcp_ext), .open = tcp_open, .send = tcp_send, .close = link_close
};
