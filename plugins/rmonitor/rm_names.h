/*
 * Names as the operator wants them: renaming rules with regular expressions,
 * and drivers by transponder.
 */
#ifndef LT_RMONITOR_RM_NAMES_H
#define LT_RMONITOR_RM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define RM_NAME_LEN 128

struct rm_rules; /* an ordered list of pairs */

/*
 * Rules "left=right;left=right". With is_pattern each left side is a POSIX
 * extended regular expression, looked for anywhere, and the match is replaced;
 * else it is compared whole and the right side is the result. NULL after
 * writing a sentence to error.
 */
struct rm_rules *rm_rules_create(const char *text, bool is_pattern, char *error, size_t error_size);
void rm_rules_destroy(struct rm_rules *rules);

/* Apply all rules in order to name (RM_NAME_LEN); rules may be NULL. */
void rm_rules_apply(const struct rm_rules *rules, char *name);

/* The right side for a whole left side, NULL when there is none. */
const char *rm_rules_find(const struct rm_rules *rules, const char *left);

/* Copy text into a name, cut between characters when it is too long. */
void rm_name_set(char *name, const char *text);

#endif
