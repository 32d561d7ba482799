/* Links of plugins and raw captures: recorded, or played in place of the network. */
#include "services/plugin/plugin_host_priv.h"

bool lt_host_stream_open(struct lt_host_stream *stream, struct lt_host *host, const char *type,
		struct lt_str to, lt_raw_play_fn *play, void *arg)
{
	stream->host = host;
	if (host->env.raw_player) {
		stream->number = lt_raw_player_open(host->env.raw_player, play, arg);
		return true;
	}
	if (host->env.raw_recorder) {
		stream->number = lt_raw_recorder_open(host->env.raw_recorder, type, to);
	}
	return false;
}

void lt_host_stream_close(struct lt_host_stream *stream)
{
	if (stream->host && stream->host->env.raw_player) {
		lt_raw_player_close(stream->host->env.raw_player, stream->number);
	}
	*stream = (struct lt_host_stream){ 0 };
}

void lt_host_stream_record(const struct lt_host_stream *stream, enum lt_raw_kind kind,
		struct lt_str attribute, struct lt_str bytes)
{
	if (stream->number > 0 && stream->host->env.raw_recorder) {
		lt_raw_recorder_add(stream->host->env.raw_recorder, stream->number, kind, attribute,
				bytes);
	}
}

int64_t lt_host_mono_us(const struct lt_host *host)
{
	/* One second in, since 0 may mean "never" to a plugin. */
	return host->env.raw_player ? LT_US_PER_S + lt_raw_player_now_us(host->env.raw_player)
				    : lt_loop_now(host->env.loop).us;
}

int64_t lt_host_wall_us(const struct lt_host *host)
{
	const struct lt_raw_player *player = host->env.raw_player;

	if (!player || lt_raw_player_epoch_us(player) == 0) {
		return lt_loop_wall(host->env.loop).us;
	}
	return lt_raw_player_epoch_us(player) + lt_raw_player_now_us(player);
}

int64_t lt_host_delay_ms(const struct lt_host *host, int64_t delay_ms)
{
	return host->env.raw_player
			? (int64_t)((double)delay_ms / lt_raw_player_speed(host->env.raw_player))
			: delay_ms;
}
