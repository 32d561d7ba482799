#include "services/outside/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "base/table.h"
#include "services/outside/child_priv.h"

#define READ_BYTES 65536
#define REAP_MS    20
#define STOP_MS    4500 /* then it is killed */
#define LATE_MS    2000 /* a process without its channel is of no use */
#define SETTLED_S  60

static const int64_t waits_ms[] = { 200, 1000, 2000, 5000, 10000 };

struct lt_children *lt_children_create(const struct lt_children_env *env)
{
	struct lt_children *children = lt_zalloc(sizeof(*children));
	size_t n = 0;

	children->env = *env;
	children->env.log.module = "children";
	if (env->waits_ms == NULL) {
		children->env.waits_ms = waits_ms;
		children->env.waits_n = LT_ARRAY_LEN(waits_ms);
	}
	children->env.crash_limit = LT_MIN(env->crash_limit, (unsigned)LT_CHILD_DEATHS_MAX);
	children->program = lt_strdup(env->program);
	while (env->settings != NULL && env->settings[n] != NULL) {
		n++;
	}
	children->settings = lt_calloc(n + 1, sizeof(*children->settings));
	for (size_t i = 0; i < n; i++) {
		children->settings[i] = lt_strdup(env->settings[i]);
	}
	return children;
}

/* --- one child --- */

static void start_next(struct lt_child *child);

static void close_ends(struct lt_child *child)
{
	lt_watch_stop(&child->channel_watch);
	lt_watch_stop(&child->output_watch);
	if (child->channel >= 0) {
		close(child->channel);
	}
	if (child->output >= 0) {
		close(child->output);
	}
	child->channel = child->output = -1;
	lt_buf_clear(&child->input);
}

static void free_child(struct lt_child *child)
{
	DL_DELETE(child->children->list, child);
	lt_timer_cancel(&child->timer);
	lt_timer_cancel(&child->reaper);
	lt_timer_cancel(&child->silence);
	lt_deferred_cancel(&child->failed_call);
	close_ends(child);
	lt_args_finish(&child->args);
	lt_buf_finish(&child->input);
	lt_buf_finish(&child->line);
	cJSON_Delete(child->report);
	lt_free(child->failure);
	lt_free(child->uuid);
	lt_free(child);
}

static void all_gone(void *arg)
{
	struct lt_children *children = arg;

	if (children->done != NULL) {
		LT_STEAL(children->done)(children->done_arg);
	}
}

/* Somebody has gone: who waits for that? */
static void one_gone(struct lt_children *children)
{
	struct lt_child *child;
	bool any = false;

	DL_FOREACH(children->list, child) {
		any = any || child->pid != 0;
		if (child->state == LT_CHILD_WAITING && !lt_timer_is_armed(&child->timer)) {
			start_next(child);
		}
	}
	if (children->is_stopping && !any) {
		lt_loop_defer(children->env.loop, &children->done_call, all_gone, children);
	}
}

static void tell_failed(void *arg)
{
	struct lt_child *child = arg;

	child->opts.failed(child->opts.arg, child, child->failure);
}

static void give_up(struct lt_child *child, const char *reason)
{
	child->state = LT_CHILD_ENDED;
	if (child->failure == NULL) {
		child->failure = lt_strdup(reason);
	}
	lt_log(&child->children->env.log, LT_ERROR, "service failed, not started again",
			"uuid=%s reason=\"%s\"", child->uuid, child->failure);
	lt_loop_defer(child->children->env.loop, &child->failed_call, tell_failed, child);
}

/* --- death --- */

static void describe(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status)) {
		snprintf(buf, size, "signal %d (%s)", WTERMSIG(status),
				strsignal(WTERMSIG(status)));
	} else {
		snprintf(buf, size, "status %d", WEXITSTATUS(status));
	}
}

