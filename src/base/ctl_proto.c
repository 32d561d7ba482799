#include "base/ctl_proto.h"

#include "base/alloc.h"

bool lt_ctl_next_line(const struct lt_buf *input, struct lt_str *ret_line, size_t *ret_used,
		struct lt_err *err)
{
	size_t searched = LT_MIN(input->n, (size_t)LT_CTL_LINE_MAX + 1);
	const char *end = searched ? memchr(input->p, '\n', searched) : NULL;

	if (!end) {
		if (searched > LT_CTL_LINE_MAX) {
			return lt_err_set(err, LT_E_LIMIT, "control line longer than %d bytes",
					LT_CTL_LINE_MAX);
		}
		return lt_err_set(err, LT_E_NONE, "%s", "");
	}
	struct lt_str line = { input->p, (size_t)(end - input->p) };
	size_t valid = lt_utf8_prefix(line);
	if (valid != line.n) {
		return lt_err_set(err, LT_E_FORMAT,
				"control line is not well-formed UTF-8 at byte %zu", valid);
	}
	*ret_line = line;
	*ret_used = line.n + 1;
	return true;
}

char *lt_ctl_socket_path(
		const char *explicit_path, const char *from_env, const char *xdg_runtime_dir)
{
	struct lt_buf path = { 0 };

	if (explicit_path && *explicit_path) {
		return lt_strdup(explicit_path);
	}
	if (from_env && *from_env) {
		return lt_strdup(from_env);
	}
	if (xdg_runtime_dir && *xdg_runtime_dir) {
		lt_buf_printf(&path, "%s/livetimingd.sock", xdg_runtime_dir);
		return lt_buf_steal(&path);
	}
	return lt_strdup("/run/livetimingd/control.sock");
}

/* By enum lt_errc. The names are on the wire: they never change. */
static const char *const names[] = {
	[LT_E_NONE] = "none",
	[LT_E_INVALID] = "invalid",
	[LT_E_FORMAT] = "format",
	[LT_E_LIMIT] = "limit",
	[LT_E_NOT_FOUND] = "not_found",
	[LT_E_EXISTS] = "exists",
	[LT_E_DENIED] = "denied",
	[LT_E_IO] = "io",
	[LT_E_UNAVAILABLE] = "unavailable",
	[LT_E_TIMEOUT] = "timeout",
	[LT_E_URI] = "uri",
};

const char *lt_errc_name(enum lt_errc code)
{
	return (size_t)code < LT_ARRAY_LEN(names) ? names[code] : names[LT_E_INVALID];
}

enum lt_errc lt_errc_parse(struct lt_str name)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(names); i++) {
		if (lt_str_eq_c(name, names[i])) {
			return (enum lt_errc)i;
		}
	}
	return LT_E_INVALID;
}
