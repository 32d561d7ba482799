#include "base/clock.h"

#include <stdio.h>
#include <time.h>

/* The years that four digits can show; anything outside is shown as the nearer end. */
#define FIRST_S INT64_C(-62167219200) /* 0000-01-01 */
#define LAST_S  INT64_C(253402300799) /* 9999-12-31T23:59:59 */

void lt_wall_format(struct lt_wall t, char buf[LT_WALL_TEXT])
{
	int64_t seconds = t.us / LT_US_PER_S;
	int64_t us = t.us % LT_US_PER_S;
	char text[64];
	time_t whole;
	struct tm tm;

	if (us < 0) { /* before 1970 the division rounded the wrong way */
		us += LT_US_PER_S;
		seconds--;
	}
	seconds = seconds < FIRST_S ? FIRST_S : seconds > LAST_S ? LAST_S : seconds;
	whole = (time_t)seconds;
	gmtime_r(&whole, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(us / LT_US_PER_MS));
	snprintf(buf, LT_WALL_TEXT, "%.24s", text);
}

static int64_t read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * LT_US_PER_S + ts.tv_nsec / 1000;
}

struct lt_mono lt_clock_mono(void)
{
	return (struct lt_mono){ read_us(CLOCK_MONOTONIC) };
}

struct lt_wall lt_clock_wall(void)
{
	return (struct lt_wall){ read_us(CLOCK_REALTIME) };
}
