/*
 * Both directions work on UTF-16 code units. A code names a phrase; the codes
 * 0, 1 and 2 mean "a new character of 8 bits follows", "of 16 bits follows" and
 * "end". Codes are written with as many bits as the phrase count needs, lowest
 * bit first, into characters of 15 bits that are filled from the top.
 */
#include "race/lzstring.h"

#include "base/alloc.h"
#include "base/table.h"

#define CODE_BYTE     0u
#define CODE_UNIT     1u
#define CODE_END      2u
#define CODE_FIRST    3u
#define BITS_PER_CHAR 15u
#define CHAR_OFFSET   32u /* keeps control characters out of the text */

/* --- width of the codes, the same on both sides --- */

struct width {
	unsigned bits;
	uint32_t left; /* codes until it grows */
};

static void count_code(struct width *width)
{
	if (--width->left == 0) {
		width->left = 1u << width->bits;
		width->bits++;
	}
}

/* --- phrases of the compressor: (code of all but the last unit, last unit) to code --- */

#define PHRASES_MIN_BITS 13u
#define PENDING          0x80000000u /* a single character that was not written out yet */
#define NO_PHRASE        UINT32_MAX

struct phrases {
	uint64_t *keys; /* 0: free */
	uint32_t *codes;
	unsigned bits; /* of the table size */
	uint32_t count;
	uint64_t seed;
};

static void phrases_allocate(struct phrases *phrases, unsigned bits)
{
	phrases->bits = bits;
	phrases->keys = lt_calloc((size_t)1 << bits, sizeof(*phrases->keys));
	phrases->codes = lt_calloc((size_t)1 << bits, sizeof(*phrases->codes));
}

static void phrases_init(struct phrases *phrases)
{
	static const char purpose[] = "lzstring";

	*phrases = (struct phrases){ .seed = lt_table_hash(purpose, sizeof(purpose)) };
	phrases_allocate(phrases, PHRASES_MIN_BITS);
}

static void phrases_finish(struct phrases *phrases)
{
	lt_free(phrases->keys);
	lt_free(phrases->codes);
}

static uint64_t phrase_key(uint32_t prefix, uint16_t unit)
{
	return ((uint64_t)prefix << 16 | unit) + 1;
}

/* Slot of the key, or the free one where it belongs. */
static size_t phrases_slot(const struct phrases *phrases, uint64_t key)
{
	size_t mask = ((size_t)1 << phrases->bits) - 1;
	uint64_t hash = (key ^ phrases->seed) * 0x9E3779B97F4A7C15u;

	hash = (hash ^ hash >> 32) * 0xD6E8FEB86659FD93u;
	size_t slot = (size_t)(hash >> (64 - phrases->bits));
	while (phrases->keys[slot] != 0 && phrases->keys[slot] != key) {
		slot = (slot + 1) & mask;
	}
	return slot;
}

static void phrases_grow(struct phrases *phrases)
{
	struct phrases old = *phrases;

	phrases_allocate(phrases, old.bits + 1);
	for (size_t i = 0; i < (size_t)1 << old.bits; i++) {
		if (old.keys[i] != 0) {
			size_t slot = phrases_slot(phrases, old.keys[i]);

			phrases->keys[slot] = old.keys[i];
			phrases->codes[slot] = old.codes[i];
		}
	}
	phrases_finish(&old);
}

static uint32_t phrases_find(const struct phrases *phrases, uint64_t key)
{
	size_t slot = phrases_slot(phrases, key);

	return phrases->keys[slot] ? phrases->codes[slot] : NO_PHRASE;
}

static void phrases_set(struct phrases *phrases, uint64_t key, uint32_t code)
{
	size_t slot = phrases_slot(phrases, key);

	if (phrases->keys[slot] == 0) {
		phrases->keys[slot] = key;
		phrases->count++;
	}
	phrases->codes[slot] = code;
	if (phrases->count > 1u << (phrases->bits - 1)) {
		phrases_grow(phrases);
	}
}

/* --- compressing --- */

struct compressor {
	struct lt_buf *buf;
	struct phrases phrases;
	struct width width;
	uint32_t next_code;
	uint32_t phrase; /* read but not written yet; 0: none */
	uint16_t unit;   /* its last unit */
	uint32_t bits;   /* of the character in the making */
	unsigned bit_count;
};

static void put_bits(struct compressor *c, uint32_t value, unsigned count)
{
	uint32_t bits = c->bits;
	unsigned bit_count = c->bit_count;

	for (; count > 0; count--, value >>= 1) {
		bits = bits << 1 | (value & 1);
		if (++bit_count == BITS_PER_CHAR) {
			lt_buf_add_utf8(c->buf, bits + CHAR_OFFSET);
			bits = 0;
			bit_count = 0;
		}
	}
	c->bits = bits;
	c->bit_count = bit_count;
}

