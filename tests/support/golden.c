#include "support/golden.h"

#include "base/fsutil.h"
#include "support/test.h"

#define GOLDEN_MAX_BYTES (64u * 1024 * 1024)

static cJSON *parse_or_fail(struct lt_str text, const char *what)
{
	struct lt_err err = { .code = LT_E_NONE };
	cJSON *tree = lt_json_parse(text, &err);

	if (!tree) {
		fail_msg("%s: %s", what, err.msg);
	}
	return tree;
}

static struct lt_buf read_golden(const char *name)
{
	struct lt_err err = { .code = LT_E_NONE };
	struct lt_buf content = { 0 };
	char *path = shared_path(name);

	if (!lt_file_read(path, GOLDEN_MAX_BYTES, &content, &err)) {
		fail_msg("%s", err.msg);
	}
	free(path);
	return content;
}

cJSON *golden_json(const char *name)
{
	struct lt_buf content = read_golden(name);
	cJSON *tree = parse_or_fail(lt_buf_str(&content), name);

	lt_buf_finish(&content);
	return tree;
}

cJSON *golden_lines(const char *name)
{
	struct lt_buf content = read_golden(name);
	struct lt_str rest = lt_buf_str(&content);
	cJSON *lines = cJSON_CreateArray();

	while (rest.p) {
		struct lt_str line = lt_str_trim(lt_str_split(&rest, '\n'));

		if (line.n > 0) {
			cJSON_AddItemToArray(lines, parse_or_fail(line, name));
		}
	}
	lt_buf_finish(&content);
	return lines;
}

cJSON *json_of(const char *text)
{
	return parse_or_fail(lt_str_from(text), text);
}

static bool same_json(const cJSON *a, const cJSON *b)
{
	const cJSON *child, *other;

	if (!a || !b || (a->type & 0xFF) != (b->type & 0xFF) ||
			cJSON_GetArraySize(a) != cJSON_GetArraySize(b)) {
		return false;
	}
	if (cJSON_IsNumber(a)) {
		return a->valuedouble == b->valuedouble;
	}
	if (cJSON_IsString(a)) {
		return strcmp(a->valuestring, b->valuestring) == 0;
	}
	other = b->child;
	cJSON_ArrayForEach(child, a) {
		if (!same_json(child, cJSON_IsObject(a) ? lt_json_get(b, child->string) : other)) {
			return false;
		}
		other = other->next;
	}
	return true;
}

static void fail_unequal(const cJSON *actual, const cJSON *expected, const char *what)
{
	struct lt_buf left = { 0 }, right = { 0 };

	if (actual) {
		lt_json_print(&left, actual, LT_JSON_SPACED);
	}
	if (expected) {
		lt_json_print(&right, expected, LT_JSON_SPACED);
	}
	fail_msg("%s:\n  got      %.3000s\n  expected %.3000s", what, left.p ? left.p : "nothing",
			right.p ? right.p : "nothing");
}

void assert_json_equal(const cJSON *actual, const cJSON *expected, const char *what)
{
	if (!same_json(actual, expected)) {
		fail_unequal(actual, expected, what);
	}
}

void assert_same_set(const cJSON *actual, const cJSON *expected, const char *what)
{
	const cJSON *item, *other;

	cJSON_ArrayForEach(item, expected) {
		bool found = false;

		cJSON_ArrayForEach(other, actual) {
			found = found || same_json(item, other);
		}
		if (!found) {
			fail_unequal(actual, expected, what);
		}
	}
	if (cJSON_GetArraySize(actual) != cJSON_GetArraySize(expected)) {
		fail_unequal(actual, expected, what);
	}
}
