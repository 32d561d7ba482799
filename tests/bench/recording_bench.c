/*
 * Recordings without a daemon, for the bench:
 *
 *   recording_bench make HOURS CARS START JOURNAL   a simulated race, one frame a second
 *   recording_bench analyse FILE OUT                time and memory of its analysis
 *   recording_bench seek FILE COUNT                 states at random times: opening, seeking and
 *                                                   reading, each from a file that is not in memory
 *   recording_bench finalise JOURNAL DIRECTORY      from the journal to the archive
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fsutil.h"
#include "race/message.h"
#include "race/state.h"
#include "simulator/sim.h"
#include "store/finalise.h"
#include "store/recorder.h"
#include "store/recording.h"
#include "store/recording_analysis.h"

#define UUID "00000000000000000000000000000024"

LT_NORETURN static void die(const char *what, const struct lt_err *err)
{
	fprintf(stderr, "recording_bench: %s: %s\n", what, err->msg);
	exit(1);
}

static double seconds_since(struct lt_mono start)
{
	return (double)(lt_clock_mono().us - start.us) / LT_US_PER_S;
}

static double peak_mb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

/* --- making one --- */

static const char *const columns[][3] = { { "Num", "text", "Car number" }, { "State", "text", "" },
	{ "Class", "class", "" }, { "PIC", "numeric", "" }, { "Team", "text", "" },
	{ "Driver", "text", "" }, { "Car", "text", "" }, { "T", "text", "" },
	{ "Laps", "numeric", "" }, { "Gap", "delta", "" }, { "Int", "delta", "" },
	{ "S1", "time", "" }, { "S2", "time", "" }, { "S3", "time", "" }, { "Last", "time", "" },
	{ "Best", "time", "" }, { "Pits", "numeric", "" } };

static cJSON *make_manifest(void)
{
	cJSON *manifest = cJSON_CreateObject();
	cJSON *spec;

	lt_json_add_c(manifest, "uuid", UUID);
	lt_json_add_c(manifest, "name", "Bench");
	lt_json_add_c(manifest, "description", "A long race");
	spec = cJSON_AddArrayToObject(manifest, "colSpec");
	for (size_t i = 0; i < LT_ARRAY_LEN(columns); i++) {
		cJSON_AddItemToArray(spec, cJSON_CreateStringArray(columns[i], 3));
	}
	cJSON_AddArrayToObject(manifest, "trackDataSpec");
	lt_json_add_int(manifest, "pollInterval", 1);
	return manifest;
}

static void add_text(cJSON *row, const char *text)
{
	cJSON_AddItemToArray(row, cJSON_CreateString(text ? text : ""));
}

static void add_gap(cJSON *row, struct sim_gap gap)
{
	char text[24];

	if (gap.laps > 0) {
		snprintf(text, sizeof(text), "%d laps", gap.laps);
		add_text(row, text);
	} else if (gap.ms < 0) {
		add_text(row, "");
	} else {
		cJSON_AddItemToArray(row, lt_json_new_float((double)gap.ms / 1000));
	}
}

static void add_time(cJSON *row, struct sim_time time)
{
	static const char *const marks[] = { [SIM_MARK_NONE] = "",
		[SIM_MARK_PB] = "pb",
		[SIM_MARK_SB] = "sb",
		[SIM_MARK_SB_NEW] = "sb-new",
		[SIM_MARK_OLD] = "old" };
	cJSON *cell = cJSON_CreateArray();

	cJSON_AddItemToArray(cell,
			time.ms < 0 ? cJSON_CreateString("")
				    : lt_json_new_float((double)time.ms / 1000));
	cJSON_AddItemToArray(cell, cJSON_CreateString(marks[time.mark]));
	cJSON_AddItemToArray(row, cell);
}

