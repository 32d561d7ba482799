/* What the bucket is known to have of ours: STATE_DIR/offload.json. */
#include "base/alloc.h"
#include "services/offload/offload_priv.h"

#define FILE_MAX_BYTES (64u << 20)
#define NS_PER_S       INT64_C(1000000000)

static struct lt_offload_done *find(const struct lt_offload *offload, const char *name)
{
	struct lt_offload_done *found = NULL;

	HASH_FIND_STR(offload->done, name, found);
	return found;
}

const struct lt_offload_done *lt_offload_find_done(
		const struct lt_offload *offload, const char *name)
{
	return find(offload, name);
}

bool lt_offload_has_archive(const struct lt_offload *offload, const struct lt_offload_file *file)
{
	const struct lt_offload_done *done = find(offload, file->name);

	return done && done->bytes == file->bytes && done->mtime_ns == file->mtime_ns;
}

bool lt_offload_has_analysis(const struct lt_offload *offload, const struct lt_offload_file *file)
{
	const struct lt_offload_done *done = find(offload, file->name);

	return file->analysis_ns == 0 || (done && done->analysis_ns == file->analysis_ns);
}

bool lt_offload_is_done(const struct lt_offload *offload, const struct lt_offload_file *file)
{
	const struct lt_offload_done *done = find(offload, file->name);

	return lt_offload_has_archive(offload, file) && lt_offload_has_analysis(offload, file) &&
			(!file->listed || done->listed_hash == 0 ||
					done->listed_hash == file->listed->hash);
}

static void set(struct lt_offload *offload, const struct lt_offload_file *file, struct lt_str etag)
{
	struct lt_offload_done *done = find(offload, file->name);

	if (!done) {
		done = lt_zalloc(sizeof(*done) + strlen(file->name) + 1);
		memcpy(done->name, file->name, strlen(file->name));
		HASH_ADD_STR(offload->done, name, done);
	}
	done->bytes = file->bytes;
	done->mtime_ns = file->mtime_ns;
	done->analysis_ns = file->analysis_ns;
	done->listed_hash = file->listed ? file->listed->hash : 0;
	lt_free(done->etag);
	done->etag = lt_str_dup(etag);
}

static void drop(struct lt_offload *offload, struct lt_offload_done *done)
{
	HASH_DEL(offload->done, done);
	lt_free(done->etag);
	lt_free(done);
}

/* --- the file --- */

/*
 * {"bucket": where, "files": {"UUID.zip": {"bytes", "etag", "mtime": [s, ns],
 * "analysis": [s, ns], "entry": "hash of what the index said"}}}
 */

static void write_time(struct lt_buf *text, const char *name, int64_t ns)
{
	lt_buf_printf(text, ",\"%s\":[%lld,%lld]", name, (long long)(ns / NS_PER_S),
			(long long)(ns % NS_PER_S));
}

static void save(struct lt_offload *offload)
{
	const struct lt_offload_done *done;
	struct lt_buf text = { 0 };
	struct lt_text *shared;

	lt_buf_add_c(&text, "{\"bucket\":");
	lt_json_write_str(&text, lt_str_from(offload->bucket));
	lt_buf_add_c(&text, ",\"files\":{");
	for (done = offload->done; done; done = done->hh.next) {
		lt_buf_add_c(&text, done == offload->done ? "" : ",");
		lt_json_write_str(&text, lt_str_from(done->name));
		lt_buf_printf(&text, ":{\"bytes\":%llu,\"etag\":", (unsigned long long)done->bytes);
		lt_json_write_str(&text, lt_str_from(done->etag));
		write_time(&text, "mtime", done->mtime_ns);
		write_time(&text, "analysis", done->analysis_ns);
		lt_buf_printf(&text, ",\"entry\":\"%llu\"}", (unsigned long long)done->listed_hash);
	}
	lt_buf_add_c(&text, "}}");
	shared = lt_text_take(&text);
	lt_saver_write(offload->saver, offload->state_path, shared);
	lt_text_unref(shared);
}

static bool read_time(const cJSON *item, const char *name, int64_t *ret_ns)
{
	const cJSON *pair = lt_json_get(item, name);
	const cJSON *s = cJSON_GetArrayItem(pair, 0), *ns = cJSON_GetArrayItem(pair, 1);

	if (!cJSON_IsNumber(s) || !cJSON_IsNumber(ns) || s->valuedouble < 0 ||
			s->valuedouble > INT32_MAX || ns->valuedouble < 0 ||
			ns->valuedouble >= NS_PER_S) {
		return false;
	}
	*ret_ns = (int64_t)s->valuedouble * NS_PER_S + (int64_t)ns->valuedouble;
	return true;
}

/* What cannot be read, or is of another bucket, is uploaded again. */
void lt_offload_load_done(struct lt_offload *offload)
{
	LT_AUTO(cJSON_Delete)
	cJSON *file = lt_json_parse_file(offload->state_path, FILE_MAX_BYTES, NULL);
	struct lt_str bucket = { "", 0 };
	const cJSON *item;

	lt_json_opt_str(file, "bucket", &bucket, NULL);
	if (!lt_str_eq_c(bucket, offload->bucket)) {
		return;
	}
	cJSON_ArrayForEach(item, lt_json_get(file, "files")) {
		struct lt_offload_file one = { .name = item->string };
		struct lt_offload_listed listed = { 0 };
		struct lt_str etag, hash;
		int64_t bytes;

		if (lt_json_get_int(item, "bytes", 0, INT64_MAX, &bytes, NULL) &&
				lt_json_get_str(item, "etag", &etag, NULL) &&
				lt_json_get_str(item, "entry", &hash, NULL) &&
				lt_parse_u64(hash, UINT64_MAX, &listed.hash, NULL) &&
				read_time(item, "mtime", &one.mtime_ns) &&
				read_time(item, "analysis", &one.analysis_ns)) {
			one.bytes = (uint64_t)bytes;
			one.listed = &listed;
			set(offload, &one, etag);
		}
	}
}

void lt_offload_set_done(
		struct lt_offload *offload, const struct lt_offload_file *file, struct lt_str etag)
{
	set(offload, file, etag);
	save(offload);
}

void lt_offload_outdate(struct lt_offload *offload, const char *name)
{
	struct lt_offload_done *done = find(offload, name);

	if (done) {
		lt_free(done->etag);
		done->etag = lt_strdup("");
		save(offload);
	}
}

void lt_offload_drop_done(struct lt_offload *offload, const char *name)
{
	struct lt_offload_done *done = find(offload, name);

	if (done) {
		drop(offload, done);
		save(offload);
	}
}

void lt_offload_free_done(struct lt_offload *offload)
{
	struct lt_offload_done *done, *next;

	HASH_ITER(hh, offload->done, done, next) {
		drop(offload, done);
	}
}
