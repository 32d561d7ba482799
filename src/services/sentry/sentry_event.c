#include "services/sentry/sentry_event.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>

#include "base/alloc.h"
#include "base/crash.h"

#define LIMIT_MAX_S      86400
#define SECRET_MIN_BYTES 4
#define FRAMES_MAX       64

/* --- DSN --- */

static bool is_plain(struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"\\<>", (char)c)) {
			return false;
		}
	}
	return true;
}

static bool has_byte(struct lt_str text, char byte)
{
	return text.p && memchr(text.p, byte, text.n);
}

static bool take_scheme(struct lt_str *rest, struct lt_str *ret_scheme)
{
	static const char *const schemes[] = { "https://", "http://" };

	for (size_t i = 0; i < LT_ARRAY_LEN(schemes); i++) {
		if (lt_str_starts(*rest, lt_str_from(schemes[i]))) {
			*ret_scheme = (struct lt_str){ rest->p, strlen(schemes[i]) };
			*rest = lt_str_skip(*rest, ret_scheme->n);
			return true;
		}
	}
	return false;
}

bool lt_sentry_dsn_parse(struct lt_str text, struct lt_sentry_dsn *ret_dsn, struct lt_err *err)
{
	struct lt_str rest = text, scheme, user, key, host, project, path;
	struct lt_buf endpoint = { 0 };
	const char *slash;

	if (!is_plain(text) || !take_scheme(&rest, &scheme)) {
		return lt_err_set(err, LT_E_INVALID, "expected https://KEY@HOST/PROJECT");
	}
	user = lt_str_split(&rest, '@');
	if (!rest.p || has_byte(user, '/')) {
		return lt_err_set(
				err, LT_E_INVALID, "the key is missing: https://KEY@HOST/PROJECT");
	}
	key = lt_str_split(&user, ':'); /* a secret behind it is of old and has no use */
	host = lt_str_split(&rest, '/');
	slash = rest.p && rest.n ? memrchr(rest.p, '/', rest.n) : NULL;
	path = (struct lt_str){ rest.p, slash ? (size_t)(slash - rest.p) : 0 };
	project = slash ? lt_str_skip(rest, path.n + 1) : rest;
	if (!key.n || !host.n) {
		return lt_err_set(err, LT_E_INVALID, "%s is missing: https://KEY@HOST/PROJECT",
				key.n ? "the host" : "the key");
	}
	if (!project.n || has_byte(project, '?') || has_byte(project, '#')) {
		return lt_err_set(err, LT_E_INVALID,
				"the project is missing: https://KEY@HOST/PROJECT");
	}
	lt_buf_add_str(&endpoint, scheme);
	lt_buf_add_str(&endpoint, host);
	if (path.n) {
		lt_buf_add_char(&endpoint, '/');
		lt_buf_add_str(&endpoint, path);
	}
	lt_buf_printf(&endpoint, "/api/%.*s/envelope/", LT_STR_ARG(project));
	ret_dsn->endpoint = lt_buf_steal(&endpoint);
	ret_dsn->key = lt_str_dup(key);
	ret_dsn->text = lt_str_dup(text);
	return true;
}

void lt_sentry_dsn_finish(struct lt_sentry_dsn *dsn)
{
	lt_free(dsn->endpoint);
	lt_free(dsn->key);
	lt_free(dsn->text);
	*dsn = (struct lt_sentry_dsn){ 0 };
}

/* --- what must stay here --- */

/* Length of a URL at the start; 0: there is none. */
static size_t url_length(struct lt_str text)
{
	size_t n = 0;

	while (n < text.n && (isalnum((unsigned char)text.p[n]) || strchr("+-.", text.p[n]))) {
		n++;
	}
	if (n == 0 || !lt_str_starts(lt_str_skip(text, n), LT_STR("://"))) {
		return 0;
	}
	while (n < text.n && (unsigned char)text.p[n] > ' ' && !strchr("\"<>", text.p[n])) {
		n++;
	}
	return n;
}

