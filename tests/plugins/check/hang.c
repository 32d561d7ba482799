/* Never comes back from start. */
#define BAD_NAME    "hang"
#define BAD_OPTIONS NULL
#include <unistd.h>

#include "bad.h"

static int32_t start(void *self)
{
	(void)self;
	while (pause() != 0) {
		continue;
	}
	return -1;
}

BAD_PLUGIN(bad_create, start, NULL)
