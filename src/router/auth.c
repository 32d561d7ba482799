#include "router/auth.h"

#include "base/alloc.h"
#include "base/crypto.h"

#define NO_METHOD      "wamp.error.no_matching_auth_method"
#define DENIED         "wamp.error.authentication_denied"
#define ITERATIONS_MIN 1000
#define DECOY_BYTES    32

struct lt_auth {
	struct lt_random *random;
	struct lt_auth_principal *principals; /* first added first */
	char decoy_key[DECOY_BYTES];
	bool tickets;
};

static const struct lt_auth_method *const methods[] = { &lt_auth_anonymous, &lt_auth_wampcra,
	&lt_auth_ticket };

struct lt_auth *lt_auth_create(struct lt_random *random, bool tickets)
{
	struct lt_auth *auth = lt_zalloc(sizeof(*auth));

	auth->random = random;
	auth->tickets = tickets;
	lt_random_bytes(random, auth->decoy_key, sizeof(auth->decoy_key));
	return auth;
}

static void wipe(struct lt_buf *buf)
{
	if (buf->p) {
		explicit_bzero(buf->p, buf->n);
	}
	lt_buf_finish(buf);
}

void lt_auth_destroy(struct lt_auth *auth)
{
	if (!auth) {
		return;
	}
	while (auth->principals) {
		struct lt_auth_principal *principal = auth->principals;

		auth->principals = principal->next;
		wipe(&principal->secret);
		wipe(&principal->ticket);
		lt_buf_finish(&principal->salt);
		lt_free(principal->authid);
		lt_free(principal->role);
		lt_free(principal);
	}
	lt_free(auth);
}

void lt_auth_attempt_finish(struct lt_auth_attempt *attempt)
{
	wipe(&attempt->expected);
	lt_buf_finish(&attempt->extra);
	lt_buf_finish(&attempt->authid);
}

static const struct lt_auth_principal *find_principal(
		const struct lt_auth *auth, struct lt_str authid)
{
	for (const struct lt_auth_principal *p = auth->principals; p; p = p->next) {
		if (p->methods != 0 && lt_str_eq_c(authid, p->authid)) {
			return p;
		}
	}
	return NULL;
}

bool lt_auth_check(const struct lt_principal *principal, struct lt_err *err)
{
	if (!principal->authid || !principal->authid[0] || principal->secret.n == 0) {
		return lt_err_set(err, LT_E_INVALID, "a principal needs an authid and a secret");
	}
	return principal->salt.n == 0 ||
			(principal->iterations >= ITERATIONS_MIN && principal->keylen > 0) ||
			lt_err_set(err, LT_E_INVALID,
					"principal %s: a salted secret needs a keylen and at least %d iterations",
					principal->authid, ITERATIONS_MIN);
}

static void clear_principal(struct lt_auth_principal *principal)
{
	wipe(&principal->secret);
	wipe(&principal->ticket);
	lt_buf_finish(&principal->salt);
	principal->methods = 0;
}

static void fill_principal(struct lt_auth_principal *copy, const struct lt_principal *principal)
{
	clear_principal(copy);
	lt_buf_add_str(&copy->secret, principal->secret);
	lt_buf_add_str(&copy->salt, principal->salt);
	lt_buf_add_str(&copy->ticket,
			principal->ticket.n > 0 || principal->salt.n > 0 ? principal->ticket
									 : principal->secret);
	copy->iterations = principal->iterations;
	copy->keylen = principal->keylen;
	copy->methods = principal->methods ? principal->methods
					   : LT_METHOD_WAMPCRA | LT_METHOD_TICKET;
	if (copy->ticket.n == 0) {
		copy->methods &= ~LT_METHOD_TICKET;
	}
}

static void append(struct lt_auth *auth, const struct lt_principal *principal)
{
	struct lt_auth_principal **end = &auth->principals;
	struct lt_auth_principal *copy = lt_zalloc(sizeof(*copy));

	copy->authid = lt_strdup(principal->authid);
	copy->role = lt_strdup(principal->role);
	fill_principal(copy, principal);
	while (*end) {
		end = &(*end)->next;
	}
	*end = copy;
}

