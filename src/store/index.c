#include "store/index.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "store/dirlist.h"
#include "store/finalise.h"
#include "store/recording.h"
#include "store/zip_edit.h"

#define INDEX_BYTES_MAX    (1u << 30)
#define ANALYSIS_BYTES_MAX (512u << 20)

LT_DEFINE_AUTO(struct lt_recording, lt_recording_close);

static const struct lt_fileops *ops_of(const struct lt_index_opts *opts)
{
	return opts->ops ? opts->ops : &lt_fileops_system;
}

static void tell(const struct lt_index_opts *opts, const struct lt_err *err)
{
	if (opts->problem) {
		opts->problem(opts->arg, err->msg);
	}
}

/* --- names --- */

static bool is_archive(const char *name)
{
	struct lt_str text = lt_str_from(name);

	return text.p[0] != '.' && lt_str_ends(text, LT_STR(".zip"));
}

void lt_index_key(struct lt_buf *buf, struct lt_str file_name)
{
	size_t at = buf->n;

	file_name.n -= lt_str_ends(file_name, LT_STR(".zip")) ? strlen(".zip") : 0;
	lt_buf_add_str(buf, file_name);
	char *underscore = buf->p ? memchr(buf->p + at, '_', buf->n - at) : NULL;
	if (underscore) {
		*underscore = ':';
	}
}

/* "UUID_1" and an ending, for the key "UUID:1". */
static char *file_of_key(const char *key, const char *ending)
{
	struct lt_buf name = { 0 };

	for (const char *c = key; *c; c++) {
		lt_buf_add_char(&name, *c == ':' ? '_' : *c);
	}
	lt_buf_add_c(&name, ending);
	return lt_buf_steal(&name);
}

static bool has_file(const struct lt_dirlist *list, const char *key, const char *ending)
{
	LT_AUTO(lt_free) char *name = file_of_key(key, ending);

	return lt_dirlist_has(list, name);
}

/* --- entries --- */

static void copy_member(cJSON *entry, const cJSON *manifest, const char *key)
{
	const cJSON *value = lt_json_get(manifest, key);

	lt_json_set_take(entry, key,
			value ? cJSON_Duplicate(value, true) : lt_json_new_str(LT_STR("")));
}

static cJSON *entry_of(const struct lt_recording *recording, const char *file_name)
{
	const cJSON *manifest = lt_recording_manifest(recording);
	const cJSON *external = lt_json_get(manifest, "external");
	int64_t first_s = lt_recording_first(recording);
	cJSON *entry = cJSON_CreateObject();

	copy_member(entry, manifest, "description");
	lt_json_add_float(entry, "duration", (double)(lt_recording_last(recording) - first_s));
	lt_json_add_c(entry, "filename", file_name);
	copy_member(entry, manifest, "name");
	lt_json_add_int(entry, "startTime", first_s);
	copy_member(entry, manifest, "uuid");
	if (cJSON_IsTrue(lt_json_get(manifest, "hidden"))) {
		lt_json_add_bool(entry, "hidden", true);
	}
	if (cJSON_IsTrue(lt_json_get(manifest, "private"))) {
		lt_json_add_bool(entry, "private", true);
	}
	if (cJSON_IsObject(external) || cJSON_IsTrue(external)) {
		copy_member(entry, manifest, "external");
	}
	return entry;
}

/* "hasAnalysis", when the file is there or can be made. */
static void note_analysis(const struct lt_index_opts *opts, const struct lt_dirlist *list,
		cJSON *entry, const char *key)
{
	if (has_file(list, key, ".json")) {
		if (!cJSON_IsTrue(lt_json_get(entry, "hasAnalysis"))) {
			lt_json_set_take(entry, "hasAnalysis", cJSON_CreateTrue());
		}
	} else if (opts->make_analysis && !lt_json_get(entry, "hasAnalysis")) {
		LT_AUTO(lt_free) char *archive = file_of_key(key, ".zip");
		LT_AUTO(lt_free) char *beside = file_of_key(key, ".json");
		LT_AUTO(lt_free) char *from = lt_path_join(opts->directory, archive);
		LT_AUTO(lt_free) char *to = lt_path_join(opts->directory, beside);

		lt_json_add_bool(entry, "hasAnalysis", opts->make_analysis(opts->arg, from, to));
	}
}

/* --- updating --- */

/* What is listed already, by key. */
struct known {
	const char **keys; /* sorted; borrowed from the index */
	size_t count;
};

static int compare_keys(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	assert(*left && *right);
	return strcmp(*left, *right);
}

static struct known known_keys(const cJSON *index)
{
	struct known known = { NULL, 0 };
	const cJSON *entry;

