/*
 * "ws://host:port/path?query" and "wss://..." taken apart. Pure.
 */
#ifndef LT_NET_WS_URL_H
#define LT_NET_WS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_ws_url {
	bool is_tls;
	uint16_t port;   /* 80 or 443 when not given */
	char *host;      /* owned; an IPv6 address without its brackets */
	char *authority; /* owned; for the Host header: with brackets, with an unusual port */
	char *path;      /* owned; with the query, begins with '/' */
};

/* LT_E_INVALID: not such a URL; credentials and fragments are refused as well. */
bool lt_ws_url_parse(struct lt_str text, struct lt_ws_url *ret_url, struct lt_err *err);
void lt_ws_url_finish(struct lt_ws_url *url);

#endif
