#include "router/guard.h"

#include "base/alloc.h"
#include "base/table.h"
#include "router/authz.h"
#include "router/member.h"

#define NAMES_MAX      20000
#define NAME_BYTES_MAX 128
#define ADMITTED_MAX   100000 /* of one name */
#define TOPICS_MAX     8

struct admitted {
	UT_hash_handle hh;
	uint64_t session;
};

struct lt_lock {
	UT_hash_handle hh; /* by name */
	struct admitted *admitted;
	struct lt_str name;
	char bytes[];
};

struct announcement {
	char *topic, *closed_by;
};

struct lt_guard {
	struct lt_lock *locks;
	struct lt_lock *nobody; /* for events that mention names: no admission helps */
	struct announcement announcements[TOPICS_MAX];
	size_t announcement_count;
};

static struct lt_lock *make_lock(struct lt_str name)
{
	struct lt_lock *lock = lt_zalloc(sizeof(*lock) + name.n + 1);

	if (name.n > 0) {
		memcpy(lock->bytes, name.p, name.n);
	}
	lock->name = (struct lt_str){ lock->bytes, name.n };
	return lock;
}

static struct admitted *find_admitted(const struct lt_lock *lock, uint64_t session)
{
	struct admitted *found = NULL;

	HASH_FIND(hh, lock->admitted, &session, sizeof(session), found);
	return found;
}

static void send_away(struct lt_lock *lock)
{
	struct admitted *admitted, *next;

	HASH_ITER(hh, lock->admitted, admitted, next) {
		HASH_DEL(lock->admitted, admitted);
		lt_free(admitted);
	}
}

static void free_lock(struct lt_lock *lock)
{
	send_away(lock);
	lt_free(lock);
}

struct lt_guard *lt_guard_create(void)
{
	struct lt_guard *guard = lt_zalloc(sizeof(*guard));

	guard->nobody = make_lock(LT_STR(""));
	return guard;
}

void lt_guard_destroy(struct lt_guard *guard)
{
	struct lt_lock *lock, *next;

	if (!guard) {
		return;
	}
	HASH_ITER(hh, guard->locks, lock, next) {
		HASH_DEL(guard->locks, lock);
		free_lock(lock);
	}
	free_lock(guard->nobody);
	for (size_t i = 0; i < guard->announcement_count; i++) {
		lt_free(guard->announcements[i].topic);
		lt_free(guard->announcements[i].closed_by);
	}
	lt_free(guard);
}

static struct lt_lock *find_lock(const struct lt_guard *guard, struct lt_str name)
{
	struct lt_lock *found = NULL;

	if (guard->locks && name.n > 0) {
		HASH_FIND(hh, guard->locks, name.p, (unsigned)name.n, found);
	}
	return found;
}

static bool is_end(char c)
{
	return c == '.' || c == '/';
}

static bool is_closable(struct lt_str name)
{
	bool has_digit = false;

	for (size_t i = 0; i < name.n; i++) {
		if (is_end(name.p[i])) {
			return false;
		}
		has_digit = has_digit || (name.p[i] >= '0' && name.p[i] <= '9');
	}
	return has_digit && name.n <= NAME_BYTES_MAX;
}

bool lt_guard_close(struct lt_guard *guard, struct lt_str name, struct lt_err *err)
{
	struct lt_lock *lock = find_lock(guard, name);

	if (lock) {
		send_away(lock);
		return true;
	}
	if (!is_closable(name)) {
		return lt_err_set(err, LT_E_INVALID,
				"a name that can be closed has at most %d bytes, a digit in it, and no "
				"dot or slash",
				NAME_BYTES_MAX);
	}
	if (HASH_COUNT(guard->locks) >= NAMES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "%d names are closed already", NAMES_MAX);
	}
	lock = make_lock(name);
	HASH_ADD_KEYPTR(hh, guard->locks, lock->name.p, (unsigned)lock->name.n, lock);
	return true;
}

void lt_guard_open(struct lt_guard *guard, struct lt_str name)
{
	struct lt_lock *lock = find_lock(guard, name);

	if (lock) {
		HASH_DEL(guard->locks, lock);
		free_lock(lock);
	}
}

/* --- admission --- */

bool lt_guard_admit(struct lt_guard *guard, struct lt_str name, uint64_t session)
{
	struct lt_lock *lock = find_lock(guard, name);
	struct admitted *admitted;

	if (!lock ||
			(!find_admitted(lock, session) &&
					HASH_COUNT(lock->admitted) >= ADMITTED_MAX)) {
		return false;
	}
	if (!find_admitted(lock, session)) {
		admitted = lt_zalloc(sizeof(*admitted));
		admitted->session = session;
		HASH_ADD(hh, lock->admitted, session, sizeof(session), admitted);
	}
	return true;
}

bool lt_guard_is_admitted(const struct lt_guard *guard, struct lt_str name, uint64_t session)
{
	const struct lt_lock *lock = find_lock(guard, name);

	return lock && find_admitted(lock, session);
}

