/*
 * Settings: environment variables, and a dotenv file in which they can stand
 * as well (comments, export, single and double quotes; the process environment
 * wins). Every known name is declared in one table (conf.c for the
 * daemon); the rest of the LIVETIMING_ namespace is reported as unknown, with
 * file and line. No module calls getenv.
 */
#ifndef LT_BASE_CONF_H
#define LT_BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lt_conf;

/* One declared setting. Tables end with a NULL name. */
struct lt_conf_key {
	const char *name;          /* LIVETIMING_LISTEN */
	const char *default_value; /* NULL: unset */
	const char *help;          /* one line */
	bool secret;               /* never printed */
	/* NULL, or a check of the value: false and err for a bad one. */
	bool (*check)(struct lt_str value, struct lt_err *err);
};

struct lt_conf *lt_conf_create(const struct lt_conf_key *keys);
void lt_conf_destroy(struct lt_conf *conf);

/* Read a dotenv file: syntax errors name file and line. */
bool lt_conf_load_file(struct lt_conf *conf, const char *path, struct lt_err *err);

/* Take over the process environment (environ), which wins over files loaded before or after. */
void lt_conf_load_environment(struct lt_conf *conf, char *const *environment);

/* The file livetiming.env in dir or the nearest directory above it, owned; NULL if there is none.
 */
char *lt_conf_find_file(const char *dir);

/*
 * Check all values and names; calls report for each problem with a whole
 * sentence ("livetiming.env:12: LIVETIMING_LISTNE: unknown setting (did you
 * mean LIVETIMING_LISTEN?)"). Returns how many were errors (unknown names are warnings).
 */
int lt_conf_check(const struct lt_conf *conf,
		void (*report)(void *arg, bool is_error, const char *sentence), void *arg);

/* Value or the declared default or NULL; borrowed until the conf goes or is reloaded. An empty
 * value is unset. */
const char *lt_conf_get(const struct lt_conf *conf, const char *name);

/* Where a value came from, for --check-config: "default", "environment", "livetiming.env:12". */
const char *lt_conf_origin(const struct lt_conf *conf, const char *name);

#endif
