/* Names in a directory, sorted bytewise, without "." and "..". Blocking. */
#ifndef LT_STORE_DIRLIST_H
#define LT_STORE_DIRLIST_H

#include "base/err.h"

struct lt_dirlist {
	char **names;
	size_t count;
};

/* LT_E_LIMIT over a million names. Free with lt_dirlist_finish. */
bool lt_dirlist_read(const char *path, struct lt_dirlist *ret, struct lt_err *err);
void lt_dirlist_finish(struct lt_dirlist *list);

/* Is the name in the list? */
bool lt_dirlist_has(const struct lt_dirlist *list, const char *name);

static inline void lt_auto_lt_dirlist_finish(struct lt_dirlist *list)
{
	lt_dirlist_finish(list);
}

#endif
