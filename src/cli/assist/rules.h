/*
 * Rules of `schedule assist`: which events of a source calendar become entries
 * of the schedule, and as what.
 *
 *   # tag = service[, arguments]
 *   wec = rmonitor, --host 10.0.0.5 --session race
 *   club = rmonitor, --host * --description {title}
 *   open day = *
 *   * = simulator, --hidden
 *
 * A tag fits an event that has it among its categories, or as "#tag" (blanks as
 * '-' or '_') in its title or description; letter case does not matter; the tag
 * "*" fits every event. The first rule that fits counts. Service and arguments
 * may be "*": asked for, for each source event, and remembered. {title} is the
 * title of the event. Arguments are split as a shell would. Pure.
 */
#ifndef LT_CLI_ASSIST_RULES_H
#define LT_CLI_ASSIST_RULES_H

#include "base/err.h"
#include "base/service_args.h"
#include "calendar/ical.h"

#define LT_RULES_MAX 500

struct lt_assist_rule {
	char *tag;
	char *service;
	struct lt_args args;
};

/* Owned; zero-initialised is empty. */
struct lt_assist_rules {
	struct lt_assist_rule *at;
	size_t n;
};

/* Errors: LT_E_FORMAT with the number of the line. */
bool lt_assist_rules_parse(struct lt_str text, struct lt_assist_rules *ret, struct lt_err *err);
void lt_assist_rules_finish(struct lt_assist_rules *rules);

/* The rule for an event, or NULL. Borrowed. */
const struct lt_assist_rule *lt_assist_rule_for(
		const struct lt_assist_rules *rules, const struct lt_ical_event *event);

#endif
