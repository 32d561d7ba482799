#include "services/announce/text.h"

#include <strings.h>

#define LINK_LENGTH 23

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

#define IS_IN(c, ranges) is_in(c, ranges, LT_ARRAY_LEN(ranges))

/* --- clusters --- */

/* What joins the character before it: marks of the scripts in use, variation selectors, joiners,
 * skin tones, tags. */
static bool is_extending(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x0300, 0x036f },
		{ 0x0483, 0x0489 },
		{ 0x0591, 0x05bd },
		{ 0x05bf, 0x05c7 },
		{ 0x0610, 0x061a },
		{ 0x064b, 0x065f },
		{ 0x0670, 0x0670 },
		{ 0x06d6, 0x06dc },
		{ 0x06df, 0x06e4 },
		{ 0x06e7, 0x06e8 },
		{ 0x06ea, 0x06ed },
		{ 0x0900, 0x0903 },
		{ 0x093a, 0x093c },
		{ 0x093e, 0x094f },
		{ 0x0951, 0x0957 },
		{ 0x0962, 0x0963 },
		{ 0x0e31, 0x0e31 },
		{ 0x0e34, 0x0e3a },
		{ 0x0e47, 0x0e4e },
		{ 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff },
		{ 0x200c, 0x200d },
		{ 0x20d0, 0x20f0 },
		{ 0x302a, 0x302f },
		{ 0x3099, 0x309a },
		{ 0xfe00, 0xfe0f },
		{ 0xfe20, 0xfe2f },
		{ 0x1f3fb, 0x1f3ff },
		{ 0xe0020, 0xe007f },
		{ 0xe0100, 0xe01ef },
	};

	return c >= 0x300 && IS_IN(c, ranges);
}

static bool is_flag_letter(uint32_t c)
{
	return c >= 0x1f1e6 && c <= 0x1f1ff;
}

static bool is_pictograph(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x00a9, 0x00a9 },
		{ 0x00ae, 0x00ae },
		{ 0x203c, 0x203c },
		{ 0x2049, 0x2049 },
		{ 0x2122, 0x2122 },
		{ 0x2139, 0x2139 },
		{ 0x2194, 0x21aa },
		{ 0x231a, 0x23ff },
		{ 0x24c2, 0x24c2 },
		{ 0x25aa, 0x25fe },
		{ 0x2600, 0x27bf },
		{ 0x2934, 0x2935 },
		{ 0x2b05, 0x2b55 },
		{ 0x3030, 0x3030 },
		{ 0x303d, 0x303d },
		{ 0x3297, 0x3299 },
		{ 0x1f000, 0x1faff },
	};

	return c >= 0xa9 && !is_flag_letter(c) && IS_IN(c, ranges);
}

/* A Hangul syllable goes on with vowels and final consonants. */
static bool is_hangul(uint32_t c)
{
	static const struct range ranges[] = {
		{ 0x1100, 0x11ff },
		{ 0xa960, 0xa97c },
		{ 0xac00, 0xd7a3 },
	};

	return IS_IN(c, ranges);
}

static bool is_hangul_rest(uint32_t c)
{
	return (c >= 0x1160 && c <= 0x11ff) || (c >= 0xd7b0 && c <= 0xd7fb);
}

struct cluster {
	uint32_t first;
	size_t bytes, codepoints;
};

/* Does the character c belong to the cluster, whose last one is `last`? */
static bool goes_on(const struct cluster *cluster, uint32_t last, uint32_t c)
{
	if (is_extending(c)) {
		return cluster->first != '\n' && cluster->first != '\r';
	}
	if (cluster->first == '\r') {
		return c == '\n' && cluster->codepoints == 1;
	}
	if (is_flag_letter(c)) {
		return is_flag_letter(cluster->first) && cluster->codepoints == 1;
	}
	if (last == 0x200d) {
		return is_pictograph(c) && is_pictograph(cluster->first);
	}
	return is_hangul_rest(c) && is_hangul(cluster->first);
}

static struct cluster next_cluster(struct lt_str text)
{
	struct cluster cluster = { .codepoints = 1 };
	uint32_t last, c;

	cluster.bytes = lt_utf8_next(text, &cluster.first);
	last = cluster.first;
	while (cluster.bytes < text.n) {
		size_t n = lt_utf8_next(lt_str_skip(text, cluster.bytes), &c);

		if (!goes_on(&cluster, last, c)) {
			break;
		}
		cluster.bytes += n;
		cluster.codepoints++;
		last = c;
	}
	return cluster;
}

