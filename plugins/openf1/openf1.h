/* The instance of the plugin; shared by openf1.c (life, playing), f1_load.c (fetching) and
 * f1_show.c (output). */
#ifndef LT_OPENF1_OPENF1_H
#define LT_OPENF1_OPENF1_H

#include <livetiming/plugin.h>

#include "f1_model.h"

#define F1_URL_LEN 400

struct openf1 {
	const struct lt_host_api *api;
	struct lt_host *host;
	const struct lt_field_ext *field;
	const struct lt_text_ext *text;
	const struct lt_json_ext *json;
	const struct lt_http_ext *http;
	const struct lt_work_ext *work;
	struct f1_model *model;

	/* fetching: one collection after the other into `loading` */
	char authorization[600]; /* a header; empty: none */
	const char *headers[3];
	char key[24]; /* of the session; "latest" until it is known */
	struct f1_data *loading;
	enum f1_collection next;
	void *fetch;
	uint64_t fetch_timer;
	unsigned failures; /* in a row */
	bool is_stale, is_stopped;

	/* playing */
	struct f1_data *data; /* NULL: nothing is loaded yet */
	bool is_live;         /* the session goes on: loaded again and again, played in its time */
	double speed;
	int64_t from_ms, from_us;  /* session time and clock from which time is counted */
	int64_t told_ms, shown_ms; /* messages up to here were given; the table was shown so */
	bool is_behind, is_done;   /* done: the end was published */
	char described[3 * F1_TEXT_LEN];
};

/* f1_load.c */
void f1_load(struct openf1 *self); /* begin, from the start */
void f1_load_stop(struct openf1 *self);
/* openf1.c: all is there; the data is taken over. */
void f1_loaded(struct openf1 *self, struct f1_data *data);

/* f1_show.c */
int32_t f1_describe(struct openf1 *self);
void f1_publish(struct openf1 *self, int64_t now_ms);

#endif
