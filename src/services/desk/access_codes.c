#include "services/desk/access_codes.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/table.h"

#define ITERATIONS     1000
#define ITERATIONS_MAX 100000
#define SALT_BYTES     16
#define RECORDS_MAX    20000
#define ADDRESSES_MAX  4096
#define WINDOW_US      (60 * (int64_t)LT_US_PER_S)
#define UUID_MAX       128

struct record {
	UT_hash_handle hh; /* by uuid, oldest first */
	bool closed, has_code, has_quick;
	bool foreign;                  /* another node keeps it */
	char salt[2 * SALT_BYTES + 1]; /* hex; used as it is */
	uint32_t iterations;
	uint8_t hash[LT_SHA256_BYTES];
	uint8_t quick[LT_SHA256_BYTES]; /* keyed digest of the code that was right */
	size_t uuid_n;
	char uuid[];
};

/* Wrong tries of one address. */
struct tries {
	UT_hash_handle hh;
	struct lt_mono since;
	unsigned count;
	size_t address_n;
	char address[];
};

struct lt_access_codes {
	struct lt_random *random;
	uint8_t key[LT_SHA256_BYTES]; /* of the digests in memory */
	struct record *records;
	struct record *nobody; /* what an unknown UUID is compared with */
	struct tries *tries;
	struct lt_mono all_since;
	unsigned all_count;
};

/* --- records --- */

static struct record *make_record(struct lt_str uuid)
{
	struct record *record = lt_zalloc(sizeof(*record) + uuid.n + 1);

	if (uuid.n > 0) {
		memcpy(record->uuid, uuid.p, uuid.n);
	}
	record->uuid_n = uuid.n;
	record->iterations = ITERATIONS;
	return record;
}

static struct record *find_record(const struct lt_access_codes *codes, struct lt_str uuid)
{
	struct record *found = NULL;

	if (codes->records && uuid.n > 0) {
		HASH_FIND(hh, codes->records, uuid.p, (unsigned)uuid.n, found);
	}
	return found;
}

static void drop_record(struct record **records, struct record *record)
{
	HASH_DEL(*records, record);
	lt_free(record);
}

static struct record *add_record(struct record **records, struct lt_str uuid)
{
	struct record *record = make_record(uuid);

	if (HASH_COUNT(*records) >= RECORDS_MAX) {
		struct record *oldest = *records;

		while (oldest->hh.next && oldest->closed) {
			oldest = oldest->hh.next;
		}
		drop_record(records, oldest);
	}
	HASH_ADD_KEYPTR(hh, *records, record->uuid, (unsigned)record->uuid_n, record);
	return record;
}

static void drop_all(struct record **records)
{
	while (*records) {
		drop_record(records, *records);
	}
}

static void hex_text(char *ret, size_t ret_size, const uint8_t *bytes, size_t n)
{
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };

	lt_hex_encode(&hex, bytes, n);
	snprintf(ret, ret_size, "%.*s", (int)hex.n, hex.p);
}

static bool derive(const struct record *record, struct lt_str code, uint8_t hash[LT_SHA256_BYTES])
{
	return lt_pbkdf2_sha256(code, lt_str_from(record->salt), record->iterations, hash,
			LT_SHA256_BYTES, NULL);
}

struct lt_access_codes *lt_access_codes_create(struct lt_random *random)
{
	struct lt_access_codes *codes = lt_zalloc(sizeof(*codes));

	codes->random = random;
	codes->nobody = make_record(LT_STR(""));
	lt_random_bytes(random, codes->key, sizeof(codes->key));
	hex_text(codes->nobody->salt, sizeof(codes->nobody->salt), codes->key, SALT_BYTES);
	return codes;
}

static void forget_tries(struct lt_access_codes *codes)
{
	struct tries *tries, *next;

	HASH_ITER(hh, codes->tries, tries, next) {
		HASH_DEL(codes->tries, tries);
		lt_free(tries);
	}
}

