/* Method "anonymous": role anonymous and an authid of ours, whatever the client claims to be. */
#include "router/auth.h"

static enum lt_auth_outcome begin(struct lt_auth *auth, const struct lt_auth_hello *hello,
		struct lt_auth_attempt *attempt)
{
	uint8_t bytes[12];

	(void)hello;
	lt_random_bytes(lt_auth_random(auth), bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		lt_buf_printf(&attempt->authid, "%02x", bytes[i]);
	}
	attempt->role = "anonymous";
	return LT_AUTH_ACCEPT;
}

const struct lt_auth_method lt_auth_anonymous = { .name = "anonymous", .begin = begin };
