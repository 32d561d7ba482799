/*
 * Self-signed certificates for tests, made when they run, and a blocking TLS
 * client that looks at what it is shown.
 */
#ifndef LT_TESTS_SUPPORT_TLS_FILES_H
#define LT_TESTS_SUPPORT_TLS_FILES_H

#include <stdbool.h>

#include "base/str.h"

/* Write certificate and key for a name into two new files; fails the running test. */
void tls_write_files(const char *common_name, const char *cert_path, const char *key_path);

struct tls_client;

/* `max_version` 0: the newest; else TLS1_1_VERSION and so on. NULL: the handshake failed. */
struct tls_client *tls_connect(const char *address, int max_version);
void tls_close(struct tls_client *client); /* NULL is fine */

void tls_send(struct tls_client *client, struct lt_str bytes);
/* At least one byte; false: the connection ended. Appends. */
bool tls_read(struct tls_client *client, struct lt_buf *bytes);

/* The common name in the certificate it was shown; borrowed. */
const char *tls_peer_name(const struct tls_client *client);

#endif
