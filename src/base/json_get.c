#include <math.h>

#include "base/json.h"

/* The type alone, without cJSON's flags and our float mark (json.c). */
#define TYPE_MASK 0xFF

static const char *describe(const cJSON *item)
{
	switch (item ? item->type & TYPE_MASK : cJSON_Invalid) {
	case cJSON_False:
		return "false";
	case cJSON_True:
		return "true";
	case cJSON_NULL:
		return "null";
	case cJSON_Number:
		return "a number";
	case cJSON_String:
		return "a text";
	case cJSON_Array:
		return "an array";
	case cJSON_Object:
		return "an object";
	default:
		return "nothing";
	}
}

static bool require(
		const cJSON *object, const char *key, const cJSON **ret_item, struct lt_err *err)
{
	if (!cJSON_IsObject(object)) {
		return lt_err_set(err, LT_E_FORMAT, "expected an object with \"%s\", found %s", key,
				describe(object));
	}
	*ret_item = lt_json_get(object, key);
	if (!*ret_item) {
		return lt_err_set(err, LT_E_FORMAT, "\"%s\" is missing", key);
	}
	return true;
}

static bool wrong_type(const cJSON *item, const char *key, const char *wanted, struct lt_err *err)
{
	return lt_err_set(err, LT_E_FORMAT, "\"%s\": expected %s, found %s", key, wanted,
			describe(item));
}

bool lt_json_get_str(const cJSON *object, const char *key, struct lt_str *ret, struct lt_err *err)
{
	const cJSON *item = NULL;

	if (!require(object, key, &item, err)) {
		return false;
	}
	if (!cJSON_IsString(item)) {
		return wrong_type(item, key, "a text", err);
	}
	*ret = lt_str_from(item->valuestring);
	return true;
}

bool lt_json_get_int(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret,
		struct lt_err *err)
{
	const double exact = 9007199254740992.0; /* 2^53 */
	const cJSON *item = NULL;

	if (!require(object, key, &item, err)) {
		return false;
	}
	if (!cJSON_IsNumber(item) || item->valuedouble != trunc(item->valuedouble)) {
		return wrong_type(item, key, "a whole number", err);
	}
	double value = item->valuedouble;
	if (fabs(value) > exact || (int64_t)value < min || (int64_t)value > max) {
		return lt_err_set(err, LT_E_FORMAT, "\"%s\": %.17g is not between %lld and %lld",
				key, value, (long long)min, (long long)max);
	}
	*ret = (int64_t)value;
	return true;
}

bool lt_json_get_bool(const cJSON *object, const char *key, bool *ret, struct lt_err *err)
{
	const cJSON *item = NULL;

	if (!require(object, key, &item, err)) {
		return false;
	}
	if (!cJSON_IsBool(item)) {
		return wrong_type(item, key, "true or false", err);
	}
	*ret = cJSON_IsTrue(item);
	return true;
}

static bool is_absent(const cJSON *object, const char *key)
{
	const cJSON *item = lt_json_get(object, key);

	return !object || (cJSON_IsObject(object) && (!item || cJSON_IsNull(item)));
}

bool lt_json_opt_str(const cJSON *object, const char *key, struct lt_str *ret, struct lt_err *err)
{
	return is_absent(object, key) || lt_json_get_str(object, key, ret, err);
}

bool lt_json_opt_bool(const cJSON *object, const char *key, bool *ret, struct lt_err *err)
{
	return is_absent(object, key) || lt_json_get_bool(object, key, ret, err);
}

bool lt_json_opt_int(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret,
		struct lt_err *err)
{
	return is_absent(object, key) || lt_json_get_int(object, key, min, max, ret, err);
}
