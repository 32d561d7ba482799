/* What a race control message means, by the words in it. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "base/str.h"
#include "race/feed_text.h"

#define WORDS_MAX 64

/* A message as words: letters and digits; "5-second" is two of them. */
struct words {
	struct lt_str at[WORDS_MAX];
	size_t n;
};

static bool is_part(char c)
{
	return isalnum((unsigned char)c) || (c & 0x80);
}

static void split(struct lt_str text, struct words *words)
{
	size_t i = 0;

	words->n = 0;
	while (i < text.n && words->n < WORDS_MAX) {
		size_t from;

		while (i < text.n && !is_part(text.p[i])) {
			i++;
		}
		from = i;
		while (i < text.n && is_part(text.p[i])) {
			i++;
		}
		if (i > from) {
			words->at[words->n++] = (struct lt_str){ text.p + from, i - from };
		}
	}
}

static bool is_word(struct lt_str word, const char *wanted, size_t n)
{
	if (word.n != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (tolower((unsigned char)word.p[i]) != wanted[i]) {
			return false;
		}
	}
	return true;
}

/* Index of a phrase ("full course yellow") plus 1; 0: it is not there. */
static size_t find(const struct words *words, const char *phrase)
{
	for (size_t from = 0; from < words->n; from++) {
		const char *p = phrase;
		size_t i = from;

		while (*p != '\0' && i < words->n) {
			size_t n = strcspn(p, " ");

			if (!is_word(words->at[i], p, n)) {
				break;
			}
			i++;
			p += n + (p[n] == ' ');
		}
		if (*p == '\0') {
			return from + 1;
		}
	}
	return 0;
}

static bool number_of(struct lt_str word, uint32_t *ret)
{
	int64_t number;

	if (!lt_parse_i64(word, 0, 9999, &number, NULL)) {
		return false;
	}
	*ret = (uint32_t)number;
	return true;
}

/* The word behind "car", "cars", "no" or "#": the number of a car. */
static void find_car(struct lt_str text, const struct words *words, struct lt_control_text *ret)
{
	static const char *const before[] = { "car", "cars", "no", "competitor", "kart" };

	for (size_t i = 0; i < words->n; i++) {
		struct lt_str word = words->at[i];
		bool is_marked = word.p > text.p && word.p[-1] == '#';

		for (size_t b = 0; i > 0 && b < LT_ARRAY_LEN(before); b++) {
			is_marked = is_marked ||
					is_word(words->at[i - 1], before[b], strlen(before[b]));
		}
		if (is_marked && isdigit((unsigned char)word.p[0])) {
			ret->car = word;
			return;
		}
	}
}

static void find_sector(const struct words *words, struct lt_control_text *ret)
{
	static const char *const before[] = { "sector", "zone", "post", "turn" };

	for (size_t i = 1; i < words->n; i++) {
		for (size_t b = 0; b < LT_ARRAY_LEN(before); b++) {
			if (is_word(words->at[i - 1], before[b], strlen(before[b])) &&
					number_of(words->at[i], &ret->sector)) {
				return;
			}
		}
	}
}

/* "5 second time penalty", "10s": the number before the word for seconds. */
static void find_seconds(const struct words *words, struct lt_control_text *ret)
{
	for (size_t i = 0; i < words->n; i++) {
		struct lt_str word = words->at[i];
		bool is_second = is_word(word, "second", 6) || is_word(word, "seconds", 7) ||
				is_word(word, "sec", 3) || is_word(word, "s", 1);

		if (i > 0 && is_second && number_of(words->at[i - 1], &ret->seconds)) {
			return;
		}
		if (word.n > 1 && tolower((unsigned char)word.p[word.n - 1]) == 's' &&
				number_of((struct lt_str){ word.p, word.n - 1 }, &ret->seconds)) {
			return;
		}
	}
}

