#include "support/wire_client.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/test.h"

static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };

static void set_timeout(int fd)
{
	struct timeval wait = { .tv_sec = 60 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)), 0);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

int wire_connect(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *found;
	char host[64];
	int fd;

	if (strncmp(address, "unix:", 5) == 0) {
		fd = connect_unix(address + 5);
		set_timeout(fd);
		return fd;
	}
	const char *colon = strrchr(address, ':');
	bool brackets = address[0] == '[';
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - 2 * brackets,
			address + brackets);
	assert_int_equal(getaddrinfo(host, colon + 1, &hints, &found), 0);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_timeout(fd);
	assert_int_equal(connect(fd, found->ai_addr, found->ai_addrlen), 0);
	freeaddrinfo(found);
	return fd;
}

void wire_send(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0) {
			return; /* the peer may refuse early; what it says is what is tested */
		}
		bytes += sent;
		n -= (size_t)sent;
	}
}

void wire_read_all(int fd, struct lt_buf *ret_bytes)
{
	char chunk[4096];
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0) {
		lt_buf_add(ret_bytes, chunk, (size_t)n);
	}
	if (n < 0 && errno != ECONNRESET) {
		fail_msg("nothing came and the peer did not close: %s", strerror(errno));
	}
}

static bool read_exactly(int fd, void *bytes, size_t n)
{
	char *at = bytes;

	while (n > 0) {
		ssize_t got = recv(fd, at, n, 0);

		if (got < 0 && errno != ECONNRESET && errno != EPIPE) {
			fail_msg("waited in vain for %zu bytes: %s", n, strerror(errno));
		}
		if (got <= 0) {
			return false;
		}
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static void read_head(int fd, struct lt_buf *ret_head)
{
	char c;

	lt_buf_clear(ret_head);
	while (read_exactly(fd, &c, 1)) {
		lt_buf_add_char(ret_head, c);
		if (lt_str_ends(lt_buf_str(ret_head), LT_STR("\r\n\r\n"))) {
			return;
		}
	}
}

void wire_read_response(int fd, bool head_only, struct lt_buf *ret_head, struct lt_buf *ret_body)
{
	static const char name[] = "Content-Length: ";

	read_head(fd, ret_head);
	lt_buf_clear(ret_body);
	const char *length = ret_head->p ? strstr(ret_head->p, name) : NULL;
	size_t n = length && !head_only ? (size_t)strtoul(length + strlen(name), NULL, 10) : 0;
	lt_buf_reserve(ret_body, n + 1);
	assert_true(read_exactly(fd, ret_body->p, n));
	ret_body->n = n;
	ret_body->p[n] = '\0';
}

int ws_open(const char *address, const char *path, const char *subprotocols,
		struct lt_buf *ret_head)
{
	struct lt_buf request = { 0 };
	int fd = wire_connect(address);

	lt_buf_printf(&request,
			"GET %s HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
			path);
	if (subprotocols) {
		lt_buf_printf(&request, "Sec-WebSocket-Protocol: %s\r\n", subprotocols);
	}
	lt_buf_add_c(&request, "\r\n");
	wire_send(fd, request.p, request.n);
	lt_buf_finish(&request);
	read_head(fd, ret_head);
	return fd;
}

int ws_join(const char *address)
{
	struct lt_buf head = { 0 };
	int fd = ws_open(address, "/ws", "wamp.2.json", &head);

	assert_non_null(head.p);
	assert_non_null(strstr(head.p, " 101 "));
	lt_buf_finish(&head);
	return fd;
}

void ws_encode(struct lt_buf *buf, int opcode, bool fin, bool unmasked, struct lt_str body)
{
	uint8_t bit = unmasked ? 0 : 0x80;

	lt_buf_add_char(buf, (char)((fin ? 0x80 : 0) | opcode));
	if (body.n < 126) {
		lt_buf_add_char(buf, (char)(bit | body.n));
	} else if (body.n < 65536) {
		lt_buf_add_char(buf, (char)(bit | 126));
		lt_buf_add_char(buf, (char)(body.n >> 8));
		lt_buf_add_char(buf, (char)body.n);
	} else {
		lt_buf_add_char(buf, (char)(bit | 127));
		for (int i = 0; i < 8; i++) {
			lt_buf_add_char(buf, (char)((uint64_t)body.n >> (56 - 8 * i)));
		}
	}
	if (!unmasked) {
		lt_buf_add(buf, mask, sizeof(mask));
	}
	for (size_t i = 0; i < body.n; i++) {
		lt_buf_add_char(buf, (char)(body.p[i] ^ (unmasked ? 0 : mask[i & 3])));
	}
}

void ws_send(int fd, int opcode, struct lt_str body)
{
	struct lt_buf frame = { 0 };

	ws_encode(&frame, opcode, true, false, body);
	wire_send(fd, frame.p, frame.n);
	lt_buf_finish(&frame);
}

bool ws_read(int fd, struct ws_frame *frame)
{
	uint8_t head[2], more[8];
	size_t more_n, n;

	if (!read_exactly(fd, head, 2)) {
		return false;
	}
	frame->fin = head[0] & 0x80;
	frame->opcode = head[0] & 0x7f;
	assert_int_equal(head[1] & 0x80, 0);
	n = head[1];
	more_n = n == 126 ? 2 : n == 127 ? 8 : 0;
	if (more_n > 0) {
		if (!read_exactly(fd, more, more_n)) {
			return false;
		}
		n = 0;
		for (size_t i = 0; i < more_n; i++) {
			n = n << 8 | more[i];
		}
	}
	lt_buf_clear(&frame->body);
	lt_buf_reserve(&frame->body, n + 1);
	frame->body.n = n;
	frame->body.p[n] = '\0';
	return read_exactly(fd, frame->body.p, n);
}

void ws_read_message(int fd, struct lt_buf *ret_message)
{
	struct ws_frame frame = { 0 };
	bool started = false;

	lt_buf_clear(ret_message);
	do {
		assert_true(ws_read(fd, &frame));
		if (frame.opcode >= WS_CLOSE) {
			assert_int_not_equal(frame.opcode, WS_CLOSE);
			frame.fin = false;
			continue;
		}
		assert_int_equal(frame.opcode, started ? WS_CONTINUATION : WS_TEXT);
		started = true;
		lt_buf_add(ret_message, frame.body.p, frame.body.n);
	} while (!frame.fin);
	lt_buf_finish(&frame.body);
}

int ws_read_close(int fd)
{
	struct ws_frame frame = { 0 };
	int code = 0;

	while (code == 0 && ws_read(fd, &frame)) {
		if (frame.opcode == WS_CLOSE) {
			code = frame.body.n >= 2
					? ((uint8_t)frame.body.p[0] << 8 | (uint8_t)frame.body.p[1])
					: 1005;
		}
	}
	lt_buf_finish(&frame.body);
	return code;
}
