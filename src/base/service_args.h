/*
 * Command line of a timing service, as the original's service program takes it:
 *
 *   CLASS [options] [plugin options]
 *
 * Long options may be abbreviated and have their value attached
 * (--description=x), short ones joined (-vHN) with the last one's value
 * attached (-dfoo). Arguments that are not of the service are left to the
 * plugin, in order. -s, -r, -d and -m without a value stay unset. Pure; knows
 * no timing. Used by the daemon and by livetimingctl.
 */
#ifndef LT_BASE_SERVICE_ARGS_H
#define LT_BASE_SERVICE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Owned list of terminated texts; zero-initialised is empty. */
struct lt_args {
	char **v;
	size_t n;
};

void lt_args_add(struct lt_args *args, struct lt_str text);
void lt_args_finish(struct lt_args *args);
bool lt_args_equal(const struct lt_args *a, const struct lt_args *b);
/* Deep copy into an empty list. */
void lt_args_dup(struct lt_args *ret_args, const struct lt_args *args);

/*
 * Split a command line as a shell would: spaces separate, single and double
 * quotes group, a backslash outside single quotes takes the next character as
 * it is. Nothing is expanded. Adds to args.
 *
 * Errors     LT_E_FORMAT an open quote or a backslash at the end
 */
bool lt_args_split(struct lt_args *args, struct lt_str line, struct lt_err *err);

/* "simulator --seed 71" with quotes where needed; appended to buf. */
void lt_args_join(struct lt_buf *buf, const struct lt_args *args);

/* Texts are owned; NULL: not given. */
struct lt_service_args {
	char *service_class;
	char *initial_state, *recording_file, *description, *masquerade, *uuid;
	/* Raw captures: the input is recorded to, or comes from, such a file, raw_speed times as
	 * fast. */
	char *record_raw, *replay_raw;
	double raw_speed; /* of --speed, which is the plugin's own without --replay-raw; else 1 */
	bool verbose, debug, disable_analysis, hidden, do_not_record, standalone, no_write_state,
			upnp, is_private, isolated;
	struct lt_args extra; /* for the plugin, in order */
};

/*
 * args       without a program name; borrowed
 * ret_args   set on success; free with lt_service_args_finish
 * Errors     LT_E_INVALID no class; an ambiguous abbreviation; a value where none belongs;
 *            --uuid without a value
 */
bool lt_service_args_parse(
		const struct lt_args *args, struct lt_service_args *ret_args, struct lt_err *err);
void lt_service_args_finish(struct lt_service_args *args);

/* The options with their help, for usage texts: the i-th, or NULL behind the last. */
struct lt_service_option {
	char letter; /* 0: none */
	const char *name;
	const char *value; /* placeholder of its value; NULL: takes none */
	const char *help;
};
const struct lt_service_option *lt_service_option_at(size_t i);

#endif
