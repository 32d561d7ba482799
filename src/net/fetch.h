/*
 * HTTP requests (libcurl) on our loop. One lt_fetcher for the daemon holds the
 * connections that are kept open; each lt_fetch is one request, redirects
 * followed (5 at most), compressed answers decoded. http and https alone, and
 * file where it was allowed; never anything else, also not by a redirect.
 */
#ifndef LT_NET_FETCH_H
#define LT_NET_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

struct lt_loop;
struct lt_fetcher;
struct lt_fetch;

struct lt_fetcher_opts {
	bool allow_file; /* file:// URLs; these are read on the loop: small files only */
};

struct lt_fetcher *lt_fetcher_create(
		struct lt_loop *loop, const struct lt_fetcher_opts *opts, struct lt_err *err);
/* Cancels what is running; frees at the end of the turn. NULL is fine. */
void lt_fetcher_destroy(struct lt_fetcher *fetcher);

/* All borrowed for the call of the result callback. */
struct lt_fetch_result {
	long status; /* HTTP status, also 304 or 404; 0: no answer, error says why */
	struct lt_str body;
	struct lt_str etag;          /* as sent, with its quotes; empty: none */
	struct lt_str last_modified; /* empty: none */
	struct lt_str content_type;  /* empty: none */
	struct lt_str headers;       /* lines of the last answer, 16 KiB at most: lt_fetch_header */
	/* Was any of the request written? Without an answer it may then have been acted on. */
	bool was_sent;
	struct lt_str error; /* a sentence; empty when status is not 0 */
	enum lt_errc code;   /* LT_E_TIMEOUT, LT_E_LIMIT, LT_E_UNAVAILABLE ... */
};

/* Copied, but for fn and arg. */
struct lt_fetch_opts {
	const char *url;
	/* GET, HEAD, POST, PUT, PATCH, DELETE; NULL: GET, with a body POST */
	const char *method;
	const char *const *headers; /* "Name: value", ..., NULL; may be NULL */
	struct lt_str body;         /* not for GET and HEAD; p NULL: none */
	uint32_t timeout_ms;        /* for everything together; 0: 10000 */
	size_t body_max;            /* decoded bytes; 0: 8 MiB */
	struct lt_str etag;         /* what an earlier result said, to get 304 when unchanged */
	struct lt_str last_modified;
	/* For what must not be done twice, and for secrets in headers: a connection of its own
	 * (curl repeats a request on one that turns out to be dead), and no redirects. */
	bool once;
	/*
	 * Signature Version 4 of Amazon's services, as curl makes it: "aws:amz:REGION:SERVICE", and
	 * "KEY:SECRET". NULL: not signed.
	 */
	const char *sigv4, *sigv4_login;
	void (*result)(void *arg, const struct lt_fetch_result *result);
	void *arg;
};

/*
 * Begin. The result comes later, exactly once, unless it is cancelled before;
 * the returned handle ends with that call (in which it may still be cancelled,
 * to no effect). NULL with LT_E_INVALID for a method or header that cannot be sent.
 */
struct lt_fetch *lt_fetch_start(
		struct lt_fetcher *fetcher, const struct lt_fetch_opts *opts, struct lt_err *err);

/* No result will come. NULL is fine. */
void lt_fetch_cancel(struct lt_fetch *fetch);

/* Value of a header of the answer, any case; empty: it is not there. Borrowed as the result. */
struct lt_str lt_fetch_header(const struct lt_fetch_result *result, const char *name);

/*
 * Seconds that the answer asks to wait (Retry-After: seconds or an HTTP date,
 * seen from `now`), 0 to a day; -1: it does not say, or not in a form we know.
 */
int64_t lt_fetch_retry_after_s(const struct lt_fetch_result *result, struct lt_wall now);

/* How modules ask for HTTP, so that tests can answer instead of a fetcher. */
struct lt_requests {
	void *arg;
	struct lt_fetch *(*start)(void *arg, const struct lt_fetch_opts *opts, struct lt_err *err);
	void (*cancel)(void *arg, struct lt_fetch *fetch);
};
struct lt_requests lt_fetcher_requests(struct lt_fetcher *fetcher);

#endif
