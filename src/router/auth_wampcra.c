/*
 * Method "wampcra": the client proves that it has the secret by signing a
 * challenge. The key is the secret itself, or for a salted principal the
 * base64 text of the derived key, which is what we store.
 */
#include "base/crypto.h"
#include "router/auth.h"

#define NONCE_BYTES 16

/* The text to sign, exactly as sent. */
static void write_challenge(struct lt_buf *text, struct lt_auth *auth,
		const struct lt_auth_hello *hello, const char *role)
{
	uint8_t nonce[NONCE_BYTES];
	char now[LT_WALL_TEXT];

	lt_random_bytes(lt_auth_random(auth), nonce, sizeof(nonce));
	lt_wall_format(hello->now, now);
	lt_buf_add_c(text, "{\"authid\":");
	lt_json_write_str(text, hello->authid);
	lt_buf_add_c(text, ",\"authrole\":");
	lt_json_write_str(text, lt_str_from(role));
	lt_buf_add_c(text, ",\"authmethod\":\"wampcra\",\"authprovider\":\"static\",\"nonce\":\"");
	lt_hex_encode(text, nonce, sizeof(nonce));
	lt_buf_printf(text, "\",\"timestamp\":\"%s\",\"session\":%llu}", now,
			(unsigned long long)hello->session);
}

static void challenge(struct lt_auth *auth, const struct lt_auth_hello *hello,
		const struct lt_auth_principal *principal, struct lt_auth_attempt *attempt)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	uint8_t mac[LT_SHA256_BYTES];

	write_challenge(&text, auth, hello, principal->role ? principal->role : "services");
	lt_hmac_sha256(lt_buf_str(&principal->secret), lt_buf_str(&text), mac);
	lt_base64_encode(&attempt->expected, mac, sizeof(mac));
	lt_buf_add_c(&attempt->extra, "{\"challenge\":");
	lt_json_write_str(&attempt->extra, lt_buf_str(&text));
	if (principal->salt.n > 0) {
		lt_buf_add_c(&attempt->extra, ",\"salt\":");
		lt_json_write_str(&attempt->extra, lt_buf_str(&principal->salt));
		lt_buf_printf(&attempt->extra, ",\"iterations\":%u,\"keylen\":%u",
				principal->iterations, principal->keylen);
	}
	lt_buf_add_char(&attempt->extra, '}');
}

static enum lt_auth_outcome begin(struct lt_auth *auth, const struct lt_auth_hello *hello,
		struct lt_auth_attempt *attempt)
{
	if (!hello->authid.p) {
		attempt->refusal = "wamp.error.authentication_failed";
		return LT_AUTH_REFUSE;
	}
	attempt->principal = lt_auth_find(auth, hello->authid, LT_METHOD_WAMPCRA);
	if (attempt->principal) {
		attempt->role = attempt->principal->role;
		challenge(auth, hello, attempt->principal, attempt);
	} else {
		struct lt_auth_principal decoy;

		lt_auth_decoy(auth, hello->authid, &decoy);
		challenge(auth, hello, &decoy, attempt);
		lt_buf_finish(&decoy.secret);
		lt_buf_finish(&decoy.salt);
	}
	lt_buf_add_str(&attempt->authid, hello->authid);
	return LT_AUTH_CHALLENGE;
}

static bool check(const struct lt_auth_attempt *attempt, struct lt_str signature)
{
	return lt_secret_eq(lt_buf_str(&attempt->expected), signature);
}

const struct lt_auth_method lt_auth_wampcra = { .name = "wampcra", .begin = begin, .check = check };
