#include "services/sentry/sentry.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/table.h"
#include "services/sentry/sentry_event.h"

#define TIMEOUT_MS        15000
#define ANSWER_MAX        ((size_t)64 * 1024)
#define QUEUE_MAX         16
#define SAME_S            10 /* between reports of one kind */
#define KINDS_MAX         64
#define BURST             20
#define REFILL_S          10
#define LIMIT_DEFAULT_S   60
#define CRASH_ATTEMPTS    5
#define CRASH_PAUSE_MS    60000
#define MODULE_OF_CRASHES "crash"

/* One report that waits. */
struct report {
	cJSON *event;
	int attempts; /* that are left */
	struct report *prev, *next;
};

/* A kind of record, and when it was last reported. */
struct kind {
	uint64_t key;
	struct lt_mono last;
	uint64_t suppressed; /* since then */
};

struct lt_sentry {
	struct lt_sentry_env env;
	struct lt_sentry_dsn dsn;
	char *release, *environment, *server_name, *authorization;
	char **secrets;
	struct lt_sentry_origin origin;
	struct report *queue, *sending;
	size_t n;
	struct lt_buf body;
	struct lt_fetch *fetch;
	struct lt_deferred send_later;
	struct lt_timer again;
	struct lt_mono silent_until; /* the server's wish */
	struct kind kinds[KINDS_MAX];
	size_t kind_count;
	int64_t tokens;
	struct lt_mono refilled;
	uint64_t sent, failed, dropped;
	bool is_failing; /* said so already */
};

static void send_next(void *arg);

/* --- own limits --- */

static struct lt_mono now_of(const struct lt_sentry *sentry)
{
	return lt_loop_now(sentry->env.loop);
}

static int64_t seconds_since(const struct lt_sentry *sentry, struct lt_mono then)
{
	return (now_of(sentry).us - then.us) / LT_US_PER_S;
}

static uint64_t key_of(const struct lt_log_record *record)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf value = { 0 };
	struct lt_str fields = record->fields, key;

	lt_buf_printf(&text, "%s\n%s\n", record->module, record->phrase);
	while (lt_log_next_field(&fields, &key, &value)) {
		if (lt_str_eq_c(key, "uuid") || lt_str_eq_c(key, "network")) {
			lt_buf_add_str(&text, lt_buf_str(&value));
		}
	}
	return (uint64_t)lt_table_hash(text.p, text.n) << 32 |
			lt_table_hash(text.p + 1, text.n - 1);
}

/* The kind's place; a full table gives the one that was reported longest ago. */
static struct kind *kind_of(struct lt_sentry *sentry, uint64_t key, bool *ret_is_new)
{
	struct kind *oldest = &sentry->kinds[0];

	*ret_is_new = false;
	for (size_t i = 0; i < sentry->kind_count; i++) {
		struct kind *kind = &sentry->kinds[i];

		if (kind->key == key) {
			return kind;
		}
		oldest = kind->last.us < oldest->last.us ? kind : oldest;
	}
	*ret_is_new = true;
	if (sentry->kind_count < KINDS_MAX) {
		oldest = &sentry->kinds[sentry->kind_count++];
	}
	*oldest = (struct kind){ .key = key };
	return oldest;
}

static bool take_token(struct lt_sentry *sentry)
{
	int64_t refill = seconds_since(sentry, sentry->refilled) / REFILL_S;

	if (refill > 0) {
		sentry->tokens = LT_MIN(sentry->tokens + refill, (int64_t)BURST);
		sentry->refilled = now_of(sentry);
	}
	if (sentry->tokens == 0) {
		return false;
	}
	sentry->tokens--;
	return true;
}

/* May this record be reported? *ret_suppressed: how many of its kind were not since the last. */
static bool admit(struct lt_sentry *sentry, const struct lt_log_record *record,
		uint64_t *ret_suppressed)
{
	bool is_new;
	struct kind *kind = kind_of(sentry, key_of(record), &is_new);

	if ((!is_new && seconds_since(sentry, kind->last) < SAME_S) ||
			now_of(sentry).us < sentry->silent_until.us || sentry->n >= QUEUE_MAX ||
			!take_token(sentry)) {
		kind->suppressed++;
		sentry->dropped++;
		return false;
	}
	*ret_suppressed = kind->suppressed;
	kind->suppressed = 0;
	kind->last = now_of(sentry);
	return true;
}

/* --- queue --- */

static void free_report(struct report *report)
{
	cJSON_Delete(report->event);
	lt_free(report);
}

