#include "cli/assist/google.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "net/percent.h"

#define ENDPOINT  "https://www.googleapis.com/calendar/v3"
#define SCOPE     "https://www.googleapis.com/auth/calendar.events"
#define KEY_MAX   (64u << 10)
#define PAGES_MAX 100
#define TIME_TEXT 32
#define TOKEN_MAX 4096
#define PAST_S    86400

struct lt_google {
	struct lt_google_opts opts;
	cJSON *key;
	char *events_url; /* .../calendars/ID/events */
	char *auth;       /* "Authorization: Bearer ..." */
};

/* --- token --- */

static void add_base64url(struct lt_buf *buf, const void *bytes, size_t n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_base64_encode(&text, bytes, n);
	for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
		lt_buf_add_char(buf, text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
	}
}

static void add_json_part(struct lt_buf *buf, const cJSON *json)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_json_print(&text, json, LT_JSON_UTF8);
	add_base64url(buf, text.p, text.n);
}

static bool make_jwt(struct lt_buf *jwt, struct lt_str email, struct lt_str token_uri,
		struct lt_str key, int64_t now_s, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *header = cJSON_CreateObject();
	LT_AUTO(cJSON_Delete) cJSON *claims = cJSON_CreateObject();
	LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };

	lt_json_add_c(header, "alg", "RS256");
	lt_json_add_c(header, "typ", "JWT");
	lt_json_add_str(claims, "iss", email);
	lt_json_add_c(claims, "scope", SCOPE);
	lt_json_add_str(claims, "aud", token_uri);
	lt_json_add_int(claims, "iat", now_s);
	lt_json_add_int(claims, "exp", now_s + 3600);
	add_json_part(jwt, header);
	lt_buf_add_char(jwt, '.');
	add_json_part(jwt, claims);
	if (!lt_rsa_sha256_sign(&signature, key, lt_buf_str(jwt), err)) {
		return lt_err_prefix(err, "private_key");
	}
	lt_buf_add_char(jwt, '.');
	add_base64url(jwt, signature.p, signature.n);
	return true;
}

/* What a server says is wrong, in its own words. */
static bool refused(const char *what, long status, const struct lt_buf *body, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(lt_buf_str(body), NULL);
	const cJSON *error = lt_json_get(json, "error");
	const cJSON *message = cJSON_IsObject(error) ? lt_json_get(error, "message")
						     : lt_json_get(json, "error_description");
	char quoted[LT_QUOTE_MAX];

	if (!cJSON_IsString(message)) {
		message = error;
	}
	if (cJSON_IsString(message)) {
		return lt_err_set(err, LT_E_DENIED, "%s: the server said %ld, %s", what, status,
				lt_str_quote(lt_str_from(message->valuestring), quoted));
	}
	return lt_err_set(err, LT_E_DENIED, "%s: the server said %ld", what, status);
}

static bool is_printable(struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] <= ' ' || text.p[i] > '~') {
			return false;
		}
	}
	return true;
}

static bool read_token(struct lt_google *google, const struct lt_buf *body, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(lt_buf_str(body), err);
	LT_AUTO(lt_buf_finish) struct lt_buf auth = { 0 };
	struct lt_str token;

	if (!json || !lt_json_get_str(json, "access_token", &token, err)) {
		return lt_err_prefix(err, "token");
	}
	if (token.n == 0 || token.n > TOKEN_MAX || !is_printable(token)) {
		return lt_err_set(err, LT_E_FORMAT, "token: it cannot be used");
	}
	lt_buf_printf(&auth, "Authorization: Bearer %.*s", LT_STR_ARG(token));
	lt_free(google->auth);
	google->auth = lt_buf_steal(&auth);
	return true;
}

