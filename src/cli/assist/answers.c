#include "cli/assist/answers.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"

#define FILE_BYTES_MAX ((size_t)16 << 20)

bool lt_answers_load(struct lt_answers *answers, const char *path, struct lt_err *err)
{
	*answers = (struct lt_answers){ .path = path };
	if (access(path, F_OK) != 0) {
		answers->events = cJSON_CreateObject();
		return true;
	}
	answers->events = lt_json_parse_file(path, FILE_BYTES_MAX, err);
	if (answers->events && !cJSON_IsObject(answers->events)) {
		lt_err_set(err, LT_E_FORMAT, "%s: not an object", path);
		lt_answers_finish(answers);
	}
	return answers->events != NULL;
}

void lt_answers_finish(struct lt_answers *answers)
{
	cJSON_Delete(answers->events);
	*answers = (struct lt_answers){ 0 };
}

void lt_answers_place(struct lt_buf *buf, const char *service, const struct lt_args *args, size_t i)
{
	if (i > 0 && args->v[i - 1][0] == '-') {
		lt_buf_printf(buf, "%s %s", service, args->v[i - 1]);
	} else {
		lt_buf_printf(buf, "%s argument %zu", service, i + 1);
	}
}

const char *lt_answers_get(const struct lt_answers *answers, const char *uid, const char *place)
{
	return cJSON_GetStringValue(lt_json_get(lt_json_get(answers->events, uid), place));
}

const char *lt_answers_last(const struct lt_answers *answers, const char *place)
{
	const cJSON *event;
	const char *found = NULL;

	cJSON_ArrayForEach(event, answers->events) {
		const char *answer = cJSON_GetStringValue(lt_json_get(event, place));

		found = answer ? answer : found;
	}
	return found;
}

bool lt_answers_set(struct lt_answers *answers, const char *uid, const char *place,
		const char *answer, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	LT_AUTO(lt_free) char *said = lt_strdup(answer); /* it may be one of ours */
	cJSON *event = cJSON_DetachItemFromObjectCaseSensitive(answers->events, uid);

	if (!cJSON_IsObject(event)) {
		cJSON_Delete(event);
		event = cJSON_CreateObject();
	}
	lt_json_set_take(event, place, cJSON_CreateString(said));
	lt_json_set_take(answers->events, uid, event);
	if (!answers->path) {
		return true;
	}
	lt_json_print(&text, answers->events, LT_JSON_INDENTED);
	lt_buf_add_char(&text, '\n');
	return lt_file_replace(answers->path, lt_buf_str(&text), 0600, err) ||
			lt_err_prefix(err, "answers");
}