static void add_take(struct lt_sentry *sentry, cJSON *event, int attempts)
{
	struct report *report = lt_zalloc(sizeof(*report));

	report->event = event;
	report->attempts = attempts;
	DL_APPEND(sentry->queue, report);
	sentry->n++;
	/* later: a record may be written in the middle of curl's work */
	lt_loop_defer(sentry->env.loop, &sentry->send_later, send_next, sentry);
}

/* The service's name, where the record tells the uuid alone. */
static void name_service(const struct lt_sentry *sentry, cJSON *event)
{
	cJSON *tags = lt_json_get(event, "tags");
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	struct lt_str uuid;

	if (sentry->env.name_service && !lt_json_get(tags, "service_name") &&
			lt_json_get(tags, "uuid") && lt_json_get_str(tags, "uuid", &uuid, NULL)) {
		sentry->env.name_service(sentry->env.arg, uuid, &name);
		if (name.n) {
			lt_json_add_str(tags, "service_name", lt_buf_str(&name));
		}
	}
}

void lt_sentry_on_record(void *arg, const struct lt_log_record *record)
{
	struct lt_sentry *sentry = arg;
	uint64_t suppressed;
	cJSON *event;

	if (record->level != LT_ERROR || strcmp(record->module, MODULE_OF_CRASHES) == 0 ||
			!admit(sentry, record, &suppressed)) {
		return;
	}
	event = lt_sentry_record_event(&sentry->origin, record);
	name_service(sentry, event);
	if (suppressed) {
		lt_json_add_int(lt_json_get(event, "extra"), "not_reported_before",
				(int64_t)suppressed);
	}
	add_take(sentry, event, 1);
}

void lt_sentry_crash(struct lt_sentry *sentry, struct lt_str text)
{
	add_take(sentry, lt_sentry_crash_event(&sentry->origin, text), CRASH_ATTEMPTS);
}

/* --- sending --- */

static void complain(struct lt_sentry *sentry, const struct lt_fetch_result *result)
{
	char quoted[LT_LOG_VALUE_MAX];

	if (!sentry->is_failing) {
		lt_log(&sentry->env.log, LT_WARN, "error reports are not taken, they are dropped",
				"status=%ld reason=%s", result->status,
				lt_log_value(result->status ? result->body : result->error,
						quoted));
	}
	sentry->is_failing = true;
}

/* The server's limits, also with a success. */
static void obey(struct lt_sentry *sentry, const struct lt_fetch_result *result)
{
	struct lt_wall now = lt_loop_wall(sentry->env.loop);
	int64_t seconds = lt_sentry_rate_limit_s(lt_fetch_header(result, "x-sentry-rate-limits"));

	if (result->status == 429 && !lt_fetch_header(result, "x-sentry-rate-limits").n) {
		seconds = lt_fetch_retry_after_s(result, now);
		seconds = seconds < 0 ? LIMIT_DEFAULT_S : seconds;
	}
	if (seconds > 0) {
		sentry->silent_until.us = now_of(sentry).us + seconds * LT_US_PER_S;
	}
}

static void drop_queue(struct lt_sentry *sentry)
{
	struct report *report, *next;

	DL_FOREACH_SAFE(sentry->queue, report, next) {
		if (report->attempts <= 1) {
			DL_DELETE(sentry->queue, report);
			free_report(report);
			sentry->n--;
			sentry->dropped++;
		}
	}
}

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct lt_sentry *sentry = arg;
	struct report *report = LT_STEAL(sentry->sending);
	bool is_refused = result->status >= 400 && result->status < 500 && result->status != 429;

	sentry->fetch = NULL;
	obey(sentry, result);
	if (result->status >= 200 && result->status < 300) {
		sentry->sent++;
		sentry->is_failing = false;
		free_report(report);
	} else {
		sentry->failed++;
		complain(sentry, result);
		if (--report->attempts > 0 && !is_refused) {
			DL_PREPEND(sentry->queue, report);
			sentry->n++;
			lt_timer_once(&sentry->again, sentry->env.loop, CRASH_PAUSE_MS, send_next,
					sentry);
		} else {
			free_report(report);
		}
	}
	if (now_of(sentry).us < sentry->silent_until.us) {
		drop_queue(sentry);
	}
	if (!lt_timer_is_armed(&sentry->again)) {
		lt_loop_defer(sentry->env.loop, &sentry->send_later, send_next, sentry);
	}
}

