#include <inttypes.h>

#include "base/table.h"
#include "services/announce/announce_priv.h"

#define LISTED_MAX 100

static size_t count_waiting(
		const struct lt_announce *announce, const struct lt_announce_network *of)
{
	const struct lt_queued *queued;
	size_t n = 0;

	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		n += queued->owner == of && !lt_queued_is_over(queued);
	}
	return n;
}

/* --- list --- */

static cJSON *list_network(const struct lt_announce_network *network)
{
	cJSON *item = cJSON_CreateObject();

	lt_json_add_c(item, "network", network->announcer->ops->name);
	lt_json_add_int(item, "posted", (int64_t)network->posted);
	lt_json_add_int(item, "failures", (int64_t)network->failures);
	lt_json_add_int(item, "waiting", (int64_t)count_waiting(network->announce, network));
	return item;
}

static cJSON *list_queued(const struct lt_queued *queued)
{
	cJSON *item = cJSON_CreateObject();

	lt_json_add_c(item, "network", queued->network);
	lt_json_add_c(item, "name", queued->name);
	lt_json_add_c(item, "uid", queued->uid);
	lt_json_add_int(item, "start", lt_wall_ms(queued->start));
	lt_json_add_c(item, "state", lt_post_state_names[queued->state]);
	lt_json_add_int(item, "attempts", queued->attempts);
	lt_json_add_int(item, "created", lt_wall_ms(queued->created));
	if (queued->state == LT_WAITING) {
		lt_json_add_int(item, "next", lt_wall_ms(queued->next));
	}
	lt_json_add_c(item, "text", queued->text);
	if (queued->reason) {
		lt_json_add_c(item, "reason", queued->reason);
	}
	return item;
}

cJSON *lt_announce_list(const struct lt_announce *announce)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *networks = cJSON_CreateArray(), *list = cJSON_CreateArray();
	const struct lt_queued *last = announce->queue ? announce->queue->prev : NULL;

	for (size_t i = 0; i < announce->n; i++) {
		cJSON_AddItemToArray(networks, list_network(&announce->networks[i]));
	}
	for (int n = 0; last && n < LISTED_MAX; n++) {
		cJSON_AddItemToArray(list, list_queued(last));
		last = last == announce->queue ? NULL : last->prev;
	}
	lt_json_set_take(json, "networks", networks);
	lt_json_set_take(json, "announcements", list);
	return json;
}

/* --- metrics --- */

static void write_metric(const struct lt_announce *announce, struct lt_buf *buf, const char *name,
		uint64_t (*value)(const struct lt_announce_network *network))
{
	for (size_t i = 0; i < announce->n; i++) {
		lt_buf_printf(buf, "%s{network=\"%s\"} %" PRIu64 "\n", name,
				announce->networks[i].announcer->ops->name,
				value(&announce->networks[i]));
	}
}

static uint64_t posted_of(const struct lt_announce_network *network)
{
	return network->posted;
}

static uint64_t failures_of(const struct lt_announce_network *network)
{
	return network->failures;
}

static uint64_t waiting_of(const struct lt_announce_network *network)
{
	return count_waiting(network->announce, network);
}

void lt_announce_write_metrics(const struct lt_announce *announce, struct lt_buf *buf)
{
	if (!announce->n) {
		return;
	}
	lt_buf_add_c(buf,
			"# HELP livetiming_posts_total Announcements posted.\n"
			"# TYPE livetiming_posts_total counter\n");
	write_metric(announce, buf, "livetiming_posts_total", posted_of);
	lt_buf_add_c(buf,
			"# HELP livetiming_post_failures_total Attempts to post that failed.\n"
			"# TYPE livetiming_post_failures_total counter\n");
	write_metric(announce, buf, "livetiming_post_failures_total", failures_of);
	lt_buf_add_c(buf,
			"# HELP livetiming_posts_waiting Announcements that are not posted yet.\n"
			"# TYPE livetiming_posts_waiting gauge\n");
	write_metric(announce, buf, "livetiming_posts_waiting", waiting_of);
}
