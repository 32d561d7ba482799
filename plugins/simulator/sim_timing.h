/*
 * The timing of a simulated race: what its loops hear goes into the host's
 * field of cars (lt.field/1), which keeps laps, best times, gaps and places.
 * Order, states and stops are the simulation's own truth.
 *
 * Pure but for the field's memory, which sim_timing_destroy frees.
 */
#ifndef LT_SIMULATOR_SIM_TIMING_H
#define LT_SIMULATOR_SIM_TIMING_H

#include <livetiming/plugin.h>

#include "sim.h"

struct sim_timing;

/* opts are those of the sim. NULL: out of memory. */
struct sim_timing *sim_timing_create(const struct lt_field_ext *ext, const struct sim_opts *opts);
void sim_timing_destroy(struct sim_timing *timing); /* NULL is fine */

/* For sim_create; arg is the timing. */
void sim_timing_on_line(void *arg, const struct sim_line *line);

/* Bring it to the moment of this view. Afterwards row i is that of view->rows[i]. */
void sim_timing_look(struct sim_timing *timing, const struct sim_view *view);
void sim_timing_row(struct sim_timing *timing, size_t i, struct lt_field_row *ret_row);

#endif