/* How many deaths, this one included, lie within the window. */
static unsigned count_death(struct lt_child *child, int64_t now_us)
{
	unsigned n = 0;

	memmove(&child->died_us[1], &child->died_us[0],
			sizeof(child->died_us) - sizeof(child->died_us[0]));
	child->died_us[0] = now_us;
	child->deaths++;
	while (n < LT_CHILD_DEATHS_MAX && n < child->deaths &&
			now_us - child->died_us[n] <= LT_CHILD_WINDOW_S * (int64_t)LT_US_PER_S) {
		n++;
	}
	return n;
}

static void on_start_due(void *arg)
{
	start_next(arg);
}

static void start_again(struct lt_child *child, const char *how)
{
	struct lt_children *children = child->children;
	int64_t now_us = lt_loop_now(children->env.loop).us;
	unsigned n = count_death(child, now_us);
	char reason[160];

	if (children->env.crash_limit > 0 && n >= children->env.crash_limit) {
		snprintf(reason, sizeof(reason), "crash loop: died %u times in %d s, at last of %s",
				n, LT_CHILD_WINDOW_S, how);
		give_up(child, reason);
		return;
	}
	if (now_us - child->started_us > SETTLED_S * (int64_t)LT_US_PER_S) {
		lt_backoff_reset(&child->backoff);
	}
	int64_t wait_ms = lt_backoff_next_ms(&child->backoff, children->env.random);

	lt_log(&children->env.log, LT_ERROR, "process of a service died, started again",
			"uuid=%s how=\"%s\" deaths=%u wait_ms=%lld", child->uuid, how,
			child->deaths, (long long)wait_ms);
	child->state = LT_CHILD_WAITING;
	child->opts.continues = true;
	lt_timer_once(&child->timer, children->env.loop, wait_ms, on_start_due, child);
}

static void on_dead(struct lt_child *child, int status)
{
	struct lt_children *children = child->children;
	char how[80];

	if (child->is_hung) {
		snprintf(how, sizeof(how), "silent for %lld s, hung",
				(long long)(children->env.hang_ms / 1000));
	} else {
		describe(status, how, sizeof(how));
	}
	child->is_hung = false;
	lt_timer_cancel(&child->reaper);
	lt_timer_cancel(&child->timer);
	lt_timer_cancel(&child->silence);
	lt_child_take_output(child, (struct lt_str){ NULL, 0 }, true);
	close_ends(child);
	child->pid = 0;
	cJSON_Delete(child->report);
	child->report = NULL;
	if (child->is_released) {
		lt_log(&children->env.log, LT_INFO, "process of a service ended",
				"uuid=%s how=\"%s\"", child->uuid, how);
		free_child(child);
	} else if (children->is_stopping) {
		child->state = LT_CHILD_ENDED;
	} else if (child->failure != NULL) {
		give_up(child, child->failure);
	} else {
		start_again(child, how);
	}
	one_gone(children);
}

static void on_reap(void *arg)
{
	struct lt_child *child = arg;
	int status = 0;
	pid_t pid = waitpid(child->pid, &status, WNOHANG);

	if (pid != 0) {
		on_dead(child, pid > 0 ? status : 0);
	} else if (lt_loop_now(child->children->env.loop).us - child->ending_since_us >
			LATE_MS * (int64_t)LT_US_PER_MS) {
		kill(child->pid, SIGKILL);
	}
}

static void await_death(struct lt_child *child)
{
	if (!lt_timer_is_armed(&child->reaper)) {
		child->ending_since_us = lt_loop_now(child->children->env.loop).us;
		lt_timer_every(&child->reaper, child->children->env.loop, REAP_MS, on_reap, child);
	}
}

/* --- a sign of life --- */

static void expect_word(struct lt_child *child);

