/*
 * The picture, from above: the daemon in a few lines, then the services, which
 * scroll when they do not fit. A line is written as plain text with marks for
 * attributes, and cut to the width of the screen.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/text.h"
#include "cli/top.h"

#define TITLE_WIDTH 12
#define SLOW_MS     10000 /* without an update for so long, a service is worth a look */

/* Attributes; bytes that lt_cli_clean never lets through. */
#define PLAIN  "\001"
#define BOLD   "\002"
#define DIM    "\003"
#define RED    "\004"
#define YELLOW "\005"
#define GREEN  "\006"

static const char *const attributes[] = { "", "\033[0m", "\033[1m", "\033[2m", "\033[1;31m",
	"\033[33m", "\033[32m" };

struct picture {
	struct lt_buf *out;
	struct lt_top_screen *screen;
	size_t lines;
	const struct lt_top_sample *before, *now;
	struct lt_buf line;
};

/* --- lines --- */

static bool is_full(const struct picture *picture)
{
	return picture->screen->height > 0 && picture->lines >= picture->screen->height;
}

/* Write the line that was collected, cut to the width; marks take no room. */
static void end_line(struct picture *picture)
{
	struct lt_str rest = lt_buf_str(&picture->line);
	size_t width = 0;

	if (is_full(picture)) {
		lt_buf_clear(&picture->line);
		return;
	}
	for (; rest.n > 0; rest = lt_str_skip(rest, 1)) {
		unsigned char c = (unsigned char)rest.p[0];

		if (c > 0 && c < LT_ARRAY_LEN(attributes)) {
			if (picture->screen->has_colors) {
				lt_buf_add_c(picture->out, attributes[c]);
			}
			continue;
		}
		width += (c & 0xc0) != 0x80;
		if (picture->screen->width > 0 && width > picture->screen->width) {
			break;
		}
		lt_buf_add_char(picture->out, (char)c);
	}
	if (picture->screen->has_colors) {
		lt_buf_add_c(picture->out, attributes[1]);
	}
	lt_buf_add_char(picture->out, '\n');
	lt_buf_clear(&picture->line);
	picture->lines++;
}

static void add_title(struct picture *picture, const char *title)
{
	lt_buf_printf(&picture->line, DIM "%-*s" PLAIN, TITLE_WIDTH, title);
}

static void add_clean(struct picture *picture, struct lt_str text)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(text);

	lt_buf_add_c(&picture->line, clean);
}

/* Cut or filled up to exactly `width` columns, with a blank behind. */
static void add_column(struct picture *picture, struct lt_str text, size_t width)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(text);
	size_t used = 0;

	for (const char *c = clean; *c; c++) {
		if ((*c & 0xc0) != 0x80 && used++ == width) {
			used = width;
			break;
		}
		lt_buf_add_char(&picture->line, *c);
	}
	lt_buf_printf(&picture->line, "%*s", (int)(width - used) + 1, "");
}

static void add_rate(struct picture *picture, const char *path, const char *what)
{
	double rate = lt_top_rate(picture->before, picture->now, path);

	lt_buf_printf(&picture->line, rate < 10 ? "%.1f" : "%.0f", rate);
	lt_buf_add_c(&picture->line, what);
}

static void add_byte_rate(struct picture *picture, const char *path, const char *what)
{
	lt_cli_bytes(&picture->line, (int64_t)lt_top_rate(picture->before, picture->now, path));
	lt_buf_add_c(&picture->line, what);
}

/* --- the daemon --- */

static void draw_head(struct picture *picture)
{
	const cJSON *status = picture->now->status, *address;
	time_t now_s = (time_t)(picture->now->now_ms / 1000);
	struct tm now;
	char clock[16] = "";

	if (localtime_r(&now_s, &now)) {
		strftime(clock, sizeof(clock), "%H:%M:%S", &now);
	}
	lt_buf_add_c(&picture->line, BOLD "livetimingd ");
	add_clean(picture, lt_cli_member(status, "version"));
	lt_buf_printf(&picture->line, PLAIN "  %s  up ", clock);
	lt_cli_duration(&picture->line, lt_cli_number(status, "uptime_s"));
	lt_buf_printf(&picture->line, "  process %" PRId64 "  ", lt_cli_number(status, "pid"));
	lt_cli_bytes(&picture->line, lt_cli_number(status, "memory_bytes"));
	lt_buf_add_c(&picture->line, " ");
	cJSON_ArrayForEach(address, lt_json_get(status, "listeners")) {
		lt_buf_add_c(&picture->line, " ");
		add_clean(picture,
				lt_str_from(cJSON_IsString(address) ? address->valuestring : ""));
	}
	end_line(picture);
}

