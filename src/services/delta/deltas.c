#include "services/delta/deltas.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/table.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/delta/delta_work.h"
#include "services/timing/saver.h"

#define TOPIC_DELTA  "livetiming.delta."
#define RPC_KEYFRAME "livetiming.delta.keyframe."

#define SERVICES_MAX 10000
/* States that wait for a worker; on top of that the oldest is left out. */
#define WAITING_MAX 16

struct service {
	UT_hash_handle hh;        /* by uuid */
	struct lt_deltas *deltas; /* NULL: gone, while a worker is busy */
	char *uuid;
	bool is_own;               /* of this daemon: told by its observer */
	bool is_listed;            /* scratch of the listing */
	uint64_t subscription;     /* of the full topic of others; 0: none */
	uint64_t registration;     /* of the procedure; 0: none, before the first state */
	struct lt_delta_work work; /* the worker's while is_busy */
	bool is_busy, is_broken;
	struct lt_delta_input *waiting;
	size_t waiting_count;
	struct lt_text *keyframe; /* args of the newest state; NULL before the first */
};

struct lt_deltas {
	struct lt_deltas_env env;
	struct lt_local *local; /* NULL: not started */
	struct service *services;
	uint64_t differences, keyframes, asked;
	bool too_many;
};

struct lt_deltas *lt_deltas_create(const struct lt_deltas_env *env)
{
	struct lt_deltas *deltas = lt_zalloc(sizeof(*deltas));

	deltas->env = *env;
	deltas->env.log.module = "deltas";
	return deltas;
}

/* --- services --- */

static void free_service(struct service *service)
{
	struct lt_delta_input *input, *next;

	DL_FOREACH_SAFE(service->waiting, input, next) {
		DL_DELETE(service->waiting, input);
		lt_delta_input_free(input);
	}
	lt_delta_work_finish(&service->work);
	lt_text_unref(service->keyframe);
	lt_free(service->uuid);
	lt_free(service);
}

static void name_of(const struct service *service, struct lt_buf *buf, const char *prefix)
{
	lt_buf_clear(buf);
	lt_buf_printf(buf, "%s%s", prefix, service->uuid);
}

/* Nobody hears of it any more. */
static void withdraw(struct lt_deltas *deltas, struct service *service)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	struct lt_err ignored;

	if (!deltas->local) {
		return;
	}
	name_of(service, &topic, TOPIC_DELTA);
	lt_local_unretain(deltas->local, lt_buf_str(&topic));
	if (service->registration) {
		lt_local_unregister(deltas->local, service->registration, &ignored);
		service->registration = 0;
	}
	if (service->subscription) {
		lt_local_unsubscribe(deltas->local, service->subscription, &ignored);
		service->subscription = 0;
	}
}

static void remove_service(struct lt_deltas *deltas, struct service *service)
{
	withdraw(deltas, service);
	HASH_DEL(deltas->services, service);
	if (service->is_busy) {
		service->deltas = NULL; /* freed when the worker is done */
	} else {
		free_service(service);
	}
}

static struct service *find_service(const struct lt_deltas *deltas, struct lt_str uuid)
{
	struct service *service = NULL;

	HASH_FIND(hh, deltas->services, uuid.p, (unsigned)uuid.n, service);
	return service;
}

/* NULL: there are too many. */
static struct service *add_service(struct lt_deltas *deltas, struct lt_str uuid, bool is_own)
{
	struct service *service;

	if (HASH_COUNT(deltas->services) >= SERVICES_MAX) {
		if (!deltas->too_many) {
			lt_log(&deltas->env.log, LT_ERROR,
					"too many services, new ones have no delta stream",
					"limit=%d", SERVICES_MAX);
		}
		deltas->too_many = true;
		return NULL;
	}
	service = lt_zalloc(sizeof(*service));
	service->deltas = deltas;
	service->uuid = lt_str_dup(uuid);
	service->is_own = is_own;
	lt_random_uuid(deltas->env.random, service->work.epoch);
	HASH_ADD_KEYPTR(hh, deltas->services, service->uuid, (unsigned)uuid.n, service);
	return service;
}

/* --- what is asked --- */

static void on_keyframe(void *arg, const struct lt_invocation *invocation)
{
	struct lt_deltas *deltas = arg;
	struct lt_str uuid = lt_str_skip(invocation->procedure, strlen(RPC_KEYFRAME));
	const struct service *service = find_service(deltas, uuid);

	if (!service || !service->keyframe) {
		lt_local_error(deltas->local, invocation->id, "wamp.error.no_such_procedure",
				"the service has ended");
		return;
	}
	deltas->asked++;
	lt_local_yield(deltas->local, invocation->id, lt_text_str(service->keyframe));
}

