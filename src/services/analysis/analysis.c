#include "services/analysis/analysis.h"

#include "base/alloc.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/analysis/analysis_priv.h"
#include "store/analysis_saved.h"

#define TICK_MS     1000
#define SAVE_S      60
#define PENDING_MAX 1000

struct lt_analyses *lt_analyses_create(const struct lt_analyses_env *env)
{
	struct lt_analyses *analyses = lt_zalloc(sizeof(*analyses));

	analyses->env = *env;
	analyses->env.log.module = "analysis";
	analyses->dir = lt_strdup(env->analysis_dir);
	return analyses;
}

/* --- publishing --- */

static void remember_topic(struct lt_live *entry, struct lt_str name)
{
	struct lt_live_topic *topic;

	HASH_FIND(hh, entry->topics, name.p, name.n, topic);
	if (topic == NULL) {
		topic = lt_zalloc(sizeof(*topic));
		topic->name = lt_str_dup(name);
		HASH_ADD_KEYPTR(hh, entry->topics, topic->name, name.n, topic);
	}
}

static void forget_topics(struct lt_live *entry, bool unretain)
{
	struct lt_live_topic *topic, *next;

	HASH_ITER(hh, entry->topics, topic, next) {
		HASH_DEL(entry->topics, topic);
		if (unretain && entry->analyses->local != NULL) {
			lt_local_unretain(entry->analyses->local, lt_str_from(topic->name));
		}
		lt_free(topic->name);
		lt_free(topic);
	}
}

static void send(void *arg, const struct lt_analysis_event *event)
{
	struct lt_live *entry = arg;
	struct lt_err err;

	if (event->retain) {
		remember_topic(entry, event->topic);
	}
	if (!lt_local_publish(entry->analyses->local, event->topic, event->retain, event->args,
			    &err)) {
		lt_log(&entry->analyses->env.log, LT_DEBUG, "analysis not published",
				"uuid=%s reason=\"%s\"", entry->uuid, err.msg);
	}
}

static struct lt_wall now_of(const struct lt_live *entry)
{
	return lt_loop_wall(entry->analyses->env.loop);
}

static void begin_publishing(struct lt_live *entry)
{
	if (!entry->has_gone && !entry->is_publishing) {
		entry->is_publishing = true;
		lt_analysis_publisher_start(entry->publisher, now_of(entry));
	}
}

static void open_publisher(struct lt_live *entry)
{
	entry->publisher = lt_analysis_publisher_create(entry->analysis, lt_str_from(entry->uuid),
			entry->poll_interval_s, send, entry);
	entry->is_publishing = false;
}

static void close_publisher(struct lt_live *entry)
{
	lt_analysis_publisher_destroy(LT_STEAL(entry->publisher));
}

/* --- updates --- */

static void update(struct lt_live *entry, const cJSON *state, const cJSON *messages,
		struct lt_wall now)
{
	struct lt_err err;
	char quoted[LT_LOG_VALUE_MAX];

	entry->is_dirty = true;
	if (!lt_analysis_publisher_update(entry->publisher, state, messages, now, &err)) {
		lt_log(&entry->analyses->env.log, LT_DEBUG, "update left out of the analysis",
				"uuid=%s reason=%s", entry->uuid,
				lt_log_value(lt_str_from(err.msg), quoted));
	}
	begin_publishing(entry);
}

static void begin_again(struct lt_live *entry)
{
	close_publisher(entry);
	forget_topics(entry, true);
	lt_analysis_destroy(entry->analysis);
	entry->analysis = lt_analysis_create(entry->col_spec);
	entry->is_dirty = true;
	open_publisher(entry);
	begin_publishing(entry); /* viewers are to forget what was */
}

static void free_pending(struct lt_live *entry, struct lt_live_pending *pending)
{
	DL_DELETE(entry->pending, pending);
	entry->pending_count--;
	cJSON_Delete(pending->state);
	cJSON_Delete(pending->messages);
	lt_free(pending);
}

static void take_pending(struct lt_live *entry)
{
	while (entry->pending != NULL) {
		struct lt_live_pending *pending = entry->pending;

		if (pending->state == NULL) {
			begin_again(entry);
		} else {
			update(entry, pending->state, pending->messages, pending->now);
		}
		free_pending(entry, pending);
	}
}

