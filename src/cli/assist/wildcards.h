/*
 * Wildcards of rules, filled in by a person at the terminal, or by what was
 * said in an earlier run. Without a person (silent, or when the input ends)
 * open questions are listed.
 *
 * Answers: to "which service" a service, with arguments as in a rule when there
 * are some; to an argument a value; to both nothing for what is offered in
 * brackets, or "-" to leave the event out for good.
 */
#ifndef LT_CLI_ASSIST_WILDCARDS_H
#define LT_CLI_ASSIST_WILDCARDS_H

#include <stdio.h>

#include "calendar/ical.h"
#include "cli/assist/answers.h"
#include "cli/assist/rules.h"
#include "cli/cmd.h"

struct lt_wildcards {
	struct lt_cli *cli; /* questions are asked on its err */
	FILE *in;
	struct lt_answers answers;
	bool is_silent;
	bool has_failed; /* answers could not be kept: why is in err */
	struct lt_err err;
};

enum lt_filled {
	LT_FILLED,
	LT_FILLED_LEFT_OUT, /* by the rule or by an answer */
	LT_FILLED_NOT,      /* something is not answered */
};

/*
 * The service and arguments of a rule for one event. Blocks on the terminal.
 *
 * ret    set when filled, even when left out; end with lt_assist_rule_finish
 */
enum lt_filled lt_wildcards_fill(struct lt_wildcards *wildcards, const struct lt_ical_event *event,
		const struct lt_assist_rule *rule, struct lt_assist_rule *ret);

#endif
