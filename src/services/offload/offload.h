/*
 * Recordings in an S3 bucket (net/s3.h), beside the directory of recordings:
 *
 *   PREFIX NAME.zip             the recording
 *   PREFIX NAME.json            its analysis
 *   PREFIX catalogue/NAME.json  its entry of the index, written when the others are there
 *
 * What is finished here is uploaded, one after the other, again and again until
 * the store has confirmed it; STATE_DIR/offload.json keeps what was. Only then,
 * and only where a bound is set, is a local copy removed, after the store was
 * asked once more. What others have
 * uploaded is read every refresh_s into DIRECTORY/remote.json (store/index.h), which the
 * catalogue shows beside the local ones; a recording that is asked for and is
 * not here is fetched first, and kept as if it had been made here; it is fetched
 * again when the entry changes.
 *
 * A name that another node took for another recording is given up: the local
 * one is renamed (NAME_1 ...), as if it had come second.
 */
#ifndef LT_SERVICES_OFFLOAD_OFFLOAD_H
#define LT_SERVICES_OFFLOAD_OFFLOAD_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/fetch.h"
#include "router/http.h"

struct lt_offload;
struct lt_random;

/* Texts are borrowed. */
struct lt_offload_conf {
	const char *url; /* of the bucket; NULL: there is none */
	const char *region, *access_key, *secret_key;
	const char *prefix;  /* "", "races/" */
	uint64_t keep_bytes; /* of local copies of what is uploaded; 0: all of them */
	int64_t refresh_s;
};

struct lt_offload_env {
	struct lt_loop *loop;
	struct lt_log log;
	struct lt_random *random;
	struct lt_requests requests;
	const char *directory, *state_dir; /* copied */
	struct lt_offload_conf conf;
	bool uploads; /* an edge only reads */
};

struct lt_offload *lt_offload_create(const struct lt_offload_env *env);
void lt_offload_destroy(struct lt_offload *offload); /* NULL is fine */

void lt_offload_start(struct lt_offload *offload);
void lt_offload_stop(struct lt_offload *offload); /* what is under way is begun again next time */

/*
 * Is this recording ("UUID_1") not here, but in the bucket? Then the request is
 * taken: again(arg, req) is called when it has been fetched; or it is answered
 * that it could not be. A private one is fetched for who is admitted alone: for
 * others it is not there.
 */
bool lt_offload_hold(struct lt_offload *offload, struct lt_http_req *req, struct lt_str name,
		bool is_admitted, lt_http_fn again, void *arg);

struct lt_offload_stats {
	uint64_t uploaded, failed, fetched, removed; /* since the start */
	uint64_t waiting;                            /* to be uploaded */
	uint64_t remote;                             /* in the bucket, of all nodes */
	bool in_trouble;                             /* the last listing, or upload, failed */
};
void lt_offload_report(const struct lt_offload *offload, struct lt_offload_stats *ret);
void lt_offload_write_metrics(const struct lt_offload *offload, struct lt_buf *buf);

#endif
