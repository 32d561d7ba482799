/*
 * Method "ticket": the client sends its ticket as it is, so this is for
 * encrypted connections and for those that never leave the machine.
 */
#include "base/crypto.h"
#include "router/auth.h"

static enum lt_auth_outcome begin(struct lt_auth *auth, const struct lt_auth_hello *hello,
		struct lt_auth_attempt *attempt)
{
	if (!hello->authid.p) {
		attempt->refusal = "wamp.error.authentication_failed";
		return LT_AUTH_REFUSE;
	}
	attempt->principal = lt_auth_find(auth, hello->authid, LT_METHOD_TICKET);
	if (attempt->principal) {
		attempt->role = attempt->principal->role;
		lt_buf_add_str(&attempt->expected, lt_buf_str(&attempt->principal->ticket));
	} else {
		struct lt_auth_principal decoy;

		lt_auth_decoy(auth, hello->authid, &decoy);
		lt_buf_add_str(&attempt->expected, lt_buf_str(&decoy.secret));
		lt_buf_finish(&decoy.secret);
		lt_buf_finish(&decoy.salt);
	}
	lt_buf_add_str(&attempt->authid, hello->authid);
	lt_buf_add_c(&attempt->extra, "{}");
	return LT_AUTH_CHALLENGE;
}

static bool check(const struct lt_auth_attempt *attempt, struct lt_str ticket)
{
	return lt_secret_eq(lt_buf_str(&attempt->expected), ticket);
}

const struct lt_auth_method lt_auth_ticket = { .name = "ticket", .begin = begin, .check = check };
