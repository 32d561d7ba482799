/*
 * Control socket protocol, shared by daemon and livetimingctl.
 *
 * A connection carries frames in both directions: one JSON object a line
 * (LF; UTF-8; at most LT_CTL_LINE_MAX bytes). The daemon greets first:
 *   {"livetimingd": "1.0.0", "protocol": 1}
 * then each request is answered once, in order:
 *   {"verb": "service.start", "args": {...}}
 *   {"ok": true, "result": ...}   or   {"ok": false, "error": "sentence", "code": "not_found"}
 * A protocol number that differs is refused by the client, naming both.
 * Verbs and their arguments: docs/control-protocol.md.
 */
#ifndef LT_BASE_CTL_PROTO_H
#define LT_BASE_CTL_PROTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define LT_CTL_PROTOCOL 1
#define LT_CTL_LINE_MAX (1024 * 1024)

/*
 * Take the next complete line out of `input`: *ret_line borrows from input
 * until the next change to it; then call lt_buf_remove_front(input, *ret_used).
 * Returns false when there is no complete line yet (err->code LT_E_NONE), or
 * when the line is too long or not UTF-8 (err set): the connection must end.
 */
bool lt_ctl_next_line(const struct lt_buf *input, struct lt_str *ret_line, size_t *ret_used,
		struct lt_err *err);

/* The socket path: explicit, else LIVETIMING_CONTROL_SOCKET, else the defaults of docs. Owned. */
char *lt_ctl_socket_path(
		const char *explicit_path, const char *from_env, const char *xdg_runtime_dir);

/* Error class to its name on the wire and back ("not_found"); an unknown name is LT_E_INVALID. */
const char *lt_errc_name(enum lt_errc code);
enum lt_errc lt_errc_parse(struct lt_str name);

#endif
