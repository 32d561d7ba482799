#include "base/random.h"
#include "router/local.h"
#include "router/router.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

#define ROLE(name, subscribe)                                                                      \
	"{\"roles\":{\"" name "\":{\"permissions\":[{\"uri\":\"\",\"match\":\"prefix\",\"allow\":" \
	"{\"call\":true,\"register\":false,\"publish\":false,\"subscribe\":" subscribe "}}]}}}"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_local *guest;
};

static bool set(const struct fixture *f, const char *permissions,
		const struct lt_principal *principals, size_t n, struct lt_err *err)
{
	struct lt_str text = lt_str_from(permissions);

	return lt_router_set_access(f->router,
			&(struct lt_access){ &text, permissions ? 1 : 0, principals, n }, err);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct lt_err err;

	f->loop = lt_loop_create(&err);
	f->random = lt_random_create(7, &err);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR("timing"), &err));
	assert_true(set(f, ROLE("guest", "true"), NULL, 0, &err));
	f->guest = lt_local_join(f->router, LT_STR("timing"), "ann", "guest", &err);
	assert_non_null(f->guest);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_local_leave(f->guest);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	free(f);
	return 0;
}

static void on_event(void *arg, const struct lt_event *event)
{
	(void)arg;
	(void)event;
}

static bool may_subscribe(const struct fixture *f)
{
	struct lt_err err;

	return lt_local_subscribe(f->guest, LT_STR("a.b"), LT_MATCH_EXACT, false, on_event, NULL,
			       &err) != 0;
}

static void a_session_has_the_new_rights_of_its_role(void **state)
{
	const struct fixture *f = *state;
	struct lt_err err;

	assert_true(may_subscribe(f));
	assert_true(set(f, ROLE("guest", "false"), NULL, 0, &err));
	assert_false(may_subscribe(f));
	assert_true(set(f, ROLE("guest", "true"), NULL, 0, &err));
	assert_true(may_subscribe(f));
}

static void a_role_that_is_named_no_more_may_do_nothing(void **state)
{
	const struct fixture *f = *state;
	struct lt_err err;

	assert_true(set(f, ROLE("other", "true"), NULL, 0, &err));
	assert_false(may_subscribe(f));
	assert_true(set(f, NULL, NULL, 0, &err));
	assert_false(may_subscribe(f));
}

static void broken_permissions_change_nothing(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"roles\":5}" };
	const struct fixture *f = *state;
	struct lt_err err;

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		assert_false(set(f, texts[i], NULL, 0, &err));
		assert_true(may_subscribe(f));
	}
}

static void principals_that_cannot_be_change_nothing(void **state)
{
	const struct lt_principal wrong[][2] = {
		{ { .authid = "a", .role = "nobody", .secret = LT_STR("s") } },
		{ { .authid = "a", .role = "guest" } },
		{ { .authid = "", .role = "guest", .secret = LT_STR("s") } },
		{ { .authid = "a", .role = "guest", .secret = LT_STR("s"), .salt = LT_STR("x") } },
		{ { .authid = "a", .role = "guest", .secret = LT_STR("s") },
				{ .authid = "a", .role = "guest", .secret = LT_STR("t") } },
	};
	const struct fixture *f = *state;
	struct lt_err err;

	for (size_t i = 0; i < LT_ARRAY_LEN(wrong); i++) {
		size_t n = wrong[i][1].authid ? 2 : 1;

		assert_false(set(f, ROLE("guest", "false"), wrong[i], n, &err));
		assert_true(may_subscribe(f));
	}
}

static void limits_that_are_set_hold_from_then_on(void **state)
{
	const struct fixture *f = *state;
	struct lt_limits limits = { .subscriptions = 1, .message_bytes = 5, .connections = 5 };
	struct lt_err err;

	lt_router_set_limits(f->router, &limits, &(struct lt_switches){ 0 });
	assert_int_not_equal(lt_local_subscribe(f->guest, LT_STR("a.b"), LT_MATCH_EXACT, false,
					     on_event, NULL, &err),
			0);
	assert_int_equal(lt_local_subscribe(f->guest, LT_STR("a.c"), LT_MATCH_EXACT, false,
					 on_event, NULL, &err),
			0);
	assert_int_equal(err.code, LT_E_LIMIT);
	assert_int_equal(lt_router_limits(f->router)->message_bytes, 4 * 1024 * 1024);
	assert_int_equal(lt_router_limits(f->router)->connections, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				a_session_has_the_new_rights_of_its_role, setup, teardown),
		cmocka_unit_test_setup_teardown(
				a_role_that_is_named_no_more_may_do_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_permissions_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
				principals_that_cannot_be_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
				limits_that_are_set_hold_from_then_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
