#include "base/alloc.h"
#include "base/json.h"
#include "base/random.h"
#include "race/envelope.h"
#include "router/local.h"
#include "router/router.h"
#include "services/directory/directory.h"
#include "support/test.h"
#include "support_fake/loop_fake.h"

/* A directory in a real router, services and a viewer that join it in process, time by hand. */
struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_router *router;
	struct lt_directory *directory;
	cJSON *principals;
	struct lt_local *viewer;
	int listings;         /* events on the directory topic */
	struct lt_buf latest; /* args of the last one */
	int hellos;           /* messages of class 1 on the control channel */
	char result[512];     /* of list_services */
	const char *closed;   /* uuid of a private service, or NULL */
	uint64_t admitted;    /* session that may see it */
};

struct service {
	struct fixture *fixture;
	struct lt_local *local;
	uint64_t alive; /* registration */
	bool is_mute;   /* takes the call and never answers */
	int asked;
};

static void on_listing(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;

	f->listings++;
	lt_buf_clear(&f->latest);
	lt_buf_add_str(&f->latest, event->args);
}

static void on_control(void *arg, const struct lt_event *event)
{
	struct fixture *f = arg;

	cJSON *args = lt_json_parse(event->args, NULL);
	struct lt_envelope envelope;

	f->hellos += lt_envelope_read(args, lt_loop_wall(f->loop), &envelope, NULL) &&
			envelope.msg_class == LT_MSG_INITIALISE_DIRECTORY;
	cJSON_Delete(args);
}

#define ALLOW "{\"call\":true,\"register\":true,\"publish\":true,\"subscribe\":true}"
/* As the daemon has them: publishers on the control channel are disclosed. */
#define PERMISSIONS                                                                                \
	"{\"roles\":{\"services\":{\"permissions\":["                                              \
	"{\"uri\":\"\",\"match\":\"prefix\",\"allow\":" ALLOW "},"                                 \
	"{\"uri\":\"livetiming.control\",\"match\":\"exact\",\"allow\":" ALLOW                     \
	",\"disclose\":{\"publisher\":true}}]},\"external_service\":{\"permissions\":["            \
	"{\"uri\":\"livetiming.\",\"match\":\"prefix\",\"allow\":" ALLOW                           \
	",\"disclose\":{\"publisher\":true}}]}}}"

static bool is_closed(void *arg, struct lt_str uuid)
{
	const struct fixture *f = arg;

	return f->closed && lt_str_eq_c(uuid, f->closed);
}

