/*
 * The few cryptographic functions we need, over mbedtls (which stays in this
 * file and random.c).
 */
#ifndef LT_BASE_CRYPTO_H
#define LT_BASE_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LT_SHA256_BYTES 32
#define LT_SHA1_BYTES   20

void lt_sha256(struct lt_str data, uint8_t ret_digest[LT_SHA256_BYTES]);
void lt_hmac_sha256(struct lt_str key, struct lt_str data, uint8_t ret_mac[LT_SHA256_BYTES]);
/* For OAuth 1.0a, which knows nothing better. */
void lt_hmac_sha1(struct lt_str key, struct lt_str data, uint8_t ret_mac[LT_SHA1_BYTES]);
bool lt_pbkdf2_sha256(struct lt_str secret, struct lt_str salt, uint32_t iterations,
		uint8_t *ret_key, size_t key_bytes, struct lt_err *err);

/*
 * Append the RSA PKCS#1 v1.5 signature over the SHA-256 of data (RS256 of JWT).
 *
 * pem        private key, PKCS#8 or PKCS#1, not encrypted
 * Errors     LT_E_FORMAT no key that can sign so
 */
bool lt_rsa_sha256_sign(
		struct lt_buf *buf, struct lt_str pem, struct lt_str data, struct lt_err *err);

/* Constant time in the contents; different lengths are unequal. */
bool lt_secret_eq(struct lt_str a, struct lt_str b);

void lt_base64_encode(struct lt_buf *buf, const void *bytes, size_t n);
bool lt_base64_decode(
		struct lt_buf *buf, struct lt_str text, struct lt_err *err); /* strict, padded */
void lt_hex_encode(struct lt_buf *buf, const void *bytes, size_t n);         /* lower case */

#endif
