/*
 * "lt.inbox/1": messages sent to a service, as calls of livetiming.push.UUID:
 *
 *   [message] or [text of it], {"token"?}  ->  [{"ok": true, ...}]
 *
 * The router lets the role "services" alone call it (services/web/push.h, which
 * calls it for HTTP requests with the token that they brought). A token that is
 * given has to be the right one; a call without one is of such a role.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/fsutil.h"
#include "base/json.h"
#include "race/envelope.h"
#include "race/feed_json.h"
#include "router/local.h"
#include "services/plugin/plugin_host_priv.h"
#include "services/plugin/plugin_state.h"

#define TOKEN_MIN      16
#define TOKEN_MAX      512
#define FILE_BYTES     4096
#define PER_SECOND     20
#define LOG_EVERY_US   (60 * (int64_t)LT_US_PER_S)
#define MILLI          1000 /* parts of a message, in the bucket */
#define ERROR_ARGUMENT "wamp.error.invalid_argument"

struct inbox {
	struct lt_resource resource;
	struct lt_inbox_opts opts;
	struct lt_local *local;
	uint64_t registration;
	struct lt_host_stream stream;
	char *token;     /* owned; NULL: there is none */
	int64_t bucket;  /* messages that may come at once, in thousandths */
	int64_t fill_us; /* when it was filled last */
	int64_t denied_logged_us;
};

static void close_inbox(struct lt_resource *resource)
{
	struct inbox *inbox = lt_container_of(resource, struct inbox, resource);

	if (inbox->local != NULL) {
		lt_local_unregister(LT_STEAL(inbox->local), inbox->registration, NULL);
	}
	lt_host_stream_close(&inbox->stream);
}

static void free_inbox(struct lt_resource *resource)
{
	struct inbox *inbox = lt_container_of(resource, struct inbox, resource);

	if (inbox->token != NULL) {
		explicit_bzero(inbox->token, strlen(inbox->token));
	}
	lt_free(inbox->token);
	lt_free(inbox);
}

/* --- token --- */

static bool check_token(struct lt_str token, struct lt_err *err)
{
	if (token.n < TOKEN_MIN || token.n > TOKEN_MAX) {
		return lt_err_set(err, LT_E_INVALID, "expected a token of %d to %d characters",
				TOKEN_MIN, TOKEN_MAX);
	}
	for (size_t i = 0; i < token.n; i++) {
		if (token.p[i] <= ' ' || token.p[i] > '~') {
			return lt_err_set(err, LT_E_INVALID,
					"a token has no blanks and no characters beyond ASCII");
		}
	}
	return true;
}

/* The first line of a file. Small, and read once at the start of the service. */
static bool read_token(struct inbox *inbox, struct lt_err *err)
{
	const char *configured = inbox->resource.host->env.push_token;
	LT_AUTO(lt_buf_finish) struct lt_buf file = { 0 };
	struct lt_str token = lt_str_from(configured), rest;

	if (inbox->opts.token_file != NULL) {
		if (!lt_file_read(inbox->opts.token_file, FILE_BYTES, &file, err)) {
			return false;
		}
		rest = lt_buf_str(&file);
		token = lt_str_trim(lt_str_split(&rest, '\n'));
		if (!check_token(token, err)) {
			return lt_err_prefix(err, "%s", inbox->opts.token_file);
		}
	} else if (configured == NULL || *configured == '\0') {
		return true;
	} else if (!check_token(token, err)) {
		return lt_err_prefix(err, "LIVETIMING_PUSH_TOKEN");
	}
	inbox->token = lt_str_dup(token);
	return true;
}

/* --- what comes in --- */

static bool is_too_often(struct inbox *inbox)
{
	int64_t now_us = lt_loop_now(inbox->resource.host->env.loop).us;
	int64_t per_second = inbox->opts.per_second;
	int64_t full = 2 * per_second * MILLI;

	inbox->bucket += LT_MIN((now_us - inbox->fill_us) / MILLI, 2 * MILLI) * per_second;
	inbox->bucket = LT_MIN(inbox->bucket, full);
	inbox->fill_us = now_us;
	if (inbox->bucket < MILLI) {
		return true;
	}
	inbox->bucket -= MILLI;
	return false;
}

