/* A file that somebody calls a plugin: what it exports and needs. */
#include "fuzz.h"
#include "services/check/plugin_check_elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_elf elf;
	struct lt_err err;

	if (lt_elf_read((struct lt_str){ (const char *)bytes, n }, &elf, &err)) {
		for (size_t i = 0; i < elf.exports.n; i++) {
			assert(strlen(elf.exports.v[i]) < n);
		}
		lt_elf_finish(&elf);
	} else {
		assert(err.msg[0] != '\0');
	}
	return 0;
}
