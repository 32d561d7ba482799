#include "support/tls_files.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/test.h"
#include "support/wire_client.h"

struct tls_client {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	char name[64];
};

void tls_write_files(const char *common_name, const char *cert_path, const char *key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	assert_non_null(key);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);

	FILE *file = fopen(cert_path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, cert), 1);
	fclose(file);
	file = fopen(key_path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void read_name(struct tls_client *client)
{
	X509 *cert = SSL_get1_peer_certificate(client->ssl);

	assert_non_null(cert);
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, client->name,
			sizeof(client->name));
	X509_free(cert);
}

struct tls_client *tls_connect(const char *address, int max_version)
{
	struct tls_client *client = lt_zalloc(sizeof(*client));

	client->ctx = SSL_CTX_new(TLS_client_method());
	if (max_version) {
		/* old versions need old signatures: that must not be why it fails */
		SSL_CTX_set_security_level(client->ctx, 0);
		SSL_CTX_set_min_proto_version(client->ctx, 0);
		SSL_CTX_set_max_proto_version(client->ctx, max_version);
	}
	client->ssl = SSL_new(client->ctx);
	client->fd = wire_connect(address);
	SSL_set_fd(client->ssl, client->fd);
	if (SSL_connect(client->ssl) != 1) {
		tls_close(client);
		return NULL;
	}
	read_name(client);
	return client;
}

void tls_close(struct tls_client *client)
{
	if (client) {
		SSL_free(client->ssl);
		SSL_CTX_free(client->ctx);
		close(client->fd);
		lt_free(client);
	}
}

void tls_send(struct tls_client *client, struct lt_str bytes)
{
	assert_int_equal(SSL_write(client->ssl, bytes.p, (int)bytes.n), bytes.n);
}

bool tls_read(struct tls_client *client, struct lt_buf *bytes)
{
	char chunk[16384];
	int n = SSL_read(client->ssl, chunk, sizeof(chunk));

	if (n <= 0) {
		return false;
	}
	lt_buf_add(bytes, chunk, (size_t)n);
	return true;
}

const char *tls_peer_name(const struct tls_client *client)
{
	return client->name;
}
