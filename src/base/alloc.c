#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

LT_NORETURN void lt_oom(void)
{
	static const char message[] = "out of memory\n";

	/* Not stdio: it may want to allocate. The result cannot matter any more. */
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) {
		abort();
	}
	abort();
}

/* Size 0 is asked for as 1, so that NULL always means failure. */
void *lt_alloc(size_t size)
{
	void *ptr = malloc(size ? size : 1);

	if (!ptr) {
		lt_oom();
	}
	return ptr;
}

void *lt_zalloc(size_t size)
{
	return lt_calloc(1, size);
}

void *lt_calloc(size_t count, size_t size)
{
	void *ptr = count && size ? calloc(count, size) : calloc(1, 1);

	if (!ptr) {
		lt_oom();
	}
	return ptr;
}

void *lt_realloc(void *ptr, size_t size)
{
	void *moved = realloc(ptr, size ? size : 1);

	if (!moved) {
		lt_oom();
	}
	return moved;
}

void *lt_reallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		lt_oom();
	}
	return lt_realloc(ptr, bytes);
}

char *lt_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(lt_alloc(size), text, size);
}

void lt_free(void *ptr)
{
	free(ptr);
}

void lt_alloc_init(void)
{
	cJSON_Hooks hooks = { .malloc_fn = lt_alloc, .free_fn = lt_free };

	cJSON_InitHooks(&hooks);
}