/* The oldest go when there are too many: a worker that is stuck must not fill the memory. */
static void add_pending(struct lt_live *entry, const cJSON *state, const cJSON *messages,
		struct lt_wall now)
{
	struct lt_live_pending *pending = lt_zalloc(sizeof(*pending));

	if (entry->pending_count == PENDING_MAX) {
		free_pending(entry, entry->pending);
	}
	pending->state = state ? cJSON_Duplicate(state, true) : NULL;
	pending->messages = messages ? cJSON_Duplicate(messages, true) : NULL;
	pending->now = now;
	DL_APPEND(entry->pending, pending);
	entry->pending_count++;
}

/* --- what takes long --- */

static void reshape(struct lt_live *entry)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_analysis *fresh = lt_analysis_create(entry->job.reshape);

	lt_analysis_save(entry->analysis, &text);
	LT_AUTO(cJSON_Delete) cJSON *saved = lt_json_parse(lt_buf_str(&text), NULL);
	if (saved == NULL || !lt_analysis_load(fresh, saved, NULL)) {
		lt_analysis_destroy(fresh);
		return;
	}
	lt_analysis_destroy(entry->analysis);
	entry->analysis = fresh;
}

static void run_job(void *arg)
{
	struct lt_live *entry = arg;
	struct lt_live_job *job = &entry->job;
	struct lt_analysis *loaded;

	if (job->loads &&
			(loaded = lt_analysis_saved_read(
					 entry->path, entry->col_spec, &job->load_err)) != NULL) {
		lt_analysis_destroy(entry->analysis);
		entry->analysis = loaded;
	}
	if (job->reshape != NULL) {
		reshape(entry);
	}
	if (job->saves) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_analysis_save(entry->analysis, &text);
		lt_analysis_saved_write(entry->path, lt_buf_str(&text), &job->save_err);
	}
	if (job->answers) {
		lt_buf_add_char(&job->answer, '[');
		lt_analysis_write_whole(entry->analysis, &job->answer);
		lt_buf_add_char(&job->answer, ']');
	}
}

static void free_job(struct lt_live_job *job)
{
	cJSON_Delete(job->reshape);
	lt_buf_finish(&job->answer);
	*job = (struct lt_live_job){ 0 };
}

static void free_entry(struct lt_live *entry)
{
	while (entry->pending != NULL) {
		free_pending(entry, entry->pending);
	}
	free_job(&entry->job);
	free_job(&entry->next);
	close_publisher(entry);
	forget_topics(entry, false);
	lt_analysis_destroy(entry->analysis);
	cJSON_Delete(entry->col_spec);
	lt_free(entry->uuid);
	lt_free(entry->path);
	lt_free(entry);
}

static void stopped(void *arg)
{
	struct lt_analyses *analyses = arg;

	analyses->stopped(analyses->stopped_arg);
}

static void check_stopped(struct lt_analyses *analyses)
{
	if (analyses->stopped != NULL && analyses->entries == NULL) {
		lt_loop_defer(analyses->env.loop, &analyses->stopped_call, stopped, analyses);
	}
}

static void remove_entry(struct lt_live *entry)
{
	struct lt_analyses *analyses = entry->analyses;

	DL_DELETE2(analyses->entries, entry, prev, nxt);
	free_entry(entry);
	check_stopped(analyses);
}

static void report_job(struct lt_live *entry)
{
	const struct lt_log *log = &entry->analyses->env.log;
	const struct lt_live_job *job = &entry->job;
	bool failed = job->save_err.code != LT_E_NONE;
	char quoted[LT_LOG_VALUE_MAX];

	if (job->loads && job->load_err.code != LT_E_NONE && job->load_err.code != LT_E_NOT_FOUND) {
		lt_log(log, LT_WARN, "saved analysis not used, starting without",
				"uuid=%s reason=%s", entry->uuid,
				lt_log_value(lt_str_from(job->load_err.msg), quoted));
	}
	if (!job->saves) {
		return;
	}
	if (failed && !entry->save_failed) {
		lt_log(log, LT_ERROR, "analysis not saved, tried again each minute",
				"uuid=%s reason=%s", entry->uuid,
				lt_log_value(lt_str_from(job->save_err.msg), quoted));
	}
	entry->save_failed = failed;
	entry->is_dirty = entry->is_dirty || failed;
}