static void offer_keyframes(struct service *service)
{
	struct lt_deltas *deltas = service->deltas;
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	struct lt_err err = { 0 };
	char uuid[LT_LOG_VALUE_MAX];

	name_of(service, &name, RPC_KEYFRAME);
	if (!lt_local_register(deltas->local, lt_buf_str(&name), true, on_keyframe, deltas,
			    &service->registration, &err)) {
		lt_log(&deltas->env.log, LT_WARN, "keyframes of a service cannot be asked for",
				"uuid=%s reason=\"%s\"",
				lt_log_value(lt_str_from(service->uuid), uuid), err.msg);
	}
}

/* --- what goes out --- */

static void encode_keyframe(void *arg, struct lt_buf *buf)
{
	lt_buf_add_str(buf, lt_text_str(arg));
}

static void release_keyframe(void *arg)
{
	lt_text_unref(arg);
}

/* The only place where anything of a service is published. */
static void publish(struct service *service)
{
	struct lt_deltas *deltas = service->deltas;
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	struct lt_err err = { 0 };

	name_of(service, &topic, TOPIC_DELTA);
	lt_text_unref(service->keyframe);
	service->keyframe = lt_text_take(&service->work.keyframe);
	if (!service->registration) {
		offer_keyframes(service);
	}
	*(service->work.is_difference ? &deltas->differences : &deltas->keyframes) += 1;
	if (!lt_local_publish_keeping(deltas->local, lt_buf_str(&topic),
			    lt_buf_str(&service->work.event),
			    &(struct lt_local_kept){ encode_keyframe, release_keyframe,
					    lt_text_ref(service->keyframe) },
			    &err)) {
		lt_log(&deltas->env.log, LT_DEBUG, "delta not published", "reason=\"%s\"", err.msg);
	}
}

static void report_broken(struct service *service)
{
	char uuid[LT_LOG_VALUE_MAX], reason[LT_LOG_VALUE_MAX];

	if (!service->is_broken) { /* once, until it is well again */
		service->is_broken = true;
		lt_log(&service->deltas->env.log, LT_WARN, "a state cannot be sent as a difference",
				"uuid=%s reason=%s", lt_log_value(lt_str_from(service->uuid), uuid),
				lt_log_value(lt_str_from(service->work.err.msg), reason));
	}
}

/* --- work --- */

static void run(void *arg)
{
	struct service *service = arg;

	lt_delta_work_run(&service->work);
}

static void next_state(struct service *service);

static void run_done(void *arg)
{
	struct service *service = arg;

	service->is_busy = false;
	if (!service->deltas) {
		free_service(service);
		return;
	}
	if (!service->deltas->local) {
		return;
	}
	if (service->work.event.n > 0) {
		service->is_broken = false;
		publish(service);
	} else {
		report_broken(service);
	}
	next_state(service);
}

static void next_state(struct service *service)
{
	struct lt_delta_input *input = service->waiting;

	if (!service->is_busy && input) {
		DL_DELETE(service->waiting, input);
		service->waiting_count--;
		service->work.input = input;
		service->is_busy = true;
		lt_loop_work(service->deltas->env.loop, run, run_done, service);
	}
}

static void add_state(struct service *service, struct lt_str text, bool is_event, int64_t date_ms)
{
	struct lt_delta_input *input = lt_zalloc(sizeof(*input)), *oldest = service->waiting;

	if (service->waiting_count >= WAITING_MAX) {
		DL_DELETE(service->waiting, oldest);
		service->waiting_count--;
		lt_delta_input_free(oldest);
	}
	lt_buf_add_str(&input->text, text);
	input->is_event = is_event;
	input->date_ms = date_ms;
	DL_APPEND(service->waiting, input);
	service->waiting_count++;
	next_state(service);
}

/* --- services of this daemon --- */

static void on_published(void *arg, struct lt_str state, int64_t date_ms)
{
	struct service *service = arg;

	if (service->deltas->local) {
		add_state(service, state, false, date_ms);
	}
}

static void on_stopped(void *arg)
{
	struct service *service = arg;

	remove_service(service->deltas, service);
}

static bool attach(void *arg, const struct lt_timing_about *about,
		struct lt_timing_observer *ret_observer, struct lt_err *err)
{
	struct lt_deltas *deltas = arg;
	struct service *service = find_service(deltas, about->uuid);

	(void)err;
	if (service && service->is_own) {
		return true; /* refused elsewhere: it runs already */
	}
	if (service) {
		remove_service(deltas, service);
	}
	service = add_service(deltas, about->uuid, true);
	if (service) {
		*ret_observer = (struct lt_timing_observer){
			.published = on_published, .stopped = on_stopped, .arg = service
		};
	}
	return true;
}

