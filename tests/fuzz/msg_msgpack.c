#include "msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	fuzz_message(&lt_serializer_msgpack, fuzz_text(bytes, n));
	return 0;
}
