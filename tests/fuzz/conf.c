/* The dotenv file with settings. */
#include "base/conf.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static const struct lt_conf_key keys[] = {
	{ .name = "LIVETIMING_LISTEN", .help = "an address" },
	{ .name = "LIVETIMING_SHARED_SECRET", .help = "a secret", .secret = true },
	{ 0 },
};

static void ignore(void *arg, bool is_error, const char *sentence)
{
	(void)arg;
	(void)is_error;
	assert(sentence[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_conf *conf = lt_conf_create(keys);
	int fd = memfd_create("livetiming.env", MFD_CLOEXEC);
	char path[64];
	struct lt_err err;

	assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!lt_conf_load_file(conf, path, &err)) {
		assert(err.msg[0]);
	}
	lt_conf_check(conf, ignore, NULL);
	lt_conf_get(conf, "LIVETIMING_LISTEN");
	lt_conf_origin(conf, "LIVETIMING_LISTEN");
	lt_conf_destroy(conf);
	close(fd);
	return 0;
}
