#include "services/offload/offload.h"

#include "base/alloc.h"
#include "base/exposition.h"
#include "base/fsutil.h"
#include "services/offload/offload_priv.h"
#include "store/index.h"

#define STATE_NAME "offload.json"
#define SCAN_MS    1000

char *lt_offload_key(const struct lt_offload *offload, const char *folder, const char *name)
{
	struct lt_buf key = { 0 };

	lt_buf_printf(&key, "%s%s%s%s", offload->prefix, folder, name, *folder ? ".json" : "");
	return lt_buf_steal(&key);
}

char *lt_offload_with_ending(const char *name, const char *ending)
{
	struct lt_buf text = { 0 };

	lt_buf_printf(&text, "%.*s%s", (int)(strlen(name) - strlen(".zip")), name, ending);
	return lt_buf_steal(&text);
}

/* --- life --- */

struct lt_offload *lt_offload_create(const struct lt_offload_env *env)
{
	struct lt_offload *offload = lt_zalloc(sizeof(*offload));
	struct lt_buf bucket = { 0 };

	offload->env = *env;
	offload->env.log.module = "offload";
	offload->directory = lt_strdup(env->directory);
	offload->state_path = lt_path_join(env->state_dir, STATE_NAME);
	offload->remote_path = lt_path_join(env->directory, LT_REMOTE_NAME);
	offload->prefix = lt_strdup(env->conf.prefix ? env->conf.prefix : "");
	lt_buf_printf(&bucket, "%s %s", env->conf.url, offload->prefix);
	offload->bucket = lt_buf_steal(&bucket);
	offload->saver = lt_saver_create(env->loop, offload->env.log);
	offload->s3 = lt_s3_create(&(struct lt_s3_env){
			.loop = env->loop,
			.requests = env->requests,
			.url = env->conf.url,
			.region = env->conf.region,
			.access_key = env->conf.access_key,
			.secret_key = env->conf.secret_key,
	});
	return offload;
}

void lt_offload_start(struct lt_offload *offload)
{
	lt_offload_load_done(offload);
	lt_offload_load_remote(offload);
	offload->is_started = true;
	lt_timer_every(&offload->scan_timer, offload->env.loop, SCAN_MS, lt_offload_look, offload);
	lt_timer_every(&offload->refresh_timer, offload->env.loop,
			offload->env.conf.refresh_s * 1000, lt_offload_refresh, offload);
	lt_offload_refresh(offload);
}

void lt_offload_stop(struct lt_offload *offload)
{
	offload->is_started = false;
	lt_timer_cancel(&offload->scan_timer);
	lt_timer_cancel(&offload->refresh_timer);
	lt_timer_cancel(&offload->retry_timer);
	lt_s3_destroy(LT_STEAL(offload->s3));
	lt_offload_free_fetches(offload);
	lt_offload_stop_upload(offload);
	lt_offload_stop_removal(offload);
	lt_offload_stop_scan(offload);
}

void lt_offload_destroy(struct lt_offload *offload)
{
	if (!offload) {
		return;
	}
	lt_offload_stop(offload);
	lt_offload_free_done(offload);
	lt_offload_free_remote(offload);
	lt_offload_listing_free(offload->listing);
	lt_saver_destroy(offload->saver);
	lt_free(offload->directory);
	lt_free(offload->state_path);
	lt_free(offload->remote_path);
	lt_free(offload->prefix);
	lt_free(offload->bucket);
	lt_free(offload->tried);
	lt_free(offload);
}

void lt_offload_report(const struct lt_offload *offload, struct lt_offload_stats *ret)
{
	*ret = offload->stats;
	ret->remote = HASH_COUNT(offload->remote);
	ret->in_trouble = offload->is_list_bad || offload->attempts > 0;
}

void lt_offload_write_metrics(const struct lt_offload *offload, struct lt_buf *buf)
{
	struct lt_offload_stats stats;

	lt_offload_report(offload, &stats);

	const struct lt_expo_figure figures[] = {
		{ "livetiming_offload_uploaded_total", "counter", "recordings uploaded",
				stats.uploaded },
		{ "livetiming_offload_failed_total", "counter",
				"uploads that failed, to be tried again", stats.failed },
		{ "livetiming_offload_waiting", "gauge", "recordings that are not uploaded yet",
				stats.waiting },
		{ "livetiming_offload_remote", "gauge", "recordings in the bucket", stats.remote },
		{ "livetiming_offload_fetched_total", "counter", "recordings fetched from it",
				stats.fetched },
		{ "livetiming_offload_removed_total", "counter", "local copies removed",
				stats.removed },
		{ "livetiming_offload_in_trouble", "gauge",
				"1: the last listing, or upload, failed", stats.in_trouble },
	};

	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
}
