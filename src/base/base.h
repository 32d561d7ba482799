/*
 * Attributes and small macros that every file uses. The only place where GNU
 * extensions are spelled out.
 */
#ifndef LT_BASE_BASE_H
#define LT_BASE_BASE_H

#include <stddef.h>

#define LT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LT_NORETURN          __attribute__((noreturn))
#define LT_UNUSED            __attribute__((unused))
#define LT_CONSTRUCTOR       __attribute__((constructor)) /* runs before main */
#define LT_ARRAY_LEN(array)  (sizeof(array) / sizeof((array)[0]))
#define LT_MIN(a, b)         ((a) < (b) ? (a) : (b))
#define LT_MAX(a, b)         ((a) > (b) ? (a) : (b))

/* The struct that embeds `member`, of which `ptr` is the address. */
#define lt_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/*
 * LT_AUTO(fn) declares a local whose value is handed to fn(value) when it goes
 * out of scope; fn must accept NULL and have been named in LT_DEFINE_AUTO.
 * LT_STEAL(p) moves the value out, leaving NULL behind.
 */
#define LT_DEFINE_AUTO(type, fn)                                                                   \
	/* NOLINTNEXTLINE(bugprone-macro-parentheses): a type cannot stand in parentheses */       \
	static inline void lt_auto_##fn(type **value)                                              \
	{                                                                                          \
		fn(*value);                                                                        \
	}                                                                                          \
	struct lt_auto_semicolon
#define LT_AUTO(fn) __attribute__((cleanup(lt_auto_##fn)))
#define LT_STEAL(ptr)                                                                              \
	({                                                                                         \
		__typeof__(ptr) lt_stolen = (ptr);                                                 \
		(ptr) = NULL;                                                                      \
		lt_stolen;                                                                         \
	})

#endif
