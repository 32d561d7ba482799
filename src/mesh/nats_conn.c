#include "mesh/nats_conn.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fsutil.h"
#include "mesh/nkey.h"
#include "net/percent.h"

#define PORT         "4222"
#define PING_MS      2000
#define PINGS        2
#define SECRET_BYTES (64 * 1024)
#define SERVERS_MAX  64

/* --- servers --- */

static void free_server(struct lt_nats_server *server)
{
	lt_free(server->url);
	lt_free(server->host);
	lt_free(server->shown);
	lt_free(server->user);
	lt_free(server->password);
	lt_free(server->token);
}

static char *unescape(struct lt_str text)
{
	struct lt_buf plain = { 0 };

	lt_percent_decode(&plain, text, false);
	return lt_buf_steal(&plain);
}

/* "user:password" or "token" in front of '@'. */
static void read_userinfo(struct lt_str *address, struct lt_nats_server *ret)
{
	const char *at = address->n ? memrchr(address->p, '@', address->n) : NULL;
	struct lt_str info, name;

	if (!at) {
		return;
	}
	info = (struct lt_str){ address->p, (size_t)(at - address->p) };
	*address = lt_str_skip(*address, info.n + 1);
	name = lt_str_split(&info, ':');
	if (info.p) {
		ret->user = unescape(name);
		ret->password = unescape(info);
	} else {
		ret->token = unescape(name);
	}
}

/* "[::1]:4222", "host:4222", "host" */
static bool read_address(struct lt_str address, struct lt_nats_server *ret, struct lt_err *err)
{
	struct lt_str host = address, port = LT_STR(PORT);
	const char *colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
	const char *bracket = address.n ? memchr(address.p, ']', address.n) : NULL;
	struct lt_buf shown = { 0 }, url = { 0 };
	int64_t number;

	if (colon && (!bracket || colon > bracket)) {
		host.n = (size_t)(colon - address.p);
		port = lt_str_skip(address, host.n + 1);
	}
	if (host.n == 0 || memchr(host.p, ' ', host.n) || memchr(host.p, '/', host.n) ||
			!lt_parse_i64(port, 1, 65535, &number, NULL)) {
		return lt_err_set(
				err, LT_E_INVALID, "expected nats://host:port or tls://host:port");
	}
	lt_buf_printf(&shown, "%.*s:%lld", LT_STR_ARG(host), (long long)number);
	lt_buf_printf(&url, "nats://%.*s:%lld", LT_STR_ARG(host), (long long)number);
	if (bracket && host.n > 2) {
		host = (struct lt_str){ host.p + 1, host.n - 2 };
	}
	ret->host = lt_str_dup(host);
	ret->shown = lt_buf_steal(&shown);
	ret->url = lt_buf_steal(&url);
	return true;
}

static bool read_server(struct lt_str url, struct lt_nats_server *ret, struct lt_err *err)
{
	struct lt_str nats = LT_STR("nats://"), tls = LT_STR("tls://");

	while (url.n > 0 && url.p[url.n - 1] == '/') {
		url.n--;
	}
	ret->tls = lt_str_starts(url, tls);
	if (!ret->tls && !lt_str_starts(url, nats)) {
		return lt_err_set(
				err, LT_E_INVALID, "expected nats://host:port or tls://host:port");
	}
	url = lt_str_skip(url, ret->tls ? tls.n : nats.n);
	read_userinfo(&url, ret);
	return read_address(url, ret, err);
}

static bool read_servers(struct lt_str urls, struct lt_nats_conf *ret, struct lt_err *err)
{
	while (urls.p) {
		struct lt_str url = lt_str_trim(lt_str_split(&urls, ','));

		if (url.n == 0) {
			continue;
		}
		if (ret->n >= SERVERS_MAX) {
			return lt_err_set(err, LT_E_INVALID, "at most %d servers", SERVERS_MAX);
		}
		ret->servers = lt_reallocarray(ret->servers, ret->n + 1, sizeof(*ret->servers));
		ret->servers[ret->n] = (struct lt_nats_server){ 0 };
		if (!read_server(url, &ret->servers[ret->n++], err)) {
			return lt_err_prefix(err, "server %zu", ret->n);
		}
	}
	return ret->n > 0 || lt_err_set(err, LT_E_INVALID, "expected nats://host:port");
}

