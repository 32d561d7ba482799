/*
 * Inside of the conformance test: the board that the child of a check writes
 * and the parent reads, and the one instance of a plugin under test.
 */
#ifndef LT_SERVICES_PLUGIN_CHECK_PRIV_H
#define LT_SERVICES_PLUGIN_CHECK_PRIV_H

#include <stdatomic.h>

#include "services/check/plugin_check.h"
#include "services/check/plugin_check_damage.h"
#include "services/check/plugin_check_state.h"
#include "services/plugin/plugin_host.h"
#include "services/plugin/raw_input.h"

#define LT_CHECK_TEXT     400
#define LT_CHECK_FINDINGS 12

/* More than the budget is worth a warning, this a failure. */
#define LT_CHECK_BLOCKED_US 100000

struct lt_check_finding {
	uint32_t verdict; /* enum lt_check_verdict */
	char text[LT_CHECK_TEXT];
};
struct lt_check_findings {
	uint32_t n; /* those beyond LT_CHECK_FINDINGS are not kept */
	struct lt_check_finding list[LT_CHECK_FINDINGS];
};

/* In memory that both processes share; texts of a child that died may be cut. */
struct lt_check_board {
	_Atomic uint32_t call; /* counts up at each end of a call; odd: in one */
	char what[48];         /* that call, or the latest */
	char doing[120];       /* "" or what the check is about, for the report of a death */
	uint32_t is_done, was_started; /* an instance was */
	char summary[LT_CHECK_TEXT];
	char name[64], version[64];
	struct lt_check_findings own, states, api, waits;
	uint64_t calls, slow_calls, state_count;
	int64_t slowest_us;
	char slowest[48];
};

/* What the child of a check works with. */
struct lt_check {
	const struct lt_check_opts *opts;
	struct lt_check_board *board;
	const char *dir;                    /* for temporary files */
	const struct lt_check_pieces *feed; /* what its input says; never empty */
	bool is_damaged;                    /* what it is given */
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log_sink *sink;
	struct lt_plugins *plugins;
	const struct lt_plugin *plugin; /* NULL: not loaded */
};

typedef void lt_check_fn(struct lt_check *check);

void lt_check_find(struct lt_check *check, enum lt_check_verdict verdict, const char *fmt, ...)
		LT_PRINTF(3, 4);
void lt_check_say(struct lt_check *check, const char *fmt, ...) LT_PRINTF(2, 3);
void lt_check_doing(struct lt_check *check, const char *fmt, ...) LT_PRINTF(2, 3);

/* The file that made up options of files name. */
void lt_check_write_input(const struct lt_check *check, const struct lt_check_pieces *pieces);

/* Loop and plugin; false: it cannot be loaded, which was told. */
bool lt_check_open(struct lt_check *check);
/* Let the loop turn for so long. */
void lt_check_turn(struct lt_check *check, int64_t ms);

/* A raw capture that says at most so many pieces to each link. Its path, owned. */
char *lt_check_capture(const struct lt_check *check, const struct lt_check_pieces *pieces,
		size_t pieces_max);

/* Path of a temporary file. Owned. */
char *lt_check_path(const struct lt_check *check, const char *name);

/* --- one instance (plugin_check_run.c) --- */

#define LT_CHECK_QUEUE 64

struct lt_check_run {
	struct lt_check *check;
	struct lt_host *host; /* NULL: create refused */
	struct lt_raw_player *player;
	cJSON *description;
	cJSON *queue[LT_CHECK_QUEUE]; /* states of this call, looked at when it is over */
	size_t queue_n;
	struct lt_mono begun;
	uint64_t states, updates;
	bool is_parsed; /* its options were */
	bool has_ended, has_failed, waits_for_update;
	char reason[LT_CHECK_TEXT];
};

/*
 * Options as given, and made up ones where a required one is missing, or where
 * the plugin asks for one as it refuses: "give --host or --file".
 */
void lt_check_args(struct lt_check *check, struct lt_args *ret_args);

/*
 * create. capture: what its links will say; NULL: nothing. False: it refused,
 * with a reason in run->reason; call finish all the same.
 */
bool lt_check_run_create(struct lt_check_run *run, struct lt_check *check,
		const struct lt_args *args, const char *capture);
/* start; false: it refused. */
bool lt_check_run_start(struct lt_check_run *run);
/* Until the capture is over and what it set going is done, or the plugin failed. */
void lt_check_run_through(struct lt_check_run *run);
/* Until its first update is over, at most a moment for a plugin that has none. */
void lt_check_run_update(struct lt_check_run *run);
/* Streams that the plugin opened. */
uint32_t lt_check_run_streams(struct lt_check_run *run);
/* stop and destroy, and the turns in which what is left would be noticed. */
void lt_check_run_finish(struct lt_check_run *run);

/* --- checks, each the whole of a child process --- */

lt_check_fn lt_check_object, lt_check_descriptor, lt_check_options;
lt_check_fn lt_check_lifecycle, lt_check_instances, lt_check_endings, lt_check_values,
		lt_check_memory;
lt_check_fn lt_check_fixture;
/* The step's number is that of a damage. */
void lt_check_damaged(struct lt_check *check, enum lt_damage damage);

/* --- running a check (plugin_check_child.c) --- */

struct lt_check_step {
	const char *name;
	lt_check_fn *run; /* NULL: damage */
	enum lt_damage damage;
};
/*
 * In a child process; its findings are on the board, those of its death too.
 * False with err when there is no process.
 */
bool lt_check_in_child(
		struct lt_check *check, const struct lt_check_step *step, struct lt_err *err);

/* The text with what was found put behind the others. */
void lt_check_findings_add(struct lt_check_findings *findings, enum lt_check_verdict verdict,
		const char *text);

#endif
