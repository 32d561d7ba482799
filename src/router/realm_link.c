#include "router/realm_link.h"

#include "router/core.h"
#include "router/realm.h"

bool lt_realm_link_set(struct lt_router *router, struct lt_str realm_name,
		const struct lt_realm_listener *listener, struct lt_err *err)
{
	struct lt_realm *realm = lt_realm_find(lt_router_core(router), realm_name);

	if (!realm) {
		return lt_err_set(err, LT_E_NOT_FOUND, "realm %.*s is not configured",
				LT_STR_ARG(realm_name));
	}
	lt_broker_set_link(realm->broker, listener);
	lt_dealer_set_link(realm->dealer, listener);
	return true;
}

bool lt_realm_link_receive(struct lt_router *router, struct lt_str realm,
		const struct lt_link_event *event, struct lt_err *err)
{
	return lt_broker_receive(lt_realm_find(lt_router_core(router), realm)->broker, event, err);
}

void lt_realm_link_forget(struct lt_router *router, struct lt_str realm, struct lt_str topic)
{
	lt_broker_forget(lt_realm_find(lt_router_core(router), realm)->broker, topic);
}

bool lt_realm_link_kept(struct lt_router *router, struct lt_str realm, struct lt_str topic,
		struct lt_body *ret)
{
	return lt_broker_kept(lt_realm_find(lt_router_core(router), realm)->broker, topic,
			&lt_serializer_json, ret);
}

void lt_realm_link_each_registration(
		struct lt_router *router, struct lt_str realm, lt_pattern_fn fn, void *arg)
{
	lt_dealer_each_home(lt_realm_find(lt_router_core(router), realm)->dealer, fn, arg);
}
