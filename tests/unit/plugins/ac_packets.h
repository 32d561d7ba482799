/* Datagrams as an Assetto Corsa server sends them. */
#ifndef LT_TESTS_UNIT_PLUGINS_AC_PACKETS_H
#define LT_TESTS_UNIT_PLUGINS_AC_PACKETS_H

#include <stdarg.h>

#include "assettocorsa/ac_parse.h"
#include "support/test.h"

struct datagram {
	char bytes[4096];
	size_t n;
};

static inline void put(struct datagram *d, uint32_t value, size_t width)
{
	for (size_t i = 0; i < width; i++) {
		d->bytes[d->n++] = (char)(value >> (8 * i));
	}
}

/* Text of ASCII, each character `width` bytes wide. */
static inline void put_text(struct datagram *d, const char *text, size_t width)
{
	put(d, (uint32_t)strlen(text), 1);
	for (const char *p = text; *p != '\0'; p++) {
		put(d, (unsigned char)*p, width);
	}
}

static inline void put_float(struct datagram *d, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put(d, bits, 4);
}

/* Session 1 of 3 at Spa; kind 1 practice, 2 qualifying, 3 race. */
static inline struct datagram session_datagram(uint8_t type, uint8_t index, uint8_t kind,
		uint16_t minutes, uint16_t laps, int32_t elapsed_ms)
{
	struct datagram d = { .n = 0 };

	put(&d, type, 1);
	put(&d, 4, 1);
	put(&d, index, 1);
	put(&d, index, 1);
	put(&d, 3, 1);
	put_text(&d, "League", 4);
	put_text(&d, "spa", 1);
	put_text(&d, "gp", 1);
	put_text(&d, kind == 3 ? "Race" : "Practice", 1);
	put(&d, kind, 1);
	put(&d, minutes, 2);
	put(&d, laps, 2);
	put(&d, 60, 2);
	put(&d, 22, 1);
	put(&d, 28, 1);
	put_text(&d, "clear", 1);
	put(&d, (uint32_t)elapsed_ms, 4);
	return d;
}

static inline struct datagram entry_datagram(
		uint8_t type, uint8_t car, const char *driver, const char *id)
{
	struct datagram d = { .n = 0 };

	put(&d, type, 1);
	put_text(&d, driver, 4);
	put_text(&d, id, 4);
	put(&d, car, 1);
	put_text(&d, "gt3_car", 1);
	put_text(&d, "blue", 1);
	return d;
}

static inline struct datagram info_datagram(uint8_t car, uint8_t connected, const char *driver)
{
	struct datagram d = { .n = 0 };

	put(&d, 54, 1);
	put(&d, car, 1);
	put(&d, connected, 1);
	put_text(&d, "gt3_car", 4);
	put_text(&d, "blue", 4);
	put_text(&d, driver, 4);
	put_text(&d, "The Team", 4);
	put_text(&d, "id-of-info", 4);
	return d;
}

static inline struct datagram update_datagram(uint8_t car, float fraction)
{
	struct datagram d = { .n = 0 };

	put(&d, 53, 1);
	put(&d, car, 1);
	for (int i = 0; i < 6; i++) {
		put_float(&d, 1.5f);
	}
	put(&d, 3, 1);
	put(&d, 7000, 2);
	put_float(&d, fraction);
	return d;
}

/* A lap; then `count` standings of car, time, laps and, with width 8, finished. */
static inline struct datagram lap_datagram(
		uint8_t car, uint32_t lap_ms, uint8_t cuts, size_t width, size_t count, ...)
{
	struct datagram d = { .n = 0 };
	va_list args;

	put(&d, 73, 1);
	put(&d, car, 1);
	put(&d, lap_ms, 4);
	put(&d, cuts, 1);
	put(&d, (uint32_t)count, 1);
	va_start(args, count);
	for (size_t i = 0; i < count; i++) {
		put(&d, va_arg(args, unsigned), 1);
		put(&d, va_arg(args, unsigned), 4);
		put(&d, va_arg(args, unsigned), 2);
		if (width == 8) {
			put(&d, va_arg(args, unsigned), 1);
		}
	}
	va_end(args);
	put_float(&d, 0.98f);
	return d;
}

static inline struct datagram text_datagram(uint8_t type, int car, const char *text)
{
	struct datagram d = { .n = 0 };

	put(&d, type, 1);
	if (car >= 0) {
		put(&d, (uint32_t)car, 1);
	}
	put_text(&d, text, 4);
	return d;
}

#endif
