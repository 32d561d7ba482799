#include "services/check/plugin_check_damage.h"

#include <stdint.h>

#include "base/alloc.h"

#define PIECES_MAX 2000u
#define BYTES_MAX  (128u << 10)
#define LONG_BYTES 100000u

/* A generator of its own: the same damage on every machine. */
struct dice {
	uint32_t state;
};

static uint32_t roll(struct dice *dice, size_t bound)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 17;
	dice->state ^= dice->state << 5;
	return bound > 0 ? dice->state % (uint32_t)bound : 0;
}

void lt_check_pieces_add(struct lt_check_pieces *pieces, struct lt_str piece)
{
	pieces->list = lt_reallocarray(pieces->list, pieces->n + 1, sizeof(*pieces->list));
	pieces->list[pieces->n] = (struct lt_buf){ 0 };
	lt_buf_add_str(&pieces->list[pieces->n++], piece);
	pieces->bytes += piece.n;
}

void lt_check_pieces_finish(struct lt_check_pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++) {
		lt_buf_finish(&pieces->list[i]);
	}
	lt_free(pieces->list);
	*pieces = (struct lt_check_pieces){ 0 };
}

bool lt_check_pieces_full(const struct lt_check_pieces *pieces)
{
	return pieces->n >= PIECES_MAX || pieces->bytes >= BYTES_MAX;
}

void lt_check_pieces_split(struct lt_check_pieces *pieces, struct lt_str text)
{
	while (text.n > 0 && !lt_check_pieces_full(pieces)) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) + 1 : text.n;

		lt_check_pieces_add(pieces, (struct lt_str){ text.p, LT_MIN(n, LONG_BYTES) });
		text = lt_str_skip(text, n);
	}
}

void lt_check_pieces_sample(struct lt_check_pieces *pieces)
{
	static const char *const lines[] = {
		"71,Ada Ash,83.412\n",
		"12,Bea Beech,84.100\n",
		"71;Ada Ash;GT3;12;1:23.412;+0.000\r\n",
		"$A,\"71\",\"71\",7171,\"Ada\",\"Ash\",\"GER\",1\r\n",
		"$F,9999,\"00:05:00\",\"14:03:12\",\"00:00:10\",\"Green \"\r\n",
		"$J,\"71\",\"00:01:23.412\",\"00:14:31.004\"\r\n",
		"{\"cars\":[{\"num\":\"71\",\"laps\":3,\"last\":83.412}],\"flag\":\"green\"}\n",
		"{\"type\":\"lap\",\"car\":\"12\",\"time\":84.1}\n",
		"[{\"driver_number\":71,\"lap_number\":3,\"lap_duration\":83.412}]\n",
		"<lap car=\"71\" time=\"83.412\"/>\n",
		"71\t3\t83.412\tRUN\n",
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(lines); i++) {
		lt_check_pieces_add(pieces, lt_str_from(lines[i]));
	}
}

static struct lt_str piece_of(const struct lt_check_pieces *feed, size_t i)
{
	return lt_buf_str(&feed->list[i % feed->n]);
}

/* Without its line end. */
static struct lt_str body_of(struct lt_str piece)
{
	while (piece.n > 0 && (piece.p[piece.n - 1] == '\n' || piece.p[piece.n - 1] == '\r')) {
		piece.n--;
	}
	return piece;
}

static void tear(const struct lt_check_pieces *feed, struct dice *dice, struct lt_check_pieces *ret)
{
	LT_AUTO(lt_buf_finish) struct lt_buf all = { 0 };
	struct lt_str rest;

	for (size_t i = 0; i < feed->n; i++) {
		lt_buf_add_str(&all, piece_of(feed, i));
	}
	for (rest = lt_buf_str(&all); rest.n > 0 && !lt_check_pieces_full(ret);) {
		size_t n = 1 + roll(dice, 9 + all.n / 100);

		n = LT_MIN(n, rest.n);
		lt_check_pieces_add(ret, (struct lt_str){ rest.p, n });
		rest = lt_str_skip(rest, n);
	}
}

static void cut(struct lt_str piece, struct dice *dice, struct lt_check_pieces *ret)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_str body = body_of(piece);
	size_t from = roll(dice, 3) == 0 ? roll(dice, body.n + 1) : 0;

	lt_buf_add(&text, body.p + from, roll(dice, body.n - from + 1));
	if (roll(dice, 4) != 0) {
		lt_buf_add_char(&text, '\n');
	}
	lt_check_pieces_add(ret, lt_buf_str(&text));
}

static void merge(struct lt_str piece, struct lt_str next, struct lt_check_pieces *ret)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_add_str(&text, body_of(piece));
	lt_buf_add_str(&text, next);
	lt_check_pieces_add(ret, lt_buf_str(&text));
}

/* One field of many in place of what stood there. */
static void replace_field(struct lt_buf *text, struct lt_str body, struct dice *dice)
{
	static const char *const odd[] = { "", "-1", "99999999999999999999", "1e999", "nan",
		"-9223372036854775808", "0x7f", "\xff\xfe", "\"", "\"\"\"", ",,,,,", "null", "[]",
		"{}", "%s%n", "  ", "4294967296", "00:99:99.999", "-00:00:01", "\xe2\x82" };
	size_t from = roll(dice, body.n + 1), to = from;

	while (from > 0 && strchr(",;:\t{[\"", body.p[from - 1]) == NULL) {
		from--;
	}
	while (to < body.n && (body.p[to] == '\0' || strchr(",;:\t}]\"", body.p[to]) == NULL)) {
		to++;
	}
	lt_buf_add(text, body.p, from);
	lt_buf_add_c(text, odd[roll(dice, LT_ARRAY_LEN(odd))]);
	lt_buf_add(text, body.p + to, body.n - to);
}

