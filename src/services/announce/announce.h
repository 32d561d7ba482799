/*
 * Announcements of events that start, on X, Mastodon, Bluesky, Discord and to a
 * webhook: those of them that are configured.
 *
 * lt_announce_event queues and returns: nothing here delays a race. Each network
 * has its own queue, one post under way at a time. What fails is tried again
 * with growing pauses (as long as the network asks for, at least) until it is
 * too old to be of use, then given up.
 *
 * No duplicates: an announcement is known by the event's UID and start and the
 * network, and STATE_DIR/announcements.json tells which were posted. An attempt
 * is on disk before it is made, so that after a crash it is known that its
 * result is not. Then it is made again where the network recognises a repeat
 * (announcer.h: all but Discord), and never where it does not.
 *
 * Hidden events are not announced. Runs on the loop; files are written on
 * workers. docs/announcements.md is the operator's view.
 */
#ifndef LT_SERVICES_ANNOUNCE_ANNOUNCE_H
#define LT_SERVICES_ANNOUNCE_ANNOUNCE_H

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/fetch.h"
#include "services/announce/announcer.h"

struct lt_announce;

#define LT_ANNOUNCE_NETWORKS 5

/* A network is on when its secret is there (X: the consumer key). Borrowed. */
struct lt_announce_conf {
	const char *site;  /* LIVETIMING_SITE_URL */
	const char *text;  /* template; its check was passed */
	const char *link;  /* template; its check was passed */
	int64_t retry_s;   /* before the second attempt; doubled for each further one */
	int64_t give_up_s; /* after the event was to be announced */
	struct lt_x_conf x;
	struct lt_mastodon_conf mastodon;
	struct lt_bluesky_conf bluesky;
	struct lt_discord_conf discord;
	struct lt_webhook_conf webhook;
};

/* Settings are copied, the rest is borrowed and outlives the object. */
struct lt_announce_env {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_log log;
	struct lt_requests requests;
	const char *state_dir; /* exists at start */
	const struct lt_announce_conf *conf;
};

struct lt_announce *lt_announce_create(const struct lt_announce_env *env);
/* What is under way is broken off; what is queued stays on disk. NULL is fine. */
void lt_announce_destroy(struct lt_announce *announce);

/* Read what an earlier run left, and go on with it. A broken file is set aside and reported. */
void lt_announce_start(struct lt_announce *announce);

/*
 * Other settings from now on. An attempt that is under way is broken off, and dealt with as after
 * a crash: made again where the network recognises a repeat. What waits keeps its text.
 */
void lt_announce_set_conf(struct lt_announce *announce, const struct lt_announce_conf *conf);

/* An event that begins. Borrowed for the call. */
struct lt_announcement {
	struct lt_str uid;     /* of the calendar entry */
	struct lt_wall start;  /* of this occurrence */
	struct lt_str name;    /* as the calendar has it; cleaned of what is no text */
	struct lt_str service; /* service class, or what it is shown as: for the link */
	bool hidden;
};

/* Queue it for every network that has not had it. Never fails, never waits. */
void lt_announce_event(struct lt_announce *announce, const struct lt_announcement *announcement);

/* Is any network configured? */
bool lt_announce_is_on(const struct lt_announce *announce);

/*
 * Try networks out with a message that says it is a test: one attempt, nothing
 * is queued. network empty: all that are configured. is_dry: only say what
 * would be sent. done is called exactly once, with a result it owns or NULL and
 * an error; at the latest from lt_announce_destroy.
 *
 *   [{"network", "text", "length", "limit" or null, "host", "result":
 *     "posted", "failed", "unknown" or "not sent", "reason"?}]
 */
void lt_announce_test(struct lt_announce *announce, struct lt_str network, bool is_dry,
		void (*done)(void *arg, cJSON *result_take, const struct lt_err *err), void *arg);

/*
 * {"networks": [{"network", "posted", "failures", "waiting"}],
 *  "announcements": [{"network", "name", "uid", "start": unix ms, "state": "waiting", "sending",
 *   "posted", "failed" or "unknown", "attempts", "created", "next"?, "text", "reason"?}]}, newest
 * first, 100 at most. The caller owns it.
 */
cJSON *lt_announce_list(const struct lt_announce *announce);

/* livetiming_posts_total, livetiming_post_failures_total and livetiming_posts_waiting, each by
 * network. */
void lt_announce_write_metrics(const struct lt_announce *announce, struct lt_buf *buf);

#endif
