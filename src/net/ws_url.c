#include "net/ws_url.h"

#include "base/alloc.h"

#define URL_MAX 2048

static bool refuse(struct lt_err *err, const char *why)
{
	return lt_err_set(err, LT_E_INVALID, "not a WebSocket URL: %s", why);
}

static bool has_odd_bytes(struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '#') {
			return true;
		}
	}
	return false;
}

/* "host", "host:port", "[v6]", "[v6]:port"; *ret_host without brackets. */
static bool split_authority(struct lt_str authority, struct lt_str *ret_host, uint16_t *port,
		struct lt_err *err)
{
	struct lt_str rest = authority;
	uint64_t number;

	if (rest.n && rest.p[0] == '[') {
		const char *end = memchr(rest.p, ']', rest.n);

		if (!end) {
			return refuse(err, "the bracket of the address is not closed");
		}
		*ret_host = (struct lt_str){ rest.p + 1, (size_t)(end - rest.p) - 1 };
		rest = lt_str_skip(rest, ret_host->n + 2);
	} else {
		const char *colon = rest.n ? memchr(rest.p, ':', rest.n) : NULL;

		*ret_host = rest;
		if (colon) {
			ret_host->n = (size_t)(colon - rest.p);
		}
		rest = lt_str_skip(rest, ret_host->n);
	}
	if (ret_host->n == 0) {
		return refuse(err, "no host");
	}
	if (rest.n == 0) {
		return true;
	}
	if (rest.p[0] != ':' || !lt_parse_u64(lt_str_skip(rest, 1), UINT16_MAX, &number, NULL) ||
			number == 0) {
		return refuse(err, "bad port");
	}
	*port = (uint16_t)number;
	return true;
}

bool lt_ws_url_parse(struct lt_str text, struct lt_ws_url *ret_url, struct lt_err *err)
{
	struct lt_str authority, host;
	struct lt_str rest = text;
	bool is_tls = lt_str_starts(text, LT_STR("wss://"));
	uint16_t port = is_tls ? 443 : 80;

	if (!is_tls && !lt_str_starts(text, LT_STR("ws://"))) {
		return refuse(err, "it must begin with ws:// or wss://");
	}
	if (text.n > URL_MAX || has_odd_bytes(text)) {
		return refuse(err, "too long, or a character that must be escaped");
	}
	rest = lt_str_skip(rest, is_tls ? strlen("wss://") : strlen("ws://"));
	authority = (struct lt_str){ rest.p, 0 };
	while (authority.n < rest.n && rest.p[authority.n] != '/' && rest.p[authority.n] != '?') {
		authority.n++;
	}
	rest = lt_str_skip(rest, authority.n);
	if (authority.n && memchr(authority.p, '@', authority.n)) {
		return refuse(err, "credentials belong in a header");
	}
	if (!split_authority(authority, &host, &port, err)) {
		return false;
	}
	struct lt_buf path = { 0 };
	lt_buf_add_c(&path, rest.n && rest.p[0] == '/' ? "" : "/");
	lt_buf_add_str(&path, rest);
	*ret_url = (struct lt_ws_url){
		.is_tls = is_tls,
		.port = port,
		.host = lt_str_dup(host),
		.authority = lt_str_dup(authority),
		.path = lt_buf_steal(&path),
	};
	return true;
}

void lt_ws_url_finish(struct lt_ws_url *url)
{
	lt_free(url->host);
	lt_free(url->authority);
	lt_free(url->path);
	*url = (struct lt_ws_url){ 0 };
}
