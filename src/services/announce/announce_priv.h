/*
 * Private to the files of the announcements: announce.c (queue), announce_conf.c
 * (settings), announce_file.c (what is kept on disk), announce_report.c (list,
 * metrics), announce_trial.c.
 */
#ifndef LT_SERVICES_ANNOUNCE_ANNOUNCE_PRIV_H
#define LT_SERVICES_ANNOUNCE_ANNOUNCE_PRIV_H

#include "services/announce/announce.h"
#include "services/announce/delivery.h"
#include "services/announce/template.h"
#include "services/timing/saver.h"

#define LT_ANNOUNCE_FILE     "announcements.json"
#define LT_ANNOUNCE_OPEN_MAX 500  /* posts that wait; further ones are refused */
#define LT_ANNOUNCE_KEPT_MAX 2000 /* posts that are over, kept against repeats */
#define LT_ANNOUNCE_KEPT_S   (14 * 86400)

enum lt_post_state { LT_WAITING, LT_SENDING, LT_POSTED, LT_FAILED, LT_UNKNOWN, LT_POST_STATES };

/* As they stand in the file and in lists. */
extern const char *const lt_post_state_names[LT_POST_STATES];

/* One announcement for one network. */
struct lt_queued {
	char *uid, *network, *name, *service, *text, *link;
	char *reason; /* of the last failure; NULL: none */
	struct lt_wall start, created, next;
	enum lt_post_state state;
	int64_t attempts;
	bool is_uncertain; /* an attempt's result is unknown, and the network knows repeats */
	struct lt_delivery *delivery;
	struct lt_announce_network *owner; /* NULL: of a network that is not configured now */
	struct lt_queued *prev, *next_queued;
};

struct lt_announce_network {
	struct lt_announce *announce;
	struct lt_announcer *announcer;
	struct lt_queued *sending; /* at most one */
	uint64_t posted, failures; /* since the start */
};

struct lt_announce_trial;

struct lt_announce {
	struct lt_announce_env env;
	struct lt_announce_conf conf; /* a copy */
	char *site, *text, *link;
	struct lt_announce_network networks[LT_ANNOUNCE_NETWORKS];
	size_t n;
	struct lt_queued *queue; /* oldest first */
	struct lt_saver *saver;
	char *path;
	struct lt_timer timer;
	bool is_saving; /* attempts wait until they are on disk */
	struct lt_announce_trial *trials;
};

/* --- announce.c --- */

struct lt_announce_network *lt_announce_find_network(
		struct lt_announce *announce, struct lt_str name);
void lt_queued_free(struct lt_queued *queued);
bool lt_queued_is_over(const struct lt_queued *queued);

/* Text and link of an event for a network. The values' site and link are set here. */
void lt_announce_write_post(const struct lt_announce *announce,
		const struct lt_announcer *announcer, struct lt_template_values *values,
		struct lt_buf *ret_text, struct lt_buf *ret_link);

/* Whose attempt was broken off, and whatever waits, with the networks that there are now. */
void lt_announce_go_on(struct lt_announce *announce);

/* --- announce_conf.c --- */

/* Copies the settings and makes the networks' announcers; nothing of another conf is there. */
void lt_announce_use_conf(struct lt_announce *announce, const struct lt_announce_conf *conf);
void lt_announce_drop_conf(struct lt_announce *announce);
void lt_announce_log_networks(const struct lt_announce *announce);

/* --- announce_file.c --- */

/* Owned text; the whole queue. */
void lt_announce_print_file(const struct lt_announce *announce, struct lt_buf *buf);

/* Appends to the queue what the text holds; nothing on an error. */
bool lt_announce_read_file(struct lt_announce *announce, struct lt_str text, struct lt_err *err);

/* --- announce_trial.c --- */

/* Ends trials that are under way, with the reason why. */
void lt_announce_end_trials(struct lt_announce *announce, const char *reason);

#endif