/* Give a message to the plugin. False: refused, with the sentence; else answer is its own. */
static bool give(struct inbox *inbox, const cJSON *message, struct lt_str *ret_answer)
{
	struct lt_host_call call;
	int32_t result = -1;

	*ret_answer = LT_STR("");
	if (!lt_host_enter(inbox->resource.host, "message", &call)) {
		*ret_answer = LT_STR("the service does not run");
		return false;
	}
	result = inbox->opts.message(inbox->opts.arg, lt_feed_value(message), ret_answer);
	lt_host_leave(&call);
	return result == 0;
}

static void record(const struct inbox *inbox, const cJSON *message)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (inbox->stream.number != 0) {
		lt_json_print(&text, message, LT_JSON_UTF8);
		lt_host_stream_record(&inbox->stream, LT_RAW_TEXT, LT_STR(""), lt_buf_str(&text));
	}
}

static void on_played(void *arg, const struct lt_raw_record *raw)
{
	struct inbox *inbox = arg;
	LT_AUTO(cJSON_Delete)
	cJSON *message = raw->kind == LT_RAW_TEXT ? lt_json_parse(raw->bytes, NULL) : NULL;
	struct lt_str answer;

	if (message != NULL) {
		give(inbox, message, &answer);
	}
}

static void yield(const struct inbox *inbox, uint64_t invocation, struct lt_str more)
{
	LT_AUTO(cJSON_Delete) cJSON *answer = cJSON_CreateObject();
	LT_AUTO(cJSON_Delete) cJSON *added = lt_json_parse(more, NULL);
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	const cJSON *member = cJSON_IsObject(added) ? added->child : NULL;

	lt_json_add_bool(answer, "ok", true);
	for (; member != NULL; member = member->next) {
		lt_json_set_take(answer, member->string, cJSON_Duplicate(member, true));
	}
	lt_buf_add_char(&args, '[');
	lt_json_print(&args, answer, LT_JSON_UTF8);
	lt_buf_add_char(&args, ']');
	lt_local_yield(inbox->local, invocation, lt_buf_str(&args));
}

static void refuse(const struct inbox *inbox, uint64_t invocation, const char *uri,
		struct lt_str sentence)
{
	char text[400];

	sentence.n = LT_MIN(sentence.n, sizeof(text) - 1);
	sentence.n = lt_utf8_prefix(sentence);
	snprintf(text, sizeof(text), "%.*s", LT_STR_ARG(sentence));
	lt_local_error(inbox->local, invocation, uri, text);
}

/* A token that was brought has to be right; without one the router has let the caller in. */
static bool is_allowed(struct inbox *inbox, struct lt_str kwargs)
{
	LT_AUTO(cJSON_Delete) cJSON *tree = kwargs.n > 0 ? lt_json_parse(kwargs, NULL) : NULL;
	const cJSON *token = lt_json_get(tree, "token");
	int64_t now_us = lt_loop_now(inbox->resource.host->env.loop).us;

	if (token == NULL) {
		return true;
	}
	if (inbox->token != NULL && cJSON_IsString(token) &&
			lt_secret_eq(lt_str_from(token->valuestring), lt_str_from(inbox->token))) {
		return true;
	}
	lt_host_count(inbox->resource.host, "denied", 1);
	if (inbox->denied_logged_us == 0 || now_us - inbox->denied_logged_us >= LOG_EVERY_US) {
		inbox->denied_logged_us = now_us;
		lt_log(&inbox->resource.host->env.log, LT_WARN,
				"message refused: it had not the service's token", "has_token=%s",
				inbox->token ? "yes" : "no");
	}
	return false;
}

static void take(struct inbox *inbox, uint64_t invocation, const cJSON *message)
{
	struct lt_host *host = inbox->resource.host;
	struct lt_str answer;
	bool is_taken;

	record(inbox, message);
	is_taken = give(inbox, message, &answer);
	lt_host_count(host, is_taken ? "records" : "refused", 1);
	if (inbox->local == NULL) {
		return; /* closed meanwhile */
	}
	if (is_taken) {
		yield(inbox, invocation, answer);
	} else {
		refuse(inbox, invocation, ERROR_ARGUMENT,
				answer.n > 0 ? answer : LT_STR("it cannot be used"));
	}
}

