/*
 * Text for people: tables with aligned columns, durations, sizes. Everything
 * that comes from the daemon passes lt_cli_clean, so that a service's name
 * cannot drive the terminal.
 */
#ifndef LT_CLI_TEXT_H
#define LT_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/* Control characters and broken UTF-8 become '?'. Owned. */
char *lt_cli_clean(struct lt_str text);

/* "0 s", "45 s", "12 min", "3 h 05 min", "2 d 04 h". */
void lt_cli_duration(struct lt_buf *buf, int64_t seconds);

/* "512 B", "1.2 kB", "34 MB". */
void lt_cli_bytes(struct lt_buf *buf, int64_t bytes);

/* Columns on a terminal that the text takes, counted by characters. */
size_t lt_cli_width(struct lt_str text);

struct lt_cli_table;

/* `columns` titles; one that begins with '>' is aligned to the right (the sign is not shown). */
struct lt_cli_table *lt_cli_table_create(const char *const *titles, size_t columns);
void lt_cli_table_destroy(struct lt_cli_table *table);

/* Cells fill rows from left to right. The text is cleaned and copied. */
void lt_cli_table_add(struct lt_cli_table *table, struct lt_str text);
void lt_cli_table_add_int(struct lt_cli_table *table, int64_t value);

/* Two blanks between columns; the last one is not padded. Without rows: nothing. */
void lt_cli_table_print(const struct lt_cli_table *table, FILE *out);

#endif
