/* The instance of the plugin; shared by assettocorsa.c (network) and ac_show.c (output). */
#ifndef LT_ASSETTOCORSA_ASSETTOCORSA_H
#define LT_ASSETTOCORSA_ASSETTOCORSA_H

#include <livetiming/plugin.h>

#include "ac_model.h"

#define COLUMNS_MAX 16

struct assettocorsa {
	const struct lt_host_api *api;
	struct lt_host *host;
	const struct lt_field_ext *field_ext;
	const struct lt_udp_ext *udp_ext;
	void *udp;
	struct ac_model *model;
	struct ac_packet packet;
	char server[80]; /* "address:port", where commands go */
	uint64_t publish_timer;
	int64_t heard_us, asked_us; /* last packet; last question about the session */
	bool is_silent;
	/* what went wrong */
	int64_t damaged, foreign, logged, logged_us;
	uint8_t other_version; /* of the protocol; 0: none was seen */
	/* what the service is described as */
	struct lt_column columns[COLUMNS_MAX];
	size_t column_count;
	bool described_race;
	char described[2 * AC_TEXT_LEN + 8];
};

/* Say what the service is, by what the server has said so far. */
int32_t ac_describe(struct assettocorsa *self, const struct ac_view *view);

/* Publish the model's state, after what has to be said before it. */
void ac_publish(struct assettocorsa *self, int64_t now_ms);

#endif