static void start_sending(struct lt_sentry *sentry, struct report *report)
{
	const char *const headers[] = { "Content-Type: application/x-sentry-envelope",
		sentry->authorization, NULL };
	char id[LT_UUID_TEXT];
	struct lt_err err = { 0 };

	lt_random_uuid(sentry->env.random, id);
	lt_buf_clear(&sentry->body);
	lt_sentry_envelope(&sentry->body, &sentry->dsn, report->event, id,
			lt_loop_wall(sentry->env.loop));
	sentry->sending = report;
	sentry->fetch = sentry->env.requests.start(sentry->env.requests.arg,
			&(struct lt_fetch_opts){
					.url = sentry->dsn.endpoint,
					.method = "POST",
					.headers = headers,
					.body = lt_buf_str(&sentry->body),
					.timeout_ms = TIMEOUT_MS,
					.body_max = ANSWER_MAX,
					.once = true,
					.result = on_result,
					.arg = sentry,
			},
			&err);
	if (!sentry->fetch) {
		on_result(sentry, &(struct lt_fetch_result){ .error = lt_str_from(err.msg) });
	}
}

static void send_next(void *arg)
{
	struct lt_sentry *sentry = arg;
	struct report *report = sentry->queue;
	int64_t silent_ms = (sentry->silent_until.us - now_of(sentry).us) / LT_US_PER_MS;

	if (!report || sentry->sending) {
		return;
	}
	if (silent_ms > 0) {
		lt_timer_once(&sentry->again, sentry->env.loop, silent_ms + 1, send_next, sentry);
		return;
	}
	lt_timer_cancel(&sentry->again);
	DL_DELETE(sentry->queue, report);
	sentry->n--;
	start_sending(sentry, report);
}

/* --- life --- */

static char **copy_list(const char *const *list)
{
	size_t n = 0;
	char **copy;

	while (list && list[n]) {
		n++;
	}
	copy = lt_reallocarray(NULL, n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++) {
		copy[i] = lt_strdup(list[i]);
	}
	copy[n] = NULL;
	return copy;
}

struct lt_sentry *lt_sentry_create(const struct lt_sentry_env *env, struct lt_err *err)
{
	struct lt_sentry *sentry = lt_zalloc(sizeof(*sentry));
	struct lt_buf authorization = { 0 };

	if (!lt_sentry_dsn_parse(lt_str_from(env->dsn), &sentry->dsn, err)) {
		lt_free(sentry);
		return NULL;
	}
	sentry->env = *env;
	sentry->env.log.module = "sentry";
	sentry->release = lt_strdup(env->release);
	sentry->environment = lt_strdup(env->environment);
	sentry->server_name = lt_strdup(env->server_name);
	sentry->secrets = copy_list(env->secrets);
	sentry->origin = (struct lt_sentry_origin){ sentry->release, sentry->environment,
		sentry->server_name, (const char *const *)sentry->secrets };
	lt_buf_printf(&authorization,
			"X-Sentry-Auth: Sentry sentry_version=7, sentry_client=livetimingd/" LT_VERSION
			", sentry_key=%s",
			sentry->dsn.key);
	sentry->authorization = lt_buf_steal(&authorization);
	sentry->tokens = BURST;
	sentry->refilled = now_of(sentry);
	return sentry;
}

void lt_sentry_destroy(struct lt_sentry *sentry)
{
	struct report *report, *next;

	if (!sentry) {
		return;
	}
	lt_deferred_cancel(&sentry->send_later);
	lt_timer_cancel(&sentry->again);
	if (sentry->fetch) {
		sentry->env.requests.cancel(sentry->env.requests.arg, sentry->fetch);
	}
	DL_FOREACH_SAFE(sentry->queue, report, next) {
		free_report(report);
	}
	if (sentry->sending) {
		free_report(sentry->sending);
	}
	for (char **secret = sentry->secrets; *secret; secret++) {
		lt_free(*secret);
	}
	lt_free(sentry->secrets);
	lt_free(sentry->release);
	lt_free(sentry->environment);
	lt_free(sentry->server_name);
	lt_free(sentry->authorization);
	lt_buf_finish(&sentry->body);
	lt_sentry_dsn_finish(&sentry->dsn);
	lt_free(sentry);
}

void lt_sentry_write_metrics(const struct lt_sentry *sentry, struct lt_buf *buf)
{
	lt_buf_printf(buf,
			"# HELP livetiming_error_reports_total Error reports by what became of them.\n"
			"# TYPE livetiming_error_reports_total counter\n"
			"livetiming_error_reports_total{result=\"sent\"} %" PRIu64 "\n"
			"livetiming_error_reports_total{result=\"failed\"} %" PRIu64 "\n"
			"livetiming_error_reports_total{result=\"dropped\"} %" PRIu64 "\n",
			sentry->sent, sentry->failed, sentry->dropped);
}
