#include "mesh/nats_keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/table.h"

#define JOBS_MAX     10000
#define NAME_BYTES   128
#define NS_PER_MS    INT64_C(1000000)
#define FULL_WAIT_US 5000 /* while the inbox is half full */

enum kind { REPLAY, FORGET, CLAIM, RELEASE };

struct job {
	struct job *prev, *next;
	enum kind kind;
	char *subject, *holder; /* subject, or key */
	uint64_t round;
	lt_bus_claimed_fn fn;
	void *arg;
};

struct lt_nats_keeper {
	const struct lt_nats_conf *conf;
	struct lt_inbox *inbox;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* of the jobs and is_stopping */
	pthread_cond_t changed;
	struct job *jobs;
	unsigned job_count;
	bool is_stopping;
	/* of the thread alone */
	natsConnection *conn;
	jsCtx *js;
	kvStore *leases;
	size_t server;
};

/* Names of streams and buckets are narrower than prefixes. */
static void name_of(const struct lt_nats_conf *conf, const char *suffix, char ret[NAME_BYTES])
{
	snprintf(ret, NAME_BYTES, "%s_%s", conf->prefix, suffix);
	for (char *c = ret; *c; c++) {
		if (*c == '.') {
			*c = '_';
		}
	}
}

static bool fail(struct lt_err *err, const char *what, natsStatus status, jsErrCode code)
{
	return lt_err_set(err, LT_E_UNAVAILABLE, "%s: %s%s", what,
			code ? nats_GetLastError(NULL) : natsStatus_GetText(status),
			status == NATS_NO_RESPONDERS ? " (JetStream must be enabled)" : "");
}

/* --- stream and bucket --- */

static bool make_stream(const struct lt_nats_conf *conf, jsCtx *js, struct lt_err *err)
{
	char name[NAME_BYTES], subject[NAME_BYTES];
	const char *subjects[] = { subject };
	jsStreamConfig config;
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status;

	name_of(conf, "kept", name);
	snprintf(subject, sizeof(subject), "%s.kept.>", conf->prefix);
	status = js_GetStreamInfo(&info, js, name, NULL, &code);
	jsStreamInfo_Destroy(info);
	if (status == NATS_OK) {
		return true;
	}
	if (status != NATS_NOT_FOUND) {
		return fail(err, "stream", status, code);
	}
	jsStreamConfig_Init(&config);
	config.Name = name;
	config.Description = "retained events of livetimingd";
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.MaxMsgsPerSubject = 1;
	config.Storage = js_FileStorage;
	config.Replicas = conf->replicas;
	config.AllowDirect = true;
	status = js_AddStream(NULL, js, &config, NULL, &code);
	return status == NATS_OK || fail(err, "stream", status, code);
}

static bool make_bucket(
		const struct lt_nats_conf *conf, jsCtx *js, kvStore **ret, struct lt_err *err)
{
	char name[NAME_BYTES];
	kvConfig config;
	natsStatus status;

	name_of(conf, "leases", name);
	status = js_KeyValue(ret, js, name);
	if (status == NATS_OK) {
		return true;
	}
	kvConfig_Init(&config);
	config.Bucket = name;
	config.History = 1;
	config.TTL = LT_BUS_LEASE_MS * NS_PER_MS;
	config.StorageType = js_FileStorage;
	config.Replicas = (int)conf->replicas;
	status = js_CreateKeyValue(ret, js, &config);
	if (status != NATS_OK) { /* another node was faster */
		status = js_KeyValue(ret, js, name);
	}
	return status == NATS_OK || fail(err, "leases", status, 0);
}

static natsStatus make_context(natsConnection *conn, jsCtx **ret)
{
	jsOptions options;

	jsOptions_Init(&options);
	options.Wait = LT_NATS_WAIT_MS;
	return natsConnection_JetStream(ret, conn, &options);
}

