#include "store/analysis_saved.h"

#include "base/alloc.h"
#include "base/fsutil.h"

#define SUFFIX       ".analysis.json"
#define NAME_MAX_LEN 255 /* of a file, with the suffix of the temporary one */
#define SUFFIXES_MAX 32

char *lt_analysis_saved_path(const char *analysis_dir, struct lt_str uuid, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	if (!lt_name_is_safe(uuid) || uuid.n > NAME_MAX_LEN - SUFFIXES_MAX) {
		lt_err_set(err, LT_E_INVALID, "%s cannot be the name of an analysis file",
				lt_str_quote(uuid, quoted));
		return NULL;
	}
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	lt_buf_add_str(&name, uuid);
	lt_buf_add_c(&name, SUFFIX);
	return lt_path_join(analysis_dir, name.p);
}

bool lt_analysis_saved_write(const char *path, struct lt_str saved, struct lt_err *err)
{
	return lt_file_replace(path, saved, 0644, err);
}

struct lt_analysis *lt_analysis_saved_read(
		const char *path, const cJSON *col_spec, struct lt_err *err)
{
	LT_AUTO(cJSON_Delete) cJSON *saved = lt_json_parse_file(path, LT_ANALYSIS_MAX_BYTES, err);
	struct lt_analysis *analysis;

	if (!saved) {
		return NULL;
	}
	analysis = lt_analysis_create(col_spec);
	if (!lt_analysis_load(analysis, saved, err)) {
		lt_analysis_destroy(analysis);
		lt_err_prefix(err, "%s", path);
		return NULL;
	}
	return analysis;
}
