#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "services/control/control.h"
#include "support/test.h"

/* A control socket whose loop runs on another thread; the test is its peer. */
struct fixture {
	char dir[32], path[64];
	struct lt_loop *loop;
	struct lt_control *control;
	pthread_t thread;
	bool is_running;
	struct lt_control_request *kept; /* by the verb "later" */
};

static void run_echo(void *arg, struct lt_control_request *request, const cJSON *args)
{
	(void)arg;
	lt_control_ok_take(request, cJSON_Duplicate(args, true));
}

static void run_big(void *arg, struct lt_control_request *request, const cJSON *args)
{
	char *text = lt_zalloc(2 * LT_CTL_LINE_MAX);

	(void)arg;
	memset(text, 'x', 2 * LT_CTL_LINE_MAX - 1);
	lt_control_ok_take(request,
			lt_json_get(args, "half") ? cJSON_CreateString(text + LT_CTL_LINE_MAX + 100)
						  : cJSON_CreateString(text));
	lt_free(text);
}

static void run_refuse(void *arg, struct lt_control_request *request, const cJSON *args)
{
	struct lt_err err = { 0 };

	(void)arg;
	(void)args;
	lt_err_set(&err, LT_E_NOT_FOUND, "no such thing");
	lt_control_fail(request, &err);
}

static void run_later(void *arg, struct lt_control_request *request, const cJSON *args)
{
	struct fixture *f = arg;

	(void)args;
	f->kept = request;
}

/* From another connection: the request that was kept is answered now. */
static void run_now(void *arg, struct lt_control_request *request, const cJSON *args)
{
	struct fixture *f = arg;
	bool had = f->kept != NULL;

	(void)args;
	if (had) {
		lt_control_ok_take(LT_STEAL(f->kept), cJSON_CreateString("late"));
	}
	lt_control_ok_take(request, cJSON_CreateBool(had));
}

static void run_end(void *arg, struct lt_control_request *request, const cJSON *args)
{
	struct fixture *f = arg;

	(void)args;
	lt_control_ok_take(request, NULL);
	lt_loop_stop(f->loop);
}

static const struct lt_control_arg echo_args[] = {
	{ "text", LT_ARG_TEXT, true },
	{ "flag", LT_ARG_BOOL, false },
	{ "list", LT_ARG_TEXTS, false },
	{ 0 },
};
static const struct lt_control_arg big_args[] = { { "half", LT_ARG_BOOL, false }, { 0 } };
static const struct lt_control_verb verbs[] = {
	{ "echo", echo_args, run_echo },
	{ "big", big_args, run_big },
	{ "refuse", NULL, run_refuse },
	{ "later", NULL, run_later },
	{ "now", NULL, run_now },
	{ "end", NULL, run_end },
	{ 0 },
};

static struct lt_control *create(struct fixture *f)
{
	return lt_control_create(&(struct lt_control_env){ .loop = f->loop,
			.path = f->path,
			.version = "9.9",
			.verbs = verbs,
			.verbs_arg = f });
}

static void *run_loop(void *arg)
{
	lt_loop_run(((struct fixture *)arg)->loop);
	return NULL;
}

static void begin(struct fixture *f)
{
	struct lt_err err = { 0 };

	if (!lt_control_start(f->control, &err)) {
		fail_msg("%s", err.msg);
	}
	assert_int_equal(pthread_create(&f->thread, NULL, run_loop, f), 0);
	f->is_running = true;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct lt_err err = { 0 };

	strcpy(f->dir, "/tmp/lt-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sub/c.sock", f->dir);
	f->loop = lt_loop_create(&err);
	f->control = create(f);
	*state = f;
	return 0;
}

/* --- the peer --- */

static int connect_to(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, f->path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		assert_true(sent > 0);
		text += sent;
		n -= (size_t)sent;
	}
}

/* One line without its end; "" when the daemon closed. Owned by the fixture of static storage. */
static const char *hear(int fd)
{
	static char line[LT_CTL_LINE_MAX + 200];
	size_t n = 0;

	while (n + 1 < sizeof(line) && recv(fd, line + n, 1, 0) == 1 && line[n] != '\n') {
		n++;
	}
	line[n] = '\0';
	return line;
}

static int open_peer(const struct fixture *f)
{
	int fd = connect_to(f);

	assert_string_equal(hear(fd), "{\"livetimingd\":\"9.9\",\"protocol\":1}");
	return fd;
}

static const char *ask(int fd, const char *request)
{
	say(fd, request, strlen(request));
	say(fd, "\n", 1);
	return hear(fd);
}

