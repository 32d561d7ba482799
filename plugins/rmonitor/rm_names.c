#include "rm_names.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 200

struct rule {
	char *left, *right;
	regex_t regex;
	bool has_regex;
};

struct rm_rules {
	size_t count;
	struct rule rules[RULES_MAX];
};

void rm_name_set(char *name, const char *text)
{
	size_t n = strlen(text);

	if (n >= RM_NAME_LEN) {
		n = RM_NAME_LEN - 1;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
			n--;
		}
	}
	memmove(name, text, n);
	name[n] = '\0';
}

static bool add_rule(struct rm_rules *rules, const char *text, size_t n, bool is_pattern,
		char *error, size_t error_size)
{
	const char *equals = memchr(text, '=', n);
	struct rule *rule = &rules->rules[rules->count];
	int code;

	if (equals == NULL || equals == text || rules->count == RULES_MAX) {
		snprintf(error, error_size, "\"%.*s\": write it as left=right, at most %d times",
				(int)(n < 40 ? n : 40), text, RULES_MAX);
		return false;
	}
	rules->count++;
	rule->left = strndup(text, (size_t)(equals - text));
	rule->right = strndup(equals + 1, (size_t)(text + n - equals - 1));
	if (rule->left == NULL || rule->right == NULL) {
		snprintf(error, error_size, "out of memory");
		return false;
	}
	if (is_pattern) {
		code = regcomp(&rule->regex, rule->left, REG_EXTENDED);
		if (code != 0) {
			size_t at = (size_t)snprintf(error, error_size, "\"%.40s\": ", rule->left);

			regerror(code, &rule->regex, error + at, error_size - at);
			return false;
		}
		rule->has_regex = true;
	}
	return true;
}

struct rm_rules *rm_rules_create(const char *text, bool is_pattern, char *error, size_t error_size)
{
	struct rm_rules *rules = calloc(1, sizeof(*rules));

	if (rules == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	while (*text != '\0') {
		size_t n = strcspn(text, ";");

		if (n > 0 && !add_rule(rules, text, n, is_pattern, error, error_size)) {
			rm_rules_destroy(rules);
			return NULL;
		}
		text += n + (text[n] == ';');
	}
	return rules;
}

void rm_rules_destroy(struct rm_rules *rules)
{
	if (rules == NULL) {
		return;
	}
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->rules[i].left);
		free(rules->rules[i].right);
		if (rules->rules[i].has_regex) {
			regfree(&rules->rules[i].regex);
		}
	}
	free(rules);
}

void rm_rules_apply(const struct rm_rules *rules, char *name)
{
	for (size_t i = 0; rules != NULL && i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];
		char changed[RM_NAME_LEN * 2];
		regmatch_t match;

		if (!rule->has_regex || regexec(&rule->regex, name, 1, &match, 0) != 0) {
			continue;
		}
		snprintf(changed, sizeof(changed), "%.*s%.*s%s", (int)match.rm_so, name,
				RM_NAME_LEN - 1, rule->right, name + match.rm_eo);
		rm_name_set(name, changed);
	}
}

const char *rm_rules_find(const struct rm_rules *rules, const char *left)
{
	for (size_t i = 0; rules != NULL && i < rules->count; i++) {
		if (strcmp(rules->rules[i].left, left) == 0) {
			return rules->rules[i].right;
		}
	}
	return NULL;
}
