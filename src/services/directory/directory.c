#include "services/directory/directory.h"

#include <assert.h>

#include "base/alloc.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/directory/directory_priv.h"

#define LISTING_INTERVAL_MS 60000
#define LISTING_BYTES_MS    (8 * 1024) /* so much of it a millisecond: large ones rest between */
#define ALIVE_INTERVAL_MS   10000
#define ALIVE_TIMEOUT_MS    (2 * ALIVE_INTERVAL_MS)
#define UUID_BYTES_MAX      128
#define MANIFEST_BYTES_MAX  (64 * 1024)
#define LISTING_BYTES_MAX   (1024 * 1024) /* every viewer gets all of it, at every change */
#define SERVICES_MAX        10000
#define EXTERNAL_ROLE       "external_service"

struct lt_directory *lt_directory_create(const struct lt_directory_env *env)
{
	struct lt_directory *directory = lt_zalloc(sizeof(*directory));

	directory->env = *env;
	directory->env.log.module = "directory";
	return directory;
}

void lt_directory_set_principals(struct lt_directory *directory, const cJSON *principals)
{
	directory->env.principals = principals;
}

/* --- entries --- */

static struct lt_directory_entry *find_entry(
		const struct lt_directory *directory, struct lt_str uuid)
{
	struct lt_directory_entry *found = NULL;

	HASH_FIND(hh, directory->by_uuid, uuid.p, (unsigned)uuid.n, found);
	return found;
}

static struct lt_directory_entry *add_entry(struct lt_directory *directory, struct lt_str uuid)
{
	struct lt_directory_entry *entry = lt_zalloc(sizeof(*entry));

	entry->uuid = lt_str_dup(uuid);
	DL_APPEND(directory->entries, entry);
	HASH_ADD_KEYPTR(hh, directory->by_uuid, entry->uuid, (unsigned)uuid.n, entry);
	directory->n++;
	return entry;
}

/* Takes the text. */
static void set_manifest(struct lt_directory *directory, struct lt_directory_entry *entry,
		struct lt_buf *steal)
{
	directory->bytes += steal->n - entry->manifest_n;
	entry->manifest_n = steal->n;
	lt_free(entry->manifest);
	entry->manifest = lt_buf_steal(steal);
}

static void free_entry(struct lt_directory *directory, struct lt_directory_entry *entry)
{
	if (entry->probe) {
		entry->probe->entry = NULL;
	}
	DL_DELETE(directory->entries, entry);
	assert(directory->by_uuid);
	HASH_DEL(directory->by_uuid, entry);
	directory->n--;
	directory->bytes -= entry->manifest_n;
	lt_free(entry->uuid);
	lt_free(entry->manifest);
	lt_free(entry);
}

/* --- listing --- */

/* Who asks: a session without rights gets of private services those that it opened. */
struct view {
	bool with_hidden, with_private;
	uint64_t session; /* 0: none in particular */
};

static bool is_in_view(const struct lt_directory *directory, const struct lt_directory_entry *entry,
		const struct view *view)
{
	if (!entry->is_private) {
		return !entry->hidden || view->with_hidden;
	}
	return view->with_private ? view->with_hidden
				  : view->session != 0 && directory->env.may_see &&
					directory->env.may_see(directory->env.arg,
							lt_str_from(entry->uuid), view->session);
}

static void write_list(
		const struct lt_directory *directory, const struct view *view, struct lt_buf *buf)
{
	const struct lt_directory_entry *entry;
	bool first = true;

	lt_buf_add_char(buf, '[');
	DL_FOREACH(directory->entries, entry) {
		if (!is_in_view(directory, entry, view)) {
			continue;
		}
		if (!first) {
			lt_buf_add_char(buf, ',');
		}
		lt_buf_add_c(buf, entry->manifest);
		first = false;
	}
	lt_buf_add_char(buf, ']');
}

static void publish_list(struct lt_directory *directory, const struct view *view, bool retain)
{
	LT_AUTO(lt_buf_finish) struct lt_buf list = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	struct lt_err err = { 0 };

	write_list(directory, view, &list);
	lt_envelope_write(&args, LT_MSG_DIRECTORY_LISTING, lt_loop_wall(directory->env.loop), true,
			lt_buf_str(&list));
	if (!lt_local_publish(directory->local, LT_STR(LT_TOPIC_DIRECTORY), retain,
			    lt_buf_str(&args), &err)) {
		lt_log(&directory->env.log, LT_ERROR,
				"cannot publish the listing; viewers see an old one",
				"reason=\"%s\"", err.msg);
	}
}