/* Is there a place for one more? A refused peer may find the connection closed while it asks. */
static bool is_let_in(const struct fixture *f)
{
	static const char request[] = "{\"verb\":\"now\"}\n";
	int fd = open_peer(f);
	bool is_in = send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 &&
			strstr(hear(fd), "\"ok\":true") != NULL;

	close(fd);
	return is_in;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[64];

	if (f->is_running) {
		int fd = open_peer(f);

		ask(fd, "{\"verb\":\"end\"}");
		pthread_join(f->thread, NULL);
		close(fd);
	}
	lt_control_destroy(f->control);
	lt_loop_destroy(f->loop);
	free(f->kept);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* --- tests --- */

static void the_socket_is_for_its_owner_alone(void **state)
{
	struct fixture *f = *state;
	struct stat info;

	begin(f);

	assert_int_equal(stat(f->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_request_is_answered(void **state)
{
	struct fixture *f = *state;
	int fd;

	begin(f);
	fd = open_peer(f);

	assert_string_equal(
			ask(fd, "{\"verb\":\"echo\",\"args\":{\"text\":\"hi\",\"list\":[\"a\"]}}"),
			"{\"ok\":true,\"result\":{\"text\":\"hi\",\"list\":[\"a\"]}}");
	assert_string_equal(ask(fd, "{\"verb\":\"refuse\"}"),
			"{\"ok\":false,\"error\":\"no such thing\",\"code\":\"not_found\"}");
	close(fd);
}

static void bad_requests_get_a_sentence_and_the_connection_goes_on(void **state)
{
	static const struct {
		const char *request, *error;
	} cases[] = {
		{ "", "request: " },
		{ "nonsense", "request: " },
		{ "[]", "request: " },
		{ "{\"verb\":7}", "request: \\\"verb\\\": expected a text" },
		{ "{\"verb\":\"fly\"}", "unknown verb \\\"fly\\\"" },
		{ "{\"verb\":\"echo\"}", "echo: text is missing" },
		{ "{\"verb\":\"echo\",\"args\":[]}", "echo: args: expected an object" },
		{ "{\"verb\":\"echo\",\"args\":{\"text\":1}}", "echo: text: expected a text" },
		{ "{\"verb\":\"echo\",\"args\":{\"text\":\"a\",\"flag\":\"yes\"}}",
				"echo: flag: expected true or false" },
		{ "{\"verb\":\"echo\",\"args\":{\"text\":\"a\",\"list\":[1]}}",
				"echo: list: expected a list of texts" },
		{ "{\"verb\":\"echo\",\"args\":{\"text\":\"a\",\"more\":1}}",
				"echo: unknown argument \\\"more\\\"" },
	};
	struct fixture *f = *state;
	int fd;

	begin(f);
	fd = open_peer(f);

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		const char *answer = ask(fd, cases[i].request);

		if (!strstr(answer, "\"ok\":false") || !strstr(answer, cases[i].error)) {
			fail_msg("%s: got %s", cases[i].request, answer);
		}
	}
	assert_non_null(strstr(ask(fd, "{\"verb\":\"now\"}"), "\"ok\":true"));
	close(fd);
}

static void a_line_that_is_not_utf8_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	int fd;

	begin(f);
	fd = open_peer(f);

	assert_non_null(strstr(ask(fd, "{\"verb\":\"\xff\"}"), "UTF-8"));
	assert_string_equal(hear(fd), "");
	close(fd);
}

static void a_line_that_is_too_long_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	char *text = calloc(1, 2 * LT_CTL_LINE_MAX);
	int fd;

	begin(f);
	fd = open_peer(f);
	memset(text, 'x', 2 * LT_CTL_LINE_MAX);
	send(fd, text, LT_CTL_LINE_MAX + 2, MSG_NOSIGNAL);

	assert_non_null(strstr(hear(fd), "\"code\":\"limit\""));
	assert_string_equal(hear(fd), "");
	close(fd);
	free(text);
}

static void requests_sent_together_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	struct lt_buf requests = { 0 };
	int fd;

	begin(f);
	fd = open_peer(f);
	for (int i = 0; i < 200; i++) {
		lt_buf_printf(&requests, "{\"verb\":\"echo\",\"args\":{\"text\":\"%d\"}}\n", i);
	}
	say(fd, requests.p, requests.n);
	shutdown(fd, SHUT_WR); /* says no more, but wants its answers */

	for (int i = 0; i < 200; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "{\"ok\":true,\"result\":{\"text\":\"%d\"}}",
				i);
		assert_string_equal(hear(fd), expected);
	}
	assert_string_equal(hear(fd), "");
	close(fd);
	lt_buf_finish(&requests);
}

static void an_answer_may_come_later_and_others_do_not_wait_for_it(void **state)
{
	struct fixture *f = *state;
	int slow, quick;

	begin(f);
	slow = open_peer(f);
	quick = open_peer(f);
	say(slow, "{\"verb\":\"later\"}\n", 17);
	while (strstr(ask(quick, "{\"verb\":\"now\"}"), "true}") == NULL) {
	}

	assert_string_equal(hear(slow), "{\"ok\":true,\"result\":\"late\"}");
	close(slow);
	close(quick);
}

