#include "base/json.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "base/json_scan.h"

/* cJSON 1.7 uses bits 0 to 9 of item->type and copies the others in cJSON_Duplicate. */
#define FLOAT_MARK (1 << 10)
#define TYPE_MASK  0xFF

/* --- nodes --- */

/* Made here and not by cJSON_Create*, which can return NULL. */
static cJSON *new_node(int type)
{
	cJSON *node = lt_zalloc(sizeof(*node));

	node->type = type;
	return node;
}

static void set_number(cJSON *node, double value)
{
	node->valuedouble = value;
	node->valueint = value >= INT_MAX ? INT_MAX : value <= INT_MIN ? INT_MIN : (int)value;
}

bool lt_json_is_float(const cJSON *item)
{
	return cJSON_IsNumber(item) &&
			((item->type & FLOAT_MARK) ||
					item->valuedouble != trunc(item->valuedouble));
}

cJSON *lt_json_new_int(int64_t value)
{
	cJSON *node = new_node(cJSON_Number);

	set_number(node, (double)value);
	return node;
}

cJSON *lt_json_new_float(double value)
{
	cJSON *node = new_node(cJSON_Number | FLOAT_MARK);

	set_number(node, value);
	return node;
}

/* Owned C string of a text; U+0000 becomes U+FFFD. */
static char *c_string(struct lt_str text)
{
	struct lt_buf buf = { 0 };

	if (text.n == 0 || !memchr(text.p, '\0', text.n)) {
		return lt_str_dup(text);
	}
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\0') {
			lt_buf_add_utf8(&buf, 0xFFFD);
		} else {
			lt_buf_add_char(&buf, text.p[i]);
		}
	}
	return lt_buf_steal(&buf);
}

static cJSON *new_string_take(char *text)
{
	cJSON *node = new_node(cJSON_String);

	node->valuestring = text;
	return node;
}

cJSON *lt_json_new_str(struct lt_str text)
{
	return new_string_take(c_string(text));
}

/* Give a node that has no parent its name, and link it as the last child. Owns both. */
static void append_take(cJSON *parent, char *name, cJSON *node)
{
	if (node->string && !(node->type & cJSON_StringIsConst)) {
		lt_free(node->string);
	}
	node->type &= ~cJSON_StringIsConst;
	node->string = name;
	cJSON_AddItemToArray(parent, node);
}

static void add_take(cJSON *object, const char *key, cJSON *value)
{
	assert(cJSON_IsObject(object));
	append_take(object, lt_strdup(key), value);
}

void lt_json_add_int(cJSON *object, const char *key, int64_t value)
{
	add_take(object, key, lt_json_new_int(value));
}

void lt_json_add_float(cJSON *object, const char *key, double value)
{
	add_take(object, key, lt_json_new_float(value));
}

void lt_json_add_str(cJSON *object, const char *key, struct lt_str text)
{
	add_take(object, key, lt_json_new_str(text));
}

void lt_json_add_c(cJSON *object, const char *key, const char *text)
{
	add_take(object, key, lt_json_new_str(lt_str_from(text)));
}

void lt_json_add_bool(cJSON *object, const char *key, bool value)
{
	add_take(object, key, new_node(value ? cJSON_True : cJSON_False));
}

void lt_json_set_take(cJSON *object, const char *key, cJSON *value)
{
	cJSON *old = lt_json_get(object, key);

	add_take(object, key, value);
	if (old) {
		/* Moved to the place of the old one, so that the order stays. */
		cJSON_DetachItemViaPointer(object, value);
		cJSON_ReplaceItemViaPointer(object, old, value);
	}
}

cJSON *lt_json_get(const cJSON *object, const char *key)
{
	cJSON *child;

	if (!cJSON_IsObject(object)) {
		return NULL;
	}
	cJSON_ArrayForEach(child, object) {
		if (child->string && strcmp(child->string, key) == 0) {
			return child;
		}
	}
	return NULL;
}

/* --- members by name, in n log n even when a peer chose them --- */

struct member {
	cJSON *node;
	size_t place;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	int order = strcmp(left->node->string, right->node->string);

	if (order != 0) {
		return order;
	}
	return left->place < right->place ? -1 : left->place > right->place;
}

/* Owned array, freed with lt_free. */
static struct member *sorted_members(const cJSON *object, size_t *ret_count)
{
	size_t count = 0;
	cJSON *child;

	cJSON_ArrayForEach(child, object) {
		count++;
	}
	struct member *members = lt_calloc(count, sizeof(*members));
	count = 0;
	cJSON_ArrayForEach(child, object) {
		members[count] = (struct member){ child, count };
		count++;
	}
	qsort(members, count, sizeof(*members), compare_members);
	*ret_count = count;
	return members;
}