size_t lt_text_next_cluster(struct lt_str text)
{
	return next_cluster(text).bytes;
}

static size_t count_clusters(struct lt_str text)
{
	size_t n = 0;

	while (text.n) {
		text = lt_str_skip(text, lt_text_next_cluster(text));
		n++;
	}
	return n;
}

/* --- links --- */

static bool starts_link(struct lt_str text)
{
	return (text.n > 8 && strncasecmp(text.p, "https://", 8) == 0) ||
			(text.n > 7 && strncasecmp(text.p, "http://", 7) == 0);
}

static bool is_link_byte(char c)
{
	return (unsigned char)c > ' ' && c != '<' && c != '>' && c != '"' && c != '\x7f';
}

bool lt_text_next_link(struct lt_str *rest, struct lt_str *ret_link)
{
	struct lt_str text = *rest;

	while (text.n && !starts_link(text)) {
		text = lt_str_skip(text, 1);
	}
	if (!text.n) {
		return false;
	}
	*ret_link = (struct lt_str){ text.p, 0 };
	while (ret_link->n < text.n && is_link_byte(text.p[ret_link->n])) {
		ret_link->n++;
	}
	while (strchr(".,;:!?)]'", ret_link->p[ret_link->n - 1])) {
		ret_link->n--;
	}
	*rest = lt_str_skip(text, ret_link->n);
	return true;
}

/* --- lengths --- */

size_t lt_text_length_bluesky(struct lt_str text)
{
	return LT_MAX(count_clusters(text), (text.n + 9) / 10);
}

/* Sum over what stands between the links, and LINK_LENGTH for each of them. */
static size_t length_with_links(struct lt_str text, size_t (*length)(struct lt_str text))
{
	struct lt_str rest = text, link;
	size_t sum = 0;

	while (lt_text_next_link(&rest, &link)) {
		sum += length((struct lt_str){ text.p, (size_t)(link.p - text.p) }) + LINK_LENGTH;
		text = rest;
	}
	return sum + length(text);
}

size_t lt_text_length_mastodon(struct lt_str text)
{
	return length_with_links(text, count_clusters);
}

/* The ranges of weight 1 in the configuration that X publishes. */
static size_t weight_of(uint32_t c)
{
	static const struct range light[] = {
		{ 0, 4351 },
		{ 8192, 8205 },
		{ 8208, 8223 },
		{ 8242, 8247 },
	};

	return IS_IN(c, light) ? 1 : 2;
}

static size_t weigh_cluster(struct lt_str text, const struct cluster *cluster)
{
	size_t sum = 0;
	uint32_t c;

	text.n = cluster->bytes;
	if (is_flag_letter(cluster->first) ||
			(cluster->codepoints > 1 && is_pictograph(cluster->first))) {
		return 2;
	}
	while (text.n) {
		text = lt_str_skip(text, lt_utf8_next(text, &c));
		sum += weight_of(c);
	}
	return sum;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "timing.example/x": a dot with two letters behind it, and something before it. */
static bool looks_like_host(struct lt_str word)
{
	for (size_t i = 1; i + 2 < word.n && word.p[i] != '/'; i++) {
		if (word.p[i] == '.' && word.p[i - 1] != '.' && is_letter(word.p[i + 1]) &&
				is_letter(word.p[i + 2])) {
			return true;
		}
	}
	return false;
}

static size_t weigh_word(struct lt_str word)
{
	size_t sum = 0;
	bool is_host = looks_like_host(word);

	while (word.n) {
		struct cluster cluster = next_cluster(word);

		sum += weigh_cluster(word, &cluster);
		word = lt_str_skip(word, cluster.bytes);
	}
	return is_host ? LT_MAX(sum, (size_t)LINK_LENGTH) : sum;
}

static size_t weigh(struct lt_str text)
{
	size_t sum = 0;

	while (text.p && text.n) {
		sum += weigh_word(lt_str_split(&text, ' ')) + (text.p != NULL);
	}
	return sum;
}

size_t lt_text_length_x(struct lt_str text)
{
	return length_with_links(text, weigh);
}

size_t lt_text_length_utf16(struct lt_str text)
{
	size_t sum = 0;
	uint32_t c;

	while (text.n) {
		text = lt_str_skip(text, lt_utf8_next(text, &c));
		sum += c > 0xffff ? 2 : 1;
	}
	return sum;
}
