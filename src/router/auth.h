/*
 * Authentication: principals and the methods by which a session becomes one of
 * them. A method is one file with one table. Pure: no sockets, time and ids
 * are arguments. Secrets are wiped, never logged, never sent.
 */
#ifndef LT_ROUTER_AUTH_H
#define LT_ROUTER_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/json.h"
#include "router/router.h"

struct lt_auth;
struct lt_auth_principal;

enum lt_auth_outcome { LT_AUTH_ACCEPT, LT_AUTH_CHALLENGE, LT_AUTH_REFUSE };

/* What a client said in HELLO. */
struct lt_auth_hello {
	const cJSON *authmethods; /* array of strings, or NULL */
	struct lt_str authid;     /* p NULL: not given */
	uint64_t session;         /* the id that WELCOME will carry */
	struct lt_wall now;
};

/* One attempt, embedded in a session; lt_auth_attempt_finish frees what it holds. */
struct lt_auth_attempt {
	const struct lt_auth_method *method;
	const struct lt_auth_principal *principal; /* NULL: nobody, whatever is answered */
	struct lt_buf authid;                      /* of the session, when accepted */
	const char *role;                          /* borrowed from auth, when accepted */
	struct lt_buf extra;                       /* CHALLENGE.Extra, a JSON object */
	struct lt_buf expected;                    /* the right answer */
	const char *refusal;                       /* error URI, when refused */
};
void lt_auth_attempt_finish(struct lt_auth_attempt *attempt);

struct lt_auth_method {
	const char *name; /* as in authmethods and WELCOME */
	enum lt_auth_outcome (*begin)(struct lt_auth *auth, const struct lt_auth_hello *hello,
			struct lt_auth_attempt *attempt);
	/* Is this the answer to the challenge? Methods without one have NULL. */
	bool (*check)(const struct lt_auth_attempt *attempt, struct lt_str signature);
};
extern const struct lt_auth_method lt_auth_anonymous, lt_auth_wampcra, lt_auth_ticket;

/* tickets: is "ticket" one of the methods? */
struct lt_auth *lt_auth_create(struct lt_random *random, bool tickets);
void lt_auth_destroy(struct lt_auth *auth); /* NULL is fine */
bool lt_auth_add(struct lt_auth *auth, const struct lt_principal *principal, struct lt_err *err);

/*
 * All principals, instead of those of before. Sessions stay; who is gone cannot
 * join any more. Whether each can be added was checked: lt_auth_check.
 */
void lt_auth_replace(struct lt_auth *auth, const struct lt_principal *list, size_t count);
bool lt_auth_check(const struct lt_principal *principal, struct lt_err *err);
void lt_auth_set_tickets(struct lt_auth *auth, bool tickets);

/* Try the client's methods in its order; absent or empty means anonymous. */
enum lt_auth_outcome lt_auth_begin(struct lt_auth *auth, const struct lt_auth_hello *hello,
		struct lt_auth_attempt *attempt);
/* The answer to a challenge; there is one attempt. */
enum lt_auth_outcome lt_auth_finish(struct lt_auth_attempt *attempt, struct lt_str signature);

/* For the methods. */
struct lt_auth_principal {
	struct lt_auth_principal *next;
	char *authid, *role;
	struct lt_buf secret, salt;
	struct lt_buf ticket; /* empty: it cannot use one */
	uint32_t iterations, keylen;
	unsigned methods; /* set of LT_METHOD_* */
};
/* The principal of this authid if it may use the method (one LT_METHOD_*), or NULL. */
const struct lt_auth_principal *lt_auth_find(
		const struct lt_auth *auth, struct lt_str authid, unsigned method);
/*
 * What to show for an authid that does not exist, so that it looks like one
 * that does: like the first salted principal if there is one, else the first,
 * with a salt that stays the same for the same authid.
 */
void lt_auth_decoy(const struct lt_auth *auth, struct lt_str authid,
		struct lt_auth_principal *ret_decoy);
struct lt_random *lt_auth_random(const struct lt_auth *auth);

#endif
