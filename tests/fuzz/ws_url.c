/* Addresses of WebSocket feeds. */
#include "net/ws_url.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lt_ws_url url;
	struct lt_err err;

	if (lt_ws_url_parse(fuzz_text(bytes, n), &url, &err)) {
		lt_ws_url_finish(&url);
	} else {
		assert(err.msg[0]);
	}
	return 0;
}
