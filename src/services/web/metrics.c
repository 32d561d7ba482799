#include "services/web/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exposition.h"
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

struct series {
	struct lt_buf *buf;
	const char *name, *label;
};

static void add_member(void *arg, const char *value, uint64_t count)
{
	const struct series *series = arg;
	const char *const labels[] = { series->label, value, NULL };

	lt_expo_labelled(series->buf, series->name, labels, (double)count);
}

/* Sessions on connections, so that the rest of the connections can be told apart. */
struct remote {
	struct series series;
	uint64_t sessions;
};

static void add_remote(void *arg, const char *value, uint64_t count)
{
	struct remote *remote = arg;

	if (strcmp(value, "local") != 0) {
		add_member(&remote->series, value, count);
		remote->sessions += count;
	}
}

/* By the transport of their sessions; "http" are those without one. */
static void write_connections(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct remote remote = { .series = { buf, "livetiming_connections", "transport" } };
	struct lt_router_stats stats;

	lt_router_report(metrics->env.router, &stats);
	lt_expo_head(buf, remote.series.name, "gauge", "open connections");
	lt_router_count_transports(metrics->env.router, add_remote, &remote);
	add_member(&remote.series, "http",
			stats.connections - LT_MIN(stats.connections, remote.sessions));
}

static void write_sessions(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct series roles = { buf, "livetiming_sessions", "role" };
	struct series transports = { buf, "livetiming_transport_sessions", "transport" };

	lt_expo_head(buf, roles.name, "gauge", "joined sessions");
	lt_router_count_roles(metrics->env.router, add_member, &roles);
	lt_expo_head(buf, transports.name, "gauge", "joined sessions by transport");
	lt_router_count_transports(metrics->env.router, add_member, &transports);
}

static void write_histograms(const struct lt_router_stats *stats, struct lt_buf *buf)
{
	lt_expo_histogram(buf,
			&(struct lt_expo_histogram){ "livetiming_rpc_seconds",
					"time from a call to its last answer", lt_histogram_us,
					1e6 },
			&stats->call_us);
	lt_expo_histogram(buf,
			&(struct lt_expo_histogram){ "livetiming_send_queue_bytes",
					"queued for a connection when it is written to",
					lt_histogram_bytes, 1 },
			&stats->queue_bytes);
	lt_expo_histogram(buf,
			&(struct lt_expo_histogram){ "livetiming_fanout_seconds",
					"from the first message queued in a turn of the loop to the last write",
					lt_histogram_us, 1e6 },
			&stats->fanout_us);
}

static void write_router(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct series limits = { buf, "livetiming_limit_hits_total", "limit" };
	struct lt_router_stats stats;

	lt_router_report(metrics->env.router, &stats);

	const struct lt_expo_figure figures[] = {
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

	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
	write_histograms(&stats, buf);
	lt_expo_head(buf, limits.name, "counter", "times that a bound was met");
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
	lt_expo_head(buf, name, "histogram", "time that the callbacks of one turn took together");
	for (size_t i = 0; i < LT_LAG_BUCKETS; i++) {
		below += stats.lag_bucket[i];
		if (i < LT_LAG_BUCKETS - 1) {
			lt_buf_printf(buf, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
					(double)lt_lag_bound_us[i] / 1e6, below);
		}
	}
	lt_buf_printf(buf, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %g\n%s_count %" PRIu64 "\n",
			name, below, name, (double)stats.lag_sum_us / 1e6, name, below);
	lt_expo_head(buf, "livetiming_loop_lag_max_seconds", "gauge", "longest turn so far");
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
	const struct lt_expo_figure figures[] = {
		{ "process_resident_memory_bytes", "gauge", "resident memory", resident_bytes },
		{ "process_virtual_memory_bytes", "gauge", "virtual memory", virtual_bytes },
	};

	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
}

static void write_process(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	struct timespec cpu = { 0 };
	struct rlimit files = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	getrlimit(RLIMIT_NOFILE, &files);

	const struct lt_expo_figure figures[] = {
		{ "process_open_fds", "gauge", "open file descriptors", count_open_files() },
		{ "process_max_fds", "gauge", "how many there may be", files.rlim_cur },
	};

	lt_expo_head(buf, "process_cpu_seconds_total", "counter", "processor time used");
	lt_buf_printf(buf, "process_cpu_seconds_total %.3f\n",
			(double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
	write_memory(buf);
	lt_expo_figures(buf, figures, LT_ARRAY_LEN(figures));
	lt_expo_head(buf, "process_start_time_seconds", "gauge", "when the process began");
	lt_buf_printf(buf, "process_start_time_seconds %.3f\n", (double)metrics->started.us / 1e6);
}

void lt_metrics_write(const struct lt_metrics *metrics, struct lt_buf *buf)
{
	lt_expo_head(buf, "livetiming_build_info", "gauge", "the version that runs");
	lt_expo_labelled(buf, "livetiming_build_info",
			(const char *const[]){ "version", metrics->env.version, NULL }, 1);
	write_connections(metrics, buf);
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
