/*
 * The worker's side of the timeline (timeline.h): from a question about a
 * recording to a document. Blocking; one thread at a time for each recording.
 */
#ifndef LT_SERVICES_TIMELINE_TIMELINE_WORK_H
#define LT_SERVICES_TIMELINE_TIMELINE_WORK_H

#include "base/str.h"

struct lt_timeline;

enum lt_timeline_kind {
	LT_TIMELINE_INDEX,
	LT_TIMELINE_CHUNK,
	LT_TIMELINE_MOMENTS,
	LT_TIMELINE_MESSAGES,
	LT_TIMELINE_ANALYSIS,
};

/* A recording. Texts are owned. */
struct lt_timeline_file {
	bool is_live;
	char *name;       /* uuid of a live one, else id */
	char *path;       /* of the journal or archive */
	char *cache_path; /* prefix of the files in the cache; NULL: a live one */
	int64_t start_s;  /* of a live one: names it among those of its service */
	struct lt_timeline *timeline;
	bool has_looked; /* into the cache, of no use */
};
void lt_timeline_file_finish(struct lt_timeline_file *file);

struct lt_timeline_question {
	enum lt_timeline_kind kind;
	int64_t time_s;         /* of chunk and analysis */
	bool is_admitted;       /* private ones may be shown */
	struct lt_buf finished; /* of the index: further members, with a comma in front */

	/* The answer. */
	bool is_done;
	double share; /* done so far, when it is not */
	int status;
	struct lt_buf json;
	const char *cache_control; /* static */
	int64_t fresh_ms;
};
void lt_timeline_question_finish(struct lt_timeline_question *question);

/* Do a slice of it; is_done tells whether it was the last. */
void lt_timeline_work(struct lt_timeline_file *file, struct lt_timeline_question *question);

/* Forget what the cache has of recordings that have gone. */
void lt_timeline_sweep(const char *cache_dir, const char *recordings_dir);

/* {"error": sentence, "code": code} */
void lt_timeline_write_error(struct lt_buf *buf, const char *code, const char *sentence);

#endif
