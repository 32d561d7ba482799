#include "support/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test.h"

static int listen_on_free_port(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) != 0 || listen(fd, 16) != 0 ||
			getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
		fail_msg("cannot listen: %s", strerror(errno));
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void *serve_all(void *arg)
{
	struct server *server = arg;

	for (int nth = 0;; nth++) {
		int fd = accept(server->fd, NULL, NULL);

		if (fd < 0) {
			return NULL; /* server_stop */
		}
		server->serve(fd, nth, server->arg);
		close(fd);
	}
}

void server_start(struct server *server, void (*serve)(int fd, int nth, void *arg), void *arg)
{
	server->serve = serve;
	server->arg = arg;
	server->fd = listen_on_free_port(&server->port);
	if (pthread_create(&server->thread, NULL, serve_all, server) != 0) {
		fail_msg("cannot start a thread");
	}
}

void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

void server_say(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t written = send(fd, text, n, MSG_NOSIGNAL);

		if (written < 0) {
			return; /* the client had enough */
		}
		text += written;
		n -= (size_t)written;
	}
}

void server_wait_for_close(int fd)
{
	char bytes[1024];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0) {
	}
}

size_t server_read_until(int fd, const char *end, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	while (n + 1 < size && !strstr(text, end) && recv(fd, text + n, 1, 0) == 1) {
		text[++n] = '\0';
	}
	return n;
}

uint16_t server_free_port(void)
{
	uint16_t port;

	close(listen_on_free_port(&port));
	return port;
}
