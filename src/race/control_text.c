/* What a race control message means, by phrases as series and circuits write them. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "race/feed_text.h"

#define WORDS_MAX 100
#define WORD_MAX  15

/*
 * The text as upper case words, with neither marks nor filler words. Letters
 * and digits are words of their own: "CODE60" is CODE 60, "5s" is 5 S.
 */
struct words {
	size_t count;
	char word[WORDS_MAX][WORD_MAX + 1];
	const char *from[WORDS_MAX]; /* where it stands in the text */
	bool has_hash[WORDS_MAX];    /* "#" is in front */
	const char *end;
};

/* Where a phrase makes a flag a local one. */
enum scope {
	ANYWHERE, /* the whole track, even when a car or place is named: it says why */
	UNLESS_PLACED,
	PLACED, /* always local */
	ALONE,  /* the whole track, and only as the whole text */
};

struct phrase {
	const char *words;
	uint32_t kind, flag;
	enum scope scope;
};

static const char *const fillers[] = { "THE", "A", "AN", "IS", "ARE", "NOW", "HAS", "HAVE", "BEEN",
	"AND" };

/* What stewards say, most telling first: the first phrase that is in the text counts. */
static const struct phrase verdicts[] = {
	{ "NO FURTHER ACTION", LT_CONTROL_CLEARED, 0, 0 },
	{ "NO FURTHER INVESTIGATION", LT_CONTROL_CLEARED, 0, 0 },
	{ "NO INVESTIGATION", LT_CONTROL_CLEARED, 0, 0 },
	{ "NO ACTION", LT_CONTROL_CLEARED, 0, 0 },
	{ "NO PENALTY", LT_CONTROL_CLEARED, 0, 0 },
	{ "WITHOUT FURTHER ACTION", LT_CONTROL_CLEARED, 0, 0 },
	{ "NOT INVESTIGATED", LT_CONTROL_CLEARED, 0, 0 },
	{ "NOT BE INVESTIGATED", LT_CONTROL_CLEARED, 0, 0 },
	{ "INVESTIGATION CLOSED", LT_CONTROL_CLEARED, 0, 0 },
	{ "NFA", LT_CONTROL_CLEARED, 0, 0 },
	{ "REINSTATED", LT_CONTROL_INFO, 0, 0 },
	{ "UNDER INVESTIGATION", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "BE INVESTIGATED", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "BEING INVESTIGATED", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "UNDER REVIEW", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "INCIDENT NOTED", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "NOTED", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "DELETED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "DISALLOWED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "LAP CANCELLED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "LAP CANCELED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "TIME CANCELLED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "TIME CANCELED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "LAP INVALID", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "TIME INVALID", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "INVALIDATED", LT_CONTROL_LAP_DELETED, 0, 0 },
	{ "BE SERVED", LT_CONTROL_PENALTY, 0, 0 },
	{ "NOT SERVED", LT_CONTROL_PENALTY, 0, 0 },
	{ "SERVED", LT_CONTROL_INFO, 0, 0 },
	{ "PENALTY", LT_CONTROL_PENALTY, 0, 0 },
	{ "PENALTIES", LT_CONTROL_PENALTY, 0, 0 },
	{ "PENALISED", LT_CONTROL_PENALTY, 0, 0 },
	{ "PENALIZED", LT_CONTROL_PENALTY, 0, 0 },
	{ "DRIVE THROUGH", LT_CONTROL_PENALTY, 0, 0 },
	{ "DRIVETHROUGH", LT_CONTROL_PENALTY, 0, 0 },
	{ "DRIVE THRU", LT_CONTROL_PENALTY, 0, 0 },
	{ "STOP GO", LT_CONTROL_PENALTY, 0, 0 },
	{ "STOP HOLD", LT_CONTROL_PENALTY, 0, 0 },
	{ "SECONDS ADDED", LT_CONTROL_PENALTY, 0, 0 },
	{ "DISQUALIFIED", LT_CONTROL_PENALTY, 0, 0 },
	{ "DISQUALIFICATION", LT_CONTROL_PENALTY, 0, 0 },
	{ "EXCLUDED", LT_CONTROL_PENALTY, 0, 0 },
	{ "BLACK FLAG", LT_CONTROL_PENALTY, 0, 0 },
	{ "INVESTIGATION", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "INVESTIGATING", LT_CONTROL_INVESTIGATION, 0, 0 },
	{ "INVESTIGATED", LT_CONTROL_INVESTIGATION, 0, 0 },
};

