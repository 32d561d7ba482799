#include "base/conf.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"

#define FILE_NAME      "livetiming.env"
#define NAMESPACE      "LIVETIMING_"
#define FILE_MAX_BYTES (1024 * 1024)
#define NAME_MAX_BYTES 128

struct entry {
	char *name;
	char *value;
	char *origin; /* "environment", "livetiming.env:12" */
	bool is_environment;
};

struct lt_conf {
	const struct lt_conf_key *keys; /* borrowed, static */
	struct entry *entries;          /* in the order of loading */
	size_t n;
	size_t cap;
};

struct lt_conf *lt_conf_create(const struct lt_conf_key *keys)
{
	struct lt_conf *conf = lt_zalloc(sizeof(*conf));

	conf->keys = keys;
	return conf;
}

static void truncate_entries(struct lt_conf *conf, size_t n)
{
	while (conf->n > n) {
		struct entry *entry = &conf->entries[--conf->n];

		lt_free(entry->name);
		lt_free(entry->value);
		lt_free(entry->origin);
	}
}

void lt_conf_destroy(struct lt_conf *conf)
{
	if (conf) {
		truncate_entries(conf, 0);
		lt_free(conf->entries);
		lt_free(conf);
	}
}

static void add_entry(struct lt_conf *conf, struct entry entry)
{
	if (conf->n == conf->cap) {
		conf->cap = conf->cap ? conf->cap * 2 : 32;
		conf->entries = lt_reallocarray(conf->entries, conf->cap, sizeof(*conf->entries));
	}
	conf->entries[conf->n++] = entry;
}

static const struct lt_conf_key *find_key(const struct lt_conf *conf, const char *name)
{
	for (const struct lt_conf_key *key = conf->keys; key->name; key++) {
		if (strcmp(key->name, name) == 0) {
			return key;
		}
	}
	return NULL;
}

/* The entry that counts: the environment's, else the one loaded last. */
static const struct entry *find_entry(const struct lt_conf *conf, const char *name)
{
	const struct entry *found = NULL;

	for (size_t i = 0; i < conf->n; i++) {
		const struct entry *entry = &conf->entries[i];

		if (strcmp(entry->name, name) != 0) {
			continue;
		}
		if (entry->is_environment) {
			return entry;
		}
		found = entry;
	}
	return found;
}

/* --- reading --- */

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
			(!first && c >= '0' && c <= '9');
}

static struct lt_str skip_blanks(struct lt_str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s = lt_str_skip(s, 1);
	}
	return s;
}

static bool parse_quoted(struct lt_str *rest, struct lt_buf *value, struct lt_err *err)
{
	char quote = rest->p[0];
	struct lt_str s = lt_str_skip(*rest, 1);

	while (s.n > 0 && s.p[0] != quote) {
		char c = s.p[0];

		if (c == '\\' && s.n > 1 && (quote == '"' || s.p[1] == '\'' || s.p[1] == '\\')) {
			s = lt_str_skip(s, 1);
			c = s.p[0];
			if (quote == '"') {
				c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
			}
		}
		lt_buf_add_char(value, c);
		s = lt_str_skip(s, 1);
	}
	if (s.n == 0) {
		return lt_err_set(
				err, LT_E_FORMAT, "the quote %c is not closed on this line", quote);
	}
	s = skip_blanks(lt_str_skip(s, 1));
	if (s.n > 0 && s.p[0] != '#') {
		return lt_err_set(err, LT_E_FORMAT, "text after the closing quote");
	}
	*rest = s;
	return true;
}

/* Unquoted: up to a comment, which needs a blank before it (colours and URLs contain '#'). */
static void parse_plain(struct lt_str s, struct lt_buf *value)
{
	size_t n = 0;

	while (n < s.n && !(s.p[n] == '#' && (n == 0 || s.p[n - 1] == ' ' || s.p[n - 1] == '\t'))) {
		n++;
	}
	lt_buf_add_str(value, lt_str_trim((struct lt_str){ s.p, n }));
}

/* One line; *ret_name stays empty for a blank line or a comment. */
static bool parse_line(struct lt_str line, struct lt_str *ret_name, struct lt_buf *value,
		struct lt_err *err)
{
	struct lt_str s = lt_str_trim(line);
	struct lt_str name;

	*ret_name = (struct lt_str){ 0 };
	if (s.n == 0 || s.p[0] == '#') {
		return true;
	}
	if (lt_str_starts(s, LT_STR("export ")) || lt_str_starts(s, LT_STR("export\t"))) {
		s = skip_blanks(lt_str_skip(s, strlen("export")));
	}
	name = (struct lt_str){ s.p, 0 };
	while (name.n < s.n && is_name_char(s.p[name.n], name.n == 0)) {
		name.n++;
	}
	s = skip_blanks(lt_str_skip(s, name.n));
	if (name.n == 0 || name.n > NAME_MAX_BYTES || s.n == 0 || s.p[0] != '=') {
		return lt_err_set(err, LT_E_FORMAT, "expected NAME=value");
	}
	s = skip_blanks(lt_str_skip(s, 1));
	if (s.n > 0 && (s.p[0] == '"' || s.p[0] == '\'')) {
		if (!parse_quoted(&s, value, err)) {
			return false;
		}
	} else {
		parse_plain(s, value);
	}
	*ret_name = name;
	return true;
}

