#include "base/alloc.h"
#include "race/envelope.h"
#include "router/local.h"
#include "services/analysis/analysis_priv.h"

#define RPC_MANIFEST "livetiming.service.requestAnalysisManifest."
#define RPC_CAR_LIST "livetiming.service.requestAnalysisCarList."

static void answer_small(
		struct lt_live *entry, uint64_t invocation, enum lt_live_procedure procedure)
{
	LT_AUTO(cJSON_Delete) cJSON *list = cJSON_CreateArray();
	LT_AUTO(lt_buf_finish) struct lt_buf args = { 0 };
	LT_AUTO(cJSON_Delete) cJSON *cars = NULL;
	const cJSON *car;

	if (procedure == LT_LIVE_MANIFEST) {
		for (const char *const *key = lt_analysis_keys; *key; key++) {
			cJSON_AddItemToArray(list, cJSON_CreateString(*key));
		}
	} else {
		cars = lt_analysis_get(entry->analysis, LT_STR("static"));
		cJSON_ArrayForEach(car, cars) {
			cJSON_AddItemToArray(list, cJSON_CreateString(car->string));
		}
	}
	lt_buf_add_char(&args, '[');
	lt_json_print(&args, list, LT_JSON_UTF8);
	lt_buf_add_char(&args, ']');
	lt_local_yield(entry->analyses->local, invocation, lt_buf_str(&args));
}

static void on_small(struct lt_live *entry, const struct lt_invocation *invocation,
		enum lt_live_procedure procedure)
{
	if (entry->analysis == NULL) {
		lt_local_yield(entry->analyses->local, invocation->id, LT_STR("[null]"));
	} else if (entry->is_busy && (entry->job.loads || entry->job.reshape != NULL)) {
		lt_local_error(entry->analyses->local, invocation->id, "wamp.error.unavailable",
				"the analysis is being read");
	} else {
		answer_small(entry, invocation->id, procedure);
	}
}

static void on_manifest(void *arg, const struct lt_invocation *invocation)
{
	on_small(arg, invocation, LT_LIVE_MANIFEST);
}

static void on_car_list(void *arg, const struct lt_invocation *invocation)
{
	on_small(arg, invocation, LT_LIVE_CAR_LIST);
}

/* A day's data takes longer to write than the loop may wait. */
static void on_whole(void *arg, const struct lt_invocation *invocation)
{
	struct lt_live *entry = arg;

	if (entry->analysis == NULL) {
		lt_local_yield(entry->analyses->local, invocation->id, LT_STR("[null]"));
		return;
	}
	if (entry->next.question_count == LT_LIVE_QUESTIONS_MAX) {
		lt_local_error(entry->analyses->local, invocation->id, "wamp.error.unavailable",
				"too many ask for the analysis");
		return;
	}
	entry->next.questions[entry->next.question_count++] = invocation->id;
	entry->next.answers = true;
	lt_live_work(entry);
}

bool lt_live_offer(struct lt_live *entry, struct lt_err *err)
{
	static const struct {
		const char *prefix;
		lt_invocation_fn fn;
	} procedures[LT_LIVE_PROCEDURES] = {
		[LT_LIVE_WHOLE] = { LT_RPC_REQUEST_ANALYSIS, on_whole },
		[LT_LIVE_MANIFEST] = { RPC_MANIFEST, on_manifest },
		[LT_LIVE_CAR_LIST] = { RPC_CAR_LIST, on_car_list },
	};

	for (size_t i = 0; i < LT_LIVE_PROCEDURES; i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf name = { 0 };

		lt_buf_printf(&name, "%s%s", procedures[i].prefix, entry->uuid);
		if (!lt_local_register(entry->analyses->local, lt_buf_str(&name), true,
				    procedures[i].fn, entry, &entry->registrations[i], err)) {
			return false;
		}
	}
	return true;
}

void lt_live_withdraw(struct lt_live *entry)
{
	for (size_t i = 0; i < LT_LIVE_PROCEDURES; i++) {
		if (entry->registrations[i] != 0) {
			lt_local_unregister(entry->analyses->local, entry->registrations[i], NULL);
			entry->registrations[i] = 0;
		}
	}
}
