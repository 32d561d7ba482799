/*
 * A blocking HTTP and WebSocket client that can also misbehave: tests use it
 * against a real listener whose loop runs on another thread. Everything gives
 * up after ten seconds; a failed step fails the running test.
 */
#ifndef LT_TESTS_SUPPORT_WIRE_CLIENT_H
#define LT_TESTS_SUPPORT_WIRE_CLIENT_H

#include "base/str.h"

enum { WS_CONTINUATION, WS_TEXT, WS_BINARY, WS_CLOSE = 8, WS_PING, WS_PONG };

/* "127.0.0.1:PORT", "[::1]:PORT" or "unix:PATH"; returns the socket. */
int wire_connect(const char *address);
void wire_send(int fd, const char *bytes, size_t n);
/* Up to the end of what the peer sends; 0 bytes when it only closed. */
void wire_read_all(int fd, struct lt_buf *ret_bytes);
/* One HTTP response: its head with the empty line, then Content-Length bytes of body. */
void wire_read_response(int fd, bool head_only, struct lt_buf *ret_head, struct lt_buf *ret_body);

/* Handshake at `path` offering `subprotocols` (NULL: none); returns the response's head. */
int ws_open(const char *address, const char *path, const char *subprotocols,
		struct lt_buf *ret_head);
/* As ws_open at /ws with wamp.2.json, which must succeed. */
int ws_join(const char *address);

struct ws_frame {
	int opcode;
	bool fin;
	struct lt_buf body;
};
/* A finished frame appended to `buf`: masked unless `unmasked`. */
void ws_encode(struct lt_buf *buf, int opcode, bool fin, bool unmasked, struct lt_str body);
void ws_send(int fd, int opcode, struct lt_str body);
/* False: the connection ended. frame->body is replaced. */
bool ws_read(int fd, struct ws_frame *frame);
/* Expects a text message (of any number of fragments); pongs and pings are skipped. */
void ws_read_message(int fd, struct lt_buf *ret_message);
/* Reads until the close frame; returns its code, 0 when there was none. */
int ws_read_close(int fd);

#endif
