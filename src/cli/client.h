/*
 * Connection to a daemon's control socket: one request, one answer, blocking.
 * The protocol number is checked at the greeting.
 */
#ifndef LT_CLI_CLIENT_H
#define LT_CLI_CLIENT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

struct lt_client;

/*
 * NULL: nobody listens there, or it speaks another protocol; err says what to do.
 * patience_s: how long any answer may take before the connection counts as broken.
 */
struct lt_client *lt_client_connect(const char *path, int patience_s, struct lt_err *err);
void lt_client_close(struct lt_client *client); /* NULL is fine */

/* The daemon's version, from its greeting. Borrowed. */
const char *lt_client_daemon_version(const struct lt_client *client);

/*
 * Ask and wait. Owns args (NULL: none). Returns the result, owned by the
 * caller (JSON null is a node too), or NULL: refused by the daemon with its
 * sentence, or *ret_is_broken when the connection failed.
 */
cJSON *lt_client_call_take(struct lt_client *client, const char *verb, cJSON *args,
		bool *ret_is_broken, struct lt_err *err);

#endif