bool lt_nats_keeper_prepare(
		const struct lt_nats_conf *conf, natsConnection *conn, struct lt_err *err)
{
	jsCtx *js = NULL;
	kvStore *leases = NULL;
	natsStatus status = make_context(conn, &js);
	bool ok = (status == NATS_OK || fail(err, "JetStream", status, 0)) &&
			make_stream(conf, js, err) && make_bucket(conf, js, &leases, err);

	kvStore_Destroy(leases);
	jsCtx_Destroy(js);
	return ok;
}

/* --- connection --- */

static void on_closed(natsConnection *conn, void *arg)
{
	(void)conn;
	(void)arg;
}

static void hang_up(struct lt_nats_keeper *keeper)
{
	kvStore_Destroy(LT_STEAL(keeper->leases));
	jsCtx_Destroy(LT_STEAL(keeper->js));
	natsConnection_Destroy(LT_STEAL(keeper->conn));
	keeper->server++;
}

static bool connect_up(struct lt_nats_keeper *keeper)
{
	struct lt_err err;

	if (keeper->conn && natsConnection_IsClosed(keeper->conn)) {
		hang_up(keeper);
	}
	if (keeper->conn) {
		return true;
	}
	keeper->conn = lt_nats_connect(keeper->conf, keeper->server, on_closed, NULL, &err);
	if (keeper->conn && make_context(keeper->conn, &keeper->js) == NATS_OK &&
			make_bucket(keeper->conf, keeper->js, &keeper->leases, &err)) {
		return true;
	}
	hang_up(keeper);
	return false;
}

/* --- replay --- */

static bool is_stopping(struct lt_nats_keeper *keeper)
{
	bool stopping;

	pthread_mutex_lock(&keeper->lock);
	stopping = keeper->is_stopping;
	pthread_mutex_unlock(&keeper->lock);
	return stopping;
}

/* What is read waits in the inbox, of which others need some too. */
static void wait_for_room(struct lt_nats_keeper *keeper)
{
	const struct timespec pause = { .tv_nsec = FULL_WAIT_US * 1000 };

	while (lt_inbox_bytes(keeper->inbox) > keeper->conf->queue_bytes / 2 &&
			!is_stopping(keeper)) {
		nanosleep(&pause, NULL);
	}
}

static bool post_stored(struct lt_nats_keeper *keeper, natsMsg *msg, uint64_t round)
{
	struct lt_nats_note *note = lt_nats_note_message(lt_str_from(natsMsg_GetSubject(msg)),
			(struct lt_str){
					natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg) });

	note->is_stored = true;
	note->round = round;
	wait_for_room(keeper);
	return lt_inbox_post(keeper->inbox, &note->note);
}

/* One message; *ret_left is how many are behind it. */
static bool read_one(struct lt_nats_keeper *keeper, natsSubscription *sub, uint64_t round,
		uint64_t *ret_left)
{
	natsMsg *msg = NULL;
	jsMsgMetaData *meta = NULL;
	bool ok = natsSubscription_NextMsg(&msg, sub, LT_NATS_WAIT_MS) == NATS_OK &&
			natsMsg_GetMetaData(&meta, msg) == NATS_OK;

	if (ok) {
		*ret_left = meta->NumPending;
		ok = post_stored(keeper, msg, round);
	}
	jsMsgMetaData_Destroy(meta);
	natsMsg_Destroy(msg);
	return ok && !is_stopping(keeper);
}

static natsStatus begin_reading(
		struct lt_nats_keeper *keeper, natsSubscription **ret_sub, uint64_t *ret_left)
{
	char stream[NAME_BYTES], subject[NAME_BYTES];
	jsSubOptions options;
	jsConsumerInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status;

	name_of(keeper->conf, "kept", stream);
	snprintf(subject, sizeof(subject), "%s.kept.>", keeper->conf->prefix);
	jsSubOptions_Init(&options);
	options.Stream = stream;
	options.Config.DeliverPolicy = js_DeliverLastPerSubject;
	options.Config.AckPolicy = js_AckNone;
	options.Config.FlowControl = true;
	options.Config.Heartbeat = LT_NATS_WAIT_MS / 2 * NS_PER_MS;
	status = js_SubscribeSync(ret_sub, keeper->js, subject, NULL, &options, &code);
	status = status ? status : natsSubscription_GetConsumerInfo(&info, *ret_sub, NULL, &code);
	if (status == NATS_OK) {
		*ret_left = info->NumPending + info->Delivered.Consumer;
	}
	jsConsumerInfo_Destroy(info);
	return status;
}

