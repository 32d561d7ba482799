#include "mesh/subject.h"

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '*' && c != '>' && c != '%' && c != '.';
}

static void write_part(struct lt_buf *buf, struct lt_str part)
{
	if (part.n == 0) {
		lt_buf_add_char(buf, '%');
	}
	for (size_t i = 0; i < part.n; i++) {
		if (is_plain(part.p[i])) {
			lt_buf_add_char(buf, part.p[i]);
		} else {
			lt_buf_printf(buf, "%%%02X", (unsigned char)part.p[i]);
		}
	}
}

void lt_subject_write(struct lt_buf *buf, const char *prefix, const char *kind, struct lt_str topic)
{
	lt_buf_printf(buf, "%s.%s", prefix, kind);
	do {
		lt_buf_add_char(buf, '.');
		write_part(buf, lt_str_split(&topic, '.'));
	} while (topic.p);
}
