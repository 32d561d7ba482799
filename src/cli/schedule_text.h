/*
 * Shared by the schedule commands: times of events as people of this place
 * read them.
 */
#ifndef LT_CLI_SCHEDULE_TEXT_H
#define LT_CLI_SCHEDULE_TEXT_H

#include <stdint.h>

#include "base/str.h"

/* "Sat 16 May 2026 15:00" in the zone of this process; 0 gives nothing. Appends. */
void lt_cli_add_time(struct lt_buf *buf, int64_t time_s);
/* "15:00", with the day when it is not that of start_s. */
void lt_cli_add_end(struct lt_buf *buf, int64_t start_s, int64_t end_s);

#endif
