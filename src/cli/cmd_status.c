#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cmd.h"
#include "cli/schedule_text.h"
#include "cli/text.h"
#include "cli/top.h"

static void print_line(struct lt_cli *cli, const char *title, struct lt_buf *text)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_buf_str(text));

	fprintf(cli->out, "%-13s %s\n", title, clean);
	lt_buf_clear(text);
}

static void print_router(struct lt_cli *cli, const cJSON *router, struct lt_buf *text)
{
	lt_buf_printf(text, "%" PRId64 " (%" PRId64 " sessions, %" PRId64 " since start)",
			lt_cli_number(router, "connections"), lt_cli_number(router, "sessions"),
			lt_cli_number(router, "sessions_total"));
	print_line(cli, "connections", text);
	lt_buf_printf(text,
			"%" PRId64 " published, %" PRId64 " sent, %" PRId64
			" skipped for slow peers",
			lt_cli_number(router, "events_published"),
			lt_cli_number(router, "events_sent"),
			lt_cli_number(router, "events_conflated"));
	print_line(cli, "events", text);
	lt_buf_printf(text, "%" PRId64, lt_cli_number(router, "calls"));
	if (cJSON_IsNumber(lt_json_get(lt_json_get(router, "call_us"), "p99"))) {
		const cJSON *us = lt_json_get(router, "call_us");

		lt_buf_printf(text, "; half within %g ms, 99 of 100 within %g ms",
				(double)lt_cli_number(us, "p50") / 1000.0,
				(double)lt_cli_number(us, "p99") / 1000.0);
	}
	print_line(cli, "calls", text);
	lt_cli_bytes(text, lt_cli_number(router, "bytes_sent"));
	lt_buf_add_c(text, " sent, ");
	lt_cli_bytes(text, lt_cli_number(router, "bytes_received"));
	lt_buf_add_c(text, " received");
	print_line(cli, "traffic", text);
	lt_buf_printf(text, "%" PRId64 " topics, ", lt_cli_number(router, "retained_topics"));
	lt_cli_bytes(text, lt_cli_number(router, "retained_bytes"));
	print_line(cli, "retained", text);
	lt_buf_printf(text,
			"%" PRId64 " slow peers ended, %" PRId64 " protocol errors, %" PRId64
			" failed logins",
			lt_cli_number(router, "slow_peers_ended"),
			lt_cli_number(router, "protocol_errors"),
			lt_cli_number(router, "auth_failures"));
	print_line(cli, "trouble", text);
}

static void print_recordings(
		struct lt_cli *cli, const cJSON *recordings, bool is_edge, struct lt_buf *text)
{
	if (!cJSON_IsTrue(lt_json_get(recordings, "enabled"))) {
		lt_buf_add_c(text, is_edge ? "made by the origins" : "switched off");
	} else {
		lt_buf_printf(text, "%" PRId64 " in progress, %" PRId64 " being finished",
				lt_cli_number(recordings, "recording"),
				lt_cli_number(recordings, "finishing"));
	}
	lt_buf_printf(text, ", %" PRId64 " listed", lt_cli_number(recordings, "listed"));
	if (lt_json_get(recordings, "in_bucket")) {
		lt_buf_printf(text, ", %" PRId64 " in the bucket, %" PRId64 " to be uploaded%s",
				lt_cli_number(recordings, "in_bucket"),
				lt_cli_number(recordings, "to_upload"),
				cJSON_IsTrue(lt_json_get(recordings, "bucket_trouble"))
						? "; TROUBLE WITH THE BUCKET, see the log"
						: "");
	}
	if (lt_cli_number(recordings, "failing") > 0) {
		lt_buf_printf(text, "; %" PRId64 " CANNOT BE WRITTEN, see the log",
				lt_cli_number(recordings, "failing"));
	}
	print_line(cli, "recordings", text);
}

static void print_schedule(struct lt_cli *cli, const cJSON *schedule, struct lt_buf *text)
{
	int64_t next = lt_cli_number(schedule, "next_start");

	if (!lt_cli_number(schedule, "calendars")) {
		return;
	}
	lt_buf_printf(text, "%" PRId64 " in progress, %" PRId64 " to come",
			lt_cli_number(schedule, "running"), lt_cli_number(schedule, "coming"));
	if (next) {
		lt_buf_add_c(text, ", the next on ");
		lt_cli_add_time(text, next);
	}
	if (lt_cli_number(schedule, "held") + lt_cli_number(schedule, "failed") > 0) {
		lt_buf_printf(text, "; %" PRId64 " HELD OUT, %" PRId64 " DO NOT START",
				lt_cli_number(schedule, "held"), lt_cli_number(schedule, "failed"));
	}
	if (lt_cli_number(schedule, "failing") > 0) {
		lt_buf_printf(text, "; %" PRId64 " of %" PRId64 " CALENDARS CANNOT BE READ",
				lt_cli_number(schedule, "failing"),
				lt_cli_number(schedule, "calendars"));
	}
	if (lt_cli_number(schedule, "mistakes") > 0) {
		lt_buf_printf(text, "; %" PRId64 " mistakes, see schedule check",
				lt_cli_number(schedule, "mistakes"));
	}
	print_line(cli, "schedule", text);
}

