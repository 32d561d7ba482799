#include "base/service_args.h"

#include "base/alloc.h"

enum value_rule { VALUE_NONE, VALUE_OPTIONAL, VALUE_REQUIRED };

/* One option of the service: where its value goes in struct lt_service_args. */
struct rule {
	struct lt_service_option option;
	enum value_rule value;
	size_t offset; /* of a bool, or of a char * */
};

#define FIELD(name) offsetof(struct lt_service_args, name)

static const struct rule rules[] = {
	{ { 's', "initial-state", "FILE", "start with this state; its base name is the UUID" },
			VALUE_OPTIONAL, FIELD(initial_state) },
	{ { 'r', "recording-file", "FILE", "record to this file" }, VALUE_OPTIONAL,
			FIELD(recording_file) },
	{ { 'd', "description", "TEXT", "description instead of the feed's own" }, VALUE_OPTIONAL,
			FIELD(description) },
	{ { 'v', "verbose", NULL, "log to the daemon's log only, not to a file" }, VALUE_NONE,
			FIELD(verbose) },
	{ { 0, "debug", NULL, "log more" }, VALUE_NONE, FIELD(debug) },
	{ { 0, "disable-analysis", NULL, "no analysis" }, VALUE_NONE, FIELD(disable_analysis) },
	{ { 'H', "hidden", NULL, "leave it out of public listings" }, VALUE_NONE, FIELD(hidden) },
	{ { 'N', "do-not-record", NULL, "recorders drop it" }, VALUE_NONE, FIELD(do_not_record) },
	{ { 'm', "masquerade", "CLASS", "show this service class instead" }, VALUE_OPTIONAL,
			FIELD(masquerade) },
	{ { 0, "isolated", NULL, "in a process of its own, started again when it dies" },
			VALUE_NONE, FIELD(isolated) },
	{ { 0, "standalone", NULL, "its own server, no router; not within the daemon" }, VALUE_NONE,
			FIELD(standalone) },
	{ { 0, "no-write-state", NULL, "write no state and no log file" }, VALUE_NONE,
			FIELD(no_write_state) },
	{ { 0, "upnp", NULL, "forward the port of --standalone" }, VALUE_NONE, FIELD(upnp) },
	{ { 0, "uuid", "UUID", "UUID of the service" }, VALUE_REQUIRED, FIELD(uuid) },
	{ { 0, "record-raw", "FILE", "record the input, byte for byte" }, VALUE_REQUIRED,
			FIELD(record_raw) },
	{ { 0, "replay-raw", "FILE", "take such a file for the input; --speed N: faster" },
			VALUE_REQUIRED, FIELD(replay_raw) },
	{ { 0, "private", NULL, "nobody sees it without its access code" }, VALUE_NONE,
			FIELD(is_private) },
};

void lt_args_add(struct lt_args *args, struct lt_str text)
{
	args->v = lt_reallocarray(args->v, args->n + 1, sizeof(*args->v));
	args->v[args->n++] = lt_str_dup(text);
}

void lt_args_finish(struct lt_args *args)
{
	for (size_t i = 0; i < args->n; i++) {
		lt_free(args->v[i]);
	}
	lt_free(args->v);
	*args = (struct lt_args){ 0 };
}

bool lt_args_equal(const struct lt_args *a, const struct lt_args *b)
{
	if (a->n != b->n) {
		return false;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->v[i], b->v[i]) != 0) {
			return false;
		}
	}
	return true;
}

void lt_args_dup(struct lt_args *ret_args, const struct lt_args *args)
{
	for (size_t i = 0; i < args->n; i++) {
		lt_args_add(ret_args, lt_str_from(args->v[i]));
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool lt_args_split(struct lt_args *args, struct lt_str line, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf word = { 0 };
	bool in_word = false;
	char quote = 0;

	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];

		if (quote == 0 && is_space(c)) {
			if (in_word) {
				lt_args_add(args, lt_buf_str(&word));
				lt_buf_clear(&word);
				in_word = false;
			}
			continue;
		}
		in_word = true;
		if (c == '\\' && quote != '\'') {
			if (++i == line.n) {
				return lt_err_set(err, LT_E_FORMAT,
						"a backslash at the end of a command line");
			}
			lt_buf_add_char(&word, line.p[i]);
		} else if (quote != 0 && c == quote) {
			quote = 0;
		} else if (quote == 0 && (c == '"' || c == '\'')) {
			quote = c;
		} else {
			lt_buf_add_char(&word, c);
		}
	}
	if (quote != 0) {
		return lt_err_set(err, LT_E_FORMAT, "a quote (%c) that is not closed", quote);
	}
	if (in_word) {
		lt_args_add(args, lt_buf_str(&word));
	}
	return true;
}

