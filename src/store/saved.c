#include "store/saved.h"

#include "base/alloc.h"
#include "base/fsutil.h"
#include "race/state.h"

#define SUFFIX       ".json"
#define NAME_MAX_LEN 255 /* of a file, with the suffix of the temporary one */

char *lt_saved_path(const char *state_dir, struct lt_str uuid, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (!lt_name_is_safe(uuid) || uuid.n > NAME_MAX_LEN - 16) {
		lt_err_set(err, LT_E_INVALID, "%s cannot be the name of a state file",
				lt_str_quote(uuid, quoted));
		return NULL;
	}
	LT_AUTO(lt_free) char *id = lt_str_dup(uuid);
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	lt_buf_printf(&name, "%s" SUFFIX, id);
	return lt_path_join(state_dir, name.p);
}

bool lt_saved_write(const char *path, struct lt_str state_json, struct lt_err *err)
{
	return lt_file_replace(path, state_json, 0644, err);
}

cJSON *lt_saved_read(const char *path, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *state = lt_json_parse_file(path, LT_STATE_MAX_BYTES, err);

	if (!state) {
		return NULL;
	}
	if (!lt_state_check(state, err)) {
		lt_err_prefix(err, "%s", path);
		return NULL;
	}
	return LT_STEAL(state);
}

char *lt_saved_uuid(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct lt_str name = lt_str_from(slash ? slash + 1 : path);
	const char *dot = strrchr(name.p, '.');

	/* A dot at the beginning hides a file and begins no extension. */
	if (dot && dot != name.p) {
		name.n = (size_t)(dot - name.p);
	}
	return lt_str_dup(name);
}