/*
 * What everybody may see, retained; then, when there are private services or
 * were just now, all of it: the router gives a listing that names closed UUIDs
 * to the role services alone.
 */
static void publish_listing(void *arg)
{
	struct lt_directory *directory = arg;
	bool has_private = false;
	const struct lt_directory_entry *entry;

	DL_FOREACH(directory->entries, entry) {
		has_private = has_private || entry->is_private;
	}
	publish_list(directory, &(struct view){ .with_hidden = true }, true);
	if (has_private || directory->had_private) {
		publish_list(directory, &(struct view){ .with_hidden = true, .with_private = true },
				false);
	}
	directory->had_private = has_private;
}

static void free_gone(struct lt_directory *directory)
{
	struct lt_directory_gone *gone, *next;

	LL_FOREACH_SAFE(directory->gone, gone, next) {
		lt_free(gone->uuid);
		lt_free(gone);
	}
	directory->gone = NULL;
}

/*
 * The last state of a service that went would be kept, and shown to late
 * subscribers, for ever. That of a restarted one is the new state already.
 */
static void forget_gone(struct lt_directory *directory)
{
	const struct lt_directory_gone *gone;

	LL_FOREACH(directory->gone, gone) {
		LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };

		if (!find_entry(directory, lt_str_from(gone->uuid))) {
			lt_buf_printf(&topic, "%s%s", LT_TOPIC_SERVICE, gone->uuid);
			lt_local_unretain(directory->local, lt_buf_str(&topic));
		}
	}
	free_gone(directory);
}

static void on_gap_end(void *arg);

static void on_changed(void *arg)
{
	struct lt_directory *directory = arg;
	int64_t gap_ms = (int64_t)(directory->bytes / LISTING_BYTES_MS);

	directory->is_due = false;
	forget_gone(directory);
	publish_listing(directory);
	if (gap_ms > 0) {
		lt_timer_once(&directory->gap_timer, directory->env.loop, gap_ms, on_gap_end,
				directory);
	}
}

static void on_gap_end(void *arg)
{
	struct lt_directory *directory = arg;

	if (directory->is_due) {
		on_changed(directory);
	}
}

/*
 * At the end of the turn: a restart of many services makes one listing, not
 * one for each. While a large listing rests, changes wait for the next.
 */
static void mark_changed(struct lt_directory *directory)
{
	if (lt_timer_is_armed(&directory->gap_timer)) {
		directory->is_due = true;
	} else {
		lt_loop_defer(directory->env.loop, &directory->changed, on_changed, directory);
	}
}

static void remove_entry(
		struct lt_directory *directory, struct lt_directory_entry *entry, const char *why)
{
	struct lt_directory_gone *gone = lt_zalloc(sizeof(*gone));
	char value[LT_LOG_VALUE_MAX];

	lt_log(&directory->env.log, LT_INFO, "service gone", "uuid=%s reason=\"%s\"",
			lt_log_value(lt_str_from(entry->uuid), value), why);
	gone->uuid = lt_strdup(entry->uuid);
	LL_PREPEND(directory->gone, gone);
	free_entry(directory, entry);
	mark_changed(directory);
}

/* --- registration --- */

/* The manifest as the listing shows it. */
static void write_manifest(const struct lt_directory *directory, const cJSON *manifest,
		const struct lt_event *event, bool is_private, struct lt_buf *text)
{
	LT_AUTO(cJSON_Delete) cJSON *copy = NULL;

	if (lt_str_eq_c(event->publisher_role, EXTERNAL_ROLE)) {
		LT_AUTO(lt_free) char *authid = lt_str_dup(event->publisher_authid);
		const cJSON *principal = lt_json_get(directory->env.principals, authid);
		const cJSON *extra = lt_json_get(principal, "extra");

		copy = cJSON_Duplicate(manifest, true);
		lt_json_set_take(copy, "external",
				extra ? cJSON_Duplicate(extra, true) : cJSON_CreateObject());
		manifest = copy;
	}
	if (is_private && !cJSON_IsTrue(lt_json_get(manifest, "private"))) {
		copy = copy ? copy : cJSON_Duplicate(manifest, true);
		lt_json_set_take(copy, "hidden", cJSON_CreateTrue());
		lt_json_set_take(copy, "private", cJSON_CreateTrue());
		manifest = copy;
	}
	lt_json_print(text, manifest, LT_JSON_UTF8);
}

