/* A calendar: whatever it holds, the list keeps its promises, and what is written of it is read. */
#include "calendar/ics_writer.h"
#include "calendar/summary.h"
#include "fuzz.h"

static void check_title(const char *title)
{
	LT_AUTO(lt_buf_finish) struct lt_buf again = { 0 };
	struct lt_summary summary;

	if (lt_summary_parse(lt_str_from(title), &summary, NULL)) {
		lt_summary_write(&again, &summary, NULL);
		lt_summary_finish(&summary);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_ical_opts opts = { .from_s = 1767225600,
		.until_s = 1798761600,
		.local_zone = "CET-1CEST,M3.5.0,M10.5.0/3",
		.zone_dir = "/nonexistent" };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_ical_list list, again;

	if (!lt_ical_read((struct lt_str){ (const char *)bytes, n }, &opts, &list, NULL)) {
		return 0;
	}
	for (size_t i = 0; i < list.n; i++) {
		const struct lt_ical_event *event = &list.events[i];

		assert(event->uid[0] && event->end_s >= event->start_s);
		assert(event->start_s < opts.until_s && event->end_s >= opts.from_s);
		assert(i == 0 || event->start_s >= list.events[i - 1].start_s);
		assert(lt_utf8_valid(lt_str_from(event->summary)));
		check_title(event->summary);
	}
	lt_ics_write(&text, list.events, list.n, &(struct lt_ics_opts){ .stamp_s = opts.from_s });
	assert(lt_ical_read(lt_buf_str(&text), &opts, &again, NULL));
	lt_ical_list_finish(&again);
	lt_ical_list_finish(&list);
	return 0;
}
