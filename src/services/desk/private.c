#include "services/desk/private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/envelope.h"
#include "router/guard.h"
#include "router/http.h"
#include "router/local.h"
#include "router/router.h"

#define FILE_NAME       "private.json"
#define FILE_MAX_BYTES  (16u * 1024 * 1024)
#define CODES_MAX_BYTES (256u * 1024)
#define UUID_BYTES_MAX  128
/* A closed name, so that topics that carry it are for services alone. */
#define TABLE_NAME  "codes0"
#define TABLE_TOPIC LT_PRIVATE_PREFIX TABLE_NAME "."

struct lt_private {
	struct lt_private_env env;
	char *path, *codes_file, *node;
	struct lt_access_codes *codes;
	struct lt_saver *saver;
	struct lt_guard *guard;
	struct lt_local *local; /* NULL: stopped */
};

struct lt_private *lt_private_create(const struct lt_private_env *env)
{
	struct lt_private *private_ = lt_zalloc(sizeof(*private_));

	private_->env = *env;
	private_->env.log.module = "private";
	private_->path = lt_path_join(
			env->state_dir && *env->state_dir ? env->state_dir : ".", FILE_NAME);
	private_->codes_file = env->codes_file ? lt_strdup(env->codes_file) : NULL;
	private_->node = env->node ? lt_strdup(env->node) : NULL;
	private_->codes = lt_access_codes_create(env->random);
	private_->saver = lt_saver_create(env->loop, private_->env.log);
	private_->guard = lt_router_guard(env->router);
	lt_guard_announce(private_->guard, LT_TOPIC_CONTROL, "private");
	lt_guard_announce(private_->guard, LT_TOPIC_DIRECTORY, "private");
	lt_router_reserve(env->router, LT_STR(LT_PRIVATE_PREFIX), LT_RESERVE_REGISTER);
	return private_;
}

void lt_private_destroy(struct lt_private *private_)
{
	if (private_) {
		lt_private_stop(private_);
		lt_saver_destroy(private_->saver);
		lt_access_codes_destroy(private_->codes);
		lt_free(private_->path);
		lt_free(private_->codes_file);
		lt_free(private_->node);
		lt_free(private_);
	}
}

static struct lt_text *file_text(const struct lt_private *private_)
{
	LT_AUTO(cJSON_Delete) cJSON *file = lt_access_codes_file(private_->codes);
	struct lt_buf text = { 0 };

	lt_json_print(&text, file, LT_JSON_INDENTED);
	lt_buf_add_char(&text, '\n');
	return lt_text_take(&text);
}

/* waiter NULL: nobody waits. */
static void keep(struct lt_private *private_, struct lt_saver_waiter *waiter)
{
	struct lt_text *text = file_text(private_);

	if (waiter) {
		lt_saver_write_then(private_->saver, private_->path, text, waiter);
	} else {
		lt_saver_write(private_->saver, private_->path, text);
	}
	lt_text_unref(text);
}

/* --- other nodes --- */

static void tell_nodes(struct lt_private *private_)
{
	LT_AUTO(cJSON_Delete) cJSON *table = NULL;
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 }, args = { 0 };

	if (!private_->node || !private_->local) {
		return;
	}
	table = lt_access_codes_own(private_->codes);
	lt_buf_printf(&topic, TABLE_TOPIC "%s", private_->node);
	lt_buf_add_char(&args, '[');
	lt_json_print(&args, table, LT_JSON_UTF8);
	lt_buf_add_char(&args, ']');
	lt_local_publish(private_->local, lt_buf_str(&topic), true, lt_buf_str(&args), NULL);
}

static void on_changed(void *arg, struct lt_str uuid, bool is_closed)
{
	struct lt_private *private_ = arg;

	if (is_closed) {
		lt_guard_close(private_->guard, uuid, NULL);
	} else {
		lt_guard_open(private_->guard, uuid);
	}
	if (private_->env.review) {
		private_->env.review(private_->env.arg, uuid);
	}
}

