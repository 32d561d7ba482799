/*
 * Errors as values: a class to act on and one sentence to show. The struct
 * lives on the caller's stack; nothing here allocates. Sentences are lower
 * case without a full stop; context is put in front with lt_err_prefix, so the
 * user reads from outside in: "recording a.zip: manifest.json: not an object".
 */
#ifndef LT_BASE_ERR_H
#define LT_BASE_ERR_H

#include <stdbool.h>

#include "base/base.h"

enum lt_errc {
	LT_E_NONE,
	LT_E_INVALID,     /* an argument or option is wrong */
	LT_E_FORMAT,      /* bytes from outside do not follow their format */
	LT_E_LIMIT,       /* a configured bound was reached */
	LT_E_NOT_FOUND,   /* the named thing does not exist */
	LT_E_EXISTS,      /* the named thing exists already */
	LT_E_DENIED,      /* not allowed to */
	LT_E_IO,          /* the system refused: disk, socket */
	LT_E_UNAVAILABLE, /* the other side is not there */
	LT_E_TIMEOUT,
	LT_E_URI, /* malformed WAMP URI */
};

struct lt_err {
	enum lt_errc code;
	char msg[240];
};

/*
 * Fill err (which may be NULL). Always returns false, so that callers can
 * return it; the macros say so to static analysis, which sees one file at a time.
 */
bool lt_err_set(struct lt_err *err, enum lt_errc code, const char *fmt, ...) LT_PRINTF(3, 4);

/*
 * As lt_err_set with the text of errno after a colon. The class follows errno:
 * ENOENT not found, EEXIST exists, EACCES and EPERM denied, ETIMEDOUT timeout,
 * ECONNREFUSED unavailable, everything else LT_E_IO.
 */
bool lt_err_errno(struct lt_err *err, const char *fmt, ...) LT_PRINTF(2, 3);

/* Put "fmt: " in front of the message already there. Always returns false. */
bool lt_err_prefix(struct lt_err *err, const char *fmt, ...) LT_PRINTF(2, 3);

#ifdef __clang_analyzer__
#	define lt_err_set(...)                                                                    \
		({                                                                                 \
			(void)lt_err_set(__VA_ARGS__);                                             \
			false;                                                                     \
		})
#	define lt_err_errno(...)                                                                  \
		({                                                                                 \
			(void)lt_err_errno(__VA_ARGS__);                                           \
			false;                                                                     \
		})
#	define lt_err_prefix(...)                                                                 \
		({                                                                                 \
			(void)lt_err_prefix(__VA_ARGS__);                                          \
			false;                                                                     \
		})
#endif

#endif
