#include "net/line_splitter.h"

#include <assert.h>

static const char bom[] = "\xef\xbb\xbf";

void lt_line_splitter_finish(struct lt_line_splitter *splitter)
{
	lt_buf_finish(&splitter->partial);
	splitter->input = (struct lt_str){ 0 };
}

void lt_line_splitter_feed(struct lt_line_splitter *splitter, struct lt_str bytes)
{
	assert(splitter->input.n == 0);
	splitter->input = bytes;
}

static size_t line_max(const struct lt_line_splitter *splitter)
{
	return splitter->line_max ? splitter->line_max : LT_LINE_MAX_DEFAULT;
}

static struct lt_str without_ending(struct lt_str line)
{
	while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n')) {
		line.n--;
	}
	return line;
}

/* What to make of a whole line: give it out, or pass over a blank or an overlong one. */
static bool accept_line(
		struct lt_line_splitter *splitter, struct lt_str line, struct lt_str *ret_line)
{
	line = without_ending(line);
	if (!splitter->is_past_start) {
		splitter->is_past_start = true;
		if (splitter->skip_bom && lt_str_starts(line, LT_STR(bom))) {
			line = lt_str_skip(line, sizeof(bom) - 1);
		}
	}
	if (line.n > line_max(splitter)) {
		splitter->dropped++;
		return false;
	}
	if (lt_str_trim(line).n == 0) {
		return false;
	}
	*ret_line = line;
	return true;
}

/* The input ended inside a line: keep what is there, as long as it may become one. */
static void keep_partial(struct lt_line_splitter *splitter)
{
	/* the allowance is for a byte order mark and carriage returns */
	if (!splitter->is_dropping &&
			splitter->partial.n + splitter->input.n > line_max(splitter) + 8) {
		splitter->dropped++;
		splitter->is_dropping = true;
		splitter->is_past_start = true;
		lt_buf_clear(&splitter->partial);
	}
	if (!splitter->is_dropping) {
		lt_buf_add_str(&splitter->partial, splitter->input);
	}
	splitter->input = (struct lt_str){ 0 };
}

bool lt_line_splitter_next(struct lt_line_splitter *splitter, struct lt_str *ret_line)
{
	if (splitter->partial_is_given) {
		lt_buf_clear(&splitter->partial);
		splitter->partial_is_given = false;
	}
	while (splitter->input.n > 0) {
		const char *end = memchr(splitter->input.p, '\n', splitter->input.n);
		struct lt_str line = splitter->input;

		if (!end) {
			keep_partial(splitter);
			return false;
		}
		line.n = (size_t)(end - line.p) + 1;
		splitter->input = lt_str_skip(splitter->input, line.n);
		if (splitter->is_dropping) {
			splitter->is_dropping = false;
			continue;
		}
		if (splitter->partial.n > 0) {
			lt_buf_add_str(&splitter->partial, line);
			if (accept_line(splitter, lt_buf_str(&splitter->partial), ret_line)) {
				splitter->partial_is_given = true;
				return true;
			}
			lt_buf_clear(&splitter->partial);
		} else if (accept_line(splitter, line, ret_line)) {
			return true;
		}
	}
	return false;
}

bool lt_line_splitter_last(struct lt_line_splitter *splitter, struct lt_str *ret_line)
{
	bool found = splitter->partial.n > 0 && !splitter->partial_is_given &&
			accept_line(splitter, lt_buf_str(&splitter->partial), ret_line);

	splitter->partial_is_given = true;
	splitter->is_dropping = false;
	return found;
}

void lt_line_splitter_reset(struct lt_line_splitter *splitter)
{
	splitter->input = (struct lt_str){ 0 };
	lt_buf_clear(&splitter->partial);
	splitter->partial_is_given = false;
	splitter->is_dropping = false;
	splitter->is_past_start = false;
}