static bool may_see(void *arg, struct lt_str uuid, uint64_t session)
{
	const struct fixture *f = arg;

	return !is_closed(arg, uuid) || session == f->admitted;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct lt_err err = { 0 };

	f->loop = lt_loop_create(&err);
	f->random = lt_random_create(7, &err);
	f->router = lt_router_create(&(struct lt_router_env){
			.loop = f->loop, .random = f->random, .agent = "test" });
	assert_true(lt_router_add_realm(f->router, LT_STR("timing"), &err));
	assert_true(lt_router_set_permissions(f->router, LT_STR(PERMISSIONS), &err));
	f->principals = lt_json_parse(
			LT_STR("{\"track7\":{\"secret\":\"s\",\"role\":\"external_service\","
			       "\"extra\":{\"name\":\"Track 7\"}}}"),
			&err);
	f->viewer = lt_local_join(f->router, LT_STR("timing"), "viewer", "services", &err);
	assert_true(lt_local_subscribe(f->viewer, LT_STR("livetiming.directory"), LT_MATCH_EXACT,
			false, on_listing, f, &err));
	assert_true(lt_local_subscribe(f->viewer, LT_STR("livetiming.control"), LT_MATCH_EXACT,
			false, on_control, f, &err));
	f->directory = lt_directory_create(&(struct lt_directory_env){ .loop = f->loop,
			.router = f->router,
			.principals = f->principals,
			.is_closed = is_closed,
			.may_see = may_see,
			.arg = f });
	assert_true(lt_directory_start(f->directory, &err));
	lt_fake_settle(f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lt_directory_destroy(f->directory);
	lt_local_leave(f->viewer);
	lt_router_destroy(f->router);
	lt_random_destroy(f->random);
	lt_loop_destroy(f->loop);
	cJSON_Delete(f->principals);
	lt_buf_finish(&f->latest);
	free(f);
	return 0;
}

static void on_alive(void *arg, const struct lt_invocation *invocation)
{
	struct service *service = arg;

	service->asked++;
	if (!service->is_mute) {
		lt_local_yield(service->local, invocation->id, LT_STR("[true]"));
	}
}

static void say_manifest(struct service *service, const char *manifest)
{
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	struct lt_err err = { 0 };

	lt_envelope_write(&args, LT_MSG_SERVICE_REGISTRATION, lt_loop_wall(service->fixture->loop),
			false, lt_str_from(manifest));
	assert_true(lt_local_publish(service->local, LT_STR("livetiming.control"), false,
			lt_buf_str(&args), &err));
	lt_fake_settle(service->fixture->loop);
}

static void join_as(struct fixture *f, struct service *service, const char *authid,
		const char *role, const char *uuid)
{
	LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };
	struct lt_err err = { 0 };

	service->fixture = f;
	service->local = lt_local_join(f->router, LT_STR("timing"), authid, role, &err);
	assert_non_null(service->local);
	lt_buf_printf(&procedure, "livetiming.service.isAlive.%s", uuid);
	assert_true(lt_local_register(service->local, lt_buf_str(&procedure), true, on_alive,
			service, &service->alive, &err));
}

static void join(struct fixture *f, struct service *service, const char *uuid)
{
	join_as(f, service, "services", "services", uuid);
}

static void leave(struct service *service)
{
	lt_local_leave(LT_STEAL(service->local));
	lt_fake_settle(service->fixture->loop);
}

static void on_result(void *arg, const struct lt_result *result)
{
	struct fixture *f = arg;

	snprintf(f->result, sizeof(f->result), "%.*s",
			LT_STR_ARG(result->ok ? result->args : lt_str_from(result->error)));
}

static const char *list_services(struct fixture *f, const char *args)
{
	struct lt_err err = { 0 };

	assert_true(lt_local_call(f->viewer, LT_STR("livetiming.directory.listServices"),
			lt_str_from(args), 0, on_result, f, &err));
	lt_fake_settle(f->loop);
	return f->result;
}

/* uuids of the last listing that was published, in order: "a,b" */
static const char *listed(struct fixture *f)
{
	static char text[256];
	cJSON *args = lt_json_parse(lt_buf_str(&f->latest), NULL);
	struct lt_envelope envelope;
	const cJSON *manifest;

	assert_non_null(args);
	assert_true(lt_envelope_read(args, lt_loop_wall(f->loop), &envelope, NULL));
	assert_int_equal(envelope.msg_class, LT_MSG_DIRECTORY_LISTING);
	assert_true(envelope.retain);
	text[0] = '\0';
	cJSON_ArrayForEach(manifest, envelope.payload) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? "," : "",
				lt_json_get(manifest, "uuid")->valuestring);
	}
	cJSON_Delete(args);
	return text;
}

#define MANIFEST(uuid)        "{\"uuid\":\"" uuid "\",\"name\":\"S\",\"hidden\":false}"
#define HIDDEN_MANIFEST(uuid) "{\"uuid\":\"" uuid "\",\"name\":\"S\",\"hidden\":true}"

static void joining_asks_for_manifests_and_publishes_an_empty_listing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->hellos, 1);
	assert_int_equal(f->listings, 1);
	assert_string_equal(listed(f), "");
}

static void a_manifest_is_listed_at_once(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("a"));

	assert_string_equal(listed(f), "a");
	assert_string_equal(list_services(f, "[]"), "[[" MANIFEST("a") "]]");
	leave(&a);
}