void lt_args_join(struct lt_buf *buf, const struct lt_args *args)
{
	for (size_t i = 0; i < args->n; i++) {
		const char *text = args->v[i];

		if (i > 0) {
			lt_buf_add_char(buf, ' ');
		}
		if (*text != '\0' && strpbrk(text, " \t\r\n\"'\\;") == NULL) {
			lt_buf_add_c(buf, text);
			continue;
		}
		lt_buf_add_char(buf, '"');
		for (; *text != '\0'; text++) {
			if (*text == '"' || *text == '\\') {
				lt_buf_add_char(buf, '\\');
			}
			lt_buf_add_char(buf, *text);
		}
		lt_buf_add_char(buf, '"');
	}
}

/* An option, or a value? A negative number and a text with a space are values. */
static bool looks_like_option(const char *arg)
{
	double number;

	if (arg[0] != '-' || arg[1] == '\0' || strchr(arg, ' ') != NULL) {
		return arg[0] == '-' && arg[1] == '-' && strchr(arg, '=') != NULL;
	}
	return !lt_parse_double(lt_str_from(arg), &number, NULL);
}

struct parse {
	const struct lt_args *args;
	size_t next;
	struct lt_service_args *out;
	struct lt_err *err;
};

/* Store an option whose attached value, if any, is `attached` (p NULL: none). */
static bool store(struct parse *parse, const struct rule *rule, struct lt_str attached)
{
	char *field = (char *)parse->out + rule->offset;

	if (rule->value == VALUE_NONE) {
		if (attached.p != NULL) {
			return lt_err_set(parse->err, LT_E_INVALID, "--%s takes no value",
					rule->option.name);
		}
		*(bool *)field = true;
		return true;
	}
	if (attached.p == NULL && parse->next < parse->args->n &&
			!looks_like_option(parse->args->v[parse->next])) {
		attached = lt_str_from(parse->args->v[parse->next++]);
	}
	if (attached.p == NULL && rule->value == VALUE_REQUIRED) {
		return lt_err_set(parse->err, LT_E_INVALID, "--%s expects a value",
				rule->option.name);
	}
	char **text = (char **)(void *)field;

	lt_free(*text);
	*text = attached.p ? lt_str_dup(attached) : NULL;
	return true;
}

/* Not of the original: never meant by an abbreviation, which may be one of its. */
static bool is_ours(const struct rule *rule)
{
	return rule->offset == FIELD(isolated) || rule->offset == FIELD(is_private) ||
			rule->offset == FIELD(record_raw) || rule->offset == FIELD(replay_raw);
}

/* The rule that a long name means: exact, or the only one that begins so. NULL: not ours. */
static bool find_long(struct lt_str name, const struct rule **ret_rule, struct lt_err *err)
{
	const struct rule *found = NULL;
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < LT_ARRAY_LEN(rules); i++) {
		struct lt_str full = lt_str_from(rules[i].option.name);

		if (lt_str_eq(full, name)) {
			*ret_rule = &rules[i];
			return true;
		}
		if (name.n > 0 && !is_ours(&rules[i]) && lt_str_starts(full, name)) {
			if (found != NULL) {
				return lt_err_set(err, LT_E_INVALID,
						"option %s could mean --%s or --%s",
						lt_str_quote(name, quoted), found->option.name,
						rules[i].option.name);
			}
			found = &rules[i];
		}
	}
	*ret_rule = found;
	return true;
}

static const struct rule *find_letter(char letter)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(rules); i++) {
		if (rules[i].option.letter == letter) {
			return &rules[i];
		}
	}
	return NULL;
}

static bool parse_long(struct parse *parse, const char *arg)
{
	struct lt_str value = lt_str_from(arg + 2), name = lt_str_split(&value, '=');
	const struct rule *rule = NULL;

	if (!find_long(name, &rule, parse->err)) {
		return false;
	}
	if (rule == NULL) {
		lt_args_add(&parse->out->extra, lt_str_from(arg));
		return true;
	}
	return store(parse, rule, value);
}

