/*
 * The schedule in Google Calendar, by its REST API (Calendar API v3), as a
 * service account: a JWT (RFC 7519, RS256) signed with the key of its file is
 * exchanged for a token (RFC 7523), anew when it has run out. Our entries carry
 * the private extended property livetiming=assist; their ids are ours, so a
 * request that was repeated makes nothing twice. Changes are patches: what
 * somebody added to an entry stays.
 */
#ifndef LT_CLI_ASSIST_GOOGLE_H
#define LT_CLI_ASSIST_GOOGLE_H

#include "base/err.h"
#include "cli/assist/http.h"
#include "cli/assist/plan.h"

struct lt_google;

struct lt_google_opts {
	struct lt_cli_http *http;
	const char *key_file;    /* JSON with client_email, private_key, token_uri */
	const char *calendar_id; /* "...@group.calendar.google.com" */
	const char *endpoint;    /* NULL: https://www.googleapis.com/calendar/v3 */
	int64_t now_s;           /* entries that ended a day before are passed over */
};

/* Reads the key and gets a token. Errors: the key file, or what the server said. */
struct lt_google *lt_google_create(const struct lt_google_opts *opts, struct lt_err *err);
void lt_google_destroy(struct lt_google *google); /* NULL is fine */

/* Our entries that have not ended long ago. */
bool lt_google_read(struct lt_google *google, struct lt_assist_entries *ret, struct lt_err *err);
/*
 * Carry one action out: add, change or remove; others do nothing.
 *
 * Errors     LT_E_DENIED the server refused this one, others may still do; LT_E_EXISTS there is
 *            such an event, that was changed by hand beyond recognition; others: no use to go on
 */
bool lt_google_apply(struct lt_google *google, const struct lt_assist_action *action,
		struct lt_err *err);

#endif
