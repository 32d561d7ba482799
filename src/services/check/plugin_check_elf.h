/*
 * What a shared object exports and what it needs, read from its bytes without
 * loading it. Pure; 64-bit ELF of this machine's byte order, anything in the
 * bytes is checked.
 */
#ifndef LT_SERVICES_PLUGIN_CHECK_ELF_H
#define LT_SERVICES_PLUGIN_CHECK_ELF_H

#include "base/service_args.h"

struct lt_elf {
	struct lt_args exports; /* names of its own, defined symbols */
	struct lt_args weak;    /* of those that any number of objects may define (C++) */
	struct lt_args needs;   /* libraries */
};

/* Errors: LT_E_FORMAT no shared object, or a damaged one. ret_elf: set on success. */
bool lt_elf_read(struct lt_str bytes, struct lt_elf *ret_elf, struct lt_err *err);
void lt_elf_finish(struct lt_elf *elf);

#endif
