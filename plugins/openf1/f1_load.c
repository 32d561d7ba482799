/*
 * Fetching a session: its collections one after the other, with a pause between
 * any two requests, so that the server's limits are never in sight. Answers are
 * read off the loop. What fails is tried again, later and later.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openf1.h"

#define BODY_MAX     (64u << 20)
#define TIMEOUT_MS   60000
#define RETRY_MAX_MS 600000
#define PUBLIC_MS    500 /* between requests to the public server, at least */
#define PUBLIC_HOST  "api.openf1.org"

/* An answer on its way through a worker, with the data that it goes into. */
struct job {
	struct openf1 *self; /* not touched by the worker */
	const struct lt_json_ext *json;
	struct f1_data *data;
	enum f1_collection collection;
	bool is_last, is_good;
	char error[F1_ERROR_LEN];
	size_t n;
	char body[];
};

static void fetch_next(void *arg);

static void fetch_in(struct openf1 *self, int64_t delay_ms)
{
	self->fetch_timer = self->api->timer(self->host, delay_ms, 0, fetch_next, self);
}

static int64_t pause_ms(const struct openf1 *self)
{
	int64_t ms = (int64_t)(self->api->option_number(self->host, "pause") * 1000);
	struct lt_str endpoint = self->api->option_text(self->host, "endpoint");

	return strstr(endpoint.p, PUBLIC_HOST) != NULL && ms < PUBLIC_MS ? PUBLIC_MS : ms;
}

/* Tell why nothing moves, and try the same again. */
static void try_later(struct openf1 *self, const char *reason, int64_t at_least_ms)
{
	int64_t delay_ms = (int64_t)(self->api->option_number(self->host, "retry") * 1000);

	for (unsigned i = 0; i < self->failures && delay_ms < RETRY_MAX_MS; i++) {
		delay_ms *= 2;
	}
	self->failures++;
	delay_ms = delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS;
	self->is_stale = true;
	self->api->count(self->host, "failed_requests", 1);
	self->api->set_stale(self->host, 1, lt_text_n(reason, strlen(reason)));
	fetch_in(self, delay_ms > at_least_ms ? delay_ms : at_least_ms);
}

static void go_on(struct openf1 *self)
{
	self->failures = 0;
	if (self->is_stale) {
		self->is_stale = false;
		self->api->set_stale(self->host, 0, lt_text_n("", 0));
	}
	self->next++;
	if (self->next < F1_COLLECTIONS) {
		fetch_in(self, pause_ms(self));
		return;
	}
	struct f1_data *data = self->loading;

	self->loading = NULL;
	f1_loaded(self, data);
}

/* --- reading --- */

static void work(void *arg)
{
	struct job *job = arg;

	job->is_good = job->n == 0 ||
			f1_read(job->data, job->json, job->collection, lt_text_n(job->body, job->n),
					job->error);
	if (job->is_good && job->is_last) {
		f1_finish(job->data);
	}
}

static void take_session(struct openf1 *self)
{
	const struct f1_session *session = f1_session(self->loading);
	char reason[160];

	if (session->key == 0 || session->is_cancelled) {
		snprintf(reason, sizeof(reason), "OpenF1 has no session %s%s", self->key,
				session->is_cancelled ? " that was held: it was cancelled" : "");
		self->api->fail(self->host, lt_text_n(reason, strlen(reason)));
		return;
	}
	snprintf(self->key, sizeof(self->key), "%lld", (long long)session->key);
	go_on(self);
}

static void done(void *arg, uint32_t cancelled)
{
	struct job *job = arg;
	struct openf1 *self = job->self;
	char reason[F1_ERROR_LEN + 40];

	if (cancelled || self->is_stopped) {
		f1_data_destroy(job->data);
		free(job);
		return;
	}
	self->loading = job->data;
	if (!job->is_good) {
		snprintf(reason, sizeof(reason), "OpenF1 sent what cannot be read: %s", job->error);
		try_later(self, reason, 0);
	} else if (job->collection == F1_SESSIONS) {
		take_session(self);
	} else {
		go_on(self);
	}
	free(job);
}

/* n 0: the collection is empty. */
static void read_answer(struct openf1 *self, struct lt_str body)
{
	struct job *job = calloc(1, sizeof(*job) + body.n);

	if (job == NULL) {
		self->api->fail(self->host, LT_LITERAL("out of memory"));
		return;
	}
	job->self = self;
	job->json = self->json;
	job->data = self->loading;
	job->collection = self->next;
	job->is_last = self->next + 1 == F1_COLLECTIONS;
	job->n = body.n;
	if (body.n > 0) {
		memcpy(job->body, body.p, body.n);
	}
	self->loading = NULL; /* the worker's until it is done */
	self->work->run(self->host, work, done, job);
}