/* Where these stand, a flag that is named is not shown from now on. */
static const char *const not_yet[] = { "WILL", "PREPARE", "EXPECTED", "POSSIBLE", "COUNTDOWN",
	"ENDING", "INFRINGEMENT", "INFRINGEMENTS", "TEST", "NO SAFETY CAR", "SAFETY CAR IN",
	"SAFETY CAR LINE", "SAFETY CAR LIGHTS", "SC IN", "CAN BE RESUMED", "FCY IN",
	"FULL COURSE YELLOW IN", "CODE 60 IN 5", "CODE 60 IN 10", "RED FLAG LINE" };

static const struct phrase flags[] = {
	{ "SLOW ZONE", LT_CONTROL_LOCAL_FLAG, LT_FLAG_SLOW_ZONE, PLACED },
	{ "SLOW ZONES", LT_CONTROL_LOCAL_FLAG, LT_FLAG_SLOW_ZONE, PLACED },
	{ "CODE 60 ZONE", LT_CONTROL_LOCAL_FLAG, LT_FLAG_CODE_60_ZONE, PLACED },
	{ "VIRTUAL SAFETY CAR", LT_CONTROL_FLAG, LT_FLAG_VSC, ANYWHERE },
	{ "VSC", LT_CONTROL_FLAG, LT_FLAG_VSC, ANYWHERE },
	{ "FULL COURSE YELLOW", LT_CONTROL_FLAG, LT_FLAG_FCY, ANYWHERE },
	{ "FULL COURSE YELLOWS", LT_CONTROL_FLAG, LT_FLAG_FCY, ANYWHERE },
	{ "FCY", LT_CONTROL_FLAG, LT_FLAG_FCY, ANYWHERE },
	{ "FULL COURSE CAUTION", LT_CONTROL_FLAG, LT_FLAG_CAUTION, ANYWHERE },
	{ "CODE 60", LT_CONTROL_FLAG, LT_FLAG_CODE_60, UNLESS_PLACED },
	{ "RED FLAG", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "RED FLAGS", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "RED FLAGGED", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "SESSION STOPPED", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "RACE STOPPED", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "SESSION SUSPENDED", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "RACE SUSPENDED", LT_CONTROL_FLAG, LT_FLAG_RED, ANYWHERE },
	{ "SAFETY CAR", LT_CONTROL_FLAG, LT_FLAG_SC, ANYWHERE },
	{ "PACE CAR", LT_CONTROL_FLAG, LT_FLAG_SC, ANYWHERE },
	{ "SC DEPLOYED", LT_CONTROL_FLAG, LT_FLAG_SC, ANYWHERE },
	{ "SC OUT", LT_CONTROL_FLAG, LT_FLAG_SC, ANYWHERE },
	{ "SC", LT_CONTROL_FLAG, LT_FLAG_SC, ALONE },
	{ "CHEQUERED FLAG", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED, ANYWHERE },
	{ "CHECKERED FLAG", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED, ANYWHERE },
	{ "CHEQUERED", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED, ALONE },
	{ "CHECKERED", LT_CONTROL_FLAG, LT_FLAG_CHEQUERED, ALONE },
	{ "BLACK WHITE", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE, PLACED },
	{ "BLACK ORANGE", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE, PLACED },
	{ "BLUE FLAG", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE, PLACED },
	{ "BLUE FLAGS", LT_CONTROL_LOCAL_FLAG, LT_FLAG_NONE, PLACED },
	{ "LOCAL YELLOW", LT_CONTROL_LOCAL_FLAG, LT_FLAG_YELLOW, PLACED },
	{ "DOUBLE YELLOW", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "DOUBLE YELLOWS", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW FLAG", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW FLAGS", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "WAVED YELLOW", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW IN", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW AT", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW SECTOR", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW TURN", LT_CONTROL_FLAG, LT_FLAG_YELLOW, UNLESS_PLACED },
	{ "YELLOW", LT_CONTROL_FLAG, LT_FLAG_YELLOW, ALONE },
	{ "RED", LT_CONTROL_FLAG, LT_FLAG_RED, ALONE },
	{ "GREEN", LT_CONTROL_FLAG, LT_FLAG_GREEN, ALONE },
	{ "CAUTION", LT_CONTROL_FLAG, LT_FLAG_CAUTION, ALONE },
	{ "CAUTION OUT", LT_CONTROL_FLAG, LT_FLAG_CAUTION, ANYWHERE },
	{ "CAUTION FLAG", LT_CONTROL_FLAG, LT_FLAG_CAUTION, ANYWHERE },
	{ "WHITE FLAG", LT_CONTROL_FLAG, LT_FLAG_WHITE, UNLESS_PLACED },
	{ "GREEN FLAG", LT_CONTROL_FLAG, LT_FLAG_GREEN, UNLESS_PLACED },
	{ "GREEN LIGHT", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "GREEN GREEN", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "TRACK GREEN", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "TRACK CLEAR", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "ALL CLEAR", LT_CONTROL_FLAG, LT_FLAG_GREEN, UNLESS_PLACED },
	{ "CLEAR", LT_CONTROL_FLAG, LT_FLAG_GREEN, ALONE },
	{ "CLEAR IN", LT_CONTROL_LOCAL_FLAG, LT_FLAG_GREEN, PLACED },
	{ "SESSION RESUMED", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "RACE RESUMED", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "SESSION STARTED", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
	{ "RACE STARTED", LT_CONTROL_FLAG, LT_FLAG_GREEN, ANYWHERE },
};

/* Behind a flag that was shown: it is no more. */
static const char *const enders[] = { "ENDED", "ENDS", "END", "OVER", "FINISHED", "WITHDRAWN",
	"LIFTED", "CLEAR", "CLEARED", "CANCELLED", "REMOVED" };
static const char *const between[] = { "FLAG", "FLAGS", "PERIOD", "PHASE", "ZONE" };

static const char *const places[] = { "SECTOR", "SECTORS", "TURN", "TURNS", "CORNER", "POST",
	"MARSHAL", "ZONE", "AT", "IN", "PIT", "CHICANE", "HAIRPIN", "STRAIGHT" };

/* --- words --- */

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(word, list[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_number(const char *word)
{
	return isdigit((unsigned char)word[0]) != 0;
}

static bool is_alike(char a, char b)
{
	return !!isdigit((unsigned char)a) == !!isdigit((unsigned char)b);
}

static void split_words(struct lt_str text, struct words *words)
{
	const char *p = text.p, *end = text.p + LT_MIN(text.n, (size_t)LT_CONTROL_TEXT_MAX);

	words->count = 0;
	words->end = end;
	while (p < end && words->count < WORDS_MAX) {
		const char *from = p;
		char *word = words->word[words->count];
		size_t n = 0;

		if (!isalnum((unsigned char)*p)) {
			p++;
			continue;
		}
		for (; p < end && isalnum((unsigned char)*p) && is_alike(*p, *from); p++) {
			if (n < WORD_MAX) {
				word[n++] = (char)toupper((unsigned char)*p);
			}
		}
		word[n] = '\0';
		if (is_one_of(word, fillers, LT_ARRAY_LEN(fillers))) {
			continue;
		}
		words->from[words->count] = from;
		words->has_hash[words->count] = from > text.p && from[-1] == '#';
		words->count++;
	}
}

/* Does the phrase stand at word i? Returns the words it has, 0 when not. */
static size_t match_at(const struct words *words, size_t i, const char *phrase)
{
	size_t count = 0;

	for (; *phrase != '\0'; count++, i++) {
		size_t n = strcspn(phrase, " ");

		if (i >= words->count || strlen(words->word[i]) != n ||
				memcmp(words->word[i], phrase, n) != 0) {
			return 0;
		}
		phrase += n + (phrase[n] == ' ');
	}
	return count;
}

/* Where the phrase stands first; words->count: nowhere. */
static size_t find_phrase(const struct words *words, const char *phrase)
{
	size_t i = 0;

	while (i < words->count && match_at(words, i, phrase) == 0) {
		i++;
	}
	return i;
}

static bool has_phrase(const struct words *words, const char *phrase)
{
	return find_phrase(words, phrase) < words->count;
}

/* --- what they name --- */

/* Up to four digits, so that it fits whatever stands there. */
static uint32_t number_of(const char *word)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 4 && word[i] != '\0'; i++) {
		value = value * 10 + (uint32_t)(word[i] - '0');
	}
	return strlen(word) > 4 ? 0 : value;
}

static struct lt_str find_car(const struct words *words)
{
	static const char *const nouns[] = { "CAR", "CARS", "KART", "BIKE", "RIDER", "NO", "NR",
		"NUMBER" };
	static const char *const not_a_car[] = { "SAFETY", "PACE", "MEDICAL", "LEADING" };

	for (size_t i = 0; i < words->count; i++) {
		const char *p = words->from[i];
		bool is_named = i > 0 &&
				is_one_of(words->word[i - 1], nouns, LT_ARRAY_LEN(nouns)) &&
				(i < 2 ||
						!is_one_of(words->word[i - 2], not_a_car,
								LT_ARRAY_LEN(not_a_car)));

		if (!is_number(words->word[i]) || (!is_named && !words->has_hash[i])) {
			continue;
		}
		while (p < words->end && isalnum((unsigned char)*p)) {
			p++;
		}
		return lt_text_n(words->from[i], (size_t)(p - words->from[i]));
	}
	return lt_text_n("", 0);
}

static uint32_t find_sector(const struct words *words)
{
	static const char *const nouns[] = { "SECTOR", "SECTORS", "ZONE", "ZONES", "S" };

	for (size_t i = 1; i < words->count; i++) {
		if (is_number(words->word[i]) &&
				is_one_of(words->word[i - 1], nouns, LT_ARRAY_LEN(nouns))) {
			return number_of(words->word[i]);
		}
	}
	return 0;
}

static uint32_t find_seconds(const struct words *words)
{
	static const struct {
		const char *word;
		uint32_t seconds;
	} units[] = { { "S", 1 }, { "SEC", 1 }, { "SECS", 1 }, { "SECOND", 1 }, { "SECONDS", 1 },
		{ "MIN", 60 }, { "MINUTE", 60 }, { "MINUTES", 60 } };

	for (size_t i = 1; i < words->count; i++) {
		for (size_t unit = 0; unit < LT_ARRAY_LEN(units); unit++) {
			if (is_number(words->word[i - 1]) &&
					strcmp(words->word[i], units[unit].word) == 0) {
				return number_of(words->word[i - 1]) * units[unit].seconds;
			}
		}
	}
	return 0;
}

static bool is_time_penalty(const struct words *words)
{
	static const char *const others[] = { "DRIVE THROUGH", "DRIVETHROUGH", "DRIVE THRU",
		"STOP GO", "STOP HOLD", "GRID" };

	for (size_t i = 0; i < LT_ARRAY_LEN(others); i++) {
		if (has_phrase(words, others[i])) {
			return false;
		}
	}
	return true;
}

static bool has_place(const struct words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		if (is_one_of(words->word[i], places, LT_ARRAY_LEN(places))) {
			return true;
		}
	}
	return false;
}

