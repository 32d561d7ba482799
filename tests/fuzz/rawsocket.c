/* What a RawSocket peer writes: handshake, frames, messages of every serializer. */
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct wire wire;

	if (!wire.loop) {
		wire_start(&wire, "rs:");
	}
	if (n <= 65536) {
		wire_exchange(&wire, bytes, n);
	}
	return 0;
}