static void corrupt(struct lt_str piece, struct dice *dice, struct lt_check_pieces *ret)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	struct lt_str body = body_of(piece);

	if (body.n > 0 && roll(dice, 2) == 0) {
		lt_buf_add_str(&text, body);
		for (uint32_t left = 1 + roll(dice, 4); left > 0; left--) {
			text.p[roll(dice, text.n)] = (char)roll(dice, 256);
		}
	} else {
		replace_field(&text, body, dice);
	}
	lt_buf_add_char(&text, '\n');
	lt_check_pieces_add(ret, lt_buf_str(&text));
}

static void add_long(struct lt_check_pieces *ret, const char *before, struct lt_str unit,
		const char *after)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_add_c(&text, before);
	while (unit.n > 0 && text.n < LONG_BYTES) {
		lt_buf_add_str(&text, unit);
	}
	lt_buf_add_c(&text, after);
	lt_check_pieces_add(ret, lt_buf_str(&text));
}

static void oversize(const struct lt_check_pieces *feed, struct lt_check_pieces *ret)
{
	LT_AUTO(lt_buf_finish) struct lt_buf field = { 0 };
	struct lt_str first = piece_of(feed, 0);
	const char *comma = memchr(first.p, ',', first.n);
	size_t n = comma ? (size_t)(comma - first.p) + 1 : 0;

	add_long(ret, "", body_of(first), "\n");
	add_long(ret, "", LT_STR("x"), "\n");
	add_long(ret, "", LT_STR(","), "\n");
	add_long(ret, "", LT_STR("["), "\n");
	add_long(ret, "{\"cars\":", LT_STR("[{\"a\":"), "\n");
	/* a field that has no end, and one of some thousand bytes */
	lt_buf_add(&field, first.p, n);
	for (int i = 0; i < 7000; i++) {
		lt_buf_add_char(&field, (char)('0' + i % 10));
	}
	lt_buf_add(&field, first.p + n, first.n - n);
	lt_check_pieces_add(ret, lt_buf_str(&field));
	for (size_t i = 0; i < feed->n && i < 20; i++) {
		lt_check_pieces_add(ret, piece_of(feed, i));
	}
}

static void add_noise(struct dice *dice, struct lt_check_pieces *ret)
{
	static const char *const others[] = {
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
		"<!DOCTYPE html><title>503 Service Unavailable</title>\n",
		"{}\n",
		"[]\n",
		"null\n",
		"\"text\"\n",
		"-0.0\n",
		"{\"error\":\"not found\"}\n",
		"[[],{},null,[[]]]\n",
		"\r\n\r\n\n\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(others); i++) {
		lt_check_pieces_add(ret, lt_str_from(others[i]));
	}
	for (int i = 0; i < 60; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		for (uint32_t left = roll(dice, 300); left > 0; left--) {
			lt_buf_add_char(&text, (char)roll(dice, 256));
		}
		lt_buf_add_char(&text, '\n');
		lt_check_pieces_add(ret, lt_buf_str(&text));
	}
}

void lt_check_damage(const struct lt_check_pieces *feed, enum lt_damage damage,
		struct lt_check_pieces *ret_pieces)
{
	struct dice dice = { 0x71717171u };
	size_t rounds = damage == LT_DAMAGE_NONE ? feed->n : LT_MAX(feed->n, (size_t)60);

	if (damage == LT_DAMAGE_TORN) {
		tear(feed, &dice, ret_pieces);
		return;
	}
	if (damage == LT_DAMAGE_OVERSIZED) {
		oversize(feed, ret_pieces);
		return;
	}
	if (damage == LT_DAMAGE_NOISE) {
		add_noise(&dice, ret_pieces);
		return;
	}
	for (size_t i = 0; i < rounds && !lt_check_pieces_full(ret_pieces); i++) {
		size_t other = i + 1 + roll(&dice, 20);

		if (damage == LT_DAMAGE_CUT) {
			cut(piece_of(feed, i), &dice, ret_pieces);
		} else if (damage == LT_DAMAGE_MERGED) {
			merge(piece_of(feed, i), piece_of(feed, i + 1), ret_pieces);
		} else if (damage == LT_DAMAGE_REORDERED) {
			lt_check_pieces_add(ret_pieces, piece_of(feed, other));
		} else if (damage == LT_DAMAGE_CORRUPTED) {
			corrupt(piece_of(feed, i), &dice, ret_pieces);
		} else {
			lt_check_pieces_add(ret_pieces, piece_of(feed, i));
		}
	}
}

const char *lt_damage_name(enum lt_damage damage)
{
	switch (damage) {
	case LT_DAMAGE_NONE:
		return "whole";
	case LT_DAMAGE_TORN:
		return "torn";
	case LT_DAMAGE_CUT:
		return "cut";
	case LT_DAMAGE_MERGED:
		return "merged";
	case LT_DAMAGE_REORDERED:
		return "reordered";
	case LT_DAMAGE_CORRUPTED:
		return "corrupted";
	case LT_DAMAGE_OVERSIZED:
		return "oversized";
	case LT_DAMAGE_NOISE:
		return "noise";
	}
	return "";
}
