#include "base/fsutil.h"
#include "router/authz.h"
#include "support/test.h"

static int setup(void **state)
{
	*state = lt_authz_create();
	return 0;
}

static int teardown(void **state)
{
	lt_authz_destroy(*state);
	return 0;
}

static const struct lt_role *role(struct lt_authz *authz, const char *name)
{
	const struct lt_role *found = lt_authz_role(authz, lt_str_from(name));

	assert_non_null(found);
	return found;
}

static bool may(struct lt_authz *authz, const char *name, enum lt_action action, const char *uri)
{
	return lt_role_allows(role(authz, name), action, lt_str_from(uri), LT_MATCH_EXACT);
}

static void load(struct lt_authz *authz, const char *permissions)
{
	struct lt_err err;
	char text[2000];

	snprintf(text, sizeof(text), "{\"roles\":{\"r\":{\"permissions\":[%s]}}}", permissions);
	if (!lt_authz_load(authz, lt_str_from(text), &err)) {
		fail_msg("%s", err.msg);
	}
}

static void the_built_in_roles_are_those_of_the_original(void **state)
{
	assert_true(may(*state, "anonymous", LT_ACTION_CALL, "a.b"));
	assert_true(may(*state, "anonymous", LT_ACTION_SUBSCRIBE, "a.b"));
	assert_false(may(*state, "anonymous", LT_ACTION_PUBLISH, "a.b"));
	assert_false(may(*state, "anonymous", LT_ACTION_REGISTER, "a.b"));
	assert_false(may(*state, "anonymous", LT_ACTION_CALL, "wamp.session.count"));
	assert_true(may(*state, "services", LT_ACTION_PUBLISH, "a.b"));
	assert_true(may(*state, "services", LT_ACTION_CALL, "wamp.session.count"));
	assert_null(lt_authz_role(*state, LT_STR("nobody")));
}

static void the_most_specific_rule_decides(void **state)
{
	load(*state,
			"{\"uri\":\"\",\"match\":\"prefix\",\"allow\":{\"call\":true}},"
			"{\"uri\":\"a.\",\"match\":\"prefix\",\"allow\":{}},"
			"{\"uri\":\"a.b\",\"allow\":{\"call\":true}},"
			"{\"uri\":\"x.*\",\"allow\":{\"publish\":true}}");

	assert_true(may(*state, "r", LT_ACTION_CALL, "z"));
	assert_false(may(*state, "r", LT_ACTION_CALL, "a.c"));
	assert_true(may(*state, "r", LT_ACTION_CALL, "a.b"));
	assert_true(may(*state, "r", LT_ACTION_PUBLISH, "x.y"));
	assert_false(may(*state, "r", LT_ACTION_CALL, "x.y"));
}

static void a_wide_pattern_does_not_get_around_a_narrow_refusal(void **state)
{
	const struct lt_role *r;

	load(*state,
			"{\"uri\":\"\",\"match\":\"prefix\",\"allow\":{\"subscribe\":true}},"
			"{\"uri\":\"secret.\",\"match\":\"prefix\",\"allow\":{}},"
			"{\"uri\":\"secret.open.\",\"match\":\"prefix\","
			"\"allow\":{\"subscribe\":true}},"
			"{\"uri\":\"one\",\"allow\":{\"subscribe\":true}}");
	r = role(*state, "r");

	assert_false(lt_role_allows(r, LT_ACTION_SUBSCRIBE, LT_STR(""), LT_MATCH_PREFIX));
	assert_false(lt_role_allows(r, LT_ACTION_SUBSCRIBE, LT_STR("sec"), LT_MATCH_PREFIX));
	assert_false(lt_role_allows(r, LT_ACTION_SUBSCRIBE, LT_STR(".x"), LT_MATCH_WILDCARD));
	assert_true(lt_role_allows(r, LT_ACTION_SUBSCRIBE, LT_STR("open."), LT_MATCH_PREFIX));
	assert_true(lt_role_allows(
			r, LT_ACTION_SUBSCRIBE, LT_STR("secret.open.a"), LT_MATCH_PREFIX));
}

