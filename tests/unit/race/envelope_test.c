#include "race/envelope.h"
#include "support/golden.h"
#include "support/test.h"

static const struct lt_wall now = { 1700000000123000 };

static const char *const class_names[] = {
	[LT_MSG_INITIALISE_DIRECTORY] = "INITIALISE_DIRECTORY",
	[LT_MSG_SERVICE_REGISTRATION] = "SERVICE_REGISTRATION",
	[LT_MSG_SERVICE_DEREGISTRATION] = "SERVICE_DEREGISTRATION",
	[LT_MSG_SERVICE_DATA] = "SERVICE_DATA",
	[LT_MSG_DIRECTORY_LISTING] = "DIRECTORY_LISTING",
	[LT_MSG_SCHEDULE_LISTING] = "SCHEDULE_LISTING",
	[LT_MSG_ANALYSIS_DATA] = "ANALYSIS_DATA",
	[LT_MSG_SERVICE_DATA_COMPRESSED] = "SERVICE_DATA_COMPRESSED",
	[LT_MSG_ANALYSIS_DATA_COMPRESSED] = "ANALYSIS_DATA_COMPRESSED",
	[LT_MSG_RECORDING_LISTING] = "RECORDING_LISTING",
};

static enum lt_msg_class class_of(const char *name)
{
	for (unsigned i = 1; i < LT_ARRAY_LEN(class_names); i++) {
		if (strcmp(class_names[i], name) == 0) {
			return (enum lt_msg_class)i;
		}
	}
	fail_msg("no class %s", name);
	return LT_MSG_SERVICE_DATA;
}

static void envelopes_are_written_as_the_original_does(void **state)
{
	cJSON *network = golden_json("golden/network.json");
	const cJSON *entry;
	(void)state;

	cJSON_ArrayForEach(entry, lt_json_get(network, "serialise")) {
		const cJSON *expected = lt_json_get(entry, "serialised");
		struct lt_buf payload = { 0 }, text = { 0 };

		lt_json_print(&payload, lt_json_get(expected, "payload"), LT_JSON_UTF8);
		lt_envelope_write(&text, class_of(lt_json_get(entry, "class")->valuestring), now,
				cJSON_IsTrue(lt_json_get(entry, "retain")), lt_buf_str(&payload));

		cJSON *args = json_of(text.p);
		assert_int_equal(cJSON_GetArraySize(args), 1);
		assert_json_equal(args->child, expected, "envelope");
		cJSON_Delete(args);
		lt_buf_finish(&payload);
		lt_buf_finish(&text);
	}
	cJSON_Delete(network);
}

/*
 * Two things differ from the original on purpose: its own clock stands in for a
 * missing date in seconds, not in milliseconds; and the retain key is read.
 */
static void envelopes_are_read_as_the_original_does(void **state)
{
	cJSON *network = golden_json("golden/network.json");
	const cJSON *entry;
	(void)state;

	cJSON_ArrayForEach(entry, lt_json_get(network, "parse")) {
		cJSON *args = cJSON_CreateArray();
		struct lt_envelope envelope;

		cJSON_AddItemToArray(args, cJSON_Duplicate(lt_json_get(entry, "raw"), true));
		bool ok = lt_envelope_read(args, now, &envelope, NULL);

		assert_int_equal(ok, !lt_json_get(entry, "raised"));
		if (ok) {
			double date = lt_json_get(entry, "date")->valuedouble;

			assert_int_equal(envelope.msg_class,
					class_of(lt_json_get(entry, "class")->valuestring));
			assert_int_equal(envelope.date_s,
					(int64_t)(date > 1e12 ? date / 1000 : date));
			assert_json_equal(envelope.payload, lt_json_get(entry, "payload"), "parse");
			assert_int_equal(envelope.retain,
					cJSON_IsTrue(lt_json_get(args->child, "retain")));
		}
		cJSON_Delete(args);
	}
	cJSON_Delete(network);
}

static void names_on_the_wire_are_those_of_the_original(void **state)
{
	cJSON *network = golden_json("golden/network.json");
	const cJSON *channels = lt_json_get(network, "channels");
	const cJSON *rpc = lt_json_get(network, "rpc");
	(void)state;

	assert_string_equal(lt_json_get(network, "realm")->valuestring, LT_REALM);
	assert_string_equal(lt_json_get(channels, "CONTROL")->valuestring, LT_TOPIC_CONTROL);
	assert_string_equal(lt_json_get(channels, "DIRECTORY")->valuestring, LT_TOPIC_DIRECTORY);
	assert_string_equal(lt_json_get(channels, "SCHEDULER")->valuestring, LT_TOPIC_SCHEDULE);
	assert_string_equal(lt_json_get(rpc, "STATE_PUBLISH")->valuestring, LT_TOPIC_SERVICE "{}");
	assert_string_equal(
			lt_json_get(rpc, "DIRECTORY_LISTING")->valuestring, LT_RPC_LIST_SERVICES);
	assert_string_equal(lt_json_get(rpc, "LIVENESS_CHECK")->valuestring, LT_RPC_IS_ALIVE "{}");
	assert_string_equal(
			lt_json_get(rpc, "REQUEST_STATE")->valuestring, LT_RPC_REQUEST_STATE "{}");
	assert_string_equal(lt_json_get(rpc, "REQUEST_ANALYSIS_DATA")->valuestring,
			LT_RPC_REQUEST_ANALYSIS "{}");
	cJSON_Delete(network);
}

static void broken_envelopes_are_refused(void **state)
{
	static const struct {
		const char *args, *error; /* a NULL error: any */
	} cases[] = {
		{ "[]", "the first argument is not an envelope" },
		{ "{}", "the first argument is not an envelope" },
		{ "[7]", "the first argument is not an envelope" },
		{ "[{\"msgClass\":2,\"date\":1}]", "envelope: payload: missing" },
		{ "[{\"msgClass\":2,\"date\":\"x\",\"payload\":1}]",
				"envelope: date: not a time in milliseconds" },
		{ "[{\"msgClass\":2,\"date\":1e300,\"payload\":1}]",
				"envelope: date: not a time in milliseconds" },
		{ "[{\"payload\":1}]", NULL },
		{ "[{\"msgClass\":0,\"payload\":1}]", NULL },
		{ "[{\"msgClass\":11,\"payload\":1}]", NULL },
		{ "[{\"msgClass\":\"8\",\"payload\":1}]", NULL },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(cases); i++) {
		struct lt_err err = { .code = LT_E_NONE };
		cJSON *args = json_of(cases[i].args);
		struct lt_envelope envelope;

		assert_false(lt_envelope_read(args, now, &envelope, &err));
		assert_int_not_equal(err.code, LT_E_NONE);
		if (cases[i].error) {
			assert_string_equal(err.msg, cases[i].error);
		}
		cJSON_Delete(args);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelopes_are_written_as_the_original_does),
		cmocka_unit_test(envelopes_are_read_as_the_original_does),
		cmocka_unit_test(names_on_the_wire_are_those_of_the_original),
		cmocka_unit_test(broken_envelopes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
