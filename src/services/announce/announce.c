#include "services/announce/announce.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/random.h"
#include "base/table.h"
#include "services/announce/announce_priv.h"

#define FILE_MAX_BYTES (16u * 1024 * 1024)
#define PAUSE_MAX_S    600 /* between attempts, unless the network asks for more */
#define NAME_MAX_BYTES 500
#define LONG_AHEAD_S   86400 /* a next attempt further off is the work of a changed clock */
#define TIMER_MAX_MS   3600000

const char *const lt_post_state_names[LT_POST_STATES] = {
	[LT_WAITING] = "waiting",
	[LT_SENDING] = "sending",
	[LT_POSTED] = "posted",
	[LT_FAILED] = "failed",
	[LT_UNKNOWN] = "unknown",
};

static void pump(struct lt_announce *announce);

/* --- the queue --- */

void lt_queued_free(struct lt_queued *queued)
{
	lt_delivery_cancel(queued->delivery);
	lt_free(queued->uid);
	lt_free(queued->network);
	lt_free(queued->name);
	lt_free(queued->service);
	lt_free(queued->text);
	lt_free(queued->link);
	lt_free(queued->reason);
	lt_free(queued);
}

bool lt_queued_is_over(const struct lt_queued *queued)
{
	return queued->state != LT_WAITING && queued->state != LT_SENDING;
}

static struct lt_wall wall(const struct lt_announce *announce)
{
	return lt_loop_wall(announce->env.loop);
}

static struct lt_wall later(struct lt_wall time, int64_t seconds)
{
	return (struct lt_wall){ time.us + seconds * LT_US_PER_S };
}

static struct lt_queued *find(const struct lt_announce *announce, const char *network,
		const struct lt_announcement *announcement)
{
	struct lt_queued *queued;

	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		if (queued->start.us == announcement->start.us &&
				strcmp(queued->network, network) == 0 &&
				lt_str_eq_c(announcement->uid, queued->uid)) {
			return queued;
		}
	}
	return NULL;
}

/* Forget what is over and old, and the oldest of what is over when there is too much of it. */
static void prune(struct lt_announce *announce)
{
	struct lt_wall now = wall(announce);
	struct lt_queued *queued, *next;
	size_t over = 0;

	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		over += lt_queued_is_over(queued);
	}
	DL_FOREACH_SAFE2(announce->queue, queued, next, next_queued)
	{
		struct lt_wall last = { LT_MAX(queued->created.us, queued->start.us) };

		if (lt_queued_is_over(queued) &&
				(over > LT_ANNOUNCE_KEPT_MAX ||
						later(last, LT_ANNOUNCE_KEPT_S).us < now.us)) {
			DL_DELETE2(announce->queue, queued, prev, next_queued);
			lt_queued_free(queued);
			over--;
		}
	}
}

static size_t count_open(const struct lt_announce *announce)
{
	const struct lt_queued *queued;
	size_t n = 0;

	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		n += !lt_queued_is_over(queued);
	}
	return n;
}

static void save(struct lt_announce *announce)
{
	struct lt_buf buf = { 0 };
	struct lt_text *text;

	lt_announce_print_file(announce, &buf);
	text = lt_text_take(&buf);
	lt_saver_write(announce->saver, announce->path, text);
	lt_text_unref(text);
}

/* --- attempts --- */

static void set_reason(struct lt_queued *queued, const char *reason)
{
	lt_free(queued->reason);
	queued->reason = reason ? lt_strdup(reason) : NULL;
}

static void log_post(const struct lt_queued *queued, enum lt_level level, const char *phrase)
{
	const struct lt_announce *announce = queued->owner->announce;
	char name[LT_LOG_VALUE_MAX], reason[LT_LOG_VALUE_MAX];

	lt_log_value(lt_str_from(queued->name), name);
	if (queued->reason) {
		lt_log(&announce->env.log, level, phrase,
				"network=%s event=%s attempts=%lld reason=%s", queued->network,
				name, (long long)queued->attempts,
				lt_log_value(lt_str_from(queued->reason), reason));
	} else {
		lt_log(&announce->env.log, level, phrase, "network=%s event=%s", queued->network,
				name);
	}
}

