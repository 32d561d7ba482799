/*
 * One network that announcements go to: a table of functions, and an object
 * that keeps its addresses and secrets. Announcers do no I/O: they make
 * requests and judge answers, and whoever calls them sends (delivery.h). One
 * file a network; announcers.c makes those that are configured.
 *
 * Secrets stand in headers and bodies of requests, and in the URLs of Discord
 * and of webhooks: none of these is ever logged. lt_announce_request.where is
 * what may be shown.
 */
#ifndef LT_SERVICES_ANNOUNCE_ANNOUNCER_H
#define LT_SERVICES_ANNOUNCE_ANNOUNCER_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "net/fetch.h"

struct lt_random;

/* What is posted, as one network gets it. All borrowed. */
struct lt_post {
	struct lt_str key;  /* the same at every attempt, different for every announcement */
	struct lt_str text; /* fits the network */
	struct lt_str link; /* as it stands in the text */
	struct lt_str name; /* of the event */
	struct lt_str uid;  /* of the event */
	struct lt_str service;
	struct lt_wall start;   /* of the event */
	struct lt_wall created; /* when it was first to be posted */
	struct lt_wall now;
	bool is_repeat; /* an earlier attempt may have been posted */
	bool is_test;
};

#define LT_ANNOUNCE_HEADERS_MAX 6

/* Zero-initialised is empty; lt_announce_request_finish frees. */
struct lt_announce_request {
	int step;     /* of networks that take several requests; 0 is the first */
	bool is_post; /* its success means that the text was posted */
	char *url;
	struct lt_buf where; /* host of the URL, for people */
	char *headers[LT_ANNOUNCE_HEADERS_MAX + 1];
	struct lt_buf body;
};

void lt_announce_request_finish(struct lt_announce_request *request);

/* "Name: value"; the values are put together. */
void lt_announce_request_header(
		struct lt_announce_request *request, const char *name, struct lt_str value);

/* The URL, and its host. */
void lt_announce_request_url(
		struct lt_announce_request *request, const char *url, const char *path);

enum lt_verdict {
	LT_POST_DONE,
	LT_POST_NEXT,    /* there is another step: build again, at once */
	LT_POST_RETRY,   /* not posted; later it may be */
	LT_POST_UNKNOWN, /* may have been posted or not */
	LT_POST_REFUSED, /* not posted, and never will be */
};

/* First member of every announcer. */
struct lt_announcer {
	const struct lt_announcer_ops *ops;
};

struct lt_announcer_ops {
	const char *name; /* as users write it, and as metrics do */
	/* The network recognises that it has a post already, so one whose result is unknown may be
	 * sent again. */
	bool knows_repeats;
	size_t text_max; /* in the network's own count; 0: none */
	size_t (*text_length)(struct lt_str text);
	/* Fills the request from zero. */
	void (*build)(struct lt_announcer *self, const struct lt_post *post,
			struct lt_announce_request *ret_request);
	/* reason is set unless the verdict is DONE or NEXT. */
	enum lt_verdict (*judge)(struct lt_announcer *self, const struct lt_post *post,
			const struct lt_announce_request *request,
			const struct lt_fetch_result *result, struct lt_err *reason);
	/* Seconds to wait that the network tells in a way of its own; -1: it does not. Optional. */
	int64_t (*retry_after_s)(const struct lt_fetch_result *result, struct lt_wall now);
	void (*destroy)(struct lt_announcer *self);
};

void lt_announcer_destroy(struct lt_announcer *announcer); /* NULL is fine */

/* How long the answer asks to wait, by any of the ways; -1: it does not say. */
int64_t lt_announcer_retry_after_s(const struct lt_announcer *announcer,
		const struct lt_fetch_result *result, struct lt_wall now);

/*
 * What an answer means on most networks: 2xx is DONE; 408, 425, 429 and most
 * 5xx are RETRY; no answer, 502 and 504 are UNKNOWN when the request was sent;
 * the rest is REFUSED. The reason quotes the beginning of the body.
 */
enum lt_verdict lt_announcer_judge(const struct lt_fetch_result *result, struct lt_err *reason);

/*
 * For networks that answer a success with JSON that has `member`: without it, a
 * 2xx is UNKNOWN (a login page of somebody's network, say).
 */
enum lt_verdict lt_announcer_judge_json(
		const struct lt_fetch_result *result, const char *member, struct lt_err *reason);

/* --- the networks; settings are copied --- */

struct lt_x_conf {
	const char *url;
	const char *consumer_key, *consumer_secret, *access_token, *access_secret;
};
struct lt_mastodon_conf {
	const char *url, *token, *visibility;
};
struct lt_bluesky_conf {
	const char *url, *handle, *password;
};
struct lt_discord_conf {
	const char *url;
};
struct lt_webhook_conf {
	const char *url, *secret; /* secret NULL: not signed */
};

struct lt_announcer *lt_x_create(const struct lt_x_conf *conf, struct lt_random *random);
struct lt_announcer *lt_mastodon_create(const struct lt_mastodon_conf *conf);
struct lt_announcer *lt_bluesky_create(const struct lt_bluesky_conf *conf);
struct lt_announcer *lt_discord_create(const struct lt_discord_conf *conf);
struct lt_announcer *lt_webhook_create(const struct lt_webhook_conf *conf);

#endif
