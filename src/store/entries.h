/*
 * What an archive of a recording consists of, without asking whether it is a
 * good one: the manifest of any version, and every entry that has the name of a
 * frame. For tools that look at archives or rewrite them; recording.h is for
 * reading states. Blocking; one thread at a time.
 */
#ifndef LT_STORE_ENTRIES_H
#define LT_STORE_ENTRIES_H

#include "base/json.h"
#include "store/recording_zip.h"

#define LT_MANIFEST_NAME     "manifest.json"
#define LT_RECORDING_VERSION 1

struct lt_entry_frame {
	int64_t time_s; /* or the number before version 1: seconds from the start */
	int64_t entry;  /* index in the archive */
	bool is_key;
	bool is_hidden; /* another entry of the same name comes after it */
};

struct lt_entries {
	struct lt_zip *zip;
	int64_t manifest;              /* index of the entry; -1: there is none */
	struct lt_entry_frame *frames; /* by time; of one time the differences first */
	size_t count;
	size_t key_count;
};

/* On success finish with lt_entries_finish. The error does not name the path. */
bool lt_entries_open(const char *path, struct lt_entries *ret, struct lt_err *err);
void lt_entries_finish(struct lt_entries *entries);

/* The manifest, an object, its version not looked at; the caller owns it. */
cJSON *lt_entries_manifest(const struct lt_entries *entries, struct lt_err *err);

static inline void lt_auto_lt_entries_finish(struct lt_entries *entries)
{
	lt_entries_finish(entries);
}

#endif
