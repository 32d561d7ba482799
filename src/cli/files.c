#include "cli/files.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/text.h"
#include "store/entries.h"
#include "store/finalise.h"
#include "store/new_archive.h"
#include "store/salvage.h"

int lt_cli_fail(struct lt_cli *cli, const struct lt_err *err)
{
	LT_AUTO(lt_free) char *clean = lt_cli_clean(lt_str_from(err->msg));

	fprintf(cli->err, "%s: %s\n", cli->program, clean);
	return LT_EXIT_REFUSED;
}

int lt_cli_fail_output(struct lt_cli *cli, const struct lt_err *err)
{
	lt_cli_fail(cli, err);
	if (err->code == LT_E_EXISTS) {
		fprintf(cli->err, "--force replaces it, -o writes elsewhere\n");
	}
	return LT_EXIT_REFUSED;
}

static void hint(struct lt_cli *cli, const char *path)
{
	LT_AUTO(lt_entries_finish) struct lt_entries entries = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *manifest = NULL;
	struct lt_err err;

	if (lt_is_journal(path)) {
		fputs("it is the journal of a recording in progress; rectool repair makes a recording of it\n",
				cli->err);
		return;
	}
	if (!lt_entries_open(path, &entries, &err)) {
		if (err.code == LT_E_FORMAT) {
			fputs("rectool repair saves what is whole in it\n", cli->err);
		}
		return;
	}
	manifest = lt_entries_manifest(&entries, &err);
	if (manifest && !lt_json_get(manifest, "version")) {
		fputs("rectool convert makes a recording of version 1 of it\n", cli->err);
	} else if (!manifest && entries.count > 0) {
		fputs("rectool repair --manifest FILE puts another manifest in\n", cli->err);
	}
}

struct lt_recording *lt_cli_open_recording(struct lt_cli *cli, const char *path)
{
	struct lt_err err = { 0 };
	struct lt_recording *recording = lt_recording_open(path, &err);

	if (!recording) {
		lt_cli_fail(cli, &err);
		hint(cli, path);
	}
	return recording;
}

char *lt_cli_beside(const char *path, const char *suffix)
{
	static const char *const endings[] = { ".zip", ".journal", ".json", ".raw" };
	LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };
	struct lt_str stem = lt_str_from(path);

	for (size_t i = 0; i < LT_ARRAY_LEN(endings); i++) {
		if (lt_str_ends(stem, lt_str_from(endings[i]))) {
			stem.n -= strlen(endings[i]);
			break;
		}
	}
	lt_buf_add_str(&name, stem);
	lt_buf_add_c(&name, suffix);
	return lt_buf_steal(&name);
}

bool lt_cli_parse_moment(struct lt_cli *cli, const char *word, int64_t first_s, int64_t *ret_s)
{
	struct lt_str text = lt_str_from(word);
	bool is_absolute = word[0] == '@';
	char quoted[LT_QUOTE_MAX];
	int64_t value;

	if (!lt_parse_i64(lt_str_skip(text, is_absolute), 0, LT_FRAME_TIME_MAX, &value, NULL)) {
		lt_cli_usage_error(cli,
				"%s is neither seconds from the first frame nor @ and a unix time",
				lt_str_quote(text, quoted));
		return false;
	}
	*ret_s = is_absolute ? value : first_s + value;
	return true;
}

bool lt_cli_output_open(struct lt_cli *cli, const char *path, bool replace,
		struct lt_cli_output *ret, struct lt_err *err)
{
	int fd;

	*ret = (struct lt_cli_output){ .file = cli->out, .replace = replace };
	if (!path || strcmp(path, "-") == 0) {
		return true;
	}
	if (!lt_new_file_check(path, replace, err)) {
		return false;
	}
	ret->path = lt_strdup(path);
	ret->part = lt_new_file_part(path);
	fd = open(ret->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, LT_RECORDING_MODE);
	ret->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!ret->file) {
		lt_err_errno(err, "cannot create %s", path);
		lt_cli_output_abandon(ret);
		return false;
	}
	return true;
}

bool lt_cli_output_commit(struct lt_cli_output *output, struct lt_err *err)
{
	bool ok = !ferror(output->file) && fflush(output->file) == 0;

	if (!output->path) {
		return ok || lt_err_errno(err, "cannot write the output");
	}
	ok = (ok && fsync(fileno(output->file)) == 0) ||
			lt_err_errno(err, "cannot write %s", output->path);
	if (fclose(LT_STEAL(output->file)) != 0 && ok) {
		ok = lt_err_errno(err, "cannot write %s", output->path);
	}
	ok = ok && lt_new_file_publish(output->part, output->path, output->replace, err);
	lt_cli_output_abandon(output);
	return ok;
}

void lt_cli_output_abandon(struct lt_cli_output *output)
{
	if (output->part) {
		if (output->file) {
			fclose(output->file);
		}
		unlink(output->part);
	}
	lt_free(output->path);
	lt_free(output->part);
	*output = (struct lt_cli_output){ 0 };
}
