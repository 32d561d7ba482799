#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "services/outside/child_priv.h"

/* Not for a child: secrets, and what is the daemon's own affair with its service manager. */
static const char *const withheld[] = { "LIVETIMING_SHARED_SECRET", "LIVETIMING_ADMIN_AUTHCODE",
	"LIVETIMING_AUTH_ID", "LIVETIMING_ROUTER", "LIVETIMING_CALENDAR_URL", "LIVETIMING_LISTEN",
	"LIVETIMING_SERVICES", "LIVETIMING_CONTROL_SOCKET", "NOTIFY_SOCKET", "WATCHDOG_PID",
	"WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "SENTRY_DSN",
	"CALENDAR_SOURCE_URL" };

static bool is_withheld(const char *entry)
{
	struct lt_str value = lt_str_from(entry), name = lt_str_split(&value, '=');

	for (size_t i = 0; i < LT_ARRAY_LEN(withheld); i++) {
		if (lt_str_eq_c(name, withheld[i])) {
			return true;
		}
	}
	return lt_str_starts(name, LT_STR("TWITTER_")) ||
			lt_str_starts(name, LT_STR("LIVETIMING_ANNOUNCE"));
}

static bool is_named_in(char *const *settings, const char *entry)
{
	struct lt_str value = lt_str_from(entry), name = lt_str_split(&value, '=');

	for (; *settings != NULL; settings++) {
		if (strncmp(*settings, name.p, name.n) == 0 && (*settings)[name.n] == '=') {
			return true;
		}
	}
	return false;
}

/* The entries are borrowed; the list is freed by the caller. */
static char **make_environment(char *const *settings)
{
	size_t n = 0, count = 0;

	while (environ[count] != NULL) {
		count++;
	}
	for (char *const *entry = settings; *entry != NULL; entry++) {
		count++;
	}
	char **environment = lt_calloc(count + 1, sizeof(*environment));

	for (char **entry = environ; *entry != NULL; entry++) {
		if (!is_withheld(*entry) && !is_named_in(settings, *entry)) {
			environment[n++] = *entry;
		}
	}
	for (; *settings != NULL; settings++) {
		environment[n++] = *settings;
	}
	return environment;
}

/* livetimingd [--fresh] --supervised UUID CLASS [options] */
static char **make_command(const struct lt_child *child, bool continues)
{
	char **command = lt_calloc(child->args.n + 5, sizeof(*command));
	size_t n = 0;

	command[n++] = lt_strdup("livetimingd");
	if (!continues) {
		command[n++] = lt_strdup("--fresh");
	}
	command[n++] = lt_strdup("--supervised");
	command[n++] = lt_strdup(child->uuid);
	for (size_t i = 0; i < child->args.n; i++) {
		command[n++] = lt_strdup(child->args.v[i]);
	}
	return command;
}

static void free_command(char **command)
{
	for (char **word = command; *word != NULL; word++) {
		lt_free(*word);
	}
	lt_free(command);
}

struct ends {
	int channel[2], output[2]; /* ours, the child's */
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0) {
			close(pair[i]);
		}
		pair[i] = -1;
	}
}

static bool open_ends(struct ends *ends, struct lt_err *err)
{
	*ends = (struct ends){ { -1, -1 }, { -1, -1 } };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->channel) != 0 ||
			pipe2(ends->output, O_CLOEXEC) != 0) {
		lt_err_errno(err, "channel of a process");
		close_pair(ends->channel);
		return false;
	}
	fcntl(ends->channel[0], F_SETFL, O_NONBLOCK);
	fcntl(ends->output[0], F_SETFL, O_NONBLOCK);
	return true;
}

/* In a process group of its own: Ctrl-C in a terminal is for the daemon, which stops it in order.
 */
static int spawn(
		struct lt_child *child, const struct ends *ends, char **command, char **environment)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int number;

	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends->output[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends->output[1], STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends->channel[1], LT_CHILD_CHANNEL);
	posix_spawn_file_actions_addclosefrom_np(&actions, LT_CHILD_CHANNEL + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
			POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	number = posix_spawn(&child->pid, child->children->program, &actions, &attributes, command,
			environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return number;
}

bool lt_child_spawn(struct lt_child *child, bool continues, struct lt_err *err)
{
	struct ends ends;
	int number;

	if (!open_ends(&ends, err)) {
		return false;
	}
	char **command = make_command(child, continues);
	char **environment = make_environment(child->children->settings);

	number = spawn(child, &ends, command, environment);
	free_command(command);
	lt_free(environment);
	close(ends.channel[1]);
	close(ends.output[1]);
	if (number != 0) {
		close(ends.channel[0]);
		close(ends.output[0]);
		child->pid = 0;
		errno = number;
		return lt_err_errno(err, "cannot run %s", child->children->program);
	}
	child->channel = ends.channel[0];
	child->output = ends.output[0];
	return true;
}