void lt_guard_leave(struct lt_guard *guard, uint64_t session)
{
	struct lt_lock *lock, *next;

	HASH_ITER(hh, guard->locks, lock, next) {
		struct admitted *admitted = find_admitted(lock, session);

		if (admitted) {
			HASH_DEL(lock->admitted, admitted);
			lt_free(admitted);
		}
	}
}

void lt_guard_announce(struct lt_guard *guard, const char *topic, const char *closed_by)
{
	if (guard->announcement_count < TOPICS_MAX) {
		guard->announcements[guard->announcement_count++] =
				(struct announcement){ lt_strdup(topic),
					closed_by ? lt_strdup(closed_by) : NULL };
	}
}

/* --- questions --- */

/* Behind the second delimiter; empty when there is none. */
static struct lt_str own_part(struct lt_str uri)
{
	int delimiters = 0;

	for (size_t i = 0; i < uri.n; i++) {
		if (is_end(uri.p[i]) && ++delimiters == 2) {
			return lt_str_skip(uri, i + 1);
		}
	}
	return (struct lt_str){ NULL, 0 };
}

const struct lt_lock *lt_guard_find(const struct lt_guard *guard, struct lt_str uri)
{
	struct lt_str rest;

	if (!guard->locks) {
		return NULL;
	}
	rest = own_part(uri);
	while (rest.n > 0) {
		struct lt_lock *lock;
		size_t n = 0;

		while (n < rest.n && !is_end(rest.p[n])) {
			n++;
		}
		lock = find_lock(guard, (struct lt_str){ rest.p, n });
		if (lock) {
			return lock;
		}
		rest = lt_str_skip(rest, n < rest.n ? n + 1 : n);
	}
	return NULL;
}

/* The bytes behind each occurrence of a key; p NULL when there is no further one. */
static struct lt_str next_after(struct lt_str text, const char *key)
{
	const char *found = text.n > 0 ? memmem(text.p, text.n, key, strlen(key)) : NULL;

	return found ? lt_str_skip(text, (size_t)(found - text.p) + strlen(key))
		     : (struct lt_str){ NULL, 0 };
}

/* What stands between a key and its value in JSON: quote, colon, blanks. */
static struct lt_str skip_colon(struct lt_str text)
{
	while (text.n > 0 && text.p[0] != '\0' && strchr("\": \t\r\n", text.p[0])) {
		text = lt_str_skip(text, 1);
	}
	return text;
}

/* A text that begins here: in JSON behind quote, colon and blanks, or with its length in front. */
static struct lt_str value_text(struct lt_str rest)
{
	struct lt_str json = skip_colon(rest);
	unsigned char first;
	size_t n = 0;

	if (json.n < rest.n || rest.n == 0) {
		while (n < json.n && json.p[n] != '"') {
			n++;
		}
		return (struct lt_str){ json.p, n };
	}
	first = (unsigned char)rest.p[0];
	if ((first == 0xd9 || first == 0x78) && rest.n > 1) { /* MessagePack, CBOR: one byte */
		n = (unsigned char)rest.p[1];
		rest = lt_str_skip(rest, 2);
	} else { /* in the head itself */
		n = first >= 0xa0 ? (first & 0x1fu) : first >= 0x60 ? first - 0x60u : 0;
		rest = lt_str_skip(rest, 1);
	}
	return (struct lt_str){ rest.p, LT_MIN(n, rest.n) };
}

static bool mentions_any(const struct lt_guard *guard, struct lt_str args)
{
	struct lt_str rest = guard->locks ? next_after(args, "uuid") : (struct lt_str){ NULL, 0 };

	while (rest.p) {
		if (find_lock(guard, value_text(rest))) {
			return true;
		}
		rest = next_after(rest, "uuid");
	}
	return false;
}

/* Is this member true anywhere: "true" in JSON, one byte in the binary forms? */
static bool is_closed_by(const char *member, struct lt_str args)
{
	struct lt_str rest = member ? next_after(args, member) : (struct lt_str){ NULL, 0 };

	while (rest.p) {
		struct lt_str value = skip_colon(rest);

		if (lt_str_starts(value, LT_STR("true")) ||
				(value.n > 0 &&
						((unsigned char)value.p[0] == 0xc3 ||
								(unsigned char)value.p[0] ==
										0xf5))) {
			return true;
		}
		rest = next_after(rest, member);
	}
	return false;
}

const struct lt_lock *lt_guard_find_event(
		const struct lt_guard *guard, struct lt_str topic, struct lt_str args)
{
	const struct lt_lock *lock = lt_guard_find(guard, topic);

	for (size_t i = 0; !lock && i < guard->announcement_count; i++) {
		const struct announcement *announcement = &guard->announcements[i];

		if (lt_str_eq_c(topic, announcement->topic) &&
				(mentions_any(guard, args) ||
						is_closed_by(announcement->closed_by, args))) {
			lock = guard->nobody;
		}
	}
	return lock;
}

struct lt_str lt_lock_name(const struct lt_lock *lock)
{
	return lock->name;
}

bool lt_lock_passes(const struct lt_lock *lock, const struct lt_member *member)
{
	return !lock || lt_role_is_services(member->role) || find_admitted(lock, member->id);
}
