#include <math.h>

#include "base/alloc.h"
#include "race/column.h"
#include "store/timeline_priv.h"

#define CHECKPOINT_S 120
/* On the way to a far time there are fewer: such a part of the rest lies between two. */
#define CHECKPOINT_SHARE 4

static void finish_checkpoint(struct lt_timeline_run *run, size_t index)
{
	lt_buf_finish(&run->checkpoints[index].saved);
	run->checkpoint_count--;
	memmove(&run->checkpoints[index], &run->checkpoints[index + 1],
			(run->checkpoint_count - index) * sizeof(run->checkpoints[0]));
	run->checkpoints[run->checkpoint_count] = (struct lt_timeline_checkpoint){ 0 };
}

static void end_run(struct lt_timeline_run *run)
{
	lt_analysis_destroy(LT_STEAL(run->analysis));
	lt_timeline_cursor_finish(&run->cursor);
}

void lt_timeline_run_finish(struct lt_timeline_run *run)
{
	end_run(run);
	while (run->checkpoint_count > 0) {
		finish_checkpoint(run, run->checkpoint_count - 1);
	}
}

/* --- checkpoints --- */

/*
 * Drop the one that is missed least: where its neighbours are close together,
 * measured by how far it lies behind the newest. So they are dense where a
 * viewer with a delay is, and reach back to the start.
 */
static void thin_out(struct lt_timeline_run *run)
{
	size_t best = 0;
	double least = INFINITY;
	int64_t newest_s = run->checkpoints[run->checkpoint_count - 1].at_s;

	for (size_t i = 1; i + 1 < run->checkpoint_count; i++) {
		const struct lt_timeline_checkpoint *at = &run->checkpoints[i];
		double gap = (double)(at[1].at_s - at[-1].at_s);
		double loss = gap / (double)(newest_s - at->at_s + CHECKPOINT_S);

		if (loss < least) {
			least = loss;
			best = i;
		}
	}
	finish_checkpoint(run, best);
}

/* The last one at or before a time; count: there is none. */
static size_t find_checkpoint(const struct lt_timeline_run *run, int64_t at_s)
{
	size_t i = run->checkpoint_count;

	while (i > 0) {
		i--;
		if (run->checkpoints[i].at_s <= at_s) {
			return i;
		}
	}
	return run->checkpoint_count;
}

static void add_checkpoint(struct lt_timeline_run *run, int64_t at_s)
{
	size_t before = find_checkpoint(run, at_s);
	size_t place = before == run->checkpoint_count ? 0 : before + 1;
	struct lt_timeline_checkpoint *new = &run->checkpoints[place];

	run->saved_s = at_s;
	if (before < run->checkpoint_count && at_s - run->checkpoints[before].at_s < CHECKPOINT_S) {
		return;
	}
	memmove(new + 1, new, (run->checkpoint_count - place) * sizeof(*new));
	*new = (struct lt_timeline_checkpoint){
		.at_s = at_s, .next = run->cursor.next, .newest = run->newest
	};
	lt_analysis_save(run->analysis, &new->saved);
	run->checkpoint_count++;
	if (run->checkpoint_count > LT_TIMELINE_CHECKPOINTS) {
		thin_out(run);
	}
}

/* --- running --- */

static struct lt_analysis *new_analysis(const struct lt_timeline *timeline)
{
	return lt_analysis_create(lt_json_get(lt_timeline_manifest(timeline), "colSpec"));
}

/* Read the state of the frame before `next` again. */
static bool seek(const struct lt_timeline *timeline, struct lt_timeline_cursor *cursor, size_t next,
		struct lt_err *err)
{
	lt_timeline_cursor_finish(cursor);
	cursor->next = next - 1;
	while (cursor->next > 0 && !timeline->frames[cursor->next].is_key) {
		cursor->next--;
	}
	while (cursor->next < next) {
		if (!lt_timeline_step(timeline, cursor, err)) {
			return false;
		}
	}
	return true;
}

