#include "router/filter.h"

#include "base/alloc.h"
#include "base/json_scan.h"
#include "router/authz.h"
#include "router/member.h"
#include "router/wamp_msg.h"

/* One list: session ids, or names one behind the other, each with its terminator. */
struct list {
	bool present;
	uint64_t *ids;
	size_t id_count;
	struct lt_buf names;
};

struct lt_filter {
	struct list lists[LT_LISTS];
};

static bool is_id_list(size_t i)
{
	return i == LT_LIST_EXCLUDE || i == LT_LIST_ELIGIBLE;
}

static bool read_item(struct list *list, bool ids, const struct lt_json_slice *slice)
{
	uint64_t id;

	if (ids) {
		if (!lt_json_slice_u53(slice, &id) || id < 1) {
			return false;
		}
		list->ids = lt_reallocarray(list->ids, list->id_count + 1, sizeof(*list->ids));
		list->ids[list->id_count++] = id;
		return true;
	}
	if (slice->kind != LT_JSON_STRING) {
		return false;
	}
	lt_json_slice_text(slice, &list->names);
	lt_buf_add_char(&list->names, '\0');
	return true;
}

static bool read_list(struct list *list, bool ids, struct lt_str json, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;

	list->present = true;
	if (!lt_json_scan_init(&scan, json, LT_JSON_DEPTH_MAX, err) ||
			!lt_json_scan_enter(&scan, LT_JSON_ARRAY, err)) {
		return false;
	}
	while (lt_json_scan_more(&scan)) {
		if (!lt_json_scan_value(&scan, &slice, err)) {
			return false;
		}
		if (!read_item(list, ids, &slice)) {
			return lt_err_set(err, LT_E_INVALID, "a list has an element of wrong type");
		}
	}
	return true;
}

bool lt_filter_create(const struct lt_str lists[LT_LISTS], struct lt_filter **ret_filter,
		struct lt_err *err)
{
	struct lt_filter *filter = NULL;

	for (size_t i = 0; i < LT_LISTS; i++) {
		if (!lists[i].p) {
			continue;
		}
		if (!filter) {
			filter = lt_zalloc(sizeof(*filter));
		}
		if (!read_list(&filter->lists[i], is_id_list(i), lists[i], err)) {
			lt_filter_destroy(filter);
			return false;
		}
	}
	*ret_filter = filter;
	return true;
}

void lt_filter_destroy(struct lt_filter *filter)
{
	if (!filter) {
		return;
	}
	for (size_t i = 0; i < LT_LISTS; i++) {
		lt_free(filter->lists[i].ids);
		lt_buf_finish(&filter->lists[i].names);
	}
	lt_free(filter);
}

static bool has_id(const struct list *list, uint64_t id)
{
	for (size_t i = 0; i < list->id_count; i++) {
		if (list->ids[i] == id) {
			return true;
		}
	}
	return false;
}

static bool has_name(const struct list *list, const char *name)
{
	for (size_t at = 0; at < list->names.n; at += strlen(list->names.p + at) + 1) {
		if (strcmp(list->names.p + at, name) == 0) {
			return true;
		}
	}
	return false;
}

bool lt_filter_passes(const struct lt_filter *filter, const struct lt_member *member)
{
	if (!filter) {
		return true;
	}
	for (size_t i = 0; i < LT_LISTS; i++) {
		const struct list *list = &filter->lists[i];
		bool is_white = i % 2 == 1;
		bool found;

		if (!list->present) {
			continue;
		}
		found = is_id_list(i)
				? has_id(list, member->id)
				: has_name(list,
						  i < LT_LIST_EXCLUDE_AUTHROLE
								  ? member->authid
								  : lt_role_name(member->role));
		if (found != is_white) {
			return false;
		}
	}
	return true;
}
