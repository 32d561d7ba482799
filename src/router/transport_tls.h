/*
 * The certificate of the TLS listeners. What libwebsockets does not do for us
 * with OpenSSL: sensible settings, errors that name their cause, and a change
 * of the certificate that existing connections do not notice.
 */
#ifndef LT_ROUTER_TRANSPORT_TLS_H
#define LT_ROUTER_TRANSPORT_TLS_H

#include <stdbool.h>

#include "base/err.h"

struct lt_tls;
struct lws_context_creation_info;

/*
 * Read and check certificate and key; both PEM, the certificate with its chain.
 * The paths are copied. NULL: err says what is wrong.
 */
struct lt_tls *lt_tls_create(const char *cert, const char *key, struct lt_err *err);
void lt_tls_destroy(struct lt_tls *tls); /* NULL is fine */

/* What the virtual host is made with; borrows from `tls`. */
void lt_tls_fill_info(const struct lt_tls *tls, struct lws_context_creation_info *info);

/* lws made its SSL_CTX (`openssl_ctx`, kept): apply what the info cannot say. */
void lt_tls_attach(struct lt_tls *tls, void *openssl_ctx);

/* Read the files again. On failure the old certificate stays in use. */
bool lt_tls_reload(struct lt_tls *tls, struct lt_err *err);
/* The same with other files; their paths are copied. */
bool lt_tls_set(struct lt_tls *tls, const char *cert, const char *key, struct lt_err *err);

#endif