static bool is_address(struct lt_str word)
{
	unsigned char bytes[16];
	char copy[INET6_ADDRSTRLEN];
	const char *colon = memrchr(word.p, ':', word.n);

	if (word.n < 2 || word.n >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, word.p, word.n);
	copy[word.n] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1) {
		return true;
	}
	if (!colon) {
		return false;
	}
	copy[colon - word.p] = '\0'; /* with a port */
	return inet_pton(AF_INET, copy, bytes) == 1;
}

/* Length of an address at the start of a word; 0: there is none. */
static size_t address_length(struct lt_str text)
{
	size_t n = 0;

	while (n < text.n && (isxdigit((unsigned char)text.p[n]) || strchr(":.", text.p[n]))) {
		n++;
	}
	while (n && strchr(":.", text.p[n - 1]) && !is_address((struct lt_str){ text.p, n })) {
		n--; /* the punctuation of the sentence */
	}
	return is_address((struct lt_str){ text.p, n }) ? n : 0;
}

static size_t secret_length(struct lt_str text, const char *const *secrets)
{
	size_t longest = 0;

	for (; secrets && *secrets; secrets++) {
		size_t n = strlen(*secrets);

		if (n >= SECRET_MIN_BYTES && n > longest &&
				lt_str_starts(text, lt_str_from(*secrets))) {
			longest = n;
		}
	}
	return longest;
}

void lt_sentry_scrub(struct lt_buf *buf, struct lt_str text, const char *const *secrets)
{
	bool in_word = false; /* URLs and addresses begin where a word does */

	while (text.n) {
		size_t n = secret_length(text, secrets);
		const char *instead = "[secret]";

		if (!n && !in_word) {
			instead = "[url]";
			n = url_length(text);
		}
		if (!n && !in_word) {
			instead = "[address]";
			n = address_length(text);
		}
		in_word = !n && isalnum((unsigned char)text.p[0]);
		if (n) {
			lt_buf_add_c(buf, instead);
		} else {
			lt_buf_add_char(buf, text.p[0]);
			n = 1;
		}
		text = lt_str_skip(text, n);
	}
}

/* Fields whose values tell who a client is, or what it said to be let in. */
static bool is_private(struct lt_str key)
{
	static const char *const keys[] = { "address", "peer", "remote", "client", "ip",
		"forwarded", "url", "uri", "origin", "authid", "ticket", "secret", "token",
		"password", "code" };

	for (size_t i = 0; i < LT_ARRAY_LEN(keys); i++) {
		if (lt_str_eq_c(key, keys[i])) {
			return true;
		}
	}
	return false;
}

/* --- events --- */

static void add_scrubbed(cJSON *object, const char *key, struct lt_str text,
		const struct lt_sentry_origin *origin)
{
	LT_AUTO(lt_buf_finish) struct lt_buf clean = { 0 };

	lt_sentry_scrub(&clean, text, origin->secrets);
	lt_json_add_str(object, key, clean.n ? lt_buf_str(&clean) : LT_STR(""));
}

static cJSON *create_event(const struct lt_sentry_origin *origin, const char *level,
		const char *logger, struct lt_wall time)
{
	cJSON *event = cJSON_CreateObject(), *sdk = cJSON_CreateObject();
	char text[LT_WALL_TEXT];

	lt_wall_format(time, text);
	lt_json_add_c(event, "timestamp", text);
	lt_json_add_c(event, "platform", "c");
	lt_json_add_c(event, "level", level);
	lt_json_add_c(event, "logger", logger);
	lt_json_add_c(event, "server_name", origin->server_name);
	lt_json_add_c(event, "release", origin->release);
	lt_json_add_c(event, "environment", origin->environment);
	lt_json_add_c(sdk, "name", "livetimingd");
	lt_json_add_c(sdk, "version", LT_VERSION);
	lt_json_set_take(event, "sdk", sdk);
	return event;
}

