#include "services/outside/portmap.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <stdio.h>

#include "base/alloc.h"

#define DISCOVER_MS 2000
#define LEASE_S     3600
#define RENEW_MS    (LEASE_S * 1000 / 2)
#define AGAIN_MS    (300 * 1000)
#define STOP_MS     3000
#define TEXT_MAX    64

/* What a worker is to do; outlives the portmap, which is NULL then. */
struct job {
	struct lt_portmap *portmap;
	bool removes;
	char *device_url; /* NULL: look for one */
	char port[8];
	bool ok;
	char outside[TEXT_MAX]; /* address of the router of the house */
	struct lt_err err;
};

struct lt_portmap {
	struct lt_portmap_env env;
	char *device_url;
	struct job *job; /* under way */
	bool is_mapped, is_stopping;
	struct lt_timer again, stop_timer;
	void (*done)(void *arg);
	void *done_arg;
};

/* --- on a worker --- */

static int find_device(
		const char *url, struct UPNPUrls *urls, struct IGDdatas *data, char lan[TEXT_MAX])
{
	if (url != NULL) {
		return UPNP_GetIGDFromUrl(url, urls, data, lan, TEXT_MAX);
	}
	int error = 0;
	struct UPNPDev *devices =
			upnpDiscover(DISCOVER_MS, NULL, NULL, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
#if MINIUPNPC_API_VERSION >= 18
	char wan[TEXT_MAX];
	int found = devices ? UPNP_GetValidIGD(devices, urls, data, lan, TEXT_MAX, wan, sizeof(wan))
			    : 0;
#else
	int found = devices ? UPNP_GetValidIGD(devices, urls, data, lan, TEXT_MAX) : 0;
#endif

	freeUPNPDevlist(devices);
	return found;
}

static void work(void *arg)
{
	struct job *job = arg;
	struct UPNPUrls urls = { 0 };
	struct IGDdatas data = { 0 };
	char lan[TEXT_MAX] = "", lease[16];
	int found = find_device(job->device_url, &urls, &data, lan), result;

	/* 2: it says that it is not connected, or is behind another one; it may forward all the
	 * same */
	if (found != 1 && found != 2) {
		lt_err_set(&job->err, LT_E_NOT_FOUND,
				found ? "the device found forwards no ports"
				      : "no device that forwards ports was found");
	} else if (job->removes) {
		result = UPNP_DeletePortMapping(
				urls.controlURL, data.first.servicetype, job->port, "TCP", NULL);
		job->ok = result == UPNPCOMMAND_SUCCESS ||
				lt_err_set(&job->err, LT_E_IO, "the device refused: error %d",
						result);
	} else {
		snprintf(lease, sizeof(lease), "%d", LEASE_S);
		result = UPNP_AddPortMapping(urls.controlURL, data.first.servicetype, job->port,
				job->port, lan, "livetiming", "TCP", NULL, lease);
		job->ok = result == UPNPCOMMAND_SUCCESS ||
				lt_err_set(&job->err, LT_E_IO, "the device refused: error %d",
						result);
		if (job->ok) {
			UPNP_GetExternalIPAddress(
					urls.controlURL, data.first.servicetype, job->outside);
			job->outside[TEXT_MAX - 1] = '\0';
		}
	}
	if (found != 0) {
		FreeUPNPUrls(&urls);
	}
}

/* --- on the loop --- */

static void begin(struct lt_portmap *portmap, bool removes);

static void on_again(void *arg)
{
	struct lt_portmap *portmap = arg;

	if (portmap->job == NULL) {
		begin(portmap, false);
	}
}

static void finish_stop(void *arg)
{
	struct lt_portmap *portmap = arg;

	lt_timer_cancel(&portmap->stop_timer);
	if (portmap->done != NULL) {
		LT_STEAL(portmap->done)(portmap->done_arg);
	}
}

static void tell(struct lt_portmap *portmap, const struct job *job)
{
	char shown[LT_LOG_VALUE_MAX];
	const struct lt_log *log = &portmap->env.log;

	if (!job->ok) {
		lt_log(log, LT_WARN, job->removes ? "port still forwarded" : "port not forwarded",
				"port=%s reason=\"%s\"", job->port, job->err.msg);
	} else if (job->removes) {
		lt_log(log, LT_INFO, "port no longer forwarded", "port=%s", job->port);
	} else if (!portmap->is_mapped) {
		lt_log(log, LT_INFO, "port forwarded", "port=%s outside=%s", job->port,
				lt_log_value(lt_str_from(job->outside), shown));
	}
}

static void free_job(struct job *job)
{
	lt_free(job->device_url);
	lt_free(job);
}

static void work_done(void *arg)
{
	struct job *job = arg;
	struct lt_portmap *portmap = job->portmap;

	if (portmap != NULL) {
		portmap->job = NULL;
		tell(portmap, job);
		portmap->is_mapped = job->ok && !job->removes;
		if (portmap->is_stopping && portmap->is_mapped) {
			begin(portmap, true);
		} else if (portmap->is_stopping) {
			finish_stop(portmap);
		} else {
			lt_timer_once(&portmap->again, portmap->env.loop,
					job->ok ? RENEW_MS : AGAIN_MS, on_again, portmap);
		}
	}
	free_job(job);
}

static void begin(struct lt_portmap *portmap, bool removes)
{
	struct job *job = lt_zalloc(sizeof(*job));

	job->portmap = portmap;
	job->removes = removes;
	job->device_url = portmap->device_url ? lt_strdup(portmap->device_url) : NULL;
	snprintf(job->port, sizeof(job->port), "%u", portmap->env.port);
	portmap->job = job;
	lt_loop_work(portmap->env.loop, work, work_done, job);
}

struct lt_portmap *lt_portmap_create(const struct lt_portmap_env *env)
{
	struct lt_portmap *portmap = lt_zalloc(sizeof(*portmap));
	struct lt_str url = lt_str_from(env->device_url);

	portmap->env = *env;
	portmap->env.log.module = "upnp";
	portmap->device_url = lt_str_starts(url, LT_STR("http://")) ? lt_str_dup(url) : NULL;
	return portmap;
}

void lt_portmap_start(struct lt_portmap *portmap)
{
	begin(portmap, false);
}

void lt_portmap_stop(struct lt_portmap *portmap, void (*done)(void *arg), void *arg)
{
	portmap->is_stopping = true;
	portmap->done = done;
	portmap->done_arg = arg;
	lt_timer_cancel(&portmap->again);
	lt_timer_once(&portmap->stop_timer, portmap->env.loop,
			portmap->is_mapped || portmap->job != NULL ? STOP_MS : 0, finish_stop,
			portmap);
	if (portmap->job == NULL && portmap->is_mapped) {
		begin(portmap, true);
	}
}

void lt_portmap_destroy(struct lt_portmap *portmap)
{
	if (portmap != NULL) {
		lt_timer_cancel(&portmap->again);
		lt_timer_cancel(&portmap->stop_timer);
		if (portmap->job != NULL) {
			portmap->job->portmap = NULL;
		}
		lt_free(portmap->device_url);
		lt_free(portmap);
	}
}
