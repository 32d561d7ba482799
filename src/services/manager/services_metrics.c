/* What Prometheus reads of the services of this daemon. */
#include "base/exposition.h"
#include "base/table.h"
#include "services/manager/services_priv.h"

/* Each is a label: beyond so many services the rest is counted but not named. */
#define NAMED_MAX 500

/* One entry with what its timing service says of itself. */
struct named {
	const struct lt_service_entry *entry;
	struct lt_timing_report report;
	bool is_up;
};

struct list {
	struct named at[NAMED_MAX];
	size_t n;
	int64_t now_ms;
};

static void fill(const struct lt_services *services, struct list *list)
{
	const struct lt_service_entry *entry;

	list->now_ms = lt_wall_ms(lt_loop_wall(services->env.loop));
	DL_FOREACH(services->entries, entry) {
		struct named *named = &list->at[list->n];

		if (list->n == NAMED_MAX) {
			return;
		}
		named->entry = entry;
		named->is_up = lt_services_entry_report(entry, &named->report) &&
				entry->reason == NULL && named->report.status == LT_TIMING_RUNNING;
		list->n++;
	}
}

static void add(struct lt_buf *buf, const char *name, const struct named *named, double value)
{
	const char *const labels[] = { "service", named->entry->uuid, "class",
		named->entry->service_class, NULL };

	lt_expo_labelled(buf, name, labels, value);
}

static double value_up(const struct named *named)
{
	return named->is_up;
}

static double value_stale(const struct named *named)
{
	return named->report.stale;
}

static double value_errors(const struct named *named)
{
	return (double)named->report.failed_updates;
}

static double value_slow(const struct named *named)
{
	return (double)named->report.slow_callbacks;
}

static void write_ages(const struct list *list, struct lt_buf *buf)
{
	static const char name[] = "livetiming_feed_age_seconds";

	lt_expo_head(buf, name, "gauge", "since the last update of a service of this daemon");
	for (size_t i = 0; i < list->n; i++) {
		const struct named *named = &list->at[i];

		if (named->is_up && named->report.last_update_ms > 0) {
			add(buf, name, named,
					(double)(list->now_ms - named->report.last_update_ms) /
							1000.0);
		}
	}
}

/* Updates, and what the plugin counts itself. */
static void write_records(const struct list *list, struct lt_buf *buf)
{
	static const char name[] = "livetiming_feed_records_total";

	lt_expo_head(buf, name, "counter", "what came in, by kind");
	for (size_t i = 0; i < list->n; i++) {
		const struct lt_service_entry *entry = list->at[i].entry;
		const char *labels[] = { "service", entry->uuid, "class", entry->service_class,
			"kind", "update", NULL };
		LT_AUTO(cJSON_Delete)
		cJSON *counters = entry->timing ? lt_timing_counters(entry->timing) : NULL;
		const cJSON *counter;

		lt_expo_labelled(buf, name, labels, (double)list->at[i].report.updates);
		cJSON_ArrayForEach(counter, counters) {
			if (strcmp(counter->string, "update") != 0) {
				labels[5] = counter->string;
				lt_expo_labelled(buf, name, labels, cJSON_GetNumberValue(counter));
			}
		}
	}
}

void lt_services_write_metrics(const struct lt_services *services, struct lt_buf *buf)
{
	static const struct {
		const char *name, *type, *help;
		double (*value)(const struct named *named);
	} families[] = {
		{ "livetiming_service_up", "gauge", "1: it runs, 0: it failed, starts or ends",
				value_up },
		{ "livetiming_feed_stale", "gauge", "1: the plugin says that its feed is silent",
				value_stale },
		{ "livetiming_feed_errors_total", "counter", "updates that could not be used",
				value_errors },
		{ "livetiming_slow_callbacks_total", "counter",
				"calls of the plugin that held the loop up", value_slow },
	};
	LT_AUTO(lt_free) struct list *list = lt_zalloc(sizeof(*list));
	struct lt_services_stats stats;

	fill(services, list);
	lt_services_report(services, &stats);
	lt_expo_head(buf, "livetiming_services", "gauge", "services of this daemon");
	lt_expo_labelled(buf, "livetiming_services",
			(const char *const[]){ "status", "running", NULL }, stats.running);
	lt_expo_labelled(buf, "livetiming_services",
			(const char *const[]){ "status", "failed", NULL }, stats.failed);
	for (size_t i = 0; i < LT_ARRAY_LEN(families); i++) {
		lt_expo_head(buf, families[i].name, families[i].type, families[i].help);
		for (size_t k = 0; k < list->n; k++) {
			add(buf, families[i].name, &list->at[k], families[i].value(&list->at[k]));
		}
	}
	write_ages(list, buf);
	write_records(list, buf);
}
