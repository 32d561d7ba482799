/*
 * simulator: an endless endurance race from a seed, for demonstrations, tests
 * and for developing viewers without a circuit at hand. The race is made in
 * sim.c; here it meets the host: options, clock, rows.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <livetiming/plugin.h>

#include "sim_timing.h"

/* Events processed in one callback; some 100 ns each, so well below the budget. */
#define EVENTS_PER_TURN 8000

struct simulator {
	const struct lt_host_api *api;
	struct lt_host *host;
	struct sim *sim;
	const struct lt_field_ext *field_ext;
	struct sim_timing *timing;
	double speed;
	int64_t start_at_ms, started_us;
	int64_t race; /* that the service is described as; -1: none yet */
	uint64_t catch_up_timer;
};

static const struct lt_plugin_option options[] = {
	{ .name = "seed",
			.type = LT_OPT_INT,
			.default_value = "71",
			.help = "the same seed gives the same races",
			.min = 0,
			.max = 9007199254740991.0 },
	{ .name = "cars",
			.type = LT_OPT_INT,
			.default_value = "32",
			.help = "number of cars",
			.min = SIM_CARS_MIN,
			.max = SIM_CARS_MAX },
	{ .name = "classes",
			.type = LT_OPT_TEXT,
			.default_value = "Hypercar,LMP2,GT3",
			.help = "names of one to six classes, fastest first, separated by commas" },
	{ .name = "speed",
			.type = LT_OPT_NUMBER,
			.default_value = "1",
			.help = "seconds of the race in a second of real time",
			.min = 0.1,
			.max = 1000,
			.live = 1 },
	{ .name = "duration",
			.type = LT_OPT_INT,
			.default_value = "360",
			.help = "minutes of a race; the next one follows",
			.min = 5,
			.max = 1440 },
	{ .name = "break",
			.type = LT_OPT_INT,
			.default_value = "60",
			.help = "seconds between the end of a race and the next grid",
			.min = 0,
			.max = 86400 },
	{ .name = "start-at",
			.type = LT_OPT_INT,
			.default_value = "1500",
			.help = "seconds into the first race at which to join it",
			.min = 0,
			.max = 31536000 },
	{ .name = NULL },
};

static const struct lt_column columns[] = { LT_COL_NUM, LT_COL_STATE, LT_COL_CLASS,
	LT_COL_POS_IN_CLASS, LT_COL_TEAM, LT_COL_DRIVER, LT_COL_CAR, LT_COL_TYRE, LT_COL_LAPS,
	LT_COL_GAP, LT_COL_INT, LT_COL_S1, LT_COL_S2, LT_COL_S3, LT_COL_LAST_LAP, LT_COL_BEST_LAP,
	LT_COL_PITS };
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static int32_t describe(struct simulator *self, int64_t race)
{
	struct lt_str headings[SIM_TRACK_DATA];
	struct lt_service_info info = { .size = sizeof(info) };
	char event[80];

	for (size_t i = 0; i < SIM_TRACK_DATA; i++) {
		headings[i] = lt_text_c(sim_track_headings[i]);
	}
	sim_event_name(self->sim, race, event, sizeof(event));
	info.name = LT_LITERAL("Simulated Endurance Championship");
	info.description = lt_text_c(event);
	info.columns = columns;
	info.column_count = COLUMN_COUNT;
	info.track_data = headings;
	info.track_data_count = SIM_TRACK_DATA;
	info.poll_interval_s = 1;
	return self->api->describe(self->host, &info);
}

static int32_t refuse(const struct lt_host_api *api, struct lt_host *host, const char *reason)
{
	api->fail(host, lt_text_c(reason));
	return -1;
}

static void destroy(void *arg)
{
	struct simulator *self = arg;

	if (self != NULL) {
		sim_destroy(self->sim);
		sim_timing_destroy(self->timing);
		free(self);
	}
}

static int32_t create(const struct lt_host_api *api, struct lt_host *host,
		struct lt_str options_json, void **ret_self)
{
	const struct lt_field_ext *field_ext;
	struct sim_opts opts = { 0 };
	struct simulator *self;

