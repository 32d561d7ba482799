/*
 * The book-keeping that plugins get as "lt.field/1": the cars of one session,
 * their laps, sectors, best times, pit stops and states, put in order with
 * gaps, class positions and marks. What the functions do is said where plugins
 * read it: livetiming_plugin.h, struct lt_field_ext.
 *
 * Pure: no I/O, no clock; every time is an argument. A field belongs to whoever
 * opened it. Bounded: cars_max cars, LT_FIELD_LAPS_MAX laps a car, texts of
 * LT_FIELD_TEXT_MAX bytes.
 */
#ifndef LT_RACE_FIELD_FIELD_H
#define LT_RACE_FIELD_FIELD_H

#include "livetiming_plugin.h"

#define LT_FIELD_CARS_DEFAULT 400
#define LT_FIELD_CARS_MAX     2000
#define LT_FIELD_LAPS_MAX     5000
#define LT_FIELD_TEXT_MAX     127

extern const struct lt_field_ext lt_field_table;

#endif
