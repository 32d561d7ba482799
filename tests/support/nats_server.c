#include "support/nats_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/server.h"
#include "support/test.h"
#include "support/tmpdir.h"

#define READY_TRIES 600 /* of 100 ms: a loaded machine is slow */

struct nats_server {
	char dir[TMPDIR_MAX], address[64], url[80];
	uint16_t port;
	pid_t pid; /* 0: not running */
};

bool nats_server_is_installed(void)
{
	if (access("/usr/sbin/nats-server", X_OK) == 0 ||
			access("/usr/bin/nats-server", X_OK) == 0) {
		return true;
	}
	printf("SKIPPED: nats-server is not installed\n");
	return false;
}

/* Does it greet, as it does when it is ready for clients? */
static bool greets(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char start[4] = "";
	bool ok;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ok = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
			read(fd, start, sizeof(start)) == sizeof(start) &&
			memcmp(start, "INFO", 4) == 0;
	close(fd);
	return ok;
}

static void run(struct nats_server *server)
{
	const struct timespec pause = { .tv_nsec = 100000000 };

	server->pid = fork();
	if (server->pid == 0) {
		int log = open(in_dir(server->dir, "log"), O_CREAT | O_WRONLY | O_APPEND, 0600);

		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
		execlp("nats-server", "nats-server", "-c", in_dir(server->dir, "conf"),
				(char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < READY_TRIES; i++) {
		if (greets(server->port)) {
			return;
		}
		nanosleep(&pause, NULL);
	}
	fail_msg("nats-server does not start: %s", server->dir);
}

struct nats_server *nats_server_start(const char *conf)
{
	struct nats_server *server = lt_zalloc(sizeof(*server));
	struct lt_buf text = { 0 };

	tmpdir_make(server->dir);
	server->port = server_free_port();
	snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", server->port);
	snprintf(server->url, sizeof(server->url), "nats://%s", server->address);
	lt_buf_printf(&text, "listen: \"%s\"\njetstream { store_dir: \"%s/js\" }\n%s\n",
			server->address, server->dir, conf ? conf : "");
	file_write(in_dir(server->dir, "conf"), lt_buf_str(&text));
	lt_buf_finish(&text);
	run(server);
	return server;
}

const char *nats_server_address(const struct nats_server *server)
{
	return server->address;
}

const char *nats_server_url(const struct nats_server *server)
{
	return server->url;
}

void nats_server_kill(struct nats_server *server)
{
	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
		server->pid = 0;
	}
}

void nats_server_again(struct nats_server *server)
{
	run(server);
}

void nats_server_halt(struct nats_server *server, bool is_halted)
{
	kill(server->pid, is_halted ? SIGSTOP : SIGCONT);
}

void nats_server_destroy(struct nats_server *server)
{
	nats_server_kill(server);
	tmpdir_remove(server->dir);
	lt_free(server);
}
