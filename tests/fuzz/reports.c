/* What announcements and error reports read and take apart: templates, texts, DSNs, limits,
 * crashes. */
#include "base/alloc.h"
#include "base/crash.h"
#include "base/json.h"
#include "fuzz.h"
#include "net/percent.h"
#include "services/announce/template.h"
#include "services/announce/text.h"
#include "services/sentry/sentry_event.h"

static void fit(struct lt_str text)
{
	const struct lt_template_values values = {
		.name = text,
		.service = text,
		.site = LT_STR("https://t.example"),
		.link = LT_STR("https://t.example/s/x"),
	};
	static const size_t limits[] = { 0, 2, 30, 280 };
	struct lt_buf buf = { 0 };

	for (size_t i = 0; i < LT_ARRAY_LEN(limits); i++) {
		lt_template_fit(&buf, LT_STR("{name} at {link}"), &values, limits[i],
				lt_text_length_x);
		assert(limits[i] == 0 || lt_text_length_x(lt_buf_str(&buf)) <= limits[i]);
	}
	if (lt_template_check(text, true, NULL)) {
		lt_buf_clear(&buf);
		lt_template_link(&buf, text, &values);
	}
	lt_buf_finish(&buf);
}

static void report(struct lt_str text)
{
	static const char *const secrets[] = { "hunter2!", NULL };
	const struct lt_sentry_origin origin = { "r", "e", "s", secrets };
	struct lt_sentry_dsn dsn = { 0 };
	struct lt_buf clean = { 0 };
	struct lt_err err;
	int64_t seconds = lt_sentry_rate_limit_s(text);

	assert(seconds >= 0 && seconds <= 86400);
	lt_sentry_scrub(&clean, text, secrets);
	assert(!clean.n || !memmem(clean.p, clean.n, "hunter2!", 8));
	lt_buf_finish(&clean);
	cJSON_Delete(lt_sentry_crash_event(&origin, text));
	if (lt_sentry_dsn_parse(text, &dsn, &err)) {
		lt_sentry_dsn_finish(&dsn);
	} else {
		assert(err.msg[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_str text = fuzz_text(bytes, n);
	struct lt_buf encoded = { 0 }, plain = { 0 };

	lt_percent_encode(&encoded, text);
	lt_percent_decode(&plain, lt_buf_str(&encoded), true);
	assert(lt_str_eq(text, plain.n ? lt_buf_str(&plain) : LT_STR("")));
	lt_buf_finish(&encoded);
	lt_buf_finish(&plain);
	fit(text);
	report(text);
	return 0;
}
