#include "mesh/lease.h"

#include <stdio.h>

#include "base/alloc.h"

#define HOLDER_BYTES 128

struct lt_lease {
	struct lt_lease_env env;
	char *key, *own;
	char holder[HOLDER_BYTES];
	struct lt_timer timer;
	struct lt_mono down_since;
	bool is_started, is_ours, is_up, was_up;
};

struct lt_lease *lt_lease_create(const struct lt_lease_env *env)
{
	struct lt_lease *lease = lt_zalloc(sizeof(*lease));

	lease->env = *env;
	lease->env.log.module = "mesh";
	lease->key = lt_strdup(env->key);
	lease->own = lt_strdup(env->holder);
	return lease;
}

void lt_lease_destroy(struct lt_lease *lease)
{
	if (lease) {
		lt_timer_cancel(&lease->timer);
		lt_free(lease->key);
		lt_free(lease->own);
		lt_free(lease);
	}
}

static void set(struct lt_lease *lease, bool is_ours, const char *why)
{
	if (lease->is_ours == is_ours) {
		return;
	}
	lease->is_ours = is_ours;
	lt_log(&lease->env.log, LT_INFO, is_ours ? "role taken" : "role given up",
			"role=%s reason=\"%s\"", lease->key, why);
	lease->env.changed(lease->env.arg, is_ours);
}

static void on_claimed(void *arg, bool is_ours, struct lt_str holder)
{
	struct lt_lease *lease = arg;

	if (!lease->is_started || !lease->is_up || (!is_ours && holder.n == 0)) {
		return; /* no answer is no news */
	}
	snprintf(lease->holder, sizeof(lease->holder), "%.*s", LT_STR_ARG(holder));
	set(lease, is_ours, is_ours ? "nobody else has it" : "another node has it");
}

static void on_timer(void *arg)
{
	struct lt_lease *lease = arg;
	int64_t down_us = lt_loop_now(lease->env.loop).us - lease->down_since.us;

	if (lease->is_up) {
		lt_bus_claim(lease->env.bus, lt_str_from(lease->key), lt_str_from(lease->own),
				on_claimed, lease);
	} else if (down_us >= LT_BUS_LEASE_MS * 1000 &&
			(lease->env.may_be_twice || !lease->was_up)) {
		lease->holder[0] = '\0';
		set(lease, true, "there is no backplane");
	}
}

void lt_lease_start(struct lt_lease *lease)
{
	lease->is_started = true;
	lease->down_since = lt_loop_now(lease->env.loop);
	lt_timer_every(&lease->timer, lease->env.loop, LT_LEASE_CLAIM_MS, on_timer, lease);
}

void lt_lease_stop(struct lt_lease *lease)
{
	if (lease->is_started && lease->is_ours) {
		lt_bus_release(lease->env.bus, lt_str_from(lease->key), lt_str_from(lease->own));
	}
	lease->is_started = false;
	lt_timer_cancel(&lease->timer);
}

void lt_lease_bus(struct lt_lease *lease, bool is_up)
{
	lease->is_up = is_up;
	lease->was_up = lease->was_up || is_up;
	lease->down_since = lt_loop_now(lease->env.loop);
	if (lease->is_started && is_up) {
		on_timer(lease);
	}
}

bool lt_lease_is_ours(const struct lt_lease *lease)
{
	return lease->is_ours;
}

const char *lt_lease_holder(const struct lt_lease *lease)
{
	return lease->holder;
}