static bool resume(struct lt_timeline *timeline, const struct lt_timeline_checkpoint *checkpoint,
		struct lt_err *err)
{
	struct lt_timeline_run *run = &timeline->run;
	LT_AUTO(cJSON_Delete) cJSON *saved = lt_json_parse(lt_buf_str(&checkpoint->saved), err);

	if (!saved || !seek(timeline, &run->cursor, checkpoint->next, err)) {
		return false;
	}
	run->analysis = new_analysis(timeline);
	run->newest = checkpoint->newest;
	run->saved_s = checkpoint->at_s;
	return lt_analysis_load(run->analysis, saved, err);
}

/* Time of the last frame that was taken in; before the first: INT64_MIN. */
static int64_t reached(const struct lt_timeline *timeline)
{
	size_t next = timeline->run.cursor.next;

	return next == 0 ? INT64_MIN : timeline->frames[next - 1].time_s;
}

/* Have a run under way that has not passed at_s; the nearest one. */
static bool begin(struct lt_timeline *timeline, int64_t at_s, struct lt_err *err)
{
	struct lt_timeline_run *run = &timeline->run;
	size_t index = find_checkpoint(run, at_s);
	const struct lt_timeline_checkpoint *nearest =
			index < run->checkpoint_count ? &run->checkpoints[index] : NULL;

	if (run->analysis && reached(timeline) <= at_s &&
			(!nearest || nearest->at_s <= reached(timeline))) {
		return true;
	}
	end_run(run);
	if (nearest) {
		return resume(timeline, nearest, err);
	}
	run->analysis = new_analysis(timeline);
	run->newest = -INFINITY;
	run->saved_s = timeline->frames[0].time_s;
	return true;
}

static double time_of(const cJSON *message)
{
	const cJSON *time = lt_cell_at(message, 0);

	return cJSON_IsNumber(time) ? time->valuedouble : -INFINITY;
}

static bool step(struct lt_timeline *timeline, int64_t at_s, struct lt_err *err)
{
	struct lt_timeline_run *run = &timeline->run;
	LT_AUTO(cJSON_Delete) cJSON *added = cJSON_CreateArray();
	double newest = -INFINITY;
	const cJSON *message;
	struct lt_err loss; /* an update with an unknown flag is lost, as in the live analysis */

	if (!lt_timeline_step(timeline, &run->cursor, err)) {
		return false;
	}
	cJSON_ArrayForEach(message, lt_json_get(run->cursor.state, "messages")) {
		if (time_of(message) > run->newest) {
			cJSON_AddItemToArray(added, cJSON_Duplicate(message, true));
		}
		newest = fmax(newest, time_of(message));
	}
	run->newest = newest;
	lt_analysis_update(run->analysis, run->cursor.state, lt_number_from_s(reached(timeline)),
			added->child ? added : NULL, &loss);
	if (reached(timeline) - run->saved_s >=
			LT_MAX(CHECKPOINT_S, (at_s - reached(timeline)) / CHECKPOINT_SHARE)) {
		add_checkpoint(run, reached(timeline));
	}
	return true;
}

bool lt_timeline_analyse(struct lt_timeline *timeline, int64_t at_s, size_t frames,
		struct lt_timeline_progress *ret, struct lt_buf *buf, struct lt_err *err)
{
	struct lt_timeline_run *run = &timeline->run;
	size_t end = 0;

	if (timeline->settled == 0 || timeline->frames[0].time_s > at_s) {
		return lt_err_set(err, LT_E_NOT_FOUND, "there is nothing at or before %lld",
				(long long)at_s);
	}
	if (!begin(timeline, at_s, err)) {
		end_run(run);
		return false;
	}
	for (end = timeline->settled; end > 0 && timeline->frames[end - 1].time_s > at_s; end--) {
	}
	for (; frames > 0 && run->cursor.next < end; frames--) {
		if (!step(timeline, at_s, err)) {
			end_run(run);
			return false;
		}
	}
	ret->done = run->cursor.next >= end;
	ret->share = (double)run->cursor.next / (double)end;
	if (ret->done) {
		lt_analysis_write_whole(run->analysis, buf);
	}
	return true;
}
