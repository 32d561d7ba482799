/*
 * OAuth 1.0a request signing (RFC 5849, HMAC-SHA1), which X asks for. Pure: the
 * nonce and the time are arguments. A JSON body is no part of a signature; the
 * query of the URL is, and so is a body in form encoding.
 */
#ifndef LT_SERVICES_ANNOUNCE_OAUTH1_H
#define LT_SERVICES_ANNOUNCE_OAUTH1_H

#include <stdint.h>

#include "base/str.h"

struct lt_oauth1_keys {
	struct lt_str consumer_key, consumer_secret, token, token_secret;
};

/* All borrowed. */
struct lt_oauth1_request {
	const char *method; /* upper case */
	struct lt_str url;  /* with its query; a fragment is left out */
	struct lt_str form; /* body of type application/x-www-form-urlencoded; empty: none */
	struct lt_str nonce;
	int64_t timestamp; /* unix seconds */
};

/* The text that is signed: method, base URL and sorted parameters (RFC 5849 3.4.1). */
void lt_oauth1_base_string(struct lt_buf *buf, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request);

/* Its signature in base64. */
void lt_oauth1_signature(struct lt_buf *buf, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request);

/* Value of the Authorization header: OAuth oauth_consumer_key="...", ... */
void lt_oauth1_header(struct lt_buf *buf, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request);

#endif
