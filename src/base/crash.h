/*
 * What a fatal signal (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) leaves behind:
 * a file with the signal and a backtrace, written by the handler with nothing
 * but async-signal-safe calls, on a stack of its own. The signal then takes its
 * former course, so that core dumps, the exit status and the report of a
 * sanitizer stay as they are.
 *
 *   DIR/crash.txt                           of the last run
 *   DIR/crash-2026-05-16T13:00:00.123Z.txt  found at a later start, ten at most
 *
 *   program: livetimingd 0.1.0
 *   signal: 11 SIGSEGV
 *   code: 1
 *   address: 0x10
 *   time: 1778936400
 *   pid: 4711
 *   backtrace:
 *   /usr/bin/livetimingd(+0x1c2f) [0x55d0c2a41c2f]
 *
 * The one module with state of the process: a signal handler has no argument.
 */
#ifndef LT_BASE_CRASH_H
#define LT_BASE_CRASH_H

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Install the handlers; program is what the file calls it. Loads what a
 * backtrace needs, since a handler cannot. Again: another directory.
 */
bool lt_crash_install(const char *dir, const char *program, struct lt_err *err);

/* The former handlers come back. Harmless without install. */
void lt_crash_uninstall(void);

/*
 * Take what the last run left: its text (cut at 64 KiB), and the name that the
 * file has now, in *ret_path, owned. False without an error code: there was no
 * crash. Older files beyond ten are removed.
 */
bool lt_crash_collect(const char *dir, struct lt_wall now, struct lt_buf *ret_text, char **ret_path,
		struct lt_err *err);

/* Value of a line "name: value" of such a text; empty: there is none. Borrowed. */
struct lt_str lt_crash_field(struct lt_str text, const char *name);

/* What follows the line "backtrace:". Borrowed. */
struct lt_str lt_crash_backtrace(struct lt_str text);

#endif
