/*
 * Requests that another server answers: sent on to it (307) with path and
 * query as they came. A browser follows by itself, from other pages too (CORS).
 */
#ifndef LT_SERVICES_WEB_ELSEWHERE_H
#define LT_SERVICES_WEB_ELSEWHERE_H

struct lt_elsewhere;
struct lt_router;

/*
 * `base`: "https://origin.example", with or without a path; copied. `paths`: routes as http.h has
 * them, ending with NULL.
 */
struct lt_elsewhere *lt_elsewhere_create(
		struct lt_router *router, const char *base, const char *const *paths);
void lt_elsewhere_destroy(struct lt_elsewhere *elsewhere); /* NULL is fine */

#endif