static void put_phrase(struct compressor *c)
{
	if (c->phrase & PENDING) {
		bool is_byte = c->unit < 256;

		put_bits(c, is_byte ? CODE_BYTE : CODE_UNIT, c->width.bits);
		put_bits(c, c->unit, is_byte ? 8 : 16);
		count_code(&c->width);
		phrases_set(&c->phrases, phrase_key(0, c->unit), c->phrase & ~PENDING);
	} else {
		put_bits(c, c->phrase, c->width.bits);
	}
	count_code(&c->width);
}

static uint32_t character_phrase(struct compressor *c, uint16_t unit)
{
	uint64_t key = phrase_key(0, unit);
	uint32_t code = phrases_find(&c->phrases, key);

	if (code == NO_PHRASE) {
		code = c->next_code++ | PENDING;
		phrases_set(&c->phrases, key, code);
	}
	return code;
}

static void compress_unit(struct compressor *c, uint16_t unit)
{
	uint32_t character;

	if (c->phrase) {
		uint64_t key = phrase_key(c->phrase & ~PENDING, unit);
		uint32_t longer = phrases_find(&c->phrases, key);

		if (longer != NO_PHRASE) {
			c->phrase = longer;
			c->unit = unit;
			return;
		}
		character = character_phrase(c, unit);
		put_phrase(c);
		phrases_set(&c->phrases, key, c->next_code++);
		if (c->unit == unit) {
			character &= ~PENDING; /* the same character was written just now */
		}
	} else {
		character = character_phrase(c, unit);
	}
	c->phrase = character;
	c->unit = unit;
}

void lt_lzstring_compress(struct lt_buf *buf, struct lt_str text)
{
	struct compressor c = {
		.buf = buf,
		.width = { .bits = 2, .left = 2 },
		.next_code = CODE_FIRST,
	};

	phrases_init(&c.phrases);
	while (text.n > 0) {
		uint32_t codepoint = (unsigned char)text.p[0];
		size_t used = codepoint < 0x80 ? 1 : lt_utf8_next(text, &codepoint);

		text.p += used;
		text.n -= used;
		if (codepoint >= 0x10000) {
			compress_unit(&c, (uint16_t)(0xD800 + ((codepoint - 0x10000) >> 10)));
			compress_unit(&c, (uint16_t)(0xDC00 + ((codepoint - 0x10000) & 0x3FF)));
		} else {
			compress_unit(&c, (uint16_t)codepoint);
		}
	}
	if (c.phrase) {
		put_phrase(&c);
	}
	put_bits(&c, CODE_END, c.width.bits);
	/* A last character is always written, and readers want one more to look at. */
	put_bits(&c, 0, BITS_PER_CHAR - c.bit_count);
	lt_buf_add_utf8(buf, CHAR_OFFSET);
	phrases_finish(&c.phrases);
}

/* --- decompressing --- */

/* A phrase is known by the place in the result where it was first written. */
struct place {
	uint32_t start, n;
};

struct decompressor {
	struct lt_str input;
	size_t input_bytes;
	uint32_t bits; /* of the current character, lowest `bit_count` not read yet */
	unsigned bit_count;
	struct width width;
	uint16_t *units; /* the result */
	size_t unit_count, unit_cap, unit_max;
	struct place *places; /* from CODE_FIRST on */
	size_t place_count, place_cap;
};

static bool next_character(struct decompressor *d, struct lt_err *err)
{
	size_t at = d->input_bytes - d->input.n;
	uint32_t codepoint;

	if (d->input.n == 0) {
		return lt_err_set(err, LT_E_FORMAT, "compressed text: no end marker");
	}
	d->input = lt_str_skip(d->input, lt_utf8_next(d->input, &codepoint));
	if (codepoint < CHAR_OFFSET || codepoint >= CHAR_OFFSET + (1u << BITS_PER_CHAR)) {
		return lt_err_set(
				err, LT_E_FORMAT, "compressed text: bad character at byte %zu", at);
	}
	d->bits = codepoint - CHAR_OFFSET;
	d->bit_count = BITS_PER_CHAR;
	return true;
}

static bool get_bits(struct decompressor *d, unsigned count, uint32_t *ret, struct lt_err *err)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < count; i++) {
		if (d->bit_count == 0 && !next_character(d, err)) {
			return false;
		}
		d->bit_count--;
		value |= (d->bits >> d->bit_count & 1) << i;
	}
	*ret = value;
	return true;
}

