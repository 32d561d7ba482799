#include "services/timing/saver.h"

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/table.h"

#define RETRY_MS  5000
#define FILE_MODE 0600

struct lt_text {
	struct lt_buf buf;
	unsigned refs;
};

struct lt_text *lt_text_take(struct lt_buf *buf)
{
	struct lt_text *text = lt_zalloc(sizeof(*text));

	text->buf = *buf;
	*buf = (struct lt_buf){ 0 };
	text->refs = 1;
	return text;
}

struct lt_text *lt_text_ref(struct lt_text *text)
{
	text->refs++;
	return text;
}

void lt_text_unref(struct lt_text *text)
{
	if (text != NULL && --text->refs == 0) {
		lt_buf_finish(&text->buf);
		lt_free(text);
	}
}

struct lt_str lt_text_str(const struct lt_text *text)
{
	return lt_buf_str(&text->buf);
}

/* One path with a write in flight, and what is to be written after it. */
struct job {
	struct lt_saver *saver; /* NULL: it was destroyed meanwhile */
	char *path;
	struct lt_text *text, *next_text;
	struct lt_saver_waiter *waiters;
	bool ok;
	struct lt_err err;
	struct job *prev, *next;
};

struct lt_saver {
	struct lt_loop *loop;
	struct lt_log log;
	struct job *jobs;
	struct job *failed; /* not written, and nothing newer has come: tried again */
	struct lt_timer retry;
	bool is_failing; /* the last write failed and was reported */
	lt_loop_fn flushed;
	void *flushed_arg;
};

struct lt_saver *lt_saver_create(struct lt_loop *loop, struct lt_log log)
{
	struct lt_saver *saver = lt_zalloc(sizeof(*saver));

	saver->loop = loop;
	saver->log = log;
	return saver;
}

static void free_job(struct job *job)
{
	lt_text_unref(job->text);
	lt_text_unref(job->next_text);
	lt_free(job->path);
	lt_free(job);
}

void lt_saver_destroy(struct lt_saver *saver)
{
	struct job *job, *next;

	if (saver == NULL) {
		return;
	}
	DL_FOREACH_SAFE(saver->jobs, job, next) {
		DL_DELETE(saver->jobs, job);
		job->saver = NULL;
	}
	DL_FOREACH_SAFE(saver->failed, job, next) {
		DL_DELETE(saver->failed, job);
		free_job(job);
	}
	lt_timer_cancel(&saver->retry);
	lt_free(saver);
}

static void write_file(void *arg)
{
	struct job *job = arg;

	job->ok = lt_file_replace(job->path, lt_text_str(job->text), FILE_MODE, &job->err);
}

static void report(struct lt_saver *saver, const struct job *job)
{
	if (!job->ok && !saver->is_failing) {
		lt_log(&saver->log, LT_ERROR, "file not written, tried again", "reason=\"%s\"",
				job->err.msg);
	}
	saver->is_failing = !job->ok;
}

/* Waiters may write again, or forget others, from inside of `saved`: one is taken out at a time. */
static struct lt_saver_waiter *next_told(struct job *job)
{
	struct lt_saver_waiter *waiter;

	DL_FOREACH(job->waiters, waiter) {
		if (!waiter->is_for_next) {
			DL_DELETE(job->waiters, waiter);
			return waiter;
		}
	}
	return NULL;
}

static void tell_waiters(struct job *job)
{
	struct lt_saver_waiter *waiter;
	bool ok = job->ok;

	while ((waiter = next_told(job))) {
		waiter->saved(waiter->arg, ok);
	}
	DL_FOREACH(job->waiters, waiter) {
		waiter->is_for_next = false;
	}
}

static void written(void *arg);

static void retry(void *arg)
{
	struct lt_saver *saver = arg;
	struct job *job, *next;

	lt_timer_cancel(&saver->retry);
	DL_FOREACH_SAFE(saver->failed, job, next) {
		DL_DELETE(saver->failed, job);
		DL_APPEND(saver->jobs, job);
		lt_loop_work(saver->loop, write_file, written, job);
	}
}

static void keep_for_retry(struct lt_saver *saver, struct job *job)
{
	DL_APPEND(saver->failed, job);
	if (!lt_timer_is_armed(&saver->retry)) {
		lt_timer_once(&saver->retry, saver->loop, RETRY_MS, retry, saver);
	}
}

static void written(void *arg)
{
	struct job *job = arg;
	struct lt_saver *saver = job->saver;

	if (saver == NULL) {
		free_job(job);
		return;
	}
	report(saver, job);
	tell_waiters(job);
	if (job->next_text != NULL) {
		lt_text_unref(job->text);
		job->text = LT_STEAL(job->next_text);
		lt_loop_work(saver->loop, write_file, written, job);
		return;
	}
	DL_DELETE(saver->jobs, job);
	if (job->ok) {
		free_job(job);
	} else {
		keep_for_retry(saver, job);
	}
	if (saver->jobs == NULL && saver->flushed != NULL) {
		lt_loop_fn flushed = LT_STEAL(saver->flushed);

		flushed(saver->flushed_arg);
	}
}

static struct job *find_job(struct job *jobs, const char *path)
{
	struct job *job;

	DL_FOREACH(jobs, job) {
		if (strcmp(job->path, path) == 0) {
			return job;
		}
	}
	return NULL;
}

static struct job *begin_write(struct lt_saver *saver, const char *path, struct lt_text *text)
{
	struct job *job = find_job(saver->failed, path);

	if (job != NULL) { /* this content is newer */
		DL_DELETE(saver->failed, job);
		free_job(job);
	}
	job = find_job(saver->jobs, path);
	if (job != NULL) {
		lt_text_unref(job->next_text);
		job->next_text = lt_text_ref(text);
		return job;
	}
	job = lt_zalloc(sizeof(*job));
	job->saver = saver;
	job->path = lt_strdup(path);
	job->text = lt_text_ref(text);
	DL_APPEND(saver->jobs, job);
	lt_loop_work(saver->loop, write_file, written, job);
	return job;
}

void lt_saver_write(struct lt_saver *saver, const char *path, struct lt_text *text)
{
	begin_write(saver, path, text);
}

void lt_saver_write_then(struct lt_saver *saver, const char *path, struct lt_text *text,
		struct lt_saver_waiter *waiter)
{
	struct job *job;

	waiter->is_for_next = lt_saver_is_busy(saver, path);
	job = begin_write(saver, path, text);
	DL_APPEND(job->waiters, waiter);
}

void lt_saver_forget(struct lt_saver *saver, const struct lt_saver_waiter *waiter)
{
	struct job *job;
	struct lt_saver_waiter *other, *next;

	DL_FOREACH(saver->jobs, job) {
		DL_FOREACH_SAFE(job->waiters, other, next) {
			if (other == waiter) {
				DL_DELETE(job->waiters, other);
				return;
			}
		}
	}
}

bool lt_saver_is_busy(const struct lt_saver *saver, const char *path)
{
	return find_job(saver->jobs, path) != NULL;
}

void lt_saver_flush(struct lt_saver *saver, lt_loop_fn done, void *arg)
{
	retry(saver);
	if (saver->jobs == NULL) {
		done(arg);
		return;
	}
	saver->flushed = done;
	saver->flushed_arg = arg;
}
