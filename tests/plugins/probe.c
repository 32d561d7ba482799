/*
 * The tests' own plugin: does what its options say and reports what it got, as
 * counters and as rows [name, value] of its state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <livetiming/plugin.h>

struct probe {
	const struct lt_host_api *api;
	struct lt_host *host;
	void *http, *ws, *tcp, *lines, *udp, *file, *recording;
	int updates;
};

static void report(struct probe *p, const char *what, struct lt_str value)
{
	struct lt_cell row[2];
	struct lt_session_info session;

	memset(row, 0, sizeof(row));
	row[0].kind = LT_CELL_TEXT;
	row[0].s = lt_text_n(what, strlen(what));
	row[1].kind = LT_CELL_TEXT;
	row[1].s = value;
	p->api->count(p->host, what, 1);
	p->api->state_begin(p->host);
	p->api->state_row(p->host, row, 2);
	memset(&session, 0, sizeof(session));
	session.size = sizeof(session);
	session.flag = LT_FLAG_GREEN;
	session.time_elapsed_s = p->updates;
	session.time_remain_s = -1;
	session.laps_remain = -1;
	p->api->state_session(p->host, &session);
	if (p->api->option_flag(p->host, "due")) {
		p->api->publish_due(p->host);
	} else {
		p->api->publish_now(p->host);
	}
}

static void on_http(void *arg, const struct lt_http_result *result)
{
	report(arg, result->status == 200 ? "http" : "http error",
			result->error.n ? result->error : result->body);
}

static void on_ws_connected(void *arg)
{
	struct probe *p = arg;
	const struct lt_ws_ext *ws = p->api->extension(p->host, LT_EXT_WS);

	ws->send(p->ws, LT_LITERAL("hello"), 0);
}

static void on_ws(void *arg, struct lt_str message, uint32_t binary)
{
	report(arg, binary ? "ws binary" : "ws", message);
}

static void on_tcp_connected(void *arg)
{
	struct probe *p = arg;
	const struct lt_tcp_ext *tcp = p->api->extension(p->host, LT_EXT_TCP);

	tcp->send(p->tcp, LT_LITERAL("hello"));
}

static void on_bytes(void *arg, struct lt_str bytes)
{
	report(arg, "tcp", bytes);
}

static void on_line(void *arg, struct lt_str line)
{
	report(arg, "line", line);
}

static void on_datagram(void *arg, struct lt_str bytes, struct lt_str from)
{
	struct probe *p = arg;
	const struct lt_udp_ext *udp = p->api->extension(p->host, LT_EXT_UDP);

	report(p, "udp", bytes);
	udp->send(p->udp, LT_LITERAL("got it"), from);
	udp->close(p->udp); /* from inside its own callback */
	p->udp = NULL;
}

static void on_timer(void *arg)
{
	report(arg, "timer", LT_LITERAL("fired"));
}

/* Memory of its own: the worker may still have it when the instance is gone. */
struct job {
	struct probe *probe;
	int64_t result;
};

static void work(void *arg)
{
	((struct job *)arg)->result = 42;
}

static void worked(void *arg, uint32_t cancelled)
{
	struct job *job = arg;

	if (!cancelled) {
		report(job->probe, "work", LT_LITERAL("done"));
		job->probe->api->count(job->probe->host, "worked", job->result);
	}
	free(job);
}

static void next_file_line(void *arg)
{
	struct probe *p = arg;
	const struct lt_file_ext *file = p->api->extension(p->host, LT_EXT_FILE);
	struct lt_str line;
	int32_t got;

	while ((got = file->next_line(p->file, &line)) == 1) {
		report(p, "file", line);
	}
	if (got == 2) {
		p->api->timer(p->host, 1, 0, next_file_line, p);
	} else {
		file->close(p->file);
		report(p, "end of file", LT_LITERAL(""));
	}
}

static void on_recording(void *arg, const struct lt_recording_info *info)
{
	struct probe *p = arg;
	const struct lt_recording_ext *recording = p->api->extension(p->host, LT_EXT_RECORDING);

	p->api->count(p->host, "frames", info->frames);
	recording->describe(p->recording);
	recording->request(p->recording, recording->next_time(p->recording, info->first_s));
}

