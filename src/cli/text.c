#include "cli/text.h"

#include <inttypes.h>

#include "base/alloc.h"

#define MINUTE_S 60
#define HOUR_S   3600
#define DAY_S    86400

char *lt_cli_clean(struct lt_str text)
{
	struct lt_buf buf = { 0 };

	while (text.n) {
		size_t valid = lt_utf8_prefix(text);

		for (size_t i = 0; i < valid; i++) {
			unsigned char c = (unsigned char)text.p[i];
			bool is_c1 = c == 0xc2 && i + 1 < valid &&
					(unsigned char)text.p[i + 1] < 0xa0;

			lt_buf_add_char(&buf, c < 0x20 || c == 0x7f || is_c1 ? '?' : text.p[i]);
			i += is_c1;
		}
		text = lt_str_skip(text, valid);
		if (text.n) {
			lt_buf_add_char(&buf, '?');
			text = lt_str_skip(text, 1);
		}
	}
	return lt_buf_steal(&buf);
}

void lt_cli_duration(struct lt_buf *buf, int64_t seconds)
{
	seconds = LT_MAX(seconds, 0);
	if (seconds < MINUTE_S) {
		lt_buf_printf(buf, "%" PRId64 " s", seconds);
	} else if (seconds < HOUR_S) {
		lt_buf_printf(buf, "%" PRId64 " min", seconds / MINUTE_S);
	} else if (seconds < DAY_S) {
		lt_buf_printf(buf, "%" PRId64 " h %02" PRId64 " min", seconds / HOUR_S,
				seconds % HOUR_S / MINUTE_S);
	} else {
		lt_buf_printf(buf, "%" PRId64 " d %02" PRId64 " h", seconds / DAY_S,
				seconds % DAY_S / HOUR_S);
	}
}

void lt_cli_bytes(struct lt_buf *buf, int64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < 1000) {
		lt_buf_printf(buf, "%" PRId64 " B", bytes);
		return;
	}
	/* what would be rounded up to 1000 belongs to the next unit */
	for (value /= 1000; value >= 999.5 && unit + 1 < LT_ARRAY_LEN(units); unit++) {
		value /= 1000;
	}
	lt_buf_printf(buf, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

size_t lt_cli_width(struct lt_str text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.n; i++) {
		width += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	}
	return width;
}

/* --- tables --- */

struct lt_cli_table {
	size_t columns;
	bool *is_right;
	char **cells; /* the titles are the first row */
	size_t n;
};

struct lt_cli_table *lt_cli_table_create(const char *const *titles, size_t columns)
{
	struct lt_cli_table *table = lt_zalloc(sizeof(*table));

	table->columns = columns;
	table->is_right = lt_calloc(columns, sizeof(*table->is_right));
	for (size_t i = 0; i < columns; i++) {
		table->is_right[i] = titles[i][0] == '>';
		lt_cli_table_add(table, lt_str_from(titles[i] + table->is_right[i]));
	}
	return table;
}

void lt_cli_table_destroy(struct lt_cli_table *table)
{
	if (!table) {
		return;
	}
	for (size_t i = 0; i < table->n; i++) {
		lt_free(table->cells[i]);
	}
	lt_free(table->cells);
	lt_free(table->is_right);
	lt_free(table);
}

void lt_cli_table_add(struct lt_cli_table *table, struct lt_str text)
{
	table->cells = lt_reallocarray(table->cells, table->n + 1, sizeof(*table->cells));
	table->cells[table->n++] = lt_cli_clean(text);
}

void lt_cli_table_add_int(struct lt_cli_table *table, int64_t value)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_buf_printf(&text, "%" PRId64, value);
	lt_cli_table_add(table, lt_buf_str(&text));
}

static size_t column_width(const struct lt_cli_table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->n; i += table->columns) {
		width = LT_MAX(width, lt_cli_width(lt_str_from(table->cells[i])));
	}
	return width;
}

static void print_cell(const struct lt_cli_table *table, size_t i, size_t width, FILE *out)
{
	size_t column = i % table->columns;
	int padding = (int)(width - lt_cli_width(lt_str_from(table->cells[i])));
	bool is_last = column + 1 == table->columns;

	if (table->is_right[column]) {
		fprintf(out, "%*s%s", padding, "", table->cells[i]);
	} else {
		fprintf(out, "%s%*s", table->cells[i], is_last ? 0 : padding, "");
	}
	fputs(is_last ? "\n" : "  ", out);
}

void lt_cli_table_print(const struct lt_cli_table *table, FILE *out)
{
	size_t *widths;

	if (table->columns == 0 || table->n <= table->columns) {
		return;
	}
	widths = lt_calloc(table->columns, sizeof(*widths));
	for (size_t i = 0; i < table->columns; i++) {
		widths[i] = column_width(table, i);
	}
	for (size_t i = 0; i < table->n; i++) {
		print_cell(table, i, widths[i % table->columns], out);
	}
	lt_free(widths);
}
