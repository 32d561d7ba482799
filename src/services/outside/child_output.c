#include "base/alloc.h"
#include "services/outside/child_priv.h"

#define LINE_MAX_BYTES 8192
#define MODULE_MAX     32

/* A record of the child's own log: "TIME LEVEL MODULE: TEXT"; it goes on with its level. */
static bool pass_record(const struct lt_child *child, struct lt_str line)
{
	struct lt_str rest = line, time = lt_str_split(&rest, ' ');
	struct lt_str level_name = lt_str_split(&rest, ' ');
	char module[MODULE_MAX];
	enum lt_level level;
	struct lt_str module_name;

	if (rest.p == NULL || time.n < 20 || time.p[time.n - 1] != 'Z' ||
			!lt_level_parse(level_name, &level, NULL)) {
		return false;
	}
	rest = lt_str_trim(rest);
	module_name = lt_str_split(&rest, ':');
	if (rest.p == NULL || rest.n < 2 || module_name.n == 0 || module_name.n >= MODULE_MAX) {
		return false;
	}
	memcpy(module, module_name.p, module_name.n);
	module[module_name.n] = '\0';
	LT_AUTO(lt_free) char *text = lt_str_dup(lt_str_skip(rest, 1));
	struct lt_log log = { child->children->env.log.sink, module };

	lt_log(&log, level, text, "service=%s", child->uuid);
	return true;
}

static void pass_line(const struct lt_child *child, struct lt_str line)
{
	char shown[LT_LOG_VALUE_MAX];

	if (line.n > 0 && !pass_record(child, line)) {
		lt_log(&child->children->env.log, LT_WARN, "printed by the process of a service",
				"uuid=%s text=%s", child->uuid, lt_log_value(line, shown));
	}
}

void lt_child_take_output(struct lt_child *child, struct lt_str bytes, bool last)
{
	struct lt_buf *line = &child->line;

	while (bytes.n > 0) {
		const char *end = memchr(bytes.p, '\n', bytes.n);
		size_t n = end ? (size_t)(end - bytes.p) : bytes.n;
		size_t room = LINE_MAX_BYTES - LT_MIN(line->n, (size_t)LINE_MAX_BYTES);

		lt_buf_add(line, bytes.p, LT_MIN(n, room)); /* the rest of a longer one is lost */
		bytes = lt_str_skip(bytes, n + (end != NULL));
		if (end != NULL) {
			pass_line(child, lt_buf_str(line));
			lt_buf_clear(line);
		}
	}
	if (last) {
		pass_line(child, lt_buf_str(line));
		lt_buf_clear(line);
	}
}