/* --- what they mean --- */

/* "Penalty for car 8 cancelled" */
static bool is_taken_back(const struct words *words)
{
	static const char *const words_for_it[] = { "CANCELLED", "CANCELED", "RESCINDED", "REVOKED",
		"REMOVED", "WITHDRAWN", "OVERTURNED" };

	for (size_t i = 0; i < LT_ARRAY_LEN(words_for_it); i++) {
		if (has_phrase(words, words_for_it[i])) {
			return true;
		}
	}
	return false;
}

static bool read_verdict(const struct words *words, struct lt_control_text *ret)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(verdicts); i++) {
		if (!has_phrase(words, verdicts[i].words)) {
			continue;
		}
		ret->kind = verdicts[i].kind == LT_CONTROL_PENALTY && is_taken_back(words)
				? LT_CONTROL_CLEARED
				: verdicts[i].kind;
		if (ret->kind == LT_CONTROL_PENALTY && is_time_penalty(words)) {
			ret->seconds = find_seconds(words);
		}
		return true;
	}
	return false;
}

/* The flag that stands at these words is said to be over. */
static bool is_ended(const struct words *words, size_t at, size_t count)
{
	size_t next = at + count;

	while (next < words->count &&
			(is_number(words->word[next]) ||
					is_one_of(words->word[next], between,
							LT_ARRAY_LEN(between)))) {
		next++;
	}
	return (at >= 2 && match_at(words, at - 2, "END OF")) ||
			(next < words->count &&
					is_one_of(words->word[next], enders, LT_ARRAY_LEN(enders)));
}

