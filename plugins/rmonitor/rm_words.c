/* What the texts of the feed mean: kinds of session and flags. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "rm_model_int.h"

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; *p != '\0'; p++) {
		bool at_start = p == text || !isalnum((unsigned char)p[-1]);

		/* Q1, FP2, Races: a digit or a plural may follow. */
		if (at_start && strncasecmp(p, word, n) == 0 &&
				(!isalpha((unsigned char)p[n]) ||
						tolower((unsigned char)p[n]) == 's')) {
			return true;
		}
	}
	return false;
}

/* "24h", "6 h" */
static bool has_hours(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		const char *after = p + 1;

		if (!isdigit((unsigned char)*p)) {
			continue;
		}
		after += strspn(after, " ");
		if (tolower((unsigned char)*after) == 'h' && !isalpha((unsigned char)after[1])) {
			return true;
		}
	}
	return false;
}

bool rm_is_race(enum rm_session_kind kind, const char *description)
{
	static const char *const race[] = { "race", "heat", "final", "feature", "hour", "lap",
		"GP" };
	static const char *const other[] = { "practice", "prac", "FP", "qual", "quali",
		"qualifying", "qualification", "Q1", "Q2", "Q3", "warm-up", "warmup", "warm up",
		"test", "testing", "timed" };

	if (kind != RM_SESSION_AUTO) {
		return kind == RM_SESSION_RACE;
	}
	for (size_t i = 0; i < sizeof(race) / sizeof(race[0]); i++) {
		if (has_word(description, race[i])) {
			return true;
		}
	}
	if (has_hours(description)) {
		return true;
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (has_word(description, other[i])) {
			return false;
		}
	}
	return true;
}

enum rm_flag rm_flag_of(const char *text)
{
	static const struct {
		const char *prefix;
		enum rm_flag flag;
	} flags[] = { { "gre", RM_FLAG_GREEN }, { "yel", RM_FLAG_YELLOW }, { "red", RM_FLAG_RED },
		{ "fin", RM_FLAG_FINISH }, { "che", RM_FLAG_FINISH }, { "whi", RM_FLAG_WHITE },
		{ "pur", RM_FLAG_PURPLE } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strncasecmp(text, flags[i].prefix, 3) == 0) {
			return flags[i].flag;
		}
	}
	return RM_FLAG_NONE;
}