/*
 * May the publisher of this event set the entry (NULL: a new one)? A service
 * in this process holds its uuid as long as it runs. A remote one may come back
 * in a new session before the old one is known to be dead.
 */
static bool may_set(const struct lt_directory *directory, const struct lt_directory_entry *entry,
		const struct lt_event *event, struct lt_err *err)
{
	bool is_other = entry && entry->session != event->publisher;

	if (!entry && directory->n >= SERVICES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "there are %d services already", SERVICES_MAX);
	}
	if (is_other &&
			(lt_str_eq_c(event->publisher_role, EXTERNAL_ROLE) ||
					(lt_local_is_in_process(directory->local, entry->session) &&
							!lt_local_is_in_process(directory->local,
									event->publisher)))) {
		return lt_err_set(err, LT_E_DENIED, "another session holds this uuid");
	}
	return true;
}

static bool check_size(const struct lt_directory *directory, const struct lt_directory_entry *entry,
		size_t n, struct lt_err *err)
{
	size_t others = directory->bytes - (entry ? entry->manifest_n : 0);

	if (n > MANIFEST_BYTES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "at most %d bytes", MANIFEST_BYTES_MAX);
	}
	return others + n <= LISTING_BYTES_MAX ||
			lt_err_set(err, LT_E_LIMIT, "the listing would exceed %d bytes",
					LISTING_BYTES_MAX);
}

/* One that says it is private, or that an operator closed; closed from now on in any case. */
static bool close_private(const struct lt_directory *directory, const cJSON *manifest,
		struct lt_str uuid, bool *ret_private, struct lt_err *err)
{
	const struct lt_directory_env *env = &directory->env;
	struct lt_str service_class = { "", 0 };
	bool says_so = cJSON_IsTrue(lt_json_get(manifest, "private"));

	*ret_private = says_so || (env->is_closed && env->is_closed(env->arg, uuid));
	lt_json_opt_str(manifest, "serviceClass", &service_class, NULL);
	return !says_so || !env->adopt || env->is_closed(env->arg, uuid) ||
			env->adopt(env->arg, uuid, service_class, err);
}

static bool register_service(struct lt_directory *directory, const cJSON *manifest,
		const struct lt_event *event, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	bool hidden = false, is_private = false;
	struct lt_str uuid;
	struct lt_directory_entry *entry;

	if (!lt_json_get_str(manifest, "uuid", &uuid, err) ||
			!lt_json_opt_bool(manifest, "hidden", &hidden, err)) {
		return lt_err_prefix(err, "manifest");
	}
	if (uuid.n == 0 || uuid.n > UUID_BYTES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "manifest: uuid: expected 1 to %d bytes",
				UUID_BYTES_MAX);
	}
	entry = find_entry(directory, uuid);
	if (!close_private(directory, manifest, uuid, &is_private, err)) {
		return false;
	}
	write_manifest(directory, manifest, event, is_private, &text);
	if (!may_set(directory, entry, event, err) || !check_size(directory, entry, text.n, err)) {
		return lt_err_prefix(err, "manifest");
	}
	if (!entry) {
		char value[LT_LOG_VALUE_MAX];

		entry = add_entry(directory, uuid);
		lt_log(&directory->env.log, LT_INFO, "service registered", "uuid=%s",
				lt_log_value(uuid, value));
	}
	set_manifest(directory, entry, &text);
	entry->hidden = hidden;
	entry->is_private = is_private;
	entry->session = event->publisher;
	mark_changed(directory);
	return true;
}