static void late_subscribers_get_the_retained_listing(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("a"));
	lt_buf_clear(&f->latest);
	assert_true(lt_local_subscribe(a.local, LT_STR("livetiming.directory"), LT_MATCH_EXACT,
			true, on_listing, f, NULL));
	lt_fake_settle(f->loop);

	assert_string_equal(listed(f), "a");
	leave(&a);
}

static void hidden_services_are_published_but_not_returned_unless_asked_for(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_manifest(&a, HIDDEN_MANIFEST("a"));

	assert_string_equal(listed(f), "a");
	assert_string_equal(list_services(f, "[]"), "[[]]");
	assert_string_equal(list_services(f, "[true]"), "[[" HIDDEN_MANIFEST("a") "]]");
	assert_string_equal(list_services(f, "[1]"), "wamp.error.invalid_argument");
	leave(&a);
}

static void an_entry_goes_the_moment_its_session_leaves(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 }, b = { 0 };

	join(f, &a, "a");
	join(f, &b, "b");
	say_manifest(&a, MANIFEST("a"));
	say_manifest(&b, MANIFEST("b"));
	leave(&a);

	assert_string_equal(listed(f), "b");
	leave(&b);
	assert_string_equal(listed(f), "");
}

static void the_listing_is_repeated_every_minute(void **state)
{
	struct fixture *f = *state;

	lt_fake_advance(f->loop, 59000);
	assert_int_equal(f->listings, 1);
	lt_fake_advance(f->loop, 61000);
	assert_int_equal(f->listings, 3);
}

static void services_are_asked_every_ten_seconds_and_stay_while_they_answer(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("a"));
	lt_fake_advance(f->loop, 50000);

	assert_int_equal(a.asked, 5);
	assert_string_equal(listed(f), "a");
	leave(&a);
}

static void a_service_without_isalive_goes_at_the_next_round(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("a"));
	assert_true(lt_local_unregister(a.local, a.alive, NULL));
	lt_fake_advance(f->loop, 10000);

	assert_string_equal(listed(f), "");
	leave(&a);
}

static void a_service_that_never_answers_goes_after_two_rounds(void **state)
{
	struct fixture *f = *state;
	struct service a = { .is_mute = true };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("a"));
	lt_fake_advance(f->loop, 25000);
	assert_string_equal(listed(f), "a");
	lt_fake_advance(f->loop, 10000);

	assert_string_equal(listed(f), "");
	leave(&a);
}

static void leaving_while_asked_is_no_harm(void **state)
{
	struct fixture *f = *state;
	struct service a = { .is_mute = true };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("a"));
	lt_fake_advance(f->loop, 11000);
	assert_int_equal(a.asked, 1);
	leave(&a);
	lt_fake_advance(f->loop, 60000);

	assert_string_equal(listed(f), "");
}

static void external_services_carry_what_the_principals_file_says(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join_as(f, &a, "track7", "external_service", "a");
	say_manifest(&a, "{\"uuid\":\"a\",\"external\":{\"name\":\"a lie\"}}");

	assert_non_null(strstr(list_services(f, "[]"), "\"external\":{\"name\":\"Track 7\"}"));
	leave(&a);
}

static void an_external_service_cannot_take_over_the_uuid_of_another(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 }, thief = { 0 };

	join(f, &a, "a");
	join_as(f, &thief, "track7", "external_service", "x");
	say_manifest(&a, MANIFEST("a"));
	say_manifest(&thief, "{\"uuid\":\"a\",\"name\":\"stolen\"}");

	assert_string_equal(list_services(f, "[]"), "[[" MANIFEST("a") "]]");
	leave(&a);
	leave(&thief);
}

