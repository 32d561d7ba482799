/* "lt.ws/1": a reconnecting WebSocket client. */
#include "base/alloc.h"
#include "net/ws_client.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

struct ws {
	struct lt_resource resource;
	struct lt_ws_client *client; /* NULL: played from a capture */
	struct lt_host_stream stream;
	void (*message)(void *arg, struct lt_str message, uint32_t binary);
	void (*connected)(void *arg);
	void (*disconnected)(void *arg, struct lt_str reason);
	void *arg;
};

static void close_ws(struct lt_resource *resource)
{
	struct ws *ws = lt_container_of(resource, struct ws, resource);

	lt_ws_client_destroy(ws->client);
	ws->client = NULL;
	lt_host_stream_close(&ws->stream);
}

static void free_ws(struct lt_resource *resource)
{
	struct ws *ws = lt_container_of(resource, struct ws, resource);

	lt_free(ws);
}

static void on_connected(void *arg)
{
	struct ws *ws = arg;
	struct lt_host_call call;

	lt_host_stream_record(&ws->stream, LT_RAW_UP, (struct lt_str){ 0 }, (struct lt_str){ 0 });
	if (ws->connected != NULL && lt_host_enter(ws->resource.host, "connected", &call)) {
		ws->connected(ws->arg);
		lt_host_leave(&call);
	}
}

static void on_disconnected(void *arg, struct lt_str reason)
{
	struct ws *ws = arg;
	struct lt_host_call call;
	char value[LT_LOG_VALUE_MAX];

	lt_host_stream_record(&ws->stream, LT_RAW_DOWN, (struct lt_str){ 0 }, reason);
	lt_log(&ws->resource.host->env.log, LT_WARN, "no connection, trying again", "reason=%s",
			lt_log_value(reason, value));
	if (ws->disconnected != NULL && lt_host_enter(ws->resource.host, "disconnected", &call)) {
		ws->disconnected(ws->arg, reason);
		lt_host_leave(&call);
	}
}

static void on_message(void *arg, struct lt_str message, bool is_binary)
{
	struct ws *ws = arg;
	struct lt_host_call call;

	lt_host_stream_record(&ws->stream, is_binary ? LT_RAW_BINARY : LT_RAW_TEXT,
			(struct lt_str){ 0 }, message);
	if (ws->message != NULL && lt_host_enter(ws->resource.host, "message", &call)) {
		ws->message(ws->arg, message, is_binary);
		lt_host_leave(&call);
	}
}

static void on_stale(void *arg, bool is_stale)
{
	struct ws *ws = arg;

	lt_host_link_stale(ws->resource.host, is_stale, "the WebSocket server");
}

/* A record of a capture, in place of the network. */
static void on_played(void *arg, const struct lt_raw_record *record)
{
	struct ws *ws = arg;
	bool is_down = record->kind == LT_RAW_DOWN;

	on_stale(ws, is_down);
	if (is_down) {
		on_disconnected(ws, record->bytes);
	} else if (record->kind == LT_RAW_UP) {
		on_connected(ws);
	} else if (record->kind == LT_RAW_TEXT || record->kind == LT_RAW_BINARY) {
		on_message(ws, record->bytes, record->kind == LT_RAW_BINARY);
	}
}

static struct lt_ws_client *make_client(struct lt_host *host, const struct lt_ws_opts *opts,
		struct ws *ws, struct lt_err *err)
{
	struct lt_ws_client_opts client = { .url = opts->url,
		.subprotocol = opts->subprotocol,
		.headers = opts->headers,
		.message_max = opts->message_max,
		.stale_ms = opts->stale_ms,
		.dead_ms = opts->dead_ms,
		.connected = on_connected,
		.message = on_message,
		.stale = on_stale,
		.disconnected = on_disconnected,
		.arg = ws };

	if (host->env.ws_hub == NULL) {
		lt_err_set(err, LT_E_UNAVAILABLE, "this host has no WebSocket client");
		return NULL;
	}
	return lt_ws_client_create(host->env.ws_hub, &client, err);
}

static void *ws_open(struct lt_host *host, const struct lt_ws_opts *theirs)
{
	struct ws *ws = lt_zalloc(sizeof(*ws));
	struct lt_ws_opts opts;
	struct lt_err err = { 0 };

	lt_copy_sized(&opts, sizeof(opts), theirs);
	ws->resource.close = close_ws;
	ws->resource.free = free_ws;
	ws->message = opts.message;
	ws->connected = opts.connected;
	ws->disconnected = opts.disconnected;
	ws->arg = opts.arg;
	lt_resource_add(host, &ws->resource);
	if (lt_host_stream_open(&ws->stream, host, "ws", LT_STR(""), on_played, ws)) {
		return ws;
	}
	ws->client = make_client(host, &opts, ws, &err);
	if (ws->client == NULL) {
		lt_resource_close(&ws->resource);
		lt_host_fail_err(host, &err);
		return NULL;
	}
	lt_ws_client_start(ws->client);
	return ws;
}

static int32_t ws_send(void *handle, struct lt_str message, uint32_t binary)
{
	struct ws *ws = lt_resource_check(handle, close_ws);

	return ws != NULL &&
					(!ws->client ||
							lt_ws_client_send(ws->client, message,
									binary != 0, NULL))
			? 0
			: -1;
}

static void ws_close(void *handle)
{
	struct ws *ws = lt_resource_check(handle, close_ws);

	if (ws != NULL) {
		lt_resource_close(&ws->resource);
	}
}

const struct lt_ws_ext lt_host_ws_ext = {
	.size = sizeof(lt_host_ws_ext), .open = ws_open, .send = ws_send, .close = ws_close
};