static void on_control(void *arg, const struct lt_event *event)
{
	struct lt_directory *directory = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	struct lt_envelope envelope;
	struct lt_err err = { 0 };
	char value[LT_LOG_VALUE_MAX];

	args = lt_json_parse(event->args, &err);
	if (!args || !lt_envelope_read(args, lt_loop_wall(directory->env.loop), &envelope, &err)) {
		lt_log(&directory->env.log, LT_DEBUG, "control message ignored", "reason=%s",
				lt_log_value(lt_str_from(err.msg), value));
		return;
	}
	if (envelope.msg_class == LT_MSG_SERVICE_REGISTRATION &&
			!register_service(directory, envelope.payload, event, &err)) {
		lt_log(&directory->env.log, LT_WARN, "manifest ignored", "reason=%s",
				lt_log_value(lt_str_from(err.msg), value));
	}
}

static void on_session_left(void *arg, uint64_t session)
{
	struct lt_directory *directory = arg;
	struct lt_directory_entry *entry, *next;

	DL_FOREACH_SAFE(directory->entries, entry, next) {
		if (entry->session == session && session != 0) {
			remove_entry(directory, entry, "its session ended");
		}
	}
}

/* --- liveness --- */

static void on_alive_result(void *arg, const struct lt_result *result)
{
	struct lt_directory_probe *probe = arg;
	struct lt_directory *directory = probe->directory;
	struct lt_directory_entry *entry = probe->entry;
	char value[LT_LOG_VALUE_MAX];

	DL_DELETE(directory->probes, probe);
	lt_free(probe);
	if (!entry) {
		return;
	}
	entry->probe = NULL;
	if (!result->ok) {
		remove_entry(directory, entry, lt_log_value(lt_str_from(result->error), value));
	}
}

static void ask_alive(struct lt_directory *directory, struct lt_directory_entry *entry)
{
	LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };
	struct lt_directory_probe *probe = lt_zalloc(sizeof(*probe));
	struct lt_err err = { 0 };

	probe->directory = directory;
	probe->entry = entry;
	entry->probe = probe;
	DL_APPEND(directory->probes, probe);
	lt_buf_add_c(&procedure, LT_RPC_IS_ALIVE);
	lt_buf_add_c(&procedure, entry->uuid);
	if (lt_local_call(directory->local, lt_buf_str(&procedure), LT_STR("[]"), ALIVE_TIMEOUT_MS,
			    on_alive_result, probe, &err)) {
		return;
	}
	DL_DELETE(directory->probes, probe);
	lt_free(probe);
	entry->probe = NULL;
	/* over the bound of calls: the next round asks; a uuid that makes no name never can be */
	if (err.code != LT_E_LIMIT) {
		remove_entry(directory, entry, err.msg);
	}
}

static void ask_all_alive(void *arg)
{
	struct lt_directory *directory = arg;
	struct lt_directory_entry *entry, *next;

	DL_FOREACH_SAFE(directory->entries, entry, next) {
		if (!entry->probe) {
			ask_alive(directory, entry);
		}
	}
}

/* --- procedure --- */

/* includeHidden as first positional or as keyword argument. */
static bool parse_include_hidden(
		const struct lt_invocation *invocation, bool *ret_value, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *args = NULL;
	LT_AUTO(cJSON_Delete) cJSON *kwargs = NULL;
	const cJSON *value;

	if (invocation->args.n && !(args = lt_json_parse(invocation->args, err))) {
		return false;
	}
	if (invocation->kwargs.n && !(kwargs = lt_json_parse(invocation->kwargs, err))) {
		return false;
	}
	if (cJSON_GetArraySize(args) > 1) {
		return lt_err_set(err, LT_E_INVALID, "one argument at most: includeHidden");
	}
	value = args ? cJSON_GetArrayItem(args, 0) : NULL;
	value = value ? value : lt_json_get(kwargs, "includeHidden");
	if (value && !cJSON_IsBool(value) && !cJSON_IsNull(value)) {
		return lt_err_set(err, LT_E_INVALID, "includeHidden: expected true or false");
	}
	*ret_value = cJSON_IsTrue(value);
	return true;
}

static void on_list_services(void *arg, const struct lt_invocation *invocation)
{
	struct lt_directory *directory = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf result = { 0 };
	struct lt_err err = { 0 };
	struct view view = { .with_private = lt_str_eq_c(invocation->caller_role, "services"),
		.session = invocation->origin.session };

	if (!parse_include_hidden(invocation, &view.with_hidden, &err)) {
		lt_local_error(directory->local, invocation->id, "wamp.error.invalid_argument",
				err.msg);
		return;
	}
	lt_buf_add_char(&result, '[');
	write_list(directory, &view, &result);
	lt_buf_add_char(&result, ']');
	lt_local_yield(directory->local, invocation->id, lt_buf_str(&result));
}

