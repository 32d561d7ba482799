#include "router/options.h"

#include <stddef.h>

#include "base/base.h"
#include "base/json_scan.h"

enum kind {
	KIND_BOOL,
	KIND_WORD,         /* one of `words`, to an int */
	KIND_MILLISECONDS, /* to a uint64_t */
	KIND_TEXT,         /* to a struct lt_str, with its quotes */
	KIND_LIST,         /* to a struct lt_str, with its brackets */
};

struct option {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *const *words;
};

/* Longer timeouts are as good as none; keeps sums of times in range. */
#define TIMEOUT_MAX_MS (UINT64_C(1) << 40)

static const char *const match_words[] = { "exact", "prefix", "wildcard", NULL };
const char *const lt_invoke_names[] = { "single", "roundrobin", "random", "first", "last", NULL };
const char *const lt_cancel_mode_names[] = { "killnowait", "kill", "skip", NULL };

static const struct option publish_table[] = {
	{ "acknowledge", KIND_BOOL, offsetof(struct lt_publish_options, acknowledge), NULL },
	{ "exclude_me", KIND_BOOL, offsetof(struct lt_publish_options, exclude_me), NULL },
	{ "retain", KIND_BOOL, offsetof(struct lt_publish_options, retain), NULL },
	{ "disclose_me", KIND_BOOL, offsetof(struct lt_publish_options, disclose_me), NULL },
	{ "exclude", KIND_LIST, offsetof(struct lt_publish_options, lists[LT_LIST_EXCLUDE]), NULL },
	{ "eligible", KIND_LIST, offsetof(struct lt_publish_options, lists[LT_LIST_ELIGIBLE]),
			NULL },
	{ "exclude_authid", KIND_LIST,
			offsetof(struct lt_publish_options, lists[LT_LIST_EXCLUDE_AUTHID]), NULL },
	{ "eligible_authid", KIND_LIST,
			offsetof(struct lt_publish_options, lists[LT_LIST_ELIGIBLE_AUTHID]), NULL },
	{ "exclude_authrole", KIND_LIST,
			offsetof(struct lt_publish_options, lists[LT_LIST_EXCLUDE_AUTHROLE]),
			NULL },
	{ "eligible_authrole", KIND_LIST,
			offsetof(struct lt_publish_options, lists[LT_LIST_ELIGIBLE_AUTHROLE]),
			NULL },
	{ "ppt_scheme", KIND_TEXT, offsetof(struct lt_publish_options, passthru.scheme), NULL },
	{ "ppt_serializer", KIND_TEXT, offsetof(struct lt_publish_options, passthru.serializer),
			NULL },
	{ "ppt_cipher", KIND_TEXT, offsetof(struct lt_publish_options, passthru.cipher), NULL },
	{ "ppt_keyid", KIND_TEXT, offsetof(struct lt_publish_options, passthru.keyid), NULL },
};

static const struct option subscribe_table[] = {
	{ "match", KIND_WORD, offsetof(struct lt_subscribe_options, match), match_words },
	{ "get_retained", KIND_BOOL, offsetof(struct lt_subscribe_options, get_retained), NULL },
};

static const struct option call_table[] = {
	{ "timeout", KIND_MILLISECONDS, offsetof(struct lt_call_options, timeout_ms), NULL },
	{ "receive_progress", KIND_BOOL, offsetof(struct lt_call_options, receive_progress), NULL },
	{ "disclose_me", KIND_BOOL, offsetof(struct lt_call_options, disclose_me), NULL },
	{ "ppt_scheme", KIND_TEXT, offsetof(struct lt_call_options, passthru.scheme), NULL },
	{ "ppt_serializer", KIND_TEXT, offsetof(struct lt_call_options, passthru.serializer),
			NULL },
	{ "ppt_cipher", KIND_TEXT, offsetof(struct lt_call_options, passthru.cipher), NULL },
	{ "ppt_keyid", KIND_TEXT, offsetof(struct lt_call_options, passthru.keyid), NULL },
};

static const struct option register_table[] = {
	{ "match", KIND_WORD, offsetof(struct lt_register_options, match), match_words },
	{ "invoke", KIND_WORD, offsetof(struct lt_register_options, invoke), lt_invoke_names },
	{ "force_reregister", KIND_BOOL, offsetof(struct lt_register_options, force_reregister),
			NULL },
	{ "disclose_caller", KIND_BOOL, offsetof(struct lt_register_options, disclose_caller),
			NULL },
};

static const struct option cancel_table[] = {
	{ "mode", KIND_WORD, offsetof(struct lt_cancel_options, mode), lt_cancel_mode_names },
};

static const struct option yield_table[] = {
	{ "progress", KIND_BOOL, offsetof(struct lt_yield_options, progress), NULL },
	{ "ppt_scheme", KIND_TEXT, offsetof(struct lt_yield_options, passthru.scheme), NULL },
	{ "ppt_serializer", KIND_TEXT, offsetof(struct lt_yield_options, passthru.serializer),
			NULL },
	{ "ppt_cipher", KIND_TEXT, offsetof(struct lt_yield_options, passthru.cipher), NULL },
	{ "ppt_keyid", KIND_TEXT, offsetof(struct lt_yield_options, passthru.keyid), NULL },
};