/* All of it, in as many lines as it takes: it says what to do. */
static void draw_notice(struct picture *picture, struct lt_str notice)
{
	size_t width = picture->screen->width;

	while (notice.n > 0) {
		struct lt_str piece = notice;

		if (width > 0 && piece.n > width) {
			piece.n = width;
			while (piece.n > width / 2 && notice.p[piece.n] != ' ') {
				piece.n--;
			}
		}
		lt_buf_add_c(&picture->line, RED);
		add_clean(picture, piece);
		end_line(picture);
		notice = lt_str_trim(lt_str_skip(notice, piece.n));
	}
}

/* One line: ready, or why not. */
static void draw_health(struct picture *picture)
{
	const cJSON *status = picture->now->status;

	if (picture->screen->notice) {
		draw_notice(picture, lt_str_from(picture->screen->notice));
		return;
	}
	add_title(picture, "health");
	if (cJSON_IsFalse(lt_json_get(status, "ready"))) {
		lt_buf_add_c(&picture->line, RED "not ready: ");
		add_clean(picture, lt_cli_member(status, "reason"));
	} else {
		lt_buf_add_c(&picture->line, GREEN "ready");
	}
	end_line(picture);
}

static void draw_router(struct picture *picture)
{
	const cJSON *router = lt_json_get(picture->now->status, "router");
	double skipped = lt_top_rate(picture->before, picture->now, "router.events_conflated");
	double dropped = lt_top_rate(picture->before, picture->now, "router.slow_peers_ended");

	add_title(picture, "sessions");
	lt_buf_printf(&picture->line,
			BOLD "%" PRId64 PLAIN ", %" PRId64 " connections, %" PRId64
			     " subscriptions",
			lt_cli_number(router, "sessions"), lt_cli_number(router, "connections"),
			lt_cli_number(router, "subscriptions"));
	end_line(picture);
	add_title(picture, "events");
	add_rate(picture, "router.events_published", "/s published, " BOLD);
	add_rate(picture, "router.events_sent", "/s" PLAIN " sent");
	end_line(picture);
	add_title(picture, "traffic");
	lt_buf_add_c(&picture->line, BOLD);
	add_byte_rate(picture, "router.bytes_sent", "/s" PLAIN " out, ");
	add_byte_rate(picture, "router.bytes_received", "/s in");
	end_line(picture);
	add_title(picture, "queue drops");
	lt_buf_add_c(&picture->line, skipped > 0 ? YELLOW : "");
	add_rate(picture, "router.events_conflated", "/s" PLAIN " old states skipped, ");
	lt_buf_printf(&picture->line, "%s%" PRId64 PLAIN " slow clients ended",
			dropped > 0 ? RED : "", lt_cli_number(router, "slow_peers_ended"));
	end_line(picture);
}

static void draw_loop(struct picture *picture)
{
	const cJSON *status = picture->now->status,
		    *call_us = lt_json_get(lt_json_get(status, "router"), "call_us");
	int64_t p99_us = lt_top_loop_p99(picture->before, picture->now);

	add_title(picture, "calls");
	add_rate(picture, "router.calls", "/s");
	if (cJSON_IsNumber(lt_json_get(call_us, "p99"))) {
		lt_buf_printf(&picture->line, ", half within %g ms, 99 of 100 within %g ms",
				(double)lt_cli_number(call_us, "p50") / 1000.0,
				(double)lt_cli_number(call_us, "p99") / 1000.0);
	}
	end_line(picture);
	add_title(picture, "loop");
	lt_buf_printf(&picture->line, "busy %.1f %%, ",
			lt_top_rate(picture->before, picture->now, "loop.lag_sum_us") / 1e4);
	if (p99_us > 0) {
		lt_buf_printf(&picture->line, "%s99 of 100 turns within %g ms" PLAIN,
				p99_us > 20000 ? YELLOW : "", (double)p99_us / 1000.0);
	} else {
		lt_buf_add_c(&picture->line, p99_us < 0 ? "no turn" : RED "turns of seconds" PLAIN);
	}
	lt_buf_printf(&picture->line, ", longest %.1f ms",
			(double)lt_cli_number(lt_json_get(status, "loop"), "lag_max_us") / 1000.0);
	end_line(picture);
}