static void on_table(void *arg, const struct lt_event *event)
{
	struct lt_private *private_ = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	struct lt_err err = { 0 };

	if (lt_str_eq_c(lt_str_skip(event->topic, strlen(TABLE_TOPIC)), private_->node)) {
		return;
	}
	args = lt_json_parse(event->args, &err);
	if (!args ||
			!lt_access_codes_merge(private_->codes, cJSON_GetArrayItem(args, 0),
					on_changed, private_, &err)) {
		lt_log(&private_->env.log, LT_ERROR, "what another node has closed cannot be read",
				"reason=\"%s\"", err.msg);
		return;
	}
	keep(private_, NULL);
}

static void save(struct lt_private *private_, struct lt_saver_waiter *waiter)
{
	keep(private_, waiter);
	tell_nodes(private_);
}

/* --- the codes file --- */

/* The code of the first line that names the service; n 0: none. Borrowed from the text. */
static struct lt_str find_code(struct lt_str text, struct lt_str uuid, struct lt_str service_class)
{
	while (text.p) {
		struct lt_str line = lt_str_trim(lt_str_split(&text, '\n'));
		struct lt_str name = lt_str_split(&line, ' ');

		if (name.n == 0 || name.p[0] == '#' || !line.p) {
			continue;
		}
		if (lt_str_eq_c(name, "*") || lt_str_eq(name, uuid) ||
				lt_str_eq(name, service_class)) {
			return lt_str_trim(line);
		}
	}
	return (struct lt_str){ NULL, 0 };
}

static void check_mode(const struct lt_private *private_)
{
	struct stat info;

	if (stat(private_->codes_file, &info) == 0 && (info.st_mode & 077) != 0) {
		lt_log(&private_->env.log, LT_WARN,
				"the file of access codes can be read by others: chmod 600",
				"path=%s", private_->codes_file);
	}
}

/* A code for a service that has none yet. */
static void give_code(struct lt_private *private_, struct lt_str uuid, struct lt_str service_class)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { 0 };
	struct lt_str code = { NULL, 0 };
	char quoted[LT_LOG_VALUE_MAX];

	if (private_->codes_file) {
		check_mode(private_);
		if (lt_file_read(private_->codes_file, CODES_MAX_BYTES, &text, &err)) {
			code = find_code(lt_buf_str(&text), uuid, service_class);
		} else {
			lt_log(&private_->env.log, LT_ERROR, "access codes not read",
					"reason=\"%s\"", err.msg);
		}
	}
	if (code.n > 0 && lt_access_code_check(code, &err)) {
		lt_access_codes_close(private_->codes, uuid, code);
		return;
	}
	lt_access_codes_close(private_->codes, uuid, (struct lt_str){ NULL, 0 });
	lt_log(&private_->env.log, LT_WARN,
			"a private service has no access code: livetimingctl desk private makes one",
			"uuid=%s reason=\"%s\"", lt_log_value(uuid, quoted),
			code.n > 0 ? err.msg : "no line of LIVETIMING_PRIVATE_CODES names it");
}

/* --- opening and closing --- */

bool lt_private_adopt(struct lt_private *private_, struct lt_str uuid, struct lt_str service_class,
		struct lt_err *err)
{
	if (!lt_guard_close(private_->guard, uuid, err)) {
		return lt_err_prefix(err, "a private service needs another UUID");
	}
	if (!lt_access_codes_is_closed(private_->codes, uuid) ||
			!lt_access_codes_has_code(private_->codes, uuid)) {
		give_code(private_, uuid, service_class);
		save(private_, NULL);
	}
	return true;
}

bool lt_private_close(struct lt_private *private_, struct lt_str uuid,
		char ret_code[LT_ACCESS_CODE_TEXT], struct lt_saver_waiter *waiter,
		struct lt_err *err)
{
	if (!lt_guard_close(private_->guard, uuid, err)) {
		return false;
	}
	lt_access_code_make(private_->env.random, ret_code);
	lt_access_codes_close(private_->codes, uuid, lt_str_from(ret_code));
	save(private_, waiter);
	return true;
}

