/*
 * Title of a calendar event to a schedule entry: "Name [class]" or
 * "Name [class, arguments]". Arguments are separated by single spaces; a space
 * within one has a backslash before it. The original's rules, with its quirks:
 * a name of one character, or two spaces before the bracket, is refused, two
 * spaces between arguments make an empty one, and text behind the bracket is
 * ignored. Pure. Source: formats, "Summary of an event".
 */
#ifndef LT_CALENDAR_SUMMARY_H
#define LT_CALENDAR_SUMMARY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/service_args.h"
#include "base/str.h"

/* Texts are owned. */
struct lt_summary {
	char *name;
	char *service;       /* class: the plugin */
	struct lt_args args; /* without the class */
	char *masquerade;    /* of -m or --masquerade, the first one; NULL: none */
	bool is_hidden;      /* an argument is --hidden, -H or --private */
};

/*
 * ret    set on success; free with lt_summary_finish
 * Errors     LT_E_FORMAT saying what is missing
 */
bool lt_summary_parse(struct lt_str title, struct lt_summary *ret, struct lt_err *err);
void lt_summary_finish(struct lt_summary *summary);

/* The class under which the service is seen: the masquerade, else the service. Borrowed. */
const char *lt_summary_link(const struct lt_summary *summary);

/*
 * The reverse: append "Name [class, arguments]", which lt_summary_parse reads
 * as the same; masquerade and is_hidden are not looked at (they are arguments).
 *
 * Errors     LT_E_INVALID a name, class or argument that cannot stand in a title: a name with '[',
 *            an argument with ']'
 */
bool lt_summary_write(struct lt_buf *buf, const struct lt_summary *summary, struct lt_err *err);

#endif
