#include "cli/plugin_template.h"

#include "base/alloc.h"

#define NAME_MAX_BYTES 48
#define OLD_NAME       "template"
#define OLD_TITLE      "Template"

/* The bytes of a file between two symbols; the assembler reads it, from the root of the sources. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a part of the assembler's text, and a name */
#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #symbol "\n.hidden " #symbol "\n" #symbol ":\n"                         \
		".incbin \"" file "\"\n"                                                           \
		".global " #symbol "_end\n.hidden " #symbol "_end\n" #symbol "_end:\n"             \
		".byte 0\n.popsection\n");                                                         \
	extern const char symbol[], symbol##_end[]
/* NOLINTEND(bugprone-macro-parentheses) */

EMBED(lt_template_source, "plugins/template/template.c");
EMBED(lt_template_makefile, "plugins/template/Makefile");
EMBED(lt_template_readme, "plugins/template/README.md");
EMBED(lt_template_test, "plugins/template/test.sh");
EMBED(lt_template_laps, "plugins/template/fixtures/laps.txt");

struct lt_template_file lt_template_file_at(size_t i)
{
	static const struct {
		const char *path, *begin, *end;
		unsigned mode;
	} files[] = {
		{ "template.c", lt_template_source, lt_template_source_end, 0644 },
		{ "Makefile", lt_template_makefile, lt_template_makefile_end, 0644 },
		{ "README.md", lt_template_readme, lt_template_readme_end, 0644 },
		{ "test.sh", lt_template_test, lt_template_test_end, 0755 },
		{ "fixtures/laps.txt", lt_template_laps, lt_template_laps_end, 0644 },
	};

	if (i >= LT_ARRAY_LEN(files)) {
		return (struct lt_template_file){ 0 };
	}
	return (struct lt_template_file){ .path = files[i].path,
		.text = { files[i].begin, (size_t)(files[i].end - files[i].begin) },
		.mode = files[i].mode };
}

bool lt_plugin_name_check(struct lt_str name, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_letter = c >= 'a' && c <= 'z';

		if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_'))) {
			return lt_err_set(err, LT_E_INVALID,
					"%s is no name for a plugin: a letter of a-z, then a-z, 0-9 and _",
					lt_str_quote(name, quoted));
		}
	}
	return (name.n > 0 && name.n <= NAME_MAX_BYTES) ||
			lt_err_set(err, LT_E_INVALID, "a name of a plugin has 1 to %d characters",
					NAME_MAX_BYTES);
}

/* "my_feed" as "My feed". */
static void add_title(struct lt_buf *buf, struct lt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i] == '_' ? ' ' : name.p[i];

		lt_buf_add_char(buf, i == 0 && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
	}
}

void lt_template_fill(struct lt_buf *buf, struct lt_str text, struct lt_str name)
{
	while (text.n > 0) {
		if (lt_str_starts(text, LT_STR(OLD_NAME))) {
			lt_buf_add_str(buf, name);
			text = lt_str_skip(text, sizeof(OLD_NAME) - 1);
		} else if (lt_str_starts(text, LT_STR(OLD_TITLE))) {
			add_title(buf, name);
			text = lt_str_skip(text, sizeof(OLD_TITLE) - 1);
		} else {
			lt_buf_add_char(buf, text.p[0]);
			text = lt_str_skip(text, 1);
		}
	}
}