static void job_done(void *arg)
{
	struct lt_live *entry = arg;

	entry->is_busy = false;
	if (entry->analyses == NULL) {
		free_entry(entry);
		return;
	}
	report_job(entry);
	for (size_t i = 0; i < entry->job.question_count; i++) {
		lt_local_yield(entry->analyses->local, entry->job.questions[i],
				lt_buf_str(&entry->job.answer));
	}
	bool was_loaded = entry->job.reshape != NULL ||
			(entry->job.loads && entry->job.load_err.code == LT_E_NONE);

	if (entry->job.reshape != NULL) {
		cJSON_Delete(entry->col_spec);
		entry->col_spec = LT_STEAL(entry->job.reshape);
	}
	free_job(&entry->job);
	if (entry->publisher == NULL) {
		open_publisher(entry);
		if (was_loaded) {
			begin_publishing(entry);
		}
	}
	take_pending(entry);
	lt_live_work(entry);
}

void lt_live_work(struct lt_live *entry)
{
	const struct lt_live_job *next = &entry->next;

	if (entry->is_busy) {
		return;
	}
	if (entry->has_gone && entry->path != NULL && entry->is_dirty && !entry->save_failed) {
		entry->next.saves = true;
	}
	if (next->loads || next->saves || next->answers || next->reshape != NULL) {
		if (next->reshape != NULL) {
			close_publisher(entry); /* the analysis is another one after it */
		}
		if (next->saves) {
			entry->is_dirty = false;
		}
		entry->job = entry->next;
		entry->next = (struct lt_live_job){ 0 };
		entry->is_busy = true;
		entry->saved_at_s = lt_loop_now(entry->analyses->env.loop).us / LT_US_PER_S;
		lt_loop_work(entry->analyses->env.loop, run_job, job_done, entry);
	} else if (entry->has_gone) {
		remove_entry(entry);
	}
}

/* --- what the service says --- */

static double interval_of(const cJSON *manifest)
{
	const cJSON *interval = lt_json_get(manifest, "pollInterval");

	return cJSON_IsNumber(interval) ? interval->valuedouble : 0;
}

static void on_described(void *arg, const cJSON *manifest)
{
	struct lt_live *entry = arg;
	const cJSON *col_spec = lt_json_get(manifest, "colSpec");
	bool is_first = entry->analysis == NULL;

	if (!entry->has_analysis) {
		return;
	}
	entry->poll_interval_s = interval_of(manifest);
	if (!is_first && lt_json_equal(entry->col_spec, col_spec)) {
		return;
	}
	if (is_first) {
		entry->col_spec = cJSON_Duplicate(col_spec, true);
		entry->analysis = lt_analysis_create(entry->col_spec);
		entry->next.loads = entry->continues && entry->path != NULL;
		if (!entry->next.loads) {
			open_publisher(entry);
		}
	} else {
		cJSON_Delete(entry->next.reshape);
		entry->next.reshape = cJSON_Duplicate(col_spec, true);
	}
	lt_live_work(entry);
}

static void on_update(void *arg, const struct lt_timing_update *what)
{
	struct lt_live *entry = arg;

	if (entry->analysis == NULL) {
		return;
	}
	if (entry->is_busy || entry->publisher == NULL) {
		add_pending(entry, what->new_state, what->messages, what->now);
	} else {
		update(entry, what->new_state, what->messages, what->now);
	}
}

static void on_new_session(void *arg)
{
	struct lt_live *entry = arg;

	if (entry->analysis == NULL) {
		return;
	}
	if (entry->is_busy || entry->publisher == NULL) {
		add_pending(entry, NULL, NULL, now_of(entry));
	} else {
		begin_again(entry);
	}
}

/* A time at which everything is due. */
static struct lt_wall far_future(void)
{
	return (struct lt_wall){ INT64_MAX / 2 };
}

static void on_stopped(void *arg)
{
	struct lt_live *entry = arg;

	lt_live_withdraw(entry);
	if (entry->publisher != NULL) {
		/* what waits for its turn is the end of the story: recordings want it now */
		if (!entry->is_busy) {
			lt_analysis_publisher_tick(entry->publisher, far_future());
		}
		lt_analysis_publisher_stop(entry->publisher);
	}
	forget_topics(entry, true);
	entry->has_gone = true;
	if (entry->analysis == NULL) {
		remove_entry(entry);
	} else {
		entry->save_failed = false;
		lt_live_work(entry);
	}
}