static void draw_recordings(struct picture *picture)
{
	const cJSON *recordings = lt_json_get(picture->now->status, "recordings");
	int64_t failing = lt_cli_number(recordings, "failing");

	add_title(picture, "recordings");
	if (!cJSON_IsTrue(lt_json_get(recordings, "enabled"))) {
		lt_buf_add_c(&picture->line, "switched off");
	} else {
		lt_buf_printf(&picture->line, "%" PRId64 " in progress (",
				lt_cli_number(recordings, "recording"));
		add_byte_rate(picture, "recordings.bytes", "/s)");
		if (lt_cli_number(recordings, "finishing") > 0) {
			lt_buf_printf(&picture->line, ", %" PRId64 " being finished",
					lt_cli_number(recordings, "finishing"));
		}
	}
	lt_buf_printf(&picture->line, ", %" PRId64 " listed", lt_cli_number(recordings, "listed"));
	if (failing > 0) {
		lt_buf_printf(&picture->line, RED ", %" PRId64 " CANNOT BE WRITTEN", failing);
	}
	end_line(picture);
}

/* How many of the schedule's events are `status`; without one: and start later than now. */
static int64_t count_events(const struct picture *picture, const char *status)
{
	const cJSON *event;
	int64_t n = 0;

	cJSON_ArrayForEach(event, lt_json_get(picture->now->schedule, "events")) {
		n += status ? lt_str_eq_c(lt_cli_member(event, "status"), status)
			    : lt_cli_number(event, "start") > picture->now->now_ms;
	}
	return n;
}

static const cJSON *next_event(const struct picture *picture)
{
	const cJSON *event, *next = NULL;

	cJSON_ArrayForEach(event, lt_json_get(picture->now->schedule, "events")) {
		int64_t start_ms = lt_cli_number(event, "start");

		if (start_ms > picture->now->now_ms &&
				(!next || start_ms < lt_cli_number(next, "start"))) {
			next = event;
		}
	}
	return next;
}

/* What runs by the schedule and what comes next; without a calendar no line. */
static void draw_schedule(struct picture *picture)
{
	const cJSON *schedule = picture->now->schedule, *next = next_event(picture), *calendar;
	int64_t failed = count_events(picture, "failed"), unread = 0;

	if (cJSON_GetArraySize(lt_json_get(schedule, "calendars")) == 0) {
		return;
	}
	cJSON_ArrayForEach(calendar, lt_json_get(schedule, "calendars")) {
		unread += lt_json_get(calendar, "problem") != NULL;
	}
	add_title(picture, "schedule");
	lt_buf_printf(&picture->line, "%" PRId64 " running, %" PRId64 " to come",
			count_events(picture, "running"), count_events(picture, NULL));
	if (failed > 0) {
		lt_buf_printf(&picture->line, RED ", %" PRId64 " DO NOT START" PLAIN, failed);
	}
	if (unread > 0) {
		lt_buf_printf(&picture->line, YELLOW ", %" PRId64 " calendars cannot be read" PLAIN,
				unread);
	}
	if (next) {
		lt_buf_add_c(&picture->line, "; in ");
		lt_cli_duration(&picture->line,
				(lt_cli_number(next, "start") - picture->now->now_ms) / 1000);
		lt_buf_add_c(&picture->line, ": ");
		add_clean(picture, lt_cli_member(next, "name"));
	}
	end_line(picture);
}

/* --- services --- */

