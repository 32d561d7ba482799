/* A recording on its way into the bucket: archive, analysis, and its entry at the end. */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 300000
#define NAME_TRIES   1000

enum step { NAME, ARCHIVE, ANALYSIS, ENTRY, END };

struct lt_offload_upload {
	struct lt_offload *offload; /* NULL: stopped while a worker has it */
	struct lt_offload_file file;
	struct lt_offload_listed listed; /* its own */
	enum step step;
	char *etag; /* of the archive in the bucket */
	bool at_worker;
	char *directory, *new_name;
};

static void free_upload(struct lt_offload_upload *upload)
{
	lt_free(upload->new_name);
	lt_free(upload->directory);
	lt_free(upload->etag);
	lt_free(upload->listed.text);
	lt_free(upload->file.name);
	lt_free(upload);
}

static void end_upload(struct lt_offload *offload)
{
	free_upload(LT_STEAL(offload->upload));
}

static void on_failed(struct lt_offload *offload, struct lt_str why, bool is_denied)
{
	int64_t wait_ms = RETRY_MIN_MS;

	for (unsigned i = 0; i < offload->attempts && wait_ms < RETRY_MAX_MS; i++) {
		wait_ms *= 2;
	}
	wait_ms = LT_MIN(wait_ms, RETRY_MAX_MS);
	offload->attempts++;
	offload->stats.failed++;
	lt_log(&offload->env.log, is_denied ? LT_ERROR : LT_WARN,
			"recording not uploaded; it stays here and is tried again",
			"name=%s reason=\"%.*s\" in_s=%lld", offload->upload->file.name,
			LT_STR_ARG(why), (long long)wait_ms / 1000);
	end_upload(offload);
	lt_timer_once(&offload->retry_timer, offload->env.loop, wait_ms, lt_offload_look, offload);
}

/* --- a name that is another's --- */

/* Worker. */
static void rename_files(void *arg)
{
	struct lt_offload_upload *upload = arg;
	LT_AUTO(lt_free) char *from = lt_path_join(upload->directory, upload->file.name);
	LT_AUTO(lt_free) char *analysis = lt_offload_with_ending(upload->file.name, ".json");
	LT_AUTO(lt_free) char *from_analysis = lt_path_join(upload->directory, analysis);
	LT_AUTO(lt_free) char *to = lt_path_join(upload->directory, upload->new_name);
	LT_AUTO(lt_free) char *new_analysis = lt_offload_with_ending(upload->new_name, ".json");
	LT_AUTO(lt_free) char *to_analysis = lt_path_join(upload->directory, new_analysis);

	/* link, not rename: what is there is never replaced */
	if (link(from, to) == 0) {
		rename(from_analysis, to_analysis); /* where it has one */
		unlink(from);
	}
}

static void renamed(void *arg)
{
	struct lt_offload_upload *upload = arg;
	struct lt_offload *offload = upload->offload;

	upload->at_worker = false;
	if (!offload) {
		free_upload(upload);
		return;
	}
	lt_log(&offload->env.log, LT_INFO, "recording renamed: its name is another's in the bucket",
			"name=%s new=%s", upload->file.name, upload->new_name);
	end_upload(offload);
	lt_offload_look(offload);
}

/* The next name that is free here and there. */
static void give_new_name(struct lt_offload *offload)
{
	struct lt_offload_upload *upload = offload->upload;
	LT_AUTO(lt_free) char *base = lt_offload_with_ending(upload->file.name, "");
	char *underscore = strchr(base, '_');

	if (underscore) {
		*underscore = '\0';
	}
	for (int i = 1; i < NAME_TRIES && !upload->new_name; i++) {
		struct lt_buf name = { 0 };
		LT_AUTO(lt_free) char *path = NULL;

		lt_buf_printf(&name, "%s_%d.zip", base, i);
		path = lt_path_join(offload->directory, name.p);
		if (!lt_offload_find_remote(offload, name.p) && access(path, F_OK) != 0) {
			upload->new_name = lt_buf_steal(&name);
		}
		lt_buf_finish(&name);
	}
	if (!upload->new_name) {
		on_failed(offload, LT_STR("its name is taken, and so are all after it"), false);
		return;
	}
	upload->at_worker = true;
	lt_loop_work(offload->env.loop, rename_files, renamed, upload);
}

/* --- steps --- */

static void next_step(struct lt_offload *offload);

