/* Runs a fuzz target on files, one test each: replay NAME FILE ... */
#include <stdio.h>

#include "base/fsutil.h"
#include "fuzz.h"

static bool replay(const char *path)
{
	LT_AUTO(lt_buf_finish) struct lt_buf file = { 0 };
	struct lt_err err;

	if (!lt_file_read(path, 1024 * 1024, &file, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return false;
	}

	/* of exactly this size, so that a sanitizer sees reads beyond it */
	uint8_t *bytes = malloc(file.n > 0 ? file.n : 1);

	if (file.n > 0) {
		memcpy(bytes, file.p, file.n);
	}
	LLVMFuzzerTestOneInput(bytes, file.n);
	free(bytes);
	return true;
}

int main(int argc, char **argv)
{
	bool good = argc > 1;

	for (int i = 1; i < argc; i++) {
		bool read = replay(argv[i]);

		printf("%sok %d - %s\n", read ? "" : "not ", i, argv[i]);
		good = good && read;
	}
	return good ? 0 : 1;
}