static void on_call(void *arg, const struct lt_invocation *invocation)
{
	struct inbox *inbox = arg;
	struct lt_err err = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	LT_AUTO(cJSON_Delete) cJSON *parsed = NULL;
	const cJSON *message;

	if (!is_allowed(inbox, invocation->kwargs)) {
		refuse(inbox, invocation->id, "livetiming.error.denied",
				LT_STR("the token of this service is missing or wrong"));
		return;
	}
	if (is_too_often(inbox)) {
		lt_host_count(inbox->resource.host, "too_often", 1);
		refuse(inbox, invocation->id, "livetiming.error.too_often",
				LT_STR("too many messages: put changes together"));
		return;
	}
	if (invocation->args.n <= LT_PUSH_BYTES_MAX + 2) {
		args = lt_json_parse(
				invocation->args.n > 0 ? invocation->args : LT_STR("[]"), &err);
	} else {
		lt_err_set(&err, LT_E_LIMIT, "a message of more than %zu bytes", LT_PUSH_BYTES_MAX);
	}
	message = cJSON_GetArrayItem(args, 0);
	if (cJSON_IsString(message)) { /* the text of a message */
		parsed = lt_json_parse(lt_str_from(message->valuestring), &err);
		message = parsed;
	}
	if (message == NULL) {
		lt_host_count(inbox->resource.host, "refused", 1);
		refuse(inbox, invocation->id, ERROR_ARGUMENT,
				err.msg[0] ? lt_str_from(err.msg) : LT_STR("there is no message"));
		return;
	}
	take(inbox, invocation->id, message);
}

/* --- life --- */

static bool start_inbox(struct inbox *inbox, struct lt_err *err)
{
	struct lt_host *host = inbox->resource.host;
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

	/* A capture is played: nobody sends. */
	if (lt_host_stream_open(&inbox->stream, host, "inbox", LT_STR(""), on_played, inbox)) {
		return true;
	}
	if (host->env.session == NULL || host->env.session(host->env.owner_arg) == NULL) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "this host takes no messages");
	}
	if (!read_token(inbox, err)) {
		return false;
	}
	inbox->local = host->env.session(host->env.owner_arg);
	lt_buf_printf(&name, "%s%s", LT_RPC_PUSH, host->env.uuid);
	if (!lt_local_register(inbox->local, lt_buf_str(&name), true, on_call, inbox,
			    &inbox->registration, err)) {
		inbox->local = NULL;
		return false;
	}
	return true;
}

static void *inbox_open(struct lt_host *host, const struct lt_inbox_opts *theirs)
{
	struct inbox *inbox = lt_zalloc(sizeof(*inbox));
	struct lt_err err = { 0 };

	lt_copy_sized(&inbox->opts, sizeof(inbox->opts), theirs);
	inbox->opts.per_second =
			inbox->opts.per_second ? LT_MIN(inbox->opts.per_second, 1000u) : PER_SECOND;
	inbox->bucket = 2 * (int64_t)inbox->opts.per_second * MILLI;
	inbox->fill_us = lt_loop_now(host->env.loop).us;
	inbox->resource.close = close_inbox;
	inbox->resource.free = free_inbox;
	lt_resource_add(host, &inbox->resource);
	if (!start_inbox(inbox, &err)) {
		lt_host_fail_err(host, &err);
		lt_resource_close(&inbox->resource);
		return NULL;
	}
	return inbox;
}

static void inbox_close(void *handle)
{
	struct inbox *inbox = lt_resource_check(handle, close_inbox);

	if (inbox != NULL) {
		lt_resource_close(&inbox->resource);
	}
}

const struct lt_inbox_ext lt_host_inbox_ext = {
	.size = sizeof(lt_host_inbox_ext), .open = inbox_open, .close = inbox_close
};
