/*
 * Datagrams of the Assetto Corsa server to packets, and commands to bytes.
 * Pure: no state, no clock, never fails on any bytes. Protocol version 4.
 */
#ifndef LT_ASSETTOCORSA_AC_PARSE_H
#define LT_ASSETTOCORSA_AC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <livetiming/plugin.h>

#define AC_PROTOCOL    4
#define AC_TEXT_LEN    256 /* of a text in UTF-8, with its end */
#define AC_RESULTS_MAX 255
#define AC_NO_TIME     999999999u
#define AC_COMMAND_MAX 8

enum ac_type {
	AC_NEW_SESSION = 50,
	AC_CONNECTED = 51,
	AC_LEFT = 52,
	AC_CAR_UPDATE = 53,
	AC_CAR_INFO = 54,
	AC_END_SESSION = 55,
	AC_VERSION = 56,
	AC_CHAT = 57,
	AC_LOADED = 58,
	AC_SESSION_INFO = 59,
	AC_ERROR = 60,
	AC_LAP = 73,
	AC_EVENT = 130,
};

enum ac_result {
	AC_OK,
	AC_IGNORED, /* a type that we do not know */
	AC_DAMAGED, /* too short, or with values that cannot be */
};

struct ac_session {
	uint8_t version, index, current, count,
			kind; /* kind 0 booking 1 practice 2 qualifying 3 race */
	uint16_t minutes, laps;
	int32_t elapsed_ms; /* negative before the start */
	char server[AC_TEXT_LEN], track[AC_TEXT_LEN], layout[AC_TEXT_LEN], name[AC_TEXT_LEN];
};

struct ac_entry {
	bool connected;
	char driver[AC_TEXT_LEN], driver_id[AC_TEXT_LEN], team[AC_TEXT_LEN], model[AC_TEXT_LEN];
};

/* A line of the table that comes with each lap. */
struct ac_standing {
	uint8_t car;
	uint32_t time_ms; /* best lap, or total in a race; AC_NO_TIME: none */
	uint16_t laps;
	bool is_finished; /* only with has_finished */
};

struct ac_lap {
	uint32_t lap_ms;
	uint8_t cuts;
	bool has_finished;
	size_t count; /* of standings */
	struct ac_standing standings[AC_RESULTS_MAX];
};

struct ac_packet {
	enum ac_type type;
	uint8_t car; /* of those types that are about one */
	union {
		struct ac_session session; /* 50, 59 */
		struct ac_entry entry;     /* 51, 52, 54 */
		struct ac_lap lap;         /* 73 */
		float fraction;            /* 53: of the lap, 0 to 1 */
		uint8_t version;           /* 56 */
		char text[AC_TEXT_LEN];    /* 55, 57, 60 */
	};
};

enum ac_result ac_parse(struct lt_str datagram, struct ac_packet *ret);

/* Commands; each returns its length. */
size_t ac_ask_session(int16_t index, char command[AC_COMMAND_MAX]); /* -1: the current one */
size_t ac_ask_car(uint8_t car, char command[AC_COMMAND_MAX]);
size_t ac_ask_updates(uint16_t every_ms, char command[AC_COMMAND_MAX]); /* 0: none */

#endif
