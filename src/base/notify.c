#include "base/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"

#define STATUS_INTERVAL_MS 5000 /* where no watchdog wants it more often */

struct lt_notify {
	struct lt_notify_env env;
	char *socket; /* NULL: nobody listens */
	struct lt_timer timer;
	bool is_told; /* that it cannot be reached */
};

struct lt_notify *lt_notify_create(const struct lt_notify_env *env)
{
	struct lt_notify *notify = lt_zalloc(sizeof(*notify));

	notify->env = *env;
	notify->socket = env->socket && *env->socket ? lt_strdup(env->socket) : NULL;
	return notify;
}

void lt_notify_destroy(struct lt_notify *notify)
{
	if (notify) {
		lt_timer_cancel(&notify->timer);
		lt_free(notify->socket);
		lt_free(notify);
	}
}

static bool send_text(const char *path, struct lt_str text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd;
	bool ok;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return false;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@') {
		address.sun_path[0] = '\0'; /* abstract name */
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return false;
	}
	ok = sendto(fd, text.p, text.n, MSG_NOSIGNAL, (struct sockaddr *)&address, length) >= 0;
	close(fd);
	return ok;
}

static void tell_take(struct lt_notify *notify, struct lt_buf *text)
{
	if (notify->env.describe) {
		lt_buf_add_c(text, "STATUS=");
		notify->env.describe(notify->env.arg, text);
		lt_buf_add_char(text, '\n');
	}
	if (!send_text(notify->socket, lt_buf_str(text)) && !notify->is_told) {
		notify->is_told = true;
		lt_log(&notify->env.log, LT_WARN, "the service manager cannot be told", "socket=%s",
				notify->socket);
	}
	lt_buf_finish(text);
}

static void tell(struct lt_notify *notify, const char *lines)
{
	struct lt_buf text = { 0 };

	if (notify->socket) {
		lt_buf_add_c(&text, lines);
		tell_take(notify, &text);
	}
}

static void on_time(void *arg)
{
	struct lt_notify *notify = arg;

	tell(notify, notify->env.watchdog_us > 0 ? "WATCHDOG=1\n" : "");
}

void lt_notify_ready(struct lt_notify *notify)
{
	int64_t watchdog_ms = notify->env.watchdog_us / 2 / LT_US_PER_MS;

	tell(notify, "READY=1\n");
	if (notify->socket && !lt_timer_is_armed(&notify->timer)) {
		lt_timer_every(&notify->timer, notify->env.loop,
				watchdog_ms > 0 ? LT_MIN(watchdog_ms, STATUS_INTERVAL_MS)
						: STATUS_INTERVAL_MS,
				on_time, notify);
	}
}

void lt_notify_reloading(struct lt_notify *notify)
{
	struct lt_buf text = { 0 };

	if (notify->socket) {
		lt_buf_printf(&text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
				lt_clock_mono().us);
		tell_take(notify, &text);
	}
}

void lt_notify_stopping(struct lt_notify *notify)
{
	tell(notify, "STOPPING=1\n");
}
