#include "mesh/nkey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

#define KEY_BYTES   32
#define SEED_TEXT   58 /* two bytes of prefix, the key, two of checksum: 36 bytes in base32 */
#define PREFIX_SEED (18u << 3)
#define PREFIX_USER (20u << 3)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* CRC-16/XMODEM */
static uint16_t checksum(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t)(crc ^ (uint16_t)(bytes[i] << 8));
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint16_t)(crc & 0x8000u ? (uint16_t)(crc << 1) ^ 0x1021u
						       : (uint16_t)(crc << 1));
		}
	}
	return crc;
}

/* Without padding; false: another character. `ret` has room for text.n * 5 / 8 bytes. */
static bool base32_decode(struct lt_str text, uint8_t *ret)
{
	uint32_t bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *digit = text.p[i] ? strchr(digits, text.p[i]) : NULL;

		if (!digit) {
			return false;
		}
		bits = bits << 5 | (uint32_t)(digit - digits);
		count += 5;
		if (count >= 8) {
			count -= 8;
			*ret++ = (uint8_t)(bits >> count);
			bits &= (1u << count) - 1;
		}
	}
	return true;
}

static void base32_encode(const uint8_t *bytes, size_t n, char *ret)
{
	uint32_t bits = 0;
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | bytes[i];
		count += 8;
		while (count >= 5) {
			count -= 5;
			*ret++ = digits[bits >> count & 31u];
			bits &= (1u << count) - 1;
		}
	}
	if (count > 0) {
		*ret++ = digits[bits << (5 - count) & 31u];
	}
	*ret = '\0';
}

static bool decode_seed(struct lt_str seed, uint8_t ret_key[KEY_BYTES])
{
	uint8_t raw[SEED_TEXT * 5 / 8];
	size_t n = sizeof(raw);
	bool ok = seed.n == SEED_TEXT && base32_decode(seed, raw) &&
			checksum(raw, n - 2) == (raw[n - 2] | raw[n - 1] << 8) &&
			(raw[0] & 0xf8u) == PREFIX_SEED &&
			((raw[0] & 7u) << 5 | raw[1] >> 3) == PREFIX_USER;

	if (ok) {
		memcpy(ret_key, raw + 2, KEY_BYTES);
	}
	OPENSSL_cleanse(raw, sizeof(raw));
	return ok;
}

bool lt_nkey_public(struct lt_str seed, char ret_public[LT_NKEY_TEXT], struct lt_err *err)
{
	uint8_t key[KEY_BYTES], raw[1 + KEY_BYTES + 2];
	size_t n = KEY_BYTES;
	EVP_PKEY *pair;
	uint16_t crc;
	bool ok;

	if (!decode_seed(seed, key)) {
		return lt_err_set(err, LT_E_FORMAT, "it holds no seed of a user's nkey (SU...)");
	}
	pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, KEY_BYTES);
	OPENSSL_cleanse(key, sizeof(key));
	raw[0] = PREFIX_USER;
	ok = pair && EVP_PKEY_get_raw_public_key(pair, raw + 1, &n) == 1;
	EVP_PKEY_free(pair);
	if (!ok) {
		return lt_err_set(err, LT_E_FORMAT, "the nkey cannot be used");
	}
	crc = checksum(raw, 1 + KEY_BYTES);
	raw[1 + KEY_BYTES] = (uint8_t)crc;
	raw[2 + KEY_BYTES] = (uint8_t)(crc >> 8);
	base32_encode(raw, sizeof(raw), ret_public);
	return true;
}

struct lt_str lt_nkey_find_seed(struct lt_str text)
{
	while (text.p) {
		struct lt_str line = lt_str_trim(lt_str_split(&text, '\n'));

		if (lt_str_starts(line, LT_STR("SU"))) {
			return line;
		}
	}
	return LT_STR("");
}
