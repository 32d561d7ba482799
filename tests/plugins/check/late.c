/* Talks to the host when its instance is gone. */
#define BAD_NAME    "late"
#define BAD_OPTIONS NULL
#include <unistd.h>

#include "bad.h"

struct job {
	const struct lt_host_api *api;
	struct lt_host *host;
};

static void work(void *arg)
{
	(void)arg;
	usleep(5000);
}

static void done(void *arg, uint32_t cancelled)
{
	struct job *job = arg;

	(void)cancelled;
	job->api->count(job->host, "done", 1);
	free(job);
}

static int32_t start(void *arg)
{
	const struct bad *self = arg;
	const struct lt_work_ext *ext = self->api->extension(self->host, LT_EXT_WORK);
	struct job *job = malloc(sizeof(*job));

	job->api = self->api;
	job->host = self->host;
	ext->run(self->host, work, done, job);
	return 0;
}

BAD_PLUGIN(bad_create, start, NULL)
