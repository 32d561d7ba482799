/* announcements.json: {"version": 1, "announcements": [{...}]}, one for each event and network. */
#include "base/alloc.h"
#include "base/table.h"
#include "services/announce/announce_priv.h"

#define VERSION 1

static cJSON *print_queued(const struct lt_queued *queued)
{
	cJSON *item = cJSON_CreateObject();

	lt_json_add_c(item, "uid", queued->uid);
	lt_json_add_int(item, "startUs", queued->start.us);
	lt_json_add_c(item, "network", queued->network);
	lt_json_add_c(item, "state", lt_post_state_names[queued->state]);
	lt_json_add_c(item, "name", queued->name);
	lt_json_add_c(item, "service", queued->service);
	lt_json_add_c(item, "text", queued->text);
	lt_json_add_c(item, "link", queued->link);
	lt_json_add_int(item, "createdUs", queued->created.us);
	lt_json_add_int(item, "nextUs", queued->next.us);
	lt_json_add_int(item, "attempts", queued->attempts);
	lt_json_add_bool(item, "uncertain", queued->is_uncertain);
	if (queued->reason) {
		lt_json_add_c(item, "reason", queued->reason);
	}
	return item;
}

void lt_announce_print_file(const struct lt_announce *announce, struct lt_buf *buf)
{
	LT_AUTO(cJSON_Delete) cJSON *document = cJSON_CreateObject();
	cJSON *list = cJSON_CreateArray();
	const struct lt_queued *queued;

	lt_json_add_int(document, "version", VERSION);
	DL_FOREACH2(announce->queue, queued, next_queued)
	{
		cJSON_AddItemToArray(list, print_queued(queued));
	}
	lt_json_set_take(document, "announcements", list);
	lt_json_print(buf, document, LT_JSON_INDENTED);
	lt_buf_add_char(buf, '\n');
}

static bool read_text(const cJSON *item, const char *key, char **ret, struct lt_err *err)
{
	struct lt_str text;

	if (!lt_json_get_str(item, key, &text, err)) {
		return false;
	}
	*ret = lt_str_dup(text);
	return true;
}

static bool read_time(const cJSON *item, const char *key, struct lt_wall *ret, struct lt_err *err)
{
	return lt_json_get_int(item, key, -(INT64_C(1) << 53), INT64_C(1) << 53, &ret->us, err);
}

static bool read_state(const cJSON *item, enum lt_post_state *ret, struct lt_err *err)
{
	struct lt_str text;

	if (!lt_json_get_str(item, "state", &text, err)) {
		return false;
	}
	for (*ret = 0; *ret < LT_POST_STATES; (*ret)++) {
		if (lt_str_eq_c(text, lt_post_state_names[*ret])) {
			return true;
		}
	}
	return lt_err_set(err, LT_E_FORMAT, "state: not one that is known");
}

static bool read_queued(const cJSON *item, struct lt_queued *ret, struct lt_err *err)
{
	struct lt_str reason = { 0 };

	if (!read_text(item, "uid", &ret->uid, err) ||
			!read_text(item, "network", &ret->network, err) ||
			!read_text(item, "name", &ret->name, err) ||
			!read_text(item, "service", &ret->service, err) ||
			!read_text(item, "text", &ret->text, err) ||
			!read_text(item, "link", &ret->link, err) ||
			!read_time(item, "startUs", &ret->start, err) ||
			!read_time(item, "createdUs", &ret->created, err) ||
			!read_time(item, "nextUs", &ret->next, err) ||
			!read_state(item, &ret->state, err) ||
			!lt_json_get_int(item, "attempts", 0, INT32_MAX, &ret->attempts, err) ||
			!lt_json_opt_bool(item, "uncertain", &ret->is_uncertain, err) ||
			!lt_json_opt_str(item, "reason", &reason, err)) {
		return false;
	}
	ret->reason = reason.n ? lt_str_dup(reason) : NULL;
	return true;
}

bool lt_announce_read_file(struct lt_announce *announce, struct lt_str text, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *document = lt_json_parse(text, err);
	const cJSON *list = lt_json_get(document, "announcements"), *item;
	struct lt_queued *read = NULL, *queued, *next;
	int64_t version;
	bool ok = document && lt_json_get_int(document, "version", VERSION, VERSION, &version, err);

	if (ok && !cJSON_IsArray(list)) {
		ok = lt_err_set(err, LT_E_FORMAT, "announcements: not a list");
	}
	if (!ok) {
		return false;
	}
	cJSON_ArrayForEach(item, list) {
		queued = lt_zalloc(sizeof(*queued));
		DL_APPEND2(read, queued, prev, next_queued);
		ok = ok && read_queued(item, queued, err);
	}
	DL_FOREACH_SAFE2(read, queued, next, next_queued)
	{
		DL_DELETE2(read, queued, prev, next_queued);
		if (ok) {
			DL_APPEND2(announce->queue, queued, prev, next_queued);
		} else {
			lt_queued_free(queued);
		}
	}
	return ok;
}
