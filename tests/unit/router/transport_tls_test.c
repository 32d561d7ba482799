#include <openssl/ssl.h>

#include "listener_fixture.h"
#include "support/tls_files.h"

struct files {
	char cert[64], key[64];
};

static void make_files(struct files *files, const char *name)
{
	snprintf(files->cert, sizeof(files->cert), "/tmp/lt_tls_%s.%d.pem", name, (int)getpid());
	snprintf(files->key, sizeof(files->key), "/tmp/lt_tls_%s.%d.key", name, (int)getpid());
	tls_write_files(name, files->cert, files->key);
}

static void remove_files(const struct files *files)
{
	unlink(files->cert);
	unlink(files->key);
}

static struct files served;

static int tls_setup(void **state)
{
	struct server *server = server_create();

	*state = server;
	make_files(&served, "first");
	server->env.tls_cert = served.cert;
	server->env.tls_key = served.key;
	server_start(server, "127.0.0.1:0,tls");
	server->address[strlen(server->address) - strlen(",tls")] = '\0';
	return 0;
}

static int tls_teardown(void **state)
{
	remove_files(&served);
	return server_teardown(state);
}

static void handshake(struct tls_client *client)
{
	struct lt_buf head = { 0 };

	tls_send(client,
			LT_STR("GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
			       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			       "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n"));
	while (!head.p || !strstr(head.p, "\r\n\r\n")) {
		assert_true(tls_read(client, &head));
	}
	assert_non_null(strstr(head.p, "HTTP/1.1 101 "));
	lt_buf_finish(&head);
}

static void send_text(struct tls_client *client, const char *text)
{
	struct lt_buf frame = { 0 };

	ws_encode(&frame, WS_TEXT, true, false, lt_str_from(text));
	tls_send(client, lt_buf_str(&frame));
	lt_buf_finish(&frame);
}

/* A short unmasked text frame. */
static void expect_text(struct tls_client *client, const char *text)
{
	struct lt_buf bytes = { 0 };

	while (bytes.n < 2 + strlen(text)) {
		assert_true(tls_read(client, &bytes));
	}
	assert_int_equal((unsigned char)bytes.p[0], 0x81);
	assert_str_equal(lt_str_skip(lt_buf_str(&bytes), 2), text);
	lt_buf_finish(&bytes);
}

static void a_client_speaks_websocket_over_tls(void **state)
{
	struct server *server = *state;
	struct tls_client *client = tls_connect(server->address, 0);

	assert_non_null(client);
	handshake(client);
	send_text(client, "hello");

	expect_text(client, "hello");
	tls_close(client);
}

static void tls_1_2_is_served_and_what_is_older_refused(void **state)
{
	struct server *server = *state;
	struct tls_client *client = tls_connect(server->address, TLS1_2_VERSION);

	assert_non_null(client);
	tls_close(client);
	assert_null(tls_connect(server->address, TLS1_1_VERSION));
}

static void a_client_without_tls_gets_nothing_and_disturbs_nobody(void **state)
{
	struct server *server = *state;
	struct lt_buf answer = { 0 };
	int fd = wire_connect(server->address);

	wire_send(fd, "GET / HTTP/1.1\r\n\r\n", 18);
	wire_read_all(fd, &answer);
	close(fd);

	assert_true(!answer.p || !strstr(answer.p, "HTTP/1.1 200"));
	a_client_speaks_websocket_over_tls(state);
	lt_buf_finish(&answer);
}

static void a_burst_over_tls_arrives_complete_and_in_order(void **state)
{
	struct server *server = *state;
	struct tls_client *client = tls_connect(server->address, 0);
	struct lt_buf bytes = { 0 };
	enum { COUNT = 30, SIZE = 60000, FRAME = SIZE + 4 };

	handshake(client);
	send_text(client, "burst 30 60000");
	while (bytes.n < (size_t)COUNT * FRAME) {
		assert_true(tls_read(client, &bytes));
	}

	for (int i = 0; i < COUNT; i++) {
		const char *frame = bytes.p + (size_t)i * FRAME;

		assert_int_equal((unsigned char)frame[0], 0x81);
		assert_int_equal((unsigned char)frame[1], 126);
		assert_int_equal(atoi(frame + 4), i);
	}
	tls_close(client);
	lt_buf_finish(&bytes);
}

static void a_message_of_a_megabyte_crosses_tls(void **state)
{
	struct server *server = *state;
	struct tls_client *client = tls_connect(server->address, 0);
	struct lt_buf bytes = { 0 };

	handshake(client);
	send_text(client, "burst 1 1000000");
	while (bytes.n < 1000000) {
		assert_true(tls_read(client, &bytes));
	}

	tls_close(client);
	lt_buf_finish(&bytes);
}