static cJSON *make_row(const struct sim_row *car)
{
	static const char *const states[] = { [SIM_NOT_STARTED] = "N/S",
		[SIM_RUN] = "RUN",
		[SIM_PIT] = "PIT",
		[SIM_OUT] = "OUT",
		[SIM_STOP] = "STOP",
		[SIM_RET] = "RET",
		[SIM_FIN] = "FIN" };
	cJSON *row = cJSON_CreateArray();

	add_text(row, car->num);
	add_text(row, states[car->state]);
	add_text(row, car->class_name);
	cJSON_AddItemToArray(row, lt_json_new_int(car->pic));
	add_text(row, car->team);
	add_text(row, car->driver);
	add_text(row, car->car);
	add_text(row, car->tyre);
	cJSON_AddItemToArray(row, lt_json_new_int(car->laps));
	add_gap(row, car->gap);
	add_gap(row, car->interval);
	for (size_t i = 0; i < SIM_SECTORS; i++) {
		add_time(row, car->sector[i]);
	}
	add_time(row, car->last);
	add_time(row, car->best);
	cJSON_AddItemToArray(row, lt_json_new_int(car->pits));
	return row;
}

static cJSON *make_state(const struct sim_view *view)
{
	static const char *const flags[] = { [SIM_FLAG_NONE] = "none",
		[SIM_FLAG_GREEN] = "green",
		[SIM_FLAG_YELLOW] = "yellow",
		[SIM_FLAG_SLOW_ZONE] = "slow_zone",
		[SIM_FLAG_FCY] = "fcy",
		[SIM_FLAG_SC] = "sc",
		[SIM_FLAG_RED] = "red",
		[SIM_FLAG_CHEQUERED] = "chequered" };
	cJSON *state = cJSON_CreateObject();
	cJSON *cars = cJSON_AddArrayToObject(state, "cars");
	cJSON *session = cJSON_AddObjectToObject(state, "session");

	for (size_t i = 0; i < view->row_count; i++) {
		cJSON_AddItemToArray(cars, make_row(&view->rows[i]));
	}
	lt_json_add_c(session, "flagState", flags[view->flag]);
	lt_json_add_int(session, "timeElapsed", view->elapsed_ms / 1000);
	lt_json_add_int(session, "timeRemain", view->remain_ms / 1000);
	return state;
}

static void record(struct lt_recorder *recorder, struct sim *sim, int64_t frames, int64_t start_s)
{
	LT_AUTO(cJSON_Delete) cJSON *manifest = make_manifest();
	cJSON *old = lt_state_initial();
	struct lt_err err;

	if (!lt_recorder_set_manifest(recorder, manifest, start_s, &err)) {
		die("manifest", &err);
	}
	for (int64_t t = 0; t < frames; t++) {
		while (!sim_advance(sim, t * 1000, 1000)) {
		}
		cJSON *state = make_state(sim_look(sim));
		cJSON *block = lt_messages_generate(old, state, lt_json_get(manifest, "colSpec"),
				start_s + t, LT_MESSAGES_DEFAULT, NULL, NULL);

		lt_messages_apply_take(state, old, block);
		if (!lt_recorder_add(recorder, start_s + t, state, &err)) {
			die("frame", &err);
		}
		cJSON_Delete(old);
		old = state;
	}
	cJSON_Delete(old);
}

static int make(char **argv)
{
	int64_t frames = (int64_t)(atof(argv[0]) * 3600);
	struct sim_opts opts = { .seed = 71,
		.cars = atoi(argv[1]),
		.duration_ms = frames * 1000 + 3600000,
		.break_ms = 60000 };
	struct lt_mono start = lt_clock_mono();
	struct lt_err err;

	sim_opts_classes(&opts, "HYPERCAR,LMP2,LMGT3");
	struct sim *sim = sim_create(&opts);
	struct lt_recorder *recorder = lt_recorder_begin(argv[3], NULL, &err);

	if (recorder == NULL) {
		die(argv[3], &err);
	}
	record(recorder, sim, frames, atoll(argv[2]));
	lt_recorder_close(recorder);
	sim_destroy(sim);
	printf("made frames=%lld seconds=%.1f frames_per_s=%.0f\n", (long long)frames,
			seconds_since(start), (double)frames / seconds_since(start));
	return 0;
}

