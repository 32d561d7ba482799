#include "services/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctl_proto.h"
#include "base/fsutil.h"
#include "base/table.h"

#define CONNECTIONS_MAX 32
#define READ_BYTES      (64 * 1024)
#define BURST_MAX       32           /* requests begun in one turn of the loop */
#define OUTPUT_HIGH     (256 * 1024) /* no further request is begun while so much is unsent */
#define STUCK_MS        30000        /* output that nobody takes */
#define IDLE_MS         600000       /* nothing said, nothing pending */
#define PAUSE_MS        1000         /* before the next try when no descriptor is to be had */

struct connection {
	struct lt_control *control;
	int fd;
	struct lt_watch watch;
	struct lt_timer timer;
	struct lt_timer resume; /* armed: more requests stand in the input */
	struct lt_deferred end;
	struct lt_buf input;
	struct lt_buf output;
	struct lt_control_request *request; /* at work, or NULL */
	bool is_running;                    /* inside run_requests */
	bool has_ended;  /* the peer says no more: answer what it said, then close */
	bool is_closing; /* freed at the end of the turn */
	struct connection *prev, *next;
};

struct lt_control_request {
	struct lt_control *control;
	struct connection *connection; /* NULL: gone */
	const char *verb;
};

struct lt_control {
	struct lt_control_env env;
	int fd; /* -1: stopped */
	struct lt_watch watch;
	struct lt_timer pause; /* armed: connections wait, the system is out of descriptors */
	struct connection *connections;
	size_t n;
};

struct lt_control *lt_control_create(const struct lt_control_env *env)
{
	struct lt_control *control = lt_zalloc(sizeof(*control));

	control->env = *env;
	control->env.log.module = "control";
	control->fd = -1;
	return control;
}

/* --- connections --- */

static void free_connection(void *arg)
{
	struct connection *connection = arg;

	lt_buf_finish(&connection->input);
	lt_buf_finish(&connection->output);
	lt_free(connection);
}

static void close_connection(struct connection *connection)
{
	struct lt_control *control = connection->control;

	if (connection->is_closing) {
		return;
	}
	connection->is_closing = true;
	lt_watch_stop(&connection->watch);
	lt_timer_cancel(&connection->timer);
	lt_timer_cancel(&connection->resume);
	close(connection->fd);
	if (connection->request) {
		connection->request->connection = NULL;
	}
	DL_DELETE(control->connections, connection);
	control->n--;
	lt_loop_defer(control->env.loop, &connection->end, free_connection, connection);
}

static void on_timeout(void *arg)
{
	close_connection(arg);
}

/* What to wait for and how long, after anything happened. */
static void update_connection(struct connection *connection)
{
	struct lt_loop *loop = connection->control->env.loop;
	bool may_read = !connection->request && !connection->has_ended &&
			!lt_timer_is_armed(&connection->resume) &&
			connection->output.n < OUTPUT_HIGH;

	if (connection->is_closing) {
		return;
	}
	if (connection->has_ended && !connection->request && connection->output.n == 0 &&
			!lt_timer_is_armed(&connection->resume)) {
		close_connection(connection);
		return;
	}
	lt_watch_set(&connection->watch,
			(may_read ? LT_READABLE : 0) | (connection->output.n ? LT_WRITABLE : 0));
	if (connection->output.n) {
		lt_timer_once(&connection->timer, loop, STUCK_MS, on_timeout, connection);
	} else if (connection->request) {
		lt_timer_cancel(&connection->timer);
	} else {
		lt_timer_once(&connection->timer, loop, IDLE_MS, on_timeout, connection);
	}
}

static void send_json(struct connection *connection, const cJSON *json)
{
	size_t before = connection->output.n;

	lt_json_print(&connection->output, json, LT_JSON_UTF8);
	lt_buf_add_char(&connection->output, '\n');
	if (connection->output.n - before > LT_CTL_LINE_MAX) {
		connection->output.n = before;
		lt_buf_add_c(&connection->output,
				"{\"ok\":false,\"error\":\"the answer is too "
				"large\",\"code\":\"limit\"}\n");
	}
}

