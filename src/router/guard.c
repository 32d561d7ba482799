#include "router/guard.h"

#include "base/alloc.h"
#include "base/table.h"
#include "router/authz.h"
#include "router/member.h"

#define NAMES_MAX      1000
#define NAME_BYTES_MAX 128
#define ADMITTED_MAX   100000 /* of one name */
#define TOPICS_MAX     8

struct admitted {
	UT_hash_handle hh;
	uint64_t session;
};

struct lt_lock {
	struct lt_lock *prev, *next;
	struct admitted *admitted;
	struct lt_str name; /* bytes follow */
	char bytes[];
};

struct lt_guard {
	struct lt_lock *locks;
	size_t count;
	struct lt_lock *nobody; /* for events that mention names: no admission helps */
	char *topics[TOPICS_MAX];
	size_t topic_count;
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
	DL_FOREACH_SAFE(guard->locks, lock, next) {
		free_lock(lock);
	}
	free_lock(guard->nobody);
	for (size_t i = 0; i < guard->topic_count; i++) {
		lt_free(guard->topics[i]);
	}
	lt_free(guard);
}

static struct lt_lock *find_lock(const struct lt_guard *guard, struct lt_str name)
{
	struct lt_lock *lock;

	DL_FOREACH(guard->locks, lock) {
		if (lt_str_eq(lock->name, name)) {
			return lock;
		}
	}
	return NULL;
}

static bool has_digit(struct lt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] >= '0' && name.p[i] <= '9') {
			return true;
		}
	}
	return false;
}

bool lt_guard_close(struct lt_guard *guard, struct lt_str name, struct lt_err *err)
{
	struct lt_lock *lock = find_lock(guard, name);

	if (lock) {
		send_away(lock);
		return true;
	}
	if (name.n > NAME_BYTES_MAX || !has_digit(name)) {
		return lt_err_set(err, LT_E_INVALID,
				"a name that can be closed has at most %d bytes and a digit in it",
				NAME_BYTES_MAX);
	}
	if (guard->count >= NAMES_MAX) {
		return lt_err_set(err, LT_E_LIMIT, "%d names are closed already", NAMES_MAX);
	}
	lock = make_lock(name);
	DL_APPEND(guard->locks, lock);
	guard->count++;
	return true;
}

void lt_guard_open(struct lt_guard *guard, struct lt_str name)
{
	struct lt_lock *lock = find_lock(guard, name);

	if (lock) {
		DL_DELETE(guard->locks, lock);
		guard->count--;
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
	struct lt_lock *lock;

	DL_FOREACH(guard->locks, lock) {
		struct admitted *admitted = find_admitted(lock, session);

		if (admitted) {
			HASH_DEL(lock->admitted, admitted);
			lt_free(admitted);
		}
	}
}

void lt_guard_announce(struct lt_guard *guard, struct lt_str topic)
{
	if (guard->topic_count < TOPICS_MAX) {
		guard->topics[guard->topic_count++] = lt_str_dup(topic);
	}
}

/* --- questions --- */

static bool is_end(char c)
{
	return c == '.' || c == '/';
}

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

/* Between delimiters; `part` begins behind one. */
static bool carries(struct lt_str part, struct lt_str name)
{
	for (size_t at = 0; at + name.n <= part.n;) {
		const char *found = memmem(part.p + at, part.n - at, name.p, name.n);
		size_t begin, end;

		if (!found) {
			return false;
		}
		begin = (size_t)(found - part.p);
		end = begin + name.n;
		if ((begin == 0 || is_end(part.p[begin - 1])) &&
				(end == part.n || is_end(part.p[end]))) {
			return true;
		}
		at = begin + 1;
	}
	return false;
}

const struct lt_lock *lt_guard_find(const struct lt_guard *guard, struct lt_str uri)
{
	const struct lt_lock *lock;
	struct lt_str part;

	if (!guard->locks) {
		return NULL;
	}
	part = own_part(uri);
	DL_FOREACH(guard->locks, lock) {
		if (part.n > 0 && carries(part, lock->name)) {
			return lock;
		}
	}
	return NULL;
}

static bool mentions_any(const struct lt_guard *guard, struct lt_str args)
{
	const struct lt_lock *lock;

	DL_FOREACH(guard->locks, lock) {
		if (args.n > 0 && memmem(args.p, args.n, lock->name.p, lock->name.n)) {
			return true;
		}
	}
	return false;
}

const struct lt_lock *lt_guard_find_event(
		const struct lt_guard *guard, struct lt_str topic, struct lt_str args)
{
	const struct lt_lock *lock;

	if (!guard->locks) {
		return NULL;
	}
	lock = lt_guard_find(guard, topic);
	for (size_t i = 0; !lock && i < guard->topic_count; i++) {
		if (lt_str_eq_c(topic, guard->topics[i]) && mentions_any(guard, args)) {
			lock = guard->nobody;
		}
	}
	return lock;
}

bool lt_lock_passes(const struct lt_lock *lock, const struct lt_member *member)
{
	return !lock || lt_role_is_services(member->role) || find_admitted(lock, member->id);
}
