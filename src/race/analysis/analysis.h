/*
 * Analysis of a race: what happened to each car, lap by lap and stint by stint,
 * kept up to date state by state. Pure: time is an argument. One update costs
 * one walk over the rows; JSON is written only when somebody asks.
 *
 * Data is named by key; all JSON is compact ASCII:
 *
 *   static        {number: [class, team, car]}
 *   driver        {number: [driver, ...]} in order of appearance
 *   messages      {"messages": [message, ...]} those without a car, newest block first
 *   session       see session.h
 *   lap           {number: [running stint or null, last_pass]}
 *   stint         {number: [finished stint, ...]} see stint.h
 *   car_messages  {number: [message, ...]} oldest first
 *
 * The last three also for one car: lap/7 is {"7": [...]}.
 *
 * Where it does better than the original: a row that is broken is ignored and
 * no other car suffers; two rows with one number are two cars (car_list.h); a
 * last lap that is a text counts if it is the text of a number; the leader's
 * lap belongs to one analysis and not to the process. An unknown flag still
 * loses its update, and the next one is compared with the one before it.
 */
#ifndef LT_RACE_ANALYSIS_ANALYSIS_H
#define LT_RACE_ANALYSIS_ANALYSIS_H

#include "race/analysis/number.h"

struct lt_analysis;

/* col_spec is borrowed for the call. */
struct lt_analysis *lt_analysis_create(const cJSON *col_spec);
void lt_analysis_destroy(struct lt_analysis *analysis);

/*
 * Told, in the middle of an update, that the data of a key has just changed;
 * lt_analysis_write gives it as it is at that moment. `key` is borrowed for the
 * call. Calls of lt_analysis_update from inside are not allowed.
 */
typedef void lt_analysis_changed_fn(void *arg, struct lt_str key);
void lt_analysis_on_change(struct lt_analysis *analysis, lt_analysis_changed_fn *fn, void *arg);

/*
 * Take in the next state. The one before is remembered by the analysis, so it
 * is not an argument.
 *
 * time          see lt_number_from_s and lt_number_from_wall
 * new_messages  list of those that came with this state, or NULL
 * Errors        LT_E_FORMAT: cars is not a list, or the flag is unknown; nothing has changed
 */
bool lt_analysis_update(struct lt_analysis *analysis, const cJSON *state, struct lt_number time,
		const cJSON *new_messages, struct lt_err *err);

/* Append the data of a key; false when there is none of that name. */
bool lt_analysis_write(const struct lt_analysis *analysis, struct lt_str key, struct lt_buf *buf);

/* The same as a tree; the caller owns it. NULL: no such key. */
cJSON *lt_analysis_get(const struct lt_analysis *analysis, struct lt_str key);

/* Append `"static":{...},...`: the seven members of the whole data, without braces. */
void lt_analysis_write_members(const struct lt_analysis *analysis, struct lt_buf *buf);

/* Append the whole data as one object; or as a tree, which the caller owns. */
void lt_analysis_write_whole(const struct lt_analysis *analysis, struct lt_buf *buf);
cJSON *lt_analysis_whole(const struct lt_analysis *analysis);

/* Keys of the whole data, in its order; ends with NULL. Static. */
extern const char *const lt_analysis_keys[];

/*
 * Everything that is needed to go on as if there had been no interruption, as
 * JSON text. Loading is for an analysis that has had no update yet; after an
 * error only destroy it.
 */
void lt_analysis_save(const struct lt_analysis *analysis, struct lt_buf *buf);
bool lt_analysis_load(struct lt_analysis *analysis, const cJSON *saved, struct lt_err *err);

#endif