static void send_error(struct connection *connection, const struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();

	lt_json_add_bool(json, "ok", false);
	lt_json_add_c(json, "error", err->msg);
	lt_json_add_c(json, "code", lt_errc_name(err->code));
	send_json(connection, json);
}

static void write_output(struct connection *connection)
{
	ssize_t n = send(connection->fd, connection->output.p, connection->output.n,
			MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0) {
		lt_buf_remove_front(&connection->output, (size_t)n);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close_connection(connection);
	}
}

/* --- requests --- */

static bool check_arg(const struct lt_control_arg *spec, const cJSON *value, struct lt_err *err)
{
	const cJSON *item;

	switch (spec->type) {
	case LT_ARG_TEXT:
		return cJSON_IsString(value) ||
				lt_err_set(err, LT_E_INVALID, "%s: expected a text", spec->name);
	case LT_ARG_BOOL:
		return cJSON_IsBool(value) ||
				lt_err_set(err, LT_E_INVALID, "%s: expected true or false",
						spec->name);
	case LT_ARG_TEXTS:
		cJSON_ArrayForEach(item, value) {
			if (!cJSON_IsString(item)) {
				return lt_err_set(err, LT_E_INVALID, "%s: expected a list of texts",
						spec->name);
			}
		}
		return cJSON_IsArray(value) ||
				lt_err_set(err, LT_E_INVALID, "%s: expected a list of texts",
						spec->name);
	}
	return false;
}

static const struct lt_control_arg *find_arg(const struct lt_control_verb *verb, const char *name)
{
	for (const struct lt_control_arg *spec = verb->args; spec && spec->name; spec++) {
		if (strcmp(spec->name, name) == 0) {
			return spec;
		}
	}
	return NULL;
}

static bool check_args(const struct lt_control_verb *verb, const cJSON *args, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	const cJSON *value;

	cJSON_ArrayForEach(value, args) {
		const struct lt_control_arg *spec = find_arg(verb, value->string);

		if (!spec) {
			return lt_err_set(err, LT_E_INVALID, "unknown argument %s",
					lt_str_quote(lt_str_from(value->string), quoted));
		}
		if (!check_arg(spec, value, err)) {
			return false;
		}
	}
	for (const struct lt_control_arg *spec = verb->args; spec && spec->name; spec++) {
		if (spec->is_required && !lt_json_get(args, spec->name)) {
			return lt_err_set(err, LT_E_INVALID, "%s is missing", spec->name);
		}
	}
	return true;
}

static const struct lt_control_verb *find_verb(const struct lt_control *control, struct lt_str name)
{
	for (const struct lt_control_verb *verb = control->env.verbs; verb->name; verb++) {
		if (lt_str_eq_c(name, verb->name)) {
			return verb;
		}
	}
	return NULL;
}

static bool run_request(struct connection *connection, struct lt_str line, struct lt_err *err)
{
	struct lt_control *control = connection->control;
	LT_AUTO(cJSON_Delete) cJSON *json = lt_json_parse(line, err);
	LT_AUTO(cJSON_Delete) cJSON *no_args = cJSON_CreateObject();
	const struct lt_control_verb *verb;
	const cJSON *args;
	char quoted[LT_QUOTE_MAX];
	struct lt_str name;

	if (!json || !lt_json_get_str(json, "verb", &name, err)) {
		return lt_err_prefix(err, "request");
	}
	verb = find_verb(control, name);
	if (!verb) {
		return lt_err_set(
				err, LT_E_NOT_FOUND, "unknown verb %s", lt_str_quote(name, quoted));
	}
	args = lt_json_get(json, "args");
	if (args && !cJSON_IsObject(args)) {
		return lt_err_set(err, LT_E_INVALID, "%s: args: expected an object", verb->name);
	}
	args = args ? args : no_args;
	if (!check_args(verb, args, err)) {
		return lt_err_prefix(err, "%s", verb->name);
	}
	connection->request = lt_zalloc(sizeof(*connection->request));
	connection->request->control = control;
	connection->request->connection = connection;
	connection->request->verb = verb->name;
	verb->run(control->env.verbs_arg, connection->request, args);
	return true;
}