static void take_field(cJSON *tags, cJSON *extra, struct lt_str key, struct lt_str value,
		const struct lt_sentry_origin *origin)
{
	LT_AUTO(lt_free) char *name = lt_str_dup(key);

	if (is_private(key)) {
		return;
	}
	if (lt_str_eq_c(key, "uuid")) {
		add_scrubbed(tags, "uuid", value, origin);
	} else if (lt_str_eq_c(key, "service") || lt_str_eq_c(key, "service_name") ||
			lt_str_eq_c(key, "plugin")) {
		add_scrubbed(tags, "service_name", value, origin);
	}
	add_scrubbed(extra, name, value, origin);
}

cJSON *lt_sentry_record_event(
		const struct lt_sentry_origin *origin, const struct lt_log_record *record)
{
	cJSON *event = create_event(origin, "error", record->module, record->time);
	cJSON *tags = cJSON_CreateObject(), *extra = cJSON_CreateObject();
	cJSON *entry = cJSON_CreateObject(), *fingerprint = cJSON_CreateArray();
	LT_AUTO(lt_buf_finish) struct lt_buf value = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf formatted = { 0 };
	struct lt_str fields = record->fields, key;

	lt_buf_add_c(&formatted, record->phrase);
	while (lt_log_next_field(&fields, &key, &value)) {
		take_field(tags, extra, key, lt_buf_str(&value), origin);
		if (lt_str_eq_c(key, "reason") || lt_str_eq_c(key, "error")) {
			lt_buf_printf(&formatted, ": %.*s", LT_STR_ARG(lt_buf_str(&value)));
		}
	}
	lt_json_add_c(entry, "message", record->phrase);
	add_scrubbed(entry, "formatted", lt_buf_str(&formatted), origin);
	cJSON_AddItemToArray(fingerprint, cJSON_CreateString(record->module));
	cJSON_AddItemToArray(fingerprint, cJSON_CreateString(record->phrase));
	lt_json_set_take(event, "logentry", entry);
	lt_json_set_take(event, "fingerprint", fingerprint);
	lt_json_set_take(event, "tags", tags);
	lt_json_set_take(event, "extra", extra);
	return event;
}

/* "PATH(FUNCTION+0x1c) [0x55d0]" as a frame; NULL: it is no such line. */
static cJSON *frame_of(struct lt_str line)
{
	const char *open = line.n ? memchr(line.p, '(', line.n) : NULL;
	const char *bracket = line.n ? memrchr(line.p, '[', line.n) : NULL;
	struct lt_str address, function;
	cJSON *frame;

	if (!open || !bracket || !lt_str_ends(line, LT_STR("]"))) {
		return NULL;
	}
	address = lt_str_skip(line, (size_t)(bracket - line.p) + 1);
	address.n--;
	function = lt_str_skip(line, (size_t)(open - line.p) + 1);
	function = lt_str_split(&function, '+');
	frame = cJSON_CreateObject();
	lt_json_add_str(frame, "package", (struct lt_str){ line.p, (size_t)(open - line.p) });
	if (function.n && !memchr(function.p, ')', function.n)) {
		lt_json_add_str(frame, "function", function);
	}
	lt_json_add_str(frame, "instruction_addr", address);
	return frame;
}

/* The oldest call first, as Sentry has them. */
static cJSON *stacktrace_of(struct lt_str backtrace)
{
	cJSON *stacktrace = cJSON_CreateObject(), *frames = cJSON_CreateArray();

	for (int n = 0; backtrace.p && n < FRAMES_MAX; n++) {
		cJSON *frame = frame_of(lt_str_split(&backtrace, '\n'));

		if (frame) {
			cJSON_InsertItemInArray(frames, 0, frame);
		}
	}
	lt_json_set_take(stacktrace, "frames", frames);
	return stacktrace;
}

