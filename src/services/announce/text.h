/*
 * How long a text is in each network's own count, and where the links in it
 * are. Pure.
 *
 * Characters as people see them (grapheme clusters) are found by the rules that
 * matter for names: combining marks, joined and modified emoji, flags, Hangul.
 * What this does not know counts as several characters, so a text is at worst
 * shortened a little early, never refused.
 */
#ifndef LT_SERVICES_ANNOUNCE_TEXT_H
#define LT_SERVICES_ANNOUNCE_TEXT_H

#include "base/str.h"

/* Bytes of the first cluster of a text that is not empty. */
size_t lt_text_next_cluster(struct lt_str text);

/*
 * The first http or https link in the text, without the punctuation that ends a
 * sentence; *rest is what follows it. False: none.
 */
bool lt_text_next_link(struct lt_str *rest, struct lt_str *ret_link);

/* Clusters: Bluesky. Never less than a tenth of the bytes: it allows 300 of the one, 3000 of the
 * other. */
size_t lt_text_length_bluesky(struct lt_str text);

/* Clusters, with 23 for each link: Mastodon. */
size_t lt_text_length_mastodon(struct lt_str text);

/*
 * X: 1 for most letters of alphabets, 2 for everything else, 2 for an emoji
 * however it is put together, 23 for a link. A word that looks like a host name
 * becomes a link there, too, and counts as one.
 */
size_t lt_text_length_x(struct lt_str text);

/* UTF-16 units: Discord. */
size_t lt_text_length_utf16(struct lt_str text);

#endif
