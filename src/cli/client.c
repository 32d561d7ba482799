#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"

#define READ_BYTES 65536

struct lt_client {
	int fd, patience_s;
	struct lt_buf input;
	char *version;
};

/* --- lines --- */

static bool read_more(struct lt_client *client, struct lt_err *err)
{
	ssize_t n;

	lt_buf_reserve(&client->input, READ_BYTES);
	do {
		n = recv(client->fd, client->input.p + client->input.n, READ_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		return lt_err_set(err, LT_E_TIMEOUT, "the daemon did not answer for %d s",
				client->patience_s);
	}
	if (n < 0) {
		return lt_err_errno(err, "control socket");
	}
	if (n == 0) {
		return lt_err_set(err, LT_E_UNAVAILABLE, "the daemon closed the connection");
	}
	client->input.n += (size_t)n;
	return true;
}

static cJSON *read_json(struct lt_client *client, struct lt_err *err)
{
	struct lt_err line_err = { 0 };
	struct lt_str line;
	size_t used;
	cJSON *json;

	while (!lt_ctl_next_line(&client->input, &line, &used, &line_err)) {
		if (line_err.code != LT_E_NONE) {
			*err = line_err;
			return NULL;
		}
		if (!read_more(client, err)) {
			return NULL;
		}
	}
	json = lt_json_parse(line, err);
	lt_buf_remove_front(&client->input, used);
	if (!json) {
		lt_err_prefix(err, "the daemon's answer");
	}
	return json;
}

static bool send_line(struct lt_client *client, const cJSON *json, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };

	lt_json_print(&line, json, LT_JSON_UTF8);
	lt_buf_add_char(&line, '\n');
	for (size_t sent = 0; sent < line.n;) {
		ssize_t n = send(client->fd, line.p + sent, line.n - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EPIPE) {
			break; /* it has closed, and said why: that is read as the answer */
		}
		if (n < 0 && errno != EINTR) {
			return lt_err_errno(err, "control socket");
		}
		sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* --- connecting --- */

static bool open_socket(struct lt_client *client, const char *path, struct lt_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = client->patience_s };

	if (strlen(path) >= sizeof(address.sun_path)) {
		return lt_err_set(err, LT_E_INVALID, "%s: the path is longer than %zu bytes", path,
				sizeof(address.sun_path) - 1);
	}
	memcpy(address.sun_path, path, strlen(path));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0) {
		return lt_err_errno(err, "socket");
	}
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (errno == ENOENT || errno == ECONNREFUSED) {
			return lt_err_set(err, LT_E_UNAVAILABLE,
					"no livetimingd is listening at %s; start it, or name its socket with -s or LIVETIMING_CONTROL_SOCKET",
					path);
		}
		return lt_err_errno(err, "cannot connect to %s", path);
	}
	return true;
}

static bool read_greeting(struct lt_client *client, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *greeting = read_json(client, err);
	struct lt_str version;
	int64_t protocol;

	if (!greeting) {
		return false;
	}
	if (!lt_json_get_str(greeting, "livetimingd", &version, err) ||
			!lt_json_get_int(greeting, "protocol", 0, INT32_MAX, &protocol, err)) {
		return lt_err_prefix(err, "what listens there is not livetimingd");
	}
	if (protocol != LT_CTL_PROTOCOL) {
		return lt_err_set(err, LT_E_UNAVAILABLE,
				"the daemon (%.*s) speaks control protocol %d, this livetimingctl (%s) speaks %d; use the one that came with the daemon",
				(int)LT_MIN(version.n, (size_t)32), version.p, (int)protocol,
				LT_VERSION, LT_CTL_PROTOCOL);
	}
	client->version = lt_str_dup(version);
	return true;
}

struct lt_client *lt_client_connect(const char *path, int patience_s, struct lt_err *err)
{
	struct lt_client *client = lt_zalloc(sizeof(*client));

	client->fd = -1;
	client->patience_s = patience_s;
	if (open_socket(client, path, err) && read_greeting(client, err)) {
		return client;
	}
	lt_client_close(client);
	return NULL;
}

void lt_client_close(struct lt_client *client)
{
	if (!client) {
		return;
	}
	if (client->fd >= 0) {
		close(client->fd);
	}
	lt_buf_finish(&client->input);
	lt_free(client->version);
	lt_free(client);
}

const char *lt_client_daemon_version(const struct lt_client *client)
{
	return client->version;
}

/* --- asking --- */

cJSON *lt_client_call_take(struct lt_client *client, const char *verb, cJSON *args,
		bool *ret_is_broken, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *request = cJSON_CreateObject();
	LT_AUTO(cJSON_Delete) cJSON *answer = NULL;
	struct lt_str sentence = LT_STR("refused without a reason");
	struct lt_str code = LT_STR("invalid");
	bool ok = false;
	cJSON *result;

	lt_json_add_c(request, "verb", verb);
	if (args) {
		lt_json_set_take(request, "args", args);
	}
	*ret_is_broken = true;
	if (!send_line(client, request, err) || !(answer = read_json(client, err)) ||
			!lt_json_get_bool(answer, "ok", &ok, err)) {
		return NULL;
	}
	*ret_is_broken = false;
	if (ok) {
		result = lt_json_get(answer, "result");
		return result ? cJSON_DetachItemViaPointer(answer, result) : cJSON_CreateNull();
	}
	lt_json_opt_str(answer, "error", &sentence, NULL);
	lt_json_opt_str(answer, "code", &code, NULL);
	lt_err_set(err, lt_errc_parse(code), "%.*s", LT_STR_ARG(sentence));
	return NULL;
}