static const char *color_of(const struct lt_top_service *service)
{
	if (service->is_failed || service->is_recording_failing) {
		return RED;
	}
	if (service->is_stale || service->age_ms < 0 || service->age_ms > SLOW_MS) {
		return YELLOW;
	}
	return "";
}

static void add_age(struct picture *picture, int64_t age_ms)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	if (age_ms < 0) {
		lt_buf_add_c(&text, "-");
	} else if (age_ms < 10000) {
		lt_buf_printf(&text, "%.1f s", (double)age_ms / 1000.0);
	} else {
		lt_cli_duration(&text, age_ms / 1000);
	}
	add_column(picture, lt_buf_str(&text), 10);
}

static void draw_service(struct picture *picture, const struct lt_top_service *service)
{
	lt_buf_add_c(&picture->line, color_of(service));
	add_column(picture, service->status, 8);
	add_age(picture, service->is_failed ? -1 : service->age_ms);
	if (service->is_foreign || service->is_failed) {
		lt_buf_printf(&picture->line, "%5s %4s  ", "-", "-");
	} else {
		lt_buf_printf(&picture->line, "%5.1f %4" PRId64 "  ",
				lt_top_service_rate(picture->before, picture->now, service->uuid),
				service->cars);
	}
	add_column(picture, service->flag.n ? service->flag : LT_STR("-"), 9);
	add_column(picture,
			service->is_recording_failing          ? LT_STR("FAIL")
					: service->is_recorded ? LT_STR("yes")
							       : LT_STR("-"),
			4);
	add_column(picture, service->class_name.n ? service->class_name : LT_STR("-"), 12);
	add_clean(picture, service->name);
	if (service->description.n > 0) {
		lt_buf_add_c(&picture->line, service->name.n ? " - " : "");
		add_clean(picture, service->description);
	}
	if (service->reason.n > 0) {
		lt_buf_add_c(&picture->line, service->name.n ? ": " : "");
		add_clean(picture, service->reason);
	}
	end_line(picture);
}

static void draw_services(struct picture *picture, const struct lt_top_service *services, size_t n)
{
	struct lt_top_screen *screen = picture->screen;
	size_t below = 2 + (screen->keys != NULL), room = n; /* the titles, and one for "more" */

	if (screen->height > 0) {
		room = screen->height > picture->lines + below
				? screen->height - picture->lines - below
				: 0;
	}
	screen->scroll = n > room ? LT_MIN(screen->scroll, n - room) : 0;
	lt_buf_printf(&picture->line, BOLD "%-8s %-10s %5s %4s  %-9s %-4s %-12s %s", "SERVICE",
			"UPDATED", "UPD/s", "CARS", "FLAG", "REC", "CLASS", "NAME");
	end_line(picture);
	for (size_t i = screen->scroll; i < LT_MIN(n, screen->scroll + room); i++) {
		draw_service(picture, &services[i]);
	}
	if (n == 0) {
		lt_buf_add_c(&picture->line, DIM "none");
		end_line(picture);
	} else if (n > room) {
		lt_buf_printf(&picture->line, DIM "%zu to %zu of %zu", screen->scroll + 1,
				screen->scroll + room, n);
		end_line(picture);
	}
}

void lt_top_draw(struct lt_buf *buf, const struct lt_top_sample *before,
		const struct lt_top_sample *now, struct lt_top_screen *screen)
{
	struct picture picture = { .out = buf, .screen = screen, .before = before, .now = now };
	LT_AUTO(lt_free) struct lt_top_service *services = NULL;

	if (now->status) {
		size_t n = lt_top_services(now, &services);

		draw_head(&picture);
		draw_health(&picture);
		draw_router(&picture);
		draw_loop(&picture);
		draw_recordings(&picture);
		draw_schedule(&picture);
		end_line(&picture);
		draw_services(&picture, services, n);
	} else if (screen->notice) {
		draw_health(&picture);
	}
	if (screen->keys) {
		while (screen->height > 0 && picture.lines + 1 < screen->height) {
			end_line(&picture);
		}
		lt_buf_printf(&picture.line, DIM "%s", screen->keys);
		end_line(&picture);
	}
	lt_buf_finish(&picture.line);
}
