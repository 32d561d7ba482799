#include "services/check/plugin_check_elf.h"

#include <elf.h>

#include "base/alloc.h"

#define NAMES_MAX 10000u

static bool damaged(struct lt_err *err, const char *what)
{
	return lt_err_set(err, LT_E_FORMAT, "it is damaged: %s lies outside the file", what);
}

/* A part of the file as it stands there; p NULL: it is not in the file. */
static struct lt_str part(struct lt_str bytes, uint64_t offset, uint64_t size)
{
	if (offset > bytes.n || size > bytes.n - offset) {
		return (struct lt_str){ NULL, 0 };
	}
	return (struct lt_str){ bytes.p + offset, (size_t)size };
}

/* Copied out, since nothing in a file is aligned. */
static bool copy_entry(struct lt_str table, uint64_t index, void *ret, size_t size)
{
	if (index >= table.n / size) {
		return false;
	}
	memcpy(ret, table.p + index * size, size);
	return true;
}

static bool add_name(struct lt_args *names, struct lt_str texts, uint64_t offset)
{
	const char *end;

	if (offset >= texts.n || names->n == NAMES_MAX) {
		return false;
	}
	end = memchr(texts.p + offset, '\0', texts.n - offset);
	if (end == NULL) {
		return false;
	}
	lt_args_add(names, (struct lt_str){ texts.p + offset, (size_t)(end - texts.p) - offset });
	return true;
}

static bool read_symbols(
		struct lt_elf *elf, struct lt_str table, struct lt_str texts, struct lt_err *err)
{
	Elf64_Sym symbol;

	for (uint64_t i = 1; copy_entry(table, i, &symbol, sizeof(symbol)); i++) {
		unsigned bind = ELF64_ST_BIND(symbol.st_info);
		unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
		bool is_weak = bind == STB_WEAK || bind == STB_GNU_UNIQUE;

		if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
				bind == STB_LOCAL || visibility == STV_HIDDEN ||
				visibility == STV_INTERNAL) {
			continue;
		}
		if (!add_name(is_weak ? &elf->weak : &elf->exports, texts, symbol.st_name)) {
			return damaged(err, "the name of a symbol");
		}
	}
	return true;
}

static bool read_dynamic(
		struct lt_elf *elf, struct lt_str table, struct lt_str texts, struct lt_err *err)
{
	Elf64_Dyn entry;

	for (uint64_t i = 0; copy_entry(table, i, &entry, sizeof(entry)); i++) {
		if (entry.d_tag == DT_NULL) {
			break;
		}
		if (entry.d_tag == DT_NEEDED && !add_name(&elf->needs, texts, entry.d_un.d_val)) {
			return damaged(err, "the name of a library");
		}
	}
	return true;
}

static bool read_section(struct lt_elf *elf, struct lt_str bytes, struct lt_str sections,
		const Elf64_Shdr *section, struct lt_err *err)
{
	struct lt_str table = part(bytes, section->sh_offset, section->sh_size);
	Elf64_Shdr names;
	struct lt_str texts;

	if (section->sh_type != SHT_DYNSYM && section->sh_type != SHT_DYNAMIC) {
		return true;
	}
	if (table.p == NULL || !copy_entry(sections, section->sh_link, &names, sizeof(names))) {
		return damaged(err, "a section");
	}
	texts = part(bytes, names.sh_offset, names.sh_size);
	if (texts.p == NULL) {
		return damaged(err, "a table of names");
	}
	return section->sh_type == SHT_DYNSYM ? read_symbols(elf, table, texts, err)
					      : read_dynamic(elf, table, texts, err);
}

bool lt_elf_read(struct lt_str bytes, struct lt_elf *ret_elf, struct lt_err *err)
{
	static const unsigned char magic[] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 };
	struct lt_elf elf = { 0 };
	struct lt_str sections;
	Elf64_Shdr section;
	Elf64_Ehdr head;

	if (bytes.n < sizeof(head) || memcmp(bytes.p, magic, sizeof(magic)) != 0) {
		return lt_err_set(err, LT_E_FORMAT, "it is no shared object");
	}
	memcpy(&head, bytes.p, sizeof(head));
	if (head.e_type != ET_DYN || head.e_shentsize != sizeof(section)) {
		return lt_err_set(err, LT_E_FORMAT, "it is no shared object");
	}
	sections = part(bytes, head.e_shoff, (uint64_t)head.e_shnum * sizeof(section));
	if (sections.p == NULL) {
		return damaged(err, "the table of sections");
	}
	for (uint64_t i = 0; copy_entry(sections, i, &section, sizeof(section)); i++) {
		if (!read_section(&elf, bytes, sections, &section, err)) {
			lt_elf_finish(&elf);
			return false;
		}
	}
	*ret_elf = elf;
	return true;
}

void lt_elf_finish(struct lt_elf *elf)
{
	lt_args_finish(&elf->exports);
	lt_args_finish(&elf->weak);
	lt_args_finish(&elf->needs);
}