/* Into the one of this authid and role, or as a new one. */
static void put(struct lt_auth *auth, const struct lt_principal *principal)
{
	for (struct lt_auth_principal *p = auth->principals; p; p = p->next) {
		if (p->methods == 0 && strcmp(p->authid, principal->authid) == 0 &&
				strcmp(p->role, principal->role) == 0) {
			fill_principal(p, principal);
			return;
		}
	}
	append(auth, principal);
}

bool lt_auth_add(struct lt_auth *auth, const struct lt_principal *principal, struct lt_err *err)
{
	const struct lt_auth_principal *other;

	if (!lt_auth_check(principal, err)) {
		return false;
	}
	other = find_principal(auth, lt_str_from(principal->authid));
	if (other) {
		return lt_err_set(
				err, LT_E_EXISTS, "principal %s exists already", principal->authid);
	}
	put(auth, principal);
	return true;
}

/*
 * An attempt that is under way points to its principal: principals stay where
 * they are, without a method when they are gone; one with another role is a new
 * one.
 */
void lt_auth_replace(struct lt_auth *auth, const struct lt_principal *list, size_t count)
{
	for (struct lt_auth_principal *p = auth->principals; p; p = p->next) {
		clear_principal(p);
	}
	for (size_t i = 0; i < count; i++) {
		put(auth, &list[i]);
	}
}

void lt_auth_set_tickets(struct lt_auth *auth, bool tickets)
{
	auth->tickets = tickets;
}

const struct lt_auth_principal *lt_auth_find(
		const struct lt_auth *auth, struct lt_str authid, unsigned method)
{
	const struct lt_auth_principal *principal = find_principal(auth, authid);

	return principal && (principal->methods & method) ? principal : NULL;
}

void lt_auth_decoy(const struct lt_auth *auth, struct lt_str authid,
		struct lt_auth_principal *ret_decoy)
{
	const struct lt_auth_principal *like = NULL;
	uint8_t mac[LT_SHA256_BYTES];

	for (const struct lt_auth_principal *p = auth->principals; p; p = p->next) {
		if (p->methods == 0) {
			continue;
		}
		if (p->salt.n > 0) {
			like = p;
			break;
		}
		like = like ? like : p;
	}
	*ret_decoy = (struct lt_auth_principal){
		.role = like ? like->role : NULL,
		.iterations = like ? like->iterations : 0,
		.keylen = like ? like->keylen : 0,
	};
	lt_hmac_sha256((struct lt_str){ auth->decoy_key, DECOY_BYTES }, authid, mac);
	lt_base64_encode(&ret_decoy->secret, mac, sizeof(mac));
	if (like && like->salt.n > 0) {
		lt_hex_encode(&ret_decoy->salt, mac, sizeof(mac) / 2);
		ret_decoy->salt.n = LT_MIN(ret_decoy->salt.n, like->salt.n);
	}
}

struct lt_random *lt_auth_random(const struct lt_auth *auth)
{
	return auth->random;
}

static const struct lt_auth_method *find_method(const struct lt_auth *auth, const cJSON *name)
{
	for (size_t i = 0; cJSON_IsString(name) && i < LT_ARRAY_LEN(methods); i++) {
		if (strcmp(name->valuestring, methods[i]->name) == 0) {
			return methods[i] == &lt_auth_ticket && !auth->tickets ? NULL : methods[i];
		}
	}
	return NULL;
}

enum lt_auth_outcome lt_auth_begin(struct lt_auth *auth, const struct lt_auth_hello *hello,
		struct lt_auth_attempt *attempt)
{
	const cJSON *name;

	*attempt = (struct lt_auth_attempt){ 0 };
	if (cJSON_GetArraySize(hello->authmethods) == 0) {
		attempt->method = &lt_auth_anonymous;
	}
	cJSON_ArrayForEach(name, hello->authmethods) {
		attempt->method = find_method(auth, name);
		if (attempt->method) {
			break;
		}
	}
	if (!attempt->method) {
		attempt->refusal = NO_METHOD;
		return LT_AUTH_REFUSE;
	}
	return attempt->method->begin(auth, hello, attempt);
}

enum lt_auth_outcome lt_auth_finish(struct lt_auth_attempt *attempt, struct lt_str signature)
{
	/* The comparison comes first: its time must not tell whether the authid exists. */
	if (!attempt->method->check(attempt, signature) || !attempt->principal ||
			attempt->principal->methods == 0) {
		attempt->refusal = DENIED;
		return LT_AUTH_REFUSE;
	}
	return LT_AUTH_ACCEPT;
}
