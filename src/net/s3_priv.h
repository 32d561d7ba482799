/* Inside of S3: s3.c (jobs, requests, files), s3_answer.c (what the store answers). */
#ifndef LT_NET_S3_PRIV_H
#define LT_NET_S3_PRIV_H

#include "base/crypto.h"
#include "base/table.h"
#include "net/s3.h"

enum lt_s3_kind { PUT, HEAD, GET, GET_BYTES, LIST };
enum lt_s3_step {
	READ_PART,
	BEGIN,
	SEND_PART,
	COMPLETE,
	ASK_HEAD, /* also at the end of an upload */
	ABORT,
	ASK_PART,
	WRITE_PART,
	ASK_LIST
};

struct lt_s3 {
	struct lt_s3_env env;
	char *url, *login, *sigv4;
	struct lt_s3_job *jobs;
};

struct lt_s3_job {
	struct lt_s3_job *prev, *next;
	struct lt_s3 *s3; /* NULL: cancelled while a worker has it */
	enum lt_s3_kind kind;
	enum lt_s3_step step;
	char *key, *path;
	struct lt_fetch *fetch;
	bool at_worker;
	/* the worker's */
	int fd;
	struct lt_buf part;
	char hash[2 * LT_SHA256_BYTES + 1]; /* of the part */
	uint64_t size, done_bytes;
	struct lt_buf etag; /* of the object, as the store said */
	struct lt_err err;
	/* of an upload in parts */
	struct lt_buf upload_id, etags; /* etags: the XML that completes it */
	unsigned part_number;
	struct lt_buf token; /* of a listing: where it goes on */
	bool is_denied, is_absent;
	void (*each)(void *arg, const struct lt_s3_object *object);
	lt_s3_done_fn done;
	void *arg;
};

void lt_s3_next_step(struct lt_s3_job *job, enum lt_s3_step step);
void lt_s3_finish(struct lt_s3_job *job, bool ok); /* frees */
/* An upload in parts that fails is taken back, as far as that works. */
void lt_s3_fail(struct lt_s3_job *job);

/* For a fetch, with the job as its arg. */
void lt_s3_on_result(void *arg, const struct lt_fetch_result *result);

#endif
