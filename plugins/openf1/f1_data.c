#include <stdlib.h>
#include <string.h>

#include "f1_int.h"

struct f1_data *f1_data_create(void)
{
	return calloc(1, sizeof(struct f1_data));
}

void f1_data_destroy(struct f1_data *data)
{
	if (data != NULL) {
		free(data->laps);
		free(data->stints);
		free(data->events);
		free(data->texts);
		free(data);
	}
}

/* Room for one more; false: none is left. */
static bool need(void **list, size_t count, size_t *room, size_t size, size_t max)
{
	size_t wanted = *room == 0 ? 64 : *room * 2;
	void *grown;

	if (count < *room) {
		return true;
	}
	wanted = wanted > max ? max : wanted;
	if (count >= wanted || (grown = realloc(*list, wanted * size)) == NULL) {
		return false;
	}
	*list = grown;
	*room = wanted;
	return true;
}

bool f1_add_lap(struct f1_data *data, const struct f1_lap *lap)
{
	void *list = data->laps;
	bool ok = need(&list, data->lap_count, &data->lap_room, sizeof(*lap), F1_LAPS_MAX);

	data->laps = list;
	if (ok) {
		data->laps[data->lap_count++] = *lap;
	}
	return ok;
}

bool f1_add_stint(struct f1_data *data, const struct f1_stint *stint)
{
	void *list = data->stints;
	bool ok = need(&list, data->stint_count, &data->stint_room, sizeof(*stint), F1_STINTS_MAX);

	data->stints = list;
	if (ok) {
		data->stints[data->stint_count++] = *stint;
	}
	return ok;
}

bool f1_add_event(struct f1_data *data, const struct f1_event *event)
{
	void *list = data->events;
	bool ok = need(&list, data->event_count, &data->event_room, sizeof(*event), F1_EVENTS_MAX);

	data->events = list;
	if (ok) {
		data->events[data->event_count++] = *event;
	}
	return ok;
}

uint32_t f1_add_text(struct f1_data *data, struct lt_str text)
{
	size_t at = data->texts_n == 0 ? 1 : data->texts_n;
	size_t wanted = data->texts_room == 0 ? 4096 : data->texts_room;
	char *grown;

	while (wanted < at + text.n + 1) {
		wanted *= 2;
	}
	if (text.n == 0 || wanted > F1_TEXTS_MAX) {
		return 0;
	}
	if (wanted != data->texts_room) {
		grown = realloc(data->texts, wanted);
		if (grown == NULL) {
			return 0;
		}
		data->texts = grown;
		data->texts_room = wanted;
	}
	data->texts[0] = '\0';
	memcpy(data->texts + at, text.p, text.n);
	data->texts[at + text.n] = '\0';
	data->texts_n = at + text.n + 1;
	return (uint32_t)at;
}

/* --- laps to events --- */

