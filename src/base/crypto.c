#include "base/crypto.h"

#include <stdlib.h>

#include <mbedtls/base64.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/sha256.h>

#include "base/alloc.h"

static const unsigned char *bytes_of(struct lt_str s)
{
	return (const unsigned char *)(s.n ? s.p : "");
}

/* These cannot fail on correct arguments; a wrong digest must never be used as if it were one. */
static void must_succeed(int result)
{
	if (result != 0) {
		abort();
	}
}

void lt_sha256(struct lt_str data, uint8_t ret_digest[LT_SHA256_BYTES])
{
	must_succeed(mbedtls_sha256_ret(bytes_of(data), data.n, ret_digest, 0));
}

void lt_hmac_sha256(struct lt_str key, struct lt_str data, uint8_t ret_mac[LT_SHA256_BYTES])
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);

	must_succeed(mbedtls_md_hmac(
			sha256, bytes_of(key), key.n, bytes_of(data), data.n, ret_mac));
}

void lt_hmac_sha1(struct lt_str key, struct lt_str data, uint8_t ret_mac[LT_SHA1_BYTES])
{
	const mbedtls_md_info_t *sha1 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA1);

	must_succeed(mbedtls_md_hmac(sha1, bytes_of(key), key.n, bytes_of(data), data.n, ret_mac));
}

bool lt_pbkdf2_sha256(struct lt_str secret, struct lt_str salt, uint32_t iterations,
		uint8_t *ret_key, size_t key_bytes, struct lt_err *err)
{
	mbedtls_md_context_t md;

	if (iterations == 0 || key_bytes == 0 || key_bytes > UINT32_MAX) {
		return lt_err_set(err, LT_E_INVALID,
				"key derivation needs at least one iteration and one byte of key");
	}
	mbedtls_md_init(&md);
	must_succeed(mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1));
	must_succeed(mbedtls_pkcs5_pbkdf2_hmac(&md, bytes_of(secret), secret.n, bytes_of(salt),
			salt.n, iterations, (uint32_t)key_bytes, ret_key));
	mbedtls_md_free(&md);
	return true;
}

/* Blinds the private key's arithmetic. */
static bool sign(mbedtls_pk_context *key, const uint8_t *digest, uint8_t *signature, size_t *ret_n)
{
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	bool ok;

	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random);
	ok = mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) == 0 &&
			mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, digest, LT_SHA256_BYTES, signature,
					ret_n, mbedtls_ctr_drbg_random, &random) == 0;
	mbedtls_ctr_drbg_free(&random);
	mbedtls_entropy_free(&entropy);
	return ok;
}

bool lt_rsa_sha256_sign(
		struct lt_buf *buf, struct lt_str pem, struct lt_str data, struct lt_err *err)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };
	uint8_t digest[LT_SHA256_BYTES], signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	mbedtls_pk_context key;
	size_t n = 0;
	bool ok;

	lt_buf_add_str(&text, pem);
	lt_buf_add_char(&text, '\0'); /* mbedtls wants it counted */
	mbedtls_pk_init(&key);
	ok = mbedtls_pk_parse_key(&key, bytes_of(lt_buf_str(&text)), text.n, NULL, 0) == 0 &&
			mbedtls_pk_can_do(&key, MBEDTLS_PK_RSA);
	if (ok) {
		lt_sha256(data, digest);
		ok = sign(&key, digest, signature, &n);
	}
	mbedtls_pk_free(&key);
	if (!ok) {
		return lt_err_set(err, LT_E_FORMAT, "this is no RSA key that can sign");
	}
	lt_buf_add(buf, signature, n);
	return true;
}

bool lt_secret_eq(struct lt_str a, struct lt_str b)
{
	/* volatile: the compiler must not stop at the first difference. */
	volatile unsigned char difference = 0;

	if (a.n != b.n) {
		return false;
	}
	for (size_t i = 0; i < a.n; i++) {
		difference = (unsigned char)(difference | (a.p[i] ^ b.p[i]));
	}
	return difference == 0;
}

void lt_base64_encode(struct lt_buf *buf, const void *bytes, size_t n)
{
	size_t written = 0;
	/* Four for every three begun, and the terminator that mbedtls writes. */
	size_t room = (n + 2) / 3 * 4 + 1;

	lt_buf_reserve(buf, room);
	must_succeed(mbedtls_base64_encode(
			(unsigned char *)buf->p + buf->n, room, &written, n ? bytes : "", n));
	buf->n += written;
	buf->p[buf->n] = '\0';
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Ours and not mbedtls', which takes line ends and unused bits that are not zero. */
bool lt_base64_decode(struct lt_buf *buf, struct lt_str text, struct lt_err *err)
{
	size_t padding = 0;
	size_t before = buf->n;
	uint32_t bits = 0;

	if (text.n % 4 != 0) {
		return lt_err_set(err, LT_E_FORMAT, "base64 of %zu characters, not a multiple of 4",
				text.n);
	}
	while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=') {
		padding++;
	}
	lt_buf_reserve(buf, text.n / 4 * 3);
	for (size_t i = 0; i < text.n; i++) {
		int digit = i < text.n - padding ? base64_digit(text.p[i]) : 0;

		if (digit < 0) {
			buf->n = before;
			return lt_err_set(err, LT_E_FORMAT, "base64 has a bad character at %zu", i);
		}
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 == 3) {
			char group[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };

			lt_buf_add(buf, group, 3);
		}
	}
	size_t surplus = padding;
	if (surplus && (bits & ((1U << (8 * surplus)) - 1))) {
		buf->n = before;
		return lt_err_set(
				err, LT_E_FORMAT, "base64 ends with unused bits that are not zero");
	}
	buf->n -= surplus;
	if (buf->p) {
		buf->p[buf->n] = '\0';
	}
	return true;
}

void lt_hex_encode(struct lt_buf *buf, const void *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	lt_buf_reserve(buf, 2 * n);
	for (size_t i = 0; i < n; i++) {
		lt_buf_add_char(buf, hex[p[i] >> 4]);
		lt_buf_add_char(buf, hex[p[i] & 15]);
	}
}