static void replay(struct lt_nats_keeper *keeper, const struct job *job)
{
	struct lt_nats_note *note = lt_nats_note_create(LT_NATS_REPLAYED, LT_STR(""));
	natsSubscription *sub = NULL;
	uint64_t left = 0;

	note->round = job->round;
	note->ok = connect_up(keeper) && begin_reading(keeper, &sub, &left) == NATS_OK;
	while (note->ok && left > 0) {
		note->ok = read_one(keeper, sub, job->round, &left);
	}
	natsSubscription_Unsubscribe(sub);
	natsSubscription_Destroy(sub);
	if (!note->ok) {
		hang_up(keeper);
	}
	lt_inbox_post(keeper->inbox, &note->note);
}

/* --- forget --- */

/* Up to the message that is the last now: one that is stored meanwhile stays. */
static void forget(struct lt_nats_keeper *keeper, const struct job *job)
{
	char stream[NAME_BYTES];
	natsMsg *msg = NULL;
	jsOptions options;

	name_of(keeper->conf, "kept", stream);
	if (!connect_up(keeper) ||
			js_GetLastMsg(&msg, keeper->js, stream, job->subject, NULL, NULL)) {
		return;
	}
	jsOptions_Init(&options);
	options.Wait = LT_NATS_WAIT_MS;
	options.Stream.Purge.Subject = job->subject;
	options.Stream.Purge.Sequence = natsMsg_GetSequence(msg) + 1;
	js_PurgeStream(keeper->js, stream, &options, NULL);
	natsMsg_Destroy(msg);
}

/* --- leases --- */

static bool claim_held(struct lt_nats_keeper *keeper, const struct job *job, kvEntry *entry,
		struct lt_buf *ret_holder)
{
	lt_buf_add(ret_holder, kvEntry_Value(entry), (size_t)kvEntry_ValueLen(entry));
	return lt_str_eq_c(lt_buf_str(ret_holder), job->holder) &&
			kvStore_UpdateString(NULL, keeper->leases, job->subject, job->holder,
					kvEntry_Revision(entry)) == NATS_OK;
}

static bool try_claim(
		struct lt_nats_keeper *keeper, const struct job *job, struct lt_buf *ret_holder)
{
	kvEntry *entry = NULL;
	natsStatus status = kvStore_Get(&entry, keeper->leases, job->subject);
	bool ok = false;

	if (status == NATS_NOT_FOUND) {
		ok = kvStore_CreateString(NULL, keeper->leases, job->subject, job->holder) ==
				NATS_OK;
		lt_buf_add_c(ret_holder, ok ? job->holder : "");
	} else if (status == NATS_OK) {
		ok = claim_held(keeper, job, entry, ret_holder);
	} else {
		hang_up(keeper);
	}
	kvEntry_Destroy(entry);
	return ok;
}

static void claim(struct lt_nats_keeper *keeper, const struct job *job)
{
	struct lt_nats_note *note = lt_nats_note_create(LT_NATS_CLAIMED, LT_STR(""));

	note->claimed = job->fn;
	note->arg = job->arg;
	note->ok = connect_up(keeper) && try_claim(keeper, job, &note->body);
	lt_inbox_post(keeper->inbox, &note->note);
}

static void release(struct lt_nats_keeper *keeper, const struct job *job)
{
	kvEntry *entry = NULL;

	if (connect_up(keeper) && kvStore_Get(&entry, keeper->leases, job->subject) == NATS_OK &&
			lt_str_eq_c((struct lt_str){ kvEntry_Value(entry),
						    (size_t)kvEntry_ValueLen(entry) },
					job->holder)) {
		kvStore_Delete(keeper->leases, job->subject);
	}
	kvEntry_Destroy(entry);
}

/* --- the thread --- */

static void free_job(struct job *job)
{
	lt_free(job->subject);
	lt_free(job->holder);
	lt_free(job);
}

