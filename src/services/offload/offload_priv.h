/*
 * Inside of the offload: offload.c (life), confirmed.c (what the bucket is known
 * to have of ours), listing.c (what the index says), scan.c (what is in the
 * directory, and what follows from it), upload.c, removal.c (of local copies),
 * remote.c (what is in the bucket), fetched.c (what is asked for and not here).
 */
#ifndef LT_SERVICES_OFFLOAD_OFFLOAD_PRIV_H
#define LT_SERVICES_OFFLOAD_OFFLOAD_PRIV_H

#include "base/table.h"
#include "net/s3.h"
#include "services/offload/offload.h"
#include "services/timing/saver.h"

/* What the index says of a recording. */
struct lt_offload_listed {
	char *name;    /* "UUID.zip" */
	char *text;    /* JSON */
	uint64_t hash; /* of the text, never 0 */
};

/* A recording in the directory, as it is now. */
struct lt_offload_file {
	char *name; /* "UUID.zip" */
	uint64_t bytes;
	int64_t mtime_ns;
	int64_t analysis_ns; /* when its analysis was written; 0: there is none */
	const struct lt_offload_listed *listed; /* borrowed; NULL: the index does not have it */
};

/* A recording of ours that the bucket has, as both were when it said so. */
struct lt_offload_done {
	UT_hash_handle hh;
	uint64_t bytes;
	int64_t mtime_ns, analysis_ns;
	uint64_t listed_hash; /* of its entry; 0: it was fetched, and the entry is another's */
	char *etag;           /* of the archive in the bucket; "": it has a newer one */
	char name[];          /* "UUID.zip" */
};

/* A recording in the bucket. */
struct lt_offload_remote {
	UT_hash_handle hh;
	char *etag; /* of its entry; "": to be read again */
	char *text; /* of its entry, JSON; NULL: not read, or it is none */
	int64_t start_s;
	bool is_private;
	bool is_seen, is_stale;
	struct lt_offload *offload;
	char name[]; /* "UUID.zip" */
};

#define LT_OFFLOAD_TEMP ".fetch-" /* begins the names of files that are being fetched */

struct lt_offload_fetch;
struct lt_offload_listing;
struct lt_offload_scan;
struct lt_offload_upload;
struct lt_offload_removal;

struct lt_offload {
	struct lt_offload_env env;
	char *directory, *state_path, *remote_path, *prefix, *bucket;
	struct lt_s3 *s3;
	struct lt_saver *saver;
	struct lt_timer scan_timer, refresh_timer, retry_timer;
	bool is_started, is_listing, is_known; /* is_known: listed once */
	bool is_list_bad;                      /* the last one failed */
	struct lt_offload_scan *scan;          /* of the directory, under way */
	struct lt_offload_listing *listing;    /* NULL: not read, or a scan has it */
	struct lt_offload_done *done;
	struct lt_offload_upload *upload; /* the one under way */
	/* the last one that was tried: the next one is behind it, so that none is in the way */
	char *tried;
	int64_t tried_ns;
	struct lt_offload_removal *removal; /* of a local copy, under way */
	struct lt_offload_remote *remote;
	unsigned readings; /* entries being read */
	bool is_remote_changed;
	struct lt_offload_fetch *fetches;
	unsigned attempts; /* to upload that failed in a row */
	struct lt_offload_stats stats;
};

/* PREFIX and the rest; owned by the caller. */
char *lt_offload_key(const struct lt_offload *offload, const char *folder, const char *name);
/* "UUID.zip" without its ending, with another; owned by the caller. */
char *lt_offload_with_ending(const char *name, const char *ending);
/* The file as it is now; false: it is not there. Its name stays. A worker's, or a short call. */
bool lt_offload_stat(const char *directory, struct lt_offload_file *file);

/* --- confirmed.c --- */

const struct lt_offload_done *lt_offload_find_done(
		const struct lt_offload *offload, const char *name);
/* Is the recording, as it is now, in the bucket: all of it, or its archive, or its analysis? */
bool lt_offload_is_done(const struct lt_offload *offload, const struct lt_offload_file *file);
bool lt_offload_has_archive(const struct lt_offload *offload, const struct lt_offload_file *file);
bool lt_offload_has_analysis(const struct lt_offload *offload, const struct lt_offload_file *file);
void lt_offload_set_done(
		struct lt_offload *offload, const struct lt_offload_file *file, struct lt_str etag);
/* The bucket has a newer one, to be fetched. */
void lt_offload_outdate(struct lt_offload *offload, const char *name);
/* The bucket does not have it (any more). */
void lt_offload_drop_done(struct lt_offload *offload, const char *name);
void lt_offload_load_done(struct lt_offload *offload);
void lt_offload_free_done(struct lt_offload *offload);

/* --- listing.c: for workers --- */

/* The index as it is now: the one before, or a new one, owned by the caller. */
struct lt_offload_listing *lt_offload_listing_read_take(
		const char *directory, struct lt_offload_listing *before);
void lt_offload_listing_free(struct lt_offload_listing *listing); /* NULL is fine */
const struct lt_offload_listed *lt_offload_listing_find(
		const struct lt_offload_listing *listing, const char *name);

/* --- scan.c --- */

/* Look for what is to be uploaded, or removed, unless that is being done. */
void lt_offload_look(void *arg);
void lt_offload_stop_scan(struct lt_offload *offload);

/* --- upload.c --- */

/* One that is listed. */
void lt_offload_upload(struct lt_offload *offload, const struct lt_offload_file *file);
void lt_offload_stop_upload(struct lt_offload *offload);

/* --- removal.c --- */

/* Remove the copy, once the bucket has been asked whether it has the same. */
void lt_offload_remove(struct lt_offload *offload, const struct lt_offload_file *file);
void lt_offload_stop_removal(struct lt_offload *offload);

/* --- remote.c --- */

struct lt_offload_remote *lt_offload_find_remote(
		const struct lt_offload *offload, const char *name);
void lt_offload_load_remote(struct lt_offload *offload);
void lt_offload_refresh(void *arg);
/* This node has written the entry, or read it by itself. */
void lt_offload_set_remote(struct lt_offload *offload, const char *name, const cJSON *entry);
void lt_offload_free_remote(struct lt_offload *offload);

/* --- fetched.c --- */

/* Fetch those of which the bucket has a newer one. */
void lt_offload_renew(struct lt_offload *offload);
void lt_offload_free_fetches(struct lt_offload *offload);

#endif
