/*
 * Allocation that succeeds or ends the process with one line on stderr: no
 * code tests for NULL. This is honest only because every size that comes from
 * outside is checked against a limit first.
 */
#ifndef LT_BASE_ALLOC_H
#define LT_BASE_ALLOC_H

#include <stddef.h>

#include "base/base.h"

void *lt_alloc(size_t size);                /* uninitialised */
void *lt_zalloc(size_t size);               /* zeroed */
void *lt_calloc(size_t count, size_t size); /* zeroed, multiplication checked */
void *lt_realloc(void *ptr, size_t size);
void *lt_reallocarray(void *ptr, size_t count, size_t size);
char *lt_strdup(const char *text);
void lt_free(void *ptr);

/* "out of memory" and abort; also installed in uthash and cJSON. */
LT_NORETURN void lt_oom(void);

/* Route cJSON's allocation here; called once by each main. */
void lt_alloc_init(void);

static inline void lt_auto_lt_free(void *slot)
{
	lt_free(*(void **)slot);
}

#endif
