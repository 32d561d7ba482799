#include "support/analysis_golden.h"

#include <math.h>
#include <zlib.h>

#include "support/golden.h"
#include "support/test.h"

#define TOLERANCE 1e-9
#define CHUNK     65536

const char *const golden_sets[] = { "s11-wec-8x5m", "s22-club-14x12m", "s33-tsnl-10x8m",
	"s44-nonum-5x3m", NULL };

const char *golden_name(char buf[GOLDEN_NAME_MAX], const char *set, const char *file)
{
	snprintf(buf, GOLDEN_NAME_MAX, "golden/%s/%s", set, file);
	return buf;
}

static bool is_close(double a, double b)
{
	return a == b || fabs(a - b) <= TOLERANCE * fmax(fabs(a), fabs(b));
}

static bool same_analysis(const cJSON *a, const cJSON *b)
{
	const cJSON *child, *other;

	if (!a || !b || (a->type & 0xFF) != (b->type & 0xFF) ||
			cJSON_GetArraySize(a) != cJSON_GetArraySize(b)) {
		return false;
	}
	if (cJSON_IsNumber(a)) {
		return lt_json_is_float(a) == lt_json_is_float(b) &&
				is_close(a->valuedouble, b->valuedouble);
	}
	if (cJSON_IsString(a)) {
		return strcmp(a->valuestring, b->valuestring) == 0;
	}
	other = b->child;
	cJSON_ArrayForEach(child, a) {
		if (!same_analysis(child,
				    cJSON_IsObject(a) ? lt_json_get(b, child->string) : other)) {
			return false;
		}
		other = other->next;
	}
	return true;
}

/* The smallest part that differs is what one wants to see. */
static void show_difference(const cJSON *actual, const cJSON *expected, const char *what)
{
	const cJSON *child;
	struct lt_buf text = { 0 };

	if (cJSON_IsObject(actual) && cJSON_IsObject(expected)) {
		cJSON_ArrayForEach(child, expected) {
			const cJSON *mine = lt_json_get(actual, child->string);

			if (!same_analysis(mine, child)) {
				print_message("%s: in \"%s\":\n", what, child->string);
				if (mine) {
					show_difference(mine, child, what);
				}
				return;
			}
		}
	}
	lt_json_print(&text, actual, LT_JSON_COMPACT);
	lt_buf_add_c(&text, "\nexpected:\n");
	lt_json_print(&text, expected, LT_JSON_COMPACT);
	print_message("%s\n", text.p);
	lt_buf_finish(&text);
}

void assert_analysis_equal(const cJSON *actual, const cJSON *expected, const char *what)
{
	if (!same_analysis(actual, expected)) {
		show_difference(actual, expected, what);
		fail_msg("%s: differs from the reference data", what);
	}
}

cJSON *golden_gzip_lines(const char *name)
{
	char *path = shared_path(name);
	gzFile file = gzopen(path, "rb");
	struct lt_buf content = { 0 };
	cJSON *lines = cJSON_CreateArray();
	struct lt_str rest;
	int n;

	assert_non_null(file);
	do {
		lt_buf_reserve(&content, CHUNK + 1);
		n = gzread(file, content.p + content.n, CHUNK);
		assert_true(n >= 0);
		content.n += (size_t)n;
	} while (n > 0);
	gzclose(file);
	rest = lt_buf_str(&content);
	while (rest.p) {
		struct lt_str line = lt_str_trim(lt_str_split(&rest, '\n'));
		struct lt_err err = { .code = LT_E_NONE };

		if (line.n > 0) {
			cJSON *value = lt_json_parse(line, &err);

			assert_non_null(value);
			cJSON_AddItemToArray(lines, value);
		}
	}
	lt_buf_finish(&content);
	free(path);
	return lines;
}
