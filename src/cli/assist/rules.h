/*
 * Rules of `schedule assist`: which events of a source calendar become entries
 * of the schedule, and as what.
 *
 *   # tag = service[, arguments]
 *   wec = rmonitor, --host 10.0.0.5 --session race
 *   club = rmonitor, --host * --description {title}
 *   open day = *
 *   social = -
 *   * = simulator, --hidden
 *
 * A tag fits an event that has it among its categories, or as "#tag" (blanks as
 * '-' or '_') in its title or description; letter case does not matter; the tag
 * "*" fits every event. The first rule that fits counts. Service and arguments
 * may be "*": asked for, for each source event, and remembered. The service "-"
 * leaves the event out. {title} is the name of the entry. Arguments are split
 * as a shell would. Pure.
 */
#ifndef LT_CLI_ASSIST_RULES_H
#define LT_CLI_ASSIST_RULES_H

#include "base/err.h"
#include "base/service_args.h"
#include "calendar/ical.h"

#define LT_RULES_MAX     500
#define LT_RULE_ANY      "*" /* tag, service or argument */
#define LT_RULE_LEFT_OUT "-" /* service */

struct lt_assist_rule {
	char *tag; /* NULL in one that is no line of a file */
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

/*
 * "service[, arguments]", what stands behind the tag. On success end with finish.
 * Errors: LT_E_FORMAT, also for what cannot stand in the title of an entry.
 */
bool lt_assist_rule_parse(struct lt_str text, struct lt_assist_rule *ret, struct lt_err *err);
void lt_assist_rule_finish(struct lt_assist_rule *rule);

/* The rule for an event, or NULL. Borrowed. */
const struct lt_assist_rule *lt_assist_rule_for(
		const struct lt_assist_rules *rules, const struct lt_ical_event *event);

/*
 * Name of the entry: the title without the "#tag" of the rule, blanks put
 * together, with ( ) for [ ], which would end it. Owned; never NULL.
 */
char *lt_assist_name(const char *title, const struct lt_assist_rule *rule);

#endif