static bool reserve_units(struct decompressor *d, size_t n, struct lt_err *err)
{
	if (n > d->unit_max - d->unit_count) {
		return lt_err_set(err, LT_E_LIMIT, "compressed text: the result is over %zu bytes",
				d->unit_max);
	}
	if (d->unit_count + n > d->unit_cap) {
		d->unit_cap = LT_MAX(d->unit_cap * 2, d->unit_count + n + 1024);
		d->units = lt_reallocarray(d->units, d->unit_cap, sizeof(*d->units));
	}
	return true;
}

static void add_place(struct decompressor *d, size_t start, size_t n)
{
	if (d->place_count == d->place_cap) {
		d->place_cap = d->place_cap * 2 + 1024;
		d->places = lt_reallocarray(d->places, d->place_cap, sizeof(*d->places));
	}
	d->places[d->place_count++] = (struct place){ (uint32_t)start, (uint32_t)n };
}

/* A character that was not there before: to the result, as a phrase of its own. */
static bool take_character(
		struct decompressor *d, unsigned bits, struct place *ret_place, struct lt_err *err)
{
	uint32_t unit;

	if (!get_bits(d, bits, &unit, err) || !reserve_units(d, 1, err)) {
		return false;
	}
	d->units[d->unit_count] = (uint16_t)unit;
	*ret_place = (struct place){ (uint32_t)d->unit_count, 1 };
	add_place(d, d->unit_count, 1);
	d->unit_count++;
	return true;
}

/* A known phrase, or `last` with its own first unit behind it: copied to the result. */
static bool take_phrase(struct decompressor *d, uint32_t code, struct place last,
		struct place *ret_place, struct lt_err *err)
{
	size_t index = code - CODE_FIRST;
	struct place from;

	if (index < d->place_count) {
		from = d->places[index];
	} else if (index == d->place_count && last.n > 0) {
		from = (struct place){ last.start, last.n + 1 };
	} else {
		return lt_err_set(err, LT_E_FORMAT, "compressed text: bad code at byte %zu",
				d->input_bytes - d->input.n);
	}
	if (!reserve_units(d, from.n, err)) {
		return false;
	}
	*ret_place = (struct place){ (uint32_t)d->unit_count, from.n };
	for (uint32_t i = 0; i < from.n; i++) { /* forwards: source and target may overlap */
		d->units[d->unit_count++] = d->units[from.start + i];
	}
	return true;
}

/* The result up to the end marker, as code units. */
static bool decompress_units(struct decompressor *d, struct lt_err *err)
{
	struct place last = { 0, 0 };

	for (;;) {
		struct place now = { 0, 0 };
		uint32_t code;

		if (!get_bits(d, d->width.bits, &code, err)) {
			return false;
		}
		if (code == CODE_END) {
			return true;
		}
		if (code == CODE_BYTE || code == CODE_UNIT) {
			if (!take_character(d, code == CODE_BYTE ? 8 : 16, &now, err)) {
				return false;
			}
			count_code(&d->width);
		} else if (!take_phrase(d, code, last, &now, err)) {
			return false;
		}
		if (last.n > 0) {
			/* Both stand next to each other in the result. */
			add_place(d, last.start, last.n + 1);
		}
		count_code(&d->width);
		last = now;
	}
}

/* Unpaired surrogates, which no UTF-8 text can hold, become U+FFFD. */
static void units_to_utf8(const struct decompressor *d, struct lt_buf *buf)
{
	lt_buf_reserve(buf, d->unit_count);
	for (size_t i = 0; i < d->unit_count; i++) {
		uint32_t unit = d->units[i];
		uint32_t next = i + 1 < d->unit_count ? d->units[i + 1] : 0;

		if (unit < 0xD800 || unit > 0xDFFF) {
			lt_buf_add_utf8(buf, unit);
		} else if (unit <= 0xDBFF && next >= 0xDC00 && next <= 0xDFFF) {
			lt_buf_add_utf8(buf, 0x10000 + ((unit - 0xD800) << 10) + (next - 0xDC00));
			i++;
		} else {
			lt_buf_add_utf8(buf, 0xFFFD);
		}
	}
}

bool lt_lzstring_decompress(
		struct lt_buf *buf, struct lt_str compressed, size_t max_bytes, struct lt_err *err)
{
	struct decompressor d = {
		.input = compressed,
		.input_bytes = compressed.n,
		.width = { .bits = 2, .left = 2 },
		/* A unit makes at least one byte, and places count in 32 bits. */
		.unit_max = LT_MIN(max_bytes, (size_t)UINT32_MAX / 2),
	};
	size_t before = buf->n;
	bool ok = decompress_units(&d, err);

	if (ok) {
		units_to_utf8(&d, buf);
		if (buf->n - before > max_bytes) {
			buf->n = before;
			buf->p[before] = '\0';
			ok = lt_err_set(err, LT_E_LIMIT,
					"compressed text: the result is over %zu bytes", max_bytes);
		}
	}
	lt_free(d.units);
	lt_free(d.places);
	return ok;
}
