/* Forgets a hundred bytes with each instance. */
#define BAD_NAME    "leak"
#define BAD_OPTIONS NULL
#include "bad.h"

static int32_t start(void *self)
{
	static void *volatile forgotten;

	(void)self;
	forgotten = malloc(100);
	return forgotten == NULL;
}

BAD_PLUGIN(bad_create, start, NULL)