void lt_access_codes_destroy(struct lt_access_codes *codes)
{
	if (codes) {
		drop_all(&codes->records);
		forget_tries(codes);
		lt_free(codes->nobody);
		lt_free(codes);
	}
}

/* --- the file --- */

static bool read_hash(struct lt_str hex, struct record *record)
{
	for (size_t i = 0; i < LT_SHA256_BYTES; i++) {
		char two[3] = { 0 };

		if (hex.n != (size_t)2 * LT_SHA256_BYTES) {
			return false;
		}
		memcpy(two, hex.p + 2 * i, 2);
		if (strspn(two, "0123456789abcdef") != 2) {
			return false;
		}
		record->hash[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return true;
}

static bool read_record(const cJSON *item, struct record **records, struct lt_err *err)
{
	struct lt_str uuid = lt_str_from(item->string), salt = { 0 }, hash = { 0 };
	struct record *record;
	int64_t iterations = ITERATIONS;
	bool closed = false, foreign = false;

	if (uuid.n == 0 || uuid.n > UUID_MAX || !cJSON_IsObject(item)) {
		return lt_err_set(err, LT_E_FORMAT, "an entry that is none");
	}
	if (!lt_json_get_bool(item, "closed", &closed, err) ||
			!lt_json_opt_str(item, "salt", &salt, err) ||
			!lt_json_opt_str(item, "hash", &hash, err) ||
			!lt_json_opt_bool(item, "foreign", &foreign, err) ||
			!lt_json_opt_int(item, "iterations", 1, ITERATIONS_MAX, &iterations, err)) {
		return false;
	}
	record = add_record(records, uuid);
	record->closed = closed;
	record->foreign = foreign;
	record->iterations = (uint32_t)iterations;
	if (hash.n == 0) {
		return true;
	}
	record->has_code = true;
	if (salt.n >= sizeof(record->salt) || !read_hash(hash, record)) {
		return lt_err_set(err, LT_E_FORMAT, "a hash or salt that is none");
	}
	memcpy(record->salt, salt.p, salt.n);
	return true;
}

static bool read_records(const cJSON *json, struct record **ret, struct lt_err *err)
{
	const cJSON *services = lt_json_get(json, "services"), *item;

	if (!cJSON_IsObject(services)) {
		return lt_err_set(err, LT_E_FORMAT, "services: not an object");
	}
	cJSON_ArrayForEach(item, services) {
		if (!read_record(item, ret, err)) {
			drop_all(ret);
			return false;
		}
	}
	return true;
}

bool lt_access_codes_read(struct lt_access_codes *codes, const cJSON *json, struct lt_err *err)
{
	struct record *fresh = NULL;

	if (!read_records(json, &fresh, err)) {
		return false;
	}
	drop_all(&codes->records);
	codes->records = fresh;
	return true;
}

static cJSON *record_json(const struct record *record)
{
	cJSON *item = cJSON_CreateObject();
	char hash[2 * LT_SHA256_BYTES + 1];

	lt_json_add_bool(item, "closed", record->closed);
	if (record->has_code) {
		hex_text(hash, sizeof(hash), record->hash, sizeof(record->hash));
		lt_json_add_c(item, "salt", record->salt);
		lt_json_add_c(item, "hash", hash);
		lt_json_add_int(item, "iterations", record->iterations);
	}
	if (record->foreign) {
		lt_json_add_bool(item, "foreign", true);
	}
	return item;
}

static cJSON *write_records(const struct lt_access_codes *codes, bool with_foreign)
{
	cJSON *file = cJSON_CreateObject(), *services;
	const struct record *record;

	lt_json_add_int(file, "version", 1);
	services = cJSON_AddObjectToObject(file, "services");
	for (record = codes->records; record; record = record->hh.next) {
		if (with_foreign || !record->foreign) {
			lt_json_set_take(services, record->uuid, record_json(record));
		}
	}
	return file;
}

cJSON *lt_access_codes_file(const struct lt_access_codes *codes)
{
	return write_records(codes, true);
}

cJSON *lt_access_codes_own(const struct lt_access_codes *codes)
{
	return write_records(codes, false);
}

/* Takes the record out of its table. */
static void merge_one(struct lt_access_codes *codes, struct record **from, struct record *record,
		void (*changed)(void *arg, struct lt_str uuid, bool is_closed), void *arg)
{
	struct lt_str uuid = { record->uuid, record->uuid_n };
	struct record *known = find_record(codes, uuid), *added;
	bool was_closed = known && known->closed;

	if (!known || known->foreign || !known->has_code) {
		if (known) {
			drop_record(&codes->records, known);
		}
		added = add_record(&codes->records, uuid);
		added->closed = record->closed;
		added->has_code = record->has_code;
		added->iterations = record->iterations;
		added->foreign = true;
		memcpy(added->salt, record->salt, sizeof(added->salt));
		memcpy(added->hash, record->hash, sizeof(added->hash));
		if (added->closed != was_closed) {
			changed(arg, uuid, added->closed);
		}
	}
	drop_record(from, record);
}

bool lt_access_codes_merge(struct lt_access_codes *codes, const cJSON *json,
		void (*changed)(void *arg, struct lt_str uuid, bool is_closed), void *arg,
		struct lt_err *err)
{
	struct record *others = NULL;

	if (!read_records(json, &others, err)) {
		return false;
	}
	while (others) {
		merge_one(codes, &others, others, changed, arg);
	}
	return true;
}

/* --- codes --- */

bool lt_access_code_check(struct lt_str code, struct lt_err *err)
{
	bool ok = code.n >= LT_ACCESS_CODE_MIN && code.n <= LT_ACCESS_CODE_MAX;

	for (size_t i = 0; ok && i < code.n; i++) {
		ok = code.p[i] > ' ' && code.p[i] < 0x7f;
	}
	return ok ||
			lt_err_set(err, LT_E_INVALID,
					"an access code has %d to %d printable characters, none of them a space",
					LT_ACCESS_CODE_MIN, LT_ACCESS_CODE_MAX);
}

void lt_access_code_make(struct lt_random *random, char ret_code[LT_ACCESS_CODE_TEXT])
{
	/* what is not mistaken for something else when it is read out */
	static const char letters[] = "abcdefghjkmnpqrstvwxyz0123456789";
	uint8_t bytes[20];
	size_t at = 0;

	lt_random_bytes(random, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i > 0 && i % 5 == 0) {
			ret_code[at++] = '-';
		}
		ret_code[at++] = letters[bytes[i] % 32];
	}
	ret_code[at] = '\0';
}

void lt_access_codes_close(struct lt_access_codes *codes, struct lt_str uuid, struct lt_str code)
{
	struct record *record = find_record(codes, uuid);
	uint8_t salt[SALT_BYTES];

	if (!record) {
		record = add_record(&codes->records, uuid);
	}
	record->closed = true;
	if (!code.p) {
		return;
	}
	record->foreign = false;
	lt_random_bytes(codes->random, salt, sizeof(salt));
	hex_text(record->salt, sizeof(record->salt), salt, sizeof(salt));
	record->iterations = ITERATIONS;
	record->has_quick = false;
	record->has_code = derive(record, code, record->hash);
}

void lt_access_codes_open(struct lt_access_codes *codes, struct lt_str uuid)
{
	struct record *record = find_record(codes, uuid);

	if (record) {
		record->closed = false;
	}
}

bool lt_access_codes_is_known(const struct lt_access_codes *codes, struct lt_str uuid)
{
	return find_record(codes, uuid) != NULL;
}

bool lt_access_codes_is_closed(const struct lt_access_codes *codes, struct lt_str uuid)
{
	const struct record *record = find_record(codes, uuid);

	return record && record->closed;
}

bool lt_access_codes_has_code(const struct lt_access_codes *codes, struct lt_str uuid)
{
	const struct record *record = find_record(codes, uuid);

	return record && record->has_code;
}

void lt_access_codes_each_closed(const struct lt_access_codes *codes,
		void (*fn)(void *arg, struct lt_str uuid), void *arg)
{
	const struct record *record;

	for (record = codes->records; record; record = record->hh.next) {
		if (record->closed) {
			fn(arg, lt_str_from(record->uuid));
		}
	}
}

/* --- tries --- */

static struct tries *find_tries(const struct lt_access_codes *codes, struct lt_str address)
{
	struct tries *found = NULL;

	if (codes->tries) {
		HASH_FIND(hh, codes->tries, address.p, (unsigned)address.n, found);
	}
	return found;
}

static void forget_old_tries(struct lt_access_codes *codes, struct lt_mono now)
{
	struct tries *tries, *next;

	HASH_ITER(hh, codes->tries, tries, next) {
		if (now.us - tries->since.us >= WINDOW_US) {
			HASH_DEL(codes->tries, tries);
			lt_free(tries);
		}
	}
}

/* The counter of this address, begun anew each minute; NULL: too many addresses. */
static struct tries *tries_of(
		struct lt_access_codes *codes, struct lt_str address, struct lt_mono now)
{
	struct tries *tries;

	address.p = address.p ? address.p : "";
	tries = find_tries(codes, address);
	if (!tries) {
		if (HASH_COUNT(codes->tries) >= ADDRESSES_MAX) {
			forget_old_tries(codes, now);
		}
		if (HASH_COUNT(codes->tries) >= ADDRESSES_MAX) {
			return NULL;
		}
		tries = lt_zalloc(sizeof(*tries) + address.n + 1);
		memcpy(tries->address, address.p, address.n);
		tries->address_n = address.n;
		tries->since = now;
		HASH_ADD_KEYPTR(hh, codes->tries, tries->address, (unsigned)tries->address_n,
				tries);
	}
	if (now.us - tries->since.us >= WINDOW_US) {
		tries->since = now;
		tries->count = 0;
	}
	return tries;
}

static struct lt_str as_str(const uint8_t bytes[LT_SHA256_BYTES])
{
	return (struct lt_str){ (const char *)bytes, LT_SHA256_BYTES };
}

enum lt_access_answer lt_access_codes_try(struct lt_access_codes *codes, struct lt_str uuid,
		struct lt_str code, struct lt_str address, struct lt_mono now)
{
	struct record *record = find_record(codes, uuid), *compared;
	uint8_t digest[LT_SHA256_BYTES], hash[LT_SHA256_BYTES] = { 0 };
	struct tries *tries;
	bool is_right;

	lt_hmac_sha256(as_str(codes->key), code, digest);
	if (record && record->has_quick && lt_secret_eq(as_str(record->quick), as_str(digest))) {
		return LT_ACCESS_RIGHT;
	}
	tries = tries_of(codes, address, now);
	if (now.us - codes->all_since.us >= WINDOW_US) {
		codes->all_since = now;
		codes->all_count = 0;
	}
	if (!tries || tries->count >= LT_ACCESS_TRIES_ADDRESS ||
			codes->all_count >= LT_ACCESS_TRIES_ALL) {
		return LT_ACCESS_TOO_MANY;
	}
	compared = record && record->has_code ? record : codes->nobody;
	is_right = code.n <= LT_ACCESS_CODE_MAX && derive(compared, code, hash) &&
			lt_secret_eq(as_str(compared->hash), as_str(hash)) && compared == record;
	if (is_right) {
		memcpy(record->quick, digest, sizeof(digest));
		record->has_quick = true;
		return LT_ACCESS_RIGHT;
	}
	tries->count++;
	codes->all_count++;
	return LT_ACCESS_WRONG;
}
