/* What is in the bucket, of all nodes. */
#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"

#define FOLDER         "catalogue/"
#define FILE_MAX_BYTES (256u << 20)
#define READINGS_MAX   8
#define REMOTE_MAX     200000
#define MAX_S          4e9 /* of a startTime */

struct lt_offload_remote *lt_offload_find_remote(const struct lt_offload *offload, const char *name)
{
	struct lt_offload_remote *found = NULL;

	HASH_FIND_STR(offload->remote, name, found);
	return found;
}

static struct lt_offload_remote *add(struct lt_offload *offload, const char *name)
{
	struct lt_offload_remote *remote = lt_zalloc(sizeof(*remote) + strlen(name) + 1);

	memcpy(remote->name, name, strlen(name));
	remote->offload = offload;
	remote->etag = lt_strdup("");
	HASH_ADD_STR(offload->remote, name, remote);
	return remote;
}

static void drop(struct lt_offload *offload, struct lt_offload_remote *remote)
{
	HASH_DEL(offload->remote, remote);
	lt_free(remote->text);
	lt_free(remote->etag);
	lt_free(remote);
}

void lt_offload_free_remote(struct lt_offload *offload)
{
	struct lt_offload_remote *remote, *next;

	HASH_ITER(hh, offload->remote, remote, next) {
		drop(offload, remote);
	}
}

/* An entry that the catalogue can show, and that is of this file. */
static bool is_entry(const cJSON *entry)
{
	const cJSON *start = lt_json_get(entry, "startTime");
	struct lt_str text = { "", 0 };

	return cJSON_IsObject(entry) && cJSON_IsNumber(start) && start->valuedouble >= 0 &&
			start->valuedouble < MAX_S &&
			cJSON_IsNumber(lt_json_get(entry, "duration")) &&
			lt_json_get_str(entry, "uuid", &text, NULL) &&
			lt_json_opt_str(entry, "name", &text, NULL) &&
			lt_json_opt_str(entry, "description", &text, NULL);
}

/* False: it is the same as before. NULL, or what is none: there is no entry. */
static bool set_entry(
		struct lt_offload *offload, struct lt_offload_remote *remote, const cJSON *entry)
{
	struct lt_buf text = { 0 };
	LT_AUTO(lt_free) char *before = LT_STEAL(remote->text);

	remote->is_stale = false;
	if (is_entry(entry)) {
		LT_AUTO(cJSON_Delete) cJSON *named = cJSON_Duplicate(entry, true);

		lt_json_set_take(named, "filename", lt_json_new_str(lt_str_from(remote->name)));
		lt_json_print(&text, named, LT_JSON_UTF8);
		remote->text = lt_buf_steal(&text);
		remote->start_s = (int64_t)lt_json_get(entry, "startTime")->valuedouble;
		remote->is_private = cJSON_IsTrue(lt_json_get(entry, "private"));
	}
	if (!before || !remote->text || strcmp(before, remote->text) != 0) {
		offload->is_remote_changed = true;
		return true;
	}
	return false;
}

static void set_etag(struct lt_offload_remote *remote, struct lt_str etag)
{
	lt_free(remote->etag);
	remote->etag = lt_str_dup(etag);
}

/* --- the file --- */

void lt_offload_load_remote(struct lt_offload *offload)
{
	LT_AUTO(cJSON_Delete)
	cJSON *file = lt_json_parse_file(offload->remote_path, FILE_MAX_BYTES, NULL);
	struct lt_str bucket = { "", 0 };
	const cJSON *etag;

	lt_json_opt_str(file, "bucket", &bucket, NULL);
	if (!lt_str_eq_c(bucket, offload->bucket)) {
		offload->is_remote_changed = true; /* it is written anew, even if with nothing */
		return;
	}
	cJSON_ArrayForEach(etag, lt_json_get(file, "etags")) {
		const cJSON *entry = lt_json_get(lt_json_get(file, "entries"), etag->string);

		if (cJSON_IsString(etag) && cJSON_IsObject(entry) &&
				!lt_offload_find_remote(offload, etag->string)) {
			struct lt_offload_remote *remote = add(offload, etag->string);

			set_etag(remote, lt_str_from(etag->valuestring));
			set_entry(offload, remote, entry);
		}
	}
	offload->is_remote_changed = false;
}

static void save_remote(struct lt_offload *offload)
{
	const struct lt_offload_remote *remote;
	struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf etags = { 0 };
	struct lt_text *shared;

	if (!offload->is_remote_changed) {
		return;
	}
	offload->is_remote_changed = false;
	lt_buf_add_c(&text, "{\"bucket\":");
	lt_json_write_str(&text, lt_str_from(offload->bucket));
	lt_buf_add_c(&text, ",\"entries\":{");
	for (remote = offload->remote; remote; remote = remote->hh.next) {
		if (remote->text) {
			lt_buf_add_c(&text, etags.n > 0 ? "," : "");
			lt_json_write_str(&text, lt_str_from(remote->name));
			lt_buf_printf(&text, ":%s", remote->text);
			lt_buf_add_c(&etags, etags.n > 0 ? "," : "");
			lt_json_write_str(&etags, lt_str_from(remote->name));
			lt_buf_add_char(&etags, ':');
			lt_json_write_str(&etags, lt_str_from(remote->etag));
		}
	}
	lt_buf_add_c(&text, "},\"etags\":{");
	lt_buf_add_str(&text, lt_buf_str(&etags));
	lt_buf_add_c(&text, "}}");
	shared = lt_text_take(&text);
	lt_saver_write(offload->saver, offload->remote_path, shared);
	lt_text_unref(shared);
}

