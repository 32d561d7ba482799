#include "calendar/ical.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "calendar/ical_parts.h"
#include "calendar/ical_priv.h"

#define TEXT_MAX_BYTES (16 * 1024 * 1024)
#define PROBLEMS_MAX   1000
#define STEPS_TOTAL    1000000 /* some seconds at worst */

void lt_ical_add_problem(struct lt_ical_builder *builder, const struct lt_ical_event *event,
		const char *sentence)
{
	struct lt_ical_list *list = builder->list;

	if (list->problem_count == PROBLEMS_MAX) {
		return;
	}
	if (!list->problems) {
		list->problems = lt_calloc(PROBLEMS_MAX, sizeof(*list->problems));
	}
	list->problems[list->problem_count++] = (struct lt_ical_problem){
		.uid = lt_strdup(event->uid ? event->uid : ""),
		.name = lt_strdup(event->summary ? event->summary : ""),
		.sentence = lt_strdup(sentence),
	};
}

void lt_ical_list_finish(struct lt_ical_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		lt_ical_event_finish(&list->events[i]);
	}
	for (size_t i = 0; i < list->problem_count; i++) {
		lt_free(list->problems[i].uid);
		lt_free(list->problems[i].name);
		lt_free(list->problems[i].sentence);
	}
	lt_free(list->events);
	lt_free(list->problems);
	lt_free(list->name);
	lt_free(list->zone);
	*list = (struct lt_ical_list){ 0 };
}

/* Ill-formed bytes and NUL become U+FFFD: libical reads terminated texts. */
static void add_clean(struct lt_buf *buf, struct lt_str text)
{
	while (text.n) {
		size_t good = lt_utf8_prefix(text);
		const char *nul = good ? memchr(text.p, '\0', good) : NULL;

		good = nul ? (size_t)(nul - text.p) : good;
		lt_buf_add(buf, text.p, good);
		text = lt_str_skip(text, good);
		if (text.n) {
			lt_buf_add_utf8(buf, 0xFFFD);
			text = lt_str_skip(text, 1);
		}
	}
}

/* --- components --- */

struct components {
	struct lt_ical_component *v;
	size_t n;
};

static icalcomponent *parse_part(const struct lt_ical_part *part)
{
	icalcomponent *ical = icalparser_parse_string(part->text.p);

	if (ical &&
			icalcomponent_isa(ical) !=
					(part->is_zone ? ICAL_VTIMEZONE_COMPONENT
						       : ICAL_VEVENT_COMPONENT)) {
		icalcomponent_free(ical);
		return NULL;
	}
	return ical;
}

/* Of a part that is broken, as much as can be told of it. */
static void report_flaw(struct lt_ical_builder *builder, icalcomponent *ical, const char *flaw)
{
	const char *uid = ical ? icalcomponent_get_uid(ical) : NULL;
	const char *summary = ical ? icalcomponent_get_summary(ical) : NULL;
	struct lt_ical_event event = { 0 };

	event.uid = lt_strdup(uid ? uid : "");
	event.summary = lt_strdup(summary ? summary : "");
	lt_ical_add_problem(builder, &event, flaw);
	lt_ical_event_finish(&event);
}

static void read_event(struct lt_ical_builder *builder, const struct lt_ical_part *part,
		struct components *components)
{
	icalcomponent *ical = parse_part(part);
	struct lt_ical_component *component = &components->v[components->n];

	if (part->flaw || !ical) {
		report_flaw(builder, ical, part->flaw ? part->flaw : "it cannot be read");
		if (ical) {
			icalcomponent_free(ical);
		}
		return;
	}
	if (lt_ical_component_read(builder, ical, component)) {
		component->index = components->n++;
	} else {
		lt_ical_component_finish(component);
	}
}

static void read_parts(struct lt_ical_builder *builder, const struct lt_ical_parts *parts,
		struct components *components)
{
	for (size_t i = 0; i < parts->n; i++) { /* zones first: they may stand behind events */
		if (parts->v[i].is_zone && !parts->v[i].flaw) {
			icalcomponent *ical = parse_part(&parts->v[i]);

			if (ical) {
				lt_ical_zones_add(builder->zones, ical, builder->opts->until_s);
				icalcomponent_free(ical);
			}
		}
	}
	for (size_t i = 0; i < parts->n; i++) {
		if (!parts->v[i].is_zone) {
			read_event(builder, &parts->v[i], components);
		}
	}
}

static int by_uid(const void *a, const void *b)
{
	const struct lt_ical_component *x = a, *y = b;
	int order = strcmp(x->event.uid, y->event.uid);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_start(const void *a, const void *b)
{
	const struct lt_ical_event *x = a, *y = b;

	return x->start_s != y->start_s ? (x->start_s < y->start_s ? -1 : 1)
					: strcmp(x->uid, y->uid);
}

static void expand_all(struct lt_ical_builder *builder, struct components *components)
{
	struct lt_ical_list *list = builder->list;

	if (components->n) {
		qsort(components->v, components->n, sizeof(*components->v), by_uid);
	}
	for (size_t i = 0, n; i < components->n; i += n) {
		for (n = 1; i + n < components->n; n++) {
			if (strcmp(components->v[i].event.uid, components->v[i + n].event.uid) !=
					0) {
				break;
			}
		}
		lt_ical_expand(builder, &components->v[i], n);
	}
	if (list->n) {
		qsort(list->events, list->n, sizeof(*list->events), by_start);
	}
}

bool lt_ical_read(struct lt_str text, const struct lt_ical_opts *opts,
		struct lt_ical_list *ret_list, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf clean = { 0 };
	struct lt_ical_parts parts;
	struct lt_ical_list list = { 0 };
	struct lt_ical_builder builder = { .opts = opts, .list = &list, .steps_left = STEPS_TOTAL };
	struct components components = { 0 };

	if (text.n > TEXT_MAX_BYTES) {
		return lt_err_set(err, LT_E_LIMIT, "the calendar has more than %d bytes",
				TEXT_MAX_BYTES);
	}
	add_clean(&clean, text);
	if (!lt_ical_parts_read(lt_buf_str(&clean), &parts, err)) {
		return false;
	}
	list.name = lt_strdup(parts.name ? parts.name : "");
	list.zone = lt_strdup(parts.zone ? parts.zone : "");
	builder.zones = lt_ical_zones_create(opts->zone_dir, opts->local_zone, parts.zone);
	components.v = lt_calloc(parts.n + 1, sizeof(*components.v));
	read_parts(&builder, &parts, &components);
	expand_all(&builder, &components);
	for (size_t i = 0; i < components.n; i++) {
		lt_ical_component_finish(&components.v[i]);
	}
	lt_free(components.v);
	lt_ical_zones_destroy(builder.zones);
	lt_ical_parts_finish(&parts);
	*ret_list = list;
	return true;
}
