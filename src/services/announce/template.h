/*
 * Templates of messages and links, and fitting a message into a network's
 * length. Pure.
 *
 *   Starting now: {name}. Follow live at {link}
 *
 * {name} the event, {service} its service class (or what it is shown as),
 * {start} "2026-05-16 13:00 UTC", {site} the site's address, {link} the link
 * (not in the template of the link itself, where values are percent-encoded).
 * "{{" and "}}" are braces.
 */
#ifndef LT_SERVICES_ANNOUNCE_TEMPLATE_H
#define LT_SERVICES_ANNOUNCE_TEMPLATE_H

#include "base/clock.h"
#include "base/str.h"

/* Borrowed texts in UTF-8. */
struct lt_template_values {
	struct lt_str name, service, site, link;
	struct lt_wall start;
};

/* LT_E_INVALID names the placeholder that is unknown, or the brace that is alone. */
bool lt_template_check(struct lt_str text, bool is_link, struct lt_err *err);

/* The template passed its check. */
void lt_template_message(
		struct lt_buf *buf, struct lt_str text, const struct lt_template_values *values);
void lt_template_link(
		struct lt_buf *buf, struct lt_str text, const struct lt_template_values *values);

/*
 * The message in at most `max` of what `length` counts (0: any length). What is
 * too long loses the end of the name, with an ellipsis, at a word's end where
 * one is near; when that is not enough, the text before the link; the link at
 * last.
 */
void lt_template_fit(struct lt_buf *buf, struct lt_str text,
		const struct lt_template_values *values, size_t max,
		size_t (*length)(struct lt_str text));

#endif