void lt_offload_set_remote(struct lt_offload *offload, const char *name, const cJSON *entry)
{
	struct lt_offload_remote *remote = lt_offload_find_remote(offload, name);

	remote = remote ? remote : add(offload, name);
	remote->is_seen = true;
	set_etag(remote, LT_STR("")); /* the next listing tells it */
	set_entry(offload, remote, entry);
	save_remote(offload);
}

/* --- the bucket --- */

static void read_stale(struct lt_offload *offload);

/* The recording that we have a copy of has been changed, or is another one now. */
static void follow(struct lt_offload *offload, const struct lt_offload_remote *remote,
		int64_t start_before_s)
{
	if (!remote->text) {
		return;
	}
	if (remote->start_s == start_before_s) {
		lt_offload_outdate(offload, remote->name);
	} else {
		lt_offload_drop_done(offload, remote->name); /* ours gets another name */
	}
}

/* None is dropped while it is being read: the bucket is not listed meanwhile. */
static void on_entry(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload_remote *remote = arg;
	struct lt_offload *offload = remote->offload;
	LT_AUTO(cJSON_Delete) cJSON *entry = result->ok ? lt_json_parse(result->body, NULL) : NULL;
	char quoted[LT_LOG_VALUE_MAX];
	bool was_known = remote->text != NULL;
	int64_t start_s = remote->start_s;

	offload->readings--;
	if (!result->ok) {
		set_etag(remote, LT_STR("")); /* with the next listing, again */
	} else if (set_entry(offload, remote, entry) && was_known) {
		follow(offload, remote, start_s);
	}
	if (!result->ok || !remote->text) {
		lt_log(&offload->env.log, LT_WARN, "an entry of the bucket cannot be read",
				"name=%s reason=\"%.*s\"",
				lt_log_value(lt_str_from(remote->name), quoted),
				LT_STR_ARG(result->ok ? LT_STR("it is none") : result->error));
	}
	read_stale(offload);
}

/* The next ones that are new or have changed; all done: the file is written. */
static void read_stale(struct lt_offload *offload)
{
	struct lt_offload_remote *remote, *next;

	if (!offload->is_started) {
		return;
	}
	HASH_ITER(hh, offload->remote, remote, next) {
		LT_AUTO(lt_free) char *key = NULL;
		LT_AUTO(lt_free) char *name = NULL;

		if (offload->readings == READINGS_MAX) {
			return;
		}
		if (!remote->is_stale) {
			continue;
		}
		remote->is_stale = false;
		name = lt_str_dup((struct lt_str){
				remote->name, strlen(remote->name) - strlen(".zip") });
		key = lt_offload_key(offload, FOLDER, name);
		offload->readings++;
		lt_s3_get_bytes(offload->s3, key, on_entry, remote);
	}
	if (offload->readings == 0) {
		save_remote(offload);
		lt_offload_renew(offload);
		lt_offload_look(offload);
	}
}

/* PREFIX catalogue/NAME.json */
static void on_object(void *arg, const struct lt_s3_object *object)
{
	struct lt_offload *offload = arg;
	struct lt_str name = lt_str_skip(object->key, strlen(offload->prefix) + strlen(FOLDER));
	LT_AUTO(lt_buf_finish) struct lt_buf file = { 0 };
	struct lt_offload_remote *remote;

	if (!lt_str_ends(name, LT_STR(".json")) || !lt_name_is_safe(name) || name.p[0] == '.') {
		return;
	}
	lt_buf_printf(&file, "%.*s.zip", (int)(name.n - strlen(".json")), name.p);
	remote = lt_offload_find_remote(offload, file.p);
	if (!remote && HASH_COUNT(offload->remote) >= REMOTE_MAX) {
		return;
	}
	remote = remote ? remote : add(offload, file.p);
	remote->is_seen = true;
	if (!lt_str_eq_c(object->etag, remote->etag)) {
		remote->is_stale = true;
		set_etag(remote, object->etag);
	}
}

static void on_listed(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload *offload = arg;
	struct lt_offload_remote *remote, *next;

	offload->is_listing = false;
	if (!result->ok) {
		if (!offload->is_list_bad) {
			lt_log(&offload->env.log, LT_ERROR, "the bucket cannot be listed",
					"reason=\"%.*s\"", LT_STR_ARG(result->error));
		}
		offload->is_list_bad = true;
		return;
	}
	offload->is_list_bad = false;
	offload->is_known = true;
	HASH_ITER(hh, offload->remote, remote, next) {
		if (!remote->is_seen) {
			drop(offload, remote);
			offload->is_remote_changed = true;
		}
	}
	read_stale(offload);
}

void lt_offload_refresh(void *arg)
{
	struct lt_offload *offload = arg;
	struct lt_offload_remote *remote;
	LT_AUTO(lt_buf_finish) struct lt_buf prefix = { 0 };

	if (offload->is_listing || offload->readings > 0) {
		return;
	}
	offload->is_listing = true;
	for (remote = offload->remote; remote; remote = remote->hh.next) {
		remote->is_seen = false;
	}
	lt_buf_printf(&prefix, "%s" FOLDER, offload->prefix);
	lt_s3_list(offload->s3, prefix.p, on_object, on_listed, offload);
}
