/* Command lines of services: what is joined splits into the same. */
#include "base/service_args.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_args args = { 0 }, again = { 0 };
	struct lt_service_args service;
	struct lt_err err;

	if (memchr(bytes, 0, n)) {
		return 0;
	}
	if (lt_args_split(&args, fuzz_text(bytes, n), &err)) {
		LT_AUTO(lt_buf_finish) struct lt_buf joined = { 0 };

		lt_args_join(&joined, &args);
		assert(lt_args_split(&again, lt_buf_str(&joined), &err));
		assert(lt_args_equal(&args, &again));
	}
	if (lt_service_args_parse(&args, &service, &err)) {
		lt_service_args_finish(&service);
	}
	lt_args_finish(&args);
	lt_args_finish(&again);
	return 0;
}
