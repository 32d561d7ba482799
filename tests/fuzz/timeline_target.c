/* Addresses of the timeline: a path, and behind a line feed the query "at". */
#include "services/timeline/timeline_target.h"

#include "base/fsutil.h"
#include "fuzz.h"
#include "router/http_req.h"

static void answered(void *arg)
{
	bool *is_answered = arg;

	*is_answered = true;
}

static void check(const struct lt_timeline_target *target)
{
	assert(target->name.n > 0 && target->name.n <= 150 && target->name.p[0] != '.');
	assert(lt_name_is_safe(target->name) && !memchr(target->name.p, '/', target->name.n));
	assert(target->start_s >= -1 && target->start_s <= INT64_C(99999999999));
	assert(target->time_s >= 0 && target->time_s <= INT64_C(99999999999));
	assert(target->kind != LT_TIMELINE_ANALYSIS || target->time_s % 10 == 0);
	assert(target->kind == LT_TIMELINE_CHUNK || target->start_s == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct lt_loop *loop;
	static struct lt_http *http;
	struct lt_str query = fuzz_text(bytes, n), path = lt_str_split(&query, '\n');
	struct lt_timeline_target target;
	struct lt_http_req *req;
	bool is_answered = false;

	if (!http) {
		loop = lt_loop_create(NULL);
		http = lt_http_create(loop);
	}
	if (n > 4096 || memchr(path.p, '\0', path.n) ||
			(query.p && memchr(query.p, '\0', query.n))) {
		return 0;
	}
	req = lt_http_req_create(http, 0);
	req->ready = answered;
	req->ready_arg = &is_answered;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_add_c(&text, LT_TIMELINE_PREFIX); /* the route */
	lt_buf_add_str(&text, path);
	req->path_n = text.n;
	req->path = lt_buf_steal(&text);
	if (query.p) {
		lt_http_req_add(&req->queries, &req->queries_n, LT_STR("at"), query);
	}
	if (lt_timeline_parse_target(req, &target)) {
		assert(!is_answered);
		check(&target);
	} else {
		assert(is_answered);
	}
	lt_http_req_free(req);
	return 0;
}
