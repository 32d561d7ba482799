/*
 * A value in one format: converting it fails or gives a value of the other
 * format; and JSON that came out once comes out again the same.
 */
#include "router/transcode.h"

#include "fuzz.h"
#include "router/wamp_msg.h"

static const struct lt_serializer *const all[] = { &lt_serializer_json, &lt_serializer_msgpack,
	&lt_serializer_cbor };

static void must(const struct lt_binary *from, const struct lt_buf *value,
		const struct lt_binary *to, struct lt_buf *out)
{
	assert(lt_transcode(from, lt_buf_str(value), to, out, NULL));
}

/* The first byte says from where to where. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf there = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf first = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf back = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf second = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf again = { 0 };
	const struct lt_binary *from, *to;
	struct lt_err err;

	if (n == 0) {
		return 0;
	}
	from = all[bytes[0] % 3]->values;
	to = all[(bytes[0] % 3 + 1 + bytes[0] / 3 % 2) % 3]->values;
	if (!lt_transcode(from, fuzz_text(bytes + 1, n - 1), to, &there, &err)) {
		assert(err.msg[0] && there.n == 0);
		return 0;
	}
	if (!to) {
		to = from;
		must(NULL, &there, to, &back);
		must(to, &back, NULL, &first);
	} else {
		must(to, &there, NULL, &first);
	}
	lt_buf_clear(&back);
	must(NULL, &first, to, &back);
	must(to, &back, NULL, &second);
	must(NULL, &second, to, &again);
	lt_buf_clear(&first);
	must(to, &again, NULL, &first);
	assert(lt_str_eq(lt_buf_str(&first), lt_buf_str(&second)));
	return 0;
}