bool lt_private_open(struct lt_private *private_, struct lt_str uuid,
		struct lt_saver_waiter *waiter, struct lt_err *err)
{
	if (!lt_access_codes_is_closed(private_->codes, uuid)) {
		return lt_err_set(err, LT_E_INVALID, "the service is not private");
	}
	lt_access_codes_open(private_->codes, uuid);
	lt_guard_open(private_->guard, uuid);
	save(private_, waiter);
	return true;
}

void lt_private_forget(struct lt_private *private_, const struct lt_saver_waiter *waiter)
{
	lt_saver_forget(private_->saver, waiter);
}

bool lt_private_is_closed(const struct lt_private *private_, struct lt_str uuid)
{
	return lt_access_codes_is_closed(private_->codes, uuid);
}

bool lt_private_may_see(const struct lt_private *private_, struct lt_str uuid, uint64_t session)
{
	return !lt_private_is_closed(private_, uuid) ||
			lt_guard_is_admitted(private_->guard, uuid, session);
}

struct lt_str lt_private_owner(const struct lt_private *private_, struct lt_str file_name)
{
	for (size_t n = 1; n < file_name.n && n <= UUID_BYTES_MAX; n++) {
		struct lt_str uuid = { file_name.p, n };

		if ((file_name.p[n] == '.' || file_name.p[n] == '_') &&
				lt_access_codes_is_known(private_->codes, uuid)) {
			return uuid;
		}
	}
	return (struct lt_str){ file_name.p, 0 };
}

/* --- tries --- */

/* "[::1]:5000" and "10.0.0.1:5000" without the port. */
static struct lt_str host_of(struct lt_str peer)
{
	const char *colon = peer.n > 0 ? memrchr(peer.p, ':', peer.n) : NULL;
	bool is_bare = colon && peer.p[0] != '[' && memchr(peer.p, ':', peer.n) != colon;

	if (colon && !is_bare && (peer.p[0] != '[' || colon[-1] == ']')) {
		peer.n = (size_t)(colon - peer.p);
	}
	return peer;
}

static enum lt_access_answer try_code(struct lt_private *private_, struct lt_str uuid,
		struct lt_str code, struct lt_str peer)
{
	enum lt_access_answer access = lt_access_codes_try(private_->codes, uuid, code,
			host_of(peer), lt_loop_now(private_->env.loop));
	char quoted[LT_LOG_VALUE_MAX], where[LT_LOG_VALUE_MAX];

	if (access == LT_ACCESS_WRONG) {
		lt_log(&private_->env.log, LT_INFO, "wrong access code", "uuid=%s address=%s",
				lt_log_value(uuid, quoted), lt_log_value(peer, where));
	}
	return access;
}

static struct lt_str code_of(const struct lt_http_req *req)
{
	struct lt_str code = lt_http_query(req, "code");

	return code.p ? code : lt_http_header(req, "x-access-code");
}

bool lt_private_has_code(const struct lt_http_req *req)
{
	return code_of(req).p != NULL;
}

int lt_private_gate(struct lt_private *private_, struct lt_str uuid, struct lt_http_req *req)
{
	struct lt_str code = code_of(req);

	if (!code.p) {
		return 404;
	}
	switch (try_code(private_, uuid, code, lt_http_peer(req))) {
	case LT_ACCESS_RIGHT:
		return 200;
	case LT_ACCESS_TOO_MANY:
		return 429;
	case LT_ACCESS_WRONG:
		break;
	}
	return 403;
}

/* --- the procedure --- */

static void yield_manifest(
		const struct lt_private *private_, uint64_t invocation, struct lt_str uuid)
{
	struct lt_str manifest = private_->env.manifest(private_->env.arg, uuid);
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };

	lt_buf_add_c(&args, "[{\"uuid\":");
	lt_json_write_str(&args, uuid);
	lt_buf_add_c(&args, ",\"manifest\":");
	lt_buf_add_str(&args, manifest.n ? manifest : LT_STR("null"));
	lt_buf_add_c(&args, "}]");
	lt_local_yield(private_->local, invocation, lt_buf_str(&args));
}