/* A manifest whose description has `n` letters; the caller frees. */
static char *long_manifest(int number, size_t n)
{
	struct lt_buf text = { 0 };

	lt_buf_printf(&text, "{\"uuid\":\"s%d\",\"description\":\"", number);
	for (size_t i = 0; i < n; i++) {
		lt_buf_add_char(&text, 'x');
	}
	lt_buf_add_c(&text, "\"}");
	return lt_buf_steal(&text);
}

static void say_long_manifest(struct service *service, int number, size_t n)
{
	LT_AUTO(lt_free) char *manifest = long_manifest(number, n);

	say_manifest(service, manifest);
}

static size_t count_services(struct fixture *f)
{
	struct lt_directory_stats stats;

	lt_directory_report(f->directory, &stats);
	return stats.services;
}

static void a_manifest_over_64_kib_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_long_manifest(&a, 1, 65 * 1024);
	assert_int_equal(count_services(f), 0);
	say_long_manifest(&a, 1, 63 * 1024);

	assert_int_equal(count_services(f), 1);
	leave(&a);
}

static void all_manifests_together_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	for (int i = 0; i < 100; i++) {
		say_long_manifest(&a, i, 60 * 1024);
	}
	assert_int_equal(count_services(f), 17);
	say_long_manifest(&a, 0, 10); /* one that shrinks makes room */
	say_long_manifest(&a, 99, 60 * 1024);

	assert_int_equal(count_services(f), 18);
	leave(&a);
}

static void a_large_listing_rests_before_it_is_published_again(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };
	int before;

	join(f, &a, "a");
	for (int i = 0; i < 15; i++) {
		say_long_manifest(&a, i, 60 * 1024);
	}
	lt_fake_advance(f->loop, 500);
	before = f->listings;
	for (int i = 0; i < 10; i++) {
		say_long_manifest(&a, i, 100);
	}
	assert_int_equal(f->listings, before + 1);
	lt_fake_advance(f->loop, 500);

	assert_int_equal(f->listings, before + 2);
	leave(&a);
}

static void more_services_than_calls_at_once_are_asked_in_turn_and_stay(void **state)
{
	struct fixture *f = *state;
	struct service a = { .is_mute = true };
	struct lt_err err = { 0 };

	join(f, &a, "s0");
	for (int i = 1; i < 1100; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf procedure = { 0 };

		lt_buf_printf(&procedure, "livetiming.service.isAlive.s%d", i);
		assert_true(lt_local_register(
				a.local, lt_buf_str(&procedure), true, on_alive, &a, NULL, &err));
		say_long_manifest(&a, i, 0);
	}
	lt_fake_advance(f->loop, 10000);

	assert_int_equal(a.asked, 1024);
	assert_int_equal(count_services(f), 1099);
	leave(&a);
}

static void broken_messages_on_the_control_channel_are_ignored(void **state)
{
	static const char *const broken[] = { "null", "7", "[]", "{}", "{\"uuid\":7}",
		"{\"uuid\":\"\"}", "{\"uuid\":\"a\",\"hidden\":\"yes\"}" };
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	for (size_t i = 0; i < LT_ARRAY_LEN(broken); i++) {
		say_manifest(&a, broken[i]);
	}
	assert_true(lt_local_publish(a.local, LT_STR("livetiming.control"), false,
			LT_STR("[{\"msgClass\":99,\"date\":1,\"payload\":{}}]"), NULL));
	assert_true(lt_local_publish(
			a.local, LT_STR("livetiming.control"), false, LT_STR("[]"), NULL));
	lt_fake_settle(f->loop);

	assert_int_equal(f->listings, 1);
	leave(&a);
}

static void a_uuid_that_makes_no_procedure_name_goes_at_the_next_round(void **state)
{
	struct fixture *f = *state;
	struct service a = { 0 };

	join(f, &a, "a");
	say_manifest(&a, MANIFEST("not a uri"));
	assert_string_equal(listed(f), "not a uri");
	lt_fake_advance(f->loop, 10000);

	assert_string_equal(listed(f), "");
	leave(&a);
}