/* --- entries --- */

/* Its service has ended a moment ago, and the data is still on its way to the disk. */
static struct lt_live *take_over(struct lt_analyses *analyses, const struct lt_timing_about *about)
{
	struct lt_live *entry;

	DL_FOREACH2(analyses->entries, entry, nxt)
	{
		if (entry->has_gone && lt_str_eq_c(about->uuid, entry->uuid) && about->continues &&
				about->has_analysis) {
			entry->has_gone = false;
			close_publisher(entry);
			if (!entry->is_busy) {
				open_publisher(entry); /* else when the worker is done */
				begin_publishing(entry);
			}
			return entry;
		}
	}
	return NULL;
}

static bool make_entry(struct lt_analyses *analyses, const struct lt_timing_about *about,
		struct lt_live **ret_entry, struct lt_err *err)
{
	struct lt_live *entry = lt_zalloc(sizeof(*entry));

	entry->analyses = analyses;
	entry->uuid = lt_str_dup(about->uuid);
	entry->has_analysis = about->has_analysis;
	entry->continues = about->continues;
	if (about->keeps_files &&
			!(entry->path = lt_analysis_saved_path(analyses->dir, about->uuid, err))) {
		free_entry(entry);
		return false;
	}
	DL_APPEND2(analyses->entries, entry, prev, nxt);
	*ret_entry = entry;
	return true;
}

static bool attach(void *arg, const struct lt_timing_about *about,
		struct lt_timing_observer *ret_observer, struct lt_err *err)
{
	struct lt_analyses *analyses = arg;
	struct lt_live *entry = take_over(analyses, about);

	if (entry == NULL && !make_entry(analyses, about, &entry, err)) {
		return lt_err_prefix(err, "analysis");
	}
	if (!lt_live_offer(entry, err)) {
		on_stopped(entry);
		return lt_err_prefix(err, "analysis");
	}
	*ret_observer = (struct lt_timing_observer){ .described = on_described,
		.update = on_update,
		.new_session = on_new_session,
		.stopped = on_stopped,
		.arg = entry };
	return true;
}

struct lt_timing_watcher lt_analyses_watcher(struct lt_analyses *analyses)
{
	return (struct lt_timing_watcher){ .attach = attach, .arg = analyses };
}

/* --- life --- */

static void on_tick(void *arg)
{
	struct lt_analyses *analyses = arg;
	int64_t now_s = lt_loop_now(analyses->env.loop).us / LT_US_PER_S;
	struct lt_live *entry, *tmp;

	DL_FOREACH_SAFE2(analyses->entries, entry, tmp, nxt)
	{
		if (entry->publisher == NULL || entry->is_busy || entry->has_gone) {
			continue;
		}
		lt_analysis_publisher_tick(entry->publisher, now_of(entry));
		if (entry->is_dirty && entry->path != NULL && now_s - entry->saved_at_s >= SAVE_S) {
			entry->next.saves = true;
			lt_live_work(entry);
		}
	}
}

bool lt_analyses_start(struct lt_analyses *analyses, struct lt_err *err)
{
	analyses->local = lt_local_join(
			analyses->env.router, LT_STR(LT_REALM), "analysis", "services", err);
	if (analyses->local == NULL) {
		return lt_err_prefix(err, "analysis");
	}
	lt_timer_every(&analyses->tick, analyses->env.loop, TICK_MS, on_tick, analyses);
	return true;
}

void lt_analyses_stop(struct lt_analyses *analyses, void (*done)(void *arg), void *arg)
{
	lt_timer_cancel(&analyses->tick);
	analyses->stopped = done;
	analyses->stopped_arg = arg;
	check_stopped(analyses);
}

void lt_analyses_destroy(struct lt_analyses *analyses)
{
	struct lt_live *entry, *tmp;

	if (analyses == NULL) {
		return;
	}
	lt_timer_cancel(&analyses->tick);
	lt_deferred_cancel(&analyses->stopped_call);
	DL_FOREACH_SAFE2(analyses->entries, entry, tmp, nxt)
	{
		DL_DELETE2(analyses->entries, entry, prev, nxt);
		entry->analyses = NULL;
		if (!entry->is_busy) {
			free_entry(entry);
		}
	}
	lt_local_leave(analyses->local);
	lt_free(analyses->dir);
	lt_free(analyses);
}