/* retry_s, twice that, four times ..., moved by up to a fifth; at least what the network asks. */
static int64_t pause_us(const struct lt_announce *announce, int64_t attempts, int64_t retry_after_s)
{
	int64_t seconds = announce->conf.retry_s;
	int64_t us;

	while (--attempts > 0 && seconds < PAUSE_MAX_S) {
		seconds *= 2;
	}
	us = LT_MIN(seconds, (int64_t)PAUSE_MAX_S) * LT_US_PER_S;
	us += (int64_t)lt_random_below(announce->env.random, (uint64_t)us / 5 + 1);
	return LT_MAX(us, retry_after_s * LT_US_PER_S);
}

/* It was not posted: another attempt, or none when that would be too late. */
static void plan_retry(struct lt_queued *queued, int64_t retry_after_s)
{
	const struct lt_announce *announce = queued->owner->announce;
	struct lt_wall end = later(queued->created, announce->conf.give_up_s);

	queued->next.us = wall(announce).us + pause_us(announce, queued->attempts, retry_after_s);
	if (queued->next.us > end.us) {
		queued->state = LT_FAILED;
		log_post(queued, LT_ERROR,
				"announcement given up, another attempt would be too late");
	} else {
		queued->state = LT_WAITING;
		log_post(queued, LT_WARN, "announcement not posted, tried again later");
	}
}

/* Nobody knows whether it was posted. */
static void handle_unknown(struct lt_queued *queued, int64_t retry_after_s)
{
	if (queued->owner->announcer->ops->knows_repeats) {
		queued->is_uncertain = true;
		plan_retry(queued, retry_after_s);
		return;
	}
	queued->state = LT_UNKNOWN;
	log_post(queued, LT_WARN,
			"announcement may have been posted or not, not sent again: this network cannot "
			"recognise a repeat");
}

static void on_delivered(void *arg, enum lt_verdict verdict, int64_t retry_after_s,
		const struct lt_err *reason)
{
	struct lt_queued *queued = arg;
	struct lt_announce_network *network = queued->owner;

	queued->delivery = NULL;
	network->sending = NULL;
	set_reason(queued, verdict == LT_POST_DONE ? NULL : reason->msg);
	if (verdict == LT_POST_DONE) {
		network->posted++;
	} else {
		network->failures++;
	}
	switch (verdict) {
	case LT_POST_DONE:
		queued->state = LT_POSTED;
		log_post(queued, LT_INFO, "announced");
		break;
	case LT_POST_UNKNOWN:
		handle_unknown(queued, retry_after_s);
		break;
	case LT_POST_REFUSED:
		queued->state = LT_FAILED;
		log_post(queued, LT_ERROR, "announcement refused, not tried again");
		break;
	case LT_POST_NEXT:
	case LT_POST_RETRY:
		plan_retry(queued, retry_after_s);
		break;
	}
	save(network->announce);
	pump(network->announce);
}

static void deliver(struct lt_queued *queued)
{
	struct lt_announce_network *network = queued->owner;
	struct lt_announce *announce = network->announce;
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	struct lt_err err = { 0 };

	lt_buf_printf(&key, "%s %lld", queued->uid, (long long)queued->start.us);
	queued->delivery = lt_delivery_start(
			&(struct lt_delivery_opts){
					.requests = &announce->env.requests,
					.announcer = network->announcer,
					.post = {
							.key = lt_buf_str(&key),
							.text = lt_str_from(queued->text),
							.link = lt_str_from(queued->link),
							.name = lt_str_from(queued->name),
							.uid = lt_str_from(queued->uid),
							.service = lt_str_from(queued->service),
							.start = queued->start,
							.created = queued->created,
							.now = wall(announce),
							.is_repeat = queued->is_uncertain,
					},
					.done = on_delivered,
					.arg = queued,
			},
			&err);
	if (!queued->delivery) {
		on_delivered(queued, LT_POST_REFUSED, -1, &err);
	}
}

/* The attempts are on disk, or the disk refuses: then they are made all the same. */
static void on_saved(void *arg)
{
	struct lt_announce *announce = arg;

	announce->is_saving = false;
	for (size_t i = 0; i < announce->n; i++) {
		struct lt_queued *queued = announce->networks[i].sending;

		if (queued && !queued->delivery) {
			deliver(queued);
		}
	}
}

