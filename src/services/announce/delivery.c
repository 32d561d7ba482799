#include "services/announce/delivery.h"

#include "base/alloc.h"

#define TIMEOUT_MS 10000
#define ANSWER_MAX ((size_t)64 * 1024)
#define STEPS_MAX  4 /* record, session that has ended, session, record */

struct lt_delivery {
	struct lt_delivery_opts opts;
	struct lt_announce_request request;
	struct lt_fetch *fetch;
	char *key, *text, *link, *name, *uid, *service;
	int steps;
};

static struct lt_str keep(struct lt_str text, char **ret_copy)
{
	*ret_copy = lt_str_dup(text);
	return (struct lt_str){ *ret_copy, text.n };
}

static void free_delivery(struct lt_delivery *delivery)
{
	lt_announce_request_finish(&delivery->request);
	lt_free(delivery->key);
	lt_free(delivery->text);
	lt_free(delivery->link);
	lt_free(delivery->name);
	lt_free(delivery->uid);
	lt_free(delivery->service);
	lt_free(delivery);
}

static void finish(struct lt_delivery *delivery, enum lt_verdict verdict, int64_t retry_after_s,
		const struct lt_err *reason)
{
	const struct lt_delivery_opts opts = delivery->opts;

	free_delivery(delivery);
	opts.done(opts.arg, verdict, retry_after_s, reason);
}

static bool send_step(struct lt_delivery *delivery, struct lt_err *err);

static void on_result(void *arg, const struct lt_fetch_result *result)
{
	struct lt_delivery *delivery = arg;
	struct lt_announcer *announcer = delivery->opts.announcer;
	struct lt_err reason = { 0 };
	enum lt_verdict verdict = announcer->ops->judge(
			announcer, &delivery->opts.post, &delivery->request, result, &reason);
	int64_t retry_after_s =
			lt_announcer_retry_after_s(announcer, result, delivery->opts.post.now);

	delivery->fetch = NULL;
	if (verdict == LT_POST_NEXT) {
		if (delivery->steps < STEPS_MAX && send_step(delivery, &reason)) {
			return;
		}
		verdict = LT_POST_RETRY;
	}
	finish(delivery, verdict, retry_after_s, &reason);
}

static bool send_step(struct lt_delivery *delivery, struct lt_err *err)
{
	const struct lt_requests *requests = delivery->opts.requests;
	struct lt_announcer *announcer = delivery->opts.announcer;
	struct lt_announce_request *request = &delivery->request;

	lt_announce_request_finish(request);
	announcer->ops->build(announcer, &delivery->opts.post, request);
	delivery->steps++;
	delivery->fetch = requests->start(requests->arg,
			&(struct lt_fetch_opts){
					.url = request->url,
					.method = "POST",
					.headers = (const char *const *)request->headers,
					.body = lt_buf_str(&request->body),
					.timeout_ms = TIMEOUT_MS,
					.body_max = ANSWER_MAX,
					.once = true,
					.result = on_result,
					.arg = delivery,
			},
			err);
	return delivery->fetch != NULL;
}

struct lt_delivery *lt_delivery_start(const struct lt_delivery_opts *opts, struct lt_err *err)
{
	struct lt_delivery *delivery = lt_zalloc(sizeof(*delivery));
	struct lt_post *post = &delivery->opts.post;

	delivery->opts = *opts;
	post->key = keep(post->key, &delivery->key);
	post->text = keep(post->text, &delivery->text);
	post->link = keep(post->link, &delivery->link);
	post->name = keep(post->name, &delivery->name);
	post->uid = keep(post->uid, &delivery->uid);
	post->service = keep(post->service, &delivery->service);
	if (!send_step(delivery, err)) {
		free_delivery(delivery);
		return NULL;
	}
	return delivery;
}

void lt_delivery_cancel(struct lt_delivery *delivery)
{
	if (delivery) {
		delivery->opts.requests->cancel(delivery->opts.requests->arg, delivery->fetch);
		free_delivery(delivery);
	}
}
