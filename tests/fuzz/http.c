/* What an HTTP client writes: POST /call, WebSocket upgrades and frames. */
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct wire wire;

	if (!wire.loop) {
		wire_start(&wire, "");
	}
	if (n <= 65536) {
		wire_exchange(&wire, bytes, n);
	}
	return 0;
}
