#include "store/dirlist.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define NAMES_MAX 1000000

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

static bool read_names(DIR *dir, struct lt_dirlist *list, struct lt_err *err)
{
	const struct dirent *entry;

	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (list->count == NAMES_MAX) {
			return lt_err_set(err, LT_E_LIMIT, "over %d names", NAMES_MAX);
		}
		if (list->count % 256 == 0) {
			list->names = lt_reallocarray(
					list->names, list->count + 256, sizeof(*list->names));
		}
		list->names[list->count++] = lt_strdup(entry->d_name);
	}
	return errno == 0 || lt_err_errno(err, "cannot be listed");
}

bool lt_dirlist_read(const char *path, struct lt_dirlist *ret, struct lt_err *err)
{
	LT_AUTO(lt_dirlist_finish) struct lt_dirlist list = { NULL, 0 };
	DIR *dir = opendir(path);
	bool ok;

	if (!dir) {
		return lt_err_errno(err, "cannot list directory %s", path);
	}
	ok = read_names(dir, &list, err) || lt_err_prefix(err, "directory %s", path);
	closedir(dir);
	if (!ok) {
		return false;
	}
	if (list.count > 0) {
		qsort(list.names, list.count, sizeof(*list.names), compare_names);
	}
	*ret = list;
	list = (struct lt_dirlist){ NULL, 0 };
	return true;
}

void lt_dirlist_finish(struct lt_dirlist *list)
{
	for (size_t i = 0; i < list->count; i++) {
		lt_free(list->names[i]);
	}
	lt_free(list->names);
	*list = (struct lt_dirlist){ NULL, 0 };
}

bool lt_dirlist_has(const struct lt_dirlist *list, const char *name)
{
	return list->count > 0 &&
			bsearch(&name, list->names, list->count, sizeof(*list->names),
					compare_names);
}
