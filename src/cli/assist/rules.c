#include "cli/assist/rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

void lt_assist_rules_finish(struct lt_assist_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		lt_free(rules->at[i].tag);
		lt_free(rules->at[i].service);
		lt_args_finish(&rules->at[i].args);
	}
	lt_free(rules->at);
	*rules = (struct lt_assist_rules){ 0 };
}

static struct lt_str trim(struct lt_str s)
{
	while (s.n > 0 && isspace((unsigned char)s.p[0])) {
		s = lt_str_skip(s, 1);
	}
	while (s.n > 0 && isspace((unsigned char)s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

static bool parse_line(struct lt_assist_rules *rules, struct lt_str line, struct lt_err *err)
{
	struct lt_str rest = line, tag = trim(lt_str_split(&rest, '=')), service;
	struct lt_assist_rule *rule;

	if (tag.n == 0 || !rest.p) {
		return lt_err_set(err, LT_E_FORMAT, "expected tag = service, arguments");
	}
	service = trim(lt_str_split(&rest, ','));
	if (service.n == 0) {
		return lt_err_set(err, LT_E_FORMAT, "no service behind the tag");
	}
	if (memchr(service.p, ' ', service.n)) {
		return lt_err_set(err, LT_E_FORMAT,
				"a service is one word; arguments stand behind a comma");
	}
	if (rules->n == LT_RULES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "more than %d rules", LT_RULES_MAX);
	}
	rules->at = lt_reallocarray(rules->at, rules->n + 1, sizeof(*rules->at));
	rule = &rules->at[rules->n++];
	*rule = (struct lt_assist_rule){ .tag = lt_str_dup(tag), .service = lt_str_dup(service) };
	return !rest.p || lt_args_split(&rule->args, trim(rest), err);
}

bool lt_assist_rules_parse(struct lt_str text, struct lt_assist_rules *ret, struct lt_err *err)
{
	struct lt_assist_rules rules = { 0 };
	int number = 0;

	while (text.p) {
		struct lt_str line = trim(lt_str_split(&text, '\n'));

		number++;
		if (line.n > 0 && line.p[0] != '#' && !parse_line(&rules, line, err)) {
			lt_assist_rules_finish(&rules);
			return lt_err_prefix(err, "line %d", number);
		}
	}
	*ret = rules;
	return true;
}

/* --- matching --- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || (c & 0x80);
}

/* "#open-day" for the tag "open day", as a whole word. */
static bool has_hashtag(const char *text, const char *tag)
{
	size_t n = strlen(tag);

	for (const char *p = strchr(text, '#'); p; p = strchr(p + 1, '#')) {
		size_t i = 0;

		while (i < n && p[1 + i] != '\0' &&
				(tolower((unsigned char)p[1 + i]) ==
								tolower((unsigned char)tag[i]) ||
						(tag[i] == ' ' &&
								(p[1 + i] == '-' ||
										p[1 + i] == '_')))) {
			i++;
		}
		if (i == n && !is_word(p[1 + n])) {
			return true;
		}
	}
	return false;
}

static bool fits(const struct lt_assist_rule *rule, const struct lt_ical_event *event)
{
	if (strcmp(rule->tag, "*") == 0) {
		return true;
	}
	for (size_t i = 0; i < event->category_count; i++) {
		if (strcasecmp(event->categories[i], rule->tag) == 0) {
			return true;
		}
	}
	return has_hashtag(event->summary, rule->tag) || has_hashtag(event->description, rule->tag);
}

const struct lt_assist_rule *lt_assist_rule_for(
		const struct lt_assist_rules *rules, const struct lt_ical_event *event)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (fits(&rules->at[i], event)) {
			return &rules->at[i];
		}
	}
	return NULL;
}