static void open_for(struct lt_private *private_, const struct lt_invocation *invocation,
		struct lt_str uuid, struct lt_str code)
{
	bool is_public = !lt_private_is_closed(private_, uuid) &&
			private_->env.manifest(private_->env.arg, uuid).n > 0;
	enum lt_access_answer access = is_public
			? LT_ACCESS_RIGHT
			: try_code(private_, uuid, code, invocation->origin.address);

	if (access == LT_ACCESS_TOO_MANY) {
		lt_local_error(private_->local, invocation->id, "livetiming.error.too_many_tries",
				"too many wrong codes; wait a minute");
		return;
	}
	if (access == LT_ACCESS_WRONG ||
			(!is_public &&
					!lt_guard_admit(private_->guard, uuid,
							invocation->origin.session))) {
		lt_local_error(private_->local, invocation->id, "livetiming.error.wrong_code",
				"no private service fits this UUID and code");
		return;
	}
	yield_manifest(private_, invocation->id, uuid);
}

static void on_open(void *arg, const struct lt_invocation *invocation)
{
	struct lt_private *private_ = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(invocation->args, NULL);
	const cJSON *uuid = cJSON_GetArrayItem(args, 0), *code = cJSON_GetArrayItem(args, 1);

	if (!cJSON_IsString(uuid) || !cJSON_IsString(code)) {
		lt_local_error(private_->local, invocation->id, "wamp.error.invalid_argument",
				"expected a UUID and a code, two texts");
	} else if (invocation->origin.in_process) {
		lt_local_error(private_->local, invocation->id, "wamp.error.invalid_argument",
				"this needs a session; over HTTP give the code with each request");
	} else {
		open_for(private_, invocation, lt_str_from(uuid->valuestring),
				lt_str_from(code->valuestring));
	}
}

/* --- life --- */

static void close_one(void *arg, struct lt_str uuid)
{
	struct lt_private *private_ = arg;
	struct lt_err err = { 0 };
	char quoted[LT_LOG_VALUE_MAX];

	if (!lt_guard_close(private_->guard, uuid, &err)) {
		lt_log(&private_->env.log, LT_ERROR, "a private service cannot be closed",
				"uuid=%s reason=\"%s\"", lt_log_value(uuid, quoted), err.msg);
	}
}

static bool read_file(struct lt_private *private_, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *file = NULL;

	if (access(private_->path, F_OK) != 0 && errno == ENOENT) {
		return true;
	}
	file = lt_json_parse_file(private_->path, FILE_MAX_BYTES, err);
	return (file && lt_access_codes_read(private_->codes, file, err)) ||
			lt_err_prefix(err, "%s: private services cannot be told from others",
					private_->path);
}

static bool join_nodes(struct lt_private *private_, struct lt_err *err)
{
	if (!lt_guard_close(private_->guard, LT_STR(TABLE_NAME), err) ||
			!lt_local_subscribe(private_->local, LT_STR(TABLE_TOPIC), LT_MATCH_PREFIX,
					true, on_table, private_, err)) {
		return false;
	}
	tell_nodes(private_);
	return true;
}

bool lt_private_start(struct lt_private *private_, struct lt_err *err)
{
	uint64_t id;

	if (!read_file(private_, err)) {
		return false;
	}
	lt_access_codes_each_closed(private_->codes, close_one, private_);
	private_->local = lt_local_join(
			private_->env.router, LT_STR(LT_REALM), "private", "services", err);
	return private_->local != NULL &&
			lt_local_register(private_->local, LT_STR(LT_PRIVATE_PREFIX "open"), true,
					on_open, private_, &id, err) &&
			(!private_->node || join_nodes(private_, err));
}

void lt_private_stop(struct lt_private *private_)
{
	lt_local_leave(LT_STEAL(private_->local));
}