static bool parse_file(
		struct lt_conf *conf, const char *path, struct lt_str text, struct lt_err *err)
{
	if (!lt_utf8_valid(text) || (text.n && memchr(text.p, '\0', text.n))) {
		return lt_err_set(err, LT_E_FORMAT, "%s: not a text file in UTF-8", path);
	}
	if (lt_str_starts(text, LT_STR("\xef\xbb\xbf"))) {
		text = lt_str_skip(text, 3);
	}
	for (int number = 1; text.p; number++) {
		struct lt_str line = lt_str_split(&text, '\n');
		struct lt_str name;
		struct lt_buf value = { 0 };

		if (!parse_line(line, &name, &value, err)) {
			lt_buf_finish(&value);
			return lt_err_prefix(err, "%s:%d", path, number);
		}
		if (name.n) {
			struct lt_buf origin = { 0 };

			lt_buf_printf(&origin, "%s:%d", path, number);
			add_entry(conf,
					(struct entry){ lt_str_dup(name), lt_buf_steal(&value),
							lt_buf_steal(&origin), false });
		}
		lt_buf_finish(&value);
	}
	return true;
}

bool lt_conf_load_file(struct lt_conf *conf, const char *path, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	size_t before = conf->n;

	if (!lt_file_read(path, FILE_MAX_BYTES, &text, err)) {
		return false;
	}
	if (text.n && !parse_file(conf, path, lt_buf_str(&text), err)) {
		truncate_entries(conf, before);
		return false;
	}
	return true;
}

void lt_conf_load_environment(struct lt_conf *conf, char *const *environment)
{
	for (; *environment; environment++) {
		const char *text = *environment;
		const char *eq = strchr(text, '=');
		char *name;

		if (!eq) {
			continue;
		}
		name = lt_str_dup((struct lt_str){ text, (size_t)(eq - text) });
		if (!find_key(conf, name) && strncmp(name, NAMESPACE, strlen(NAMESPACE)) != 0) {
			lt_free(name);
			continue;
		}
		add_entry(conf,
				(struct entry){ name, lt_strdup(eq + 1), lt_strdup("environment"),
						true });
	}
}

char *lt_conf_find_file(const char *dir)
{
	char *at = realpath(dir, NULL); /* from the C library: free, not lt_free */
	char *found = NULL;

	while (at && !found) {
		char *slash = strrchr(at, '/');
		char *path = lt_path_join(at, FILE_NAME);

		if (access(path, F_OK) == 0) {
			found = path;
		} else {
			lt_free(path);
			if (slash[1] == '\0') {
				break; /* that was the root */
			}
			slash[slash == at] = '\0';
		}
	}
	free(at);
	return found;
}

/* --- checking --- */

/* Edit distance; names are short, and a wrong guess costs nothing. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1];
	size_t n = strlen(b);

	if (strlen(a) > NAME_MAX_BYTES || n > NAME_MAX_BYTES) {
		return SIZE_MAX;
	}
	for (size_t j = 0; j <= n; j++) {
		row[j] = j;
	}
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			row[j] = LT_MIN(LT_MIN(above, row[j - 1]) + 1, replaced);
			diagonal = above;
		}
	}
	return row[n];
}

static const char *nearest_name(const struct lt_conf *conf, const char *name)
{
	const char *nearest = NULL;
	size_t best = 4; /* further away than this is no typing mistake */

	for (const struct lt_conf_key *key = conf->keys; key->name; key++) {
		size_t d = distance(name, key->name);

		if (d < best) {
			best = d;
			nearest = key->name;
		}
	}
	return nearest;
}

static void report_unknown(const struct lt_conf *conf, const struct entry *entry,
		void (*report)(void *arg, bool is_error, const char *sentence), void *arg)
{
	LT_AUTO(lt_buf_finish) struct lt_buf sentence = { 0 };
	const char *nearest = nearest_name(conf, entry->name);

	lt_buf_printf(&sentence, "%s: %.128s: unknown setting", entry->origin, entry->name);
	if (nearest) {
		lt_buf_printf(&sentence, " (did you mean %s?)", nearest);
	}
	report(arg, false, sentence.p);
}

static bool check_value(const struct lt_conf_key *key, const struct entry *entry,
		void (*report)(void *arg, bool is_error, const char *sentence), void *arg)
{
	LT_AUTO(lt_buf_finish) struct lt_buf sentence = { 0 };
	struct lt_err err = { 0 };

	if (!key->check || !*entry->value || key->check(lt_str_from(entry->value), &err)) {
		return true;
	}
	/* the check's sentence may quote the value */
	lt_buf_printf(&sentence, "%s: %s: %s", entry->origin, key->name,
			key->secret ? "bad value (not shown, because it is secret)" : err.msg);
	report(arg, true, sentence.p);
	return false;
}

int lt_conf_check(const struct lt_conf *conf,
		void (*report)(void *arg, bool is_error, const char *sentence), void *arg)
{
	int errors = 0;

	for (size_t i = 0; i < conf->n; i++) {
		const struct entry *entry = &conf->entries[i];
		const struct lt_conf_key *key = find_key(conf, entry->name);

		if (!key) {
			if (strncmp(entry->name, NAMESPACE, strlen(NAMESPACE)) == 0) {
				report_unknown(conf, entry, report, arg);
			}
		} else if (find_entry(conf, entry->name) == entry) {
			errors += !check_value(key, entry, report, arg);
		}
	}
	return errors;
}

/* --- values --- */

const char *lt_conf_get(const struct lt_conf *conf, const char *name)
{
	const struct lt_conf_key *key = find_key(conf, name);
	const struct entry *entry = find_entry(conf, name);

	assert(key); /* every setting is declared */
	/* empty in the environment also hides the file's value: a way to switch it off */
	return entry && *entry->value ? entry->value : key->default_value;
}

const char *lt_conf_origin(const struct lt_conf *conf, const char *name)
{
	const struct entry *entry = find_entry(conf, name);

	return entry && *entry->value ? entry->origin : "default";
}