/* NULL: stop. When stopping only releases are left. */
static struct job *next_job(struct lt_nats_keeper *keeper)
{
	struct job *job;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->jobs && !keeper->is_stopping) {
		pthread_cond_wait(&keeper->changed, &keeper->lock);
	}
	job = keeper->jobs;
	if (job) {
		DL_DELETE(keeper->jobs, job);
		keeper->job_count--;
	}
	pthread_mutex_unlock(&keeper->lock);
	return job;
}

static void *run(void *arg)
{
	struct lt_nats_keeper *keeper = arg;
	struct job *job;

	while ((job = next_job(keeper)) != NULL) {
		bool stopping = is_stopping(keeper);

		if (job->kind == RELEASE) {
			release(keeper, job);
		} else if (!stopping && job->kind == REPLAY) {
			replay(keeper, job);
		} else if (!stopping && job->kind == FORGET) {
			forget(keeper, job);
		} else if (!stopping && job->kind == CLAIM) {
			claim(keeper, job);
		}
		free_job(job);
	}
	hang_up(keeper);
	nats_ReleaseThreadMemory();
	return NULL;
}

/* --- the loop's side --- */

struct lt_nats_keeper *lt_nats_keeper_create(
		const struct lt_nats_conf *conf, struct lt_inbox *inbox)
{
	struct lt_nats_keeper *keeper = lt_zalloc(sizeof(*keeper));

	keeper->conf = conf;
	keeper->inbox = inbox;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->changed, NULL);
	return keeper;
}

void lt_nats_keeper_start(struct lt_nats_keeper *keeper)
{
	keeper->has_thread = pthread_create(&keeper->thread, NULL, run, keeper) == 0;
}

/* More jobs than anybody waits for are not taken: what asks for them asks again. */
static void add(struct lt_nats_keeper *keeper, const struct job *job, struct lt_str subject,
		struct lt_str holder)
{
	struct job *copy = lt_zalloc(sizeof(*copy));

	*copy = *job;
	copy->subject = lt_str_dup(subject);
	copy->holder = lt_str_dup(holder);
	pthread_mutex_lock(&keeper->lock);
	if (keeper->job_count < JOBS_MAX && !keeper->is_stopping) {
		DL_APPEND(keeper->jobs, copy);
		keeper->job_count++;
		copy = NULL;
		pthread_cond_signal(&keeper->changed);
	}
	pthread_mutex_unlock(&keeper->lock);
	if (copy) {
		free_job(copy);
	}
}

void lt_nats_keeper_replay(struct lt_nats_keeper *keeper, uint64_t round)
{
	add(keeper, &(struct job){ .kind = REPLAY, .round = round }, LT_STR(""), LT_STR(""));
}

void lt_nats_keeper_forget(struct lt_nats_keeper *keeper, struct lt_str subject)
{
	add(keeper, &(struct job){ .kind = FORGET }, subject, LT_STR(""));
}

void lt_nats_keeper_claim(struct lt_nats_keeper *keeper, struct lt_str key, struct lt_str holder,
		lt_bus_claimed_fn fn, void *arg)
{
	add(keeper, &(struct job){ .kind = CLAIM, .fn = fn, .arg = arg }, key, holder);
}

void lt_nats_keeper_release(struct lt_nats_keeper *keeper, struct lt_str key, struct lt_str holder)
{
	add(keeper, &(struct job){ .kind = RELEASE }, key, holder);
}

void lt_nats_keeper_stop(struct lt_nats_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->is_stopping = true;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
}

void lt_nats_keeper_join(struct lt_nats_keeper *keeper)
{
	if (keeper->has_thread) {
		pthread_join(keeper->thread, NULL);
		keeper->has_thread = false;
	}
}

void lt_nats_keeper_destroy(struct lt_nats_keeper *keeper)
{
	if (!keeper) {
		return;
	}
	while (keeper->jobs) {
		struct job *job = keeper->jobs;

		DL_DELETE(keeper->jobs, job);
		free_job(job);
	}
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->lock);
	lt_free(keeper);
}
