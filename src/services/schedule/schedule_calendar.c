#include "services/schedule/schedule_calendar.h"

#include "base/alloc.h"
#include "calendar/ical.h"
#include "calendar/summary.h"

#define EVENTS_MAX      2000 /* what the loop handles in a few milliseconds */
#define PROBLEMS_MAX    1000
#define TITLE_MAX_BYTES 1000
#define NAME_MAX_BYTES  200 /* of a problem */

static struct lt_str cut(struct lt_str text)
{
	text.n = LT_MIN(text.n, NAME_MAX_BYTES);
	text.n = lt_utf8_prefix(text); /* not within a character */
	return text;
}

static void add_problem(struct lt_schedule_calendar *calendar, const char *name, int64_t start_s,
		const char *sentence)
{
	if (calendar->problem_count == PROBLEMS_MAX) {
		return;
	}
	if (!calendar->problems) {
		calendar->problems = lt_calloc(PROBLEMS_MAX, sizeof(*calendar->problems));
	}
	calendar->problems[calendar->problem_count++] =
			(struct lt_schedule_problem){ lt_str_dup(cut(lt_str_from(name))), start_s,
				lt_strdup(sentence) };
}

static void add_event(struct lt_schedule_calendar *calendar, const struct lt_ical_event *event)
{
	struct lt_summary summary;
	struct lt_err err = { 0 };

	if (strlen(event->summary) > TITLE_MAX_BYTES) {
		lt_err_set(&err, LT_E_LIMIT, "a title of more than %d bytes", TITLE_MAX_BYTES);
		add_problem(calendar, event->summary, event->start_s, err.msg);
		return;
	}
	if (!lt_summary_parse(lt_str_from(event->summary), &summary, &err)) {
		add_problem(calendar, event->summary, event->start_s, err.msg);
		return;
	}
	calendar->events[calendar->n++] = (struct lt_schedule_event){
		.uid = lt_strdup(event->uid),
		.start_s = event->start_s,
		.end_s = event->end_s,
		.recurrence_s = event->is_recurring ? event->recurrence_s : 0,
		.name = LT_STEAL(summary.name),
		.service = LT_STEAL(summary.service),
		.link = summary.masquerade ? LT_STEAL(summary.masquerade) : NULL,
		.args = summary.args,
		.is_hidden = summary.is_hidden,
	};
	summary.args = (struct lt_args){ 0 };
	struct lt_schedule_event *added = &calendar->events[calendar->n - 1];

	added->link = added->link ? added->link : lt_strdup(added->service);
	lt_summary_finish(&summary);
}

bool lt_schedule_calendar_read(struct lt_str text, int64_t now_s, const char *local_zone,
		struct lt_schedule_calendar *ret_calendar, struct lt_err *err)
{
	struct lt_schedule_calendar calendar = { 0 };
	struct lt_ical_list list;

	if (!lt_ical_read(text,
			    &(struct lt_ical_opts){
					    .from_s = now_s - LT_SCHEDULE_PAST_S,
					    .until_s = now_s + LT_SCHEDULE_FUTURE_S,
					    .local_zone = local_zone,
			    },
			    &list, err)) {
		return false;
	}
	calendar.events = lt_calloc(list.n + 1, sizeof(*calendar.events));
	size_t i = 0;

	for (; i < list.n && calendar.n < EVENTS_MAX; i++) {
		if (!list.events[i].is_cancelled) {
			add_event(&calendar, &list.events[i]);
		}
	}
	if (i < list.n) {
		add_problem(&calendar, "", 0, "too many events: the later ones are left out");
	}
	for (i = 0; i < list.problem_count; i++) {
		add_problem(&calendar,
				list.problems[i].name[0] ? list.problems[i].name
							 : list.problems[i].uid,
				0, list.problems[i].sentence);
	}
	lt_ical_list_finish(&list);
	*ret_calendar = calendar;
	return true;
}

void lt_schedule_calendar_finish(struct lt_schedule_calendar *calendar)
{
	for (size_t i = 0; i < calendar->n; i++) {
		lt_schedule_event_finish(&calendar->events[i]);
	}
	for (size_t i = 0; i < calendar->problem_count; i++) {
		lt_free(calendar->problems[i].name);
		lt_free(calendar->problems[i].sentence);
	}
	lt_free(calendar->events);
	lt_free(calendar->problems);
	*calendar = (struct lt_schedule_calendar){ 0 };
}