static void an_exact_rule_does_not_open_a_pattern(void **state)
{
	load(*state, "{\"uri\":\"one\",\"allow\":{\"subscribe\":true}}");

	assert_false(lt_role_allows(
			role(*state, "r"), LT_ACTION_SUBSCRIBE, LT_STR("one"), LT_MATCH_PREFIX));
}

static void disclosure_is_per_rule(void **state)
{
	load(*state, "{\"uri\":\"a.*\",\"allow\":{},\"disclose\":{\"publisher\":true}}");

	assert_true(lt_role_discloses(role(*state, "r"), LT_ACTION_PUBLISH, LT_STR("a.b")));
	assert_false(lt_role_discloses(role(*state, "r"), LT_ACTION_CALL, LT_STR("a.b")));
}

static void the_example_file_opens_everything_but_the_routers_own(void **state)
{
	char *path = shared_path("bench/open-permissions.json");
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_err err;

	assert_true(lt_file_read(path, 100000, &text, &err));
	free(path);
	assert_true(lt_authz_load(*state, lt_buf_str(&text), &err));

	assert_true(may(*state, "anonymous", LT_ACTION_PUBLISH, "a"));
	assert_true(may(*state, "anonymous", LT_ACTION_REGISTER, "a"));
	assert_false(may(*state, "anonymous", LT_ACTION_CALL, "wamp.session.kill"));
	assert_true(may(*state, "services", LT_ACTION_REGISTER, "a"));
}

static void crossbars_list_of_roles_is_read_too(void **state)
{
	struct lt_err err;

	assert_true(lt_authz_load(
			*state, LT_STR("{\"roles\":[{\"name\":\"r\",\"permissions\":[]}]}"), &err));

	assert_false(may(*state, "r", LT_ACTION_CALL, "a"));
}

static void a_bad_file_changes_nothing_and_says_where(void **state)
{
	static const char *const bad[][2] = {
		{ "nonsense", "permissions: " },
		{ "{}", "roles must be an object" },
		{ "{\"roles\":{\"r\":{}}}", "role \"r\": permissions must be an array" },
		{ "{\"roles\":{\"r\":{\"permissions\":[1]}}}", "permissions[0]: not an object" },
		{ "{\"roles\":{\"r\":{\"permissions\":[{\"uri\":7}]}}}", "uri" },
		{ "{\"roles\":{\"r\":{\"permissions\":[{\"uri\":\"a\",\"match\":\"x\"}]}}}",
				"match must be" },
		{ "{\"roles\":{\"r\":{\"permissions\":[{\"uri\":\"a..b\"}]}}}", "empty component" },
		{ "{\"roles\":{\"r\":{\"permissions\":[{\"uri\":\"a\",\"allow\":[]}]}}}",
				"must be objects" },
		{ "{\"roles\":{\"r\":{\"permissions\":[{\"uri\":\"a\",\"allow\":{\"call\":1}}]}}}",
				"allow: " },
		{ "{\"roles\":{\"r\":{\"permissions\":[{\"uri\":\"a\"},{\"uri\":\"a\"}]}}}",
				"twice" },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		struct lt_err err;

		assert_false(lt_authz_load(*state, lt_str_from(bad[i][0]), &err));
		if (!strstr(err.msg, bad[i][1])) {
			fail_msg("%s: %s", bad[i][0], err.msg);
		}
		assert_null(lt_authz_role(*state, LT_STR("r")));
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_built_in_roles_are_those_of_the_original),
		TEST(the_most_specific_rule_decides),
		TEST(a_wide_pattern_does_not_get_around_a_narrow_refusal),
		TEST(an_exact_rule_does_not_open_a_pattern),
		TEST(disclosure_is_per_rule),
		TEST(the_example_file_opens_everything_but_the_routers_own),
		TEST(crossbars_list_of_roles_is_read_too),
		TEST(a_bad_file_changes_nothing_and_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