/* Is the string slice this text? Escapes are legal in keys and words, and rare. */
static bool slice_is(const struct lt_json_slice *slice, const char *text)
{
	LT_AUTO(lt_buf_finish) struct lt_buf decoded = { 0 };

	if (!slice->escaped) {
		return lt_str_eq_c(lt_json_slice_plain(slice), text);
	}
	lt_json_slice_text(slice, &decoded);
	return lt_str_eq_c(lt_buf_str(&decoded), text);
}

static bool store(const struct option *option, const struct lt_json_slice *value, void *ret)
{
	void *to = (char *)ret + option->offset;
	uint64_t number;

	switch (option->kind) {
	case KIND_BOOL:
		if (value->kind != LT_JSON_TRUE && value->kind != LT_JSON_FALSE) {
			return false;
		}
		*(bool *)to = value->kind == LT_JSON_TRUE;
		return true;
	case KIND_WORD:
		for (int i = 0; value->kind == LT_JSON_STRING && option->words[i]; i++) {
			if (slice_is(value, option->words[i])) {
				*(int *)to = i;
				return true;
			}
		}
		return false;
	case KIND_MILLISECONDS:
		if (value->kind != LT_JSON_NUMBER || !lt_json_slice_u53(value, &number)) {
			return false;
		}
		*(uint64_t *)to = LT_MIN(number, TIMEOUT_MAX_MS);
		return true;
	case KIND_TEXT:
	case KIND_LIST:
		if (value->kind != (option->kind == KIND_TEXT ? LT_JSON_STRING : LT_JSON_ARRAY)) {
			return false;
		}
		*(struct lt_str *)to = value->raw;
		return true;
	}
	return false;
}

static bool read_options(struct lt_str options, const struct option *table, size_t table_length,
		void *ret, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice key, value;
	bool good = true;

	if (options.n == 2) {
		return true; /* {} */
	}
	if (!lt_json_scan_init(&scan, options, LT_JSON_DEPTH_MAX, err) ||
			!lt_json_scan_enter(&scan, LT_JSON_OBJECT, err)) {
		return false;
	}
	while (lt_json_scan_more(&scan)) {
		if (!lt_json_scan_key(&scan, &key, err) ||
				!lt_json_scan_value(&scan, &value, err)) {
			return false;
		}
		for (size_t i = 0; i < table_length; i++) {
			if (slice_is(&key, table[i].name)) {
				if (value.kind != LT_JSON_NULL && !store(&table[i], &value, ret)) {
					good = lt_err_set(err, LT_E_INVALID,
							"option %s has a wrong type or value",
							table[i].name);
				}
				break;
			}
		}
	}
	return good;
}

bool lt_publish_options_read(
		struct lt_str options, struct lt_publish_options *ret, struct lt_err *err)
{
	*ret = (struct lt_publish_options){ .exclude_me = true };
	return read_options(options, publish_table, LT_ARRAY_LEN(publish_table), ret, err);
}

bool lt_subscribe_options_read(
		struct lt_str options, struct lt_subscribe_options *ret, struct lt_err *err)
{
	*ret = (struct lt_subscribe_options){ .match = LT_MATCH_EXACT };
	return read_options(options, subscribe_table, LT_ARRAY_LEN(subscribe_table), ret, err);
}

bool lt_call_options_read(struct lt_str options, struct lt_call_options *ret, struct lt_err *err)
{
	*ret = (struct lt_call_options){ 0 };
	return read_options(options, call_table, LT_ARRAY_LEN(call_table), ret, err);
}

bool lt_register_options_read(
		struct lt_str options, struct lt_register_options *ret, struct lt_err *err)
{
	*ret = (struct lt_register_options){ .match = LT_MATCH_EXACT, .invoke = LT_INVOKE_SINGLE };
	return read_options(options, register_table, LT_ARRAY_LEN(register_table), ret, err);
}

bool lt_cancel_options_read(
		struct lt_str options, struct lt_cancel_options *ret, struct lt_err *err)
{
	*ret = (struct lt_cancel_options){ .mode = LT_CANCEL_KILLNOWAIT };
	return read_options(options, cancel_table, LT_ARRAY_LEN(cancel_table), ret, err);
}

bool lt_yield_options_read(struct lt_str options, struct lt_yield_options *ret, struct lt_err *err)
{
	*ret = (struct lt_yield_options){ 0 };
	return read_options(options, yield_table, LT_ARRAY_LEN(yield_table), ret, err);
}

static void write_text(struct lt_buf *members, const char *key, struct lt_str json)
{
	if (json.p) {
		lt_buf_printf(members, ",\"%s\":", key);
		lt_buf_add_str(members, json);
	}
}

void lt_passthru_write(const struct lt_passthru *passthru, struct lt_buf *members)
{
	write_text(members, "ppt_scheme", passthru->scheme);
	write_text(members, "ppt_serializer", passthru->serializer);
	write_text(members, "ppt_cipher", passthru->cipher);
	write_text(members, "ppt_keyid", passthru->keyid);
}
