/*
 * An S3 bucket: put, get and list objects, large ones in parts. Requests are
 * signed by curl (Signature Version 4). One thing at a time for each job;
 * everything is on the loop, and what takes long (hashes) is on workers.
 *
 * Source: the Amazon S3 API reference (PutObject, multipart upload, GetObject,
 * ListObjectsV2), as compatible stores have it.
 */
#ifndef LT_NET_S3_H
#define LT_NET_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "net/fetch.h"

struct lt_loop;
struct lt_s3;
struct lt_s3_job;

#define LT_S3_PART_BYTES ((size_t)8 << 20)

/* Texts are copied. */
struct lt_s3_env {
	struct lt_loop *loop;
	struct lt_requests requests;
	const char *url;    /* of the bucket: "https://host/bucket" or "https://bucket.host" */
	const char *region; /* "us-east-1" */
	const char *access_key, *secret_key;
	uint32_t timeout_ms; /* of one request; 0: 120 s */
};

struct lt_s3 *lt_s3_create(const struct lt_s3_env *env);
void lt_s3_destroy(struct lt_s3 *s3); /* cancels its jobs; NULL is fine */

/* How a job ended. Texts are borrowed for the call. */
struct lt_s3_result {
	bool ok;
	bool is_denied;      /* the store does not accept the keys, or what they are for */
	bool is_absent;      /* no such object */
	uint64_t bytes;      /* of the object */
	struct lt_str etag;  /* of the object, with its quotes; not of a listing */
	struct lt_str body;  /* get into memory */
	struct lt_str error; /* a sentence, when not ok */
};
typedef void (*lt_s3_done_fn)(void *arg, const struct lt_s3_result *result);

/*
 * Upload a file: in one request, or in parts where it is larger than one. ok
 * means that the store has it: it was asked afterwards, and has that many bytes
 * under the tag it gave. What was begun and failed is taken back.
 */
struct lt_s3_job *lt_s3_put(
		struct lt_s3 *s3, const char *key, const char *path, lt_s3_done_fn done, void *arg);
/* The same with bytes, copied; no larger than a part. */
struct lt_s3_job *lt_s3_put_bytes(struct lt_s3 *s3, const char *key, struct lt_str bytes,
		lt_s3_done_fn done, void *arg);

/* Ask what the store has, without fetching it. */
struct lt_s3_job *lt_s3_head(struct lt_s3 *s3, const char *key, lt_s3_done_fn done, void *arg);

/* Download into a new file, which is complete, and on disk, when ok. */
struct lt_s3_job *lt_s3_get(
		struct lt_s3 *s3, const char *key, const char *path, lt_s3_done_fn done, void *arg);
/* A small object into memory. */
struct lt_s3_job *lt_s3_get_bytes(struct lt_s3 *s3, const char *key, lt_s3_done_fn done, void *arg);

/* All objects below a prefix; `each` is called for every one, before `done`. */
struct lt_s3_object {
	struct lt_str key, etag; /* etag with its quotes */
	uint64_t bytes;
};
struct lt_s3_job *lt_s3_list(struct lt_s3 *s3, const char *prefix,
		void (*each)(void *arg, const struct lt_s3_object *object), lt_s3_done_fn done,
		void *arg);

/* `done` is not called; what is under way in the background ends by itself. NULL is fine. */
void lt_s3_cancel(struct lt_s3_job *job);

#endif