/* --- when --- */

static void on_timer(void *arg)
{
	pump(arg);
}

/* Mark as sending what is due, one of each network; true: there was any. */
static bool mark_due(struct lt_announce *announce, int64_t *ret_wait_us)
{
	struct lt_wall now = wall(announce);
	struct lt_queued *queued;
	bool any = false;

	*ret_wait_us = INT64_MAX;
	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		if (queued->state != LT_WAITING || !queued->owner || queued->owner->sending) {
			continue;
		}
		if (queued->next.us - now.us > LONG_AHEAD_S * (int64_t)LT_US_PER_S) {
			queued->next = now;
		}
		if (queued->next.us > now.us) {
			*ret_wait_us = LT_MIN(*ret_wait_us, queued->next.us - now.us);
			continue;
		}
		queued->state = LT_SENDING;
		queued->attempts++;
		queued->owner->sending = queued;
		any = true;
	}
	return any;
}

static void pump(struct lt_announce *announce)
{
	int64_t wait_us;

	if (mark_due(announce, &wait_us)) {
		save(announce);
		if (!announce->is_saving) {
			announce->is_saving = true;
			lt_saver_flush(announce->saver, on_saved, announce);
		}
	}
	if (wait_us == INT64_MAX) {
		lt_timer_cancel(&announce->timer);
	} else {
		lt_timer_once(&announce->timer, announce->env.loop,
				LT_MIN(wait_us / LT_US_PER_MS + 1, (int64_t)TIMER_MAX_MS), on_timer,
				announce);
	}
}

/* --- events --- */

/* Blanks for what is no text, and nothing that no name needs so much of. */
static char *clean(struct lt_str text)
{
	struct lt_buf buf = { 0 };
	uint32_t c;

	while (text.n && buf.n < NAME_MAX_BYTES) {
		text = lt_str_skip(text, lt_utf8_next(text, &c));
		lt_buf_add_utf8(&buf,
				c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029
						? ' '
						: c);
	}
	return lt_buf_steal(&buf);
}

void lt_announce_write_post(const struct lt_announce *announce,
		const struct lt_announcer *announcer, struct lt_template_values *values,
		struct lt_buf *ret_text, struct lt_buf *ret_link)
{
	const struct lt_announce_conf *conf = &announce->conf;

	values->site = lt_str_from(conf->site);
	while (lt_str_ends(values->site, LT_STR("/"))) {
		values->site.n--;
	}
	lt_template_link(ret_link, lt_str_from(conf->link), values);
	values->link = lt_buf_str(ret_link);
	lt_template_fit(ret_text, lt_str_from(conf->text), values, announcer->ops->text_max,
			announcer->ops->text_length);
}

static void add(struct lt_announce_network *network, const struct lt_announcement *announcement)
{
	struct lt_announce *announce = network->announce;
	struct lt_queued *queued = lt_zalloc(sizeof(*queued));
	struct lt_buf text = { 0 }, link = { 0 };

	queued->owner = network;
	queued->network = lt_strdup(network->announcer->ops->name);
	queued->uid = lt_str_dup(announcement->uid);
	queued->name = clean(announcement->name);
	queued->service = clean(announcement->service);
	queued->start = announcement->start;
	queued->created = queued->next = wall(announce);
	lt_announce_write_post(announce, network->announcer,
			&(struct lt_template_values){
					.name = lt_str_from(queued->name),
					.service = lt_str_from(queued->service),
					.start = queued->start,
			},
			&text, &link);
	queued->text = lt_buf_steal(&text);
	queued->link = lt_buf_steal(&link);
	DL_APPEND2(announce->queue, queued, prev, next_queued);
}

