/*
 * HTTP for a command that waits for its answer: one request at a time on a loop
 * of its own. Busy servers (429, 500, 502, 503, 504, and 403 for Google's limits
 * of requests) are asked again, three times, after as long as they say, a minute
 * at most, or a second and more.
 */
#ifndef LT_CLI_ASSIST_HTTP_H
#define LT_CLI_ASSIST_HTTP_H

#include "base/err.h"
#include "base/str.h"

struct lt_cli_http;

struct lt_cli_http *lt_cli_http_create(struct lt_err *err);
void lt_cli_http_destroy(struct lt_cli_http *http); /* NULL is fine */

struct lt_cli_request {
	const char *method, *url;   /* method NULL: GET */
	const char *const *headers; /* "Name: value", ..., NULL; may be NULL */
	struct lt_str body;         /* p NULL: none */
	size_t body_max;            /* of the answer; 0: 8 MiB */
};

/*
 * ret_status   HTTP status
 * ret_body     owned; also of errors
 * Errors       no answer; the URL is not in the sentence, since it may be secret
 */
bool lt_cli_http_ask(struct lt_cli_http *http, const struct lt_cli_request *request,
		long *ret_status, struct lt_buf *ret_body, struct lt_err *err);

#endif