/* --- life --- */

/* Who runs answers with its manifest. */
static bool ask_all(struct lt_directory *directory, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf hello = { 0 };

	lt_envelope_write(&hello, LT_MSG_INITIALISE_DIRECTORY, lt_loop_wall(directory->env.loop),
			false, LT_STR("null"));
	return lt_local_publish(
			directory->local, LT_STR(LT_TOPIC_CONTROL), false, lt_buf_str(&hello), err);
}

static bool join(struct lt_directory *directory, struct lt_err *err)
{
	uint64_t id;

	directory->local = lt_local_join(
			directory->env.router, LT_STR(LT_REALM), "directory", "services", err);
	if (!directory->local) {
		return false;
	}
	lt_local_on_leave(directory->local, on_session_left, directory);
	return lt_local_register(directory->local, LT_STR(LT_RPC_LIST_SERVICES), true,
			       on_list_services, directory, &id, err) &&
			lt_local_subscribe(directory->local, LT_STR(LT_TOPIC_CONTROL),
					LT_MATCH_EXACT, false, on_control, directory, err) &&
			ask_all(directory, err);
}

void lt_directory_ask(struct lt_directory *directory)
{
	if (directory->local) {
		ask_all(directory, NULL);
	}
}

bool lt_directory_start(struct lt_directory *directory, struct lt_err *err)
{
	if (!join(directory, err)) {
		lt_directory_stop(directory);
		return lt_err_prefix(err, "directory");
	}
	publish_listing(directory);
	lt_timer_every(&directory->listing_timer, directory->env.loop, LISTING_INTERVAL_MS,
			publish_listing, directory);
	lt_timer_every(&directory->alive_timer, directory->env.loop, ALIVE_INTERVAL_MS,
			ask_all_alive, directory);
	return true;
}

void lt_directory_stop(struct lt_directory *directory)
{
	struct lt_directory_probe *probe, *next_probe;

	lt_timer_cancel(&directory->listing_timer);
	lt_timer_cancel(&directory->gap_timer);
	lt_timer_cancel(&directory->alive_timer);
	lt_deferred_cancel(&directory->changed);
	free_gone(directory);
	lt_local_leave(LT_STEAL(directory->local));
	while (directory->entries) {
		free_entry(directory, directory->entries);
	}
	/* after leaving, no result comes any more */
	DL_FOREACH_SAFE(directory->probes, probe, next_probe) {
		DL_DELETE(directory->probes, probe);
		lt_free(probe);
	}
}

void lt_directory_destroy(struct lt_directory *directory)
{
	if (directory) {
		lt_directory_stop(directory);
		lt_free(directory);
	}
}

void lt_directory_review(struct lt_directory *directory, struct lt_str uuid)
{
	struct lt_directory_entry *entry = find_entry(directory, uuid);
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	bool is_private;

	if (!entry || !directory->env.is_closed) {
		return;
	}
	is_private = directory->env.is_closed(directory->env.arg, uuid);
	if (is_private == entry->is_private) {
		return;
	}
	manifest = lt_json_parse(lt_str_from(entry->manifest), NULL);
	if (is_private) {
		lt_json_set_take(manifest, "hidden", cJSON_CreateTrue());
		lt_json_set_take(manifest, "private", cJSON_CreateTrue());
	} else {
		lt_json_set_take(manifest, "hidden", cJSON_CreateFalse());
		cJSON_DeleteItemFromObjectCaseSensitive(manifest, "private");
	}
	lt_json_print(&text, manifest, LT_JSON_UTF8);
	set_manifest(directory, entry, &text);
	entry->hidden = is_private;
	entry->is_private = is_private;
	mark_changed(directory);
}

struct lt_str lt_directory_manifest(const struct lt_directory *directory, struct lt_str uuid)
{
	const struct lt_directory_entry *entry = find_entry(directory, uuid);

	return entry ? (struct lt_str){ entry->manifest, entry->manifest_n }
		     : (struct lt_str){ NULL, 0 };
}
