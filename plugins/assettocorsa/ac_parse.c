#include "ac_parse.h"

#include <math.h>
#include <string.h>

/* What is left of a datagram. `is_short` once something was not there. */
struct reader {
	const unsigned char *p;
	size_t n;
	bool is_short;
};

static const unsigned char *take(struct reader *reader, size_t n)
{
	static const unsigned char nothing[4];
	const unsigned char *p = reader->p;

	if (reader->is_short || reader->n < n) {
		reader->is_short = true;
		return n <= sizeof(nothing) ? nothing : NULL;
	}
	reader->p += n;
	reader->n -= n;
	return p;
}

static uint8_t take_u8(struct reader *reader)
{
	return take(reader, 1)[0];
}

static uint16_t take_u16(struct reader *reader)
{
	const unsigned char *p = take(reader, 2);

	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t take_u32(struct reader *reader)
{
	const unsigned char *p = take(reader, 4);

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float take_float(struct reader *reader)
{
	uint32_t bits = take_u32(reader);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* --- texts: UTF-8 without control characters, cut at a whole character --- */

static size_t put_character(uint32_t c, char *to)
{
	if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
		c = ' ';
	} else if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
		c = 0xFFFD;
	}
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xE0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3F));
		to[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3F));
	to[2] = (char)(0x80 | (c >> 6 & 0x3F));
	to[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* str32, or str8 with width 1: folder names of the game, in which other than ASCII is not known. */
static void take_text(struct reader *reader, size_t width, char text[AC_TEXT_LEN])
{
	size_t count = take_u8(reader), length = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t c = width == 4 ? take_u32(reader) : take_u8(reader);
		char character[4];
		size_t n = put_character(c, character);

		if (length + n < AC_TEXT_LEN) {
			memcpy(text + length, character, n);
			length += n;
		}
	}
	text[length] = '\0';
}

/* --- packets --- */

static bool read_session(struct reader *reader, struct ac_packet *ret)
{
	struct ac_session *session = &ret->session;
	char weather[AC_TEXT_LEN];

	session->version = take_u8(reader);
	session->index = take_u8(reader);
	session->current = take_u8(reader);
	session->count = take_u8(reader);
	take_text(reader, 4, session->server);
	take_text(reader, 1, session->track);
	take_text(reader, 1, session->layout);
	take_text(reader, 1, session->name);
	session->kind = take_u8(reader);
	session->minutes = take_u16(reader);
	session->laps = take_u16(reader);
	take_u16(reader); /* wait */
	take_u8(reader);  /* air, road */
	take_u8(reader);
	take_text(reader, 1, weather);
	session->elapsed_ms = (int32_t)take_u32(reader);
	return session->version == AC_PROTOCOL && session->kind <= 3;
}

static bool read_entry(struct reader *reader, struct ac_packet *ret)
{
	struct ac_entry *entry = &ret->entry;
	char skin[AC_TEXT_LEN];

	if (ret->type == AC_CAR_INFO) {
		ret->car = take_u8(reader);
		entry->connected = take_u8(reader) != 0;
		take_text(reader, 4, entry->model);
		take_text(reader, 4, skin);
		take_text(reader, 4, entry->driver);
		take_text(reader, 4, entry->team);
		take_text(reader, 4, entry->driver_id);
		return true;
	}
	take_text(reader, 4, entry->driver);
	take_text(reader, 4, entry->driver_id);
	ret->car = take_u8(reader);
	take_text(reader, 1, entry->model);
	take_text(reader, 1, skin);
	entry->connected = ret->type == AC_CONNECTED;
	entry->team[0] = '\0';
	return true;
}

static bool read_update(struct reader *reader, struct ac_packet *ret)
{
	ret->car = take_u8(reader);
	for (int i = 0; i < 6; i++) { /* position and velocity */
		take_float(reader);
	}
	take_u8(reader);  /* gear */
	take_u16(reader); /* engine speed */
	ret->fraction = take_float(reader);
	return isfinite(ret->fraction) && ret->fraction >= 0 && ret->fraction <= 1;
}

static bool read_lap(struct reader *reader, struct ac_packet *ret)
{
	struct ac_lap *lap = &ret->lap;
	size_t count, width;

	ret->car = take_u8(reader);
	lap->lap_ms = take_u32(reader);
	lap->cuts = take_u8(reader);
	count = take_u8(reader);
	lap->count = 0;
	lap->has_finished = false;
	if (reader->is_short || reader->n < 4) {
		return false;
	}
	/* The width of a line differs between server versions. */
	width = count > 0 && (reader->n - 4) % count == 0 ? (reader->n - 4) / count : 0;
	if (width != 7 && width != 8) {
		return true; /* the lap is good, its table cannot be read */
	}
	lap->has_finished = width == 8;
	for (size_t i = 0; i < count; i++) {
		struct ac_standing *standing = &lap->standings[lap->count++];

		standing->car = take_u8(reader);
		standing->time_ms = take_u32(reader);
		standing->laps = take_u16(reader);
		standing->is_finished = width == 8 && take_u8(reader) != 0;
	}
	return true;
}

static bool read_body(struct reader *reader, struct ac_packet *ret)
{
	switch (ret->type) {
	case AC_NEW_SESSION:
	case AC_SESSION_INFO:
		return read_session(reader, ret);
	case AC_CONNECTED:
	case AC_LEFT:
	case AC_CAR_INFO:
		return read_entry(reader, ret);
	case AC_CAR_UPDATE:
		return read_update(reader, ret);
	case AC_LAP:
		return read_lap(reader, ret);
	case AC_VERSION:
		ret->version = take_u8(reader);
		return true;
	case AC_CHAT:
		ret->car = take_u8(reader);
		take_text(reader, 4, ret->text);
		return true;
	case AC_END_SESSION:
	case AC_ERROR:
		take_text(reader, 4, ret->text);
		return true;
	case AC_LOADED:
		ret->car = take_u8(reader);
		return true;
	case AC_EVENT: /* contacts: not used, but known */
		return take_u8(reader) <= 11;
	}
	return false;
}

static bool is_known(uint8_t type)
{
	return (type >= AC_NEW_SESSION && type <= AC_ERROR) || type == AC_LAP || type == AC_EVENT;
}

enum ac_result ac_parse(struct lt_str datagram, struct ac_packet *ret)
{
	struct reader reader = { (const unsigned char *)datagram.p, datagram.n, false };
	uint8_t type = take_u8(&reader);

	if (reader.is_short || !is_known(type)) {
		return AC_IGNORED;
	}
	ret->type = (enum ac_type)type;
	ret->car = 0;
	return read_body(&reader, ret) && !reader.is_short ? AC_OK : AC_DAMAGED;
}

/* --- commands --- */

static size_t write_command(
		uint8_t type, uint16_t value, size_t width, char command[AC_COMMAND_MAX])
{
	command[0] = (char)type;
	command[1] = (char)(value & 0xFF);
	command[2] = (char)(value >> 8);
	return 1 + width;
}

size_t ac_ask_session(int16_t index, char command[AC_COMMAND_MAX])
{
	return write_command(204, (uint16_t)index, 2, command);
}

size_t ac_ask_car(uint8_t car, char command[AC_COMMAND_MAX])
{
	return write_command(201, car, 1, command);
}

size_t ac_ask_updates(uint16_t every_ms, char command[AC_COMMAND_MAX])
{
	return write_command(200, every_ms, 2, command);
}
