#include "services/timeline/timeline_target.h"

#include <string.h>

#include "base/fsutil.h"
#include "router/http.h"

#define TIME_MAX      INT64_C(99999999999)
#define ANSWER_STEP_S 10 /* times of an analysis: those who watch together share one */

void lt_timeline_refuse(struct lt_http_req *req, int status, const char *code, const char *sentence)
{
	LT_AUTO(lt_buf_finish) struct lt_buf json = { 0 };

	lt_timeline_write_error(&json, code, sentence);
	lt_http_reply(req,
			&(struct lt_http_reply){ .status = status,
					.content_type = "application/json; charset=utf-8",
					.body = lt_buf_str(&json) });
}

static bool parse_time(struct lt_str text, int64_t *ret)
{
	struct lt_err ignored;

	return text.n > 0 && text.n <= 11 && lt_parse_i64(text, 0, TIME_MAX, ret, &ignored);
}

/* What stands behind the name. */
static bool parse_document(
		struct lt_http_req *req, struct lt_str rest, struct lt_timeline_target *target)
{
	static const struct {
		const char *name;
		enum lt_timeline_kind kind;
	} names[] = {
		{ "index.json", LT_TIMELINE_INDEX },
		{ "moments.json", LT_TIMELINE_MOMENTS },
		{ "messages.json", LT_TIMELINE_MESSAGES },
		{ "analysis.json", LT_TIMELINE_ANALYSIS },
	};
	struct lt_str first = LT_STR("0");

	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		if (!lt_str_eq_c(rest, names[i].name)) {
			continue;
		}
		target->kind = names[i].kind;
		if (target->kind != LT_TIMELINE_ANALYSIS) {
			return true;
		}
		if (!parse_time(lt_http_query(req, "at"), &target->time_s)) {
			lt_timeline_refuse(req, 400, "bad_request",
					"at is not a time in unix seconds");
			return false;
		}
		target->time_s -= target->time_s % ANSWER_STEP_S;
		return true;
	}
	if (target->is_live) {
		first = lt_str_split(&rest, '/');
	}
	if (!rest.p || !lt_str_ends(rest, LT_STR(".json"))) {
		lt_timeline_refuse(req, 404, "no_such_document", "there is no such document");
		return false;
	}
	rest.n -= strlen(".json");
	target->kind = LT_TIMELINE_CHUNK;
	if (!parse_time(first, &target->start_s) || !parse_time(rest, &target->time_s)) {
		lt_timeline_refuse(req, 400, "bad_request",
				"a chunk is named by a time in unix seconds");
		return false;
	}
	return true;
}

bool lt_timeline_parse_target(struct lt_http_req *req, struct lt_timeline_target *target)
{
	struct lt_str rest = lt_str_skip(lt_http_path(req), strlen(LT_TIMELINE_PREFIX));
	struct lt_str type = lt_str_split(&rest, '/');

	*target = (struct lt_timeline_target){ .is_live = lt_str_eq_c(type, "live"),
		.start_s = -1 };
	if ((!target->is_live && !lt_str_eq_c(type, "recordings")) || !rest.p) {
		lt_timeline_refuse(req, 404, "no_such_document", "there is no such document");
		return false;
	}
	target->name = lt_str_split(&rest, '/');
	if (!lt_name_is_safe(target->name) || target->name.p[0] == '.' || target->name.n > 150) {
		lt_timeline_refuse(
				req, 400, "bad_request", "this cannot be the name of a recording");
		return false;
	}
	if (!rest.p) {
		lt_timeline_refuse(req, 404, "no_such_document", "there is no such document");
		return false;
	}
	return parse_document(req, rest, target);
}
