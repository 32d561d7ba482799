#include "router/transport_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/str.h"

/* Forward secrecy and authenticated encryption alone; TLS 1.3 has nothing else. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct lt_tls {
	char *cert, *key;
	SSL_CTX *ctx; /* owned by lws; NULL until its virtual host is made */
};

/* The last reason on OpenSSL's stack, which is emptied. */
static bool set_error(struct lt_err *err, const char *path)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	char quoted[LT_QUOTE_MAX];

	ERR_clear_error();
	return lt_err_set(err, LT_E_INVALID, "%s: %s", lt_str_quote(lt_str_from(path), quoted),
			reason ? reason : "cannot be used");
}

/* No passphrase can be asked for. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type that OpenSSL calls */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

static bool load(SSL_CTX *ctx, const struct lt_tls *tls, struct lt_err *err)
{
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(ctx, tls->cert) != 1) {
		return set_error(err, tls->cert);
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, tls->key, SSL_FILETYPE_PEM) != 1 ||
			SSL_CTX_check_private_key(ctx) != 1) {
		return set_error(err, tls->key);
	}
	return true;
}

/* Into a context of its own, so that a bad file changes nothing. */
static bool check(const struct lt_tls *tls, struct lt_err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	if (!ctx) {
		return set_error(err, tls->cert);
	}
	bool ok = load(ctx, tls, err);
	SSL_CTX_free(ctx);
	return ok;
}

struct lt_tls *lt_tls_create(const char *cert, const char *key, struct lt_err *err)
{
	if (!cert || !key) {
		lt_err_set(err, LT_E_INVALID, "TLS needs a certificate and its key");
		return NULL;
	}
	struct lt_tls *tls = lt_zalloc(sizeof(*tls));
	tls->cert = lt_strdup(cert);
	tls->key = lt_strdup(key);
	if (!check(tls, err)) {
		lt_tls_destroy(tls);
		return NULL;
	}
	return tls;
}

void lt_tls_destroy(struct lt_tls *tls)
{
	if (tls) {
		lt_free(tls->cert);
		lt_free(tls->key);
		lt_free(tls);
	}
}

void lt_tls_fill_info(const struct lt_tls *tls, struct lws_context_creation_info *info)
{
	info->ssl_cert_filepath = tls->cert;
	info->ssl_private_key_filepath = tls->key;
	info->ssl_cipher_list = CIPHERS;
	info->ssl_options_set = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
			(long)SSL_OP_CIPHER_SERVER_PREFERENCE;
	info->alpn = "http/1.1";
}

void lt_tls_attach(struct lt_tls *tls, void *openssl_ctx)
{
	tls->ctx = openssl_ctx;
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	/* an idle connection keeps no record buffers; clients resume by tickets, not by our memory
	 */
	SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls->ctx, 1);
}

bool lt_tls_reload(struct lt_tls *tls, struct lt_err *err)
{
	/* connections have their own reference to the certificate they began with */
	return check(tls, err) && (!tls->ctx || load(tls->ctx, tls, err));
}

bool lt_tls_set(struct lt_tls *tls, const char *cert, const char *key, struct lt_err *err)
{
	struct lt_tls old = *tls;

	if (!cert || !key) {
		return lt_err_set(err, LT_E_INVALID, "TLS needs a certificate and its key");
	}
	tls->cert = lt_strdup(cert);
	tls->key = lt_strdup(key);
	if (!lt_tls_reload(tls, err)) {
		lt_free(tls->cert);
		lt_free(tls->key);
		*tls = old;
		return false;
	}
	lt_free(old.cert);
	lt_free(old.key);
	return true;
}