	known.keys = lt_calloc((size_t)cJSON_GetArraySize(index) + 1, sizeof(*known.keys));
	cJSON_ArrayForEach(entry, index) {
		known.keys[known.count++] = entry->string;
	}
	if (known.count > 0) {
		qsort(known.keys, known.count, sizeof(*known.keys), compare_keys);
	}
	return known;
}

static bool is_known(const struct known *known, const char *key)
{
	return known->count > 0 &&
			bsearch(&key, known->keys, known->count, sizeof(*known->keys),
					compare_keys);
}

/* The index in the file, or an empty one. */
static cJSON *read_index(const struct lt_index_opts *opts, struct lt_buf *ret_text)
{
	LT_AUTO(lt_free) char *path = lt_path_join(opts->directory, LT_INDEX_NAME);
	struct lt_err err = { .code = LT_E_NONE };
	cJSON *index = NULL;

	if (lt_file_read(path, INDEX_BYTES_MAX, ret_text, &err)) {
		index = lt_json_parse(lt_buf_str(ret_text), &err);
		if (!index) {
			lt_err_prefix(&err, "%s", path);
		}
	}
	if (!index && err.code != LT_E_NOT_FOUND) {
		tell(opts, &err);
	}
	if (!cJSON_IsObject(index)) {
		cJSON_Delete(index);
		index = cJSON_CreateObject();
	}
	return index;
}

/* Drop entries without a file, and what is no entry. */
static void drop_gone(cJSON *index, const struct lt_dirlist *list)
{
	cJSON *next;

	for (cJSON *entry = index->child; entry; entry = next) {
		next = entry->next;
		if (!cJSON_IsObject(entry) || !has_file(list, entry->string, ".zip")) {
			cJSON_Delete(cJSON_DetachItemViaPointer(index, entry));
		}
	}
}

/* Read an archive and add its entry; one that is no recording is told and left out. */
static void add_archive(const struct lt_index_opts *opts, const struct lt_dirlist *list,
		cJSON *index, const char *file_name, const char *key)
{
	LT_AUTO(lt_free) char *path = lt_path_join(opts->directory, file_name);
	struct lt_err err = { .code = LT_E_NONE };
	LT_AUTO(lt_recording_close) struct lt_recording *recording = lt_recording_open(path, &err);

	if (!recording) {
		tell(opts, &err);
		return;
	}
	cJSON *entry = entry_of(recording, file_name);
	note_analysis(opts, list, entry, key);
	/* Known not to be there, so not looked for: that would take n steps. */
	cJSON_AddItemToObject(index, key, entry);
}

static size_t count_archives(const struct lt_dirlist *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		count += is_archive(list->names[i]);
	}
	return count;
}

static bool add_new(const struct lt_index_opts *opts, const struct lt_dirlist *list, cJSON *index,
		struct lt_err *err)
{
	struct known known = known_keys(index);
	size_t done = 0, all = count_archives(list);
	bool ok = true;

	for (size_t i = 0; ok && i < list->count; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };

		if (!is_archive(list->names[i])) {
			continue;
		}
		done++;
		lt_index_key(&key, lt_str_from(list->names[i]));
		if (is_known(&known, key.p)) {
			continue;
		}
		ok = !opts->progress || opts->progress(opts->arg, done, all) ||
				lt_err_set(err, LT_E_UNAVAILABLE, "cancelled");
		if (ok) {
			add_archive(opts, list, index, list->names[i], key.p);
		}
	}
	lt_free(known.keys);
	return ok;
}

/* Not written when it would be the same. A failure is told: the result is right all the same. */
static void write_index(
		const struct lt_index_opts *opts, const cJSON *index, const struct lt_buf *before)
{
	LT_AUTO(lt_free) char *path = lt_path_join(opts->directory, LT_INDEX_NAME);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err = { .code = LT_E_NONE };

	lt_json_print(&text, index, LT_JSON_COMPACT);
	if (!lt_str_eq(lt_buf_str(&text), lt_buf_str(before)) &&
			!lt_fileops_replace(ops_of(opts), path, lt_buf_str(&text),
					LT_RECORDING_MODE, &err)) {
		tell(opts, &err);
	}
}