static bool is_announced_only(const struct words *words, const struct lt_control_text *ret)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(not_yet); i++) {
		if (has_phrase(words, not_yet[i])) {
			return true;
		}
	}
	/* What a car did under a flag says nothing of the flag now. */
	return ret->car.n > 0 && (has_phrase(words, "UNDER") || has_phrase(words, "DURING"));
}

static bool is_repeated(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->word[i], word) != 0) {
			return false;
		}
	}
	return words->count > 0;
}

static void set_flag(
		const struct words *words, const struct phrase *phrase, struct lt_control_text *ret)
{
	size_t at = find_phrase(words, phrase->words);
	bool is_placed = phrase->scope == PLACED ||
			(phrase->scope == UNLESS_PLACED &&
					(ret->car.n > 0 || ret->sector > 0 || has_place(words)));

	ret->flag = phrase->flag;
	ret->kind = is_placed ? LT_CONTROL_LOCAL_FLAG : LT_CONTROL_FLAG;
	if (is_placed && ret->flag == LT_FLAG_CODE_60) {
		ret->flag = LT_FLAG_CODE_60_ZONE;
	}
	if (ret->flag >= LT_FLAG_YELLOW &&
			is_ended(words, at, match_at(words, at, phrase->words))) {
		ret->flag = LT_FLAG_GREEN;
	}
}