static bool get_token(struct lt_google *google, struct lt_err *err)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
		NULL };
	LT_AUTO(lt_buf_finish) struct lt_buf form = { 0 }, jwt = { 0 }, answer = { 0 };
	LT_AUTO(lt_free) char *url = NULL;
	struct lt_str email, private_key, token_uri;
	long status;

	if (!lt_json_get_str(google->key, "client_email", &email, err) ||
			!lt_json_get_str(google->key, "private_key", &private_key, err) ||
			!lt_json_get_str(google->key, "token_uri", &token_uri, err)) {
		return false;
	}
	lt_buf_add_c(&form,
			"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
			"&assertion=");
	if (!make_jwt(&jwt, email, token_uri, private_key, lt_wall_s(lt_clock_wall()), err)) {
		return false;
	}
	lt_buf_add_str(&form, lt_buf_str(&jwt));
	url = lt_str_dup(token_uri);
	if (!lt_cli_http_ask(google->opts.http,
			    &(struct lt_cli_request){ .url = url,
					    .headers = headers,
					    .body = lt_buf_str(&form) },
			    &status, &answer, err)) {
		return lt_err_prefix(err, "token");
	}
	return status == 200 ? read_token(google, &answer, err)
			     : refused("token", status, &answer, err);
}

struct lt_google *lt_google_create(const struct lt_google_opts *opts, struct lt_err *err)
{
	struct lt_google *google = lt_zalloc(sizeof(*google));
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 }, url = { 0 };

	google->opts = *opts;
	lt_buf_printf(&url, "%s/calendars/", opts->endpoint ? opts->endpoint : ENDPOINT);
	lt_percent_encode(&url, lt_str_from(opts->calendar_id));
	lt_buf_add_c(&url, "/events");
	google->events_url = lt_buf_steal(&url);
	if (!lt_file_read(opts->key_file, KEY_MAX, &text, err) ||
			!(google->key = lt_json_parse(lt_buf_str(&text), err)) ||
			!get_token(google, err)) {
		lt_err_prefix(err, "key file %s", opts->key_file);
		lt_google_destroy(google);
		return NULL;
	}
	return google;
}

void lt_google_destroy(struct lt_google *google)
{
	if (google) {
		lt_free(google->events_url);
		lt_free(google->auth);
		cJSON_Delete(google->key);
		lt_free(google);
	}
}

/* --- events --- */

/* One request of the calendar; body NULL: none. */
struct order {
	const char *method; /* NULL: GET */
	const char *url;
	const cJSON *body;
};

static bool ask_once(struct lt_google *google, const struct order *order, long *ret_status,
		struct lt_buf *answer, struct lt_err *err)
{
	const char *headers[] = { google->auth,
		order->body ? "Content-Type: application/json" : NULL, NULL };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_cli_request request = {
		.method = order->method, .url = order->url, .headers = headers
	};

	if (order->body) {
		lt_json_print(&text, order->body, LT_JSON_UTF8);
		request.body = lt_buf_str(&text);
	}
	return lt_cli_http_ask(google->opts.http, &request, ret_status, answer, err) ||
			lt_err_prefix(err, "calendar");
}

/* With a new token, once, when this one has run out. */
static bool ask(struct lt_google *google, const struct order *order, long *ret_status,
		struct lt_buf *answer, struct lt_err *err)
{
	if (!ask_once(google, order, ret_status, answer, err)) {
		return false;
	}
	return *ret_status != 401 ||
			(get_token(google, err) &&
					ask_once(google, order, ret_status, answer, err));
}