	(void)options_json;
	opts.seed = (uint64_t)api->option_int(host, "seed");
	opts.cars = (int32_t)api->option_int(host, "cars");
	opts.duration_ms = api->option_int(host, "duration") * 60000;
	opts.break_ms = api->option_int(host, "break") * 1000;
	if (!sim_opts_classes(&opts, api->option_text(host, "classes").p)) {
		return refuse(api, host,
				"--classes: give one to six names of at most 15 bytes, separated "
				"by commas");
	}
	field_ext = api->extension(host, LT_EXT_FIELD);
	if (field_ext == NULL) {
		return refuse(api, host, "this host keeps no times");
	}
	self = calloc(1, sizeof(*self));
	if (self == NULL || (self->timing = sim_timing_create(field_ext, &opts)) == NULL ||
			(self->sim = sim_create(&opts, sim_timing_on_line, self->timing)) == NULL) {
		destroy(self);
		return refuse(api, host, "out of memory");
	}
	self->field_ext = field_ext;
	self->api = api;
	self->host = host;
	self->race = -1;
	self->speed = api->option_number(host, "speed");
	self->start_at_ms = api->option_int(host, "start-at") * 1000;
	api->set_generators(host,
			LT_GENERATE_DEFAULT | LT_GENERATE_SLOW_ZONE | LT_GENERATE_RACE_CONTROL);
	if (describe(self, 0) != 0) {
		destroy(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

static int32_t start(void *arg)
{
	struct simulator *self = arg;

	self->started_us = self->api->mono_us(self->host);
	return 0;
}

static void give_row(struct simulator *self, enum sim_state state, const struct lt_field_row *row)
{
	static const char *const states[] = { [SIM_NOT_STARTED] = "N/S",
		[SIM_RUN] = "RUN",
		[SIM_PIT] = "PIT",
		[SIM_OUT] = "OUT",
		[SIM_STOP] = "STOP",
		[SIM_RET] = "RET",
		[SIM_FIN] = "FIN" };
	char gap[24], interval[24];
	struct lt_cell cells[COLUMN_COUNT] = {
		lt_cell_text(row->text[LT_TEXT_NUM]),
		lt_cell_text(lt_text_c(states[state])),
		lt_cell_text(row->text[LT_TEXT_CLASS]),
		lt_cell_int(row->position_in_class),
		lt_cell_text(row->text[LT_TEXT_TEAM]),
		lt_cell_text(row->text[LT_TEXT_DRIVER]),
		lt_cell_text(row->text[LT_TEXT_CAR]),
		lt_cell_text(row->text[LT_TEXT_TYRE]),
		lt_cell_int(row->laps),
		self->field_ext->gap_cell(&row->gap, gap),
		self->field_ext->gap_cell(&row->interval, interval),
		lt_cell_time(row->sector[0]),
		lt_cell_time(row->sector[1]),
		lt_cell_time(row->sector[2]),
		lt_cell_time(row->last),
		lt_cell_time(row->best),
		lt_cell_int(row->pits),
	};

	self->api->state_row(self->host, cells, COLUMN_COUNT);
}

static void give_session(struct simulator *self, const struct sim_view *view)
{
	static const uint32_t flags[] = { [SIM_FLAG_NONE] = LT_FLAG_NONE,
		[SIM_FLAG_GREEN] = LT_FLAG_GREEN,
		[SIM_FLAG_YELLOW] = LT_FLAG_YELLOW,
		[SIM_FLAG_SLOW_ZONE] = LT_FLAG_SLOW_ZONE,
		[SIM_FLAG_FCY] = LT_FLAG_FCY,
		[SIM_FLAG_SC] = LT_FLAG_SC,
		[SIM_FLAG_RED] = LT_FLAG_RED,
		[SIM_FLAG_CHEQUERED] = LT_FLAG_CHEQUERED };
	struct lt_str track_data[SIM_TRACK_DATA];
	struct lt_session_info session = { .size = sizeof(session), .flag = flags[view->flag] };
	int64_t elapsed_s = view->elapsed_ms / 1000, remain_s = view->remain_ms / 1000;

	for (size_t i = 0; i < SIM_TRACK_DATA; i++) {
		track_data[i] = lt_text_c(view->track_data[i]);
	}
	session.time_elapsed_s = (double)elapsed_s;
	session.time_remain_s = (double)remain_s;
	session.laps_remain = -1;
	session.track_data = track_data;
	session.track_data_count = SIM_TRACK_DATA;
	self->api->state_session(self->host, &session);
}

/* Texts of what happened before we joined are of no interest any more. */
static void give_texts(struct simulator *self, bool joining)
{
	const char *text;

	while ((text = sim_next_text(self->sim)) != NULL) {
		if (!joining) {
			self->api->race_control(self->host, lt_text_c(text));
		}
	}
}

static void update(void *arg);

static void catch_up(void *arg)
{
	struct simulator *self = arg;

	self->catch_up_timer = 0;
	update(self);
}

static void update(void *arg)
{
	struct simulator *self = arg;
	int64_t real_us = self->api->mono_us(self->host) - self->started_us;
	int64_t t_ms = self->start_at_ms + (int64_t)((double)real_us * self->speed / 1000.0);
	const struct sim_view *view;

	if (!sim_advance(self->sim, t_ms, EVENTS_PER_TURN)) {
		if (self->catch_up_timer == 0) {
			self->catch_up_timer = self->api->timer(self->host, 1, 0, catch_up, self);
		}
		return;
	}
	view = sim_look(self->sim);
	if (view->race != self->race) {
		if (self->race >= 0) {
			self->api->new_session(self->host);
		}
		if (describe(self, view->race) != 0) {
			return;
		}
	}
	give_texts(self, self->race < 0);
	self->race = view->race;
	self->api->state_begin(self->host);
	sim_timing_look(self->timing, view);
	for (size_t i = 0; i < view->row_count; i++) {
		struct lt_field_row row;

		sim_timing_row(self->timing, i, &row);
		give_row(self, view->rows[i].state, &row);
	}
	give_session(self, view);
	self->api->publish_now(self->host);
}

/* The race goes on from where it is, at the new speed. */
static int32_t option_changed(void *arg, const char *name, struct lt_str *ret_reason)
{
	struct simulator *self = arg;
	int64_t now_us = self->api->mono_us(self->host);
	double real_us = (double)(now_us - self->started_us);

	(void)ret_reason;
	if (strcmp(name, "speed") != 0) {
		return -1;
	}
	if (self->started_us != 0) {
		self->start_at_ms += (int64_t)(real_us * self->speed / 1000.0);
		self->started_us = now_us;
	}
	self->speed = self->api->option_number(self->host, "speed");
	return 0;
}

static const struct lt_plugin_ops ops = {
	.size = sizeof(ops),
	.create = create,
	.start = start,
	.destroy = destroy,
	.update = update,
	.option_changed = option_changed,
};

static const struct lt_plugin_desc desc = {
	.size = sizeof(desc),
	.abi_major = LT_PLUGIN_ABI_MAJOR,
	.abi_minor = LT_PLUGIN_ABI_MINOR,
	.name = "simulator",
	.version = "1.0",
	.summary = "endless simulated endurance race from a seed",
	.options = options,
	.option_size = sizeof(options[0]),
	.ops = &ops,
};

const struct lt_plugin_desc *lt_plugin_entry_v1(void)
{
	return &desc;
}
