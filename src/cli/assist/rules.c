#include "cli/assist/rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "calendar/summary.h"

void lt_assist_rule_finish(struct lt_assist_rule *rule)
{
	lt_free(rule->tag);
	lt_free(rule->service);
	lt_args_finish(&rule->args);
	*rule = (struct lt_assist_rule){ 0 };
}

void lt_assist_rules_finish(struct lt_assist_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		lt_assist_rule_finish(&rules->at[i]);
	}
	lt_free(rules->at);
	*rules = (struct lt_assist_rules){ 0 };
}

/* Would "Name [service, arguments]" be read again as the same? */
static bool check_title(const struct lt_assist_rule *rule, struct lt_err *err)
{
	char name[] = "name", any[] = "any";
	bool is_any = strcmp(rule->service, LT_RULE_ANY) == 0;
	const struct lt_summary summary = {
		.name = name, .service = is_any ? any : rule->service, .args = rule->args
	};
	LT_AUTO(lt_buf_finish) struct lt_buf title = { 0 };

	return lt_summary_write(&title, &summary, err);
}

bool lt_assist_rule_parse(struct lt_str text, struct lt_assist_rule *ret, struct lt_err *err)
{
	struct lt_str rest = text, service = lt_str_trim(lt_str_split(&rest, ','));
	struct lt_assist_rule rule = { 0 };

	if (service.n == 0) {
		return lt_err_set(err, LT_E_FORMAT, "no service behind the tag");
	}
	if (memchr(service.p, ' ', service.n)) {
		return lt_err_set(err, LT_E_FORMAT,
				"a service is one word; arguments stand behind a comma");
	}
	rule.service = lt_str_dup(service);
	if ((rest.p && !lt_args_split(&rule.args, lt_str_trim(rest), err)) ||
			!check_title(&rule, err)) {
		lt_assist_rule_finish(&rule);
		return false;
	}
	*ret = rule;
	return true;
}

static bool parse_line(struct lt_assist_rules *rules, struct lt_str line, struct lt_err *err)
{
	struct lt_str rest = line, tag = lt_str_trim(lt_str_split(&rest, '='));
	struct lt_assist_rule rule;

	if (tag.n == 0 || !rest.p) {
		return lt_err_set(err, LT_E_FORMAT, "expected tag = service, arguments");
	}
	if (rules->n == LT_RULES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "more than %d rules", LT_RULES_MAX);
	}
	if (!lt_assist_rule_parse(rest, &rule, err)) {
		return false;
	}
	rule.tag = lt_str_dup(tag);
	rules->at = lt_reallocarray(rules->at, rules->n + 1, sizeof(*rules->at));
	rules->at[rules->n++] = rule;
	return true;
}

bool lt_assist_rules_parse(struct lt_str text, struct lt_assist_rules *ret, struct lt_err *err)
{
	struct lt_assist_rules rules = { 0 };
	int number = 0;

	if (text.n > 0 && memchr(text.p, '\0', text.n)) {
		return lt_err_set(err, LT_E_FORMAT, "this is not text");
	}
	while (text.p) {
		struct lt_str line = lt_str_trim(lt_str_split(&text, '\n'));

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

static bool is_tag_char(char tag, char c)
{
	return tolower((unsigned char)c) == tolower((unsigned char)tag) ||
			(tag == ' ' && (c == '-' || c == '_'));
}

/* The '#' of "#open-day" for the tag "open day", as a whole word; NULL: it is not there. */
static const char *find_hashtag(const char *text, const char *tag)
{
	size_t n = strlen(tag);

	for (const char *p = strchr(text, '#'); p; p = strchr(p + 1, '#')) {
		size_t i = 0;

		while (i < n && p[1 + i] != '\0' && is_tag_char(tag[i], p[1 + i])) {
			i++;
		}
		if (i == n && !is_word(p[1 + n])) {
			return p;
		}
	}
	return NULL;
}

static bool fits(const struct lt_assist_rule *rule, const struct lt_ical_event *event)
{
	if (strcmp(rule->tag, LT_RULE_ANY) == 0) {
		return true;
	}
	for (size_t i = 0; i < event->category_count; i++) {
		if (strcasecmp(event->categories[i], rule->tag) == 0) {
			return true;
		}
	}
	return find_hashtag(event->summary, rule->tag) ||
			find_hashtag(event->description, rule->tag);
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

/* Append, with one blank for any number of them, and none at the beginning. */
static void add_name(struct lt_buf *name, struct lt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((unsigned char)c <= ' ') {
			if (name->n > 0 && name->p[name->n - 1] != ' ') {
				lt_buf_add_char(name, ' ');
			}
		} else {
			lt_buf_add_char(name, c == '[' ? '(' : c == ']' ? ')' : c);
		}
	}
}

char *lt_assist_name(const char *title, const struct lt_assist_rule *rule)
{
	const char *tag = find_hashtag(title, rule->tag);
	struct lt_buf name = { 0 };

	if (tag) {
		add_name(&name, (struct lt_str){ title, (size_t)(tag - title) });
		add_name(&name, lt_str_from(tag + 1 + strlen(rule->tag)));
	}
	if (lt_str_trim(lt_buf_str(&name)).n == 0) { /* nothing but the tag */
		lt_buf_clear(&name);
		add_name(&name, lt_str_from(title));
	}
	while (name.n > 0 && name.p[name.n - 1] == ' ') {
		name.p[--name.n] = '\0';
	}
	return lt_buf_steal(&name);
}
