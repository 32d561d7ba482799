/*
 * Every setting of the daemon: the table of names with defaults, help and
 * checks, and the values as the modules want them. Reading is all or nothing:
 * files that settings name (permissions, principals) are read here, so that a
 * mistake in them is found by --check-config and before a socket opens.
 *
 * Names, meaning and examples: conf/livetiming.env.
 */
#ifndef LT_DAEMON_CONF_H
#define LT_DAEMON_CONF_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "mesh/bus_nats.h"
#include "router/router.h"
#include "services/announce/announce.h"
#include "services/offload/offload.h"
#include "services/schedule/scheduler.h"
#include "services/web/metrics.h"

/* The table; ends with a NULL name. */
extern const struct lt_conf_key lt_daemon_conf_keys[];

/* A list of owned texts, in order. */
struct lt_text_list {
	char **at;
	size_t n;
};

/* Of a daemon that is one of several; bus.urls NULL: it is the only one. */
struct lt_mesh_conf {
	struct lt_bus_nats_conf bus;
	char *node;             /* its name */
	bool is_edge;           /* it has viewers, and neither services nor recordings of its own */
	const char *origin_url; /* where an edge sends who wants recordings; NULL: nowhere */
};

/* Pointers to const are borrowed from the lt_conf that was read. */
struct lt_daemon_conf {
	struct lt_text_list listen;
	const char *services; /* command lines, separated by ';'; NULL: none */
	char *plugin_path;    /* folders in the order of search, separated by colons */
	char *control_socket;
	char *web_dir;
	const char *frame_ancestors; /* as web.h has it */
	const char *state_dir, *log_dir, *analysis_dir, *recordings_dir, *recordings_temp_dir;
	const char *auth_id, *shared_secret; /* secret NULL: none */
	const char *auth_file;               /* what principals was read from */
	/* {authid: {"secret", "role", "extra", ...}}, of both files; NULL: none */
	cJSON *principals;
	const char *permissions_file;
	struct lt_buf permissions; /* JSON text; empty: the built-in two roles */
	struct lt_limits limits;
	struct lt_switches switches;
	enum lt_metrics_for metrics_for;
	enum lt_level log_level;
	enum lt_log_format log_format;
	/* Of the DVR; authcode NULL: nobody may change manifests. */
	bool dvr;
	int64_t dvr_min_duration_s, dvr_idle_s, dvr_scan_s, dvr_resume_s, dvr_sync_s;
	const char *admin_authcode;
	const char *push_token;    /* of services that take messages; NULL: none */
	const char *private_codes; /* file of access codes; NULL: none */
	bool reindex, generate_analysis;
	const char *calendar_urls; /* NULL: none */
	const char *local_zone;    /* TZ; NULL: that of the machine */
	struct lt_scheduler_times schedule;
	bool trust_proxy;
	bool http_call;                 /* serve POST /call */
	const char *tls_cert, *tls_key; /* NULL: none */
	/* Of services in processes of their own. */
	const char *router;       /* LIVETIMING_ROUTER; NULL: they are standalone */
	uint16_t standalone_port; /* 0: any */
	const char *use_upnp;     /* any text; NULL: no */
	unsigned crash_limit;     /* deaths; 0: none is too many */
	int64_t hang_s;           /* of an isolated service; 0: for ever */
	int64_t settle_s;
	const char *notify_socket; /* NULL: nobody waits for READY=1 */
	int64_t watchdog_us;       /* 0: none */
	const char *log_file;      /* NULL: standard error */
	/* Announcements and error reports; sentry_dsn NULL: none. */
	struct lt_announce_conf announce;
	const char *sentry_dsn, *environment;
	struct lt_mesh_conf mesh;
	struct lt_offload_conf s3; /* url NULL: recordings are here alone */
	const char **secrets;      /* values of all secret settings; ends with NULL */
};

/* How lt_conf_check and lt_daemon_conf_read tell what they find. */
typedef void (*lt_conf_report_fn)(void *arg, bool is_error, const char *sentence);

/*
 * Check all names and values and read them. Every problem is reported with its
 * place; false when one of them was an error. *ret is then empty, and finish
 * is harmless.
 */
bool lt_daemon_conf_read(const struct lt_conf *conf, struct lt_daemon_conf *ret,
		lt_conf_report_fn report, void *arg);
void lt_daemon_conf_finish(struct lt_daemon_conf *conf);

/* One line for each setting with value and origin, secrets hidden (--check-config). */
void lt_daemon_conf_describe(const struct lt_conf *conf, struct lt_buf *buf);

#endif