static int by_driver_and_lap(const void *a, const void *b)
{
	const struct f1_lap *left = a, *right = b;
	int order = (left->driver > right->driver) - (left->driver < right->driver);

	return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

/* What a later row of the same lap knows better. */
static void take_over(struct f1_lap *lap, const struct f1_lap *newer)
{
	lap->start_ms = newer->start_ms != F1_NO_DATE ? newer->start_ms : lap->start_ms;
	lap->ms = newer->ms != F1_NONE ? newer->ms : lap->ms;
	for (size_t i = 0; i < 3; i++) {
		lap->sector[i] = newer->sector[i] != F1_NONE ? newer->sector[i] : lap->sector[i];
	}
}

/* One row for each lap. Rows of a lap stay in their order: the array is short and nearly sorted. */
static void merge_laps(struct f1_data *data)
{
	size_t kept = 0;

	for (size_t i = 0; i < data->lap_count; i++) {
		data->laps[i].end_ms = (int64_t)i; /* where it stood */
	}
	/* qsort is not stable: equal ones are put in order by where they stood */
	qsort(data->laps, data->lap_count, sizeof(*data->laps), by_driver_and_lap);
	for (size_t i = 0; i < data->lap_count; i++) {
		struct f1_lap *lap = &data->laps[i];
		struct f1_lap *last = kept > 0 ? &data->laps[kept - 1] : NULL;

		if (last == NULL || by_driver_and_lap(last, lap) != 0) {
			data->laps[kept++] = *lap;
			continue;
		}
		data->counts.repeated++;
		if (lap->end_ms > last->end_ms) {
			take_over(last, lap);
			last->end_ms = lap->end_ms;
		} else {
			struct f1_lap older = *lap;

			take_over(&older, last);
			older.end_ms = last->end_ms;
			*last = older;
		}
	}
	data->lap_count = kept;
}

static bool follows(const struct f1_lap *next, const struct f1_lap *lap)
{
	return next->driver == lap->driver && next->number == lap->number + 1;
}

/* When laps began and ended, as far as one can tell. */
static void place_laps(struct f1_data *data)
{
	for (size_t i = 0; i < data->lap_count; i++) {
		struct f1_lap *lap = &data->laps[i];
		const struct f1_lap *before = i > 0 && follows(lap, lap - 1) ? lap - 1 : NULL;
		const struct f1_lap *next =
				i + 1 < data->lap_count && follows(lap + 1, lap) ? lap + 1 : NULL;
		int64_t next_ms = next != NULL ? next->start_ms : F1_NO_DATE;

		if (lap->start_ms == F1_NO_DATE && before != NULL) {
			lap->start_ms = before->end_ms;
		}
		if (lap->start_ms == F1_NO_DATE && next_ms != F1_NO_DATE && lap->ms != F1_NONE) {
			lap->start_ms = next_ms - lap->ms;
		}
		lap->end_ms = lap->start_ms != F1_NO_DATE && lap->ms != F1_NONE
				? lap->start_ms + lap->ms
				: next_ms;
	}
}

static void add_sectors(struct f1_data *data, const struct f1_lap *lap)
{
	int64_t at_ms = lap->start_ms;

	for (int32_t i = 0; i < 3; i++) {
		int32_t ms = lap->sector[i];
		struct f1_event event = { .kind = F1_EV_SECTOR,
			.driver = lap->driver,
			.n = lap->number,
			.v = { i + 1, ms } };

		at_ms = at_ms != F1_NO_DATE && ms != F1_NONE ? at_ms + ms : F1_NO_DATE;
		/* The last one ends with the lap; so do those whose moment nobody can tell. */
		event.at_ms = i < 2 && at_ms != F1_NO_DATE && at_ms < lap->end_ms ? at_ms
										  : lap->end_ms;
		if (ms != F1_NONE && event.at_ms != F1_NO_DATE) {
			f1_add_event(data, &event);
		}
	}
}

/* Sectors of a lap that was never finished. */
static void add_unfinished(struct f1_data *data, struct f1_lap lap)
{
	if (lap.start_ms != F1_NO_DATE && lap.sector[0] != F1_NONE) {
		lap.end_ms = INT64_MAX;
		lap.sector[2] = F1_NONE;
		lap.sector[1] = lap.sector[0] != F1_NONE ? lap.sector[1] : F1_NONE;
		add_sectors(data, &lap);
	}
}

static void add_laps(struct f1_data *data)
{
	for (size_t i = 0; i < data->lap_count; i++) {
		const struct f1_lap *lap = &data->laps[i];

		if (lap->end_ms == F1_NO_DATE) {
			data->counts.damaged += lap->ms != F1_NONE;
			add_unfinished(data, *lap);
			continue;
		}
		add_sectors(data, lap);
		f1_add_event(data,
				&(struct f1_event){ .at_ms = lap->end_ms,
						.kind = F1_EV_LAP,
						.driver = lap->driver,
						.n = lap->number,
						.v = { lap->ms } });
	}
}

/* --- all in order --- */

static int by_time(const void *a, const void *b)
{
	const struct f1_event *left = a, *right = b;

	if (left->at_ms != right->at_ms) {
		return left->at_ms < right->at_ms ? -1 : 1;
	}
	if (left->kind != right->kind) {
		return left->kind < right->kind ? -1 : 1;
	}
	if (left->driver != right->driver) {
		return left->driver < right->driver ? -1 : 1;
	}
	if (left->n != right->n) {
		return left->n < right->n ? -1 : 1;
	}
	return memcmp(left->v, right->v, sizeof(left->v));
}

static bool is_same_event(
		const struct f1_data *data, const struct f1_event *a, const struct f1_event *b)
{
	return by_time(a, b) == 0 && strcmp(f1_text(data, a->text), f1_text(data, b->text)) == 0;
}

static void sort_events(struct f1_data *data)
{
	size_t kept = 0;

	qsort(data->events, data->event_count, sizeof(*data->events), by_time);
	for (size_t i = 0; i < data->event_count; i++) {
		if (kept > 0 && is_same_event(data, &data->events[kept - 1], &data->events[i])) {
			data->counts.repeated++;
		} else {
			data->events[kept++] = data->events[i];
		}
	}
	data->event_count = kept;
}

void f1_finish(struct f1_data *data)
{
	if (data->lap_count > 0) {
		merge_laps(data);
		place_laps(data);
		add_laps(data);
	}
	if (data->event_count > 0) {
		sort_events(data);
	}
}

/* --- what was read --- */

const struct f1_session *f1_session(const struct f1_data *data)
{
	return &data->session;
}

const struct f1_driver *f1_drivers(const struct f1_data *data, size_t *ret_n)
{
	*ret_n = data->driver_count;
	return data->drivers;
}

const struct f1_event *f1_events(const struct f1_data *data, size_t *ret_n)
{
	*ret_n = data->event_count;
	return data->events;
}

const char *f1_text(const struct f1_data *data, uint32_t text)
{
	return text > 0 && text < data->texts_n ? data->texts + text : "";
}

const struct f1_stint *f1_stint(const struct f1_data *data, int32_t driver, int32_t lap)
{
	const struct f1_stint *found = NULL;

	for (size_t i = 0; i < data->stint_count; i++) {
		const struct f1_stint *stint = &data->stints[i];

		if (stint->driver == driver && stint->lap_start <= lap &&
				(found == NULL || stint->lap_start >= found->lap_start)) {
			found = stint;
		}
	}
	return found;
}

struct f1_counts f1_counts(const struct f1_data *data)
{
	return data->counts;
}