static void a_private_service_is_in_no_retained_listing(void **state)
{
	struct fixture *f = *state;
	struct service one = { 0 }, two = { 0 };

	f->closed = "a1";
	join(f, &one, "a1");
	join(f, &two, "b");
	say_manifest(&one, MANIFEST("a1"));
	say_manifest(&two, MANIFEST("b"));
	assert_string_equal(listed(f), "a1,b"); /* what comes last, for services alone */

	lt_local_leave(f->viewer);
	f->viewer = lt_local_join(f->router, LT_STR("timing"), "late", "services", NULL);
	lt_local_subscribe(f->viewer, LT_STR("livetiming.directory"), LT_MATCH_EXACT, true,
			on_listing, f, NULL);
	lt_fake_settle(f->loop);

	assert_string_equal(listed(f), "b");
	leave(&one);
	leave(&two);
}

static void a_private_service_is_listed_for_services_and_who_opened_it(void **state)
{
	struct fixture *f = *state;
	struct service one = { 0 };

	f->closed = "a1";
	join(f, &one, "a1");
	say_manifest(&one, MANIFEST("a1"));
	assert_string_equal(list_services(f, "[false]"), "[[]]");
	assert_non_null(strstr(list_services(f, "[true]"), "\"private\":true"));

	struct lt_local *services = f->viewer;

	f->viewer = lt_local_join(f->router, LT_STR("timing"), "anyone", "anonymous", NULL);
	assert_string_equal(list_services(f, "[true]"), "[[]]");
	f->admitted = lt_local_id(f->viewer);
	assert_non_null(strstr(list_services(f, "[]"), "\"uuid\":\"a1\""));
	lt_local_leave(f->viewer);
	f->viewer = services;
	leave(&one);
}

static void a_service_that_is_closed_and_opened_is_listed_accordingly(void **state)
{
	struct fixture *f = *state;
	struct service one = { 0 };

	join(f, &one, "a1");
	say_manifest(&one, MANIFEST("a1"));
	assert_non_null(strstr(list_services(f, "[]"), "a1"));
	f->closed = "a1";
	lt_directory_review(f->directory, LT_STR("a1"));
	assert_string_equal(list_services(f, "[]"), "[[]]");
	f->closed = NULL;
	lt_directory_review(f->directory, LT_STR("a1"));

	assert_non_null(strstr(list_services(f, "[]"), "a1"));
	assert_null(strstr(list_services(f, "[]"), "private"));
	leave(&one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joining_asks_for_manifests_and_publishes_an_empty_listing),
		TEST(a_manifest_is_listed_at_once),
		TEST(a_private_service_is_in_no_retained_listing),
		TEST(a_private_service_is_listed_for_services_and_who_opened_it),
		TEST(a_service_that_is_closed_and_opened_is_listed_accordingly),
		TEST(late_subscribers_get_the_retained_listing),
		TEST(hidden_services_are_published_but_not_returned_unless_asked_for),
		TEST(an_entry_goes_the_moment_its_session_leaves),
		TEST(the_listing_is_repeated_every_minute),
		TEST(services_are_asked_every_ten_seconds_and_stay_while_they_answer),
		TEST(a_service_without_isalive_goes_at_the_next_round),
		TEST(a_service_that_never_answers_goes_after_two_rounds),
		TEST(leaving_while_asked_is_no_harm),
		TEST(external_services_carry_what_the_principals_file_says),
		TEST(an_external_service_cannot_take_over_the_uuid_of_another),
		TEST(a_manifest_over_64_kib_is_ignored),
		TEST(all_manifests_together_are_bounded),
		TEST(a_large_listing_rests_before_it_is_published_again),
		TEST(more_services_than_calls_at_once_are_asked_in_turn_and_stay),
		TEST(broken_messages_on_the_control_channel_are_ignored),
		TEST(a_uuid_that_makes_no_procedure_name_goes_at_the_next_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
