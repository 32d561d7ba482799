/*
 * RMonitor lines to records. Pure: no state, no clock, never fails on any
 * bytes. Fields come out trimmed, without quotes, as terminated UTF-8; what
 * they mean is rm_model's affair.
 */
#ifndef LT_RMONITOR_RM_PARSE_H
#define LT_RMONITOR_RM_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include <livetiming/plugin.h>

#define RM_LINE_MAX   8192
#define RM_FIELDS_MAX 16 /* further fields are ignored, as unknown commands are */

enum rm_kind {
	RM_HEARTBEAT,         /* $F */
	RM_COMPETITOR,        /* $A */
	RM_COMPETITOR_DETAIL, /* $COMP */
	RM_RUN,               /* $B */
	RM_CLASS,             /* $C */
	RM_SETTING,           /* $E */
	RM_RACE_ORDER,        /* $G */
	RM_BEST_ORDER,        /* $H */
	RM_INIT,              /* $I */
	RM_PASSING,           /* $J */
	RM_CORRECTION,        /* $COR */
	RM_LINE,              /* $L */
	RM_TRACK,             /* $T */
};

enum rm_result {
	RM_OK,
	RM_IGNORED, /* not a record, or one that we do not know */
	RM_DAMAGED,
};

struct rm_decoder {
	const struct lt_text_ext *text; /* of the host */
	uint32_t encoding;              /* LT_ENCODING_... */
};

struct rm_record {
	enum rm_kind kind;
	size_t count;                     /* of fields after the command */
	const char *field[RM_FIELDS_MAX]; /* all usable: missing ones are "" */
	char text[RM_LINE_MAX * 3 + 1];   /* what the fields point into */
};

/* line: without its end; a byte order mark, CRs and spaces around it are dropped. */
enum rm_result rm_parse(const struct rm_decoder *decoder, const char *line, size_t n,
		struct rm_record *ret);

/* H...H:MM:SS[.D[D[D]]] in milliseconds; -1 when it is not such a time. */
int64_t rm_time_ms(const char *text);

/* The same, with an optional sign in front. 0 when it is not such a time. */
int64_t rm_signed_time_ms(const char *text);

/* A decimal number of up to nine digits, optional spaces around; -1: not one. Empty: -1. */
int32_t rm_number(const char *text);

/* "##YYYY-MM-DD HH:MM:SS.mmm[|kind]" of a capture in Unix milliseconds; -1: not one. */
int64_t rm_stamp_ms(const char *line, size_t n);

#endif