/* Perhaps it was we who stood still: then its word is there, unread. */
static bool has_spoken(const struct lt_child *child)
{
	char byte;

	return recv(child->channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void on_silence(void *arg)
{
	struct lt_child *child = arg;

	if (child->channel < 0 || has_spoken(child)) {
		expect_word(child);
		return;
	}
	lt_log(&child->children->env.log, LT_ERROR, "process of a service hangs, ended",
			"uuid=%s pid=%d", child->uuid, (int)child->pid);
	child->is_hung = true;
	kill(child->pid, SIGABRT); /* a core file tells where */
	await_death(child);
}

static void expect_word(struct lt_child *child)
{
	if (child->children->env.hang_ms > 0 && child->pid != 0 && !child->is_hung) {
		lt_timer_once(&child->silence, child->children->env.loop,
				child->children->env.hang_ms, on_silence, child);
	}
}

/* --- channel and output --- */

static void say_take(struct lt_child *child, cJSON *json)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

	lt_json_print(&line, json, LT_JSON_UTF8);
	cJSON_Delete(json);
	lt_buf_add_char(&line, '\n');
	if (child->channel >= 0 &&
			send(child->channel, line.p, line.n, MSG_NOSIGNAL | MSG_DONTWAIT) !=
					(ssize_t)line.n) {
		/* a few hundred bytes that a socket does not take: it is dead or hangs */
		await_death(child);
	}
	explicit_bzero(line.p, line.n);
}

static void take_line(struct lt_child *child, struct lt_str line)
{
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(line, NULL);
	cJSON *report = lt_json_get(json, "report");
	struct lt_str failed = { NULL, 0 };

	if (cJSON_IsObject(report)) {
		cJSON_Delete(child->report);
		child->report = cJSON_DetachItemViaPointer(json, report);
	}
	lt_json_opt_str(json, "failed", &failed, NULL);
	if (failed.n > 0 && child->failure == NULL) {
		child->failure = lt_str_dup(failed);
	}
}

static void on_channel(void *arg, int events)
{
	struct lt_child *child = arg;
	struct lt_str line;
	size_t used;
	struct lt_err err = { 0 };

	(void)events;
	lt_buf_reserve(&child->input, READ_BYTES);
	ssize_t n = recv(child->channel, child->input.p + child->input.n, READ_BYTES, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		lt_watch_stop(&child->channel_watch);
		await_death(child);
		return;
	}
	child->input.n += (size_t)n;
	expect_word(child);
	while (lt_ctl_next_line(&child->input, &line, &used, &err)) {
		take_line(child, line);
		lt_buf_remove_front(&child->input, used);
	}
	if (err.code != LT_E_NONE) {
		lt_buf_clear(&child->input); /* it talks nonsense: what it says next may be better
					      */
	}
}

static void on_output(void *arg, int events)
{
	struct lt_child *child = arg;
	char bytes[8192];
	ssize_t n = read(child->output, bytes, sizeof(bytes));

	(void)events;
	if (n > 0) {
		lt_child_take_output(child, (struct lt_str){ bytes, (size_t)n }, false);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		lt_watch_stop(&child->output_watch);
	}
}

/* --- birth --- */

static bool is_blocked(const struct lt_child *child)
{
	const struct lt_child *other;

	DL_FOREACH(child->children->list, other) {
		if (other != child && other->pid != 0 && strcmp(other->uuid, child->uuid) == 0) {
			return true;
		}
	}
	return false;
}

static bool run(struct lt_child *child, struct lt_err *err)
{
	struct lt_children *children = child->children;
	struct lt_child_place place;
	cJSON *json;

	if (!children->env.place(children->env.arg, &place, err) ||
			!lt_child_spawn(child, child->opts.continues, err)) {
		return false;
	}
	child->state = LT_CHILD_RUNNING;
	child->started_us = lt_loop_now(children->env.loop).us;
	if (!lt_watch_start(&child->channel_watch, children->env.loop, child->channel, LT_READABLE,
			    on_channel, child, err) ||
			!lt_watch_start(&child->output_watch, children->env.loop, child->output,
					LT_READABLE, on_output, child, err)) {
		kill(child->pid, SIGKILL);
		await_death(child);
		return true;
	}
	expect_word(child);
	json = cJSON_CreateObject();
	lt_json_add_c(json, "url", place.url);
	lt_json_add_c(json, "authid", place.authid);
	lt_json_add_c(json, "secret", place.secret);
	say_take(child, json);
	lt_log(&children->env.log, LT_INFO, "process of a service started", "uuid=%s pid=%d",
			child->uuid, (int)child->pid);
	return true;
}

static void start_next(struct lt_child *child)
{
	struct lt_err err = { 0 };

	if (child->children->is_stopping || is_blocked(child)) {
		return;
	}
	if (!run(child, &err)) {
		start_again(child, err.msg);
	}
}

struct lt_child *lt_child_start(
		struct lt_children *children, const struct lt_child_opts *opts, struct lt_err *err)
{
	struct lt_child *child = lt_zalloc(sizeof(*child));

	child->children = children;
	child->opts = *opts;
	child->uuid = lt_str_dup(opts->uuid);
	lt_args_dup(&child->args, opts->args);
	child->channel = child->output = -1;
	child->backoff = (struct lt_backoff){ .delays_ms = children->env.waits_ms,
		.n = children->env.waits_n };
	DL_APPEND(children->list, child);
	if (!is_blocked(child) && !run(child, err)) {
		free_child(child);
		return NULL;
	}
	return child;
}

/* --- the end --- */

static void on_stop_late(void *arg)
{
	struct lt_child *child = arg;

	lt_log(&child->children->env.log, LT_WARN, "process of a service does not stop, killed",
			"uuid=%s pid=%d", child->uuid, (int)child->pid);
	kill(child->pid, SIGKILL);
	await_death(child);
}

static void order_stop(struct lt_child *child, const char *order)
{
	cJSON *json = cJSON_CreateObject();

	lt_json_add_c(json, "do", order);
	say_take(child, json);
	lt_timer_cancel(&child->silence); /* it has its time to stop */
	lt_timer_once(&child->timer, child->children->env.loop, STOP_MS, on_stop_late, child);
}

void lt_child_release(struct lt_child *child)
{
	if (child == NULL) {
		return;
	}
	child->is_released = true;
	lt_deferred_cancel(&child->failed_call);
	if (child->pid == 0) {
		free_child(child);
	} else {
		order_stop(child, "stop");
	}
}

void lt_children_stop(struct lt_children *children, void (*done)(void *arg), void *arg)
{
	struct lt_child *child;

	children->is_stopping = true;
	children->done = done;
	children->done_arg = arg;
	DL_FOREACH(children->list, child) {
		lt_timer_cancel(&child->timer);
		if (child->pid != 0) {
			order_stop(child, "park");
		}
	}
	one_gone(children);
}

void lt_children_destroy(struct lt_children *children)
{
	struct lt_child *child, *next;

	if (children == NULL) {
		return;
	}
	DL_FOREACH_SAFE(children->list, child, next) {
		if (child->pid != 0) {
			kill(child->pid, SIGKILL);
			waitpid(child->pid, NULL, 0);
		}
		free_child(child);
	}
	lt_deferred_cancel(&children->done_call);
	for (char **setting = children->settings; *setting != NULL; setting++) {
		lt_free(*setting);
	}
	lt_free(children->settings);
	lt_free(children->program);
	lt_free(children);
}

/* --- what it says --- */

const cJSON *lt_child_report(const struct lt_child *child)
{
	return child->report;
}

int lt_child_pid(const struct lt_child *child)
{
	return (int)child->pid;
}

unsigned lt_child_deaths(const struct lt_child *child)
{
	return child->deaths;
}

void lt_child_reopen_logs(const struct lt_child *child)
{
	if (child->pid != 0) {
		kill(child->pid, SIGUSR1);
	}
}