/* A repeated member has its first place and its last value. */
static void merge_repeated(cJSON *object)
{
	if (!object->child || !object->child->next) {
		return;
	}
	size_t count;
	struct member *members = sorted_members(object, &count);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count; next++) {
			if (strcmp(members[i].node->string, members[next].node->string) != 0) {
				break;
			}
			cJSON *newer = cJSON_DetachItemViaPointer(object, members[next].node);
			cJSON_ReplaceItemViaPointer(object, members[i].node, newer);
			members[i].node = newer;
		}
	}
	lt_free(members);
}

/* --- parsing --- */

struct parser {
	struct lt_json_scan scan;
	struct lt_str text;
	cJSON *open[LT_JSON_DEPTH_MAX]; /* containers around the current place */
	size_t depth;
	cJSON *root;
	char *name; /* of the member that comes next; owned */
};

static char *slice_c_string(const struct lt_json_slice *slice)
{
	struct lt_buf buf = { 0 };

	/* Raw control bytes were refused, so only an escape can be U+0000. */
	if (!slice->escaped) {
		return lt_str_dup(lt_json_slice_plain(slice));
	}
	lt_json_slice_text(slice, &buf);
	char *text = c_string(lt_buf_str(&buf));
	lt_buf_finish(&buf);
	return text;
}

/*
 * Value of a number text that the scanner has checked. Up to 15 digits and 22
 * decimals both parts of the division are exact, so its result is the nearest.
 */
static double number_value(struct lt_str raw)
{
	static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
		1e11, 1e12, 1e13, 1e14, 1e15 };
	bool negative = raw.p[0] == '-';
	size_t digits = 0, decimals = 0;
	int64_t mantissa = 0;
	bool point = false;

	for (size_t i = negative; i < raw.n && digits <= 15; i++) {
		if (raw.p[i] == '.') {
			point = true;
			continue;
		}
		if (raw.p[i] == 'e' || raw.p[i] == 'E') {
			digits = 16;
			break;
		}
		mantissa = mantissa * 10 + (raw.p[i] - '0');
		digits++;
		decimals += point;
	}
	if (digits <= 15) {
		double value = (double)mantissa / powers[decimals];
		return negative ? -value : value;
	}
	char *copy = lt_str_dup(raw);
	double value = strtod(copy, NULL);
	lt_free(copy);
	return value;
}

static bool is_float_text(struct lt_str raw)
{
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '.' || raw.p[i] == 'e' || raw.p[i] == 'E') {
			return true;
		}
	}
	return false;
}

static cJSON *number_node(struct parser *parser, struct lt_str raw, struct lt_err *err)
{
	char quoted[LT_QUOTE_MAX];
	bool is_float = is_float_text(raw);
	double value = number_value(raw);

	if (!isfinite(value)) {
		lt_err_set(err, LT_E_FORMAT, "byte %zu: number %s is out of range",
				(size_t)(raw.p - parser->text.p), lt_str_quote(raw, quoted));
		return NULL;
	}
	cJSON *node = new_node(is_float ? cJSON_Number | FLOAT_MARK : cJSON_Number);
	/* The integer -0 is 0; only a float keeps the sign. */
	set_number(node, !is_float && value == 0 ? 0 : value);
	return node;
}

/* The next value: a whole scalar, or an open and empty container. NULL: error. */
static cJSON *parse_item(struct parser *parser, struct lt_err *err)
{
	enum lt_json_kind kind;
	struct lt_json_slice slice;

	if (!lt_json_scan_peek(&parser->scan, &kind, err)) {
		return NULL;
	}
	if (kind == LT_JSON_ARRAY || kind == LT_JSON_OBJECT) {
		if (!lt_json_scan_enter(&parser->scan, kind, err)) {
			return NULL;
		}
		return new_node(kind == LT_JSON_ARRAY ? cJSON_Array : cJSON_Object);
	}
	if (!lt_json_scan_value(&parser->scan, &slice, err)) {
		return NULL;
	}
	switch (kind) {
	case LT_JSON_NULL:
		return new_node(cJSON_NULL);
	case LT_JSON_FALSE:
		return new_node(cJSON_False);
	case LT_JSON_TRUE:
		return new_node(cJSON_True);
	case LT_JSON_NUMBER:
		return number_node(parser, slice.raw, err);
	case LT_JSON_STRING:
		return new_string_take(slice_c_string(&slice));
	case LT_JSON_ARRAY:
	case LT_JSON_OBJECT:
		break;
	}
	return NULL;
}