static void print_mesh(struct lt_cli *cli, const cJSON *mesh, struct lt_buf *text)
{
	const cJSON *node, *role;
	bool first = true;

	if (!mesh) {
		return;
	}
	lt_buf_printf(text, "%.*s, %.*s; ", LT_STR_ARG(lt_cli_member(mesh, "role")),
			LT_STR_ARG(lt_cli_member(mesh, "node")));
	if (cJSON_IsTrue(lt_json_get(mesh, "connected"))) {
		lt_buf_printf(text, "backplane %.*s", LT_STR_ARG(lt_cli_member(mesh, "server")));
	} else {
		lt_buf_add_c(text, "NO BACKPLANE");
	}
	cJSON_ArrayForEach(role, lt_json_get(mesh, "roles")) {
		struct lt_str who = lt_str_from(cJSON_IsString(role) ? role->valuestring : "");

		lt_buf_printf(text, "; %s: %.*s", role->string,
				LT_STR_ARG(who.n ? who : LT_STR("nobody")));
	}
	print_line(cli, "mesh", text);
	cJSON_ArrayForEach(node, lt_json_get(mesh, "nodes")) {
		lt_buf_printf(text, "%s%.*s (%.*s%s)", first ? "" : ", ",
				LT_STR_ARG(lt_cli_member(node, "node")),
				LT_STR_ARG(lt_cli_member(node, "role")),
				cJSON_IsTrue(lt_json_get(node, "linked")) ? "" : ", NOT LINKED");
		first = false;
	}
	if (first) {
		lt_buf_add_c(text, "none");
	}
	print_line(cli, "other nodes", text);
}

static void print_status(struct lt_cli *cli, const cJSON *status)
{
	const struct lt_top_sample none = { 0 }, now = { .status = (cJSON *)(uintptr_t)status };
	int64_t p99_us = lt_top_loop_p99(&none, &now);
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	const cJSON *address, *timing = lt_json_get(status, "timing");

	lt_buf_printf(&text, "%.*s, process %" PRId64 ", up ",
			LT_STR_ARG(lt_cli_member(status, "version")), lt_cli_number(status, "pid"));
	lt_cli_duration(&text, lt_cli_number(status, "uptime_s"));
	print_line(cli, "livetimingd", &text);
	cJSON_ArrayForEach(address, lt_json_get(status, "listeners")) {
		lt_buf_printf(&text, "%s%s", text.n ? " " : "",
				cJSON_IsString(address) ? address->valuestring : "?");
	}
	print_line(cli, "listening", &text);
	if (cJSON_IsFalse(lt_json_get(status, "ready"))) {
		lt_buf_printf(&text, "NOT READY: %.*s",
				LT_STR_ARG(lt_cli_member(status, "reason")));
	} else {
		lt_buf_add_c(&text, "ready");
	}
	print_line(cli, "health", &text);
	lt_buf_printf(&text,
			"%" PRId64 " listed, %" PRId64 " of them hidden; %" PRId64
			" run here, %" PRId64 " failed, %" PRId64 " silent",
			lt_cli_number(status, "services"), lt_cli_number(status, "hidden"),
			lt_cli_number(timing, "running"), lt_cli_number(timing, "failed"),
			lt_cli_number(timing, "stale"));
	print_line(cli, "services", &text);
	print_recordings(cli, lt_json_get(status, "recordings"),
			lt_str_eq_c(lt_cli_member(lt_json_get(status, "mesh"), "role"), "edge"),
			&text);
	print_schedule(cli, lt_json_get(status, "schedule"), &text);
	print_mesh(cli, lt_json_get(status, "mesh"), &text);
	print_router(cli, lt_json_get(status, "router"), &text);
	if (p99_us > 0) {
		lt_buf_printf(&text, "99 of 100 turns within %g ms, ", (double)p99_us / 1000.0);
	}
	lt_buf_printf(&text, "%.1f ms at most",
			(double)lt_cli_number(lt_json_get(status, "loop"), "lag_max_us") / 1000.0);
	print_line(cli, "loop delay", &text);
	lt_cli_bytes(&text, lt_cli_number(status, "memory_bytes"));
	print_line(cli, "memory", &text);
}

int lt_cmd_status(struct lt_cli *cli, int argc, char **argv)
{
	LT_AUTO(cJSON_Delete) cJSON *status = NULL;
	int exit_status;

	if (!lt_cli_check_args(cli, lt_cli_find("status", NULL), argc, argv, 0, 0)) {
		return LT_EXIT_USAGE;
	}
	status = lt_cli_ask_take(cli, "status", NULL, &exit_status);
	if (!status) {
		return exit_status;
	}
	if (cli->is_json) {
		lt_cli_print_json(cli, status);
	} else {
		print_status(cli, status);
	}
	return LT_EXIT_DONE;
}
