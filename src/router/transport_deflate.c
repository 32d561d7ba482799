/*
 * permessage-deflate (RFC 7692), without memory per connection: both sides
 * forget their window after each message. So what goes out is compressed once
 * and shared by all receivers (payload.c), and what comes in is inflated whole
 * by one inflater of the transport, once the message is there.
 *
 * lws lets bits that mark a compressed frame pass only for an extension that it
 * knows; ours does nothing but be known. lws answers an offer by the name alone
 * and then asks for further headers, where we complete the line.
 */
#include <zlib.h>

#include <libwebsockets.h>

#include "base/alloc.h"
#include "router/transport_conn.h"

#define NAME         "permessage-deflate"
#define INFLATE_ROOM 4096
#define OFFER_MAX    256

struct lt_inflater {
	z_stream stream;
};

/* --- agreeing --- */

/* What a client asks of us; bits 0: it sets no bound to our window. */
struct offer {
	bool acceptable;
	unsigned bits;
};

static void read_parameter(struct lt_str parameter, struct offer *offer)
{
	struct lt_str value = parameter, name = lt_str_trim(lt_str_split(&value, '='));
	uint64_t bits = 0;

	if (lt_str_eq_c(name, "server_no_context_takeover") ||
			lt_str_eq_c(name, "client_no_context_takeover") ||
			lt_str_eq_c(name, "client_max_window_bits")) {
		return;
	}
	if (!lt_str_eq_c(name, "server_max_window_bits") || !value.p ||
			!lt_parse_u64(lt_str_trim(value), 15, &bits, NULL) ||
			bits < LT_DEFLATE_BITS) {
		offer->acceptable = false;
		return;
	}
	offer->bits = (unsigned)bits;
}

/*
 * The first offer by our name decides; lws takes no other. It would refuse the
 * handshake when one without parameters is followed by a second, so we do not
 * take that either.
 */
static struct offer read_offer(struct lws *wsi)
{
	char text[OFFER_MAX];
	struct offer offer = { 0 };
	int n = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_EXTENSIONS);
	struct lt_str rest = { n > 0 ? text : NULL, n > 0 ? (size_t)n : 0 };

	while (rest.p && !offer.acceptable) {
		struct lt_str parameters = lt_str_trim(lt_str_split(&rest, ','));
		struct lt_str name = lt_str_trim(lt_str_split(&parameters, ';'));

		if (!lt_str_eq_c(name, NAME)) {
			continue;
		}
		if (!parameters.p && rest.p) {
			return offer;
		}
		offer.acceptable = true;
		while (parameters.p) {
			read_parameter(lt_str_trim(lt_str_split(&parameters, ';')), &offer);
		}
		return offer;
	}
	return offer;
}

bool lt_deflate_accepts(struct lws *wsi)
{
	return read_offer(wsi).acceptable;
}

bool lt_deflate_is_agreed(struct lws *wsi)
{
	return read_offer(wsi).acceptable;
}

bool lt_deflate_answer(struct lws *wsi, void *add_headers)
{
	struct lws_process_html_args *args = add_headers;
	struct offer offer = read_offer(wsi);
	static const char line[] = NAME "\r\n";
	size_t line_n = strlen(line);

	if (!offer.acceptable) {
		return true;
	}
	if (args->max_len < OFFER_MAX || memcmp(args->p - line_n, line, line_n) != 0) {
		return false; /* another lws, which writes something else */
	}
	int n = snprintf(args->p - 2, OFFER_MAX,
			"; server_no_context_takeover; client_no_context_takeover");
	if (offer.bits > 0) {
		n += snprintf(args->p - 2 + n, OFFER_MAX / 2, "; server_max_window_bits=%d",
				LT_DEFLATE_BITS);
	}
	memcpy(args->p - 2 + n, "\r\n", 2);
	args->p += n;
	args->max_len -= n;
	return true;
}

/* --- inflating --- */

static struct lt_inflater *get_inflater(struct lt_transport *transport)
{
	if (!transport->inflater) {
		transport->inflater = lt_zalloc(sizeof(*transport->inflater));
		if (inflateInit2(&transport->inflater->stream, -15) != Z_OK) {
			lt_free(LT_STEAL(transport->inflater));
		}
	}
	return transport->inflater;
}

void lt_inflater_destroy(struct lt_inflater *inflater)
{
	if (inflater) {
		inflateEnd(&inflater->stream);
		lt_free(inflater);
	}
}

/* All of `in`; what comes out is bounded by `max`. */
static bool inflate_part(z_stream *stream, struct lt_str in, size_t max, struct lt_buf *out)
{
	stream->next_in = (Bytef *)(uintptr_t)in.p;
	stream->avail_in = (uInt)in.n;
	for (;;) {
		lt_buf_reserve(out, LT_MAX((size_t)INFLATE_ROOM, LT_MIN(out->n, max / 4)));
		size_t room = out->cap - out->n - 1;
		stream->next_out = (Bytef *)out->p + out->n;
		stream->avail_out = (uInt)room;
		int result = inflate(stream, Z_SYNC_FLUSH);
		out->n += room - stream->avail_out;
		if (out->n > max || result == Z_STREAM_END) {
			return result == Z_STREAM_END && out->n <= max;
		}
		if (result != Z_OK && result != Z_BUF_ERROR) {
			return false;
		}
		if (stream->avail_out > 0) {
			return stream->avail_in == 0;
		}
	}
}

bool lt_deflate_inflate(struct lt_transport *transport, struct lt_str deflated,
		struct lt_buf *ret_message, bool *ret_too_big)
{
	static const struct lt_str mark = { "\x00\x00\xff\xff", 4 };
	struct lt_inflater *inflater = get_inflater(transport);
	size_t max = transport->env->limits.message_bytes;

	lt_buf_clear(ret_message);
	if (!inflater || inflateReset(&inflater->stream) != Z_OK) {
		return false;
	}
	bool ok = inflate_part(&inflater->stream, deflated, max, ret_message) &&
			inflate_part(&inflater->stream, mark, max, ret_message);
	*ret_too_big = ret_message->n > max;
	return ok;
}
