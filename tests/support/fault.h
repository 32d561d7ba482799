/*
 * File operations that go wrong at a chosen call: they fail, or the process
 * ends there as if it had been killed, before the call or in the middle of a
 * write. Otherwise they pass on to `next`.
 */
#ifndef LT_TESTS_SUPPORT_FAULT_H
#define LT_TESTS_SUPPORT_FAULT_H

#include "store/fileops.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_FAIL,      /* errno `code`; of a write, half of the bytes are written first */
	FAULT_DIE,       /* _exit before the call */
	FAULT_DIE_HALF,  /* _exit after half of a write; before any other call */
	FAULT_DIE_AFTER, /* _exit after the call */
};

struct fault {
	struct lt_fileops ops; /* hand this to the store */
	const struct lt_fileops *next;
	enum fault_kind kind;
	size_t from, count; /* calls that go wrong, counted from 1 */
	int code;
	size_t calls; /* so far */
};

void fault_init(struct fault *fault, const struct lt_fileops *next);

#endif
