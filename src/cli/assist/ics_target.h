/*
 * The schedule in an .ics file: entries of `schedule assist` beside events of
 * others, which stay as they are, byte for byte. An entry that changes keeps
 * its place and the lines that somebody added to it (a place, an alarm). One
 * that somebody cancelled or let repeat counts as edited by hand. Pure.
 */
#ifndef LT_CLI_ASSIST_ICS_TARGET_H
#define LT_CLI_ASSIST_ICS_TARGET_H

#include "base/err.h"
#include "cli/assist/plan.h"

/*
 * Our entries in the text of a calendar; the empty text has none.
 *
 * Errors     LT_E_FORMAT no calendar, or one so broken that writing it could lose something
 */
bool lt_ics_target_read(struct lt_str text, struct lt_assist_entries *ret, struct lt_err *err);

/*
 * Append the calendar after a plan; new entries stand at the end.
 *
 * text   as it was read, without error; empty: a new calendar
 */
void lt_ics_target_write(struct lt_buf *buf, struct lt_str text, const struct lt_assist_plan *plan,
		int64_t now_s);

#endif
