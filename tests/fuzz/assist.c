/*
 * schedule assist: rules, and behind a line of its own ("--") a calendar in
 * which entries are written. Titles that rules make are read again; events of
 * others stay.
 */
#include "calendar/summary.h"
#include "cli/assist/ics_target.h"
#include "cli/assist/rules.h"
#include "fuzz.h"

#define NOW    1800000000
#define SOURCE "0123456789abcdef"

static void check_rules(struct lt_str text)
{
	struct lt_assist_rules rules;

	if (!lt_assist_rules_parse(text, &rules, NULL)) {
		return;
	}
	for (size_t i = 0; i < rules.n; i++) {
		char summary[] = "Race [one] #wec", none[] = "";
		const struct lt_ical_event event = { .summary = summary, .description = none };
		char *name = lt_assist_name(summary, &rules.at[i]);

		assert(name[0] && !strchr(name, '[') && rules.at[i].tag[0] &&
				rules.at[i].service[0]);
		lt_assist_rule_for(&rules, &event);
		lt_free(name);
	}
	lt_assist_rules_finish(&rules);
}

/* Occurrences that are not ours. */
static size_t count_others(struct lt_str text)
{
	const struct lt_ical_opts opts = { .from_s = 0, .until_s = INT32_MAX };
	struct lt_ical_list list;
	size_t n = 0;

	if (!lt_ical_read(text, &opts, &list, NULL)) {
		return 0;
	}
	for (size_t i = 0; i < list.n; i++) {
		n += !lt_assist_is_id(lt_str_from(list.events[i].uid));
	}
	lt_ical_list_finish(&list);
	return n;
}

static void check_target(struct lt_str text)
{
	LT_AUTO(lt_buf_finish) struct lt_buf first = { 0 }, second = { 0 };
	struct lt_assist_entries old, wanted = { 0 }, again;
	struct lt_assist_plan plan;
	struct lt_assist_plan_opts opts = { &old, &wanted, NULL, SOURCE, NOW };
	char id[LT_ENTRY_ID_TEXT];

	if (!lt_ics_target_read(text, &old, NULL)) {
		return;
	}
	lt_assist_entry_id("fuzz", 0, id);
	memcpy(lt_assist_add(&wanted, id, "Race [x]", NOW + 5, NOW + 9)->source, SOURCE,
			sizeof(SOURCE));
	lt_assist_plan(&opts, &plan);
	lt_ics_target_write(&first, text, &plan, NOW);
	assert(count_others(lt_buf_str(&first)) == count_others(text));
	lt_assist_plan_finish(&plan);
	/* what was written is found again, and a second run has nothing to do */
	assert(lt_ics_target_read(lt_buf_str(&first), &again, NULL));
	opts.old = &again;
	if (lt_assist_find(&again, id)) {
		lt_assist_plan(&opts, &plan);
		for (size_t i = 0; i < plan.n; i++) {
			assert(plan.at[i].step != LT_ASSIST_ADD);
		}
		lt_ics_target_write(&second, lt_buf_str(&first), &plan, NOW);
		lt_assist_plan_finish(&plan);
	}
	lt_assist_entries_finish(&again);
	lt_assist_entries_finish(&wanted);
	lt_assist_entries_finish(&old);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_str text = fuzz_text(bytes, n);
	const char *cut = n ? memmem(bytes, n, "\n--\n", 4) : NULL;

	if (cut) {
		check_rules((struct lt_str){ text.p, (size_t)(cut - text.p) });
		check_target(lt_str_skip(text, (size_t)(cut - text.p) + 4));
	} else {
		check_rules(text);
	}
	return 0;
}