struct lt_timing_watcher lt_deltas_watcher(struct lt_deltas *deltas)
{
	return (struct lt_timing_watcher){ attach, deltas };
}

/* --- services of others --- */

static void on_state(void *arg, const struct lt_event *event)
{
	struct lt_deltas *deltas = arg;
	struct service *service =
			find_service(deltas, lt_str_skip(event->topic, strlen(LT_TOPIC_SERVICE)));

	if (service && !service->is_own) {
		add_state(service, event->args, true, lt_wall_ms(lt_loop_wall(deltas->env.loop)));
	}
}

static void follow(struct lt_deltas *deltas, struct lt_str uuid)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };
	struct service *service = add_service(deltas, uuid, false);
	struct lt_err err = { 0 };
	char quoted[LT_LOG_VALUE_MAX];

	if (!service) {
		return;
	}
	service->is_listed = true;
	name_of(service, &topic, LT_TOPIC_SERVICE);
	service->subscription = lt_local_subscribe(deltas->local, lt_buf_str(&topic),
			LT_MATCH_EXACT, true, on_state, deltas, &err);
	if (!service->subscription) {
		lt_log(&deltas->env.log, LT_WARN, "a service cannot be followed",
				"uuid=%s reason=\"%s\"", lt_log_value(uuid, quoted), err.msg);
	}
}

static void on_directory(void *arg, const struct lt_event *event)
{
	struct lt_deltas *deltas = arg;
	LT_AUTO(cJSON_Delete) cJSON *args = lt_json_parse(event->args, NULL);
	struct service *service, *next;
	struct lt_envelope envelope;
	const cJSON *manifest;
	struct lt_str uuid;

	if (!args || !lt_envelope_read(args, lt_loop_wall(deltas->env.loop), &envelope, NULL) ||
			envelope.msg_class != LT_MSG_DIRECTORY_LISTING) {
		return;
	}
	HASH_ITER(hh, deltas->services, service, next) {
		service->is_listed = service->is_own;
	}
	cJSON_ArrayForEach(manifest, envelope.payload) {
		if (!lt_json_get_str(manifest, "uuid", &uuid, NULL) || uuid.n == 0) {
			continue;
		}
		service = find_service(deltas, uuid);
		if (service) {
			service->is_listed = true;
		} else {
			follow(deltas, uuid);
		}
	}
	HASH_ITER(hh, deltas->services, service, next) {
		if (!service->is_listed) {
			remove_service(deltas, service);
		}
	}
	deltas->too_many = HASH_COUNT(deltas->services) >= SERVICES_MAX;
}

/* --- life --- */

bool lt_deltas_start(struct lt_deltas *deltas, struct lt_err *err)
{
	deltas->local = lt_local_join(
			deltas->env.router, LT_STR(LT_REALM), "deltas", "services", err);
	if (!deltas->local ||
			!lt_local_subscribe(deltas->local, LT_STR(LT_TOPIC_DIRECTORY),
					LT_MATCH_EXACT, true, on_directory, deltas, err)) {
		lt_local_leave(LT_STEAL(deltas->local));
		return lt_err_prefix(err, "deltas");
	}
	return true;
}

void lt_deltas_stop(struct lt_deltas *deltas)
{
	struct service *service, *next;

	if (!deltas->local) {
		return;
	}
	HASH_ITER(hh, deltas->services, service, next) {
		if (service->is_own) {
			withdraw(deltas, service); /* its observer is still there */
		} else {
			remove_service(deltas, service);
		}
	}
	lt_local_leave(LT_STEAL(deltas->local));
}

void lt_deltas_destroy(struct lt_deltas *deltas)
{
	struct service *service, *next;

	if (!deltas) {
		return;
	}
	lt_deltas_stop(deltas);
	HASH_ITER(hh, deltas->services, service, next) {
		remove_service(deltas, service);
	}
	lt_free(deltas);
}

void lt_deltas_write_metrics(const struct lt_deltas *deltas, struct lt_buf *buf)
{
	const struct {
		const char *name, *help;
		uint64_t value;
	} figures[] = {
		{ "livetiming_delta_differences_total", "states published as differences",
				deltas->differences },
		{ "livetiming_delta_states_total", "states published whole on delta topics",
				deltas->keyframes },
		{ "livetiming_delta_keyframe_calls_total", "keyframes asked for", deltas->asked },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(figures); i++) {
		lt_buf_printf(buf, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n",
				figures[i].name, figures[i].help, figures[i].name, figures[i].name,
				figures[i].value);
	}
}
