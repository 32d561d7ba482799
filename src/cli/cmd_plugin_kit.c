/* For authors of plugins: a new one, and the conformance test of a built one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "cli/cmd.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/plugin_template.h"

/* --- new --- */

/* "DIR/.NAME-XXXXXX/PATH" with the name in it. Owned. */
static char *path_of(const char *folder, const char *path, struct lt_str name)
{
	LT_AUTO(lt_buf_finish) struct lt_buf filled = { 0 };

	lt_template_fill(&filled, lt_str_from(path), name);
	return lt_path_join(folder, filled.p);
}

static bool write_files(const char *folder, struct lt_str name, struct lt_err *err)
{
	LT_AUTO(lt_free) char *fixtures = lt_path_join(folder, "fixtures");
	struct lt_template_file file;

	if (!lt_dir_make(fixtures, err)) {
		return false;
	}
	for (size_t i = 0; file = lt_template_file_at(i), file.text.p != NULL; i++) {
		LT_AUTO(lt_free) char *path = path_of(folder, file.path, name);
		LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

		lt_template_fill(&text, file.text, name);
		if (!lt_file_replace(path, lt_buf_str(&text), file.mode, err)) {
			return false;
		}
	}
	return true;
}

static void remove_files(const char *folder, struct lt_str name)
{
	LT_AUTO(lt_free) char *fixtures = lt_path_join(folder, "fixtures");
	struct lt_template_file file;

	for (size_t i = 0; file = lt_template_file_at(i), file.text.p != NULL; i++) {
		LT_AUTO(lt_free) char *path = path_of(folder, file.path, name);

		unlink(path);
	}
	rmdir(fixtures);
	rmdir(folder);
}

/* In its place at once and whole; never over what is there already. */
static bool put_in_place(const char *made, const char *folder, struct lt_err *err)
{
	struct stat status;

	if (renameat2(AT_FDCWD, made, AT_FDCWD, folder, RENAME_NOREPLACE) == 0) {
		return true;
	}
	/* a file system that cannot promise it */
	if (errno == EINVAL && lstat(folder, &status) != 0 && rename(made, folder) == 0) {
		return true;
	}
	return lt_err_errno(err, "%.150s", folder);
}

static bool make_plugin(const char *dir, const char *folder, struct lt_str name, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf pattern = { 0 };
	struct stat status;
	mode_t mask = umask(0);
	bool ok;

	umask(mask);
	if (lstat(folder, &status) == 0) {
		return lt_err_set(err, LT_E_EXISTS, "%.150s exists already", folder);
	}
	lt_buf_printf(&pattern, "%s/.%.*s-XXXXXX", dir, LT_STR_ARG(name));
	if (mkdtemp(pattern.p) == NULL) {
		return lt_err_errno(err, "%.150s: no folder can be made there", dir);
	}
	ok = chmod(pattern.p, 0777 & ~mask) == 0 && write_files(pattern.p, name, err) &&
			put_in_place(pattern.p, folder, err);
	if (!ok) {
		remove_files(pattern.p, name);
	}
	return ok;
}

/* The build folder that this program is in; NULL: it is installed. Owned. */
static char *own_build(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL) {
		return NULL;
	}
	*slash = '\0';
	LT_AUTO(lt_free) char *header = lt_path_join(self, "include/livetiming/plugin.h");

	return access(header, R_OK) == 0 ? lt_strdup(self) : NULL;
}

static void tell_made(struct lt_cli *cli, const char *folder, const char *name)
{
	LT_AUTO(lt_free) char *build = own_build();

	if (cli->is_json) {
		LT_AUTO(cJSON_Delete) cJSON *result = cJSON_CreateObject();

		lt_json_add_c(result, "plugin", name);
		lt_json_add_c(result, "folder", folder);
		lt_cli_print_json(cli, result);
		return;
	}
	fprintf(cli->out,
			"%s is made. Next:\n\n"
			"    cd %s\n"
			"    make check%s%s\n"
			"    LIVETIMING_PLUGIN_PATH=$PWD %s%slivetimingd\n\n"
			"and in another terminal:\n\n"
			"    %s%slivetimingctl service start %s\n",
			folder, folder, build ? " LIVETIMING_BUILD=" : "", build ? build : "",
			build ? build : "", build ? "/" : "", build ? build : "", build ? "/" : "",
			name);
}

int lt_cmd_plugin_new(struct lt_cli *cli, int argc, char **argv)
{
	struct lt_cli_words words = { argc, argv };
	const char *dir = NULL;
	struct lt_err err = { 0 };
	LT_AUTO(lt_free) char *folder = NULL;

	if (!lt_cli_options(cli, lt_cli_find("plugin", "new"), &words,
			    (const struct lt_cli_option[]){
					    { .name = "dir", .ret_value = &dir }, { 0 } },
			    1, 1)) {
		return LT_EXIT_USAGE;
	}
	struct lt_str name = lt_str_from(words.argv[0]);

	if (!lt_plugin_name_check(name, &err)) {
		return lt_cli_usage_error(cli, "%s", err.msg);
	}
	folder = dir ? lt_path_join(dir, words.argv[0]) : lt_strdup(words.argv[0]);
	if (!make_plugin(dir ? dir : ".", folder, name, &err)) {
		return lt_cli_fail(cli, &err);
	}
	tell_made(cli, folder, words.argv[0]);
	return LT_EXIT_DONE;
}

/* --- check --- */

int lt_cmd_plugin_check(struct lt_cli *cli, int argc, char **argv)
{
	const char *before[] = { "--check-plugin", cli->is_json ? "--json" : NULL, NULL };
	const char *word = argc > 0 ? argv[0] : NULL;

	/* what follows the file is the plugin's own */
	for (int i = 0; i < argc && argv[i][0] == '-'; i++) {
		bool has_value = strcmp(argv[i], "--fixture") == 0;

		if (strcmp(argv[i], "-j") != 0 && strcmp(argv[i], "--json") != 0 &&
				strncmp(argv[i], "--fixture", strlen("--fixture")) != 0) {
			return lt_cli_usage_error(cli, "plugin check: unknown option %s", argv[i]);
		}
		i += has_value;
		word = i + 1 < argc ? argv[i + 1] : NULL;
	}
	if (word == NULL) {
		return lt_cli_usage_error(cli, "usage: %s [-j] plugin check %s", cli->program,
				lt_cli_find("plugin", "check")->args);
	}
	return lt_cli_become_daemon(cli, before, argc, argv);
}
