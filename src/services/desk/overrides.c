#include "services/desk/overrides.h"

#include "base/alloc.h"
#include "race/flag.h"
#include "race/message.h"

#define NAME_MAX_BYTES   200
#define URL_MAX_BYTES    500
#define CAR_MAX_BYTES    16
#define OPTION_MAX_BYTES 1000
#define PENALTIES_MAX    500
#define OPTIONS_MAX      100

struct lt_overrides {
	cJSON *json;
};

struct lt_overrides *lt_overrides_create(void)
{
	struct lt_overrides *overrides = lt_zalloc(sizeof(*overrides));

	overrides->json = cJSON_CreateObject();
	return overrides;
}

void lt_overrides_destroy(struct lt_overrides *overrides)
{
	if (overrides) {
		cJSON_Delete(overrides->json);
		lt_free(overrides);
	}
}

const cJSON *lt_overrides_json(const struct lt_overrides *overrides)
{
	return overrides->json;
}

bool lt_overrides_is_empty(const struct lt_overrides *overrides)
{
	return overrides->json->child == NULL;
}

cJSON *lt_overrides_file(const struct lt_overrides *overrides)
{
	cJSON *file = cJSON_Duplicate(overrides->json, true);

	lt_json_add_int(file, "version", 1);
	return file;
}

/* --- checks --- */

/* Control characters of C0 and C1, and what breaks or turns lines. */
static bool is_printable(uint32_t point)
{
	return point >= 0x20 && !(point >= 0x7f && point <= 0x9f) && point != 0x2028 &&
			point != 0x2029 && !(point >= 0x202a && point <= 0x202e) &&
			!(point >= 0x2066 && point <= 0x2069);
}

bool lt_overrides_check_text(
		const char *what, struct lt_str text, size_t bytes_max, struct lt_err *err)
{
	struct lt_str rest = text;

	if (text.n > bytes_max) {
		return lt_err_set(err, LT_E_INVALID, "%s: at most %zu bytes, not %zu", what,
				bytes_max, text.n);
	}
	if (!lt_utf8_valid(text)) {
		return lt_err_set(err, LT_E_INVALID, "%s: not UTF-8", what);
	}
	if (lt_str_trim(text).n == 0) {
		return lt_err_set(err, LT_E_INVALID, "%s: a text is missing", what);
	}
	while (rest.n > 0) {
		uint32_t point;
		size_t n = lt_utf8_next(rest, &point);

		if (!is_printable(point)) {
			return lt_err_set(err, LT_E_INVALID,
					"%s: control characters are not allowed", what);
		}
		rest = lt_str_skip(rest, n);
	}
	return true;
}

static bool check_url(struct lt_str url, struct lt_err *err)
{
	bool is_web = lt_str_starts(url, LT_STR("https://")) ||
			lt_str_starts(url, LT_STR("http://"));

	if (!lt_overrides_check_text("url", url, URL_MAX_BYTES, err)) {
		return false;
	}
	return (is_web && !memchr(url.p, ' ', url.n)) ||
			lt_err_set(err, LT_E_INVALID, "url: expected http:// or https://");
}

static bool check_flag(struct lt_str name, enum lt_flag *ret_flag, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf names = { 0 };
	char quoted[LT_QUOTE_MAX];

	if (lt_flag_parse(name, ret_flag)) {
		return true;
	}
	for (int i = 0; i < LT_FLAG_COUNT; i++) {
		lt_buf_printf(&names, "%s%s", i ? ", " : "", lt_flag_name((enum lt_flag)i));
	}
	return lt_err_set(err, LT_E_INVALID, "flag: expected one of %s; not %s", names.p,
			lt_str_quote(name, quoted));
}

static bool text_param(const cJSON *params, const char *key, size_t bytes_max, struct lt_str *ret,
		struct lt_err *err)
{
	const cJSON *value = lt_json_get(params, key);

	if (!cJSON_IsString(value)) {
		return lt_err_set(err, LT_E_INVALID, "%s: a text is missing", key);
	}
	*ret = lt_str_from(value->valuestring);
	return lt_overrides_check_text(key, *ret, bytes_max, err);
}

/* --- orders --- */

struct order {
	cJSON *json;
	const cJSON *params;
	int64_t now_ms;
};

static bool set_text(const struct order *order, const char *member, const char *param,
		size_t bytes_max, struct lt_err *err)
{
	struct lt_str text;

	if (!text_param(order->params, param, bytes_max, &text, err)) {
		return false;
	}
	lt_json_set_take(order->json, member, lt_json_new_str(text));
	return true;
}