cJSON *lt_sentry_crash_event(const struct lt_sentry_origin *origin, struct lt_str crash)
{
	struct lt_str signal = lt_crash_field(crash, "signal"), name = signal;
	struct lt_str address = lt_crash_field(crash, "address");
	struct lt_str backtrace = lt_crash_backtrace(crash);
	LT_AUTO(lt_buf_finish) struct lt_buf value = { 0 };
	cJSON *exception = cJSON_CreateObject(), *exceptions = cJSON_CreateObject();
	cJSON *values = cJSON_CreateArray(), *extra = cJSON_CreateObject(), *event;
	struct lt_wall time = { 0 };
	int64_t seconds = 0;

	lt_parse_i64(lt_crash_field(crash, "time"), 0, INT64_C(1) << 40, &seconds, NULL);
	time.us = seconds * LT_US_PER_S;
	lt_str_split(&name, ' ');
	lt_buf_printf(&value, "ended by signal %.*s", LT_STR_ARG(signal));
	if (address.n) {
		lt_buf_printf(&value, " at %.*s", LT_STR_ARG(address));
	}
	event = create_event(origin, "fatal", "crash", time);
	lt_json_add_str(exception, "type", name.p && name.n ? name : LT_STR("Crash"));
	lt_json_add_str(exception, "value", lt_buf_str(&value));
	lt_json_set_take(exception, "stacktrace", stacktrace_of(backtrace));
	cJSON_AddItemToArray(values, exception);
	lt_json_set_take(exceptions, "values", values);
	lt_json_set_take(event, "exception", exceptions);
	add_scrubbed(extra, "backtrace", backtrace, origin);
	add_scrubbed(extra, "program", lt_crash_field(crash, "program"), origin);
	add_scrubbed(extra, "pid", lt_crash_field(crash, "pid"), origin);
	lt_json_set_take(event, "extra", extra);
	return event;
}

/* --- the envelope --- */

void lt_sentry_envelope(struct lt_buf *buf, const struct lt_sentry_dsn *dsn, cJSON *event,
		const char *event_id, struct lt_wall now)
{
	LT_AUTO(lt_buf_finish) struct lt_buf payload = { 0 };
	char sent_at[LT_WALL_TEXT];

	lt_wall_format(now, sent_at);
	lt_json_set_take(event, "event_id", cJSON_CreateString(event_id));
	lt_json_print(&payload, event, LT_JSON_COMPACT);
	lt_buf_printf(buf, "{\"event_id\":\"%s\",\"sent_at\":\"%s\",\"dsn\":", event_id, sent_at);
	lt_json_write_str(buf, lt_str_from(dsn->text));
	lt_buf_printf(buf,
			"}\n{\"type\":\"event\",\"length\":%zu,\"content_type\":\"application/json\"}\n",
			payload.n);
	lt_buf_add_str(buf, lt_buf_str(&payload));
	lt_buf_add_char(buf, '\n');
}

/* --- limits --- */

static bool concerns_errors(struct lt_str categories)
{
	if (!categories.n) {
		return true; /* all of them */
	}
	while (categories.p) {
		if (lt_str_eq_c(lt_str_trim(lt_str_split(&categories, ';')), "error")) {
			return true;
		}
	}
	return false;
}

int64_t lt_sentry_rate_limit_s(struct lt_str header)
{
	int64_t most = 0;

	while (header.p) {
		struct lt_str rest = lt_str_split(&header, ',');
		struct lt_str seconds = lt_str_trim(lt_str_split(&rest, ':'));
		struct lt_str categories = rest.p ? lt_str_split(&rest, ':') : LT_STR("none");
		double value;

		if (lt_parse_double(seconds, &value, NULL) && value > 0 &&
				concerns_errors(lt_str_trim(categories))) {
			value = ceil(LT_MIN(value, (double)LIMIT_MAX_S));
			most = LT_MAX(most, (int64_t)value);
		}
	}
	return most;
}