/* Inside a container: read the name of a member that follows, or close the container. */
static bool next_place(struct parser *parser, bool *ret_closed, struct lt_err *err)
{
	cJSON *container = parser->open[parser->depth - 1];
	struct lt_json_slice key;

	*ret_closed = !lt_json_scan_more(&parser->scan);
	if (*ret_closed) {
		if (!lt_json_scan_leave(&parser->scan, err)) {
			return false;
		}
		if (cJSON_IsObject(container)) {
			merge_repeated(container);
		}
		parser->depth--;
		return true;
	}
	if (cJSON_IsObject(container)) {
		if (!lt_json_scan_key(&parser->scan, &key, err)) {
			return false;
		}
		parser->name = slice_c_string(&key);
	}
	return true;
}

static bool parse_document(struct parser *parser, struct lt_err *err)
{
	do {
		bool closed = false;

		if (parser->depth > 0 && !next_place(parser, &closed, err)) {
			return false;
		}
		if (closed) {
			continue;
		}
		cJSON *node = parse_item(parser, err);
		if (!node) {
			return false;
		}
		if (parser->depth > 0) {
			append_take(parser->open[parser->depth - 1], LT_STEAL(parser->name), node);
		} else {
			parser->root = node;
		}
		if (cJSON_IsArray(node) || cJSON_IsObject(node)) {
			parser->open[parser->depth++] = node;
		}
	} while (parser->depth > 0);
	return lt_json_scan_end(&parser->scan, err);
}

cJSON *lt_json_parse(struct lt_str text, struct lt_err *err)
{
	struct parser parser;

	parser.text = text;
	parser.depth = 0;
	parser.root = NULL;
	parser.name = NULL;
	if (!lt_json_scan_init(&parser.scan, text, LT_JSON_DEPTH_MAX, err)) {
		return NULL;
	}
	if (!parse_document(&parser, err)) {
		lt_free(parser.name);
		cJSON_Delete(parser.root);
		return NULL;
	}
	return parser.root;
}

cJSON *lt_json_parse_file(const char *path, size_t max_bytes, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf content = { 0 };

	if (!lt_file_read(path, max_bytes, &content, err)) {
		return NULL;
	}
	cJSON *tree = lt_json_parse(lt_buf_str(&content), err);
	if (!tree) {
		lt_err_prefix(err, "%s", path);
	}
	return tree;
}

/* --- equality --- */

static bool numeric_value(const cJSON *item, double *ret)
{
	if (cJSON_IsBool(item)) {
		*ret = cJSON_IsTrue(item) ? 1 : 0;
		return true;
	}
	*ret = item->valuedouble;
	return cJSON_IsNumber(item);
}

static bool arrays_equal(const cJSON *a, const cJSON *b)
{
	const cJSON *left = a->child, *right = b->child;

	while (left && right) {
		if (!lt_json_equal(left, right)) {
			return false;
		}
		left = left->next;
		right = right->next;
	}
	return !left && !right;
}

static bool objects_equal_sorted(const cJSON *a, const cJSON *b)
{
	size_t na, nb;
	struct member *left = sorted_members(a, &na);
	struct member *right = sorted_members(b, &nb);
	bool equal = na == nb;

	for (size_t i = 0; equal && i < na; i++) {
		equal = strcmp(left[i].node->string, right[i].node->string) == 0 &&
				lt_json_equal(left[i].node, right[i].node);
	}
	lt_free(left);
	lt_free(right);
	return equal;
}

static bool objects_equal(const cJSON *a, const cJSON *b)
{
	const cJSON *left = a->child, *right = b->child;

	/* Usually the order is the same and nothing needs sorting. */
	for (; left && right; left = left->next, right = right->next) {
		if (strcmp(left->string, right->string) != 0) {
			return objects_equal_sorted(a, b);
		}
	}
	return !left && !right && arrays_equal(a, b);
}

bool lt_json_equal(const cJSON *a, const cJSON *b)
{
	double left, right;

	if (!a || !b) {
		return a == b;
	}
	if (numeric_value(a, &left) && numeric_value(b, &right)) {
		return left == right;
	}
	if ((a->type & TYPE_MASK) != (b->type & TYPE_MASK)) {
		return false;
	}
	switch (a->type & TYPE_MASK) {
	case cJSON_NULL:
		return true;
	case cJSON_String:
		return strcmp(a->valuestring, b->valuestring) == 0;
	case cJSON_Array:
		return arrays_equal(a, b);
	case cJSON_Object:
		return objects_equal(a, b);
	default:
		return false;
	}
}
