#include "race/analysis/texts.h"

#include <string.h>

#include "base/alloc.h"

void lt_texts_finish(struct lt_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		lt_free(texts->items[i]);
	}
	lt_free(texts->items);
	*texts = (struct lt_texts){ 0 };
}

void lt_texts_add_take(struct lt_texts *texts, char *text)
{
	if (texts->count == texts->cap) {
		texts->cap = texts->cap ? texts->cap * 2 : 4;
		texts->items = lt_reallocarray(texts->items, texts->cap, sizeof(*texts->items));
	}
	texts->items[texts->count++] = text;
}

void lt_texts_add(struct lt_texts *texts, const cJSON *value)
{
	lt_texts_add_take(texts, lt_text_of(value));
}

int lt_texts_find(const struct lt_texts *texts, const cJSON *value)
{
	LT_AUTO(lt_free) char *text = lt_text_of(value);

	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->items[i], text) == 0) {
			return (int)i;
		}
	}
	return -1;
}

void lt_texts_write(struct lt_buf *buf, const struct lt_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (i > 0) {
			lt_buf_add_char(buf, ',');
		}
		lt_buf_add_c(buf, texts->items[i]);
	}
}

char *lt_text_of(const cJSON *value)
{
	struct lt_buf buf = { 0 };

	if (value) {
		lt_json_print(&buf, value, LT_JSON_COMPACT);
	} else {
		lt_buf_add_c(&buf, "null");
	}
	return lt_buf_steal(&buf);
}
