#include "daemon/stop_guard.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"

static void on_alarm(int signum)
{
	static const char text[] = "not stopped in time, something hangs: leaving at once\n";

	(void)signum;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
		_exit(1);
	}
	_exit(1);
}

/* Only what a signal handler may call. The loop listens to the other signal. */
static void on_stop(int signum)
{
	(void)signum;
	alarm(LT_STOP_GUARD_S);
	kill(getpid(), SIGRTMIN);
}

void lt_stop_guard_install(struct lt_loop *loop, void (*fn)(void *arg, int signum), void *arg)
{
	struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	struct sigaction ring = { .sa_handler = on_alarm };

	sigemptyset(&stop.sa_mask);
	sigemptyset(&ring.sa_mask);
	lt_loop_on_signal(loop, SIGRTMIN, fn, arg);
	sigaction(SIGALRM, &ring, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
}