/* Take one request out of the input and begin it; false when there is none. */
static bool next_request(struct connection *connection)
{
	LT_AUTO(lt_free) char *copy = NULL;
	struct lt_err err = { 0 };
	struct lt_str line;
	size_t used;

	if (!lt_ctl_next_line(&connection->input, &line, &used, &err)) {
		if (err.code != LT_E_NONE) {
			/* where the next line begins is anyone's guess */
			send_error(connection, &err);
			lt_buf_clear(&connection->input);
			connection->has_ended = true;
		}
		return false;
	}
	copy = lt_str_dup(line);
	line.p = copy;
	lt_buf_remove_front(&connection->input, used);
	if (!run_request(connection, line, &err)) {
		send_error(connection, &err);
	}
	return true;
}

static void on_resume(void *arg);

/* Begin requests while none is at work. Not entered again from inside: the loop sees the change. */
static void run_requests(struct connection *connection)
{
	int burst = 0;

	if (connection->is_running) {
		return;
	}
	connection->is_running = true;
	while (!connection->is_closing && !connection->request &&
			connection->output.n < OUTPUT_HIGH && burst < BURST_MAX &&
			next_request(connection)) {
		burst++;
	}
	if (burst == BURST_MAX && !connection->is_closing) {
		lt_timer_once(&connection->resume, connection->control->env.loop, 0, on_resume,
				connection);
	}
	connection->is_running = false;
	if (connection->output.n && !connection->is_closing) {
		write_output(connection);
	}
	update_connection(connection);
}

static void on_resume(void *arg)
{
	run_requests(arg);
}

const char *lt_control_verb_name(const struct lt_control_request *request)
{
	return request->verb;
}

void lt_control_peer(const struct lt_control_request *request, int64_t *ret_uid, int64_t *ret_pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	*ret_uid = *ret_pid = -1;
	if (request->connection &&
			getsockopt(request->connection->fd, SOL_SOCKET, SO_PEERCRED, &peer,
					&size) == 0) {
		*ret_uid = peer.uid;
		*ret_pid = peer.pid;
	}
}

/* The connection that waits for this answer, or NULL; frees the request. */
static struct connection *end_request(struct lt_control_request *request)
{
	struct connection *connection = request->connection;

	if (connection) {
		connection->request = NULL;
	}
	lt_free(request);
	return connection;
}

void lt_control_ok_take(struct lt_control_request *request, cJSON *result)
{
	struct connection *connection = end_request(request);
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();

	lt_json_add_bool(json, "ok", true);
	lt_json_set_take(json, "result", result ? result : cJSON_CreateNull());
	if (connection) {
		send_json(connection, json);
		run_requests(connection);
	}
}

void lt_control_fail(struct lt_control_request *request, const struct lt_err *err)
{
	struct connection *connection = end_request(request);

	if (connection) {
		send_error(connection, err);
		run_requests(connection);
	}
}

/* --- events --- */

static void read_input(struct connection *connection)
{
	ssize_t n;

	lt_buf_reserve(&connection->input, READ_BYTES);
	n = recv(connection->fd, connection->input.p + connection->input.n, READ_BYTES,
			MSG_DONTWAIT);
	if (n > 0) {
		connection->input.n += (size_t)n;
		connection->input.p[connection->input.n] = '\0';
	} else if (n == 0) {
		connection->has_ended = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		close_connection(connection);
	}
}

static void on_ready(void *arg, int events)
{
	struct connection *connection = arg;

	if ((events & LT_WRITABLE) && connection->output.n) {
		write_output(connection);
	}
	if ((events & LT_READABLE) && !connection->is_closing) {
		read_input(connection);
	}
	if (!connection->is_closing) {
		run_requests(connection);
	}
}

static void greet(struct connection *connection)
{
	LT_AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();

	lt_json_add_c(json, "livetimingd", connection->control->env.version);
	lt_json_add_int(json, "protocol", LT_CTL_PROTOCOL);
	send_json(connection, json);
}

