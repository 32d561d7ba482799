#include "race/feed_json.h"

#include <stdio.h>

#include "base/json_scan.h"

const struct lt_value *lt_feed_value(const cJSON *item)
{
	return (const void *)item;
}

static const cJSON *node(const struct lt_value *value)
{
	return (const void *)value;
}

/* Nesting first: what is too deep never becomes a tree. */
static cJSON *parse(struct lt_str text, struct lt_err *err)
{
	struct lt_json_scan scan;
	struct lt_json_slice slice;

	if (!lt_json_scan_init(&scan, text, LT_FEED_JSON_DEPTH, err) ||
			!lt_json_scan_value(&scan, &slice, err) || !lt_json_scan_end(&scan, err)) {
		return NULL;
	}
	return lt_json_parse(text, err);
}

static struct lt_value *json_parse(struct lt_str text, char *error, size_t error_size)
{
	struct lt_err err = { 0 };
	cJSON *tree = parse(text.p ? text : LT_STR(""), &err);

	if (!tree && error_size > 0) {
		snprintf(error, error_size, "%s", err.msg);
	}
	return (void *)tree;
}

static void json_free(struct lt_value *document)
{
	cJSON_Delete((void *)document);
}

static uint32_t json_kind(const struct lt_value *value)
{
	const cJSON *item = node(value);

	return item == NULL                    ? LT_VALUE_NONE
			: cJSON_IsNumber(item) ? LT_VALUE_NUMBER
			: cJSON_IsString(item) ? LT_VALUE_TEXT
			: cJSON_IsBool(item)   ? LT_VALUE_BOOL
			: cJSON_IsArray(item)  ? LT_VALUE_LIST
			: cJSON_IsObject(item) ? LT_VALUE_OBJECT
					       : LT_VALUE_NULL;
}

static const struct lt_value *json_member(const struct lt_value *object, const char *name)
{
	return cJSON_IsObject(node(object)) ? lt_feed_value(lt_json_get(node(object), name)) : NULL;
}

static const struct lt_value *json_first(const struct lt_value *container)
{
	const cJSON *item = node(container);

	return cJSON_IsArray(item) || cJSON_IsObject(item) ? lt_feed_value(item->child) : NULL;
}

static const struct lt_value *json_next(const struct lt_value *value)
{
	return value ? lt_feed_value(node(value)->next) : NULL;
}

static struct lt_str json_name(const struct lt_value *member)
{
	return lt_str_from(member && node(member)->string ? node(member)->string : "");
}

static struct lt_str json_text(const struct lt_value *value)
{
	return lt_str_from(cJSON_IsString(node(value)) ? node(value)->valuestring : "");
}

static double json_number(const struct lt_value *value)
{
	return cJSON_IsNumber(node(value)) ? node(value)->valuedouble : 0;
}

static uint32_t json_is_true(const struct lt_value *value)
{
	return cJSON_IsTrue(node(value)) != 0;
}

const struct lt_json_ext lt_json_table = {
	.size = sizeof(lt_json_table),
	.parse = json_parse,
	.free = json_free,
	.kind = json_kind,
	.member = json_member,
	.first = json_first,
	.next = json_next,
	.name = json_name,
	.text = json_text,
	.number = json_number,
	.is_true = json_is_true,
};
