/*
 * Inside of the directory: directory.c (registration, listing, liveness),
 * directory_report.c (what it tells operators).
 */
#ifndef LT_SERVICES_DIRECTORY_DIRECTORY_PRIV_H
#define LT_SERVICES_DIRECTORY_DIRECTORY_PRIV_H

#include "base/table.h"
#include "services/directory/directory.h"

struct lt_local;

struct lt_directory_entry {
	UT_hash_handle hh; /* by uuid */
	char *uuid;
	char *manifest; /* JSON text */
	size_t manifest_n;
	bool hidden, is_private;
	uint64_t session;                 /* that published it; 0: not disclosed */
	struct lt_directory_probe *probe; /* the isAlive call under way, or NULL */
	struct lt_directory_entry *prev, *next;
};

/* One isAlive call. Outlives an entry that is removed meanwhile (entry is then NULL). */
struct lt_directory_probe {
	struct lt_directory *directory;
	struct lt_directory_entry *entry;
	struct lt_directory_probe *prev, *next;
};

/* A service that went in this turn of the loop; it may be back before its end. */
struct lt_directory_gone {
	char *uuid;
	struct lt_directory_gone *next;
};

struct lt_directory {
	struct lt_directory_env env;
	struct lt_local *local;             /* NULL: stopped */
	struct lt_directory_entry *entries; /* in order of first registration */
	struct lt_directory_entry *by_uuid;
	size_t n, bytes; /* of all manifests */
	struct lt_directory_probe *probes;
	struct lt_directory_gone *gone;
	struct lt_timer listing_timer;
	struct lt_timer gap_timer; /* armed: a listing went out a moment ago */
	bool is_due;               /* something changed during the gap */
	bool had_private;          /* the listing before named private services */
	struct lt_timer alive_timer;
	struct lt_deferred changed;
};

#endif
