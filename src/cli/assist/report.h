/*
 * What `schedule assist` did or would do, for people and as JSON:
 *
 *   {"actions": [{"step": "add", "title": "...", "start": ms, "end": ms}, ...],
 *    "kept": n, "withoutRule": n, "leftOut": n, "unanswered": n, "failed": n,
 *    "dryRun": bool, "target": "schedule.ics"}
 */
#ifndef LT_CLI_ASSIST_REPORT_H
#define LT_CLI_ASSIST_REPORT_H

#include "cli/assist/plan.h"
#include "cli/cmd.h"

struct lt_assist_report {
	const char *target; /* for people; borrowed */
	bool is_dry;
	/* Source events without an entry, and entries that could not be written. */
	int without_rule, left_out, unanswered, failed;
};

/* Name something that went wrong, at once, and count it. */
void lt_assist_report_failure(struct lt_assist_report *report, const struct lt_cli *cli,
		const char *name, const struct lt_err *err);

void lt_assist_report_print(const struct lt_assist_report *report, struct lt_cli *cli,
		const struct lt_assist_plan *plan);

#endif