/* What the bucket has under this name now: another node may have come first. */
static void on_name(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload *offload = arg;
	struct lt_offload_upload *upload = offload->upload;
	LT_AUTO(cJSON_Delete) cJSON *there = result->ok ? lt_json_parse(result->body, NULL) : NULL;
	LT_AUTO(cJSON_Delete) cJSON *ours = lt_json_parse(lt_str_from(upload->listed.text), NULL);

	if (!result->ok && !result->is_absent) {
		on_failed(offload, result->error, result->is_denied);
	} else if (result->ok &&
			!lt_json_equal(lt_json_get(there, "startTime"),
					lt_json_get(ours, "startTime"))) {
		lt_offload_set_remote(offload, upload->file.name, there);
		give_new_name(offload);
	} else {
		next_step(offload);
	}
}

static void on_sent(void *arg, const struct lt_s3_result *result)
{
	struct lt_offload *offload = arg;
	struct lt_offload_upload *upload = offload->upload;

	if (!result->ok) {
		on_failed(offload, result->error, result->is_denied);
		return;
	}
	if (upload->step == ARCHIVE) {
		lt_free(upload->etag);
		upload->etag = lt_str_dup(result->etag);
	}
	next_step(offload);
}

static void send_file(struct lt_offload *offload, const char *ending)
{
	LT_AUTO(lt_free) char *name = lt_offload_with_ending(offload->upload->file.name, ending);
	LT_AUTO(lt_free) char *key = lt_offload_key(offload, "", name);
	LT_AUTO(lt_free) char *path = lt_path_join(offload->directory, name);

	lt_s3_put(offload->s3, key, path, on_sent, offload);
}

static void end_well(struct lt_offload *offload)
{
	struct lt_offload_upload *upload = offload->upload;
	LT_AUTO(cJSON_Delete) cJSON *entry = lt_json_parse(lt_str_from(upload->listed.text), NULL);

	offload->attempts = 0;
	offload->stats.uploaded++;
	lt_log(&offload->env.log, LT_INFO, "recording uploaded", "name=%s bytes=%llu",
			upload->file.name, (unsigned long long)upload->file.bytes);
	lt_offload_set_remote(offload, upload->file.name, entry);
	lt_offload_set_done(offload, &upload->file, lt_str_from(upload->etag));
	end_upload(offload);
	lt_offload_look(offload);
}

/* What the bucket has already, as it is here, is not sent again. */
static void next_step(struct lt_offload *offload)
{
	struct lt_offload_upload *upload = offload->upload;
	LT_AUTO(lt_free) char *name = lt_offload_with_ending(upload->file.name, "");
	LT_AUTO(lt_free) char *key = lt_offload_key(offload, "catalogue/", name);

	upload->step++;
	if (upload->step == ARCHIVE && lt_offload_has_archive(offload, &upload->file)) {
		upload->step++;
	}
	if (upload->step == ANALYSIS && lt_offload_has_analysis(offload, &upload->file)) {
		upload->step++;
	}
	switch (upload->step) {
	case NAME:
		break;
	case ARCHIVE:
		send_file(offload, ".zip");
		break;
	case ANALYSIS:
		send_file(offload, ".json");
		break;
	case ENTRY:
		lt_s3_put_bytes(offload->s3, key, lt_str_from(upload->listed.text), on_sent,
				offload);
		break;
	case END:
		end_well(offload);
		break;
	}
}

void lt_offload_upload(struct lt_offload *offload, const struct lt_offload_file *file)
{
	struct lt_offload_upload *upload = lt_zalloc(sizeof(*upload));
	const struct lt_offload_done *done = lt_offload_find_done(offload, file->name);
	LT_AUTO(lt_free) char *name = lt_offload_with_ending(file->name, "");
	LT_AUTO(lt_free) char *key = lt_offload_key(offload, "catalogue/", name);

	upload->offload = offload;
	upload->file = *file;
	upload->file.name = lt_strdup(file->name);
	upload->listed = (struct lt_offload_listed){ .text = lt_strdup(file->listed->text),
		.hash = file->listed->hash };
	upload->file.listed = &upload->listed;
	upload->directory = lt_strdup(offload->directory);
	upload->etag = lt_strdup(done ? done->etag : "");
	offload->upload = upload;
	lt_free(offload->tried);
	offload->tried = lt_strdup(file->name);
	offload->tried_ns = file->mtime_ns;
	lt_s3_get_bytes(offload->s3, key, on_name, offload);
}

void lt_offload_stop_upload(struct lt_offload *offload)
{
	if (offload->upload && offload->upload->at_worker) {
		LT_STEAL(offload->upload)->offload = NULL;
	} else if (offload->upload) {
		end_upload(offload);
	}
}