struct reload {
	struct server *server;
	bool ok;
	struct lt_err err;
};

static void do_reload(void *arg)
{
	struct reload *reload = arg;

	reload->ok = lt_listeners_reload_tls(reload->server->listeners, &reload->err);
}

static void a_new_certificate_is_shown_to_new_clients_and_old_sessions_stay(void **state)
{
	struct reload reload = { .server = *state };
	struct tls_client *old = tls_connect(reload.server->address, 0);

	handshake(old);
	tls_write_files("second", served.cert, served.key);
	on_loop(reload.server, do_reload, &reload);
	struct tls_client *new = tls_connect(reload.server->address, 0);

	assert_true(reload.ok);
	assert_string_equal(tls_peer_name(old), "first");
	assert_string_equal(tls_peer_name(new), "second");
	send_text(old, "still here");
	expect_text(old, "still here");
	tls_close(old);
	tls_close(new);
}

static void a_bad_new_certificate_is_refused_and_the_old_stays(void **state)
{
	struct reload reload = { .server = *state };
	FILE *file = fopen(served.cert, "w");

	fputs("not a certificate\n", file);
	fclose(file);
	on_loop(reload.server, do_reload, &reload);
	struct tls_client *client = tls_connect(reload.server->address, 0);

	assert_false(reload.ok);
	assert_non_null(strstr(reload.err.msg, served.cert));
	assert_string_equal(tls_peer_name(client), "first");
	tls_close(client);
}

static void a_key_of_another_certificate_is_refused_and_the_old_stays(void **state)
{
	struct reload reload = { .server = *state };
	struct files other;

	make_files(&other, "other");
	rename(other.key, served.key);
	on_loop(reload.server, do_reload, &reload);
	struct tls_client *client = tls_connect(reload.server->address, 0);

	assert_false(reload.ok);
	assert_non_null(strstr(reload.err.msg, "key values mismatch"));
	assert_string_equal(tls_peer_name(client), "first");
	tls_close(client);
	remove_files(&other);
}

static void expect_refused(const char *cert, const char *key, const char *expected)
{
	struct server *server = server_create();
	struct lt_err err = { 0 };

	server->env.tls_cert = cert;
	server->env.tls_key = key;
	assert_false(lt_listeners_open(server->listeners, LT_STR("127.0.0.1:0,tls"), &err));
	if (!strstr(err.msg, expected)) {
		fail_msg("no \"%s\" in \"%s\"", expected, err.msg);
	}
	lt_listeners_destroy(server->listeners);
	lt_loop_destroy(server->env.loop);
	lt_free(server);
}

static void a_listener_without_a_usable_certificate_does_not_open(void **state)
{
	(void)state;
	expect_refused(NULL, NULL, "127.0.0.1:0,tls: TLS needs a certificate and its key");
	expect_refused("/nowhere.pem", "/nowhere.key", "/nowhere.pem");
}

static void a_client_that_never_finishes_the_handshake_is_closed_in_time(void **state)
{
	struct server *server = server_create();
	struct lt_buf rest = { 0 };

	make_files(&served, "first");
	server->env.tls_cert = served.cert;
	server->env.tls_key = served.key;
	server->env.limits.hello_timeout_ms = 20;
	server_start(server, "127.0.0.1:0,tls");
	server->address[strlen(server->address) - strlen(",tls")] = '\0';
	int fd = wire_connect(server->address);
	wire_send(fd, "\x16\x03\x01", 3);
	wire_read_all(fd, &rest);

	assert_int_equal(rest.n, 0);
	assert_int_equal(server_report(server).limit_hits[LT_LIMIT_HANDSHAKE_TIMEOUT], 1);
	close(fd);
	*state = server;
	tls_teardown(state);
}

int main(void)
{
#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, tls_setup, tls_teardown)
	const struct CMUnitTest tests[] = {
		TLS_TEST(a_client_speaks_websocket_over_tls),
		TLS_TEST(tls_1_2_is_served_and_what_is_older_refused),
		TLS_TEST(a_client_without_tls_gets_nothing_and_disturbs_nobody),
		TLS_TEST(a_burst_over_tls_arrives_complete_and_in_order),
		TLS_TEST(a_message_of_a_megabyte_crosses_tls),
		TLS_TEST(a_new_certificate_is_shown_to_new_clients_and_old_sessions_stay),
		TLS_TEST(a_bad_new_certificate_is_refused_and_the_old_stays),
		TLS_TEST(a_key_of_another_certificate_is_refused_and_the_old_stays),
		cmocka_unit_test(a_listener_without_a_usable_certificate_does_not_open),
		cmocka_unit_test(a_client_that_never_finishes_the_handshake_is_closed_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
