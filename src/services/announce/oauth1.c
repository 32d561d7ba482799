#include "services/announce/oauth1.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "net/percent.h"

/* Name and value, both encoded; owned. */
struct parameter {
	char *name, *value;
};

struct parameters {
	struct parameter *at;
	size_t n;
};

/* --- parameters --- */

static char *encoded(struct lt_str text)
{
	struct lt_buf buf = { 0 };

	lt_percent_encode(&buf, text);
	return lt_buf_steal(&buf);
}

static void add(struct parameters *list, struct lt_str name, struct lt_str value)
{
	list->at = lt_reallocarray(list->at, list->n + 1, sizeof(*list->at));
	list->at[list->n++] = (struct parameter){ encoded(name), encoded(value) };
}

/* "a=1&b=2", decoded first, so that every spelling of a character is signed alike. */
static void add_form(struct parameters *list, struct lt_str form)
{
	while (form.p && form.n) {
		struct lt_str rest = lt_str_split(&form, '&');
		struct lt_str name = lt_str_split(&rest, '=');
		LT_AUTO(lt_buf_finish) struct lt_buf plain_name = { 0 };
		LT_AUTO(lt_buf_finish) struct lt_buf plain_value = { 0 };

		lt_percent_decode(&plain_name, name, true);
		lt_percent_decode(&plain_value, rest, true);
		if (name.n) {
			add(list, lt_buf_str(&plain_name), lt_buf_str(&plain_value));
		}
	}
}

static void add_own(struct parameters *list, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request)
{
	LT_AUTO(lt_buf_finish) struct lt_buf timestamp = { 0 };

	lt_buf_printf(&timestamp, "%lld", (long long)request->timestamp);
	add(list, LT_STR("oauth_consumer_key"), keys->consumer_key);
	add(list, LT_STR("oauth_nonce"), request->nonce);
	add(list, LT_STR("oauth_signature_method"), LT_STR("HMAC-SHA1"));
	add(list, LT_STR("oauth_timestamp"), lt_buf_str(&timestamp));
	add(list, LT_STR("oauth_token"), keys->token);
	add(list, LT_STR("oauth_version"), LT_STR("1.0"));
}

static void finish(struct parameters *list)
{
	for (size_t i = 0; i < list->n; i++) {
		lt_free(list->at[i].name);
		lt_free(list->at[i].value);
	}
	lt_free(list->at);
}

/* Encoded texts are ASCII: their bytewise order is the one that is asked for. */
static int by_name_and_value(const void *a, const void *b)
{
	const struct parameter *first = a, *second = b;
	int order = strcmp(first->name, second->name);

	return order ? order : strcmp(first->value, second->value);
}

/* --- the base URL (RFC 5849 3.4.1.2) --- */

/* Scheme and host in lower case, the scheme's own port left out. */
static void add_base_url(struct lt_buf *buf, struct lt_str url)
{
	size_t start = buf->n, n = 0, slashes = 0;
	struct lt_str port;

	while (n < url.n && slashes < 3 && url.p[n] != '?' && url.p[n] != '#') {
		char c = url.p[n++];

		slashes += c == '/';
		if (slashes < 3) {
			lt_buf_add_char(buf, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
		}
	}
	port = lt_str_starts(url, LT_STR("http:")) || lt_str_starts(url, LT_STR("HTTP:"))
			? LT_STR(":80")
			: LT_STR(":443");
	if (lt_str_ends((struct lt_str){ buf->p + start, buf->n - start }, port)) {
		buf->n -= port.n;
	}
	lt_buf_add_char(buf, '/');
	for (; n < url.n && url.p[n] != '?' && url.p[n] != '#'; n++) {
		lt_buf_add_char(buf, url.p[n]);
	}
}

static struct lt_str query_of(struct lt_str url)
{
	struct lt_str rest = lt_str_split(&url, '#');

	lt_str_split(&rest, '?');
	return rest.p ? rest : LT_STR("");
}

/* --- signing --- */

void lt_oauth1_base_string(struct lt_buf *buf, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request)
{
	LT_AUTO(lt_buf_finish) struct lt_buf base_url = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf joined = { 0 };
	struct parameters list = { 0 };

	add_own(&list, keys, request);
	add_form(&list, query_of(request->url));
	add_form(&list, request->form);
	qsort(list.at, list.n, sizeof(*list.at), by_name_and_value);
	for (size_t i = 0; i < list.n; i++) {
		lt_buf_printf(&joined, "%s%s=%s", i ? "&" : "", list.at[i].name, list.at[i].value);
	}
	finish(&list);
	add_base_url(&base_url, request->url);
	lt_buf_printf(buf, "%s&", request->method);
	lt_percent_encode(buf, lt_buf_str(&base_url));
	lt_buf_add_char(buf, '&');
	lt_percent_encode(buf, lt_buf_str(&joined));
}

void lt_oauth1_signature(struct lt_buf *buf, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request)
{
	LT_AUTO(lt_buf_finish) struct lt_buf base = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf key = { 0 };
	uint8_t mac[LT_SHA1_BYTES];

	lt_oauth1_base_string(&base, keys, request);
	lt_percent_encode(&key, keys->consumer_secret);
	lt_buf_add_char(&key, '&');
	lt_percent_encode(&key, keys->token_secret);
	lt_hmac_sha1(lt_buf_str(&key), lt_buf_str(&base), mac);
	lt_base64_encode(buf, mac, sizeof(mac));
}

static void add_header_parameter(struct lt_buf *buf, const char *name, struct lt_str value)
{
	if (buf->p[buf->n - 1] == '"') {
		lt_buf_add_char(buf, ',');
	}
	lt_buf_printf(buf, " %s=\"", name);
	lt_percent_encode(buf, value);
	lt_buf_add_char(buf, '"');
}

void lt_oauth1_header(struct lt_buf *buf, const struct lt_oauth1_keys *keys,
		const struct lt_oauth1_request *request)
{
	LT_AUTO(lt_buf_finish) struct lt_buf signature = { 0 };
	LT_AUTO(lt_buf_finish) struct lt_buf timestamp = { 0 };

	lt_oauth1_signature(&signature, keys, request);
	lt_buf_printf(&timestamp, "%lld", (long long)request->timestamp);
	lt_buf_add_c(buf, "OAuth");
	add_header_parameter(buf, "oauth_consumer_key", keys->consumer_key);
	add_header_parameter(buf, "oauth_nonce", request->nonce);
	add_header_parameter(buf, "oauth_signature", lt_buf_str(&signature));
	add_header_parameter(buf, "oauth_signature_method", LT_STR("HMAC-SHA1"));
	add_header_parameter(buf, "oauth_timestamp", lt_buf_str(&timestamp));
	add_header_parameter(buf, "oauth_token", keys->token);
	add_header_parameter(buf, "oauth_version", LT_STR("1.0"));
}
