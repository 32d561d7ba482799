/*
 * uthash as we use it: keys hashed with a seed of this process, because peers
 * choose our keys, and out of memory ends the process. The only includer of
 * uthash; the macros stay inside one .c, wrapped in typed static functions.
 */
#ifndef LT_BASE_TABLE_H
#define LT_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

/* SipHash-1-3 with the process seed; set once by lt_table_seed, else from the system. */
unsigned lt_table_hash(const void *key, size_t n);
void lt_table_seed(uint64_t k0, uint64_t k1);

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = lt_table_hash((keyptr), (keylen)))
#define uthash_fatal(msg)                    lt_oom()
#define uthash_malloc(size)                  lt_alloc(size)
#define uthash_free(ptr, size)               lt_free(ptr)

#include <uthash.h>
#include <utlist.h>

#endif
