#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/crypto.h"
#include "support/test.h"

static void assert_hex(const uint8_t *bytes, size_t n, const char *expected)
{
	LT_AUTO(lt_buf_finish) struct lt_buf text = { 0 };

	lt_hex_encode(&text, bytes, n);
	assert_string_equal(text.p, expected);
}

static void sha256_gives_the_published_digests(void **state)
{
	uint8_t digest[LT_SHA256_BYTES];
	(void)state;

	lt_sha256(LT_STR("abc"), digest);
	assert_hex(digest, sizeof(digest),
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	lt_sha256((struct lt_str){ NULL, 0 }, digest);
	assert_hex(digest, sizeof(digest),
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_gives_the_macs_of_rfc_4231(void **state)
{
	uint8_t mac[LT_SHA256_BYTES];
	char long_key[131];
	(void)state;
	memset(long_key, 0xAA, sizeof(long_key));

	lt_hmac_sha256(LT_STR("Jefe"), LT_STR("what do ya want for nothing?"), mac);
	assert_hex(mac, sizeof(mac),
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	lt_hmac_sha256((struct lt_str){ long_key, sizeof(long_key) },
			LT_STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	assert_hex(mac, sizeof(mac),
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 2202, test cases 2 and 6 */
static void hmac_sha1_gives_the_macs_of_rfc_2202(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf hex = { 0 };
	uint8_t mac[LT_SHA1_BYTES];
	char long_key[80];
	(void)state;

	lt_hmac_sha1(LT_STR("Jefe"), LT_STR("what do ya want for nothing?"), mac);
	lt_hex_encode(&hex, mac, sizeof(mac));
	assert_string_equal(hex.p, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");

	memset(long_key, 0xaa, sizeof(long_key));
	lt_hmac_sha1((struct lt_str){ long_key, sizeof(long_key) },
			LT_STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	lt_buf_clear(&hex);
	lt_hex_encode(&hex, mac, sizeof(mac));
	assert_string_equal(hex.p, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

static void pbkdf2_gives_the_keys_of_rfc_7914(void **state)
{
	uint8_t key[64];
	(void)state;

	assert_true(lt_pbkdf2_sha256(LT_STR("passwd"), LT_STR("salt"), 1, key, 64, NULL));
	assert_hex(key, 64,
			"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
			"49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

static void pbkdf2_iterates(void **state)
{
	uint8_t key[32];
	(void)state;

	assert_true(lt_pbkdf2_sha256(LT_STR("password"), LT_STR("salt"), 4096, key, 32, NULL));
	assert_hex(key, 32, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
}

static void pbkdf2_refuses_senseless_arguments(void **state)
{
	uint8_t key[32];
	struct lt_err err = { 0 };
	(void)state;

	assert_false(lt_pbkdf2_sha256(LT_STR("x"), LT_STR("y"), 0, key, 32, &err));
	assert_int_equal(err.code, LT_E_INVALID);
	assert_false(lt_pbkdf2_sha256(LT_STR("x"), LT_STR("y"), 1, key, 0, &err));
}

static void secrets_are_equal_only_byte_for_byte(void **state)
{
	(void)state;

	assert_true(lt_secret_eq(LT_STR("secret"), LT_STR("secret")));
	assert_true(lt_secret_eq(LT_STR(""), (struct lt_str){ NULL, 0 }));
	assert_false(lt_secret_eq(LT_STR("secret"), LT_STR("Secret")));
	assert_false(lt_secret_eq(LT_STR("secret"), LT_STR("secreT")));
	assert_false(lt_secret_eq(LT_STR("secret"), LT_STR("secre")));
	assert_false(lt_secret_eq(LT_STR("a\0b"), LT_STR("a\0c")));
}

static void base64_goes_both_ways(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xFB\xFF\xBE", "+/++" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(pairs); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf encoded = { 0 };
		LT_AUTO(lt_buf_finish) struct lt_buf decoded = { 0 };
		lt_buf_add_c(&decoded, "before:");

		lt_base64_encode(&encoded, pairs[i][0], strlen(pairs[i][0]));
		assert_true(lt_base64_decode(&decoded, lt_str_from(pairs[i][1]), NULL));

		assert_string_equal(encoded.p, pairs[i][1]);
		assert_string_equal(decoded.p + 7, pairs[i][0]);
	}
}

static void every_byte_survives_base64(void **state)
{
	LT_AUTO(lt_buf_finish) struct lt_buf encoded = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf decoded = { 0 };
	uint8_t bytes[256];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}

	lt_base64_encode(&encoded, bytes, sizeof(bytes));
	assert_true(lt_base64_decode(&decoded, lt_buf_str(&encoded), NULL));

	assert_int_equal(decoded.n, sizeof(bytes));
	assert_memory_equal(decoded.p, bytes, sizeof(bytes));
}

static void broken_base64_is_refused_and_leaves_nothing(void **state)
{
	static const char *const bad[][2] = {
		{ "Zg", "base64 of 2 characters, not a multiple of 4" },
		{ "Zg=", "base64 of 3 characters, not a multiple of 4" },
		{ "Zm9vZ===", "base64 has a bad character at 5" },
		{ "====", "base64 has a bad character at 0" },
		{ "Zg==Zg==", "base64 has a bad character at 2" },
		{ "Zm9\n", "base64 has a bad character at 3" },
		{ "Zm-_", "base64 has a bad character at 2" },
		{ "Zm 9", "base64 has a bad character at 2" },
		{ "Zh==", "base64 ends with unused bits that are not zero" },
		{ "Zm9=", "base64 ends with unused bits that are not zero" },
	};
	(void)state;

	for (size_t i = 0; i < LT_ARRAY_LEN(bad); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf decoded = { 0 };
		struct lt_err err = { 0 };

		assert_false(lt_base64_decode(&decoded, lt_str_from(bad[i][0]), &err));
		assert_string_equal(err.msg, bad[i][1]);
		assert_int_equal(err.code, LT_E_FORMAT);
		assert_int_equal(decoded.n, 0);
	}
}

/* --- RSA, against another library --- */

/* PKCS#8, or with `is_traditional` PKCS#1; encrypted with a password unless that is NULL. */
static void add_pem(struct lt_buf *pem, EVP_PKEY *key, bool is_traditional, const char *password)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text;

	assert_int_equal(is_traditional ? PEM_write_bio_PrivateKey_traditional(
							  out, key, NULL, NULL, 0, NULL, NULL)
					: PEM_write_bio_PKCS8PrivateKey(out, key,
							  password ? EVP_aes_256_cbc() : NULL,
							  password, password ? 6 : 0, NULL, NULL),
			1);
	long n = BIO_get_mem_data(out, &text);

	lt_buf_add(pem, text, (size_t)n);
	BIO_free(out);
}

static bool is_signed_by(EVP_PKEY *key, struct lt_buf *signature, struct lt_str data)
{
	EVP_MD_CTX *verify = EVP_MD_CTX_new();
	int result;

	assert_int_equal(EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL, key), 1);
	result = EVP_DigestVerify(verify, (const unsigned char *)signature->p, signature->n,
			(const unsigned char *)data.p, data.n);
	EVP_MD_CTX_free(verify);
	return result == 1;
}

static void rsa_signatures_are_those_that_others_verify(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	(void)state;

	for (int is_traditional = 0; is_traditional <= 1; is_traditional++) {
		LT_AUTO(lt_buf_finish) struct lt_buf pem = { 0 }, signature = { 0 };

		add_pem(&pem, key, is_traditional, NULL);
		assert_true(lt_rsa_sha256_sign(
				&signature, lt_buf_str(&pem), LT_STR("header.claims"), NULL));

		assert_int_equal(signature.n, 256);
		assert_true(is_signed_by(key, &signature, LT_STR("header.claims")));
		assert_false(is_signed_by(key, &signature, LT_STR("header.claim5")));
	}
	EVP_PKEY_free(key);
}

static void keys_that_cannot_sign_so_are_refused(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	struct lt_buf texts[5] = { 0 };
	(void)state;

	add_pem(&texts[0], ec, false, NULL);
	add_pem(&texts[1], rsa, false, "secret");
	add_pem(&texts[2], rsa, false, NULL);
	texts[2].n /= 2; /* cut */
	lt_buf_add_c(&texts[3], "no key");

	for (size_t i = 0; i < LT_ARRAY_LEN(texts); i++) {
		LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };
		struct lt_err err = { 0 };

		assert_false(lt_rsa_sha256_sign(
				&signature, lt_buf_str(&texts[i]), LT_STR("x"), &err));
		assert_string_equal(err.msg, "this is no RSA key that can sign");
		assert_int_equal(signature.n, 0);
		lt_buf_finish(&texts[i]);
	}
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(hmac_gives_the_macs_of_rfc_4231),
		cmocka_unit_test(hmac_sha1_gives_the_macs_of_rfc_2202),
		cmocka_unit_test(pbkdf2_gives_the_keys_of_rfc_7914),
		cmocka_unit_test(pbkdf2_iterates),
		cmocka_unit_test(pbkdf2_refuses_senseless_arguments),
		cmocka_unit_test(secrets_are_equal_only_byte_for_byte),
		cmocka_unit_test(base64_goes_both_ways),
		cmocka_unit_test(every_byte_survives_base64),
		cmocka_unit_test(broken_base64_is_refused_and_leaves_nothing),
		cmocka_unit_test(rsa_signatures_are_those_that_others_verify),
		cmocka_unit_test(keys_that_cannot_sign_so_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
