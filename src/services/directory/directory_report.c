/* What the directory tells operators: figures, metrics, the list for livetimingctl. */
#include "base/exposition.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/directory/directory_priv.h"

#define NAMED_MAX 500 /* in metrics, where each is a label */

void lt_directory_report(const struct lt_directory *directory, struct lt_directory_stats *ret_stats)
{
	const struct lt_directory_entry *entry;

	*ret_stats = (struct lt_directory_stats){ .services = directory->n };
	DL_FOREACH(directory->entries, entry) {
		ret_stats->hidden += entry->hidden;
	}
}

/* Since the last state of a service was published; false: there is none. */
static bool age_of(const struct lt_directory *directory, const struct lt_directory_entry *entry,
		int64_t *ret_us)
{
	LT_AUTO(lt_buf_finish) struct lt_buf topic = { 0 };

	lt_buf_printf(&topic, "%s%s", LT_TOPIC_SERVICE, entry->uuid);
	return directory->local &&
			lt_local_retained_age(directory->local, lt_buf_str(&topic), ret_us);
}

void lt_directory_write_metrics(const struct lt_directory *directory, struct lt_buf *buf)
{
	static const char name[] = "livetiming_service_age_seconds";
	const struct lt_expo_figure listed = { "livetiming_directory_services", "gauge",
		"services in the directory, own and foreign", directory->n };
	const struct lt_directory_entry *entry;
	int64_t age_us, n = 0;

	lt_expo_figures(buf, &listed, 1);
	lt_expo_head(buf, name, "gauge",
			"since the state of a service in the directory was published");
	DL_FOREACH(directory->entries, entry) {
		if (n++ == NAMED_MAX) {
			return;
		}
		if (age_of(directory, entry, &age_us)) {
			lt_expo_labelled(buf, name,
					(const char *const[]){ "service", entry->uuid, NULL },
					(double)age_us / 1e6);
		}
	}
}

cJSON *lt_directory_list(const struct lt_directory *directory)
{
	cJSON *list = cJSON_CreateArray();
	const struct lt_directory_entry *entry;
	int64_t age_us;

	DL_FOREACH(directory->entries, entry) {
		LT_AUTO(cJSON_Delete)
		cJSON *manifest = lt_json_parse(lt_str_from(entry->manifest), NULL);
		struct lt_str title = { "", 0 }, description = { "", 0 };
		cJSON *item = cJSON_CreateObject();

		lt_json_opt_str(manifest, "name", &title, NULL);
		lt_json_opt_str(manifest, "description", &description, NULL);
		lt_json_add_c(item, "uuid", entry->uuid);
		lt_json_add_str(item, "name", title);
		lt_json_add_str(item, "description", description);
		lt_json_add_bool(item, "hidden", entry->hidden);
		lt_json_set_take(item, "age_ms",
				age_of(directory, entry, &age_us)
						? lt_json_new_int(age_us / LT_US_PER_MS)
						: cJSON_CreateNull());
		cJSON_AddItemToArray(list, item);
	}
	return list;
}