cJSON *lt_index_update(const struct lt_index_opts *opts, struct lt_err *err)
{
	LT_AUTO(lt_dirlist_finish) struct lt_dirlist list = { NULL, 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf before = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *index = NULL;
	cJSON *entry;

	if (!lt_dirlist_read(opts->directory, &list, err)) {
		return NULL;
	}
	index = read_index(opts, &before);
	if (opts->reindex) {
		cJSON_Delete(index);
		index = cJSON_CreateObject();
	}
	drop_gone(index, &list);
	cJSON_ArrayForEach(entry, index) {
		note_analysis(opts, &list, entry, entry->string);
	}
	if (!add_new(opts, &list, index, err)) {
		return NULL;
	}
	write_index(opts, index, &before);
	return LT_STEAL(index);
}

void lt_index_add_take(cJSON *index, cJSON *entries)
{
	struct known known = known_keys(index);
	cJSON *next;

	for (cJSON *entry = entries ? entries->child : NULL; entry; entry = next) {
		LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };

		next = entry->next;
		lt_index_key(&key, lt_str_from(entry->string));
		lt_buf_add_char(&key, '\0');
		if (cJSON_IsObject(entry) && !is_known(&known, key.p)) {
			cJSON_AddItemToObject(
					index, key.p, cJSON_DetachItemViaPointer(entries, entry));
		}
	}
	lt_free(known.keys);
	cJSON_Delete(entries);
}

/* --- changing --- */

/* What describes the frames or the file, and is not for others to set. */
static bool is_fixed(const char *key)
{
	static const char *const fixed[] = { "uuid", "version", "startTime", "filename", "duration",
		"hasAnalysis" };

	for (size_t i = 0; i < LT_ARRAY_LEN(fixed); i++) {
		if (strcmp(key, fixed[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void merge(cJSON *manifest, const cJSON *changes)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes) {
		if (!is_fixed(change->string)) {
			lt_json_set_take(manifest, change->string, cJSON_Duplicate(change, true));
		}
	}
}

static bool change_archive(const struct lt_index_opts *opts, const char *path, const cJSON *changes,
		struct lt_err *err)
{
	struct lt_recording *recording = lt_recording_open(path, err);

	if (!recording) {
		return false;
	}
	LT_AUTO(cJSON_Delete)
	cJSON *manifest = cJSON_Duplicate(lt_recording_manifest(recording), true);
	lt_recording_close(recording);
	merge(manifest, changes);
	return lt_zip_set_manifest(path, manifest, ops_of(opts), err);
}

/* A recording without analysis is fine. */
static bool change_analysis(const struct lt_index_opts *opts, const char *path,
		const cJSON *changes, struct lt_err *err)
{
	struct lt_err why = { .code = LT_E_NONE };
	LT_AUTO(cJSON_Delete) cJSON *analysis = lt_json_parse_file(path, ANALYSIS_BYTES_MAX, &why);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	cJSON *service = lt_json_get(analysis, "service");

	if (!analysis) {
		return why.code == LT_E_NOT_FOUND || lt_err_set(err, why.code, "%s", why.msg);
	}
	if (!cJSON_IsObject(service)) {
		return true;
	}
	merge(service, changes);
	lt_json_print(&text, analysis, LT_JSON_COMPACT);
	return lt_fileops_replace(ops_of(opts), path, lt_buf_str(&text), LT_RECORDING_MODE, err);
}

static cJSON *find_uuid(const cJSON *index, struct lt_str uuid)
{
	cJSON *entry;

	cJSON_ArrayForEach(entry, index) {
		const cJSON *value = lt_json_get(entry, "uuid");

		if (cJSON_IsString(value) && lt_str_eq_c(uuid, value->valuestring)) {
			return entry;
		}
	}
	return NULL;
}

cJSON *lt_index_change(const struct lt_index_opts *opts, const cJSON *changes, struct lt_err *err)
{
	struct lt_index_opts again = *opts;
	struct lt_str uuid;
	char quoted[LT_QUOTE_MAX];

	if (!lt_json_get_str(changes, "uuid", &uuid, err)) {
		lt_err_prefix(err, "manifest");
		return NULL;
	}
	again.reindex = false;
	LT_AUTO(cJSON_Delete) cJSON *index = lt_index_update(&again, err);
	cJSON *entry = find_uuid(index, uuid);
	if (!entry) {
		if (index) {
			lt_err_set(err, LT_E_NOT_FOUND, "no recording %s",
					lt_str_quote(uuid, quoted));
		}
		return NULL;
	}
	/* Its file is in the directory: the update has seen it there. */
	LT_AUTO(lt_free) char *archive = file_of_key(entry->string, ".zip");
	LT_AUTO(lt_free) char *beside = file_of_key(entry->string, ".json");
	LT_AUTO(lt_free) char *archive_path = lt_path_join(opts->directory, archive);
	LT_AUTO(lt_free) char *analysis_path = lt_path_join(opts->directory, beside);
	/* Out of the index first: it comes back with what the archive says then, also after a
	 * crash. */
	cJSON_Delete(cJSON_DetachItemViaPointer(index, entry));
	write_index(opts, index, &(struct lt_buf){ 0 });
	if (!change_archive(opts, archive_path, changes, err) ||
			!change_analysis(opts, analysis_path, changes, err)) {
		cJSON_Delete(lt_index_update(&again, NULL));
		return NULL;
	}
	return lt_index_update(&again, err);
}