/* --- settings --- */

static char *copy(const char *text)
{
	return text && *text ? lt_strdup(text) : NULL;
}

static void wipe(char *secret)
{
	if (secret) {
		OPENSSL_cleanse(secret, strlen(secret));
		lt_free(secret);
	}
}

void lt_nats_conf_destroy(struct lt_nats_conf *conf)
{
	if (!conf) {
		return;
	}
	for (size_t i = 0; i < conf->n; i++) {
		free_server(&conf->servers[i]);
	}
	lt_free(conf->servers);
	lt_free(conf->user);
	wipe(conf->password);
	wipe(conf->token);
	lt_free(conf->nkey_file);
	lt_free(conf->creds_file);
	lt_free(conf->ca_file);
	lt_free(conf->cert_file);
	lt_free(conf->key_file);
	lt_free(conf->prefix);
	lt_free(conf->node);
	lt_free(conf);
}

static bool check_file(const char *path, struct lt_err *err)
{
	return !path || access(path, R_OK) == 0 || lt_err_errno(err, "%s", path);
}

static bool read_public(const char *path, char ret_public[LT_NKEY_TEXT], struct lt_err *err)
{
	struct lt_buf text = { 0 };
	bool ok = lt_file_read(path, SECRET_BYTES, &text, err) &&
			(lt_nkey_public(lt_nkey_find_seed(lt_buf_str(&text)), ret_public, err) ||
					lt_err_prefix(err, "%s", path));

	if (text.n > 0) {
		OPENSSL_cleanse(text.p, text.n);
	}
	lt_buf_finish(&text);
	return ok;
}

static bool check(const struct lt_nats_conf *conf, struct lt_err *err)
{
	char public[LT_NKEY_TEXT];
	int ways = (conf->user != NULL) + (conf->token != NULL) + (conf->nkey_file != NULL) +
			(conf->creds_file != NULL);

	if (ways > 1) {
		return lt_err_set(err, LT_E_INVALID,
				"user, token, nkey and creds are ways to log in: only one may be set");
	}
	if (!conf->user != !conf->password) {
		return lt_err_set(err, LT_E_INVALID, "user and password belong together");
	}
	if (!conf->cert_file != !conf->key_file) {
		return lt_err_set(err, LT_E_INVALID, "certificate and key belong together");
	}
	return check_file(conf->creds_file, err) && check_file(conf->ca_file, err) &&
			check_file(conf->cert_file, err) && check_file(conf->key_file, err) &&
			(!conf->nkey_file || read_public(conf->nkey_file, public, err));
}

struct lt_nats_conf *lt_nats_conf_create(const struct lt_bus_nats_conf *from, struct lt_err *err)
{
	struct lt_nats_conf *conf = lt_zalloc(sizeof(*conf));

	conf->user = copy(from->user);
	conf->password = copy(from->password);
	conf->token = copy(from->token);
	conf->nkey_file = copy(from->nkey_file);
	conf->creds_file = copy(from->creds_file);
	conf->ca_file = copy(from->ca_file);
	conf->cert_file = copy(from->cert_file);
	conf->key_file = copy(from->key_file);
	conf->prefix = copy(from->prefix);
	conf->node = copy(from->node ? from->node : "livetimingd");
	conf->replicas = from->replicas ? from->replicas : 1;
	conf->queue_bytes = from->queue_bytes ? from->queue_bytes : (size_t)64 << 20;
	if (!read_servers(lt_str_from(from->urls ? from->urls : ""), conf, err) ||
			!check(conf, err)) {
		lt_nats_conf_destroy(conf);
		return NULL;
	}
	return conf;
}

/* --- connecting --- */

