/*
 * What every fuzz target includes. A target is one file with the one function
 * that libFuzzer calls; `make fuzz` runs it with new inputs, and the normal
 * tests link it with replay.c to run what stands in corpus/<target>.
 */
#ifndef LT_TESTS_FUZZ_FUZZ_H
#define LT_TESTS_FUZZ_FUZZ_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Input as text. */
static inline struct lt_str fuzz_text(const uint8_t *bytes, size_t n)
{
	return (struct lt_str){ (const char *)bytes, n };
}

#endif
