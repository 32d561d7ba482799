#include "services/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "router/http.h"
#include "router/router.h"

#define PATH "/metrics"

struct lt_metrics {
	struct lt_metrics_env env;
	struct lt_wall started;
	bool is_routed;
};

struct lt_metrics *lt_metrics_create(const struct lt_metrics_env *env)
{
	struct lt_metrics *metrics = lt_zalloc(sizeof(*metrics));

	metrics->env = *env;
	metrics->started = lt_loop_wall(env->loop);
	return metrics;
}

void lt_metrics_destroy(struct lt_metrics *metrics)
{
	lt_free(metrics);
}

/* --- the text --- */

static void add_head(struct lt_buf *buf, const char *name, const char *type, const char *help)
{
	lt_buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_one(struct lt_buf *buf, const char *name, const char *type, const char *help,
		uint64_t value)
{
	add_head(buf, name, type, help);
	lt_buf_printf(buf, "%s %" PRIu64 "\n", name, value);
}

/* A label's value: quotes, backslashes and line ends escaped. */
static void add_label(struct lt_buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			lt_buf_add_c(buf, "\\n");
			continue;
		}
		if (*text == '"' || *text == '\\') {
			lt_buf_add_char(buf, '\\');
		}
		lt_buf_add_char(buf, *text);
	}
}

struct series {
	struct lt_buf *buf;
	const char *name, *label;
};

static void add_member(void *arg, const char *value, uint64_t count)
{
	const struct series *series = arg;

	lt_buf_printf(series->buf, "%s{%s=\"", series->name, series->label);
	add_label(series->buf, value);
	lt_buf_printf(series->buf, "\"} %" PRIu64 "\n", count);
}

static void write_sessions(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct series roles = { buf, "livetiming_sessions", "role" };
	struct series transports = { buf, "livetiming_transport_sessions", "transport" };

	add_head(buf, roles.name, "gauge", "joined sessions");
	lt_router_count_roles(metrics->env.router, add_member, &roles);
	add_head(buf, transports.name, "gauge", "joined sessions by transport");
	lt_router_count_transports(metrics->env.router, add_member, &transports);
}

static void write_router(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct series limits = { buf, "livetiming_limit_hits_total", "limit" };
	struct lt_router_stats stats;

	lt_router_report(metrics->env.router, &stats);

	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} figures[] = {
		{ "livetiming_connections", "gauge", "open connections", stats.connections },
		{ "livetiming_subscriptions", "gauge", "patterns subscribed to",
				stats.subscriptions },
		{ "livetiming_registrations", "gauge", "patterns registered", stats.registrations },
		{ "livetiming_retained_topics", "gauge", "topics with a retained event",
				stats.retained_topics },
		{ "livetiming_retained_bytes", "gauge", "bytes of retained events",
				stats.retained_bytes },
		{ "livetiming_sessions_total", "counter", "sessions that joined",
				stats.sessions_total },
		{ "livetiming_sessions_killed_total", "counter",
				"sessions ended through the meta API", stats.sessions_killed },
		{ "livetiming_events_published_total", "counter", "publications taken",
				stats.events_published },
		{ "livetiming_events_sent_total", "counter", "events queued for subscribers",
				stats.events_sent },
		{ "livetiming_events_conflated_total", "counter",
				"queued events replaced by newer ones", stats.events_conflated },
		{ "livetiming_testaments_published_total", "counter",
				"testaments of ended sessions", stats.testaments_published },
		{ "livetiming_calls_total", "counter", "calls begun", stats.calls },
		{ "livetiming_bytes_sent_total", "counter", "bytes written", stats.bytes_sent },
		{ "livetiming_bytes_received_total", "counter", "bytes read",
				stats.bytes_received },
		{ "livetiming_slow_clients_dropped_total", "counter",
				"connections ended because they did not read",
				stats.slow_peers_ended },
		{ "livetiming_protocol_errors_total", "counter", "sessions ended for a violation",
				stats.protocol_errors },
		{ "livetiming_auth_failures_total", "counter", "sessions refused",
				stats.auth_failures },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(figures); i++) {
		add_one(buf, figures[i].name, figures[i].type, figures[i].help, figures[i].value);
	}
	add_head(buf, limits.name, "counter", "times that a bound was met");
	for (size_t i = 0; i < LT_LIMITS_COUNT; i++) {
		add_member(&limits, lt_limit_names[i], stats.limit_hits[i]);
	}
}

