#include "base/alloc.h"
#include "store/timeline_priv.h"

/* More of a kind would not help anybody to find a moment. */
#define MARKS_MAX 20000

void lt_timeline_walker_finish(struct lt_timeline_walker *walker)
{
	lt_timeline_cursor_finish(&walker->cursor);
	if (walker->has_layout) {
		lt_row_layout_finish(&walker->layout);
	}
	cJSON_Delete(walker->flags);
	cJSON_Delete(walker->leaders);
	cJSON_Delete(walker->laps);
	cJSON_Delete(walker->moments);
	cJSON_Delete(walker->messages);
	cJSON_Delete(walker->seen);
	*walker = (struct lt_timeline_walker){ 0 };
}

static void begin(struct lt_timeline *timeline)
{
	struct lt_timeline_walker *walker = &timeline->walker;

	if (!walker->has_layout) {
		lt_row_layout_init(&walker->layout,
				lt_json_get(lt_timeline_manifest(timeline), "colSpec"));
		walker->has_layout = true;
		walker->flags = cJSON_CreateArray();
		walker->leaders = cJSON_CreateArray();
		walker->laps = cJSON_CreateArray();
		walker->moments = cJSON_CreateArray();
		walker->messages = cJSON_CreateArray();
	}
}

/* Lists are linked: their length is only counted when they grow. */
static void add_pair(cJSON *list, int64_t time_s, cJSON *value)
{
	cJSON *pair = cJSON_CreateArray();

	cJSON_AddItemToArray(pair, lt_json_new_int(time_s));
	cJSON_AddItemToArray(pair, value);
	cJSON_AddItemToArray(list, pair);
}

static cJSON *add_moment(struct lt_timeline_walker *walker, int64_t time_s, const char *type,
		struct lt_str text)
{
	cJSON *moment = cJSON_CreateObject();

	lt_json_add_int(moment, "t", time_s);
	lt_json_add_c(moment, "type", type);
	lt_json_add_str(moment, "text", text);
	cJSON_AddItemToArray(walker->moments, moment);
	return moment;
}

static const cJSON *last_value(const cJSON *list)
{
	/* cJSON keeps the last child as prev of the first */
	const cJSON *last = list->child ? list->child->prev : NULL;

	return last ? last->child->next : NULL;
}

static bool is_full(const cJSON *list)
{
	return cJSON_GetArraySize(list) >= MARKS_MAX;
}

static void note_flag(struct lt_timeline_walker *walker, int64_t time_s)
{
	struct lt_str flag = { NULL, 0 };
	const cJSON *before = last_value(walker->flags);

	lt_json_opt_str(lt_json_get(walker->cursor.state, "session"), "flagState", &flag, NULL);
	if (flag.n == 0 || (before && lt_str_eq_c(flag, before->valuestring)) ||
			is_full(walker->flags)) {
		return;
	}
	add_pair(walker->flags, time_s, lt_json_new_str(flag));
	if (lt_str_eq_c(flag, "green") && !walker->has_started) {
		walker->has_started = true;
		add_moment(walker, time_s, "start", flag);
	} else if (lt_str_eq_c(flag, "chequered")) {
		if (walker->finish) {
			lt_json_set_take(walker->finish, "type", cJSON_CreateString("flag"));
		}
		walker->finish = add_moment(walker, time_s, "finish", flag);
	} else {
		add_moment(walker, time_s, "flag", flag);
	}
}

static void note_leader(struct lt_timeline_walker *walker, int64_t time_s)
{
	const cJSON *cars = lt_json_get(walker->cursor.state, "cars"), *before;
	LT_AUTO(lt_buf_finish) struct lt_buf number = { 0 };
	struct lt_row row;
	int64_t lap;

	if (!cars || !cars->child || !lt_row_read(&walker->layout, cars->child, &row)) {
		return;
	}
	before = last_value(walker->leaders);
	if (lt_row_number(&row, &number) &&
			!(before && lt_str_eq_c(lt_buf_str(&number), before->valuestring)) &&
			!is_full(walker->leaders)) {
		add_pair(walker->leaders, time_s, lt_json_new_str(lt_buf_str(&number)));
		if (before) {
			add_moment(walker, time_s, "leader", lt_buf_str(&number));
		}
	}
	lap = lt_row_lap_count(&row);
	if (lap > walker->lap && !is_full(walker->laps)) {
		walker->lap = lap;
		add_pair(walker->laps, time_s, lt_json_new_int(lap));
	}
}

