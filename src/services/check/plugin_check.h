/*
 * Conformance test of a plugin: what `livetimingctl plugin check FILE.so` does.
 *
 * Each check runs in a child process of its own with the daemon's own plugin
 * host, so that a plugin that crashes or hangs costs that check alone and its
 * death is told together with what was going on. Nothing is connected: links
 * are fed from raw captures made for the check (plugin/raw_input.h), and where
 * a plugin needs an option that was not given, it gets one.
 *
 * Time in a plugin's calls is processor time of its thread, which a busy
 * machine does not change; waiting is seen from outside, by the state of the
 * thread. Blocks for seconds: for a program that does nothing else.
 */
#ifndef LT_SERVICES_PLUGIN_CHECK_H
#define LT_SERVICES_PLUGIN_CHECK_H

#include "base/json.h"
#include "base/service_args.h"

/* Borrowed. */
struct lt_check_opts {
	const char *path;           /* of the shared object, absolute */
	const char *fixture;        /* NULL: none; a raw capture, or what a feed says as a file */
	const struct lt_args *args; /* options of the plugin */
};

/*
 * Check it. The process has no thread and no loop yet.
 *
 * Returns    {"file", "plugin", "version", "passed", "failed", "warnings", "checks": [{"check",
 *            "result": "ok" | "warning" | "failed", "text", "details": [text ...]}]}, owned by
 *            the caller; "plugin" and "version" are missing when it could not be loaded
 * Errors     NULL with LT_E_IO no place for temporary files, or no process
 */
cJSON *lt_check_plugin(const struct lt_check_opts *opts, struct lt_err *err);

#endif