static bool rename_it(const struct order *order, struct lt_err *err)
{
	return set_text(order, "name", "name", NAME_MAX_BYTES, err);
}

static bool describe(const struct order *order, struct lt_err *err)
{
	return set_text(order, "description", "text", LT_DESK_TEXT_MAX, err);
}

static bool attribute(const struct order *order, struct lt_err *err)
{
	const cJSON *url = lt_json_get(order->params, "url");
	struct lt_str text, address = { "", 0 };
	cJSON *source;

	if (!text_param(order->params, "text", NAME_MAX_BYTES, &text, err)) {
		return false;
	}
	if (cJSON_IsString(url)) {
		address = lt_str_from(url->valuestring);
		if (!check_url(address, err)) {
			return false;
		}
	}
	source = cJSON_CreateArray();
	cJSON_AddItemToArray(source, lt_json_new_str(text));
	cJSON_AddItemToArray(source, lt_json_new_str(address));
	lt_json_set_take(order->json, "attribution", source);
	return true;
}

static bool hide(const struct order *order, struct lt_err *err)
{
	(void)err;
	lt_json_set_take(order->json, "hidden", cJSON_CreateTrue());
	return true;
}

static bool unhide(const struct order *order, struct lt_err *err)
{
	(void)err;
	lt_json_set_take(order->json, "hidden", cJSON_CreateFalse());
	return true;
}

static bool make_private(const struct order *order, struct lt_err *err)
{
	(void)err;
	lt_json_set_take(order->json, "private", cJSON_CreateTrue());
	return true;
}

static bool make_public(const struct order *order, struct lt_err *err)
{
	(void)err;
	lt_json_set_take(order->json, "private", cJSON_CreateFalse());
	return true;
}

static bool set_flag(const struct order *order, struct lt_err *err)
{
	enum lt_flag flag;
	struct lt_str name;

	if (!text_param(order->params, "flag", CAR_MAX_BYTES, &name, err) ||
			!check_flag(name, &flag, err)) {
		return false;
	}
	lt_json_set_take(order->json, "flag", cJSON_CreateString(lt_flag_name(flag)));
	return true;
}

static cJSON *member_object(cJSON *json, const char *key)
{
	cJSON *object = lt_json_get(json, key);

	if (!object) {
		object = cJSON_CreateObject();
		lt_json_set_take(json, key, object);
	}
	return object;
}

static bool add_penalty(const struct order *order, struct lt_err *err)
{
	LT_AUTO(lt_free) char *key = NULL;
	struct lt_str car, text;
	cJSON *penalties, *mark;

	if (!text_param(order->params, "car", CAR_MAX_BYTES, &car, err) ||
			!text_param(order->params, "text", LT_DESK_TEXT_MAX, &text, err)) {
		return false;
	}
	key = lt_str_dup(car);
	penalties = member_object(order->json, "penalties");
	if (!lt_json_get(penalties, key) && cJSON_GetArraySize(penalties) >= PENALTIES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "%d cars have penalties already", PENALTIES_MAX);
	}
	mark = cJSON_CreateObject();
	lt_json_add_str(mark, "text", text);
	lt_json_add_int(mark, "since", order->now_ms);
	lt_json_set_take(penalties, key, mark);
	return true;
}

/* Remove a member of a member, which goes when it is empty. */
static bool remove_from(cJSON *json, const char *member, const char *key)
{
	cJSON *object = lt_json_get(json, member);

	if (!lt_json_get(object, key)) {
		return false;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	if (!object->child) {
		cJSON_DeleteItemFromObjectCaseSensitive(json, member);
	}
	return true;
}

static bool clear_penalty(const struct order *order, struct lt_err *err)
{
	LT_AUTO(lt_free) char *key = NULL;
	char quoted[LT_QUOTE_MAX];
	struct lt_str car;

	if (!text_param(order->params, "car", CAR_MAX_BYTES, &car, err)) {
		return false;
	}
	key = lt_str_dup(car);
	return remove_from(order->json, "penalties", key) ||
			lt_err_set(err, LT_E_NOT_FOUND, "car %s has no penalty",
					lt_str_quote(car, quoted));
}

static bool note_option(const struct order *order, struct lt_err *err)
{
	LT_AUTO(lt_free) char *key = NULL;
	const cJSON *value = lt_json_get(order->params, "value");
	struct lt_str name;
	cJSON *options;

	if (!text_param(order->params, "name", NAME_MAX_BYTES, &name, err)) {
		return false;
	}
	if (!cJSON_IsString(value) || strlen(value->valuestring) > OPTION_MAX_BYTES) {
		return lt_err_set(err, LT_E_INVALID, "value: expected a text of at most %d bytes",
				OPTION_MAX_BYTES);
	}
	key = lt_str_dup(name);
	options = member_object(order->json, "options");
	if (!lt_json_get(options, key) && cJSON_GetArraySize(options) >= OPTIONS_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "%d options are changed already", OPTIONS_MAX);
	}
	lt_json_set_take(options, key, cJSON_CreateString(value->valuestring));
	return true;
}