static bool contains(const cJSON *list, const cJSON *message)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		if (lt_json_equal(item, message)) {
			return true;
		}
	}
	return false;
}

/* Those that the list before does not have; the newest are in front. */
static void add_messages(struct lt_timeline_walker *walker, int64_t time_s, const cJSON *messages)
{
	const cJSON *before = walker->seen, *item;
	const cJSON *newest_before = before ? before->child : NULL;
	size_t added = 0;

	cJSON_ArrayForEach(item, messages) {
		if (newest_before && lt_json_equal(item, newest_before)) {
			break;
		}
		added++;
	}
	for (; added > 0; added--) {
		item = cJSON_GetArrayItem(messages, (int)added - 1);
		if (!contains(before, item)) {
			add_pair(walker->messages, time_s, cJSON_Duplicate(item, true));
			walker->message_count++;
		}
	}
	for (; walker->message_count > LT_TIMELINE_MESSAGES_MAX; walker->message_count--) {
		cJSON_DeleteItemFromArray(walker->messages, 0);
	}
}

/* Most frames bring none. */
static void note_messages(struct lt_timeline_walker *walker, int64_t time_s)
{
	const cJSON *messages = lt_json_get(walker->cursor.state, "messages");

	if (!walker->cursor.may_have_messages || !messages ||
			(walker->seen && lt_json_equal(messages, walker->seen))) {
		return;
	}
	add_messages(walker, time_s, messages);
	cJSON_Delete(walker->seen);
	walker->seen = cJSON_Duplicate(messages, true);
}

static bool step(struct lt_timeline *timeline, struct lt_err *err)
{
	struct lt_timeline_walker *walker = &timeline->walker;
	int64_t time_s = timeline->frames[walker->cursor.next].time_s;

	if (!lt_timeline_step(timeline, &walker->cursor, err)) {
		return false;
	}
	note_flag(walker, time_s);
	note_leader(walker, time_s);
	note_messages(walker, time_s);
	walker->end_s = time_s;
	return true;
}

bool lt_timeline_walk(struct lt_timeline *timeline, size_t frames, struct lt_timeline_progress *ret,
		struct lt_err *err)
{
	struct lt_timeline_walker *walker = &timeline->walker;

	begin(timeline);
	for (; frames > 0 && walker->cursor.next < timeline->settled; frames--) {
		if (!step(timeline, err)) {
			return false;
		}
	}
	ret->done = walker->cursor.next >= timeline->settled;
	ret->share = timeline->settled == 0
			? 1
			: (double)walker->cursor.next / (double)timeline->settled;
	return true;
}

static void write_head(const struct lt_timeline *timeline, struct lt_buf *buf)
{
	lt_buf_printf(buf, "\"complete\":%s,\"end\":%lld",
			timeline->settled == timeline->count ? "true" : "false",
			(long long)timeline->walker.end_s);
}

static void write_list(struct lt_buf *buf, const char *name, const cJSON *list)
{
	lt_buf_printf(buf, ",\"%s\":", name);
	lt_json_print(buf, list, LT_JSON_UTF8);
}

void lt_timeline_write_moments(const struct lt_timeline *timeline, struct lt_buf *buf)
{
	const struct lt_timeline_walker *walker = &timeline->walker;

	write_head(timeline, buf);
	write_list(buf, "flags", walker->flags);
	write_list(buf, "leaders", walker->leaders);
	write_list(buf, "laps", walker->laps);
	write_list(buf, "moments", walker->moments);
}

void lt_timeline_write_messages(const struct lt_timeline *timeline, struct lt_buf *buf)
{
	write_head(timeline, buf);
	write_list(buf, "messages", timeline->walker.messages);
}
