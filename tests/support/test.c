#include "support/test.h"

#include <unistd.h>

char *shared_path(const char *name)
{
	const char *dir = getenv("SHARED_DIR");
	char *path = NULL;

	if (asprintf(&path, "%s/%s", dir ? dir : "../shared", name) < 0) {
		fail_msg("out of memory");
	}
	if (access(path, R_OK) != 0) {
		print_message("SKIPPED: reference data %s is absent (set SHARED_DIR)\n", path);
		free(path);
		skip();
	}
	return path;
}