/* What `clear` may name, and the member that goes. "private" is for its own verbs. */
static const struct {
	const char *what, *member;
} clearable[] = {
	{ "name", "name" },
	{ "description", "description" },
	{ "attribution", "attribution" },
	{ "hidden", "hidden" },
	{ "flag", "flag" },
	{ "penalties", "penalties" },
	{ "options", "options" },
};

static bool clear(const struct order *order, struct lt_err *err)
{
	const cJSON *what = lt_json_get(order->params, "what");
	const char *name = cJSON_IsString(what) ? what->valuestring : NULL;
	bool known = name == NULL;
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < LT_ARRAY_LEN(clearable); i++) {
		if (!name || strcmp(name, clearable[i].what) == 0) {
			known = true;
			cJSON_DeleteItemFromObjectCaseSensitive(order->json, clearable[i].member);
		}
	}
	if (!lt_json_get(order->json, "flag")) {
		cJSON_DeleteItemFromObjectCaseSensitive(order->json, "feedFlag");
	}
	return known ||
			lt_err_set(err, LT_E_INVALID,
					"what: expected name, description, attribution, hidden, "
					"flag, penalties or options, not %s",
					lt_str_quote(lt_str_from(name), quoted));
}

static const struct {
	const char *name;
	bool (*run)(const struct order *order, struct lt_err *err);
} orders[] = {
	{ "rename", rename_it },
	{ "describe", describe },
	{ "attribute", attribute },
	{ "hide", hide },
	{ "unhide", unhide },
	{ "flag", set_flag },
	{ "penalty", add_penalty },
	{ "clearPenalty", clear_penalty },
	{ "option", note_option },
	{ "private", make_private },
	{ "public", make_public },
	{ "clear", clear },
};

bool lt_overrides_order(struct lt_overrides *overrides, const char *name, const cJSON *params,
		int64_t now_ms, struct lt_err *err)
{
	const struct order order = { overrides->json, params, now_ms };
	char quoted[LT_QUOTE_MAX];

	for (size_t i = 0; i < LT_ARRAY_LEN(orders); i++) {
		if (strcmp(orders[i].name, name) == 0) {
			return orders[i].run(&order, err);
		}
	}
	return lt_err_set(err, LT_E_NOT_FOUND, "there is no order %s",
			lt_str_quote(lt_str_from(name), quoted));
}

void lt_overrides_end_session(struct lt_overrides *overrides)
{
	cJSON_DeleteItemFromObjectCaseSensitive(overrides->json, "flag");
	cJSON_DeleteItemFromObjectCaseSensitive(overrides->json, "feedFlag");
	cJSON_DeleteItemFromObjectCaseSensitive(overrides->json, "penalties");
}

/* --- reading --- */

static void copy_to(cJSON *to, const char *key, const cJSON *value)
{
	if (value) {
		lt_json_set_take(to, key, cJSON_Duplicate(value, true));
	}
}

static bool read_texts(const cJSON *json, struct lt_overrides *fresh, struct lt_err *err)
{
	static const struct {
		const char *member, *order, *param;
	} texts[] = {
		{ "name", "rename", "name" },
		{ "description", "describe", "text" },
		{ "flag", "flag", "flag" },
	};

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		const cJSON *value = lt_json_get(json, texts[i].member);
		LT_AUTO(cJSON_Delete) cJSON *params = cJSON_CreateObject();

		copy_to(params, texts[i].param, value);
		if (value && !lt_overrides_order(fresh, texts[i].order, params, 0, err)) {
			return false;
		}
	}
	return true;
}

