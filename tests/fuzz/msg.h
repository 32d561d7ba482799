/* A message of one format: whatever is accepted has readable options and a body for every format.
 */
#ifndef LT_TESTS_FUZZ_MSG_H
#define LT_TESTS_FUZZ_MSG_H

#include "fuzz.h"
#include "router/options.h"
#include "router/transcode.h"
#include "router/wamp_msg.h"

static inline void fuzz_convert(const struct lt_binary *from, struct lt_str value)
{
	static const struct lt_serializer *const all[] = { &lt_serializer_json,
		&lt_serializer_msgpack, &lt_serializer_cbor };

	for (size_t i = 0; value.p && i < LT_ARRAY_LEN(all); i++) {
		if (all[i]->values != from) {
			LT_AUTO(lt_buf_finish) struct lt_buf out = { 0 };

			assert(lt_transcode(from, value, all[i]->values, &out, NULL));
		}
	}
}

static inline void fuzz_options(struct lt_str details)
{
	struct lt_publish_options publish;
	struct lt_subscribe_options subscribe;
	struct lt_call_options call;
	struct lt_register_options registration;
	struct lt_cancel_options cancel;
	struct lt_yield_options yield;
	struct lt_err err;

	lt_publish_options_read(details, &publish, &err);
	lt_subscribe_options_read(details, &subscribe, &err);
	lt_call_options_read(details, &call, &err);
	lt_register_options_read(details, &registration, &err);
	lt_cancel_options_read(details, &cancel, &err);
	lt_yield_options_read(details, &yield, &err);
}

static inline void fuzz_message(const struct lt_serializer *serializer, struct lt_str message)
{
	struct lt_msg_scratch scratch = { 0 };
	struct lt_msg msg;
	struct lt_err err;

	if (lt_msg_decode(serializer, message, 64, &scratch, &msg, &err)) {
		assert(lt_utf8_valid(msg.uri));
		if (msg.details.p) {
			fuzz_options(msg.details);
		}
		fuzz_convert(serializer->values, msg.body.args);
		fuzz_convert(serializer->values, msg.body.kwargs);
	} else {
		assert(err.msg[0]);
	}
	lt_msg_scratch_finish(&scratch);
}

#endif
