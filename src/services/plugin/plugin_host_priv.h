/*
 * Inside of the plugin host, shared by plugin_host.c, plugin_api.c and the
 * extensions (plugin_ext_*.c).
 *
 * Whatever a plugin opens is a resource: it hangs on its host, ends at the
 * latest with it, and its memory goes at the end of the turn, so that a plugin
 * may close it from inside its own callback.
 */
#ifndef LT_SERVICES_PLUGIN_PLUGIN_HOST_PRIV_H
#define LT_SERVICES_PLUGIN_PLUGIN_HOST_PRIV_H

#include "net/net_env.h"
#include "services/plugin/plugin_host.h"
#include "services/plugin/raw_input.h"

#define LT_RESOURCE_MAGIC 0x4c745273u

struct lt_resource {
	uint32_t magic; /* 0 once closed */
	struct lt_host *host;
	void (*close)(struct lt_resource *resource); /* release what it holds; no callbacks after */
	void (*free)(struct lt_resource *resource);
	struct lt_deferred deferred_free;
	struct lt_resource *prev, *next;
};

void lt_resource_add(struct lt_host *host, struct lt_resource *resource);
void lt_resource_close(struct lt_resource *resource);
/* A handle that came back from the plugin; NULL when it is none of ours any more. */
void *lt_resource_check(void *handle, void (*close)(struct lt_resource *resource));

/* A piece of work off the loop: it outlives the host, which is NULL then. */
struct lt_host_job {
	struct lt_host *host;
	void (*work)(void *arg);
	void (*done)(void *arg, uint32_t cancelled);
	void *arg;
	struct lt_host_job *prev, *next;
};

#define LT_HOST_COUNTERS_MAX 64
struct lt_host_counter {
	char *name;
	int64_t value;
};

struct lt_host {
	struct lt_host_env env;
	struct lt_net_env net;
	const struct lt_plugin *plugin;
	struct lt_option_values *options; /* owned */
	void *self;
	bool is_created, is_started;
	bool is_setup;  /* inside create or start: a failure is returned, not reported */
	bool is_failed; /* the plugin is called no more, but for stop and destroy */
	char reason[sizeof(((struct lt_err *)0)->msg)];
	struct lt_deferred report_failure;

	cJSON *description;      /* owned copy of the latest */
	cJSON *cars, *session;   /* state being built; NULL outside begin ... publish */
	uint64_t misfit_columns; /* those whose misfit was logged; the first 64 */
	struct lt_timer update;  /* ops->update */
	uint64_t next_timer;     /* id */
	struct lt_resource *resources;
	struct lt_host_job *jobs;
	struct lt_host_counter counters[LT_HOST_COUNTERS_MAX];
	size_t counter_count;
	struct lt_host_stats stats;
};

/* Around every call into the plugin. False: it must not be called any more. */
struct lt_host_call {
	struct lt_host *host;
	const char *what;
	struct lt_mono started;
};
bool lt_host_enter(struct lt_host *host, const char *what, struct lt_host_call *call);
void lt_host_leave(struct lt_host_call *call);

/* The service cannot go on. */
void lt_host_fail(struct lt_host *host, struct lt_str reason);
void lt_host_fail_err(struct lt_host *host, const struct lt_err *err); /* always with a sentence */

void lt_host_set_description_take(struct lt_host *host, cJSON *description);
void lt_host_count(struct lt_host *host, const char *name, int64_t delta);
/* A link of the plugin went silent or came back. */
void lt_host_link_stale(struct lt_host *host, bool is_stale, const char *what);
void lt_host_run(struct lt_host *host, void (*work)(void *arg),
		void (*done)(void *arg, uint32_t cancelled), void *arg);

uint64_t lt_host_timer(
		struct lt_host *host, int64_t delay_ms, uint32_t repeat, lt_callback fn, void *arg);
void lt_host_timer_cancel(struct lt_host *host, uint64_t id);

/* --- plugin_raw.c: links and raw captures --- */

/* A link's place in a capture; lives inside the link. */
struct lt_host_stream {
	struct lt_host *host; /* NULL: not open */
	uint32_t number;      /* 0: not recorded, or nothing comes */
};

/*
 * Begin a stream. True: the link is played, and makes no connection of its own;
 * `play` gets what the capture has for it.
 */
bool lt_host_stream_open(struct lt_host_stream *stream, struct lt_host *host, const char *type,
		struct lt_str to, lt_raw_play_fn *play, void *arg);
void lt_host_stream_close(struct lt_host_stream *stream);
/* Record what came, when it is recorded. */
void lt_host_stream_record(const struct lt_host_stream *stream, enum lt_raw_kind kind,
		struct lt_str attribute, struct lt_str bytes);

/* The plugin's time, and a delay of its timers in real time. */
int64_t lt_host_mono_us(const struct lt_host *host);
int64_t lt_host_wall_us(const struct lt_host *host);
int64_t lt_host_delay_ms(const struct lt_host *host, int64_t delay_ms);

extern const struct lt_host_api lt_host_api_table;

extern const struct lt_lines_ext lt_host_lines_ext;
extern const struct lt_file_ext lt_host_file_ext;
extern const struct lt_tcp_ext lt_host_tcp_ext;
extern const struct lt_udp_ext lt_host_udp_ext;
extern const struct lt_http_ext lt_host_http_ext;
extern const struct lt_ws_ext lt_host_ws_ext;
extern const struct lt_work_ext lt_host_work_ext;
extern const struct lt_recording_ext lt_host_recording_ext;
extern const struct lt_inbox_ext lt_host_inbox_ext;

#endif
