/*
 * What a feed says, and the ways in which it arrives damaged: pieces of bytes
 * (lines with their ends, datagrams, messages, answers). Pure, and the same
 * every time.
 */
#ifndef LT_SERVICES_PLUGIN_CHECK_DAMAGE_H
#define LT_SERVICES_PLUGIN_CHECK_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum lt_damage {
	LT_DAMAGE_NONE,
	LT_DAMAGE_TORN,      /* whole, in chunks that end anywhere */
	LT_DAMAGE_CUT,       /* each piece ends early */
	LT_DAMAGE_MERGED,    /* no end between two pieces */
	LT_DAMAGE_REORDERED, /* in another order, some of them twice */
	LT_DAMAGE_CORRUPTED, /* bytes flipped, fields gone or doubled, numbers out of all range */
	LT_DAMAGE_OVERSIZED, /* longer than anything should be */
	LT_DAMAGE_NOISE,     /* of another protocol, or of none */
};

struct lt_check_pieces {
	struct lt_buf *list;
	size_t n, bytes;
};

void lt_check_pieces_add(struct lt_check_pieces *pieces, struct lt_str piece);
void lt_check_pieces_finish(struct lt_check_pieces *pieces);

/* Lines of a text, with their ends; at most so many pieces and bytes. */
void lt_check_pieces_split(struct lt_check_pieces *pieces, struct lt_str text);
bool lt_check_pieces_full(const struct lt_check_pieces *pieces);

/* Lines of the kinds that feeds speak, for want of a fixture. */
void lt_check_pieces_sample(struct lt_check_pieces *pieces);

/* Pieces as they arrive; bounded, whatever the feed is. */
void lt_check_damage(const struct lt_check_pieces *feed, enum lt_damage damage,
		struct lt_check_pieces *ret_pieces);

/* "cut". */
const char *lt_damage_name(enum lt_damage damage);

#endif
