#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef lt_err_set
#undef lt_err_errno
#undef lt_err_prefix

/* A message that was cut must not end inside a UTF-8 sequence: it may become JSON. */
static void drop_partial_character(char *text, size_t n)
{
	size_t start = n;

	while (start > 0 && n - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
		start--;
	}
	if (start == 0) {
		return;
	}
	unsigned char lead = (unsigned char)text[start - 1];
	size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (n - (start - 1) < need) {
		text[start - 1] = '\0';
	}
}

LT_PRINTF(2, 0) static void format_into(char msg[240], const char *fmt, va_list args)
{
	int n = vsnprintf(msg, 240, fmt, args);

	if (n < 0) {
		msg[0] = '\0';
	} else if (n >= 240) {
		drop_partial_character(msg, 239);
	}
}

static void append(char msg[240], const char *separator, const char *text)
{
	size_t n = strlen(msg);
	int more = snprintf(msg + n, 240 - n, "%s%s", separator, text);

	if (more >= 0 && (size_t)more >= 240 - n) {
		drop_partial_character(msg, 239);
	}
}

bool lt_err_set(struct lt_err *err, enum lt_errc code, const char *fmt, ...)
{
	va_list args;

	if (!err) {
		return false;
	}
	/* Arguments may point into err->msg, so the text is made aside. */
	char msg[240];
	va_start(args, fmt);
	format_into(msg, fmt, args);
	va_end(args);
	memcpy(err->msg, msg, sizeof(msg));
	err->code = code;
	return false;
}

static enum lt_errc class_of_errno(int number)
{
	switch (number) {
	case ENOENT:
		return LT_E_NOT_FOUND;
	case EEXIST:
		return LT_E_EXISTS;
	case EACCES:
	case EPERM:
		return LT_E_DENIED;
	case ETIMEDOUT:
		return LT_E_TIMEOUT;
	case ECONNREFUSED:
		return LT_E_UNAVAILABLE;
	default:
		return LT_E_IO;
	}
}

bool lt_err_errno(struct lt_err *err, const char *fmt, ...)
{
	int number = errno;
	char text[120];
	char msg[240];
	va_list args;

	if (!err) {
		return false;
	}
	va_start(args, fmt);
	format_into(msg, fmt, args);
	va_end(args);
	/* The GNU function: it may return a constant instead of using the buffer. */
	append(msg, ": ", strerror_r(number, text, sizeof(text)));
	memcpy(err->msg, msg, sizeof(msg));
	err->code = class_of_errno(number);
	return false;
}

bool lt_err_prefix(struct lt_err *err, const char *fmt, ...)
{
	char msg[240];
	va_list args;

	if (!err) {
		return false;
	}
	va_start(args, fmt);
	format_into(msg, fmt, args);
	va_end(args);
	append(msg, ": ", err->msg);
	memcpy(err->msg, msg, sizeof(msg));
	return false;
}