static void a_peer_that_left_before_its_answer_is_no_harm(void **state)
{
	struct fixture *f = *state;
	int gone, quick;

	begin(f);
	gone = open_peer(f);
	quick = open_peer(f);
	say(gone, "{\"verb\":\"later\"}\n", 17);
	close(gone);
	while (strstr(ask(quick, "{\"verb\":\"now\"}"), "\"result\":true}") == NULL) {
	}

	assert_non_null(strstr(ask(quick, "{\"verb\":\"now\"}"), "\"result\":false}"));
	close(quick);
}

static void a_peer_that_reads_nothing_does_not_hold_up_others(void **state)
{
	struct fixture *f = *state;
	int deaf, quick;

	begin(f);
	deaf = open_peer(f);
	for (int i = 0; i < 100; i++) {
		send(deaf, "{\"verb\":\"big\",\"args\":{\"half\":true}}\n", 37,
				MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	quick = open_peer(f);

	assert_non_null(strstr(ask(quick, "{\"verb\":\"now\"}"), "\"ok\":true"));
	close(deaf);
	close(quick);
}

static void an_answer_beyond_the_line_limit_is_refused_instead(void **state)
{
	struct fixture *f = *state;
	int fd;

	begin(f);
	fd = open_peer(f);

	assert_non_null(strstr(ask(fd, "{\"verb\":\"big\"}"), "the answer is too large"));
	close(fd);
}

static void the_thirty_third_connection_is_told_so(void **state)
{
	struct fixture *f = *state;
	int fds[33];

	begin(f);
	for (int i = 0; i < 33; i++) {
		fds[i] = open_peer(f);
	}

	assert_non_null(strstr(hear(fds[32]), "\"code\":\"limit\""));
	assert_string_equal(hear(fds[32]), "");
	for (int i = 0; i < 33; i++) {
		close(fds[i]);
	}
	while (!is_let_in(f)) { /* the daemon learns of each end in its own time */
	}
}

static void without_descriptors_connections_wait_and_are_served_later(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, low;

	begin(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	int first = open_peer(f), waiting = connect_to(f);
	assert_string_not_equal(hear(waiting), "");
	close(waiting);
	assert_string_not_equal(ask(first, "{\"verb\":\"now\"}"), "");
	int highest = socket(AF_UNIX, SOCK_STREAM, 0);
	close(highest);
	low = (struct rlimit){ .rlim_cur = (rlim_t)highest + 1, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	waiting = connect_to(f);
	for (int i = 0; i < 10; i++) { /* turns in which it cannot be accepted */
		assert_string_not_equal(ask(first, "{\"verb\":\"now\"}"), "");
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

	assert_string_equal(hear(waiting), "{\"livetimingd\":\"9.9\",\"protocol\":1}");
	close(waiting);
	close(first);
}

static void a_socket_in_use_is_a_clear_error_and_stays(void **state)
{
	struct fixture *f = *state;
	struct lt_control *second = create(f);
	struct lt_err err = { 0 };

	assert_true(lt_control_start(f->control, &err));

	assert_false(lt_control_start(second, &err));
	assert_int_equal(err.code, LT_E_EXISTS);
	assert_non_null(strstr(err.msg, "in use by a livetimingd that is running"));
	lt_control_destroy(second);
	assert_int_equal(access(f->path, F_OK), 0);
}

static void a_leftover_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char dir[64];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), peer;

	snprintf(dir, sizeof(dir), "%s/sub", f->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	strcpy(address.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); /* as after kill -9 */

	begin(f);
	peer = open_peer(f);
	close(peer);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };
	FILE *file;

	snprintf(f->path, sizeof(f->path), "%s/file", f->dir);
	file = fopen(f->path, "w");
	assert_non_null(file);
	fclose(file);

	assert_false(lt_control_start(f->control, &err));
	assert_non_null(strstr(err.msg, "not a socket"));
	assert_int_equal(access(f->path, F_OK), 0);
}

static void stopping_removes_the_socket(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	assert_true(lt_control_start(f->control, &err));
	lt_control_stop(f->control);

	assert_int_not_equal(access(f->path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_socket_is_for_its_owner_alone),
		TEST(a_request_is_answered),
		TEST(bad_requests_get_a_sentence_and_the_connection_goes_on),
		TEST(a_line_that_is_not_utf8_ends_the_connection),
		TEST(a_line_that_is_too_long_ends_the_connection),
		TEST(requests_sent_together_are_answered_in_order),
		TEST(an_answer_may_come_later_and_others_do_not_wait_for_it),
		TEST(a_peer_that_left_before_its_answer_is_no_harm),
		TEST(a_peer_that_reads_nothing_does_not_hold_up_others),
		TEST(an_answer_beyond_the_line_limit_is_refused_instead),
		TEST(the_thirty_third_connection_is_told_so),
		TEST(without_descriptors_connections_wait_and_are_served_later),
		TEST(a_socket_in_use_is_a_clear_error_and_stays),
		TEST(a_leftover_socket_is_replaced),
		TEST(a_file_that_is_no_socket_is_left_alone),
		TEST(stopping_removes_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
