/*
 * Nkeys of users: Ed25519 keys as NATS writes them, base32 with a prefix and a
 * checksum. Source: the NATS documentation of nkeys, and RFC 4648, RFC 8032.
 */
#ifndef LT_MESH_NKEY_H
#define LT_MESH_NKEY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define LT_NKEY_TEXT 64 /* of a public key, with its end */

/* The public key ("U...") of a user's seed ("SU..."). Errors: LT_E_FORMAT, without the seed. */
bool lt_nkey_public(struct lt_str seed, char ret_public[LT_NKEY_TEXT], struct lt_err *err);

/* The line of a file that holds a seed, wherever it stands; n 0: none. Borrowed. */
struct lt_str lt_nkey_find_seed(struct lt_str text);

#endif