static void add_connection(struct lt_control *control, int fd)
{
	struct connection *connection = lt_zalloc(sizeof(*connection));
	struct lt_err err = { 0 };

	connection->control = control;
	connection->fd = fd;
	if (!lt_watch_start(&connection->watch, control->env.loop, fd, LT_READABLE, on_ready,
			    connection, &err)) {
		lt_log(&control->env.log, LT_WARN, "connection refused", "reason=\"%s\"", err.msg);
		close(fd);
		lt_free(connection);
		return;
	}
	DL_APPEND(control->connections, connection);
	control->n++;
	greet(connection);
	if (control->n > CONNECTIONS_MAX) {
		lt_err_set(&err, LT_E_LIMIT, "there are %d connections already", CONNECTIONS_MAX);
		send_error(connection, &err);
		connection->has_ended = true;
	}
	write_output(connection);
	update_connection(connection);
}

static void on_pause_end(void *arg)
{
	struct lt_control *control = arg;

	lt_watch_set(&control->watch, LT_READABLE);
}

static void on_connect(void *arg, int events)
{
	struct lt_control *control = arg;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		add_connection(control, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* who waits keeps the socket readable: without a pause the loop would spin */
		lt_watch_set(&control->watch, 0);
		lt_timer_once(&control->pause, control->env.loop, PAUSE_MS, on_pause_end, control);
	}
}

/* --- life --- */

static bool make_address(const char *path, struct sockaddr_un *ret, struct lt_err *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path)) {
		return lt_err_set(err, LT_E_INVALID, "the path is longer than %zu bytes",
				sizeof(ret->sun_path) - 1);
	}
	memcpy(ret->sun_path, path, strlen(path));
	return true;
}

/* Does somebody listen there? A socket file without listener is a leftover, and goes. */
static bool clear_path(const struct sockaddr_un *address, struct lt_err *err)
{
	struct stat info;
	int fd, result;

	if (lstat(address->sun_path, &info) != 0) {
		return errno == ENOENT || lt_err_errno(err, "cannot look at it");
	}
	if (!S_ISSOCK(info.st_mode)) {
		return lt_err_set(err, LT_E_EXISTS, "there is a file that is not a socket");
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return lt_err_errno(err, "socket");
	}
	result = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
	close(fd);
	if (result == 0 || result == EAGAIN) {
		return lt_err_set(err, LT_E_EXISTS, "in use by a livetimingd that is running");
	}
	if (unlink(address->sun_path) != 0) {
		return lt_err_errno(err, "cannot remove the leftover socket");
	}
	return true;
}

static bool make_folder(const char *path, struct lt_err *err)
{
	const char *slash = strrchr(path, '/');
	LT_AUTO(lt_free) char *dir = NULL;

	if (!slash || slash == path) {
		return true;
	}
	dir = lt_str_dup((struct lt_str){ path, (size_t)(slash - path) });
	return lt_dir_make(dir, err);
}

static bool open_socket(struct lt_control *control, struct lt_err *err)
{
	struct sockaddr_un address;
	mode_t mask;
	int result;

	if (!make_address(control->env.path, &address, err) ||
			!make_folder(control->env.path, err) || !clear_path(&address, err)) {
		return false;
	}
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0) {
		return lt_err_errno(err, "socket");
	}
	mask = umask(0177); /* 0600 from the first moment on */
	result = bind(control->fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (result != 0) {
		lt_err_errno(err, "bind");
		close(control->fd);
		control->fd = -1; /* so that stop leaves the file alone */
		return false;
	}
	if (listen(control->fd, CONNECTIONS_MAX) != 0) {
		return lt_err_errno(err, "listen");
	}
	return lt_watch_start(&control->watch, control->env.loop, control->fd, LT_READABLE,
			on_connect, control, err);
}

bool lt_control_start(struct lt_control *control, struct lt_err *err)
{
	if (open_socket(control, err)) {
		return true;
	}
	lt_control_stop(control);
	return lt_err_prefix(err, "control socket %s", control->env.path);
}

void lt_control_stop(struct lt_control *control)
{
	while (control->connections) {
		close_connection(control->connections);
	}
	lt_timer_cancel(&control->pause);
	if (control->fd >= 0) {
		lt_watch_stop(&control->watch);
		close(control->fd);
		control->fd = -1;
		unlink(control->env.path);
	}
}

void lt_control_destroy(struct lt_control *control)
{
	if (control) {
		lt_control_stop(control);
		lt_free(control);
	}
}
