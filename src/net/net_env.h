/*
 * What every network client is given. Borrowed; it outlives them.
 */
#ifndef LT_NET_NET_ENV_H
#define LT_NET_NET_ENV_H

struct lt_loop;
struct lt_random;

struct lt_net_env {
	struct lt_loop *loop;
	struct lt_random *random; /* jitter, so that a hundred clients do not return at once */
};

#endif
