#include "router/serializer.h"

#include "base/base.h"
#include "router/transport.h"

static const struct lt_serializer *const serializers[] = {
	&lt_serializer_json,
	&lt_serializer_msgpack,
	&lt_serializer_cbor,
	&lt_serializer_json_batched,
};

const struct lt_serializer *lt_serializer_find(struct lt_str subprotocol)
{
	for (size_t i = 0; i < LT_ARRAY_LEN(serializers); i++) {
		if (lt_str_eq_c(subprotocol, serializers[i]->subprotocol)) {
			return serializers[i];
		}
	}
	return NULL;
}

const char *lt_serializer_subprotocol(const struct lt_serializer *serializer)
{
	return serializer->subprotocol;
}

bool lt_serializer_is_binary(const struct lt_serializer *serializer)
{
	return serializer->binary;
}
