/*
 * Inside of the offload: offload.c (uploads), remote.c (what is in the bucket),
 * fetched.c (what is asked for and not here).
 */
#ifndef LT_SERVICES_OFFLOAD_OFFLOAD_PRIV_H
#define LT_SERVICES_OFFLOAD_OFFLOAD_PRIV_H

#include "base/table.h"
#include "net/s3.h"
#include "services/offload/offload.h"
#include "services/timing/saver.h"
#include "store/index.h"

/* A file of ours that is confirmed, as it was then. */
struct lt_offload_done {
	UT_hash_handle hh;
	uint64_t bytes;
	int64_t mtime_ns;
	char name[]; /* "UUID.zip" */
};

/* A recording in the bucket. */
struct lt_offload_remote {
	UT_hash_handle hh;
	char *etag;   /* of its entry */
	char *entry;  /* JSON; NULL: not read yet */
	double start; /* startTime of it */
	bool is_seen, is_stale;
	struct lt_offload *offload;
	struct lt_offload_remote *next_stale;
	char name[]; /* "UUID.zip" */
};

struct lt_offload_fetch;
struct lt_offload_scan;
struct lt_offload_upload;

struct lt_offload {
	struct lt_offload_env env;
	char *directory, *state_path, *remote_path, *prefix;
	struct lt_s3 *s3;
	struct lt_saver *saver;
	struct lt_timer scan_timer, refresh_timer, retry_timer;
	bool is_started, is_listing, is_known; /* is_known: listed once */
	struct lt_offload_scan *scan;          /* of the directory, under way */
	struct lt_offload_done *done;
	struct lt_offload_upload *upload;         /* the one under way */
	struct lt_offload_remote *remote, *stale; /* stale: to be read */
	unsigned readings;                        /* entries being read */
	bool is_remote_changed;
	struct lt_offload_fetch *fetches;
	unsigned attempts; /* that failed in a row */
	struct lt_offload_stats stats;
};

/* --- offload.c --- */

struct lt_offload_done *lt_offload_find_done(struct lt_offload *offload, const char *name);
/* The file is, as it is now, what is in the bucket. */
void lt_offload_confirm(
		struct lt_offload *offload, const char *name, uint64_t bytes, int64_t mtime_ns);

/* Look for what is to be uploaded, or removed, unless that is being done. */
void lt_offload_look(void *arg);

/* --- remote.c --- */

struct lt_offload_remote *lt_offload_find_remote(
		const struct lt_offload *offload, const char *name);
void lt_offload_load_remote(struct lt_offload *offload);
void lt_offload_refresh(void *arg);
/* This node has written the entry. */
void lt_offload_set_remote(struct lt_offload *offload, const char *name, const cJSON *entry);
void lt_offload_free_remote(struct lt_offload *offload);

/* --- fetched.c --- */

void lt_offload_free_fetches(struct lt_offload *offload);

/* PREFIX and the rest; owned by the caller. */
char *lt_offload_key(const struct lt_offload *offload, const char *folder, const char *name);

#endif