void lt_announce_event(struct lt_announce *announce, const struct lt_announcement *announcement)
{
	char name[LT_LOG_VALUE_MAX];
	bool any = false;

	lt_log_value(announcement->name, name);
	if (announcement->hidden) {
		lt_log(&announce->env.log, LT_DEBUG, "hidden event, not announced", "event=%s",
				name);
		return;
	}
	prune(announce);
	for (size_t i = 0; i < announce->n; i++) {
		struct lt_announce_network *network = &announce->networks[i];

		if (find(announce, network->announcer->ops->name, announcement)) {
			lt_log(&announce->env.log, LT_DEBUG, "announced already",
					"network=%s event=%s", network->announcer->ops->name, name);
		} else if (count_open(announce) >= LT_ANNOUNCE_OPEN_MAX) {
			network->failures++;
			lt_log(&announce->env.log, LT_ERROR,
					"event not announced, too many announcements wait",
					"network=%s event=%s", network->announcer->ops->name, name);
		} else {
			add(network, announcement);
			any = true;
		}
	}
	if (any) {
		save(announce);
		pump(announce);
	}
}

/* --- life --- */

struct lt_announce *lt_announce_create(const struct lt_announce_env *env)
{
	struct lt_announce *announce = lt_zalloc(sizeof(*announce));

	announce->env = *env;
	announce->env.log.module = "announce";
	announce->saver = lt_saver_create(env->loop, announce->env.log);
	announce->path = lt_path_join(env->state_dir, LT_ANNOUNCE_FILE);
	lt_announce_use_conf(announce, env->conf);
	return announce;
}

void lt_announce_destroy(struct lt_announce *announce)
{
	struct lt_queued *queued, *next;

	if (!announce) {
		return;
	}
	lt_timer_cancel(&announce->timer);
	lt_announce_end_trials(announce, "the daemon stops");
	DL_FOREACH_SAFE2(announce->queue, queued, next, next_queued)
	{
		lt_queued_free(queued);
	}
	lt_announce_drop_conf(announce);
	lt_saver_destroy(announce->saver);
	lt_free(announce->path);
	lt_free(announce);
}

bool lt_announce_is_on(const struct lt_announce *announce)
{
	return announce->n > 0;
}

struct lt_announce_network *lt_announce_find_network(
		struct lt_announce *announce, struct lt_str name)
{
	for (size_t i = 0; i < announce->n; i++) {
		if (lt_str_eq_c(name, announce->networks[i].announcer->ops->name)) {
			return &announce->networks[i];
		}
	}
	return NULL;
}

/* What an attempt that was under way at the end has become, and whether it is too late for all. */
static void resume(struct lt_announce *announce, struct lt_queued *queued)
{
	struct lt_wall end = later(queued->created, announce->conf.give_up_s);

	queued->owner = lt_announce_find_network(announce, lt_str_from(queued->network));
	if (!queued->owner || lt_queued_is_over(queued)) {
		return;
	}
	if (queued->state == LT_SENDING) {
		set_reason(queued, "broken off while it was sent");
		queued->state = LT_WAITING;
		queued->is_uncertain = true;
		if (!queued->owner->announcer->ops->knows_repeats) {
			handle_unknown(queued, -1);
			return;
		}
	}
	if (wall(announce).us > end.us) {
		queued->state = LT_FAILED;
		log_post(queued, LT_WARN, "announcement given up, it is too old by now");
	}
}

static void read_file(struct lt_announce *announce)
{
	LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf aside = { 0 };
	struct lt_err err = { 0 };

	if (access(announce->path, F_OK) != 0) {
		return;
	}
	if (lt_file_read(announce->path, FILE_MAX_BYTES, &content, &err) &&
			lt_announce_read_file(announce, lt_buf_str(&content), &err)) {
		return;
	}
	lt_buf_printf(&aside, "%s.broken", announce->path);
	lt_log(&announce->env.log, LT_ERROR,
			"earlier announcements cannot be read, set aside: some may be posted again",
			"file=%s reason=\"%s\"", aside.p, err.msg);
	rename(announce->path, aside.p);
}

void lt_announce_go_on(struct lt_announce *announce)
{
	struct lt_queued *queued;

	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		resume(announce, queued);
	}
	if (announce->queue) {
		prune(announce);
		save(announce);
	}
	lt_announce_log_networks(announce);
	pump(announce);
}

void lt_announce_start(struct lt_announce *announce)
{
	read_file(announce);
	lt_announce_go_on(announce);
}