static void write_loop(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	static const char name[] = "livetiming_loop_lag_seconds";
	struct lt_loop_stats stats;
	uint64_t below = 0;

	lt_loop_report(metrics->env.loop, &stats);
	add_head(buf, name, "histogram", "time that the callbacks of one turn took together");
	for (size_t i = 0; i < LT_LAG_BUCKETS; i++) {
		below += stats.lag_bucket[i];
		if (i < LT_LAG_BUCKETS - 1) {
			lt_buf_printf(buf, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
					(double)lt_lag_bound_us[i] / 1e6, below);
		}
	}
	lt_buf_printf(buf, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %g\n%s_count %" PRIu64 "\n",
			name, below, name, (double)stats.lag_sum_us / 1e6, name, below);
	add_head(buf, "livetiming_loop_lag_max_seconds", "gauge", "longest turn so far");
	lt_buf_printf(buf, "livetiming_loop_lag_max_seconds %g\n", (double)stats.lag_max_us / 1e6);
}

static uint64_t count_open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!dir) {
		return 0;
	}
	for (const struct dirent *entry; (entry = readdir(dir));) {
		count += entry->d_name[0] != '.';
	}
	closedir(dir);
	return count > 0 ? count - 1 : 0; /* less the one that looks */
}

void lt_metrics_memory(uint64_t *ret_virtual_bytes, uint64_t *ret_resident_bytes)
{
	uint64_t *const figures[] = { ret_virtual_bytes, ret_resident_bytes };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");
	char line[256] = "";
	struct lt_str rest = { line, 0 };

	if (file) {
		rest.n = fgets(line, sizeof(line), file) ? strlen(line) : 0;
		fclose(file);
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(figures); i++) {
		uint64_t pages = 0;

		lt_parse_u64(lt_str_split(&rest, ' '), UINT64_MAX / page, &pages, NULL);
		*figures[i] = pages * page;
	}
}

static void write_memory(struct lt_buf *buf)
{
	uint64_t virtual_bytes, resident_bytes;

	lt_metrics_memory(&virtual_bytes, &resident_bytes);
	add_one(buf, "process_resident_memory_bytes", "gauge", "resident memory", resident_bytes);
	add_one(buf, "process_virtual_memory_bytes", "gauge", "virtual memory", virtual_bytes);
}

static void write_process(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct timespec cpu = { 0 };
	struct rlimit files = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	getrlimit(RLIMIT_NOFILE, &files);
	add_head(buf, "process_cpu_seconds_total", "counter", "processor time used");
	lt_buf_printf(buf, "process_cpu_seconds_total %.3f\n",
			(double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
	write_memory(buf);
	add_one(buf, "process_open_fds", "gauge", "open file descriptors", count_open_files());
	add_one(buf, "process_max_fds", "gauge", "how many there may be", files.rlim_cur);
	add_head(buf, "process_start_time_seconds", "gauge", "when the process began");
	lt_buf_printf(buf, "process_start_time_seconds %.3f\n", (double)metrics->started.us / 1e6);
}

void lt_metrics_write(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	add_head(buf, "livetiming_build_info", "gauge", "the version that runs");
	lt_buf_printf(buf, "livetiming_build_info{version=\"%s\"} 1\n", metrics->env.version);
	write_sessions(metrics, buf);
	write_router(metrics, buf);
	write_loop(metrics, buf);
	write_process(metrics, buf);
	if (metrics->env.write_more) {
		metrics->env.write_more(metrics->env.arg, buf);
	}
}

/* --- the route --- */

static void handle(void *arg, struct lt_http_req *req)
{
	const struct lt_metrics *metrics = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (metrics->env.for_whom == LT_METRICS_LOCAL && !lt_http_is_local(req)) {
		lt_http_reply_text(req, 403, "metrics are for this machine alone");
		return;
	}
	lt_metrics_write(metrics, &text);

	const struct lt_http_reply reply = {
		.status = 200,
		.content_type = "text/plain; version=0.0.4; charset=utf-8",
		.cache_control = "no-store",
		.body = lt_buf_str(&text),
	};

	lt_http_reply(req, &reply);
}

void lt_metrics_start(struct lt_metrics *metrics)
{
	const struct lt_http_route route = {
		.method = "GET", .path = PATH, .fn = handle, .arg = metrics
	};

	if (metrics->env.for_whom != LT_METRICS_NOBODY) {
		lt_http_add(lt_router_http(metrics->env.router), &route);
		metrics->is_routed = true;
	}
}

void lt_metrics_stop(struct lt_metrics *metrics)
{
	if (metrics->is_routed) {
		lt_http_remove(lt_router_http(metrics->env.router), "GET", PATH);
		metrics->is_routed = false;
	}
}
