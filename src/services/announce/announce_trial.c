/* Trying networks out: a message that says it is a test, once, past the queue. */
#include "base/alloc.h"
#include "base/table.h"
#include "services/announce/announce_priv.h"

struct
try {
	struct lt_announce_trial *trial;
	struct lt_delivery *delivery; /* NULL: over */
	cJSON *item;                  /* in the trial's result */
};

/* One call of lt_announce_test. */
struct lt_announce_trial {
	struct lt_announce *announce;
	struct try tries[LT_ANNOUNCE_NETWORKS];
	size_t n, running;
	bool is_starting; /* it does not end in the call that began it */
	cJSON *result;
	void (*done)(void *arg, cJSON *result_take, const struct lt_err *err);
	void *arg;
	struct lt_deferred end;
	struct lt_announce_trial *prev, *next;
};

static void free_trial(struct lt_announce_trial *trial)
{
	DL_DELETE(trial->announce->trials, trial);
	lt_deferred_cancel(&trial->end);
	cJSON_Delete(trial->result);
	lt_free(trial);
}

static void end_trial(void *arg)
{
	struct lt_announce_trial *trial = arg;
	void (*done)(void *arg, cJSON *result_take, const struct lt_err *err) = trial->done;
	void *done_arg = trial->arg;
	cJSON *result = LT_STEAL(trial->result);

	free_trial(trial);
	done(done_arg, result, NULL);
}

static void end_if_over(struct lt_announce_trial *trial)
{
	if (!trial->running && !trial->is_starting) {
		lt_loop_defer(trial->announce->env.loop, &trial->end, end_trial, trial);
	}
}

static void tell(cJSON *item, enum lt_verdict verdict, const struct lt_err *reason)
{
	lt_json_add_c(item, "result",
			verdict == LT_POST_DONE                      ? "posted"
					: verdict == LT_POST_UNKNOWN ? "unknown"
								     : "failed");
	if (verdict != LT_POST_DONE) {
		lt_json_add_c(item, "reason", reason->msg);
	}
}

static void on_tried(void *arg, enum lt_verdict verdict, int64_t retry_after_s,
		const struct lt_err *reason)
{
	struct try *try = arg;

	(void)retry_after_s;
	try->delivery = NULL;
	tell(try->item, verdict, reason);
	try->trial->running--;
	end_if_over(try->trial);
}

/* What would be sent, as far as it is no secret. */
static cJSON *describe(struct lt_announcer *announcer, const struct lt_post *post)
{
	struct lt_announce_request request = { 0 };
	cJSON *item = cJSON_CreateObject();

	announcer->ops->build(announcer, post, &request);
	lt_json_add_c(item, "network", announcer->ops->name);
	lt_json_add_str(item, "text", post->text);
	lt_json_add_int(item, "length", (int64_t)announcer->ops->text_length(post->text));
	lt_json_set_take(item, "limit",
			announcer->ops->text_max
					? lt_json_new_int((int64_t)announcer->ops->text_max)
					: cJSON_CreateNull());
	lt_json_add_str(item, "host", lt_buf_str(&request.where));
	lt_announce_request_finish(&request);
	return item;
}

static void try_network(
		struct lt_announce_trial *trial, struct lt_announcer *announcer, bool is_dry)
{
	struct try *try = &trial->tries[trial->n++];
	struct lt_announce *announce = trial->announce;
	struct lt_wall now = lt_loop_wall(announce->env.loop);
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf link = { 0 };
	struct lt_post post = {
		.service = LT_STR("test"), .start = now, .created = now, .now = now
	};
	struct lt_err err = { 0 };
	char time[LT_WALL_TEXT];

	/* the time makes it another text each time: networks refuse what they have */
	lt_wall_format(now, time);
	lt_buf_printf(&name, "Test of announcements, %.10s %.8s UTC", time, time + 11);
	lt_announce_write_post(announce, announcer,
			&(struct lt_template_values){
					.name = lt_buf_str(&name),
					.service = post.service,
					.start = now,
			},
			&text, &link);
	post.key = post.name = post.uid = lt_buf_str(&name);
	post.text = lt_buf_str(&text);
	post.link = lt_buf_str(&link);
	post.is_test = true;
	try->trial = trial;
	try->item = describe(announcer, &post);
	cJSON_AddItemToArray(trial->result, try->item);
	if (is_dry) {
		lt_json_add_c(try->item, "result", "not sent");
		return;
	}
	try->delivery = lt_delivery_start(
			&(struct lt_delivery_opts){
					.requests = &announce->env.requests,
					.announcer = announcer,
					.post = post,
					.done = on_tried,
					.arg = try,
			},
			&err);
	if (try->delivery) {
		trial->running++;
	} else {
		tell(try->item, LT_POST_REFUSED, &err);
	}
}

static bool check_network(struct lt_announce *announce, struct lt_str network, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (!announce->n) {
		return lt_err_set(err, LT_E_NOT_FOUND,
				"no network is configured: see LIVETIMING_ANNOUNCE_... and TWITTER_...");
	}
	if (network.n && !lt_announce_find_network(announce, network)) {
		return lt_err_set(err, LT_E_NOT_FOUND, "network %s is not configured",
				lt_str_quote(network, quoted));
	}
	return true;
}

void lt_announce_test(struct lt_announce *announce, struct lt_str network, bool is_dry,
		void (*done)(void *arg, cJSON *result_take, const struct lt_err *err), void *arg)
{
	struct lt_announce_trial *trial;
	struct lt_err err = { 0 };

	if (!check_network(announce, network, &err)) {
		done(arg, NULL, &err);
		return;
	}
	trial = lt_zalloc(sizeof(*trial));
	trial->announce = announce;
	trial->done = done;
	trial->arg = arg;
	trial->result = cJSON_CreateArray();
	trial->is_starting = true;
	DL_APPEND(announce->trials, trial);
	for (size_t i = 0; i < announce->n; i++) {
		struct lt_announcer *announcer = announce->networks[i].announcer;

		if (!network.n || lt_str_eq_c(network, announcer->ops->name)) {
			try_network(trial, announcer, is_dry);
		}
	}
	trial->is_starting = false;
	end_if_over(trial);
}

void lt_announce_end_trials(struct lt_announce *announce, const char *reason)
{
	struct lt_announce_trial *trial, *next;
	struct lt_err err = { 0 };

	lt_err_set(&err, LT_E_UNAVAILABLE, "%s", reason);
	DL_FOREACH_SAFE(announce->trials, trial, next) {
		void (*done)(void *arg, cJSON *result_take, const struct lt_err *err) = trial->done;
		void *arg = trial->arg;

		for (size_t i = 0; i < trial->n; i++) {
			lt_delivery_cancel(trial->tries[i].delivery);
		}
		free_trial(trial);
		done(arg, NULL, &err);
	}
}