static bool read_pairs(const cJSON *json, struct lt_overrides *fresh, struct lt_err *err)
{
	const cJSON *source = lt_json_get(json, "attribution"), *item;

	if (source) {
		LT_AUTO(cJSON_Delete) cJSON *params = cJSON_CreateObject();
		const cJSON *url = cJSON_GetArrayItem(source, 1);

		copy_to(params, "text", cJSON_GetArrayItem(source, 0));
		if (cJSON_IsString(url) && url->valuestring[0]) {
			lt_json_set_take(params, "url", cJSON_Duplicate(url, true));
		}
		if (!lt_overrides_order(fresh, "attribute", params, 0, err)) {
			return false;
		}
	}
	cJSON_ArrayForEach(item, lt_json_get(json, "options")) {
		LT_AUTO(cJSON_Delete) cJSON *params = cJSON_CreateObject();

		lt_json_add_c(params, "name", item->string ? item->string : "");
		copy_to(params, "value", item);
		if (!lt_overrides_order(fresh, "option", params, 0, err)) {
			return false;
		}
	}
	cJSON_ArrayForEach(item, lt_json_get(json, "penalties")) {
		LT_AUTO(cJSON_Delete) cJSON *params = cJSON_CreateObject();
		const cJSON *since = lt_json_get(item, "since");

		lt_json_add_c(params, "car", item->string ? item->string : "");
		copy_to(params, "text", lt_json_get(item, "text"));
		if (!lt_overrides_order(fresh, "penalty", params,
				    cJSON_IsNumber(since) ? (int64_t)since->valuedouble : 0, err)) {
			return false;
		}
	}
	return true;
}

bool lt_overrides_read(struct lt_overrides *overrides, const cJSON *json, struct lt_err *err)
{
	static const char *const flags[] = { "hidden", "private" };
	struct lt_overrides fresh = { cJSON_CreateObject() };
	const cJSON *feed_flag = lt_json_get(json, "feedFlag");
	bool ok = cJSON_IsObject(json) && read_texts(json, &fresh, err) &&
			read_pairs(json, &fresh, err);

	if (!ok) {
		cJSON_Delete(fresh.json);
		return cJSON_IsObject(json) ? false : lt_err_set(err, LT_E_FORMAT, "not an object");
	}
	for (size_t i = 0; i < LT_ARRAY_LEN(flags); i++) {
		const cJSON *value = lt_json_get(json, flags[i]);

		if (cJSON_IsBool(value)) {
			lt_json_add_bool(fresh.json, flags[i], cJSON_IsTrue(value));
		}
	}
	if (cJSON_IsString(feed_flag)) {
		lt_json_add_c(fresh.json, "feedFlag", feed_flag->valuestring);
	}
	cJSON_Delete(overrides->json);
	overrides->json = fresh.json;
	return true;
}

/* --- laying over --- */

void lt_overrides_on_manifest(const struct lt_overrides *overrides, cJSON *manifest)
{
	copy_to(manifest, "name", lt_json_get(overrides->json, "name"));
	copy_to(manifest, "description", lt_json_get(overrides->json, "description"));
	copy_to(manifest, "source", lt_json_get(overrides->json, "attribution"));
	copy_to(manifest, "hidden", lt_json_get(overrides->json, "hidden"));
	if (cJSON_IsTrue(lt_json_get(overrides->json, "private"))) {
		lt_json_set_take(manifest, "hidden", cJSON_CreateTrue());
		lt_json_set_take(manifest, "private", cJSON_CreateTrue());
	}
}

void lt_overrides_on_state(struct lt_overrides *overrides, cJSON *state)
{
	cJSON *session = lt_json_get(state, "session");
	const cJSON *flag = lt_json_get(overrides->json, "flag");

	if (!cJSON_IsObject(session)) {
		return;
	}
	if (flag) {
		copy_to(overrides->json, "feedFlag", lt_json_get(session, "flagState"));
		lt_json_set_take(session, "flagState", cJSON_Duplicate(flag, true));
	}
	copy_to(session, "penalties", lt_json_get(overrides->json, "penalties"));
}

void lt_overrides_off_state(const struct lt_overrides *overrides, cJSON *state)
{
	cJSON *session = lt_json_get(state, "session");

	if (!cJSON_IsObject(session)) {
		return;
	}
	if (lt_json_get(overrides->json, "flag")) {
		copy_to(session, "flagState", lt_json_get(overrides->json, "feedFlag"));
	}
	if (lt_json_get(overrides->json, "penalties")) {
		cJSON_DeleteItemFromObjectCaseSensitive(session, "penalties");
	}
}

cJSON *lt_overrides_penalty_message(struct lt_str car, struct lt_str text, int64_t now_s)
{
	LT_AUTO(lt_buf_finish) struct lt_buf line = { 0 };
	cJSON *message;

	lt_buf_printf(&line, "Car %.*s: %.*s", LT_STR_ARG(car), LT_STR_ARG(text));
	message = lt_message_race_control(lt_buf_str(&line), now_s);
	/* the generator finds digits; a car may be named otherwise */
	if (cJSON_GetArraySize(message) > 4) {
		cJSON_DeleteItemFromArray(message, 4);
	}
	cJSON_AddItemToArray(message, lt_json_new_str(car));
	return message;
}
