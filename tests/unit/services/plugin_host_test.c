/* The tables of the host, used by the tests' own plugin against real sockets. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include <mbedtls/sha1.h>

#include "base/crypto.h"
#include "net/fetch.h"
#include "net/ws_client.h"
#include "services/plugin/plugin_host.h"
#include "support/plugin_fixture.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
	struct lt_loop *loop;
	struct lt_random *random;
	struct lt_fetcher *fetcher;
	struct lt_ws_hub *hub;
	struct lt_plugins *plugins;
	const struct lt_plugin *probe;
	struct lt_host *host;
	cJSON *seen;        /* rows [what, value], in order */
	const char *wanted; /* what to wait for */
	char failure[256];
};

static void take(void *arg, cJSON *tree)
{
	(void)arg;
	cJSON_Delete(tree);
}

static void ignore_generators(void *arg, uint32_t generators)
{
	(void)arg;
	(void)generators;
}

static bool update(void *arg, cJSON *state, struct lt_err *err)
{
	struct fixture *f = arg;

	(void)err;
	cJSON_AddItemToArray(f->seen, cJSON_DetachItemFromArray(lt_json_get(state, "cars"), 0));
	cJSON_Delete(state);
	return true;
}

static void update_due(void *arg, cJSON *state)
{
	update(arg, state, NULL);
}

static void ignore_text(void *arg, struct lt_str text)
{
	(void)arg;
	(void)text;
}

static void ignore_session(void *arg)
{
	(void)arg;
}

static void ignore_stale(void *arg, bool stale, struct lt_str reason)
{
	(void)arg;
	(void)stale;
	(void)reason;
}

static void failed(void *arg, const char *reason)
{
	struct fixture *f = arg;

	snprintf(f->failure, sizeof(f->failure), "%s", reason);
}

static const struct lt_host_owner owner = {
	.described_take = take,
	.generators = ignore_generators,
	.update_take = update,
	.update_due_take = update_due,
	.replace_take = update,
	.message_take = take,
	.race_control = ignore_text,
	.new_session = ignore_session,
	.stale = ignore_stale,
	.failed = failed,
};

static int set_up(void **state)
{
	struct fixture *f = lt_zalloc(sizeof(*f));
	char *path = plugin_file("probe");

	f->loop = lt_loop_create(NULL);
	f->random = lt_random_create(1, NULL);
	f->fetcher = lt_fetcher_create(f->loop, &(struct lt_fetcher_opts){ 0 }, NULL);
	f->hub = lt_ws_hub_create(
			&(struct lt_net_env){ .loop = f->loop, .random = f->random }, NULL);
	f->plugins = lt_plugins_create("", (struct lt_log){ 0 });
	f->probe = lt_plugins_load(f->plugins, path, NULL);
	f->seen = cJSON_CreateArray();
	lt_free(path);
	*state = f;
	return f->probe ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lt_host_destroy(f->host);
	lt_fetcher_destroy(f->fetcher);
	lt_ws_hub_destroy(f->hub);
	if (f->loop != NULL) {
		lt_loop_destroy(f->loop);
	}
	lt_random_destroy(f->random);
	lt_plugins_destroy(f->plugins);
	cJSON_Delete(f->seen);
	lt_free(f);
	return 0;
}

static void run_with(struct fixture *f, const char *line, struct lt_mono (*clock)(void))
{
	struct lt_args args = { 0 };
	struct lt_err err = { 0 };
	struct lt_host_env env = { .loop = f->loop,
		.random = f->random,
		.fetcher = f->fetcher,
		.ws_hub = f->hub,
		.owner = &owner,
		.owner_arg = f,
		.clock = clock };

	assert_true(lt_args_split(&args, lt_str_from(line), NULL));
	struct lt_option_values *options = lt_option_values_parse(f->probe, &args, &err);

	lt_args_finish(&args);
	f->host = options ? lt_host_create_take(&env, f->probe, options, &err) : NULL;
	if (f->host == NULL || !lt_host_start(f->host, &err)) {
		fail_msg("%s: %s", line, err.msg);
	}
}

static const char *value_of(struct fixture *f, const char *what)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, f->seen) {
		if (strcmp(cJSON_GetArrayItem(row, 0)->valuestring, what) == 0) {
			return cJSON_GetArrayItem(row, 1)->valuestring;
		}
	}
	return NULL;
}