/* --- answers --- */

/* {"detail": sentence}, as far as it is fit to be shown. */
static void detail_of(const struct openf1 *self, struct lt_str body, char *to, size_t size)
{
	struct lt_value *document = body.n <= 4096 ? self->json->parse(body, to, size) : NULL;
	struct lt_str detail = self->json->text(self->json->member(document, "detail"));
	size_t n = 0;

	for (size_t i = 0; i < detail.n && n + 1 < size && i < 120; i++) {
		if (detail.p[i] >= ' ' && detail.p[i] <= '~') {
			to[n++] = detail.p[i];
		}
	}
	to[n] = '\0';
	self->json->free(document);
}

static void refused(struct openf1 *self, const struct lt_http_result *result)
{
	char reason[300], detail[130];
	int64_t wait_ms = 0;

	if (LT_HAS(result, retry_after_s) && result->retry_after_s > 0) {
		wait_ms = (result->retry_after_s > 3600 ? 3600 : result->retry_after_s) *
				INT64_C(1000);
	}
	detail_of(self, result->body, detail, sizeof(detail));
	if (result->status == 0) {
		snprintf(reason, sizeof(reason), "OpenF1 does not answer: %.*s",
				(int)(result->error.n > 200 ? 200 : result->error.n),
				result->error.p);
	} else if (result->status == 401 || result->status == 403) {
		snprintf(reason, sizeof(reason),
				"OpenF1 is not open to everybody now (%d): a session may be in progress%s%s",
				(int)result->status, detail[0] ? "; it says: " : "", detail);
	} else if (result->status == 429) {
		snprintf(reason, sizeof(reason), "OpenF1 asks to wait (429)%s%s",
				detail[0] ? "; it says: " : "", detail);
	} else {
		snprintf(reason, sizeof(reason), "OpenF1 has trouble (%d)%s%s", (int)result->status,
				detail[0] ? "; it says: " : "", detail);
	}
	try_later(self, reason, wait_ms);
}

static void on_result(void *arg, const struct lt_http_result *result)
{
	struct openf1 *self = arg;
	char reason[120];

	self->http->cancel(self->fetch);
	self->fetch = NULL;
	self->api->count(self->host, "requests", 1);
	if (result->status == 404 && self->next == F1_SESSIONS) {
		snprintf(reason, sizeof(reason), "OpenF1 has no session %s", self->key);
		self->api->fail(self->host, lt_text_n(reason, strlen(reason)));
	} else if (result->status == 404) {
		read_answer(self, lt_text_n("", 0)); /* nothing of this kind was recorded */
	} else if (result->status != 200 || result->body.n == 0) {
		refused(self, result);
	} else {
		read_answer(self, result->body);
	}
}

static void fetch_next(void *arg)
{
	struct openf1 *self = arg;
	struct lt_http_opts opts = { .size = sizeof(opts), .result = on_result, .arg = self };
	struct lt_str endpoint = self->api->option_text(self->host, "endpoint");
	char url[F1_URL_LEN + 80];

	self->fetch_timer = 0;
	while (endpoint.n > 0 && endpoint.p[endpoint.n - 1] == '/') {
		endpoint.n--;
	}
	snprintf(url, sizeof(url), "%.*s/%s?session_key=%s",
			(int)(endpoint.n > F1_URL_LEN ? F1_URL_LEN : endpoint.n), endpoint.p,
			f1_name(self->next), self->key);
	opts.url = url;
	opts.headers = self->headers;
	opts.timeout_ms = TIMEOUT_MS;
	opts.body_max = BODY_MAX;
	self->fetch = self->http->fetch(self->host, &opts);
}

void f1_load(struct openf1 *self)
{
	f1_data_destroy(self->loading);
	self->loading = f1_data_create();
	if (self->loading == NULL) {
		self->api->fail(self->host, LT_LITERAL("out of memory"));
		return;
	}
	self->next = F1_SESSIONS;
	fetch_in(self, self->data == NULL ? 0 : pause_ms(self));
}

void f1_load_stop(struct openf1 *self)
{
	self->is_stopped = true;
	if (self->fetch != NULL) {
		self->http->cancel(self->fetch);
		self->fetch = NULL;
	}
	if (self->fetch_timer != 0) {
		self->api->timer_cancel(self->host, self->fetch_timer);
		self->fetch_timer = 0;
	}
}
