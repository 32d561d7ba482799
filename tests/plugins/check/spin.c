/* Computes in update for more processor time than is allowed, ten times that under a sanitizer. */
#define BAD_NAME    "spin"
#define BAD_OPTIONS NULL
#include <time.h>

#include "bad.h"

#ifdef __SANITIZE_ADDRESS__
#	define SPIN_MS 1300
#else
#	define SPIN_MS 130
#endif

static void update(void *self)
{
	clock_t end = clock() + SPIN_MS * (CLOCKS_PER_SEC / 1000);

	(void)self;
	while (clock() < end) {
		continue;
	}
}

BAD_PLUGIN(bad_create, minimal_start, update)