static natsStatus set_login(natsOptions *opts, const struct lt_nats_conf *conf,
		const struct lt_nats_server *server)
{
	char public[LT_NKEY_TEXT];
	struct lt_err err;

	if (server->user) {
		return natsOptions_SetUserInfo(opts, server->user, server->password);
	}
	if (server->token) {
		return natsOptions_SetToken(opts, server->token);
	}
	if (conf->user) {
		return natsOptions_SetUserInfo(opts, conf->user, conf->password);
	}
	if (conf->token) {
		return natsOptions_SetToken(opts, conf->token);
	}
	if (conf->creds_file) {
		return natsOptions_SetUserCredentialsFromFiles(opts, conf->creds_file, NULL);
	}
	if (conf->nkey_file) {
		return read_public(conf->nkey_file, public, &err)
				? natsOptions_SetNKeyFromSeed(opts, public, conf->nkey_file)
				: NATS_INVALID_ARG;
	}
	return NATS_OK;
}

/* libnats compares certificates with names alone; an address is as good as the CA. */
static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static natsStatus set_tls(natsOptions *opts, const struct lt_nats_conf *conf,
		const struct lt_nats_server *server)
{
	natsStatus status = NATS_OK;

	if (!server->tls && !conf->ca_file && !conf->cert_file) {
		return NATS_OK;
	}
	status = natsOptions_SetSecure(opts, true);
	if (status == NATS_OK && !is_address(server->host)) {
		status = natsOptions_SetExpectedHostname(opts, server->host);
	}
	if (status == NATS_OK && conf->ca_file) {
		status = natsOptions_LoadCATrustedCertificates(opts, conf->ca_file);
	}
	if (status == NATS_OK && conf->cert_file) {
		status = natsOptions_LoadCertificatesChain(opts, conf->cert_file, conf->key_file);
	}
	return status;
}

static natsStatus set_rest(natsOptions *opts, const struct lt_nats_conf *conf,
		const struct lt_nats_server *server, natsConnectionHandler closed, void *arg)
{
	natsStatus status = natsOptions_SetURL(opts, server->url);

	status = status ? status : natsOptions_SetName(opts, conf->node);
	status = status ? status : natsOptions_SetTimeout(opts, LT_NATS_WAIT_MS);
	status = status ? status : natsOptions_SetWriteDeadline(opts, LT_NATS_WAIT_MS);
	status = status ? status : natsOptions_SetPingInterval(opts, PING_MS);
	status = status ? status : natsOptions_SetMaxPingsOut(opts, PINGS);
	status = status ? status : natsOptions_SetAllowReconnect(opts, false);
	status = status ? status : natsOptions_SetIgnoreDiscoveredServers(opts, true);
	status = status ? status : natsOptions_SetNoEcho(opts, true);
	status = status ? status : natsOptions_SetSendAsap(opts, true);
	status = status ? status : natsOptions_UseGlobalMessageDelivery(opts, true);
	status = status ? status : natsOptions_SetClosedCB(opts, closed, arg);
	return status;
}

static bool say_why(const struct lt_nats_server *server, natsStatus status, struct lt_err *err)
{
	enum lt_errc code = LT_E_UNAVAILABLE;
	const char *why = natsStatus_GetText(status);

	if (status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED) {
		code = LT_E_DENIED;
		why = "the server does not accept the login";
	} else if (status == NATS_NO_SERVER) {
		why = "nothing answers there";
	} else if (status == NATS_SSL_ERROR) {
		why = "TLS failed: is the certificate that of this host, and its CA known?";
	} else if (status == NATS_SECURE_CONNECTION_REQUIRED) {
		why = "the server wants TLS: tls://";
	}
	return lt_err_set(err, code, "%s: %s", server->shown, why);
}

natsConnection *lt_nats_connect(const struct lt_nats_conf *conf, size_t number,
		natsConnectionHandler closed, void *arg, struct lt_err *err)
{
	const struct lt_nats_server *server = &conf->servers[number % conf->n];
	natsOptions *opts = NULL;
	natsConnection *conn = NULL;
	natsStatus status = natsOptions_Create(&opts);

	status = status ? status : set_rest(opts, conf, server, closed, arg);
	status = status ? status : set_login(opts, conf, server);
	status = status ? status : set_tls(opts, conf, server);
	status = status ? status : natsConnection_Connect(&conn, opts);
	natsOptions_Destroy(opts);
	if (status != NATS_OK) {
		say_why(server, status, err);
		natsConnection_Destroy(conn);
		return NULL;
	}
	return conn;
}