/* "-vHN", "-dfoo": all letters up to one with a value must be ours, else it is the plugin's. */
static bool parse_short(struct parse *parse, const char *arg)
{
	for (const char *p = arg + 1; *p != '\0'; p++) {
		const struct rule *rule = find_letter(*p);

		if (rule == NULL) {
			lt_args_add(&parse->out->extra, lt_str_from(arg));
			return true;
		}
		if (rule->value != VALUE_NONE) {
			break;
		}
	}
	const struct rule *rule = NULL;

	for (const char *p = arg + 1; *p != '\0' && (rule = find_letter(*p)) != NULL; p++) {
		struct lt_str rest = { NULL, 0 };

		if (rule->value != VALUE_NONE && p[1] != '\0') {
			rest = lt_str_from(p[1] == '=' ? p + 2 : p + 1);
		}
		if (!store(parse, rule, rest)) {
			return false;
		}
		if (rule->value != VALUE_NONE) {
			break;
		}
	}
	return true;
}

static bool parse_next(struct parse *parse, bool *only_values)
{
	const char *arg = parse->args->v[parse->next++];

	if (!*only_values && strcmp(arg, "--") == 0) {
		*only_values = true;
		return true;
	}
	if (!*only_values && looks_like_option(arg)) {
		return arg[1] == '-' ? parse_long(parse, arg) : parse_short(parse, arg);
	}
	if (parse->out->service_class == NULL) {
		parse->out->service_class = lt_strdup(arg);
	} else {
		lt_args_add(&parse->out->extra, lt_str_from(arg));
	}
	return true;
}

static void remove_extra(struct lt_args *extra, size_t at)
{
	lt_free(extra->v[at]);
	memmove(&extra->v[at], &extra->v[at + 1], (extra->n - at - 1) * sizeof(*extra->v));
	extra->n--;
}

/* With --replay-raw the speed is that of the capture, and not for the plugin. */
static bool take_speed(struct lt_service_args *out, struct lt_err *err)
{
	out->raw_speed = 1;
	for (size_t i = 0; out->replay_raw && i < out->extra.n; i++) {
		struct lt_str value = lt_str_from(out->extra.v[i]),
			      name = lt_str_split(&value, '=');
		bool is_apart = !value.p;

		if (!lt_str_eq_c(name, "--speed")) {
			continue;
		}
		if (is_apart && i + 1 < out->extra.n) {
			value = lt_str_from(out->extra.v[i + 1]);
		}
		if (!value.p || !lt_parse_double(value, &out->raw_speed, err) ||
				!(out->raw_speed >= 0.1 && out->raw_speed <= 1000)) {
			return lt_err_set(err, LT_E_INVALID,
					"--speed of a capture is a number from 0.1 to 1000");
		}
		if (is_apart) {
			remove_extra(&out->extra, i + 1);
		}
		remove_extra(&out->extra, i--);
	}
	return true;
}

bool lt_service_args_parse(
		const struct lt_args *args, struct lt_service_args *ret_args, struct lt_err *err)
{
	struct lt_service_args out = { 0 };
	struct parse parse = { .args = args, .out = &out, .err = err };
	bool only_values = false;

	while (parse.next < args->n) {
		if (!parse_next(&parse, &only_values)) {
			lt_service_args_finish(&out);
			return false;
		}
	}
	if (out.service_class == NULL || out.service_class[0] == '\0') {
		lt_service_args_finish(&out);
		return lt_err_set(err, LT_E_INVALID, "no service class: name a plugin");
	}
	if (out.record_raw && out.replay_raw) {
		lt_service_args_finish(&out);
		return lt_err_set(err, LT_E_INVALID, "give --record-raw or --replay-raw, not both");
	}
	if (!take_speed(&out, err)) {
		lt_service_args_finish(&out);
		return false;
	}
	*ret_args = out;
	return true;
}

void lt_service_args_finish(struct lt_service_args *args)
{
	lt_free(args->service_class);
	lt_free(args->initial_state);
	lt_free(args->record_raw);
	lt_free(args->replay_raw);
	lt_free(args->recording_file);
	lt_free(args->description);
	lt_free(args->masquerade);
	lt_free(args->uuid);
	lt_args_finish(&args->extra);
	*args = (struct lt_service_args){ 0 };
}

const struct lt_service_option *lt_service_option_at(size_t i)
{
	return i < LT_ARRAY_LEN(rules) ? &rules[i].option : NULL;
}
