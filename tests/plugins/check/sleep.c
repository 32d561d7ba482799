/* Waits in update. */
#define BAD_NAME    "sleep"
#define BAD_OPTIONS NULL
#include <unistd.h>

#include "bad.h"

static void update(void *self)
{
	(void)self;
	usleep(250000);
}

BAD_PLUGIN(bad_create, minimal_start, update)