static void on_recorded_state(void *arg, int64_t time_s, struct lt_str state_json)
{
	struct probe *p = arg;
	const struct lt_recording_ext *recording = p->api->extension(p->host, LT_EXT_RECORDING);

	(void)state_json;
	recording->publish(p->recording);
	time_s = recording->next_time(p->recording, time_s + 1);
	if (time_s == INT64_MAX) {
		recording->close(p->recording); /* from inside its own callback */
		p->api->count(p->host, "recording ended", 1);
	} else {
		recording->request(p->recording, time_s);
	}
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host, struct lt_str options,
		void **ret_self)
{
	static const struct lt_column columns[] = { LT_COL_NUM, { "Value", "text", NULL } };
	struct lt_service_info info;
	struct probe *p;

	(void)options;
	if (api->option_flag(host, "refuse")) {
		api->fail(host, LT_LITERAL("told to refuse"));
		return -1;
	}
	p = calloc(1, sizeof(*p));
	p->api = api;
	p->host = host;
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.name = LT_LITERAL("Probe");
	info.description = LT_LITERAL("What the tests see");
	info.columns = columns;
	info.column_count = 2;
	api->set_generators(host, LT_GENERATE_DEFAULT | LT_GENERATE_RACE_CONTROL);
	*ret_self = p;
	return api->describe(host, &info);
}

static void open_inputs(struct probe *p, uint32_t port)
{
	const struct lt_host_api *api = p->api;

	if (api->option_has(p->host, "url")) {
		const struct lt_http_ext *http = api->extension(p->host, LT_EXT_HTTP);
		struct lt_http_opts o;

		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.url = api->option_text(p->host, "url").p;
		o.result = on_http;
		o.arg = p;
		p->http = http->fetch(p->host, &o);
	}
	if (api->option_has(p->host, "ws")) {
		const struct lt_ws_ext *ws = api->extension(p->host, LT_EXT_WS);
		struct lt_ws_opts o;

		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.url = api->option_text(p->host, "ws").p;
		o.connected = on_ws_connected;
		o.message = on_ws;
		o.arg = p;
		p->ws = ws->open(p->host, &o);
	}
	if (api->option_flag(p->host, "tcp")) {
		const struct lt_tcp_ext *tcp = api->extension(p->host, LT_EXT_TCP);
		struct lt_tcp_opts o;

		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.port = port;
		o.host = "127.0.0.1";
		o.connected = on_tcp_connected;
		o.bytes = on_bytes;
		o.arg = p;
		p->tcp = tcp->open(p->host, &o);
	}
	if (api->option_flag(p->host, "lines")) {
		const struct lt_lines_ext *lines = api->extension(p->host, LT_EXT_LINES);
		struct lt_lines_opts o;

		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.port = port;
		o.host = "127.0.0.1";
		o.line = on_line;
		o.arg = p;
		p->lines = lines->open(p->host, &o);
	}
	if (api->option_flag(p->host, "udp")) {
		const struct lt_udp_ext *udp = api->extension(p->host, LT_EXT_UDP);
		struct lt_udp_opts o;

		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.port = port;
		o.datagram = on_datagram;
		o.arg = p;
		p->udp = udp->open(p->host, &o);
	}
}

static int32_t start(void *self)
{
	struct probe *p = self;
	const struct lt_host_api *api = p->api;

	if (api->option_flag(p->host, "fail-start")) {
		api->fail(p->host, LT_LITERAL("told to fail"));
		return -1;
	}
	open_inputs(p, (uint32_t)api->option_int(p->host, "port"));
	if (api->option_has(p->host, "file")) {
		const struct lt_file_ext *file = api->extension(p->host, LT_EXT_FILE);

		p->file = file->open(p->host, api->option_text(p->host, "file").p);
		if (p->file == NULL) {
			return -1;
		}
		next_file_line(p);
	}
	if (api->option_has(p->host, "zip")) {
		const struct lt_recording_ext *ext = api->extension(p->host, LT_EXT_RECORDING);
		struct lt_recording_opts o;

		memset(&o, 0, sizeof(o));
		o.size = sizeof(o);
		o.path = api->option_text(p->host, "zip").p;
		o.opened = on_recording;
		o.state = on_recorded_state;
		o.arg = p;
		p->recording = ext->open(p->host, &o);
	}
	if (api->option_flag(p->host, "timer")) {
		api->timer(p->host, 10, 0, on_timer, p);
	}
	if (api->option_flag(p->host, "work")) {
		const struct lt_work_ext *ext = api->extension(p->host, LT_EXT_WORK);

		struct job *job = calloc(1, sizeof(*job));

		job->probe = p;
		ext->run(p->host, work, worked, job);
	}
	return 0;
}