static void time_text(int64_t s, char text[TIME_TEXT])
{
	time_t t = (time_t)s;
	struct tm parts;

	gmtime_r(&t, &parts);
	strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* "+02:00", else 0. */
static int64_t offset_s(const char *text)
{
	int64_t hours, minutes;

	if ((*text != '+' && *text != '-') || strlen(text) != strlen("+02:00") ||
			!lt_parse_i64((struct lt_str){ text + 1, 2 }, 0, 23, &hours, NULL) ||
			!lt_parse_i64((struct lt_str){ text + 4, 2 }, 0, 59, &minutes, NULL)) {
		return 0;
	}
	return (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/* "2026-05-16T13:00:00+02:00" in "dateTime", or "2026-05-16" in "date", by UTC. */
static bool read_time(const cJSON *event, const char *key, int64_t *ret_s)
{
	const cJSON *item = lt_json_get(event, key);
	const char *text = cJSON_GetStringValue(lt_json_get(item, "dateTime"));
	const char *date = cJSON_GetStringValue(lt_json_get(item, "date"));
	struct tm parts = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts)
			: date  ? strptime(date, "%Y-%m-%d", &parts)
				: NULL;

	if (!rest) {
		return false;
	}
	*ret_s = timegm(&parts);
	if (*rest == '.') {
		rest += 1 + strspn(rest + 1, "0123456789");
	}
	*ret_s -= offset_s(rest);
	return true;
}

static void read_property(const cJSON *properties, const char *key, char text[LT_MARK_TEXT])
{
	struct lt_str value = { "", 0 };

	lt_json_opt_str(properties, key, &value, NULL);
	memcpy(text, value.p, LT_MIN(value.n, LT_MARK_TEXT - 1));
}

static void read_event(const cJSON *event, struct lt_assist_entries *entries)
{
	const cJSON *properties = lt_json_get(lt_json_get(event, "extendedProperties"), "private");
	const char *id = cJSON_GetStringValue(lt_json_get(event, "id"));
	const char *title = cJSON_GetStringValue(lt_json_get(event, "summary"));
	const char *status = cJSON_GetStringValue(lt_json_get(event, "status"));
	int64_t start_s, end_s;

	/* a copy that somebody made of an entry has an id of its own, and is theirs */
	if (!id || !lt_assist_is_id(lt_str_from(id)) || lt_assist_find(entries, id) ||
			(status && strcmp(status, "cancelled") == 0) ||
			!read_time(event, "start", &start_s) || !read_time(event, "end", &end_s)) {
		return;
	}
	struct lt_assist_entry *entry =
			lt_assist_add(entries, id, title ? title : "", start_s, end_s);

	memset(entry->mark, 0, sizeof(entry->mark));
	read_property(properties, "mark", entry->mark);
	read_property(properties, "source", entry->source);
	entry->is_touched = lt_json_get(event, "recurrence") != NULL;
}

static bool read_page(struct lt_google *google, char **page, struct lt_assist_entries *entries,
		struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 }, answer = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *json = NULL;
	char now[TIME_TEXT];
	const cJSON *event;
	struct lt_str next = { "", 0 };
	long status;

	time_text(google->opts.now_s - PAST_S, now);
	lt_buf_printf(&url,
			"%s?privateExtendedProperty=livetiming%%3Dassist&maxResults=250"
			"&timeMin=%s",
			google->events_url, now);
	if (*page) {
		lt_buf_add_c(&url, "&pageToken=");
		lt_percent_encode(&url, lt_str_from(*page));
	}
	if (!ask(google, &(struct order){ .url = url.p }, &status, &answer, err)) {
		return false;
	}
	if (status != 200) {
		return refused("calendar", status, &answer, err);
	}
	json = lt_json_parse(lt_buf_str(&answer), err);
	if (!json || !cJSON_IsArray(lt_json_get(json, "items"))) {
		return lt_err_set(err, LT_E_FORMAT, "calendar: the answer is no list of events");
	}
	cJSON_ArrayForEach(event, lt_json_get(json, "items")) {
		read_event(event, entries);
	}
	lt_json_opt_str(json, "nextPageToken", &next, NULL);
	lt_free(*page);
	*page = next.n > 0 ? lt_str_dup(next) : NULL;
	return true;
}

bool lt_google_read(struct lt_google *google, struct lt_assist_entries *ret, struct lt_err *err)
{
	char *page = NULL;

	*ret = (struct lt_assist_entries){ 0 };
	for (int i = 0; i < PAGES_MAX; i++) {
		if (!read_page(google, &page, ret, err)) {
			lt_free(page);
			lt_assist_entries_finish(ret);
			return false;
		}
		if (!page) {
			return true;
		}
	}
	lt_free(page);
	lt_assist_entries_finish(ret);
	return lt_err_set(err, LT_E_LIMIT, "calendar: too many events");
}

static cJSON *event_json(const struct lt_assist_entry *entry, bool has_id)
{
	cJSON *event = cJSON_CreateObject();
	cJSON *private = cJSON_AddObjectToObject(
			cJSON_AddObjectToObject(event, "extendedProperties"), "private");
	char text[TIME_TEXT];

	if (has_id) {
		lt_json_add_c(event, "id", entry->id);
	}
	lt_json_add_c(event, "summary", entry->title);
	lt_json_add_c(event, "status", "confirmed");
	time_text(entry->start_s, text);
	lt_json_add_c(cJSON_AddObjectToObject(event, "start"), "dateTime", text);
	time_text(entry->end_s, text);
	lt_json_add_c(cJSON_AddObjectToObject(event, "end"), "dateTime", text);
	lt_json_add_c(private, "livetiming", "assist");
	lt_json_add_c(private, "mark", entry->mark);
	lt_json_add_c(private, "source", entry->source);
	return event;
}

/* What became of an event whose id is taken. */
static bool is_cancelled(const cJSON *event)
{
	const char *status = cJSON_GetStringValue(lt_json_get(event, "status"));

	return status && strcmp(status, "cancelled") == 0;
}

static bool is_written(const cJSON *event, const struct lt_assist_entry *entry)
{
	const char *mark = cJSON_GetStringValue(lt_json_get(
			lt_json_get(lt_json_get(event, "extendedProperties"), "private"), "mark"));

	return mark && strcmp(mark, entry->mark) == 0;
}

/* One event by its id: GET (method NULL), PATCH or DELETE. */
static bool send_event(struct lt_google *google, struct order order, const char *id,
		struct lt_buf *answer, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf url = { 0 };
	bool is_removal = order.method && strcmp(order.method, "DELETE") == 0;
	long status;

	lt_buf_printf(&url, "%s/%s", google->events_url, id);
	order.url = url.p;
	if (!ask(google, &order, &status, answer, err)) {
		return false;
	}
	/* it may have gone already */
	return status / 100 == 2 || (is_removal && (status == 404 || status == 410)) ||
			refused("calendar", status, answer, err);
}

/* The id is taken: by an event that was cancelled, or by what a lost answer was about. */
static bool add_again(struct lt_google *google, const struct lt_assist_entry *entry,
		const cJSON *event, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf answer = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *known = NULL;

	if (!send_event(google, (struct order){ 0 }, entry->id, &answer, err)) {
		return false;
	}
	known = lt_json_parse(lt_buf_str(&answer), NULL);
	if (is_cancelled(known)) {
		return send_event(google, (struct order){ .method = "PATCH", .body = event },
				entry->id, &answer, err);
	}
	return is_written(known, entry) ||
			lt_err_set(err, LT_E_EXISTS,
					"somebody changed it, and it is left as it is");
}

static bool add_event(
		struct lt_google *google, const struct lt_assist_entry *entry, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *event = event_json(entry, true);
	LT_AUTO(lt_buf_finish) struct lt_buf answer = { 0 };
	const struct order order = { "POST", google->events_url, event };
	long status;

	if (!ask(google, &order, &status, &answer, err)) {
		return false;
	}
	if (status == 409) {
		return add_again(google, entry, event, err);
	}
	return status / 100 == 2 || refused("calendar", status, &answer, err);
}

bool lt_google_apply(
		struct lt_google *google, const struct lt_assist_action *action, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *event = NULL;
	LT_AUTO(lt_buf_finish) struct lt_buf answer = { 0 };

	switch (action->step) {
	case LT_ASSIST_ADD:
		return add_event(google, action->wanted, err);
	case LT_ASSIST_CHANGE:
		event = event_json(action->wanted, false);
		return send_event(google, (struct order){ .method = "PATCH", .body = event },
				action->wanted->id, &answer, err);
	case LT_ASSIST_REMOVE:
		return send_event(google, (struct order){ .method = "DELETE" }, action->old->id,
				&answer, err);
	case LT_ASSIST_KEEP:
	case LT_ASSIST_EDITED:
		return true;
	}
	return true;
}