static bool is_seen(void *arg)
{
	struct fixture *f = arg;

	return value_of(f, f->wanted) != NULL;
}

static const char *wait_for(struct fixture *f, const char *what)
{
	f->wanted = what;
	wait_until(f->loop, is_seen, f);
	return value_of(f, what);
}

/* A server for one connection: reads something, answers, closes. */
struct one_shot {
	int fd;
	uint16_t port;
	const char *answer;
	char got[512];
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct one_shot *server = arg;
	int client = accept(server->fd, NULL, NULL);
	ssize_t n = recv(client, server->got, sizeof(server->got) - 1, 0);

	if (n > 0 && send(client, server->answer, strlen(server->answer), MSG_NOSIGNAL) > 0) {
		n = 0;
	}
	shutdown(client, SHUT_WR);
	close(client);
	return NULL;
}

static void serve_once(struct one_shot *server, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	server->answer = answer;
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void end_server(struct one_shot *server)
{
	pthread_join(server->thread, NULL);
	close(server->fd);
}

static void tcp_carries_bytes_both_ways(void **state)
{
	struct fixture *f = *state;
	struct one_shot server = { 0 };
	char line[64];

	serve_once(&server, "answer");
	snprintf(line, sizeof(line), "--tcp --port %u", server.port);
	run_with(f, line, NULL);

	assert_string_equal(wait_for(f, "tcp"), "answer");
	end_server(&server);
	assert_string_equal(server.got, "hello");
}

static void http_gives_the_body(void **state)
{
	struct fixture *f = *state;
	struct one_shot server = { 0 };
	char line[64];

	serve_once(&server,
			"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
	snprintf(line, sizeof(line), "--url http://127.0.0.1:%u/x", server.port);
	run_with(f, line, NULL);

	assert_string_equal(wait_for(f, "http"), "body");
	end_server(&server);
}

static void http_tells_why_there_is_no_answer(void **state)
{
	struct fixture *f = *state;

	run_with(f, "--url http://127.0.0.1:1/", NULL);

	assert_true(strlen(wait_for(f, "http error")) > 0);
}

/* Says "hi" to a client that shook hands; the client's first frame, unmasked, into arg. */
static void serve_ws(int fd, int nth, void *arg)
{
	char request[4096];
	unsigned char digest[20], head[6];
	unsigned char *got = arg;
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	(void)nth;
	server_read_until(fd, "\r\n\r\n", request, sizeof(request));
	const char *key = strcasestr(request, "sec-websocket-key: ");

	if (key == NULL) {
		return;
	}
	key += strlen("sec-websocket-key: ");
	lt_buf_add(&text, key, strcspn(key, "\r"));
	lt_buf_add_c(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	mbedtls_sha1_ret((const unsigned char *)text.p, text.n, digest);
	lt_buf_clear(&text);
	lt_buf_add_c(&text,
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	lt_base64_encode(&text, digest, sizeof(digest));
	lt_buf_add_c(&text, "\r\n\r\n");
	server_say(fd, text.p);
	server_say(fd, "\x81\x02hi");
	if (recv(fd, head, sizeof(head), MSG_WAITALL) == sizeof(head) &&
			recv(fd, got, 5, MSG_WAITALL) == 5) {
		for (size_t i = 0; i < 5; i++) {
			got[i] ^= head[2 + i % 4];
		}
	}
	server_wait_for_close(fd);
}

static void websocket_carries_messages_both_ways(void **state)
{
	struct fixture *f = *state;
	struct server server;
	char line[64], got[16] = "";

	server_start(&server, serve_ws, got);
	snprintf(line, sizeof(line), "--ws ws://127.0.0.1:%u/", server.port);
	run_with(f, line, NULL);

	assert_string_equal(wait_for(f, "ws"), "hi");
	lt_host_destroy(LT_STEAL(f->host));
	lt_fetcher_destroy(LT_STEAL(f->fetcher));
	lt_ws_hub_destroy(LT_STEAL(f->hub));
	lt_loop_destroy(LT_STEAL(f->loop));
	server_stop(&server);
	assert_string_equal(got, "hello");
}

/* A port that was free a moment ago. */
static uint16_t free_udp_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void udp_answers_and_may_close_in_its_own_callback(void **state)
{
	struct fixture *f = *state;
	uint16_t port = free_udp_port();
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	char line[64], got[16] = "";
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(line, sizeof(line), "--udp --port %u", port);
	run_with(f, line, NULL);
	assert_int_equal(sendto(fd, "ping", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);

	assert_string_equal(wait_for(f, "udp"), "ping");
	assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), 6);
	assert_string_equal(got, "got it");
	close(fd);
}

static void a_file_is_read_line_by_line(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/lt-host-XXXXXX", line[64];
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "first\r\n\nlast", 12), 12);
	close(fd);
	snprintf(line, sizeof(line), "--file %s", path);
	run_with(f, line, NULL);
	wait_for(f, "end of file");

	assert_int_equal(cJSON_GetArraySize(f->seen), 3);
	assert_string_equal(value_of(f, "file"), "first");
	unlink(path);
}

static void timers_and_work_call_back(void **state)
{
	struct fixture *f = *state;

	run_with(f, "--timer --work", NULL);

	assert_string_equal(wait_for(f, "timer"), "fired");
	assert_string_equal(wait_for(f, "work"), "done");
	LT_AUTO(cJSON_Delete) cJSON *counters = lt_host_counters(f->host);

	assert_int_equal(lt_json_get(counters, "worked")->valueint, 42);
}

static void work_in_flight_is_cancelled_with_its_instance(void **state)
{
	struct fixture *f = *state;

	run_with(f, "--work --timer", NULL);
	lt_host_destroy(LT_STEAL(f->host));

	assert_int_equal(cJSON_GetArraySize(f->seen), 0);
}

static struct lt_mono slow_clock(void)
{
	static int64_t now; /* each look at it takes 6 ms */

	now += 6000;
	return (struct lt_mono){ now };
}

static void slow_callbacks_are_counted(void **state)
{
	struct fixture *f = *state;
	struct lt_host_stats stats;

	run_with(f, "--count", slow_clock);
	wait_for(f, "update");
	lt_host_report(f->host, &stats);

	assert_true(stats.slow_callbacks >= 3); /* create, start, update */
	assert_int_equal(stats.slowest_us, 6000);
}

static bool is_failed(void *arg)
{
	return ((struct fixture *)arg)->failure[0] != '\0';
}

static void a_failure_is_told_once_and_ends_the_calls(void **state)
{
	struct fixture *f = *state;

	run_with(f, "--fail-after 1 --timer", NULL);
	wait_until(f->loop, is_failed, f);

	assert_string_equal(f->failure, "the feed ended");
	assert_null(value_of(f, "timer"));
}

static void an_option_changes_while_the_plugin_runs(void **state)
{
	struct fixture *f = *state;
	struct lt_err err = { 0 };

	run_with(f, "--ratio 0.5", NULL);
	assert_true(lt_host_change_option(f->host, LT_STR("ratio"), LT_STR("0.75"), &err));

	assert_true(lt_option_values_get(lt_host_options(f->host), "ratio")->d == 0.75);
}

static void an_option_that_cannot_change_keeps_its_value_and_says_why(void **state)
{
	static const struct {
		const char *name, *value, *sentence;
	} cases[] = {
		{ "ratio", "0.25", "plugin probe refused the value: \"a quarter is too little\"" },
		{ "ratio", "7", "--ratio: expected a number from 0 to 1, not \"7\"" },
		{ "port", "5", "plugin probe does not take --port while it runs; restart the service" },
		{ "rat", "0.1", "plugin probe has no option --rat (did you mean --ratio?)" },
	};
	struct fixture *f = *state;

	run_with(f, "--ratio 0.5", NULL);
	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { 0 };

		assert_false(lt_host_change_option(f->host, lt_str_from(cases[i].name),
				lt_str_from(cases[i].value), &err));
		assert_string_equal(err.msg, cases[i].sentence);
	}

	assert_true(lt_option_values_get(lt_host_options(f->host), "ratio")->d == 0.5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tcp_carries_bytes_both_ways),
		TEST(websocket_carries_messages_both_ways),
		TEST(http_gives_the_body),
		TEST(http_tells_why_there_is_no_answer),
		TEST(udp_answers_and_may_close_in_its_own_callback),
		TEST(a_file_is_read_line_by_line),
		TEST(timers_and_work_call_back),
		TEST(work_in_flight_is_cancelled_with_its_instance),
		TEST(slow_callbacks_are_counted),
		TEST(a_failure_is_told_once_and_ends_the_calls),
		TEST(an_option_changes_while_the_plugin_runs),
		TEST(an_option_that_cannot_change_keeps_its_value_and_says_why),
	};

	lt_alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
