/* What is in the bucket, of all nodes. */
#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"

#define FOLDER         "catalogue/"
#define FILE_MAX_BYTES (256u << 20)
#define READINGS_MAX   8
#define REMOTE_MAX     200000

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
	lt_free(remote->entry);
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

static void set_entry(
		struct lt_offload *offload, struct lt_offload_remote *remote, const cJSON *entry)
{
	struct lt_buf text = { 0 };

	lt_json_print(&text, entry, LT_JSON_UTF8);
	lt_free(remote->entry);
	remote->entry = lt_buf_steal(&text);
	remote->start = cJSON_GetNumberValue(lt_json_get(entry, "startTime"));
	offload->is_remote_changed = true;
}

static void set_etag(struct lt_offload_remote *remote, struct lt_str etag)
{
	lt_free(remote->etag);
	remote->etag = lt_str_dup(etag);
}

/* --- the file --- */

/* Entries and ETags stand in the same order. */
void lt_offload_load_remote(struct lt_offload *offload)
{
	LT_AUTO(cJSON_Delete)
	cJSON *file = lt_json_parse_file(offload->remote_path, FILE_MAX_BYTES, NULL);
	const cJSON *entries = lt_json_get(file, "entries"), *etags = lt_json_get(file, "etags");
	const cJSON *entry = entries ? entries->child : NULL, *etag = etags ? etags->child : NULL;

	for (; entry && etag; entry = entry->next, etag = etag->next) {
		if (cJSON_IsString(etag) && cJSON_IsObject(entry) &&
				strcmp(entry->string, etag->string) == 0 &&
				!lt_offload_find_remote(offload, etag->string)) {
			struct lt_offload_remote *remote = add(offload, etag->string);

			set_etag(remote, lt_str_from(etag->valuestring));
			set_entry(offload, remote, entry);
		}
	}
	offload->is_remote_changed = false;
}

/* Texts are put together, not trees: thousands of recordings take no longer than a turn may. */
static void write_remote(const struct lt_offload *offload, struct lt_buf *text)
{
	const struct lt_offload_remote *remote;
	LT_AUTO(lt_buf_finish) struct lt_buf etags = { 0 };
	const char *comma = "";

	lt_buf_add_c(text, "{\"entries\":{");
	for (remote = offload->remote; remote; remote = remote->hh.next) {
		if (!remote->entry) {
			continue;
		}
		lt_buf_add_c(text, comma);
		lt_json_write_str(text, lt_str_from(remote->name));
		lt_buf_add_char(text, ':');
		lt_buf_add_c(text, remote->entry);
		lt_buf_add_c(&etags, comma);
		lt_json_write_str(&etags, lt_str_from(remote->name));
		lt_buf_add_char(&etags, ':');
		lt_json_write_str(&etags, lt_str_from(remote->etag));
		comma = ",";
	}
	lt_buf_add_c(text, "},\"etags\":{");
	lt_buf_add_str(text, lt_buf_str(&etags));
	lt_buf_add_c(text, "}}");
}

static void save_remote(struct lt_offload *offload)
{
	struct lt_buf text = { 0 };
	struct lt_text *shared;

	if (!offload->is_remote_changed) {
		return;
	}
	offload->is_remote_changed = false;
	write_remote(offload, &text);
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

/* None is dropped while it is being read: the bucket is not listed meanwhile. */
static void on_entry(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload_remote *remote = arg;
	struct lt_offload *offload = remote->offload;
	LT_AUTO(cJSON_Delete) cJSON *entry = result->ok ? lt_json_parse(result->body, NULL) : NULL;
	char quoted[LT_LOG_VALUE_MAX];

	offload->readings--;
	if (cJSON_IsObject(entry)) {
		set_entry(offload, remote, entry);
	} else {
		lt_log(&offload->env.log, LT_WARN, "an entry of the bucket cannot be read",
				"name=%s", lt_log_value(lt_str_from(remote->name), quoted));
	}
	read_stale(offload);
}

/* The next ones that are new or have changed; all done: the file is written. */
static void read_stale(struct lt_offload *offload)
{
	while (offload->is_started && offload->stale && offload->readings < READINGS_MAX) {
		struct lt_offload_remote *remote = offload->stale;
		LT_AUTO(lt_free)
		char *name = lt_str_dup((struct lt_str){
				remote->name, strlen(remote->name) - strlen(".zip") });
		LT_AUTO(lt_free) char *key = lt_offload_key(offload, FOLDER, name);

		offload->stale = remote->next_stale;
		remote->is_stale = false;
		offload->readings++;
		lt_s3_get_bytes(offload->s3, key, on_entry, remote);
	}
	if (offload->is_started && offload->readings == 0) {
		save_remote(offload);
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

	if (!lt_str_ends(name, LT_STR(".json")) || !lt_name_is_safe(name) || name.p[0] == '.' ||
			HASH_COUNT(offload->remote) >= REMOTE_MAX) {
		return;
	}
	lt_buf_printf(&file, "%.*s.zip", (int)(name.n - strlen(".json")), name.p);
	remote = lt_offload_find_remote(offload, file.p);
	remote = remote ? remote : add(offload, file.p);
	remote->is_seen = true;
	if (!lt_str_eq_c(object->etag, remote->etag)) {
		set_etag(remote, object->etag);
		if (!remote->is_stale) {
			remote->is_stale = true;
			remote->next_stale = offload->stale;
			offload->stale = remote;
		}
	}
}

static void on_listed(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload *offload = arg;
	struct lt_offload_remote *remote, *next;

	offload->is_listing = false;
	if (!result->ok) {
		if (!offload->stats.in_trouble) {
			lt_log(&offload->env.log, LT_ERROR, "the bucket cannot be listed",
					"reason=\"%.*s\"", LT_STR_ARG(result->error));
		}
		offload->stats.in_trouble = true;
		return;
	}
	offload->stats.in_trouble = false;
	offload->is_known = true;
	HASH_ITER(hh, offload->remote, remote, next) {
		if (!remote->is_seen && !remote->is_stale) {
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
