#include "race/feed_json.h"
#include "support/test.h"

static const struct lt_json_ext *const json = &lt_json_table;

static struct lt_value *parse(const char *text)
{
	char error[200] = "";

	return json->parse(lt_text_n(text, strlen(text)), error, sizeof(error));
}

static void a_document_is_read_by_names_and_in_order(void **state)
{
	struct lt_value *value = parse("{\"a\": [1, \"x\", null, true], \"b\": -2.5}");
	const struct lt_value *list = json->member(value, "a");
	const struct lt_value *item = json->first(list);

	(void)state;
	assert_int_equal(json->kind(value), LT_VALUE_OBJECT);
	assert_int_equal(json->kind(list), LT_VALUE_LIST);
	assert_true(json->number(item) == 1);
	item = json->next(item);
	assert_string_equal(json->text(item).p, "x");
	item = json->next(item);
	assert_int_equal(json->kind(item), LT_VALUE_NULL);
	item = json->next(item);
	assert_int_equal(json->kind(item), LT_VALUE_BOOL);
	assert_true(json->is_true(item));
	assert_null(json->next(item));
	assert_true(json->number(json->member(value, "b")) == -2.5);
	assert_string_equal(json->name(json->member(value, "b")).p, "b");
	json->free(value);
}

static void what_is_not_there_reads_as_nothing(void **state)
{
	struct lt_value *value = parse("7");

	(void)state;
	assert_int_equal(json->kind(NULL), LT_VALUE_NONE);
	assert_null(json->member(value, "a"));
	assert_null(json->member(NULL, "a"));
	assert_null(json->first(value));
	assert_null(json->first(NULL));
	assert_null(json->next(NULL));
	assert_int_equal(json->text(value).n, 0);
	assert_int_equal(json->name(value).n, 0);
	assert_true(json->number(NULL) == 0);
	assert_false(json->is_true(NULL));
	json->free(value);
	json->free(NULL);
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	static const char *const bad[] = { "", "{", "[1,]", "{'a': 1}", "nul", "1 2", "[\"\xff\"]",
		"{\"a\": 01}" };
	char error[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		assert_null(json->parse(lt_text_n(bad[i], strlen(bad[i])), error, sizeof(error)));
		assert_non_null(strstr(error, "byte"));
	}
	assert_null(json->parse(lt_text_n(NULL, 0), error, sizeof(error)));
}

static void nesting_is_bounded(void **state)
{
	char deep[2 * LT_FEED_JSON_DEPTH + 4], error[200];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i <= LT_FEED_JSON_DEPTH; i++) {
		deep[n++] = '[';
	}
	for (size_t i = 0; i <= LT_FEED_JSON_DEPTH; i++) {
		deep[n++] = ']';
	}
	assert_null(json->parse(lt_text_n(deep, n), error, sizeof(error)));

	struct lt_value *value = json->parse(lt_text_n(deep + 1, n - 2), error, sizeof(error));

	assert_non_null(value);
	json->free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read_by_names_and_in_order),
		cmocka_unit_test(what_is_not_there_reads_as_nothing),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(nesting_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