static void read_flag(const struct words *words, struct lt_control_text *ret)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(flags); i++) {
		if (flags[i].scope == ALONE ? is_repeated(words, flags[i].words)
					    : has_phrase(words, flags[i].words)) {
			set_flag(words, &flags[i], ret);
			return;
		}
	}
	/* "SECTOR 3 CLEAR", "TURN 5 GREEN", "YELLOW S2" */
	if (ret->sector > 0 || has_phrase(words, "TURN")) {
		ret->flag = has_phrase(words, "CLEAR") || has_phrase(words, "GREEN") ? LT_FLAG_GREEN
				: has_phrase(words, "YELLOW") ? LT_FLAG_YELLOW
							      : LT_FLAG_NONE;
		ret->kind = ret->flag ? LT_CONTROL_LOCAL_FLAG : LT_CONTROL_INFO;
	}
}

void lt_control_parse(struct lt_str text, struct lt_control_text *ret)
{
	struct lt_control_text result = { .size = ret->size, .kind = LT_CONTROL_INFO };
	struct words words;

	split_words(text, &words);
	result.car = find_car(&words);
	result.sector = find_sector(&words);
	if (!read_verdict(&words, &result) && !is_announced_only(&words, &result)) {
		read_flag(&words, &result);
	}
	/* A plugin of an older day has a shorter struct. */
	memcpy(ret, &result, LT_MIN((size_t)ret->size, sizeof(result)));
}