/* In this order: the first phrase that is there decides. */
static const struct {
	const char *phrase;
	uint32_t kind, flag;
} meanings[] = {
	{ "no further action", LT_CONTROL_CLEARED, 0 },
	{ "no further investigation", LT_CONTROL_CLEARED, 0 },
	{ "penalty cancelled", LT_CONTROL_CLEARED, 0 },
	{ "under investigation", LT_CONTROL_INVESTIGATION, 0 },
	{ "will be investigated", LT_CONTROL_INVESTIGATION, 0 },
	{ "noted", LT_CONTROL_INVESTIGATION, 0 },
	{ "lap deleted", LT_CONTROL_LAP_DELETED, 0 },
	{ "lap time deleted", LT_CONTROL_LAP_DELETED, 0 },
	{ "time deleted", LT_CONTROL_LAP_DELETED, 0 },
	{ "deleted track limits", LT_CONTROL_LAP_DELETED, 0 },
	{ "penalty", LT_CONTROL_PENALTY, 0 },
	{ "drive through", LT_CONTROL_PENALTY, 0 },
	{ "stop and go", LT_CONTROL_PENALTY, 0 },
	{ "stop go", LT_CONTROL_PENALTY, 0 },
	{ "disqualified", LT_CONTROL_PENALTY, 0 },
	{ "black flag", LT_CONTROL_PENALTY, 0 },
	{ "blue flag", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE },
	{ "virtual safety car", LT_CONTROL_FLAG, LT_FLAG_VSC },
	{ "vsc", LT_CONTROL_FLAG, LT_FLAG_VSC },
	{ "safety car in this lap", LT_CONTROL_INFO, 0 },
	{ "safety car", LT_CONTROL_FLAG, LT_FLAG_SC },
	{ "full course yellow", LT_CONTROL_FLAG, LT_FLAG_FCY },
	{ "fcy", LT_CONTROL_FLAG, LT_FLAG_FCY },
	{ "code 60", LT_CONTROL_FLAG, LT_FLAG_CODE_60 },
	{ "code60", LT_CONTROL_FLAG, LT_FLAG_CODE_60 },
	{ "slow zone", LT_CONTROL_LOCAL_FLAG, LT_FLAG_SLOW_ZONE },
	{ "full caution", LT_CONTROL_FLAG, LT_FLAG_CAUTION },
	{ "caution", LT_CONTROL_FLAG, LT_FLAG_CAUTION },
	{ "red flag", LT_CONTROL_FLAG, LT_FLAG_RED },
	{ "session stopped", LT_CONTROL_FLAG, LT_FLAG_RED },
	{ "session suspended", LT_CONTROL_FLAG, LT_FLAG_RED },
	{ "chequered flag", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED },
	{ "checkered flag", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED },
	{ "double yellow", LT_CONTROL_FLAG, LT_FLAG_YELLOW },
	{ "yellow flag", LT_CONTROL_FLAG, LT_FLAG_YELLOW },
	{ "yellow", LT_CONTROL_FLAG, LT_FLAG_YELLOW },
	{ "white flag", LT_CONTROL_FLAG, LT_FLAG_WHITE },
	{ "final lap", LT_CONTROL_FLAG, LT_FLAG_WHITE },
	{ "last lap", LT_CONTROL_FLAG, LT_FLAG_WHITE },
	{ "green flag", LT_CONTROL_FLAG, LT_FLAG_GREEN },
	{ "track clear", LT_CONTROL_FLAG, LT_FLAG_GREEN },
	{ "green", LT_CONTROL_FLAG, LT_FLAG_GREEN },
};

/* A word that ends what the same phrase would begin. */
static bool is_ending(const struct words *words)
{
	static const char *const endings[] = { "ending", "ended", "over", "end", "withdrawn" };

	for (size_t i = 0; i < LT_ARRAY_LEN(endings); i++) {
		if (find(words, endings[i])) {
			return true;
		}
	}
	return false;
}

void lt_control_parse(struct lt_str text, struct lt_control_text *ret)
{
	struct lt_control_text found = { .size = ret->size, .kind = LT_CONTROL_INFO };
	struct words words;

	split(text, &words);
	find_car(text, &words, &found);
	find_sector(&words, &found);
	for (size_t i = 0; i < LT_ARRAY_LEN(meanings); i++) {
		if (find(&words, meanings[i].phrase)) {
			found.kind = meanings[i].kind;
			found.flag = meanings[i].flag;
			break;
		}
	}
	if (found.kind == LT_CONTROL_FLAG && (found.sector > 0 || found.car.n > 0)) {
		found.kind = LT_CONTROL_LOCAL_FLAG;
	}
	/* "Safety car ending" is no green flag yet. */
	if (found.kind == LT_CONTROL_FLAG && found.flag != LT_FLAG_GREEN && is_ending(&words)) {
		found.kind = LT_CONTROL_INFO;
		found.flag = LT_FLAG_NONE;
	}
	if (found.kind == LT_CONTROL_PENALTY) {
		find_seconds(&words, &found);
	}
	memcpy(ret, &found, LT_MIN((size_t)ret->size, sizeof(found)));
}