/* --- reading it --- */

static int analyse(char **argv)
{
	struct lt_mono start = lt_clock_mono();
	struct lt_buf text = { 0 };
	struct lt_err err;
	struct lt_recording *recording = lt_recording_open(argv[0], &err);
	size_t frames;

	if (recording == NULL || !lt_recording_analyse(recording, NULL, NULL, &text, NULL, &err) ||
			!lt_file_replace(argv[1], lt_buf_str(&text), 0644, &err)) {
		die(argv[0], &err);
	}
	lt_recording_times(recording, &frames);
	printf("analysed frames=%zu seconds=%.2f peak_mb=%.0f output_mb=%.1f\n", frames,
			seconds_since(start), peak_mb(), (double)text.n / 1e6);
	lt_recording_close(recording);
	lt_buf_finish(&text);
	return 0;
}

/* Out of the page cache, as far as the system lets us. */
static void make_cold(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static int compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1
						       : *(const double *)a > *(const double *)b;
}

struct times {
	double *ms;
	int count;
};

static double percentile(const struct times *times, int percent)
{
	return times->ms[(times->count - 1) * percent / 100];
}

static void print_times(const char *what, const struct times *times)
{
	qsort(times->ms, (size_t)times->count, sizeof(*times->ms), compare);
	printf(" %s_p50_ms=%.1f %s_p99_ms=%.1f", what, percentile(times, 50), what,
			percentile(times, 99));
}

static int64_t random_time(const struct lt_recording *recording, uint64_t *random)
{
	int64_t first = lt_recording_first(recording), last = lt_recording_last(recording);

	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return first + (int64_t)(*random % (uint64_t)(last - first + 1));
}

static int seek(char **argv)
{
	int count = atoi(argv[1]);
	struct times opening = { lt_calloc((size_t)count, sizeof(double)), count };
	struct times both = { lt_calloc((size_t)count, sizeof(double)), count };
	uint64_t random = 88172645463325252u;
	struct lt_err err;

	for (int i = 0; i < count; i++) {
		make_cold(argv[0]);
		struct lt_mono start = lt_clock_mono();
		struct lt_recording *recording = lt_recording_open(argv[0], &err);

		if (recording == NULL) {
			die(argv[0], &err);
		}
		opening.ms[i] = seconds_since(start) * 1000;
		cJSON *state = lt_recording_state_at(
				recording, random_time(recording, &random), &err);
		if (state == NULL) {
			die(argv[0], &err);
		}
		both.ms[i] = seconds_since(start) * 1000;
		cJSON_Delete(state);
		lt_recording_close(recording);
	}
	printf("seek cold=yes count=%d", count);
	print_times("open_and_state", &both);
	print_times("open", &opening);
	printf(" max_ms=%.1f\n", both.ms[count - 1]);
	lt_free(opening.ms);
	lt_free(both.ms);
	return 0;
}

static int finalise(char **argv)
{
	struct lt_mono start = lt_clock_mono();
	struct lt_finalise_opts opts = { .journal_path = argv[0], .directory = argv[1] };
	struct lt_err err;
	char *name;

	if (!lt_finalise(&opts, &name, &err)) {
		die(argv[0], &err);
	}
	printf("finalised file=%s seconds=%.2f\n", name, seconds_since(start));
	lt_free(name);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **argv);
	} verbs[] = { { "make", 4, make }, { "analyse", 2, analyse }, { "seek", 2, seek },
		{ "finalise", 2, finalise } };

	lt_alloc_init();
	for (size_t i = 0; argc > 1 && i < LT_ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0 && argc == 2 + verbs[i].arguments) {
			return verbs[i].run(argv + 2);
		}
	}
	fprintf(stderr,
			"usage: recording_bench make HOURS CARS START JOURNAL | analyse FILE OUT | "
			"seek FILE COUNT | finalise JOURNAL DIRECTORY\n");
	return 2;
}