static void update(void *self)
{
	struct probe *p = self;
	char text[32];

	p->updates++;
	if (p->api->option_int(p->host, "fail-after") == p->updates) {
		p->api->fail(p->host, LT_LITERAL("the feed ended"));
		return;
	}
	if (p->api->option_has(p->host, "race-control")) {
		p->api->race_control(p->host, p->api->option_text(p->host, "race-control"));
	}
	if (p->api->option_flag(p->host, "count")) {
		snprintf(text, sizeof(text), "%d", p->updates);
		report(p, "update", lt_text_n(text, strlen(text)));
	}
}

static void destroy(void *self)
{
	free(self);
}

/* Takes a new ratio, but not 0.25. */
static int32_t option_changed(void *arg, const char *name, struct lt_str *ret_reason)
{
	const struct probe *self = arg;

	if (self->api->option_number(self->host, name) == 0.25) {
		ret_reason->p = "a quarter is too little";
		ret_reason->n = 23;
		return -1;
	}
	return 0;
}

static const struct lt_plugin_option options[] = {
	{ "url", LT_OPT_TEXT, 0, NULL, "fetch this once", NULL, 0, 0, 0, 0 },
	{ "ws", LT_OPT_TEXT, 0, NULL, "connect to this", NULL, 0, 0, 0, 0 },
	{ "port", LT_OPT_INT, 0, "0", "port of tcp, lines, udp", NULL, 0, 65535, 0, 0 },
	{ "tcp", LT_OPT_FLAG, 0, NULL, "connect to port, send hello", NULL, 0, 0, 0, 0 },
	{ "lines", LT_OPT_FLAG, 0, NULL, "read lines from port", NULL, 0, 0, 0, 0 },
	{ "udp", LT_OPT_FLAG, 0, NULL, "listen on port", NULL, 0, 0, 0, 0 },
	{ "timer", LT_OPT_FLAG, 0, NULL, "report a timer", NULL, 0, 0, 0, 0 },
	{ "work", LT_OPT_FLAG, 0, NULL, "work off the loop", NULL, 0, 0, 0, 0 },
	{ "file", LT_OPT_FILE, 0, NULL, "read this file", NULL, 0, 0, 0, 0 },
	{ "zip", LT_OPT_TEXT, 0, NULL, "publish the states of this", NULL, 0, 0, 0, 0 },
	{ "count", LT_OPT_FLAG, 0, NULL, "publish each update", NULL, 0, 0, 0, 0 },
	{ "due", LT_OPT_FLAG, 0, NULL, "publish when due only", NULL, 0, 0, 0, 0 },
	{ "fail-after", LT_OPT_INT, 0, "0", "fail in this update", NULL, 0, 0, 0, 0 },
	{ "refuse", LT_OPT_FLAG, 0, NULL, "fail in create", NULL, 0, 0, 0, 0 },
	{ "fail-start", LT_OPT_FLAG, 0, NULL, "fail in start", NULL, 0, 0, 0, 0 },
	{ "race-control", LT_OPT_TEXT, 0, NULL, "text with each update", NULL, 0, 0, 0, 0 },
	{ "ratio", LT_OPT_NUMBER, 0, "0.5", "a number", NULL, 0, 1, 1, 0 },
	{ "order", LT_OPT_CHOICE, 0, "auto", "a choice", "auto|race|practice", 0, 0, 0, 0 },
	{ NULL, 0, 0, NULL, NULL, NULL, 0, 0, 0, 0 },
};

static const struct lt_plugin_ops ops = {
	sizeof(ops),
	0,
	create,
	start,
	NULL,
	destroy,
	update,
	NULL,
	option_changed,
};

static const struct lt_plugin_desc desc = {
	sizeof(desc),
	LT_PLUGIN_ABI_MAJOR,
	LT_PLUGIN_ABI_MINOR,
	0,
	"probe",
	"1.2",
	"the tests' own plugin",
	"Probe Timing https://example.org/",
	options,
	sizeof(options[0]),
	0,
	&ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
